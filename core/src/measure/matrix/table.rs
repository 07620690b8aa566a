//! The spectrum of a table of observations itself.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::spectrum::{entropy, order, picture};
use crate::{
    linalg::{columns_of, gram, singular_values},
    measure::{
        About, Accepts, Context, Family, Input, Measure, MeasureError, Outcome, Table, Undefined, Value,
        discrete::{NoParams, Order},
    },
    quantity::Unit,
};

/// Parameters of the entropy of a table.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MatrixParams {
    /// Order α: 1 is von Neumann's entropy, 2 needs no eigenvalues, inf sees only the largest.
    pub alpha: Order,
    /// Subtract the mean of every column first.
    pub center: bool,
    /// Scale every row to length 1 first, so that only directions count.
    pub cosine: bool,
    /// Divide by log₂ of the smaller side, so that the value lies in [0, 1].
    pub normalize: bool,
}

impl Default for MatrixParams {
    fn default() -> Self {
        Self { alpha: Order::Finite(1.0), center: false, cosine: false, normalize: false }
    }
}

/// The values of a table, scaled so that no square overflows; `None` if all are zero.
fn scaled(table: &Table<'_>) -> Result<Option<Vec<f64>>, MeasureError> {
    if table.n == 0 || table.d == 0 {
        return Err(MeasureError::TooShort { n: 0, what: "a spectrum".to_owned(), needed: 1 });
    }
    let largest = table.values.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
    Ok((largest > 0.0).then(|| table.values.iter().map(|v| v / largest).collect()))
}

#[expect(clippy::cast_precision_loss, reason = "a number of rows")]
fn center(values: &mut [f64], d: usize) {
    let n = (values.len() / d) as f64;
    let mut means = vec![0.0; d];
    values.chunks_exact(d).for_each(|row| means.iter_mut().zip(row).for_each(|(m, v)| *m += v / n));
    values.chunks_exact_mut(d).for_each(|row| row.iter_mut().zip(&means).for_each(|(v, m)| *v -= m));
}

/// Scales rows to length 1, leaving rows of zeros; how many those are.
fn to_unit_rows(values: &mut [f64], d: usize) -> u64 {
    let mut zeros = 0;
    for row in values.chunks_exact_mut(d) {
        let norm = row.iter().map(|v| v * v).sum::<f64>().sqrt();
        if norm > 0.0 {
            row.iter_mut().for_each(|v| *v /= norm);
        } else {
            zeros += 1;
        }
    }
    zeros
}

/// The entropy of the eigenvalues of XᵀX.
pub struct MatrixEntropy;

impl Measure for MatrixEntropy {
    type Params = MatrixParams;
    const ABOUT: About = About {
        id: "matrix.entropy",
        title: "Matrix entropy",
        summary: "Over how many directions the rows of a table are spread: 2 to this power is their effective rank.",
        equation: "S_α = log₂(Σ λᵢ^α)/(1 − α) of the eigenvalues λ of XᵀX / tr XᵀX;  α→1: −Σ λᵢ log₂ λᵢ",
        tex: &[
            r"S_\alpha = \frac{1}{1-\alpha} \log_2 \sum_i \lambda_i^\alpha",
            r"\lambda_i \text{ the eigenvalues of } \frac{X^\top X}{\operatorname{tr} X^\top X}",
            r"\alpha \to 1 \colon \quad S_1 = -\sum_i \lambda_i \log_2 \lambda_i",
        ],
        source: "von Neumann, Mathematische Grundlagen der Quantenmechanik (1932), chapter V.2; effective rank: Roy & Vetterli, EUSIPCO 606 (2007)",
        family: Family::Matrix,
        accepts: Accepts::Table,
        cost: "O(n d min(n, d))",
        gpu: false,
        unit: "bits, or 1 where normalised",
        uncertainty: "none",
        bias: "low for fewer observations than directions",
    };

    #[expect(clippy::cast_precision_loss, reason = "a number of rows")]
    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        let alpha = order(Self::ABOUT.id, &p.alpha)?;
        let table = input.table()?;
        let (n, d) = (table.n, table.d);
        let unit = if p.normalize { Unit::One } else { Unit::Bits };
        let undefined = |reason| Outcome::new(Value::Undefined(reason), unit, "Gram matrix", n as u64);
        let Some(mut values) = scaled(&table)? else {
            return Ok(undefined(Undefined::ZeroMatrix));
        };
        if p.center {
            if (1..n).all(|i| table.row(i) == table.row(0)) {
                return Ok(undefined(Undefined::ZeroVariance));
            }
            center(&mut values, d);
        }
        let zeros = if p.cosine { to_unit_rows(&mut values, d) } else { 0 };
        // XᵀX and XXᵀ share their non-zero eigenvalues: the smaller of the two is enough.
        let side = n.min(d);
        let matrix = if d <= n {
            gram(&values, d, context.pace).await?
        } else {
            gram(&columns_of(&values, d), n, context.pace).await?
        };
        let (bits, eigenvalues) = entropy(matrix, alpha, context.pace).await?;
        let most = (side as f64).log2();
        let value = if !p.normalize {
            bits
        } else if most > 0.0 {
            bits / most
        } else {
            0.0
        };
        let mut outcome = Outcome::new(Value::Scalar(value), unit, "Gram matrix", n as u64)
            .detail("dimensions", d)
            .detail("effective_rank", bits.exp2());
        if let Some(eigenvalues) = &eigenvalues {
            outcome = outcome.figure(picture(eigenvalues, &format!("the Gram matrix of {}", input.label())));
        }
        if zeros > 0 {
            outcome = outcome.warn("zero_rows", format!("{zeros} rows are zero and have no direction"));
        }
        if table.omitted > 0 {
            outcome = outcome.detail("omitted", table.omitted);
        }
        if n < d {
            outcome = outcome.warn("too_short", format!("fewer rows than columns: the entropy is at most log2 {n}"));
        }
        Ok(outcome)
    }
}

/// The largest singular value over the smallest.
pub struct Condition;

impl Measure for Condition {
    type Params = NoParams;
    const ABOUT: About = About {
        id: "matrix.condition",
        title: "Condition number",
        summary: "How unevenly a matrix stretches directions: 1 for a rotation, infinite where a direction is lost.",
        equation: "κ = s_max / s_min of the singular values",
        tex: &[r"\kappa = \frac{s_{\max}}{s_{\min}}", r"s \text{ the singular values}"],
        source: "Golub & Van Loan, Matrix computations (4th ed., 2013), section 2.6.2",
        family: Family::Matrix,
        accepts: Accepts::Table,
        cost: "O(10 n d min(n, d))",
        gpu: false,
        unit: "1",
        uncertainty: "none",
        bias: "the smallest singular value of few observations is low, so the number is high",
    };

    #[expect(clippy::cast_precision_loss, reason = "a number of rows")]
    async fn measure(_: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        let table = input.table()?;
        let Some(values) = scaled(&table)? else {
            return Ok(Outcome::new(
                Value::Undefined(Undefined::ZeroMatrix),
                Unit::One,
                "one-sided Jacobi",
                table.n as u64,
            ));
        };
        let s = singular_values(&values, table.d, context.pace).await?;
        let (largest, smallest) = (s.first().copied().unwrap_or(0.0), s.last().copied().unwrap_or(0.0));
        let floor = largest * f64::EPSILON * table.n.max(table.d) as f64;
        let rank = s.iter().filter(|v| **v > floor).count();
        let total: f64 = s.iter().map(|v| v * v).sum();
        let value = if smallest > floor { largest / smallest } else { f64::INFINITY };
        let eigenvalues: Vec<f64> = s.iter().rev().map(|v| v * v).collect();
        let outcome = Outcome::new(Value::Scalar(value), Unit::One, "one-sided Jacobi", table.n as u64)
            .detail("rank", rank)
            .detail("stable_rank", total / largest / largest)
            .figure(picture(&eigenvalues, &format!("the Gram matrix of {}", input.label())));
        Ok(if rank < s.len() {
            let text = format!(
                "the rank is {rank} of {}: some combination of the rows or columns is zero within rounding",
                s.len()
            );
            outcome.warn("infinite", text)
        } else {
            outcome
        })
    }
}

#[cfg(test)]
mod tests {
    use ndarray::ArrayD;
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::{compute::Cpu, data::Matrix, measure::find, pace::Unhurried, rng::Philox};

    fn matrix(n: usize, d: usize, of: impl FnMut() -> f64) -> Matrix {
        let values = std::iter::repeat_with(of).take(n * d).collect();
        Matrix { name: "m".to_owned(), values: ArrayD::from_shape_vec(vec![n, d], values).unwrap() }
    }

    fn run(id: &str, matrix: &Matrix, params: &Json) -> Result<Outcome, MeasureError> {
        let context = Context::new(&Cpu, &Unhurried);
        pollster::block_on(find(id).unwrap().run(params, matrix, &context))
    }

    fn scalar(id: &str, matrix: &Matrix, params: &Json) -> f64 {
        run(id, matrix, params).unwrap().value.scalar().unwrap()
    }

    fn rows(list: &[&[f64]]) -> Matrix {
        let mut values = list.concat().into_iter();
        matrix(list.len(), list[0].len(), || values.next().unwrap())
    }

    #[test]
    fn orthogonal_rows_of_equal_length_reach_the_bound_and_equal_rows_have_none() {
        let identity =
            rows(&[&[3.0, 0.0, 0.0, 0.0], &[0.0, -3.0, 0.0, 0.0], &[0.0, 0.0, 3.0, 0.0], &[0.0, 0.0, 0.0, 3.0]]);
        let equal = rows(&[&[1.0, 2.0], &[1.0, 2.0], &[1.0, 2.0]]);
        for alpha in [json!(0), json!(0.5), json!(1), json!(2), json!(7), json!("inf")] {
            let params = json!({ "alpha": alpha });
            assert!((scalar("matrix.entropy", &identity, &params) - 2.0).abs() < 1e-14, "{alpha}");
            assert!(scalar("matrix.entropy", &equal, &params).abs() < 1e-14, "{alpha}");
        }
        assert!((scalar("matrix.entropy", &identity, &json!({ "normalize": true })) - 1.0).abs() < 1e-14);
        assert_eq!(
            run("matrix.entropy", &equal, &json!({ "center": true })).unwrap().value,
            Value::Undefined(Undefined::ZeroVariance)
        );
        let zero = rows(&[&[0.0, 0.0]]);
        assert_eq!(run("matrix.entropy", &zero, &json!({})).unwrap().value, Value::Undefined(Undefined::ZeroMatrix));
        assert_eq!(scalar("matrix.entropy", &rows(&[&[1.0, 5.0]]), &json!({})), 0.0);
    }

    #[test]
    fn a_table_and_its_transpose_agree_and_scale_does_not_matter() {
        let mut rng = Philox::new(6, 6);
        let x = matrix(23, 9, || rng.normal());
        let turned = Matrix { name: "t".to_owned(), values: x.values.clone().reversed_axes() };
        let large = Matrix { name: "l".to_owned(), values: x.values.mapv(|v| v * 1e200) };
        for alpha in [0.5, 1.0, 2.0, 3.0] {
            let params = json!({ "alpha": alpha });
            let value = scalar("matrix.entropy", &x, &params);
            assert!((value - scalar("matrix.entropy", &turned, &params)).abs() < 1e-12);
            assert!((value - scalar("matrix.entropy", &large, &params)).abs() < 1e-12);
        }
        // Two orders that are computed in different ways meet at 2.
        let near = scalar("matrix.entropy", &x, &json!({ "alpha": 2.000_000_1 }));
        assert!((near - scalar("matrix.entropy", &x, &json!({ "alpha": 2 }))).abs() < 1e-6);
        // Unit rows: the trace is the number of rows, so that scaling a row changes nothing.
        let mut longer = x.clone();
        longer.values.row_scale();
        let cosine = json!({ "cosine": true });
        assert!((scalar("matrix.entropy", &x, &cosine) - scalar("matrix.entropy", &longer, &cosine)).abs() < 1e-12);
    }

    /// Doubles the first row.
    trait RowScale {
        fn row_scale(&mut self);
    }

    impl RowScale for ArrayD<f64> {
        fn row_scale(&mut self) {
            self.index_axis_mut(ndarray::Axis(0), 0).mapv_inplace(|v| 2.0 * v);
        }
    }

    #[test]
    fn condition_numbers_of_known_matrices() {
        assert!((scalar("matrix.condition", &rows(&[&[3.0, 0.0], &[0.0, -0.5]]), &json!({})) - 6.0).abs() < 1e-14);
        // Hilbert's matrix of order 5 has κ = 476607.25024...
        let hilbert: Vec<Vec<f64>> = (0..5).map(|i| (0..5).map(|j| 1.0 / f64::from(i + j + 1)).collect()).collect();
        let hilbert: Vec<&[f64]> = hilbert.iter().map(Vec::as_slice).collect();
        let value = scalar("matrix.condition", &rows(&hilbert), &json!({}));
        assert!((value / 476_607.250_242_2 - 1.0).abs() < 1e-9, "{value}");
        let singular = run("matrix.condition", &rows(&[&[1.0, 2.0], &[2.0, 4.0]]), &json!({})).unwrap();
        assert_eq!(singular.value, Value::Scalar(f64::INFINITY));
        assert!(singular.why().unwrap().contains("the rank is 1 of 2"));
    }

    #[test]
    fn rows_with_gaps_and_arrays_of_three_axes() {
        let x = rows(&[&[1.0, 0.0], &[f64::NAN, 3.0], &[0.0, 1.0]]);
        let error = run("matrix.entropy", &x, &json!({})).unwrap_err().to_string();
        assert!(error.contains("index 1 (1 of 3)"), "{error}");
        let omitted = run("matrix.entropy", &x, &json!({ "missing": "omit" })).unwrap();
        assert_eq!((omitted.value.scalar(), omitted.n), (Some(1.0), 2));
        let cube = Matrix { name: "c".to_owned(), values: ArrayD::zeros(vec![2, 2, 2]) };
        let error = run("matrix.entropy", &cube, &json!({})).unwrap_err().to_string();
        assert!(error.contains("given an array of shape [2, 2, 2]"), "{error}");
        let error = run("perm", &x, &json!({})).unwrap_err().to_string();
        assert!(error.contains("take one of its columns"), "{error}");
    }
}
