//! Vectors, centres and covariances.

use std::f64::consts::TAU;

use super::{NO_DIRECTION, real};

pub(super) type Vec3 = [f64; 3];

pub(super) fn dot(a: Vec3, b: Vec3) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

pub(super) fn cross(a: Vec3, b: Vec3) -> Vec3 {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

pub(super) fn norm(a: Vec3) -> f64 {
    dot(a, a).sqrt()
}

pub(super) fn add(a: Vec3, b: Vec3) -> Vec3 {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

pub(super) fn sub(a: Vec3, b: Vec3) -> Vec3 {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

pub(super) fn scale(a: Vec3, s: f64) -> Vec3 {
    [a[0] * s, a[1] * s, a[2] * s]
}

/// `a / |a|`; shorter than [`NO_DIRECTION`] it stays as it is, which is what the reference package does.
pub(super) fn unit(a: Vec3) -> Vec3 {
    let length = norm(a);
    let length = if length < NO_DIRECTION { 1.0 } else { length };
    [a[0] / length, a[1] / length, a[2] / length]
}

pub(super) fn sum(vectors: impl IntoIterator<Item = Vec3>) -> Vec3 {
    vectors.into_iter().fold([0.0; 3], add)
}

pub(super) fn mean(vectors: &[Vec3]) -> Vec3 {
    let n = real(vectors.len());
    let total = sum(vectors.iter().copied());
    [total[0] / n, total[1] / n, total[2] / n]
}

/// `x` modulo `size` in 0 <= x < `size`: `rem_euclid` of a tiny negative number rounds to `size` itself.
pub(super) fn wrap(x: f64, size: f64) -> f64 {
    let wrapped = x.rem_euclid(size);
    if wrapped < size { wrapped } else { 0.0 }
}

/// The shortest of the equivalent displacements in a periodic box; `size` may be infinite.
pub(super) fn minimum_image(d: f64, size: f64) -> f64 {
    if size.is_infinite() { d } else { d - size * (d / size).round_ties_even() }
}

/// The circular mean of each coordinate: arg Σ exp(2πi x/L) · L/2π.
pub(super) fn circular_mean(positions: &[Vec3], size: f64) -> Vec3 {
    let axis = |a: usize| {
        let (s, c) = positions.iter().fold((0.0, 0.0), |(s, c), x| {
            let (sin, cos) = (x[a] / size * TAU).sin_cos();
            (s + sin, c + cos)
        });
        wrap(f64::atan2(s, c) / TAU * size, size)
    };
    [axis(0), axis(1), axis(2)]
}

/// Displacements from the centre that the boundary allows: the mean in open water (`size` infinite). In a periodic box
/// the minimum images about the circular mean, whose own mean is then taken off, so that the centre is the centre of
/// mass of the school laid out around its circular mean.
pub(super) fn about_centre(positions: &[Vec3], size: f64) -> Vec<Vec3> {
    let start = if size.is_infinite() { mean(positions) } else { circular_mean(positions, size) };
    let image = |x: &Vec3| sub(*x, start).map(|d| minimum_image(d, size));
    let mut from: Vec<Vec3> = positions.iter().map(image).collect();
    let left = mean(&from);
    for r in &mut from {
        *r = sub(*r, left);
    }
    from
}

/// Upper triangle of a symmetric matrix: xx, yy, zz, xy, xz, yz.
pub(super) type Symmetric = [f64; 6];

/// Σ r rᵀ.
pub(super) fn second_moment(r: Vec3) -> Symmetric {
    [r[0] * r[0], r[1] * r[1], r[2] * r[2], r[0] * r[1], r[0] * r[2], r[1] * r[2]]
}

/// Covariance of n vectors with these sums: (Σ r rᵀ − Σr Σrᵀ/n) / (n − 1).
pub(super) fn covariance(moments: Symmetric, total: Vec3, n: f64) -> Symmetric {
    let square = second_moment(total);
    std::array::from_fn(|k| (moments[k] - square[k] / n) / (n - 1.0))
}

/// Eigenvalues of a symmetric 3×3 matrix, in no order, by cyclic Jacobi rotations.
///
/// The trigonometric closed form loses half of the digits where two eigenvalues meet: a line of fish has two that are 0,
/// and it gives about 1e-8 for them, above the 1e-10 at which the reference package cuts. Jacobi's method is exact there and
/// needs a few sweeps.
pub(super) fn eigenvalues(m: Symmetric) -> [f64; 3] {
    let mut a = [[m[0], m[3], m[4]], [m[3], m[1], m[5]], [m[4], m[5], m[2]]];
    for _sweep in 0..16 {
        let off = a[0][1].abs() + a[0][2].abs() + a[1][2].abs();
        // Below this a rotation changes no digit of the diagonal.
        if off <= f64::MIN_POSITIVE || off.is_nan() {
            break;
        }
        for (p, q) in [(0, 1), (0, 2), (1, 2)] {
            if a[p][q] == 0.0 {
                continue;
            }
            let half = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
            let t = half.signum() / (half.abs() + half.hypot(1.0));
            let c = 1.0 / t.hypot(1.0);
            let s = t * c;
            let r = 3 - p - q;
            a[p][p] -= t * a[p][q];
            a[q][q] += t * a[p][q];
            a[p][q] = 0.0;
            let (low, high) = (a[p][r], a[q][r]);
            a[p][r] = c * low - s * high;
            a[q][r] = s * low + c * high;
            (a[q][p], a[r][p], a[r][q]) = (a[p][q], a[p][r], a[q][r]);
        }
    }
    [a[0][0], a[1][1], a[2][2]]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(m: Symmetric) -> [f64; 3] {
        let mut e = eigenvalues(m);
        e.sort_by(f64::total_cmp);
        e
    }

    #[test]
    fn eigenvalues_of_known_matrices() {
        // Rows (2,1,0),(1,2,1),(0,1,2): 2 − √2, 2, 2 + √2
        let e = sorted([2.0, 2.0, 2.0, 1.0, 0.0, 1.0]);
        for (got, want) in e.into_iter().zip([2.0 - 2.0_f64.sqrt(), 2.0, 2.0 + 2.0_f64.sqrt()]) {
            assert!((got - want).abs() < 1e-15 * 8.0, "{got} {want}");
        }
        // Rank one along (1,2,3): the closed form would give 1e-7 for the zeros.
        let e = sorted(second_moment([1.0, 2.0, 3.0]));
        assert!(e[0].abs() < 1e-14 && e[1].abs() < 1e-14 && (e[2] - 14.0).abs() < 1e-13, "{e:?}");
        assert_eq!(eigenvalues([3.0, 1.0, 2.0, 0.0, 0.0, 0.0]), [3.0, 1.0, 2.0]);
    }

    #[test]
    fn a_tiny_negative_number_is_wrapped_below_the_size() {
        assert_eq!((-1e-18_f64).rem_euclid(10.0), 10.0);
        assert_eq!(wrap(-1e-18, 10.0), 0.0);
        assert_eq!(wrap(-0.5, 10.0), 9.5);
    }
}
