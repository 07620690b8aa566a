//! What happens at the edge of the world, and on an obstacle.

use super::{
    super::Obstacle,
    vector::{dot, mix, norm, scale, unit},
};
use crate::sim::{Boundary, Space};

/// A particle that has moved to `x` with heading `u`, brought back into the space.
pub(super) fn settle(space: &Space, mut x: [f64; 3], mut u: [f64; 3]) -> ([f64; 3], [f64; 3]) {
    let axes = if space.is_flat() { 2 } else { 3 };
    match space.boundary {
        Boundary::Open => {}
        Boundary::Periodic { side } => {
            for c in &mut x[..axes] {
                *c = wrap(*c, side);
            }
        }
        Boundary::Walls { side } => {
            for k in 0..axes {
                (x[k], u[k]) = mirror(x[k], u[k], side);
            }
        }
        Boundary::Tank { radius, depth } => {
            let r = x[0].hypot(x[1]);
            if r > radius {
                let normal = [x[0] / r, x[1] / r, 0.0];
                // The mirror image in the tangent plane; a step of more than a diameter ends in the middle.
                let inner = (2.0 * radius - r).max(0.0);
                x = [normal[0] * inner, normal[1] * inner, x[2]];
                let outwards = dot(u, normal);
                if outwards > 0.0 {
                    u = mix(1.0, u, -2.0 * outwards, normal);
                }
            }
            if axes == 3 {
                (x[2], u[2]) = mirror(x[2], u[2], depth);
            }
        }
    }
    (x, u)
}

/// c modulo side in [0, side): the remainder of a tiny negative number rounds to the side itself, which is 0.
fn wrap(c: f64, side: f64) -> f64 {
    if (0.0..side).contains(&c) {
        return c;
    }
    let r = c.rem_euclid(side);
    if r < side { r } else { 0.0 }
}

/// Reflection at 0 and at `side`, as often as it takes; an odd number of them turns the heading's component.
fn mirror(c: f64, u: f64, side: f64) -> (f64, f64) {
    if (0.0..=side).contains(&c) {
        return (c, u);
    }
    let folded = c.rem_euclid(2.0 * side);
    if folded > side { ((2.0 * side - folded).clamp(0.0, side), -u) } else { (folded, u) }
}

/// A position within an obstacle is put onto its surface; in the very centre, ahead of it.
pub(super) fn surface(space: &Space, obstacles: &[Obstacle], mut x: [f64; 3], u: [f64; 3]) -> [f64; 3] {
    for obstacle in obstacles {
        let centre = flat(space, obstacle.centre);
        let offset = space.between(centre, x);
        if norm(offset) < obstacle.radius {
            let outwards = unit(offset).unwrap_or(u);
            let target = scale(obstacle.radius, outwards);
            x = [0, 1, 2].map(|k| centre[k] + target[k]);
        }
    }
    x
}

/// A point as a flat world has it.
pub(super) const fn flat(space: &Space, x: [f64; 3]) -> [f64; 3] {
    if space.is_flat() { [x[0], x[1], 0.0] } else { x }
}
