//! Eigenvalues of symmetric matrices: Householder's reduction to a tridiagonal matrix, then the implicit QL iteration.
//!
//! Golub & Van Loan, Matrix computations (4th ed.), sections 8.3.1 and 8.3.3. The update of the matrix with one reflection
//! and its product with the next are one pass over the lower triangle, so each step reads and writes the memory once.

use multiversion::multiversion;

use crate::{measure::MeasureError, pace::Pace};

/// Accumulators of a scalar product: independent, so that the compiler may keep them in vectors.
const LANES: usize = 8;
/// QL steps for one eigenvalue; two are usual.
const MOST_STEPS: u32 = 60;

/// A symmetric matrix, row-major, of which only the lower triangle is kept up.
#[derive(Clone, Debug)]
pub(crate) struct Symmetric {
    /// Rows and columns.
    pub(crate) n: usize,
    /// `n * n` values.
    pub(crate) a: Vec<f64>,
}

impl Symmetric {
    /// All zeros.
    pub(crate) fn zero(n: usize) -> Self {
        Self { n, a: vec![0.0; n * n] }
    }

    /// The diagonal and what is below it, row by row.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &[f64]> {
        self.a.chunks_exact(self.n.max(1)).enumerate().map(|(i, row)| &row[..=i])
    }

    /// The same to write.
    pub(crate) fn rows_mut(&mut self) -> impl Iterator<Item = &mut [f64]> {
        self.a.chunks_exact_mut(self.n.max(1)).enumerate().map(|(i, row)| &mut row[..=i])
    }

    /// The sum of the diagonal, which is that of the eigenvalues.
    pub(crate) fn trace(&self) -> f64 {
        self.rows().filter_map(|row| row.last()).sum()
    }

    /// The sum of all squares, which is that of the squared eigenvalues.
    pub(crate) fn squares(&self) -> f64 {
        let row = |row: &[f64]| {
            let (last, rest) = row.split_last()?;
            Some(last * last + 2.0 * rest.iter().map(|v| v * v).sum::<f64>())
        };
        self.rows().filter_map(row).sum()
    }

    /// The entry-wise (Hadamard) product.
    pub(crate) fn times(&mut self, other: &Self) {
        self.rows_mut().zip(other.rows()).for_each(|(a, b)| a.iter_mut().zip(b).for_each(|(a, b)| *a *= b));
    }

    /// All eigenvalues in ascending order, each within a few n ε ‖A‖. O(n³ · 4/3).
    ///
    /// # Errors
    /// [`MeasureError::Cancelled`]; [`MeasureError::Backend`] where the iteration does not converge, which only
    /// happens for entries that are not finite.
    pub(crate) async fn eigenvalues(mut self, pace: &dyn Pace) -> Result<Vec<f64>, MeasureError> {
        let (mut diagonal, beside) = self.tridiagonal(pace).await?;
        ql(&mut diagonal, beside)?;
        diagonal.sort_unstable_by(f64::total_cmp);
        Ok(diagonal)
    }

    /// The diagonal and what is beside it after reflections from the last row upwards; the matrix is used up.
    async fn tridiagonal(&mut self, pace: &dyn Pace) -> Result<(Vec<f64>, Vec<f64>), MeasureError> {
        let n = self.n;
        let (mut diagonal, mut beside) = (vec![0.0; n], vec![0.0; n]);
        // A ← A − v wᵀ − w vᵀ is still to be done while `next` is made.
        let (mut v, mut w) = (vec![0.0; n], vec![0.0; n]);
        let (mut next, mut product) = (vec![0.0; n], vec![0.0; n]);
        let total = (n as u64).pow(3);
        for i in (0..n).rev() {
            // Row i, brought up to date, is the column that the next reflection clears but for its last entry.
            let row = &mut self.a[i * n..i * n + i + 1];
            update(row, &v, &w, v[i], w[i]);
            diagonal[i] = row[i];
            if i == 0 {
                break;
            }
            let Some(strength) = reflection(&row[..i], &mut next[..i], &mut beside[i]) else {
                // Nothing to reflect; only the update remains.
                for (j, row) in self.a.chunks_exact_mut(n).enumerate().take(i) {
                    update(&mut row[..=j], &v, &w, v[j], w[j]);
                }
                v[..i].fill(0.0);
                w[..i].fill(0.0);
                continue;
            };
            product[..i].fill(0.0);
            for (j, row) in self.a.chunks_exact_mut(n).enumerate().take(i) {
                let pair = (v[j], w[j]);
                let (below, right) = product.split_at_mut(j);
                let dot = update_and_multiply(&mut row[..j], &v, &w, &next, below, pair, next[j]);
                row[j] -= 2.0 * v[j] * w[j];
                right[0] += dot + row[j] * next[j];
            }
            // w = p − (vᵀp / 2h) v with p = A v / h
            let half: f64 = next[..i].iter().zip(&product[..i]).map(|(v, p)| v * p).sum::<f64>() / strength;
            for ((w, p), v) in w[..i].iter_mut().zip(&product[..i]).zip(&next[..i]) {
                *w = (p - half / 2.0 * v) / strength;
            }
            v[..i].copy_from_slice(&next[..i]);
            if i % 16 == 0 {
                pace.tick(total - (i as u64).pow(3), total).await?;
            }
        }
        Ok((diagonal, beside))
    }
}

/// The reflection I − v vᵀ/h that leaves only the last entry of `x`: v into `v`, the entry into `kept`, and h. `None` where
/// the other entries are zero already.
fn reflection(x: &[f64], v: &mut [f64], kept: &mut f64) -> Option<f64> {
    let (last, others) = x.split_last()?;
    let largest = others.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
    if largest == 0.0 {
        *kept = *last;
        return None;
    }
    // Scaled, so that squares neither overflow nor vanish.
    let scale = largest.max(last.abs());
    v.iter_mut().zip(x).for_each(|(v, x)| *v = x / scale);
    let squares: f64 = v.iter().map(|v| v * v).sum();
    let norm = squares.sqrt().copysign(-last);
    let f = last / scale;
    v[x.len() - 1] = f - norm;
    *kept = scale * norm;
    Some(squares - f * norm)
}

/// row − a w − b v.
#[multiversion(targets("x86_64+avx2", "x86_64+sse4.2"))]
fn update(row: &mut [f64], v: &[f64], w: &[f64], a: f64, b: f64) {
    for ((r, v), w) in row.iter_mut().zip(v).zip(w) {
        *r -= a * w + b * v;
    }
}

/// The same, and with the updated row r: its product with `x` is returned, and `s` r is added to `y`.
#[multiversion(targets("x86_64+avx2", "x86_64+sse4.2"))]
fn update_and_multiply(
    row: &mut [f64],
    v: &[f64],
    w: &[f64],
    x: &[f64],
    y: &mut [f64],
    (a, b): (f64, f64),
    s: f64,
) -> f64 {
    let len = row.len();
    let (v, w, x, y) = (&v[..len], &w[..len], &x[..len], &mut y[..len]);
    let (rows, row_rest) = row.as_chunks_mut::<LANES>();
    let (vs, v_rest) = v.as_chunks::<LANES>();
    let (ws, w_rest) = w.as_chunks::<LANES>();
    let (xs, x_rest) = x.as_chunks::<LANES>();
    let (ys, y_rest) = y.as_chunks_mut::<LANES>();
    let mut sums = [0.0; LANES];
    for ((((row, v), w), x), y) in rows.iter_mut().zip(vs).zip(ws).zip(xs).zip(ys) {
        for l in 0..LANES {
            let r = row[l] - (a * w[l] + b * v[l]);
            row[l] = r;
            y[l] += s * r;
            sums[l] += r * x[l];
        }
    }
    let mut dot: f64 = sums.iter().sum();
    for ((((row, v), w), x), y) in row_rest.iter_mut().zip(v_rest).zip(w_rest).zip(x_rest).zip(y_rest) {
        let r = *row - (a * w + b * v);
        *row = r;
        *y += s * r;
        dot += r * x;
    }
    dot
}

/// The eigenvalues of a tridiagonal matrix, into its diagonal; `beside[i]` is between i − 1 and i.
fn ql(d: &mut [f64], mut e: Vec<f64>) -> Result<(), MeasureError> {
    let n = d.len();
    if n == 0 {
        return Ok(());
    }
    e.rotate_left(1);
    // What is this small beside the whole matrix is rounding of the reduction already.
    let norm = d.iter().zip(&e).map(|(d, e)| d.abs() + e.abs()).fold(0.0, f64::max);
    let tiny = f64::EPSILON * norm;
    for l in 0..n {
        let mut steps = 0;
        loop {
            let m = (l..n - 1).find(|&m| e[m].abs() <= tiny).unwrap_or(n - 1);
            if m == l {
                break;
            }
            steps += 1;
            if steps > MOST_STEPS || !norm.is_finite() {
                return Err(MeasureError::Backend {
                    backend: "the eigenvalue iteration".to_owned(),
                    message: format!("it did not converge for eigenvalue {l} of {n}"),
                });
            }
            // Wilkinson's shift
            let mut g = (d[l + 1] - d[l]) / (2.0 * e[l]);
            let r = g.hypot(1.0);
            g = d[m] - d[l] + e[l] / (g + r.copysign(g));
            let (mut s, mut c, mut p) = (1.0, 1.0, 0.0);
            let mut split = false;
            for i in (l..m).rev() {
                let (f, b) = (s * e[i], c * e[i]);
                let r = f.hypot(g);
                e[i + 1] = r;
                if r == 0.0 {
                    // The matrix falls apart here.
                    d[i + 1] -= p;
                    e[m] = 0.0;
                    split = true;
                    break;
                }
                s = f / r;
                c = g / r;
                g = d[i + 1] - p;
                let t = (d[i] - g) * s + 2.0 * c * b;
                p = s * t;
                d[i + 1] = g + p;
                g = c * t - b;
            }
            if !split {
                d[l] -= p;
                e[l] = g;
                e[m] = 0.0;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{linalg::gram, pace::Unhurried, rng::Philox};

    fn eigenvalues(n: usize, entry: impl Fn(usize, usize) -> f64) -> Vec<f64> {
        let mut matrix = Symmetric::zero(n);
        for (i, row) in matrix.rows_mut().enumerate() {
            row.iter_mut().enumerate().for_each(|(j, v)| *v = entry(i, j));
        }
        pollster::block_on(matrix.eigenvalues(&Unhurried)).unwrap()
    }

    #[test]
    fn matrices_with_known_spectra() {
        for n in [1_usize, 2, 3, 7, 8, 9, 17, 50, 101] {
            // The second difference: 2 − 2 cos(kπ/(n+1))
            let found = eigenvalues(n, |i, j| {
                if i == j {
                    2.0
                } else if i == j + 1 {
                    -1.0
                } else {
                    0.0
                }
            });
            for (k, value) in found.iter().enumerate() {
                let exact = 2.0 - 2.0 * (std::f64::consts::PI * (k + 1) as f64 / (n + 1) as f64).cos();
                assert!((value - exact).abs() < 1e-14 * n as f64, "n {n}, {k}: {value} of {exact}");
            }
            // All ones: n once, 0 otherwise
            let found = eigenvalues(n, |_, _| 1.0);
            assert!((found[n - 1] - n as f64).abs() < 1e-13 * n as f64);
            assert!(found[..n - 1].iter().all(|v| v.abs() < 1e-13 * n as f64), "{found:?}");
            // Diagonal, and equicorrelated: 1 + (n−1)ρ once, 1 − ρ otherwise
            let found = eigenvalues(n, |i, j| if i == j { (n - i) as f64 } else { 0.0 });
            assert!(found.iter().enumerate().all(|(k, v)| *v == (k + 1) as f64));
            let found = eigenvalues(n, |i, j| if i == j { 1.0 } else { 0.25 });
            assert!((found[n - 1] - (0.75 + 0.25 * n as f64)).abs() < 1e-13 * n as f64);
            assert!(found[..n - 1].iter().all(|v| (v - 0.75).abs() < 1e-13 * n as f64));
            assert!(eigenvalues(n, |_, _| 0.0).iter().all(|v| *v == 0.0));
        }
    }

    #[test]
    fn a_rotated_spectrum_is_found_again_over_many_scales() {
        let n = 60;
        // Q Λ Qᵀ with Q a product of reflections, Λ from 1e-6 to 1e6
        let spectrum: Vec<f64> = (0..n).map(|k| 10_f64.powf(-6.0 + 12.0 * k as f64 / (n - 1) as f64)).collect();
        let mut full: Vec<f64> = vec![0.0; n * n];
        (0..n).for_each(|i| full[i * n + i] = spectrum[i]);
        let mut rng = Philox::new(2, 2);
        for _ in 0..8 {
            let u: Vec<f64> = (0..n).map(|_| rng.normal()).collect();
            let norm: f64 = u.iter().map(|v| v * v).sum();
            let rotate = |full: &[f64]| -> Vec<f64> {
                let mut out = full.to_vec();
                for i in 0..n {
                    let dot: f64 = (0..n).map(|k| u[k] * full[k * n + i]).sum();
                    (0..n).for_each(|k| out[i * n + k] = full[k * n + i] - 2.0 * u[k] * dot / norm);
                }
                out
            };
            full = rotate(&rotate(&full));
        }
        let found = eigenvalues(n, |i, j| (full[i * n + j] + full[j * n + i]) / 2.0);
        for (value, exact) in found.iter().zip(&spectrum) {
            assert!((value - exact).abs() < 1e-15 * 1e6 * n as f64, "{value} of {exact}");
        }
    }

    #[test]
    fn the_two_sides_of_a_gram_matrix_share_their_spectrum_and_its_moments() {
        let (n, d) = (40, 13);
        let mut rng = Philox::new(1, 7);
        let x: Vec<f64> = (0..n * d).map(|_| rng.normal()).collect();
        let small = pollster::block_on(gram(&x, d, &Unhurried)).unwrap();
        let large = pollster::block_on(gram(&super::super::columns_of(&x, d), n, &Unhurried)).unwrap();
        let (trace, squares) = (small.trace(), small.squares());
        assert!((large.trace() - trace).abs() < 1e-11 && (large.squares() - squares).abs() < 1e-8);
        let small = pollster::block_on(small.eigenvalues(&Unhurried)).unwrap();
        let large = pollster::block_on(large.eigenvalues(&Unhurried)).unwrap();
        assert!(large[..n - d].iter().all(|v| v.abs() < 1e-12));
        assert!(small.iter().zip(&large[n - d..]).all(|(a, b)| (a - b).abs() < 1e-12 * trace));
        assert!((small.iter().sum::<f64>() - trace).abs() < 1e-12 * trace);
        assert!((small.iter().map(|v| v * v).sum::<f64>() - squares).abs() < 1e-12 * squares);
    }

    #[test]
    fn what_is_not_finite_is_an_error_and_not_an_endless_loop() {
        let mut matrix = Symmetric::zero(4);
        matrix.rows_mut().flatten().for_each(|v| *v = f64::NAN);
        assert!(pollster::block_on(matrix.eigenvalues(&Unhurried)).is_err());
    }
}
