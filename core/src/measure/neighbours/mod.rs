//! Nearest neighbours and counts of neighbours within a radius, exact, in f64.
//!
//! On a line the points are sorted, and the k nearest lie in a window of 2k; in more dimensions there is a k-d tree
//! whose leaves are compared in vectors. The estimators of Kozachenko & Leonenko and of Kraskov, Stögbauer &
//! Grassberger ask for nothing else.

mod entropy;
mod line;
mod tree;

pub use entropy::{KozachenkoLeonenko, RenyiNeighbours, TsallisNeighbours};
use line::Line;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tree::Tree;

use super::{MeasureError, Table};
use crate::{pace::Pace, rng::Philox};

/// The most neighbours that may be asked for.
pub const MOST_NEIGHBOURS: usize = 64;
/// Points between two calls of [`Pace::tick`].
const TICK: usize = 1 << 12;
/// Above this share of points that coincide, the estimators refuse.
const MOST_TIES: f64 = 0.01;
/// Parts of a partition have at least so many points.
pub(super) const SMALLEST_PART: usize = 25;
/// The random stream of the jitter.
const JITTER: u64 = 0x6a69_7474;

/// How far two points are from each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Metric {
    /// The largest difference of a coordinate.
    #[default]
    Chebyshev,
    /// The root of the sum of squared differences.
    Euclidean,
}

/// Points in row-major order: `values.len() / d` of them, finite.
#[derive(Clone, Copy, Debug)]
pub struct Points<'a> {
    /// Row by row.
    pub values: &'a [f64],
    /// Coordinates of a point, at least 1.
    pub d: usize,
}

impl Points<'_> {
    /// The number of points.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.values.len() / self.d
    }

    /// No point at all.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Point `i`.
    #[must_use]
    pub fn row(&self, i: usize) -> &[f64] {
        &self.values[i * self.d..(i + 1) * self.d]
    }
}

/// The neighbours of all points.
#[derive(Clone, Debug, PartialEq)]
pub struct Nearest {
    /// The distance of each point to its k-th neighbour.
    pub distances: Vec<f64>,
    /// The k neighbours of each point by increasing distance, point after point.
    pub neighbours: Vec<u32>,
    /// How many points have a neighbour at distance zero.
    pub tied: u64,
}

/// Something that can be asked how many points lie within a radius of one of them.
pub enum Counter {
    /// Sorted values.
    Line(Line),
    /// More than one dimension, largest difference of a coordinate.
    Tree(Tree),
}

impl Counter {
    /// Prepares `points` for counting by the largest difference of a coordinate.
    #[must_use]
    pub fn new(points: Points<'_>) -> Self {
        if points.d == 1 { Self::Line(Line::new(points.values)) } else { Self::Tree(Tree::new(points)) }
    }

    /// How many *other* points are nearer to point `i` than `radius` (`strict`), or at most that far.
    #[must_use]
    pub fn within(&self, i: usize, radius: f64, strict: bool) -> usize {
        match (self, strict) {
            (Self::Line(line), true) => line.within(i, |distance| distance < radius),
            (Self::Line(line), false) => line.within(i, |distance| distance <= radius),
            (Self::Tree(tree), true) => tree.within(i, |distance| distance < radius),
            (Self::Tree(tree), false) => tree.within(i, |distance| distance <= radius),
        }
    }
}

/// The `k` nearest neighbours of every point, 1 ≤ k ≤ [`MOST_NEIGHBOURS`]. O(N log N) in few dimensions. Of neighbours at
/// the same distance any may be listed; the distances do not depend on which.
///
/// # Errors
/// [`MeasureError::TooShort`] for `k` points or fewer, [`MeasureError::Domain`] where distances overflow,
/// [`MeasureError::Cancelled`].
pub async fn nearest(points: Points<'_>, k: usize, metric: Metric, pace: &dyn Pace) -> Result<Nearest, MeasureError> {
    let k = k.clamp(1, MOST_NEIGHBOURS);
    let n = points.len();
    if n <= k {
        return Err(MeasureError::TooShort {
            n: n as u64,
            what: format!("a {k}-th neighbour of every point"),
            needed: k as u64 + 1,
        });
    }
    let mut found = Nearest { distances: vec![0.0; n], neighbours: vec![0; n * k], tied: 0 };
    if points.d == 1 {
        let line = Line::new(points.values);
        for from in (0..n).step_by(TICK) {
            line.nearest(from..(from + TICK).min(n), k, &mut found);
            pace.tick(from as u64, n as u64).await?;
        }
    } else {
        let tree = Tree::new(points);
        for from in (0..n).step_by(TICK) {
            tree.nearest(from..(from + TICK).min(n), k, metric, &mut found);
            pace.tick(from as u64, n as u64).await?;
        }
    }
    if found.distances.iter().all(|x| x.is_finite()) {
        return Ok(found);
    }
    Err(MeasureError::Domain {
        measure: "a search for neighbours",
        wanted: "values whose differences are numbers".to_owned(),
        found: "here they overflow; divide the values by their scale".to_owned(),
    })
}

/// The error of too many coinciding points; few are allowed.
#[expect(clippy::cast_precision_loss, reason = "a share")]
pub(super) fn refuse_ties(tied: u64, n: usize, what: impl FnOnce() -> String) -> Result<(), MeasureError> {
    let share = tied as f64 / n.max(1) as f64;
    if share > MOST_TIES { Err(MeasureError::Ties { what: what(), share: 100.0 * share }) } else { Ok(()) }
}

/// How many values occur more than once.
pub(super) fn repeated(values: impl Iterator<Item = f64>) -> u64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.chunk_by(|a, b| a == b).filter(|run| run.len() > 1).map(|run| run.len() as u64).sum()
}

/// Adds uniform noise of ± `amplitude` population standard deviations to each column of `d`, the same for the same seed.
pub(super) fn jitter(values: &mut [f64], d: usize, amplitude: f64, seed: u64) {
    if amplitude == 0.0 || values.is_empty() {
        return;
    }
    let mut rng = Philox::new(seed, JITTER);
    for j in 0..d {
        let column: Vec<f64> = values[j..].iter().step_by(d).copied().collect();
        let width = amplitude * super::regularity::standard_deviation(&column);
        values[j..].iter_mut().step_by(d).for_each(|x| *x += width * (2.0 * rng.uniform() - 1.0));
    }
}

/// Whether all rows of a table are equal.
pub(super) fn is_constant(table: &Table<'_>) -> bool {
    (1..table.n).all(|i| table.row(i) == table.row(0))
}

/// ψ(0..=n) of whole numbers by ψ(m + 1) = ψ(m) + 1/m; the first entry, a pole, is −∞.
#[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
pub(super) fn digammas(n: usize) -> Vec<f64> {
    const EULER: f64 = 0.577_215_664_901_532_9;
    let mut table = Vec::with_capacity(n + 1);
    table.push(f64::NEG_INFINITY);
    let mut psi = -EULER;
    for m in 1..=n {
        table.push(psi);
        psi += (m as f64).recip();
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pace::Unhurried;

    fn distance(a: &[f64], b: &[f64], metric: Metric) -> f64 {
        let differences = a.iter().zip(b).map(|(a, b)| (a - b).abs());
        match metric {
            Metric::Chebyshev => differences.fold(0.0, f64::max),
            Metric::Euclidean => differences.map(|x| x * x).sum::<f64>().sqrt(),
        }
    }

    fn cloud(n: usize, d: usize, lattice: bool) -> Vec<f64> {
        let mut rng = Philox::new(n as u64, d as u64);
        (0..n * d).map(|_| if lattice { (3.0 * rng.normal()).round() } else { rng.normal() }).collect()
    }

    #[test]
    fn neighbours_and_counts_are_those_of_brute_force_at_awkward_sizes() {
        for d in [1, 2, 3, 7, 33] {
            for n in [2, 3, 15, 16, 17, 31, 33, 64, 65, 257, 700] {
                for lattice in [false, true] {
                    let values = cloud(n, d, lattice);
                    let points = Points { values: &values, d };
                    let counter = Counter::new(points);
                    for metric in [Metric::Chebyshev, Metric::Euclidean] {
                        for k in [1, 4, 64].into_iter().filter(|&k| k < n) {
                            let found = pollster::block_on(nearest(points, k, metric, &Unhurried)).unwrap();
                            let mut tied = 0;
                            for i in 0..n {
                                let mut all: Vec<f64> = (0..n)
                                    .filter(|&j| j != i)
                                    .map(|j| distance(points.row(i), points.row(j), metric))
                                    .collect();
                                let unsorted = all.clone();
                                all.sort_by(f64::total_cmp);
                                tied += u64::from(all[0] == 0.0);
                                assert!((found.distances[i] - all[k - 1]).abs() <= 1e-15 * all[k - 1]);
                                let mine = &found.neighbours[i * k..(i + 1) * k];
                                let mut once = mine.to_vec();
                                once.sort_unstable();
                                once.dedup();
                                assert_eq!(once.len(), k);
                                for (rank, &j) in mine.iter().enumerate() {
                                    assert_ne!(j as usize, i);
                                    let true_distance = distance(points.row(i), points.row(j as usize), metric);
                                    assert!((true_distance - all[rank]).abs() <= 1e-15 * all[rank]);
                                }
                                if metric == Metric::Chebyshev {
                                    let radius = found.distances[i];
                                    let below = unsorted.iter().filter(|&&x| x < radius).count();
                                    let within = unsorted.iter().filter(|&&x| x <= radius).count();
                                    assert_eq!(counter.within(i, radius, true), below, "n {n}, d {d}");
                                    assert_eq!(counter.within(i, radius, false), within, "n {n}, d {d}");
                                }
                            }
                            assert_eq!(found.tied, tied, "n {n}, d {d}, k {k}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn as_many_neighbours_as_points_are_refused() {
        let values = [1.0, 2.0, 3.0];
        let points = Points { values: &values, d: 1 };
        let error = pollster::block_on(nearest(points, 3, Metric::Chebyshev, &Unhurried)).unwrap_err();
        assert_eq!(error.to_string(), "too short: 3 values, and a 3-th neighbour of every point needs at least 4");
    }

    #[test]
    fn digammas_are_those_of_the_series() {
        let table = digammas(100_000);
        for m in [1_usize, 2, 3, 10, 999, 100_000] {
            let exact = statrs::function::gamma::digamma(m as f64);
            assert!((table[m] - exact).abs() < 1e-12 * exact.abs().max(1.0), "{m}");
        }
    }
}
