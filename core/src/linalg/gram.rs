//! Matrices of scalar products and of squared distances.

use multiversion::multiversion;

use super::{Symmetric, check_side};
use crate::{measure::MeasureError, pace::Pace};

/// A tile of the result: its rows and columns stay in the second-level cache while all observations pass by.
const TILE_ROWS: usize = 64;
const TILE_COLUMNS: usize = 256;
/// Observations that are added at a time: one load and one store of the result for so many products.
const TOGETHER: usize = 4;

/// The columns of a row-major matrix with `d` columns, one after the other.
pub(crate) fn columns_of(values: &[f64], d: usize) -> Vec<f64> {
    let n = values.len() / d.max(1);
    let mut columns = vec![0.0; values.len()];
    for (i, row) in values.chunks_exact(d.max(1)).enumerate() {
        for (j, &v) in row.iter().enumerate() {
            columns[j * n + i] = v;
        }
    }
    columns
}

/// XᵀX of a row-major matrix X with `d` columns. O(n d² / 2).
///
/// # Errors
/// [`MeasureError::TooLarge`], [`MeasureError::Cancelled`].
pub(crate) async fn gram(values: &[f64], d: usize, pace: &dyn Pace) -> Result<Symmetric, MeasureError> {
    check_side(d, "a Gram matrix")?;
    let mut result = Symmetric::zero(d);
    for from in (0..d).step_by(TILE_ROWS) {
        let to = (from + TILE_ROWS).min(d);
        for left in (0..to).step_by(TILE_COLUMNS) {
            let right = (left + TILE_COLUMNS).min(to);
            tile(values, d, (from, to), (left, right), &mut result.a);
            pace.tick((from * d) as u64, (d * d) as u64).await?;
        }
    }
    Ok(result)
}

/// Adds the products of all observations to rows `from..to` and columns `left..right` of the lower triangle.
#[multiversion(targets("x86_64+avx2", "x86_64+sse4.2"))]
fn tile(values: &[f64], d: usize, (from, to): (usize, usize), (left, right): (usize, usize), a: &mut [f64]) {
    for block in values.chunks(TOGETHER * d) {
        if let Some([x0, x1, x2, x3]) = rows(block, d) {
            for i in from.max(left)..to {
                let end = right.min(i + 1);
                let (s0, s1, s2, s3) = (x0[i], x1[i], x2[i], x3[i]);
                let out = &mut a[i * d + left..i * d + end];
                let columns = x0[left..end].iter().zip(&x1[left..end]).zip(&x2[left..end]).zip(&x3[left..end]);
                for (out, (((v0, v1), v2), v3)) in out.iter_mut().zip(columns) {
                    *out += (s0 * v0 + s1 * v1) + (s2 * v2 + s3 * v3);
                }
            }
            continue;
        }
        for row in block.chunks_exact(d) {
            for i in from.max(left)..to {
                let end = right.min(i + 1);
                let out = &mut a[i * d + left..i * d + end];
                out.iter_mut().zip(&row[left..end]).for_each(|(out, v)| *out += row[i] * v);
            }
        }
    }
}

/// Four whole rows.
#[inline(always)]
fn rows(block: &[f64], d: usize) -> Option<[&[f64]; TOGETHER]> {
    (block.len() == TOGETHER * d).then(|| [&block[..d], &block[d..2 * d], &block[2 * d..3 * d], &block[3 * d..]])
}

/// |xᵢ − xⱼ|² of all pairs of rows of a row-major matrix with `d` columns. The differences are squared themselves: the
/// shorter |x|² + |y|² − 2xy would lose the digits of near pairs. O(n² d / 2).
///
/// # Errors
/// [`MeasureError::TooLarge`], [`MeasureError::Cancelled`].
pub(crate) async fn squared_distances(values: &[f64], d: usize, pace: &dyn Pace) -> Result<Symmetric, MeasureError> {
    let n = values.len() / d.max(1);
    check_side(n, "a matrix of distances")?;
    let columns = columns_of(values, d);
    let mut result = Symmetric::zero(n);
    for i in 0..n {
        let row = &mut result.a[i * n..i * n + i];
        for (column, &x) in columns.chunks_exact(n.max(1)).zip(&values[i * d..]) {
            add_squares(row, column, x);
        }
        if i % 64 == 63 {
            pace.tick((i * i) as u64, (n * n) as u64).await?;
        }
    }
    Ok(result)
}

#[multiversion(targets("x86_64+avx2", "x86_64+sse4.2"))]
fn add_squares(row: &mut [f64], column: &[f64], x: f64) {
    for (sum, y) in row.iter_mut().zip(column) {
        *sum += (y - x) * (y - x);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{pace::Unhurried, rng::Philox};

    #[test]
    fn products_and_distances_are_those_of_the_definition_at_awkward_sizes() {
        for (n, d) in [(1, 1), (3, 2), (4, 7), (5, 65), (9, 300), (70, 5), (130, 66)] {
            let mut rng = Philox::new(n as u64, d as u64);
            let x: Vec<f64> = (0..n * d).map(|_| rng.normal()).collect();
            let g = pollster::block_on(gram(&x, d, &Unhurried)).unwrap();
            for i in 0..d {
                for j in 0..=i {
                    let exact: f64 = (0..n).map(|r| x[r * d + i] * x[r * d + j]).sum();
                    assert!((g.a[i * d + j] - exact).abs() < 1e-13 * n as f64, "{n} × {d}");
                }
            }
            let s = pollster::block_on(squared_distances(&x, d, &Unhurried)).unwrap();
            for i in 0..n {
                for j in 0..=i {
                    let exact: f64 = (0..d).map(|c| (x[i * d + c] - x[j * d + c]).powi(2)).sum();
                    assert!((s.a[i * n + j] - exact).abs() <= 1e-13 * exact, "{n} × {d}");
                }
            }
        }
    }
}
