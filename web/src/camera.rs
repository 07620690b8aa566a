//! From places in the world to places on the live view, and back.
//!
//! Deep worlds are seen in perspective by a camera on a sphere about the middle of what is shown, the third axis up;
//! flat ones from above. With the camera at azimuth `yaw` and elevation `pitch`, the direction to it is
//! e = (cos p cos y, cos p sin y, sin p), right is (-sin y, cos y, 0), and up is right × (-e).

/// Half the angle of view of the shorter side: tan 17.5°.
pub(crate) const HALF_VIEW: f64 = 0.315_298_788_878_984;

/// A camera.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Camera {
    centre: [f64; 3],
    radius: f64,
    right: [f64; 3],
    up: [f64; 3],
    towards: [f64; 3],
    /// From the eye to the centre.
    distance: f64,
    flat: bool,
    /// Half the shorter side in pixels, per unit of tangent (flat: pixels a unit of length).
    focal: f64,
    middle: (f64, f64),
}

/// A place on the view.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spot {
    pub(crate) x: f64,
    pub(crate) y: f64,
    /// Pixels in a unit of length there.
    pub(crate) scale: f64,
    /// 0 at the near side of what is shown, 1 at the far side.
    pub(crate) depth: f64,
}

impl Camera {
    /// A camera that sees the ball of `radius` about `centre` on a view of `size` pixels.
    pub(crate) fn new(
        centre: [f64; 3],
        radius: f64,
        (yaw, pitch, zoom): (f64, f64, f64),
        flat: bool,
        size: (f64, f64),
    ) -> Self {
        let short = size.0.min(size.1).max(1.0) / 2.0;
        let radius = radius.max(1e-6);
        let (sy, cy, sp, cp) = (yaw.sin(), yaw.cos(), pitch.sin(), pitch.cos());
        let middle = (size.0 / 2.0, size.1 / 2.0);
        if flat {
            let (right, up, towards) = ([1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, -1.0]);
            return Self {
                centre,
                radius,
                right,
                up,
                towards,
                distance: 0.0,
                flat,
                focal: zoom * short / radius,
                middle,
            };
        }
        Self {
            centre,
            radius,
            right: [-sy, cy, 0.0],
            up: [-sp * cy, -sp * sy, cp],
            towards: [-cp * cy, -cp * sy, -sp],
            distance: distance(radius, zoom, flat),
            flat,
            focal: short / HALF_VIEW,
            middle,
        }
    }

    /// Where `p` is seen; none behind the eye.
    pub(crate) fn project(&self, p: [f64; 3]) -> Option<Spot> {
        let d = [p[0] - self.centre[0], p[1] - self.centre[1], p[2] - self.centre[2]];
        let (x, y, z) = (dot(d, self.right), dot(d, self.up), dot(d, self.towards));
        let away = self.distance + z;
        if !self.flat && away <= 0.05 * self.radius {
            return None;
        }
        let scale = if self.flat { self.focal } else { self.focal / away };
        let depth = if self.flat { 0.0 } else { (z / self.radius).mul_add(0.5, 0.5).clamp(0.0, 1.0) };
        Some(Spot { x: self.middle.0 + x * scale, y: self.middle.1 - y * scale, scale, depth })
    }

    /// A direction of the world on the view: x to the right, y down, without perspective.
    pub(crate) fn turn(&self, u: [f64; 3]) -> (f64, f64) {
        (dot(u, self.right), -dot(u, self.up))
    }

    /// The place at these pixels in the plane through the middle that faces the camera.
    pub(crate) fn unproject(&self, x: f64, y: f64) -> [f64; 3] {
        let scale = self.scale();
        let (a, b) = ((x - self.middle.0) / scale, (self.middle.1 - y) / scale);
        std::array::from_fn(|k| self.centre[k] + a * self.right[k] + b * self.up[k])
    }

    /// Pixels in a unit of length at the middle.
    pub(crate) fn scale(&self) -> f64 {
        if self.flat { self.focal } else { self.focal / self.distance }
    }
}

/// How far the eye is from the middle of a ball that it sees whole. In depth the ball touches the shorter side: the sine of
/// half the angle is radius / distance. Flat, its disc does: the tangent is.
pub(crate) fn distance(radius: f64, zoom: f64, flat: bool) -> f64 {
    radius * if flat { 1.0 } else { (1.0 + HALF_VIEW * HALF_VIEW).sqrt() } / HALF_VIEW / zoom
}

pub(crate) fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_fits_and_the_middle_is_in_the_middle() {
        for (flat, yaw, pitch) in [(true, 0.0, 0.0), (false, 0.3, 0.5), (false, 2.0, -1.2)] {
            let camera = Camera::new([1.0, 2.0, 3.0], 5.0, (yaw, pitch, 1.0), flat, (800.0, 400.0));
            let middle = camera.project([1.0, 2.0, 3.0]).unwrap();
            assert!((middle.x - 400.0).abs() < 1e-9 && (middle.y - 200.0).abs() < 1e-9);
            for axis in 0..3 {
                let mut p = [1.0, 2.0, 3.0];
                p[axis] += 5.0;
                let spot = camera.project(p).unwrap();
                assert!((spot.y - 200.0).abs() <= 200.0 + 1e-6, "{spot:?}");
                assert!((spot.x - 400.0).abs() <= 200.0 + 1e-6, "{spot:?}");
            }
        }
    }

    #[test]
    fn a_place_of_the_facing_plane_comes_back() {
        let camera = Camera::new([1.0, 2.0, 3.0], 5.0, (0.7, 0.4, 2.0), false, (640.0, 480.0));
        let spot = camera.project(camera.unproject(100.0, 300.0)).unwrap();
        assert!((spot.x - 100.0).abs() < 1e-9 && (spot.y - 300.0).abs() < 1e-9);
        assert!((spot.scale - camera.scale()).abs() < 1e-9);
    }

    #[test]
    fn up_is_up_and_far_is_small() {
        let camera = Camera::new([0.0; 3], 1.0, (0.0, 0.3, 1.0), false, (100.0, 100.0));
        assert!(camera.project([0.0, 0.0, 1.0]).unwrap().y < 50.0);
        let (near, far) = (camera.project([1.0, 0.0, 0.0]).unwrap(), camera.project([-1.0, 0.0, 0.0]).unwrap());
        assert!(near.scale > far.scale && near.depth < far.depth);
    }
}
