//! How a swarm begins. Drawn on the CPU in f64, so that every back end begins alike.

use serde::{Deserialize, Serialize};

use super::{Setup, State};
use crate::{
    rng::Philox,
    sim::{Boundary, Space},
};

/// Where particles are at first, and where they look.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Start {
    /// Uniform in a ball (disc) about the middle of the space, headings isotropic.
    Ball {
        /// Its radius.
        radius: f64,
    },
    /// Uniform in the whole of a bounded space (open water: in a cube of edge 2 about the origin), headings isotropic.
    Uniform,
    /// A swimming ring (dewi-kadita's torus start): θ_i = 2πi/N + 0.1 g, radius R (1 + 0.15 g) in the xy-plane about
    /// the middle, z = middle + 0.3 R g, heading (-sin θ, cos θ, 0.1 g) normalised.
    Ring {
        /// R.
        radius: f64,
    },
}

/// The stream of initial conditions: kept apart from the noise by its own counter word.
const STREAM: u64 = 1 << 63;

/// The state before the first step.
#[must_use]
pub fn begin(setup: &Setup) -> State {
    let mut rng = Philox::new(setup.seed, STREAM | u64::from(setup.replica));
    let space = &setup.space;
    let middle = middle(space);
    let count = setup.count;
    let mut state = State::default();
    for i in 0..count {
        let (offset, heading) = match setup.start {
            Start::Ball { radius } => (within_ball(space, radius, &mut rng), isotropic(space, &mut rng)),
            Start::Uniform => (uniform(space, middle, &mut rng), isotropic(space, &mut rng)),
            Start::Ring { radius } => ring(space, radius, i, count, &mut rng),
        };
        state.positions.push(inside(space, [0, 1, 2].map(|k| middle[k] + offset[k])));
        state.headings.push(heading);
        let speed = setup.speed + setup.speed_deviation * rng.normal();
        state.speeds.push(if setup.speed_deviation > 0.0 { speed.max(setup.speed / 10.0) } else { setup.speed });
    }
    if let Some(predator) = setup.predator {
        let [x, y, z] = predator.position;
        state.predator = Some([[x, y, if space.is_flat() { 0.0 } else { z }], [1.0, 0.0, 0.0]]);
    }
    state
}

/// The middle of a space.
fn middle(space: &Space) -> [f64; 3] {
    let z = |height: f64| if space.is_flat() { 0.0 } else { height };
    match space.boundary {
        Boundary::Open => [0.0; 3],
        Boundary::Periodic { side } | Boundary::Walls { side } => [side / 2.0, side / 2.0, z(side / 2.0)],
        Boundary::Tank { depth, .. } => [0.0, 0.0, z(depth / 2.0)],
    }
}

/// A position within the space: wrapped or clamped.
pub(super) fn inside(space: &Space, x: [f64; 3]) -> [f64; 3] {
    let flat = space.is_flat();
    let mut y = match space.boundary {
        Boundary::Open => x,
        // The remainder of a tiny negative number rounds to the side itself.
        Boundary::Periodic { side } => x.map(|c| Some(c.rem_euclid(side)).filter(|r| *r < side).unwrap_or(0.0)),
        Boundary::Walls { side } => x.map(|c| c.clamp(0.0, side)),
        Boundary::Tank { radius, depth } => {
            let r = x[0].hypot(x[1]);
            // A reflected particle may be outside by a rounding; it stays, so that a run restarts to the bit.
            let shrink = if r > radius * (1.0 + 1e-12) { radius / r } else { 1.0 };
            [x[0] * shrink, x[1] * shrink, x[2].clamp(0.0, depth)]
        }
    };
    if flat {
        y[2] = 0.0;
    }
    y
}

fn isotropic(space: &Space, rng: &mut Philox) -> [f64; 3] {
    if space.is_flat() {
        let (sin, cos) = (std::f64::consts::TAU * rng.uniform()).sin_cos();
        return [cos, sin, 0.0];
    }
    loop {
        let g = [rng.normal(), rng.normal(), rng.normal()];
        let norm = (g[0] * g[0] + g[1] * g[1] + g[2] * g[2]).sqrt();
        if norm > 1e-10 {
            return g.map(|c| c / norm);
        }
    }
}

fn within_ball(space: &Space, radius: f64, rng: &mut Philox) -> [f64; 3] {
    let direction = isotropic(space, rng);
    let share = rng.uniform();
    let r = radius * if space.is_flat() { share.sqrt() } else { share.cbrt() };
    direction.map(|c| c * r)
}

/// An offset from the middle.
fn uniform(space: &Space, middle: [f64; 3], rng: &mut Philox) -> [f64; 3] {
    let z = |rng: &mut Philox, height: f64| if space.is_flat() { 0.0 } else { height * (rng.uniform() - 0.5) };
    match space.boundary {
        Boundary::Tank { radius, depth } => {
            let (sin, cos) = (std::f64::consts::TAU * rng.uniform()).sin_cos();
            let r = radius * rng.uniform().sqrt();
            [r * cos - middle[0], r * sin - middle[1], z(rng, depth)]
        }
        Boundary::Open => [rng.uniform() * 2.0 - 1.0, rng.uniform() * 2.0 - 1.0, z(rng, 2.0)],
        Boundary::Periodic { side } | Boundary::Walls { side } => {
            [side * (rng.uniform() - 0.5), side * (rng.uniform() - 0.5), z(rng, side)]
        }
    }
}

fn ring(space: &Space, radius: f64, i: u32, count: u32, rng: &mut Philox) -> ([f64; 3], [f64; 3]) {
    let theta = std::f64::consts::TAU * f64::from(i) / f64::from(count) + 0.1 * rng.normal();
    let r = radius * (1.0 + 0.15 * rng.normal());
    let (z, climb) = (0.3 * radius * rng.normal(), 0.1 * rng.normal());
    let (z, climb) = if space.is_flat() { (0.0, 0.0) } else { (z, climb) };
    let (sin, cos) = theta.sin_cos();
    let norm = (1.0 + climb * climb).sqrt();
    ([r * cos, r * sin, z], [-sin / norm, cos / norm, climb / norm])
}
