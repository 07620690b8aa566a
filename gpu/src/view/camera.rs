//! Where the eye is.

use std::f32::consts::{FRAC_PI_2, FRAC_PI_4, FRAC_PI_6};

use surprisal_core::sim::{Boundary, Space};

/// What a camera looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Target {
    /// The school in open water, the middle of a bounded world.
    #[default]
    Auto,
    /// The school's centre (in a periodic world its circular mean), taken from the GPU's own sums.
    School,
    /// A point.
    Point([f32; 3]),
}

/// An eye that orbits what it looks at; z is up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Camera {
    /// Azimuth of the eye, in radians.
    pub yaw: f32,
    /// Height of the eye, in radians from -π/2 to π/2.
    pub pitch: f32,
    /// Distance of the eye.
    pub distance: f32,
    /// Opening in height, in radians.
    pub field_of_view: f32,
    /// What it looks at.
    pub target: Target,
}

impl Camera {
    /// A camera that sees the whole of a world, or of a school of this radius in open water: aslant, and from above where
    /// the world is flat.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "a picture needs no f64")]
    pub fn of(space: &Space, school_radius: f32) -> Self {
        let flat = space.is_flat();
        let radius = match space.boundary {
            Boundary::Open => school_radius,
            Boundary::Periodic { side } | Boundary::Walls { side } => {
                0.5 * side as f32 * if flat { 1.1 } else { 3.0_f32.sqrt() }
            }
            Boundary::Tank { radius, depth } => {
                let depth = if flat { 0.0 } else { 0.5 * depth };
                radius.hypot(depth) as f32
            }
        };
        let (yaw, pitch) = if flat { (-FRAC_PI_2, FRAC_PI_2) } else { (-FRAC_PI_4, FRAC_PI_6) };
        let field_of_view = FRAC_PI_4;
        let half = if flat { (field_of_view / 2.0).tan() } else { (field_of_view / 2.0).sin() };
        Self { yaw, pitch, distance: 1.05 * radius / half, field_of_view, target: Target::Auto }
    }

    /// The directions right, up and back (towards the eye).
    pub(super) fn axes(&self) -> [[f32; 3]; 3] {
        let ((sy, cy), (sp, cp)) = (self.yaw.sin_cos(), self.pitch.sin_cos());
        [[-sy, cy, 0.0], [-sp * cy, -sp * sy, cp], [cp * cy, cp * sy, sp]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_are_orthonormal_and_right_handed() {
        for (yaw, pitch) in [(0.0, 0.0), (1.0, 0.5), (-FRAC_PI_2, FRAC_PI_2), (4.0, -1.2)] {
            let camera = Camera { yaw, pitch, distance: 1.0, field_of_view: 1.0, target: Target::Auto };
            let [r, u, b] = camera.axes();
            let cross = [r[1] * u[2] - r[2] * u[1], r[2] * u[0] - r[0] * u[2], r[0] * u[1] - r[1] * u[0]];
            for k in 0..3 {
                assert!((cross[k] - b[k]).abs() < 1e-6, "{cross:?} {b:?}");
            }
        }
    }
}
