//! The live view by WebGPU, straight from the buffers in which the swarm swims: no read-back per frame.
//!
//! What is read back, once in a while, is a state: it says how far the camera must be from a school in open water, and
//! where the pointer is in the world.

use surprisal_core::{
    figure::{Theme, palette},
    sim::swarm::Swarm,
};
use surprisal_gpu::{
    GpuError, GpuSwarm, View,
    view::{Camera, Colour, Look as Style, Shown as What},
};
use web_sys::OffscreenCanvas;
use web_time::{Duration, Instant};

use super::scene::{self, Gaze};
use crate::{
    camera,
    live::{Look, Shade, Shown},
};

/// From one look at a state to the next.
const LOOK: Duration = Duration::from_millis(700);
/// A school may change in size by this much before the camera moves: trails begin anew when it does.
const PATIENCE: f64 = 0.2;
/// The share of a trail that is left after a frame.
const TRAIL: f32 = 0.8;

/// A surface and what it remembers from frame to frame.
pub(super) struct Eye {
    view: View,
    size: (u32, u32),
    gaze: Option<(Gaze, Instant)>,
    radius: f64,
    camera: Option<camera::Camera>,
    began: Instant,
    shown: Shown,
}

impl Eye {
    pub(super) fn new(swarm: &GpuSwarm, canvas: OffscreenCanvas) -> Result<Self, GpuError> {
        let size = (canvas.width().max(1), canvas.height().max(1));
        let surface = swarm.gpu().surface(canvas)?;
        let view = View::onto(swarm.gpu(), surface, size.0, size.1)?;
        let began = Instant::now();
        Ok(Self { view, size, gaze: None, radius: 0.0, camera: None, began, shown: Shown::default() })
    }

    /// Something else will be shown.
    pub(super) fn forget(&mut self) {
        self.gaze = None;
        self.radius = 0.0;
    }

    pub(super) const fn shown(&self) -> Shown {
        self.shown
    }

    pub(super) fn place(&self, x: f64, y: f64) -> [f64; 3] {
        self.camera.map_or([0.0; 3], |camera| camera.unproject(x, y))
    }

    /// Draws a frame; says whether the camera has come to rest.
    pub(super) async fn draw(&mut self, swarm: &mut dyn Swarm, look: &Look) -> Result<bool, String> {
        let Some(setup) = swarm.setups().first().cloned() else { return Ok(true) };
        if self.gaze.is_none_or(|(_, at)| at.elapsed() >= LOOK) {
            let state = swarm.state(0).await.map_err(|e| e.to_string())?;
            let gaze = Gaze::of(&setup, &state);
            let (low, high) = scene::shades(look.shade, &setup, &state, &gaze, &mut Vec::new());
            self.shown = Shown { low, high, count: f64::from(setup.count), ..self.shown };
            self.gaze = Some((gaze, Instant::now()));
        }
        let Some((gaze, _)) = self.gaze else { return Ok(true) };
        if self.radius == 0.0 || (gaze.radius / self.radius - 1.0).abs() > PATIENCE {
            self.radius = gaze.radius;
        }
        self.fit(look);
        let drawn = self.eye(&setup.space, look);
        let flat = setup.space.is_flat();
        let angles = (f64::from(drawn.yaw), f64::from(drawn.pitch), look.zoom);
        let same = camera::Camera::new(gaze.centre, self.radius, angles, flat, (look.width, look.height));
        self.shown.scale = same.scale();
        self.camera = Some(same);
        let style = self.style(&setup, look);
        let Some(swarm) = swarm.as_any().downcast_ref::<GpuSwarm>() else {
            return Err("no GPU has this swarm".to_owned());
        };
        self.view.draw(What::Swarm(swarm, 0), &drawn, &style).map_err(|e| e.to_string())?;
        Ok(true)
    }

    /// Gives the surface the size of its place.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "sizes of canvases are small and positive"
    )]
    fn fit(&mut self, look: &Look) {
        let size =
            ((look.width * look.density).round().max(1.0) as u32, (look.height * look.density).round().max(1.0) as u32);
        if size != self.size {
            self.size = size;
            self.view.resize(size.0, size.1);
        }
    }

    /// The camera of [`camera::Camera`] in the view's own terms.
    #[expect(clippy::cast_possible_truncation, reason = "a picture needs no f64")]
    fn eye(&self, space: &surprisal_core::sim::Space, look: &Look) -> Camera {
        let first = Camera::of(space, self.radius as f32);
        let (yaw, pitch) =
            if space.is_flat() { (first.yaw, first.pitch) } else { (look.yaw as f32, look.pitch as f32) };
        let distance = camera::distance(self.radius, look.zoom, space.is_flat()) as f32;
        Camera { yaw, pitch, distance, field_of_view: 2.0 * (camera::HALF_VIEW as f32).atan(), ..first }
    }

    #[expect(clippy::cast_possible_truncation, reason = "a picture needs no f64")]
    fn style(&self, setup: &surprisal_core::sim::swarm::Setup, look: &Look) -> Style {
        let colours = palette(if look.dark { Theme::Dark } else { Theme::Light });
        let part = |colour: surprisal_core::figure::Rgb| [colour.0, colour.1, colour.2].map(|c| f32::from(c) / 255.0);
        // Never thinner than can be seen.
        let body = scene::body(setup).max(5.0 / self.shown.scale.max(1e-9)).min(30.0 / self.shown.scale.max(1e-9));
        Style {
            colour: match look.shade {
                Shade::Heading => Colour::Heading,
                Shade::Speed => Colour::Speed,
                Shade::Depth => Colour::Depth,
                Shade::Alignment => Colour::Alignment,
            },
            range: match look.shade {
                Shade::Speed | Shade::Depth => Some([self.shown.low as f32, self.shown.high as f32]),
                Shade::Heading | Shade::Alignment => None,
            },
            body: body as f32,
            trails: if look.trails { TRAIL } else { 0.0 },
            outline: true,
            background: part(colours.surface),
            line: part(if look.dark { colours.ink_soft } else { colours.line }),
            time: self.began.elapsed().as_secs_f32(),
        }
    }
}
