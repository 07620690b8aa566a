//! The random numbers of a step: one Philox block a particle, the same integers on every back end.
//!
//! counter = (step, particle, 0, replica), key = seed. A uniform is ((x >> 9) + 1/2) / 2^23: 24 significant bits,
//! so that f32 and f64 have the very same number. Normals by Box and Muller's transform.
//!
//! What a rule does with its block; `a`, `b` = [`frame`] of the vector named, φ = 2π uniform, axis = cos φ a + sin φ b:
//!
//! | rule | number | words | use |
//! |---|---|---|---|
//! | Couzin 2002 | noise × `normals(0)[0]` | 0, 1 | angle by which the desired direction d is rotated; 2-D: counter-clockwise |
//! | Couzin 2002, 3-D | φ from `uniform(2)` | 2 | axis of that rotation, in the frame of d |
//! | Couzin 2002, 3-D | φ from `uniform(3)` | 3 | axis of the turn where the target is exactly behind, in the frame of the heading |
//! | Couzin 2002, 2-D | `uniform(3)` | 3 | sense of that turn: counter-clockwise below 1/2 |
//! | Dewi | g = `normals(0)[0]`, `normals(0)[1]`, `normals(1)[0]` | 0 to 3 | normalize(u + noise g); 2-D: g_z = 0 |
//! | Vicsek | noise × (`uniform(0)` - 1/2) | 0 | Δ, counter-clockwise |
//! | Boids | noise × g as for Dewi | 0 to 3 | added to the force |

use crate::rng::philox4x32;

/// Four random words of one particle and step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block(pub [u32; 4]);

/// The block of `particle` in `step` of `replica` under `seed`. Steps count modulo 2^32.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "the halves of a seed, and a step modulo 2^32")]
pub fn noise(seed: u64, replica: u32, step: u64, particle: u32) -> Block {
    Block(philox4x32([step as u32, particle, 0, replica], [seed as u32, (seed >> 32) as u32]))
}

impl Block {
    /// Uniform in (0, 1), exact in f32.
    #[must_use]
    pub fn uniform(self, word: usize) -> f64 {
        (f64::from(self.0[word] >> 9) + 0.5) / 8_388_608.0
    }

    /// Two standard normals from words `2 pair` and `2 pair + 1`.
    #[must_use]
    pub fn normals(self, pair: usize) -> [f64; 2] {
        let radius = (-2.0 * self.uniform(2 * pair).ln()).sqrt();
        let angle = std::f64::consts::TAU * self.uniform(2 * pair + 1);
        [radius * angle.cos(), radius * angle.sin()]
    }
}

/// Two unit vectors perpendicular to the unit vector `u` and to each other (Duff et al. 2017, JCGT 6:1).
#[must_use]
pub fn frame(u: [f64; 3]) -> [[f64; 3]; 2] {
    let sign = if u[2] < 0.0 { -1.0 } else { 1.0 };
    let a = -1.0 / (sign + u[2]);
    let b = u[0] * u[1] * a;
    [[1.0 + sign * u[0] * u[0] * a, sign * b, -sign * u[0]], [b, sign + u[1] * u[1] * a, -u[1]]]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normals_have_mean_0_and_variance_1() {
        let n = 20_000;
        let draws: Vec<f64> = (0..n).flat_map(|i| noise(3, 0, 9, i).normals((i % 2) as usize)).collect();
        let m = draws.len() as f64;
        let mean = draws.iter().sum::<f64>() / m;
        let variance = draws.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / m;
        // Standard errors: 1/sqrt(m) and sqrt(2/m); five of them.
        assert!(mean.abs() < 5.0 / m.sqrt());
        assert!((variance - 1.0).abs() < 5.0 * (2.0 / m).sqrt());
    }

    #[test]
    fn a_frame_is_orthonormal_everywhere() {
        for u in [[0.0, 0.0, 1.0], [0.0, 0.0, -1.0], [1.0, 0.0, 0.0], [0.6, 0.0, -0.8], [0.48, -0.6, 0.64]] {
            let [a, b] = frame(u);
            let dot = |p: [f64; 3], q: [f64; 3]| p[0] * q[0] + p[1] * q[1] + p[2] * q[2];
            for (value, expected) in
                [(dot(a, a), 1.0), (dot(b, b), 1.0), (dot(a, b), 0.0), (dot(a, u), 0.0), (dot(b, u), 0.0)]
            {
                assert!((value - expected).abs() < 1e-12);
            }
        }
    }
}
