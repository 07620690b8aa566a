//! Polarization and rotation.

use std::f64::consts::TAU;

use super::{
    super::{Order, State},
    vector::{ZERO, cross, norm, scale},
};
use crate::sim::Space;

impl State {
    /// P = |mean u| and M = |mean(r̂ × u)|, r from the centre: the mean, in a periodic space the circular mean of each
    /// axis. Whoever is in the centre has r̂ = 0; without particles both are 0.
    #[must_use]
    pub fn order(&self, space: &Space) -> Order {
        order(space, self)
    }
}

fn order(space: &Space, state: &State) -> Order {
    if state.positions.is_empty() {
        return Order::default();
    }
    let centre = centre(space, &state.positions);
    let (mut along, mut about) = ([0.0; 3], [0.0; 3]);
    for (x, u) in state.positions.iter().zip(&state.headings) {
        let r = space.between(centre, *x);
        let length = norm(r);
        let spin = cross(scale(if length < ZERO { 0.0 } else { 1.0 / length }, r), *u);
        for k in 0..3 {
            along[k] += u[k];
            about[k] += spin[k];
        }
    }
    let n = count(state.positions.len());
    Order { polarization: (norm(along) / n).min(1.0), rotation: (norm(about) / n).min(1.0) }
}

/// The mean position; in a periodic space the circular mean of each axis.
fn centre(space: &Space, positions: &[[f64; 3]]) -> [f64; 3] {
    let n = count(positions.len());
    let axis = |k: usize| match space.period() {
        None => positions.iter().map(|x| x[k]).sum::<f64>() / n,
        Some(side) => {
            let (sin, cos) = positions.iter().fold((0.0, 0.0), |(s, c), x| {
                let (sin, cos) = (TAU * x[k] / side).sin_cos();
                (s + sin, c + cos)
            });
            sin.atan2(cos) / TAU * side
        }
    };
    let z = if space.is_flat() { 0.0 } else { axis(2) };
    [axis(0), axis(1), z]
}

#[expect(clippy::cast_precision_loss, reason = "fewer than 2^32 particles")]
fn count(n: usize) -> f64 {
    n as f64
}
