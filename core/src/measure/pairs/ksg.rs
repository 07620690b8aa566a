//! Mutual information of real columns by nearest neighbours.
//!
//! Kraskov, Stögbauer & Grassberger, Phys. Rev. E 69, 066138 (2004). Both algorithms keep small negative values: clipping
//! them would bias the estimate where it matters, near independence.

use std::f64::consts::LN_2;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::null;
use crate::{
    measure::{
        About, Accepts, Context, Family, Input, Measure, MeasureError, Outcome, Pair, Undefined, Value,
        neighbours::{
            Counter, Metric, Nearest, Points, SMALLEST_PART, digammas, jitter, nearest, refuse_ties, repeated,
        },
        uncertainty,
    },
    pace::Pace,
    quantity::Unit,
};

/// Points that all shuffles together may search: some tens of seconds.
pub(super) const MOST_SHUFFLED: u64 = 20_000_000;
/// Points between two calls of [`Pace::tick`].
const TICK: usize = 1 << 12;

/// Parameters of both algorithms.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct KsgParams {
    /// Which neighbour's distance is taken: small k has little bias, large k little variance.
    #[schemars(range(min = 1, max = 64))]
    pub k: u32,
    /// Show 0 instead of a negative estimate.
    pub clip: bool,
    /// Uniform noise of this many standard deviations, added to separate equal values; 0 adds none.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub jitter: f64,
}

impl Default for KsgParams {
    fn default() -> Self {
        Self { k: 4, clip: false, jitter: 0.0 }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    /// One radius for both columns, counts strictly within it.
    Square,
    /// A radius for each column, counts within or at it.
    Rectangle,
}

/// Two groups of columns with what is needed to measure any pairing of their rows.
struct Setup {
    x: Vec<f64>,
    dx: usize,
    y: Vec<f64>,
    dy: usize,
    count_x: Counter,
    count_y: Counter,
    psi: Vec<f64>,
    k: usize,
    algorithm: Algorithm,
}

impl Setup {
    fn new(pair: &Pair, k: usize, algorithm: Algorithm) -> Self {
        let (dx, dy) = (pair.dx, pair.dy);
        let (x, y) = (pair.part(0..dx), pair.part(dx..dx + dy));
        let count_x = Counter::new(Points { values: &x, d: dx });
        let count_y = Counter::new(Points { values: &y, d: dy });
        Self { x, dx, y, dy, count_x, count_y, psi: digammas(pair.n + 1), k, algorithm }
    }

    /// The information of each row in nats, with the rows of y taken in the order `of_y`; their mean is the estimate.
    async fn local(&self, of_y: impl Fn(usize) -> usize, pace: &dyn Pace) -> Result<Vec<f64>, MeasureError> {
        let (dx, dy, k) = (self.dx, self.dy, self.k);
        let n = self.x.len() / dx;
        let mut joint = Vec::with_capacity(n * (dx + dy));
        for (i, row) in self.x.chunks_exact(dx).enumerate() {
            joint.extend_from_slice(row);
            joint.extend_from_slice(self.row_y(of_y(i)));
        }
        let points = Points { values: &joint, d: dx + dy };
        let Nearest { distances, neighbours, .. } = nearest(points, k, Metric::Chebyshev, pace).await?;
        let psi = &self.psi;
        let mut terms = Vec::with_capacity(n);
        for i in 0..n {
            let j = of_y(i);
            let term = match self.algorithm {
                Algorithm::Square => {
                    let nx = self.count_x.within(i, distances[i], true);
                    let ny = self.count_y.within(j, distances[i], true);
                    psi[k] + psi[n] - psi[nx + 1] - psi[ny + 1]
                }
                Algorithm::Rectangle => {
                    let (mut rx, mut ry) = (0.0_f64, 0.0_f64);
                    for &other in &neighbours[i * k..(i + 1) * k] {
                        let other = other as usize;
                        rx = rx.max(apart(self.row_x(i), self.row_x(other)));
                        ry = ry.max(apart(self.row_y(j), self.row_y(of_y(other))));
                    }
                    let nx = self.count_x.within(i, rx, false);
                    let ny = self.count_y.within(j, ry, false);
                    psi[k] - (k as f64).recip() + psi[n] - psi[nx] - psi[ny]
                }
            };
            terms.push(term);
            if i % TICK == TICK - 1 {
                pace.tick(i as u64, n as u64).await?;
            }
        }
        Ok(terms)
    }

    fn row_x(&self, i: usize) -> &[f64] {
        &self.x[i * self.dx..(i + 1) * self.dx]
    }

    fn row_y(&self, i: usize) -> &[f64] {
        &self.y[i * self.dy..(i + 1) * self.dy]
    }
}

/// The largest difference of a coordinate.
fn apart(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

pub(super) fn mean(terms: &[f64]) -> f64 {
    terms.iter().sum::<f64>() / terms.len() as f64
}

/// Refuses columns with many equal values; true if a group of columns is constant.
pub(super) fn inspect(input: &Input<'_>, pair: &Pair) -> Result<bool, MeasureError> {
    let d = pair.dx + pair.dy;
    let column = |j: usize| pair.values[j..].iter().step_by(d).copied();
    let is_constant = |j: usize| pair.n < 2 || column(j).all(|v| v == pair.values[j]);
    if pair.n > 0 && ((0..pair.dx).all(is_constant) || (pair.dx..d).all(is_constant)) {
        return Ok(true);
    }
    for (j, named) in input.subject.columns().enumerate().filter(|_| pair.n > 0) {
        refuse_ties(repeated(column(j)), pair.n, || format!("the values of '{}'", named.name))?;
    }
    Ok(false)
}

async fn measure(
    algorithm: Algorithm,
    p: &KsgParams,
    input: &Input<'_>,
    context: &Context<'_>,
) -> Result<Outcome, MeasureError> {
    let mut pair = input.pair()?;
    let (n, k) = (pair.n, p.k as usize);
    jitter(&mut pair.values, pair.dx + pair.dy, p.jitter, context.seed);
    let estimator = match algorithm {
        Algorithm::Square => "Kraskov-Stögbauer-Grassberger 1",
        Algorithm::Rectangle => "Kraskov-Stögbauer-Grassberger 2",
    };
    if n <= k {
        let what = format!("a {k}-th neighbour of every point");
        return Err(MeasureError::TooShort { n: n as u64, what, needed: k as u64 + 1 });
    }
    if inspect(input, &pair)? {
        return Ok(Outcome::new(Value::Undefined(Undefined::ZeroVariance), Unit::Bits, estimator, n as u64));
    }
    let setup = Setup::new(&pair, k, algorithm);
    let bits = mean(&setup.local(|i| i, context.pace).await?) / LN_2;
    let shown = |i: f64| if p.clip { i.max(0.0) } else { i };
    let mut outcome = Outcome::new(Value::Scalar(shown(bits)), Unit::Bits, estimator, n as u64)
        .detail("neighbour", k)
        .detail("dimensions", vec![pair.dx, pair.dy]);
    let of_part = async |rows: &[usize]| {
        let part = Setup::new(&pair.rows(rows), k, algorithm);
        Ok(mean(&part.local(|i| i, context.pace).await?) / LN_2)
    };
    let smallest = SMALLEST_PART.max(2 * k);
    outcome.uncertainty = uncertainty::partitions(n, smallest, false, bits, context, of_part).await?;
    let null = null::permutation(n, bits, MOST_SHUFFLED, context, async |order| {
        Ok(mean(&setup.local(|i| order[i] as usize, context.pace).await?) / LN_2)
    });
    if let Some(null) = null.await? {
        outcome = null.annotate(outcome, shown);
    }
    Ok(annotate(outcome, &pair, p.jitter, 100, context.seed))
}

/// Notes that measures of real pairs share.
pub(super) fn annotate(mut outcome: Outcome, pair: &Pair, noise: f64, enough: usize, seed: u64) -> Outcome {
    if pair.omitted > 0 {
        outcome = outcome.detail("omitted", pair.omitted);
    }
    if noise > 0.0 {
        outcome = outcome.detail("jitter_seed", seed);
    }
    if pair.n < enough {
        outcome = outcome.warn("too_short", format!("fewer than {enough} points"));
    }
    outcome
}

/// The first algorithm.
pub struct Ksg1;

impl Measure for Ksg1 {
    type Params = KsgParams;
    const ABOUT: About = About {
        id: "mi.ksg1",
        title: "Mutual information, KSG 1",
        summary: "How many bits two real columns, or groups of them, tell about each other, without bins. May be slightly negative.",
        equation: "I = [ψ(k) + ψ(N) − ⟨ψ(n_x + 1) + ψ(n_y + 1)⟩] / ln 2, n_x the points with |x − xᵢ| < εᵢ, εᵢ the largest-difference distance to the k-th neighbour",
        tex: &[
            r"I = \frac{1}{\ln 2} \left[ \psi(k) + \psi(N) - \left\langle \psi(n_x + 1) + \psi(n_y + 1) \right\rangle \right]",
            r"n_x \text{ the points with } \lvert x - x_i \rvert \lt \varepsilon_i",
            r"\varepsilon_i \text{ the largest-difference distance to the } k\text{-th neighbour}",
        ],
        source: "Kraskov, Stögbauer & Grassberger, Estimating mutual information, Phys. Rev. E 69, 066138 (2004), equation (8)",
        family: Family::Pairs,
        accepts: Accepts::Pair,
        cost: "O(N log N), 200 times that with the null",
        gpu: false,
        unit: "bits",
        uncertainty: "spread over random parts of the points; permutation null in the details (mean, 95 % band, p-value)",
        bias: "near zero for independent columns; low where the dependence is strong and points are few; may be slightly negative",
    };

    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        measure(Algorithm::Square, &p, input, context).await
    }
}

/// The second algorithm.
pub struct Ksg2;

impl Measure for Ksg2 {
    type Params = KsgParams;
    const ABOUT: About = About {
        id: "mi.ksg2",
        title: "Mutual information, KSG 2",
        summary: "Like KSG 1 with a rectangle instead of a square around each point: less bias for strong dependence, a little more variance.",
        equation: "I = [ψ(k) − 1/k + ψ(N) − ⟨ψ(n_x) + ψ(n_y)⟩] / ln 2, n_x the points with |x − xᵢ| ≤ ε_x,ᵢ, the extent in x of the k nearest neighbours",
        tex: &[
            r"I = \frac{1}{\ln 2} \left[ \psi(k) - \frac{1}{k} + \psi(N) - \left\langle \psi(n_x) + \psi(n_y) \right\rangle \right]",
            r"n_x \text{ the points with } \lvert x - x_i \rvert \leq \varepsilon_{x,i}",
            r"\varepsilon_{x,i} \text{ the extent in } x \text{ of the } k \text{ nearest neighbours}",
        ],
        source: "Kraskov, Stögbauer & Grassberger, Estimating mutual information, Phys. Rev. E 69, 066138 (2004), equation (9)",
        family: Family::Pairs,
        accepts: Accepts::Pair,
        cost: "O(N log N), 200 times that with the null",
        gpu: false,
        unit: "bits",
        uncertainty: "spread over random parts of the points; permutation null in the details (mean, 95 % band, p-value)",
        bias: "as KSG 1, smaller for strong dependence and larger in many dimensions",
    };

    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        measure(Algorithm::Rectangle, &p, input, context).await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::{compute::Cpu, data::Column, measure::find, pace::Unhurried, rng::Philox};

    fn run(id: &str, columns: &[&Column], params: &Json, resamples: u32) -> Result<Outcome, MeasureError> {
        let context = Context::new(&Cpu, &Unhurried).with_resamples(resamples, 3);
        pollster::block_on(find(id).unwrap().run(params, columns, &context))
    }

    /// Normal columns x, y with correlation rho, and z beside them.
    fn normal(n: usize, rho: f64, seed: u64) -> [Column; 3] {
        let mut rng = Philox::new(seed, 8);
        let (mut x, mut y, mut z) = (vec![], vec![], vec![]);
        for _ in 0..n {
            let (a, b) = (rng.normal(), rng.normal());
            x.push(a);
            y.push(rho * a + (1.0 - rho * rho).sqrt() * b);
            z.push(rng.normal());
        }
        [Column::real("x", x), Column::real("y", y), Column::real("z", z)]
    }

    /// The mean over seeds and its standard error.
    fn over_seeds(measured: impl Fn(u64) -> f64) -> (f64, f64) {
        let values: Vec<f64> = (0..16).map(measured).collect();
        let mean = mean(&values);
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 15.0;
        (mean, (variance / 16.0).sqrt())
    }

    #[test]
    fn gaussian_columns_share_what_theory_says() {
        for rho in [0.0_f64, 0.3, 0.6, 0.9] {
            let truth = -0.5 * (1.0 - rho * rho).log2();
            for id in ["mi.ksg1", "mi.ksg2"] {
                let (mean, error) = over_seeds(|seed| {
                    let [x, y, _] = normal(1000, rho, seed);
                    run(id, &[&x, &y], &json!({}), 0).unwrap().value.scalar().unwrap()
                });
                // The bias of the estimators at N = 1000 is below 0.01 bits (figure 4 of the paper).
                assert!((mean - truth).abs() < 4.0 * error + 0.01, "{id}, rho {rho}: {mean} ± {error} of {truth}");
                assert!(error < 0.02, "{id}: {error}");
            }
        }
    }

    #[test]
    fn the_interval_is_as_wide_as_the_spread_over_data() {
        for rho in [0.0, 0.6, 0.9] {
            for id in ["mi.ksg1", "mi.ksg2"] {
                let (mut values, mut errors) = (vec![], vec![]);
                for seed in 0..100 {
                    let [x, y, _] = normal(400, rho, 1000 + seed);
                    let outcome = run(id, &[&x, &y], &json!({}), 1).unwrap();
                    values.push(outcome.value.scalar().unwrap());
                    let u = outcome.uncertainty.unwrap();
                    errors.push((u.high - u.low) / 2.0 / 1.96);
                }
                let centre = mean(&values);
                let spread = (values.iter().map(|v| (v - centre).powi(2)).sum::<f64>() / 99.0).sqrt();
                let ratio = mean(&errors) / spread;
                // The spread of 100 values is known to 7 %.
                assert!((0.8..1.25).contains(&ratio), "{id}, rho {rho}: {ratio}");
            }
        }
    }

    #[test]
    fn an_independent_column_in_a_group_changes_nothing_within_the_error() {
        let (mean, error) = over_seeds(|seed| {
            let [x, y, z] = normal(2000, 0.6, 100 + seed);
            let alone = run("mi.ksg1", &[&x, &y], &json!({}), 0).unwrap().value.scalar().unwrap();
            let group = run("mi.ksg1", &[&x, &y, &z], &json!({}), 0).unwrap().value.scalar().unwrap();
            group - alone
        });
        // A group of three has a larger bias at finite N: 0.02 bits for N = 2000 and rho = 0.6.
        assert!(mean.abs() < 4.0 * error + 0.03, "{mean} ± {error}");
    }

    #[test]
    fn the_value_is_the_definition_by_brute_force() {
        let [x, y, z] = normal(150, 0.5, 1);
        let get = |c: &Column| match &c.values {
            Some(crate::data::Values::Real(v)) => v.clone(),
            _ => vec![],
        };
        let (x1, y1, z1) = (get(&x), get(&y), get(&z));
        let n = 150;
        let k = 3;
        let psi = digammas(n + 1);
        let (mut square, mut rectangle) = (0.0, 0.0);
        for i in 0..n {
            let dx = |j: usize| (x1[j] - x1[i]).abs();
            let dy = |j: usize| (y1[j] - y1[i]).abs().max((z1[j] - z1[i]).abs());
            let mut others: Vec<usize> = (0..n).filter(|&j| j != i).collect();
            others.sort_by(|&a, &b| dx(a).max(dy(a)).total_cmp(&dx(b).max(dy(b))));
            let radius = dx(others[k - 1]).max(dy(others[k - 1]));
            let count = |near: &dyn Fn(usize) -> bool| others.iter().filter(|&&j| near(j)).count();
            square += psi[k] + psi[n] - psi[count(&|j| dx(j) < radius) + 1] - psi[count(&|j| dy(j) < radius) + 1];
            let rx = others[..k].iter().map(|&j| dx(j)).fold(0.0, f64::max);
            let ry = others[..k].iter().map(|&j| dy(j)).fold(0.0, f64::max);
            rectangle += psi[k] - 1.0 / k as f64 + psi[n] - psi[count(&|j| dx(j) <= rx)] - psi[count(&|j| dy(j) <= ry)];
        }
        for (id, sum) in [("mi.ksg1", square), ("mi.ksg2", rectangle)] {
            let value = run(id, &[&x, &y, &z], &json!({ "k": k }), 0).unwrap().value.scalar().unwrap();
            assert!((value - sum / n as f64 / LN_2).abs() < 1e-12, "{id}");
        }
    }

    #[test]
    fn the_null_holds_independent_columns_and_not_dependent_ones() {
        let [x, y, z] = normal(300, 0.6, 2);
        let outcome = run("mi.ksg1", &[&x, &y], &json!({}), 60).unwrap();
        assert_eq!(outcome.details["p_value"].as_f64(), Some(1.0 / 61.0));
        assert!(outcome.details["null_mean"].as_f64().unwrap().abs() < 0.03);
        let u = outcome.uncertainty.unwrap();
        let value = outcome.value.scalar().unwrap();
        assert!(u.low < value && value < u.high);
        let outcome = run("mi.ksg2", &[&x, &z], &json!({}), 60).unwrap();
        assert!(outcome.details["p_value"].as_f64().unwrap() > 0.02);
    }

    #[test]
    fn ties_constants_and_short_input_follow_the_policy() {
        let [x, y, _] = normal(50, 0.5, 3);
        let constant = Column::real("c", vec![1.0; 50]);
        let value = run("mi.ksg1", &[&x, &constant], &json!({}), 10).unwrap().value;
        assert_eq!(value, Value::Undefined(Undefined::ZeroVariance));
        let counts = Column::integer("counts", (0..50).map(|i| i % 5).collect());
        let error = run("mi.ksg1", &[&x, &counts], &json!({}), 0).unwrap_err().to_string();
        assert!(error.contains("100.0 % of the values of 'counts' occur more than once"), "{error}");
        assert!(run("mi.ksg1", &[&x, &counts], &json!({ "jitter": 1e-6 }), 0).is_ok());
        let error = run("mi.ksg2", &[&x, &y], &json!({ "first": 4 }), 0).unwrap_err().to_string();
        assert!(error.contains("4 values") && error.contains("at least 5"), "{error}");
    }
}
