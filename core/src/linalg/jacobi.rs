//! Singular values by one-sided Jacobi rotations: slower than by a Gram matrix, and accurate for the small ones too, since
//! nothing is squared. Hestenes, J. SIAM 6, 51 (1958); Golub & Van Loan, Matrix computations (4th ed.), section 8.6.3.

use super::columns_of;
use crate::{measure::MeasureError, pace::Pace};

/// Sweeps over all pairs of columns; six to ten are usual.
const MOST_SWEEPS: u32 = 60;

/// The min(n, d) singular values of a row-major matrix with `d` columns, in descending order. O(n d²) a sweep, d the
/// smaller side.
///
/// # Errors
/// [`MeasureError::Cancelled`]; [`MeasureError::Backend`] where the sweeps do not converge.
pub(crate) async fn singular_values(values: &[f64], d: usize, pace: &dyn Pace) -> Result<Vec<f64>, MeasureError> {
    let n = values.len() / d.max(1);
    // The rows of a wide matrix are the columns of its transpose, which has the same singular values.
    let (mut columns, length, count) = if n >= d { (columns_of(values, d), n, d) } else { (values.to_vec(), d, n) };
    // A column this short is the rounding of the others, and would be rotated for ever.
    let floor = (f64::EPSILON * f64::EPSILON) * values.iter().map(|v| v * v).sum::<f64>();
    let mut converged = false;
    for sweep in 0..MOST_SWEEPS {
        converged = true;
        for i in 0..count {
            for j in i + 1..count {
                let (left, right) = columns.split_at_mut(j * length);
                converged &= !rotate(&mut left[i * length..(i + 1) * length], &mut right[..length], floor);
            }
            pace.tick(u64::from(sweep) * count as u64 + i as u64, 10 * count as u64).await?;
        }
        if converged {
            break;
        }
    }
    if !converged {
        return Err(MeasureError::Backend {
            backend: "the singular values".to_owned(),
            message: format!("no convergence in {MOST_SWEEPS} sweeps"),
        });
    }
    let mut found: Vec<f64> =
        columns.chunks_exact(length.max(1)).map(|c| c.iter().map(|v| v * v).sum::<f64>().sqrt()).collect();
    found.sort_unstable_by(|a, b| b.total_cmp(a));
    Ok(found)
}

/// Makes two columns orthogonal; false if they are so already, or one's squared length is at most `floor`.
fn rotate(a: &mut [f64], b: &mut [f64], floor: f64) -> bool {
    let (mut aa, mut bb, mut ab) = (0.0, 0.0, 0.0);
    for (a, b) in a.iter().zip(b.iter()) {
        aa += a * a;
        bb += b * b;
        ab += a * b;
    }
    let tolerance = f64::EPSILON * (a.len() as f64).sqrt();
    if aa.min(bb) <= floor || ab.abs() <= tolerance * (aa * bb).sqrt() {
        return false;
    }
    let zeta = (bb - aa) / (2.0 * ab);
    let t = 1.0_f64.copysign(zeta) / (zeta.abs() + zeta.hypot(1.0));
    let c = t.hypot(1.0).recip();
    let s = c * t;
    for (a, b) in a.iter_mut().zip(b.iter_mut()) {
        (*a, *b) = (c * *a - s * *b, s * *a + c * *b);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{pace::Unhurried, rng::Philox};

    #[test]
    fn a_spectrum_over_twelve_decades_keeps_its_small_values() {
        let (n, d) = (30, 6);
        // U diag(s) with orthonormal columns of U by Gram and Schmidt; a wide copy has the same values
        let mut rng = Philox::new(3, 3);
        let mut columns: Vec<Vec<f64>> = Vec::new();
        while columns.len() < d {
            let mut c: Vec<f64> = (0..n).map(|_| rng.normal()).collect();
            for _ in 0..2 {
                for q in &columns {
                    let dot: f64 = q.iter().zip(&c).map(|(q, c)| q * c).sum();
                    c.iter_mut().zip(q).for_each(|(c, q)| *c -= dot * q);
                }
            }
            let norm = c.iter().map(|v| v * v).sum::<f64>().sqrt();
            columns.push(c.iter().map(|v| v / norm).collect());
        }
        let s: Vec<f64> = (0..d).map(|k| 10_f64.powf(3.0 - 2.4 * k as f64)).collect();
        let tall: Vec<f64> =
            (0..n).flat_map(|i| (0..d).map(move |j| (i, j))).map(|(i, j)| columns[j][i] * s[j]).collect();
        let wide = columns_of(&tall, d);
        for (values, width) in [(&tall, d), (&wide, n)] {
            let found = pollster::block_on(singular_values(values, width, &Unhurried)).unwrap();
            assert_eq!(found.len(), d);
            assert!(found.iter().zip(&s).all(|(a, b)| (a / b - 1.0).abs() < 1e-12), "{found:?}");
        }
        // Rank 1, and rank 2 of 4
        let ones = pollster::block_on(singular_values(&[1.0; 20], 4, &Unhurried)).unwrap();
        assert!((ones[0] - 20.0_f64.sqrt()).abs() < 1e-14 && ones[1] < 1e-14, "{ones:?}");
        let ramp: Vec<f64> = (0..48).map(f64::from).collect();
        let ramp = pollster::block_on(singular_values(&ramp, 4, &Unhurried)).unwrap();
        assert!(ramp[1] > 1.0 && ramp[2] < 1e-13, "{ramp:?}");
        let zero = pollster::block_on(singular_values(&[0.0; 6], 2, &Unhurried)).unwrap();
        assert_eq!(zero, [0.0, 0.0]);
    }
}
