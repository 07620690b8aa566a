//! Bodies and worlds as paths of a 2-D context.

use std::f64::consts::TAU;

use surprisal_core::sim::{Boundary, Space};
use web_sys::OffscreenCanvasRenderingContext2d as Context;

use crate::camera::{Camera, Spot};

/// A fish from above or from the side: a body that tapers to a tail with a fork.
pub(super) fn fish(to: &Context, at: &Spot, along: (f64, f64), length: f64) {
    let (a, b, half) = frame(along, length, 0.17);
    let p = |x: f64, y: f64| (at.x + x * a.0 + y * b.0, at.y + x * a.1 + y * b.1);
    let (nose, root) = (p(0.5, 0.0), p(-0.28, 0.0));
    let (left, right) = (p(0.22, 2.0 * half), p(0.22, -2.0 * half));
    let (up, notch, down) = (p(-0.5, 1.1 * half), p(-0.4, 0.0), p(-0.5, -1.1 * half));
    to.move_to(nose.0, nose.1);
    to.quadratic_curve_to(left.0, left.1, root.0, root.1);
    to.line_to(up.0, up.1);
    to.line_to(notch.0, notch.1);
    to.line_to(down.0, down.1);
    to.line_to(root.0, root.1);
    to.quadratic_curve_to(right.0, right.1, nose.0, nose.1);
}

/// The same in four strokes, for many.
pub(super) fn dart(to: &Context, at: &Spot, along: (f64, f64), length: f64) {
    let (a, b, half) = frame(along, length, 0.3);
    let p = |x: f64, y: f64| (at.x + x * a.0 + y * b.0, at.y + x * a.1 + y * b.1);
    let (nose, left, notch, right) = (p(0.5, 0.0), p(-0.5, half), p(-0.28, 0.0), p(-0.5, -half));
    to.move_to(nose.0, nose.1);
    to.line_to(left.0, left.1);
    to.line_to(notch.0, notch.1);
    to.line_to(right.0, right.1);
    to.close_path();
}

/// The body's own axes in pixels: one that comes towards the eye is short but never a line.
fn frame((x, y): (f64, f64), length: f64, half: f64) -> ((f64, f64), (f64, f64), f64) {
    let size = x.hypot(y);
    let (x, y) = if size > 1e-9 { (x / size, y / size) } else { (1.0, 0.0) };
    let seen = length * size.max(0.45);
    ((x * seen, y * seen), (-y * length, x * length), half)
}

/// The edge of the world. The parts behind the school and those before it are not told apart: lines hide nothing.
pub(super) fn edge(to: &Context, camera: &Camera, space: &Space) {
    match space.boundary {
        Boundary::Open => {}
        Boundary::Periodic { side } | Boundary::Walls { side } => {
            let corners = |z: f64| [[0.0, 0.0, z], [side, 0.0, z], [side, side, z], [0.0, side, z]];
            outline(to, camera, &corners(0.0));
            if !space.is_flat() {
                outline(to, camera, &corners(side));
                for (low, high) in corners(0.0).into_iter().zip(corners(side)) {
                    line(to, camera, &[low, high]);
                }
            }
        }
        Boundary::Tank { radius, depth } => {
            let ring = |z: f64| -> Vec<[f64; 3]> {
                (0..64).map(|k| TAU * f64::from(k) / 64.0).map(|a| [radius * a.cos(), radius * a.sin(), z]).collect()
            };
            outline(to, camera, &ring(0.0));
            if !space.is_flat() {
                outline(to, camera, &ring(depth));
                for k in 0..8 {
                    let a = TAU * f64::from(k) / 8.0;
                    let (x, y) = (radius * a.cos(), radius * a.sin());
                    line(to, camera, &[[x, y, 0.0], [x, y, depth]]);
                }
            }
        }
    }
}

fn outline(to: &Context, camera: &Camera, corners: &[[f64; 3]]) {
    line(to, camera, corners);
    if let (Some(last), Some(first)) = (corners.last(), corners.first()) {
        line(to, camera, &[*last, *first]);
    }
}

/// A polyline; what is behind the eye breaks it.
pub(super) fn line(to: &Context, camera: &Camera, places: &[[f64; 3]]) {
    let mut drawing = false;
    for place in places {
        match camera.project(*place) {
            Some(spot) if drawing => to.line_to(spot.x, spot.y),
            Some(spot) => {
                to.move_to(spot.x, spot.y);
                drawing = true;
            }
            None => drawing = false,
        }
    }
}

/// A grid on the floor of what is shown, anchored in the world, so that one sees an open school move.
pub(super) fn floor(to: &Context, camera: &Camera, centre: [f64; 3], radius: f64, flat: bool, step: f64) {
    let reach = radius * if flat { 2.2 } else { 1.5 };
    let z = if flat { centre[2] } else { centre[2] - 0.8 * radius };
    let start = |c: f64| ((c - reach) / step).ceil() * step;
    let mut k = start(centre[0]);
    while k <= centre[0] + reach {
        line(to, camera, &[[k, centre[1] - reach, z], [k, centre[1] + reach, z]]);
        k += step;
    }
    let mut k = start(centre[1]);
    while k <= centre[1] + reach {
        line(to, camera, &[[centre[0] - reach, k, z], [centre[0] + reach, k, z]]);
        k += step;
    }
}
