//! What the measures of spectra share: the Rényi entropy of eigenvalues, the width of a Gaussian kernel, a picture.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    figure::{Axis, Colour, Figure, Mark, Panel},
    linalg::{Symmetric, squared_distances},
    measure::{MeasureError, discrete::Order, discrete::invalid},
    pace::Pace,
};

/// More eigenvalues than this are thinned for the picture.
const MOST_POINTS: usize = 1024;

/// The width of a Gaussian kernel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Bandwidth {
    /// In the units of the values.
    Absolute(f64),
    /// `median`, `0.5 median`: a multiple of the median distance between observations.
    Relative(String),
}

impl Bandwidth {
    /// The multiple of the median, where it is one; the width else.
    fn factor(&self, id: &str) -> Result<(f64, bool), MeasureError> {
        let found = match self {
            Self::Absolute(sigma) => Some((*sigma, false)),
            Self::Relative(text) => text.trim().strip_suffix("median").and_then(|head| {
                let head = head.trim_end().trim_end_matches('*').trim_end();
                if head.is_empty() { Some((1.0, true)) } else { head.parse().ok().map(|factor| (factor, true)) }
            }),
        };
        found.filter(|(x, _)| x.is_finite() && *x > 0.0).ok_or_else(|| {
            let given = serde_json::to_string(self).unwrap_or_default();
            invalid(
                id,
                "sigma",
                given,
                "expected a number above 0, or a multiple of the median distance such as 0.5 median",
            )
        })
    }

    /// The width for observations with these squared distances; `None` where the median distance is zero.
    pub(super) fn resolve(&self, id: &str, squares: &Symmetric) -> Result<Option<f64>, MeasureError> {
        let (x, relative) = self.factor(id)?;
        let sigma = if relative { x * median_distance(squares) } else { x };
        if squares.rows().flatten().all(|s| s.is_finite()) {
            return Ok(Some(sigma).filter(|s| *s > 0.0));
        }
        Err(MeasureError::Domain {
            measure: "a Gaussian kernel",
            wanted: "values whose squared differences are numbers".to_owned(),
            found: "here they overflow; divide the values by their scale".to_owned(),
        })
    }
}

/// The median of the distances between different observations; 0 for one observation.
pub(super) fn median_distance(squares: &Symmetric) -> f64 {
    let mut all: Vec<f64> = squares.rows().flat_map(|row| &row[..row.len() - 1]).copied().collect();
    if all.is_empty() {
        return 0.0;
    }
    let middle = all.len() / 2;
    let even = all.len().is_multiple_of(2);
    let (below, upper, _) = all.select_nth_unstable_by(middle, f64::total_cmp);
    let upper = upper.sqrt();
    let lower = below.iter().copied().fold(0.0, f64::max).sqrt();
    if even { f64::midpoint(lower, upper) } else { upper }
}

/// exp(−|xᵢ − xⱼ|²/(2σ²)), its width, in place of the squared distances.
pub(super) fn gaussian(mut squares: Symmetric, sigma: f64) -> Symmetric {
    let scale = -0.5 / sigma / sigma;
    squares.rows_mut().flatten().for_each(|v| *v = (*v * scale).exp());
    squares
}

/// The Gaussian kernel of a table and its width; `None` where the median distance is zero.
pub(super) async fn kernel(
    id: &str,
    values: &[f64],
    d: usize,
    width: &Bandwidth,
    pace: &dyn Pace,
) -> Result<Option<(Symmetric, f64)>, MeasureError> {
    let squares = squared_distances(values, d, pace).await?;
    Ok(width.resolve(id, &squares)?.map(|sigma| (gaussian(squares, sigma), sigma)))
}

/// The order of a Rényi entropy.
pub(super) fn order(id: &str, alpha: &Order) -> Result<f64, MeasureError> {
    alpha.value().ok_or_else(|| {
        let given = serde_json::to_string(alpha).unwrap_or_default();
        invalid(id, "alpha", given, "expected a number of at least 0, or inf")
    })
}

/// The Rényi entropy of order `alpha` of eigenvalues that are shares after division by their sum, in bits. What is below
/// the rounding of the largest is no eigenvalue: it would count fully for small orders.
#[expect(clippy::cast_precision_loss, reason = "a number of eigenvalues")]
pub(super) fn renyi_bits(eigenvalues: &[f64], alpha: f64) -> f64 {
    let largest = eigenvalues.iter().copied().fold(0.0, f64::max);
    let floor = largest * f64::EPSILON * eigenvalues.len() as f64;
    let kept = || eigenvalues.iter().copied().filter(|&l| l > floor);
    let total: f64 = kept().sum();
    let shares = || kept().map(|l| l / total);
    let bits = if alpha == 1.0 {
        shares().map(|p| -p * p.log2()).sum()
    } else if alpha == 0.0 {
        (shares().count() as f64).log2()
    } else if alpha.is_infinite() {
        -(largest / total).log2()
    } else {
        shares().map(|p| p.powf(alpha)).sum::<f64>().log2() / (1.0 - alpha)
    };
    // Rounding may leave a little less than nothing for a single eigenvalue.
    bits.max(0.0)
}

/// S_α of a positive matrix in bits, and its eigenvalues in ascending order where they were needed: for α = 2 the sum of
/// squares is enough.
pub(super) async fn entropy(
    matrix: Symmetric,
    alpha: f64,
    pace: &dyn Pace,
) -> Result<(f64, Option<Vec<f64>>), MeasureError> {
    if alpha == 2.0 {
        let trace = matrix.trace();
        return Ok((-(matrix.squares() / trace / trace).log2().min(0.0), None));
    }
    let eigenvalues = matrix.eigenvalues(pace).await?;
    Ok((renyi_bits(&eigenvalues, alpha), Some(eigenvalues)))
}

/// The eigenvalues as shares, the largest first.
#[expect(clippy::cast_precision_loss, reason = "a picture")]
pub(super) fn picture(eigenvalues: &[f64], label: &str) -> Figure {
    let total: f64 = eigenvalues.iter().map(|l| l.max(0.0)).sum();
    let step = eigenvalues.len().div_ceil(MOST_POINTS).max(1);
    let largest = eigenvalues.last().copied().unwrap_or_default();
    let floor = largest * f64::EPSILON * eigenvalues.len() as f64;
    let kept = eigenvalues.iter().rev().enumerate().step_by(step).filter(|(_, l)| **l > floor);
    let (x, y): (Vec<f64>, Vec<f64>) = kept.map(|(i, l)| ((i + 1) as f64, l / total)).unzip();
    Figure {
        id: "spectrum".to_owned(),
        title: format!("Eigenvalues of {label}"),
        description: format!("The largest of {} eigenvalues has a share of {:.3}.", eigenvalues.len(), largest / total),
        panels: vec![Panel {
            x: Axis::new("rank"),
            y: Axis { logarithmic: !y.is_empty(), ..Axis::new("share of the trace") },
            marks: vec![Mark::Line { name: String::new(), x, y, colour: Colour::First }],
            weight: 1.0,
        }],
    }
}
