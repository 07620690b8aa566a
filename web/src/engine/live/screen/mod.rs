//! What is drawn on the canvas of the live view, by whatever draws best.
//!
//! A [`Surface`] is chosen when the first swarm is drawn on a canvas, since a canvas keeps its first kind of context.

mod eye;
mod pen;
mod scene;
mod shape;

use surprisal_core::sim::swarm::Swarm;
use surprisal_gpu::GpuSwarm;
use web_sys::OffscreenCanvas;

use crate::live::{Look, Shown};
use eye::Eye;
use pen::Pen;

/// Why nothing was drawn.
pub(super) enum Trouble {
    /// This canvas cannot show it: another one is needed.
    Canvas,
    /// The swarm or the context said so.
    Because(String),
}

/// What draws.
enum Surface {
    /// Nothing has been drawn yet.
    Bare(OffscreenCanvas),
    /// Canvas 2D, from a state in memory.
    Pen(Box<Pen>),
    /// WebGPU, from the memory of the swarm.
    Eye(Box<Eye>),
}

/// The live view.
#[derive(Default)]
pub(super) struct Screen {
    surface: Option<Surface>,
    look: Look,
    stale: bool,
    /// WebGPU computes here, but cannot draw.
    blind: bool,
    shown: Option<Shown>,
}

impl Screen {
    /// Draws on this canvas from now on.
    pub(super) fn on(&mut self, canvas: Option<OffscreenCanvas>) {
        self.surface = canvas.map(Surface::Bare);
        self.stale = true;
    }

    pub(super) fn look(&mut self, look: Look) {
        self.stale |= look != self.look;
        self.look = look;
    }

    /// What is shown has changed.
    pub(super) const fn touch(&mut self) {
        self.stale = true;
    }

    /// Something else will be shown.
    pub(super) fn forget(&mut self) {
        match &mut self.surface {
            Some(Surface::Pen(pen)) => pen.forget(),
            Some(Surface::Eye(eye)) => eye.forget(),
            _ => {}
        }
        self.stale = true;
        self.shown = None;
    }

    /// Whether the next frame differs from the last.
    pub(super) fn is_stale(&self) -> bool {
        self.stale && self.surface.is_some() && self.look.width > 0.0
    }

    pub(super) const fn shown(&self) -> Option<Shown> {
        self.shown
    }

    /// The place in the world at these CSS pixels.
    pub(super) fn place(&self, x: f64, y: f64) -> Option<[f64; 3]> {
        match &self.surface {
            Some(Surface::Pen(pen)) => Some(pen.place(x, y)),
            Some(Surface::Eye(eye)) => Some(eye.place(x, y)),
            _ => None,
        }
    }

    /// Draws the first replica, where anything has changed.
    pub(super) async fn draw(&mut self, swarm: &mut dyn Swarm) -> Result<(), Trouble> {
        if !self.is_stale() {
            return Ok(());
        }
        self.stale = false;
        let on_gpu = swarm.as_any().downcast_ref::<GpuSwarm>();
        match &self.surface {
            Some(Surface::Bare(canvas)) => {
                let eye = on_gpu.filter(|_| !self.blind).map(|swarm| Eye::new(swarm, canvas.clone()));
                self.blind |= matches!(eye, Some(Err(_)));
                self.surface = Some(match eye.and_then(Result::ok) {
                    Some(eye) => Surface::Eye(Box::new(eye)),
                    None => Surface::Pen(Box::new(Pen::new(canvas.clone()).map_err(|_| Trouble::Canvas)?)),
                });
            }
            // The run has moved from one back end to the other, and a canvas cannot.
            Some(Surface::Eye(_)) if on_gpu.is_none() => {
                self.surface = None;
                return Err(Trouble::Canvas);
            }
            Some(Surface::Pen(_)) if on_gpu.is_some() && !self.blind => {
                self.surface = None;
                return Err(Trouble::Canvas);
            }
            _ => {}
        }
        let settled = match &mut self.surface {
            Some(Surface::Pen(pen)) => {
                let state = swarm.state(0).await.map_err(|e| Trouble::Because(e.to_string()))?;
                let Some(setup) = swarm.setups().first() else { return Ok(()) };
                let settled = pen.draw(setup, &state, &self.look);
                self.shown = Some(pen.shown());
                settled
            }
            Some(Surface::Eye(eye)) => {
                let settled = eye.draw(swarm, &self.look).await.map_err(Trouble::Because)?;
                self.shown = Some(eye.shown());
                settled
            }
            _ => true,
        };
        // The camera follows: until it has come to rest there is more to draw.
        self.stale |= !settled;
        Ok(())
    }
}
