//! Vectors of three components.

/// Below this length a sum of unit vectors counts as zero, and has no direction (dewi-kadita's own bound).
pub(super) const ZERO: f64 = 1e-10;

pub(super) fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

pub(super) fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

pub(super) fn norm(a: [f64; 3]) -> f64 {
    dot(a, a).sqrt()
}

pub(super) fn scale(k: f64, a: [f64; 3]) -> [f64; 3] {
    a.map(|c| k * c)
}

/// `ka + lb`.
pub(super) fn mix(k: f64, a: [f64; 3], l: f64, b: [f64; 3]) -> [f64; 3] {
    [k * a[0] + l * b[0], k * a[1] + l * b[1], k * a[2] + l * b[2]]
}

/// The direction of `a`, where it has one.
pub(super) fn unit(a: [f64; 3]) -> Option<[f64; 3]> {
    let length = norm(a);
    (length >= ZERO && length.is_finite()).then(|| scale(1.0 / length, a))
}

/// The unit vector `u`, rotated by `angle` about the unit vector `axis` perpendicular to it.
pub(super) fn rotate(u: [f64; 3], axis: [f64; 3], angle: f64) -> [f64; 3] {
    let (sin, cos) = angle.sin_cos();
    mix(cos, u, sin, cross(axis, u))
}
