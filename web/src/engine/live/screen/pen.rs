//! The live view in Canvas 2D, from a state in memory.
//!
//! Particles are sorted by depth layer and colour, and each group is one path: a few hundred fills draw any number of
//! them.

use std::collections::VecDeque;

use surprisal_core::{
    figure::{Palette, Rgb, Theme, palette, round_down},
    sim::{
        Boundary,
        swarm::{Setup, State},
    },
};
use wasm_bindgen::JsCast;
use web_sys::{ContextAttributes2d, OffscreenCanvas, OffscreenCanvasRenderingContext2d as Context};

use super::{
    scene::{self, Gaze},
    shape,
};
use crate::{
    camera::{Camera, Spot},
    colour::{self, BINS},
    live::{Look, Shade, Shown},
};

/// Layers of depth, each with its own fade.
const LAYERS: usize = 10;
/// How far the last layer fades into the surface.
const FADE: f64 = 0.62;
/// Fish have fins up to this number,
const FINS: usize = 700;
/// are darts up to this one, and points beyond;
const DARTS: usize = 6000;
/// and leave trails up to this one.
const TRAILED: usize = 1200;
/// Positions in a trail,
const TRAIL: usize = 12;
/// and the steps that it goes back.
const TRAIL_STEPS: u64 = 16;
/// Parts of a trail, each fainter than the one before.
const PARTS: usize = 3;

/// A 2-D context and what it remembers from frame to frame.
pub(super) struct Pen {
    canvas: OffscreenCanvas,
    to: Context,
    gaze: Option<Gaze>,
    camera: Option<Camera>,
    /// At which step everybody was where.
    trail: VecDeque<(u64, Vec<[f64; 3]>)>,
    last: u64,
    colours: Vec<String>,
    coloured: Option<(bool, bool)>,
    bins: Vec<u8>,
    spots: Vec<Option<Spot>>,
    order: Vec<u32>,
    shown: Shown,
}

impl Pen {
    pub(super) fn new(canvas: OffscreenCanvas) -> Result<Self, String> {
        // Thousands of small triangles a frame are quicker for the processor than through a GPU that is emulated by it, which
        // browsers take where they find no other: this keeps the canvas in memory.
        let options = ContextAttributes2d::new();
        options.set_will_read_frequently(true);
        // Every frame is painted whole, so that what is behind it need not be drawn.
        options.set_alpha(false);
        let context = canvas.get_context_with_context_options("2d", &options);
        let context = context.map_err(|_| "no 2-D context")?.ok_or("no 2-D context")?;
        Ok(Self {
            canvas,
            to: context.dyn_into().map_err(|_| "another context")?,
            gaze: None,
            camera: None,
            trail: VecDeque::new(),
            last: 0,
            colours: Vec::new(),
            coloured: None,
            bins: Vec::new(),
            spots: Vec::new(),
            order: Vec::new(),
            shown: Shown::default(),
        })
    }

    /// Something else will be shown.
    pub(super) fn forget(&mut self) {
        self.gaze = None;
        self.trail.clear();
    }

    pub(super) const fn shown(&self) -> Shown {
        self.shown
    }

    pub(super) fn place(&self, x: f64, y: f64) -> [f64; 3] {
        self.camera.map_or([0.0; 3], |camera| camera.unproject(x, y))
    }

    /// Draws a frame; says whether the camera has come to rest.
    #[expect(clippy::cast_precision_loss, reason = "a count of particles")]
    pub(super) fn draw(&mut self, setup: &Setup, state: &State, look: &Look) -> bool {
        self.size(look);
        let wanted = Gaze::of(setup, state);
        let settled = match &mut self.gaze {
            Some(gaze) => gaze.follow(wanted),
            None => {
                self.gaze = Some(wanted);
                true
            }
        };
        let gaze = self.gaze.unwrap_or(wanted);
        let camera = gaze.camera(look, &setup.space);
        self.camera = Some(camera);
        let colours = palette(if look.dark { Theme::Dark } else { Theme::Light });
        self.dye(look, &colours);
        let (low, high) = scene::shades(look.shade, setup, state, &gaze, &mut self.bins);
        self.shown = Shown { scale: camera.scale(), low, high, count: state.positions.len() as f64 };

        self.to.set_fill_style_str(&colours.surface.css());
        self.to.fill_rect(0.0, 0.0, look.width, look.height);
        self.world(setup, &gaze, &camera, &colours);
        self.remember(state, look);
        self.trails(setup, &camera, &colours);
        self.particles(setup, state, &camera, &colours);
        self.predator(setup, state, &camera, &colours);
        settled
    }

    /// Gives the canvas the size of its place.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "sizes of canvases are small and positive"
    )]
    fn size(&self, look: &Look) {
        let (width, height) = ((look.width * look.density).round() as u32, (look.height * look.density).round() as u32);
        if (self.canvas.width(), self.canvas.height()) != (width, height) {
            self.canvas.set_width(width);
            self.canvas.set_height(height);
        }
        let _ = self.to.set_transform(look.density, 0.0, 0.0, look.density, 0.0, 0.0);
    }

    /// The colours of all groups.
    #[expect(clippy::cast_precision_loss, reason = "a few layers")]
    fn dye(&mut self, look: &Look, palette: &Palette) {
        let key = (look.dark, look.shade == Shade::Heading);
        if self.coloured == Some(key) {
            return;
        }
        self.coloured = Some(key);
        let surface = channels(palette.surface);
        self.colours = (0..LAYERS * BINS)
            .map(|group| {
                let near = colour::colour(group % BINS, key.1, key.0);
                let away = 1.0 - (group / BINS) as f64 / (LAYERS - 1) as f64;
                colour::css(colour::fade(near, surface, FADE * away))
            })
            .collect();
    }

    fn world(&self, setup: &Setup, gaze: &Gaze, camera: &Camera, palette: &Palette) {
        let to = &self.to;
        let space = &setup.space;
        to.set_line_width(1.0);
        to.set_stroke_style_str(&palette.line.css());
        to.begin_path();
        if space.boundary == Boundary::Open {
            let step = round_down(90.0 / camera.scale());
            shape::floor(to, camera, gaze.centre, gaze.radius, space.is_flat(), step);
            to.set_global_alpha(0.7);
        } else {
            to.set_stroke_style_str(&palette.ink_soft.css());
            to.set_global_alpha(0.45);
        }
        shape::edge(to, camera, space);
        to.stroke();
        to.set_global_alpha(1.0);
    }

    /// Adds where everybody is to the trails, where they have moved.
    fn remember(&mut self, state: &State, look: &Look) {
        let wanted = look.trails && state.positions.len() <= TRAILED;
        let fits = self.trail.front().is_none_or(|(_, p)| p.len() == state.positions.len()) && state.step >= self.last;
        if !wanted || !fits {
            self.trail.clear();
        }
        if wanted && (self.trail.is_empty() || state.step > self.last) {
            self.trail.push_front((state.step, state.positions.clone()));
            self.trail.truncate(TRAIL);
            // Of a fast run few positions are near enough in time to be a path.
            self.trail.retain(|(step, _)| step + TRAIL_STEPS >= state.step);
        }
        self.last = state.step;
    }

    #[expect(clippy::cast_precision_loss, reason = "a few parts")]
    fn trails(&self, setup: &Setup, camera: &Camera, palette: &Palette) {
        let count = self.trail.front().map_or(0, |(_, p)| p.len());
        if self.trail.len() < 2 {
            return;
        }
        // A step that crosses a periodic edge is no path.
        let jump = setup.space.period().map_or(f64::INFINITY, |side| side / 2.0);
        self.to.set_stroke_style_str(&palette.ink_soft.css());
        self.to.set_line_width(1.0);
        let each = TRAIL / PARTS;
        for part in 0..PARTS {
            self.to.set_global_alpha(0.24 * (1.0 - part as f64 / PARTS as f64));
            self.to.begin_path();
            for particle in 0..count {
                let places = self.trail.iter().skip(part * each).take(each + 1).map(|(_, p)| p[particle]);
                let mut before: Option<[f64; 3]> = None;
                for place in places {
                    let broken = before.is_none_or(|b| (0..3).any(|k| (place[k] - b[k]).abs() > jump));
                    if let Some(spot) = camera.project(place) {
                        if broken {
                            self.to.move_to(spot.x, spot.y);
                        } else {
                            self.to.line_to(spot.x, spot.y);
                        }
                        before = Some(place);
                    } else {
                        before = None;
                    }
                }
            }
            self.to.stroke();
        }
        self.to.set_global_alpha(1.0);
    }

    fn particles(&mut self, setup: &Setup, state: &State, camera: &Camera, palette: &Palette) {
        let count = state.positions.len();
        self.spots.clear();
        self.spots.extend(state.positions.iter().map(|p| camera.project(*p)));
        let groups = self.sort();
        let obstacles: Vec<(usize, Spot, f64)> = setup
            .obstacles
            .iter()
            .filter_map(|o| camera.project(o.centre).map(|spot| (layer(spot.depth), spot, o.radius)))
            .collect();
        let body = scene::body(setup);
        let mut group = usize::MAX;
        let mut stones = 0;
        for (next, start, end) in groups {
            while stones <= next / BINS {
                self.stones(&obstacles, stones, palette);
                stones += 1;
            }
            if next != group {
                self.to.set_fill_style_str(&self.colours[next]);
                group = next;
            }
            self.to.begin_path();
            for &particle in &self.order[start..end] {
                let Some(spot) = &self.spots[particle as usize] else { continue };
                let length = (body * spot.scale).clamp(5.0, 30.0);
                if count <= DARTS {
                    let along = camera.turn(state.headings[particle as usize]);
                    let draw = if count <= FINS { shape::fish } else { shape::dart };
                    draw(&self.to, spot, along, length);
                } else {
                    self.to.rect(spot.x - 0.8, spot.y - 0.8, 1.6, 1.6);
                }
            }
            self.to.fill();
        }
        for rest in stones..LAYERS {
            self.stones(&obstacles, rest, palette);
        }
    }

    /// Sorts the particles by group, far layers first; the groups that are not empty, with their ranges.
    fn sort(&mut self) -> Vec<(usize, usize, usize)> {
        let key = |spot: &Option<Spot>, bin: u8| spot.map(|s| layer(s.depth) * BINS + usize::from(bin));
        let mut ends = vec![0_usize; LAYERS * BINS + 1];
        for (spot, bin) in self.spots.iter().zip(&self.bins) {
            if let Some(key) = key(spot, *bin) {
                ends[key + 1] += 1;
            }
        }
        for k in 1..ends.len() {
            ends[k] += ends[k - 1];
        }
        let starts = ends.clone();
        self.order.resize(self.spots.len(), 0);
        let mut places = ends;
        for (particle, (spot, bin)) in (0..).zip(self.spots.iter().zip(&self.bins)) {
            if let Some(key) = key(spot, *bin) {
                self.order[places[key]] = particle;
                places[key] += 1;
            }
        }
        (0..LAYERS * BINS).map(|k| (k, starts[k], starts[k + 1])).filter(|(_, a, z)| a < z).collect()
    }

    /// The obstacles of one layer.
    fn stones(&self, obstacles: &[(usize, Spot, f64)], wanted: usize, palette: &Palette) {
        for (_, spot, radius) in obstacles.iter().filter(|(layer, ..)| *layer == wanted) {
            self.to.begin_path();
            let _ = self.to.arc(spot.x, spot.y, radius * spot.scale, 0.0, std::f64::consts::TAU);
            self.to.set_fill_style_str(&palette.line.css());
            self.to.fill();
            self.to.set_stroke_style_str(&palette.ink_soft.css());
            self.to.stroke();
        }
        self.to.set_line_width(1.0);
    }

    fn predator(&self, setup: &Setup, state: &State, camera: &Camera, palette: &Palette) {
        let Some(predator) = &setup.predator else { return };
        let agent = state.predator;
        let position = agent.map_or(predator.position, |[position, _]| position);
        let Some(spot) = camera.project(position) else { return };
        let red = if palette.surface.0 > 127 { "#a3262a" } else { "#f0807f" };
        self.to.begin_path();
        let _ = self.to.arc(spot.x, spot.y, predator.radius * spot.scale, 0.0, std::f64::consts::TAU);
        self.to.set_stroke_style_str(red);
        self.to.set_global_alpha(0.5);
        self.to.stroke();
        self.to.set_global_alpha(1.0);
        self.to.set_fill_style_str(red);
        self.to.begin_path();
        match agent {
            Some([_, heading]) => {
                let length = (3.0 * scene::body(setup) * spot.scale).clamp(14.0, 60.0);
                shape::fish(&self.to, &spot, camera.turn(heading), length);
            }
            None => {
                let _ = self.to.arc(spot.x, spot.y, 4.0, 0.0, std::f64::consts::TAU);
            }
        }
        self.to.fill();
    }
}

/// The layer of a depth, 0 the farthest.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "one of a few layers"
)]
fn layer(depth: f64) -> usize {
    (((1.0 - depth) * LAYERS as f64) as usize).min(LAYERS - 1)
}

fn channels(colour: Rgb) -> [f64; 3] {
    [f64::from(colour.0), f64::from(colour.1), f64::from(colour.2)]
}
