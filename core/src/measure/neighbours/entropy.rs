//! Entropies of a density by the distances to nearest neighbours.

use std::f64::consts::{LN_2, PI};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use statrs::function::gamma::{digamma, ln_gamma};

use super::{Metric, Nearest, Points, SMALLEST_PART, is_constant, jitter, nearest, refuse_ties};
use crate::{
    measure::{
        About, Accepts, Context, Family, Input, Measure, MeasureError, Outcome, Table, Undefined, Value,
        discrete::invalid, uncertainty,
    },
    quantity::Unit,
};

/// Parameters of the Kozachenko-Leonenko estimator.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NeighbourParams {
    /// Which neighbour's distance is taken: small k has little bias, large k little variance.
    #[schemars(range(min = 1, max = 64))]
    pub k: u32,
    /// The distance: the largest difference of a coordinate (chebyshev), or the usual one (euclidean).
    pub metric: Metric,
    /// Uniform noise of this many standard deviations, added to separate equal values; 0 adds none.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub jitter: f64,
}

impl Default for NeighbourParams {
    fn default() -> Self {
        Self { k: 4, metric: Metric::Chebyshev, jitter: 0.0 }
    }
}

/// Parameters of the Rényi estimator.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RenyiParams {
    /// Order α, below k + 1; 1 is Shannon's entropy.
    #[schemars(range(min = 0.0, max = 64.0))]
    pub alpha: f64,
    /// Which neighbour's distance is taken.
    #[schemars(range(min = 1, max = 64))]
    pub k: u32,
    /// The distance: the largest difference of a coordinate (chebyshev), or the usual one (euclidean).
    pub metric: Metric,
    /// Uniform noise of this many standard deviations, added to separate equal values; 0 adds none.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub jitter: f64,
}

impl Default for RenyiParams {
    fn default() -> Self {
        Self { alpha: 2.0, k: 4, metric: Metric::Euclidean, jitter: 0.0 }
    }
}

/// Parameters of the Tsallis estimator.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TsallisParams {
    /// Order q, below k + 1; 1 is Shannon's entropy in nats.
    #[schemars(range(min = 0.0, max = 64.0))]
    pub q: f64,
    /// Which neighbour's distance is taken.
    #[schemars(range(min = 1, max = 64))]
    pub k: u32,
    /// The distance: the largest difference of a coordinate (chebyshev), or the usual one (euclidean).
    pub metric: Metric,
    /// Uniform noise of this many standard deviations, added to separate equal values; 0 adds none.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub jitter: f64,
}

impl Default for TsallisParams {
    fn default() -> Self {
        Self { q: 2.0, k: 4, metric: Metric::Euclidean, jitter: 0.0 }
    }
}

/// ln of the volume of the unit ball in `d` dimensions.
#[expect(clippy::cast_precision_loss, reason = "a number of columns")]
fn ln_ball(d: usize, metric: Metric) -> f64 {
    let d = d as f64;
    match metric {
        Metric::Chebyshev => d * LN_2,
        Metric::Euclidean => d / 2.0 * PI.ln() - ln_gamma(d / 2.0 + 1.0),
    }
}

/// ln ε of every point whose neighbour is not at distance zero, and what was seen on the way.
struct Logarithms {
    logs: Vec<f64>,
    tied: u64,
    n: usize,
    d: usize,
    omitted: u64,
    values: Vec<f64>,
}

/// `None` for constant data.
async fn logarithms(
    input: &Input<'_>,
    k: usize,
    metric: Metric,
    noise: f64,
    context: &Context<'_>,
) -> Result<Option<Logarithms>, MeasureError> {
    let Table { mut values, n, d, omitted } = input.table()?;
    if noise > 0.0 {
        jitter(values.to_mut(), d, noise, context.seed);
    }
    let (logs, tied) = of_points(&values, d, k, metric, context).await?;
    let table = Table { values, n, d, omitted };
    if is_constant(&table) {
        return Ok(None);
    }
    refuse_ties(tied, n, || "the points".to_owned())?;
    Ok(Some(Logarithms { logs, tied, n, d, omitted, values: table.values.into_owned() }))
}

/// ln ε, and how many points coincide with others.
async fn of_points(
    values: &[f64],
    d: usize,
    k: usize,
    metric: Metric,
    context: &Context<'_>,
) -> Result<(Vec<f64>, u64), MeasureError> {
    let Nearest { distances, tied, .. } = nearest(Points { values, d }, k, metric, context.pace).await?;
    Ok((distances.iter().filter(|&&e| e > 0.0).map(|e| e.ln()).collect(), tied))
}

/// ψ(N) − ψ(k) + ln c_d + d ⟨ln ε⟩, in bits.
#[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
fn kozachenko_leonenko(logs: &[f64], n: usize, d: usize, k: usize, metric: Metric) -> f64 {
    let mean = logs.iter().sum::<f64>() / logs.len() as f64;
    (digamma(n as f64) - digamma(k as f64) + ln_ball(d, metric) + d as f64 * mean) / LN_2
}

impl Logarithms {
    fn annotate(&self, mut outcome: Outcome, p: (u32, f64), enough: u64, seed: u64) -> Outcome {
        let (k, noise) = p;
        outcome = outcome.detail("dimensions", self.d).detail("neighbour", k);
        if self.omitted > 0 {
            outcome = outcome.detail("omitted", self.omitted);
        }
        if self.tied > 0 {
            let text =
                format!("{} points coincide with others; the logarithm of a zero distance is left out", self.tied);
            outcome = outcome.detail("coinciding", self.tied).warn("ties", text);
        }
        if noise > 0.0 {
            outcome = outcome.detail("jitter_seed", seed);
        }
        if (self.n as u64) < enough {
            outcome = outcome.warn("too_short", format!("fewer than {enough} points"));
        }
        outcome
    }
}

fn name(metric: Metric) -> &'static str {
    match metric {
        Metric::Chebyshev => "nearest neighbours, largest difference",
        Metric::Euclidean => "nearest neighbours, Euclidean",
    }
}

/// The entropy of a density by the logarithm of the distances to the k-th neighbours.
pub struct KozachenkoLeonenko;

impl Measure for KozachenkoLeonenko {
    type Params = NeighbourParams;
    const ABOUT: About = About {
        id: "diff.kl",
        title: "Differential entropy, Kozachenko-Leonenko",
        summary: "The entropy of a density from the distances between nearest neighbours, without bins. It depends on the unit of the values and may be negative.",
        equation: "h = [ψ(N) − ψ(k) + ln c_d + (d/N) Σ ln εᵢ] / ln 2, εᵢ the distance to the k-th neighbour, c_d the volume of the unit ball",
        tex: &[
            r"h = \frac{1}{\ln 2} \left[ \psi(N) - \psi(k) + \ln c_d + \frac{d}{N} \sum_{i=1}^{N} \ln \varepsilon_i \right]",
            r"\varepsilon_i \text{ the distance to the } k\text{-th neighbour}",
            r"c_d \text{ the volume of the unit ball}",
        ],
        source: "Kozachenko & Leonenko, Sample estimate of the entropy of a random vector, Probl. Inf. Transm. 23, 95 (1987); Kraskov, Stögbauer & Grassberger, Phys. Rev. E 69, 066138 (2004), section II B",
        family: Family::Differential,
        accepts: Accepts::Points,
        cost: "O(N log N)",
        gpu: false,
        unit: "bits",
        uncertainty: "spread over random parts of the points",
        bias: "vanishes as N grows; high near hard edges of the support, and large in many dimensions",
    };

    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        let k = p.k as usize;
        let estimator = name(p.metric);
        let Some(logs) = logarithms(input, k, p.metric, p.jitter, context).await? else {
            return Ok(Outcome::new(
                Value::Undefined(Undefined::ZeroVariance),
                Unit::Bits,
                estimator,
                input_len(input)?,
            ));
        };
        let bits = kozachenko_leonenko(&logs.logs, logs.n, logs.d, k, p.metric);
        let mut outcome = Outcome::new(Value::Scalar(bits), Unit::Bits, estimator, logs.n as u64);
        let smallest = SMALLEST_PART.max(2 * k);
        let of_part = async |rows: &[usize]| {
            let d = logs.d;
            let part: Vec<f64> = rows.iter().flat_map(|&i| &logs.values[i * d..(i + 1) * d]).copied().collect();
            let (of_part, _) = of_points(&part, d, k, p.metric, context).await?;
            Ok(kozachenko_leonenko(&of_part, rows.len(), d, k, p.metric))
        };
        outcome.uncertainty = uncertainty::partitions(logs.n, smallest, false, bits, context, of_part).await?;
        Ok(logs.annotate(outcome, (p.k, p.jitter), 50, context.seed))
    }
}

fn input_len(input: &Input<'_>) -> Result<u64, MeasureError> {
    Ok(input.table()?.n as u64)
}

/// ln of I = ⟨ζ^(1−q)⟩ and the share ζ of Leonenko, Pronzato & Savani, equation (6); for q = 1 the mean of ln ζ.
#[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
fn ln_integral(logs: &Logarithms, k: usize, q: f64, metric: Metric) -> f64 {
    let (k, n, d) = (k as f64, logs.n as f64, logs.d as f64);
    let base = (n - 1.0).ln() + ln_ball(logs.d, metric);
    let count = logs.logs.len() as f64;
    if q == 1.0 {
        let psi = digamma(k);
        return base - psi + d * logs.logs.iter().sum::<f64>() / count;
    }
    // C_k^(1−q) = Γ(k) / Γ(k + 1 − q)
    let scale = (1.0 - q) * base + ln_gamma(k) - ln_gamma(k + 1.0 - q);
    // The largest exponent is taken out, so that no power overflows.
    let exponents = || logs.logs.iter().map(|l| (1.0 - q) * d * l);
    let top = exponents().fold(f64::NEG_INFINITY, f64::max);
    scale + top + (exponents().map(|e| (e - top).exp()).sum::<f64>() / count).ln()
}

fn check_order(id: &str, key: &str, order: f64, k: u32) -> Result<(), MeasureError> {
    if order < f64::from(k) + 1.0 {
        return Ok(());
    }
    Err(invalid(
        id,
        key,
        order.to_string(),
        &format!("expected less than k + 1 = {}: the estimator has no mean beyond", k + 1),
    ))
}

/// Rényi entropy of a density.
pub struct RenyiNeighbours;

impl Measure for RenyiNeighbours {
    type Params = RenyiParams;
    const ABOUT: About = About {
        id: "diff.renyi_knn",
        title: "Rényi entropy of a density",
        summary: "A family that weighs dense regions more as α grows, from the distances between nearest neighbours.",
        equation: "H_α = log₂ ⟨ζᵢ^(1−α)⟩ / (1 − α), ζᵢ = (N−1) C_k c_d εᵢ^d, C_k = [Γ(k)/Γ(k+1−α)]^(1/(1−α))",
        tex: &[
            r"H_\alpha = \frac{1}{1-\alpha} \log_2 \left\langle \zeta_i^{1-\alpha} \right\rangle",
            r"\zeta_i = (N-1) C_k c_d \varepsilon_i^d",
            r"C_k = \left[ \frac{\Gamma(k)}{\Gamma(k+1-\alpha)} \right]^{1/(1-\alpha)}",
        ],
        source: "Leonenko, Pronzato & Savani, A class of Rényi information estimators for multidimensional densities, Ann. Stat. 36, 2153 (2008), section 2",
        family: Family::Differential,
        accepts: Accepts::Points,
        cost: "O(N log N)",
        gpu: false,
        unit: "bits",
        uncertainty: "none",
        bias: "vanishes as N grows; large in many dimensions and for heavy tails",
    };

    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        check_order(Self::ABOUT.id, "alpha", p.alpha, p.k)?;
        let estimator = name(p.metric);
        let Some(logs) = logarithms(input, p.k as usize, p.metric, p.jitter, context).await? else {
            return Ok(Outcome::new(
                Value::Undefined(Undefined::ZeroVariance),
                Unit::Bits,
                estimator,
                input_len(input)?,
            ));
        };
        let ln = ln_integral(&logs, p.k as usize, p.alpha, p.metric);
        let nats = if p.alpha == 1.0 { ln } else { ln / (1.0 - p.alpha) };
        let outcome = Outcome::new(Value::Scalar(nats / LN_2), Unit::Bits, estimator, logs.n as u64);
        Ok(logs.annotate(outcome, (p.k, p.jitter), 100, context.seed))
    }
}

/// Tsallis entropy of a density.
pub struct TsallisNeighbours;

impl Measure for TsallisNeighbours {
    type Params = TsallisParams;
    const ABOUT: About = About {
        id: "diff.tsallis_knn",
        title: "Tsallis entropy of a density",
        summary: "The non-additive family for a density, from the distances between nearest neighbours.",
        equation: "S_q = (1 − ⟨ζᵢ^(1−q)⟩) / (q − 1), ζᵢ as in diff.renyi_knn;  q→1: ⟨ln ζᵢ⟩",
        tex: &[
            r"S_q = \frac{1 - \left\langle \zeta_i^{1-q} \right\rangle}{q-1}",
            r"\zeta_i = (N-1) C_k c_d \varepsilon_i^d",
            r"C_k = \left[ \frac{\Gamma(k)}{\Gamma(k+1-q)} \right]^{1/(1-q)}",
            r"q \to 1 \colon \quad S_1 = \left\langle \ln \zeta_i \right\rangle",
        ],
        source: "Leonenko, Pronzato & Savani, A class of Rényi information estimators for multidimensional densities, Ann. Stat. 36, 2153 (2008), section 2",
        family: Family::Differential,
        accepts: Accepts::Points,
        cost: "O(N log N)",
        gpu: false,
        unit: "1",
        uncertainty: "none",
        bias: "vanishes as N grows; large in many dimensions and for heavy tails",
    };

    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        check_order(Self::ABOUT.id, "q", p.q, p.k)?;
        let estimator = name(p.metric);
        let Some(logs) = logarithms(input, p.k as usize, p.metric, p.jitter, context).await? else {
            return Ok(Outcome::new(
                Value::Undefined(Undefined::ZeroVariance),
                Unit::One,
                estimator,
                input_len(input)?,
            ));
        };
        let ln = ln_integral(&logs, p.k as usize, p.q, p.metric);
        let value = if p.q == 1.0 { ln } else { (1.0 - ln.exp()) / (p.q - 1.0) };
        let mut outcome = Outcome::new(Value::Scalar(value), Unit::One, estimator, logs.n as u64);
        if value.is_infinite() {
            outcome = outcome
                .warn("infinite", "the integral of a power of the density overflows; divide the values by their scale");
        }
        Ok(logs.annotate(outcome, (p.k, p.jitter), 100, context.seed))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::{compute::Cpu, data::Column, measure::find, pace::Unhurried, rng::Philox};

    fn run(id: &str, columns: &[&Column], params: &Json) -> Result<Outcome, MeasureError> {
        let context = Context::new(&Cpu, &Unhurried).with_resamples(1, 0);
        pollster::block_on(find(id).unwrap().run(params, columns, &context))
    }

    fn normal(n: usize, scale: f64, stream: u64) -> Column {
        let mut rng = Philox::new(11, stream);
        Column::real(format!("x{stream}"), (0..n).map(|_| scale * rng.normal()).collect())
    }

    #[test]
    fn a_gaussian_has_its_entropy_within_the_standard_error() {
        // ½ log₂(2πe) a dimension, and log₂ of the scale
        let one = 0.5 * (2.0 * PI * std::f64::consts::E).log2();
        let (x, y, z) = (normal(8000, 2.0, 1), normal(8000, 1.0, 2), normal(8000, 0.5, 3));
        for (columns, truth) in [(vec![&x], one + 1.0), (vec![&x, &y], 2.0 * one + 1.0), (vec![&x, &y, &z], 3.0 * one)]
        {
            for metric in ["chebyshev", "euclidean"] {
                let outcome = run("diff.kl", &columns, &json!({ "metric": metric })).unwrap();
                let (h, u) = (outcome.value.scalar().unwrap(), outcome.uncertainty.unwrap());
                let error = (u.high - u.low) / 2.0 / 1.96;
                assert!((h - truth).abs() < 4.0 * error + 0.01, "{h} of {truth}, standard error {error}");
            }
        }
    }

    #[test]
    fn the_interval_is_as_wide_as_the_spread_over_data() {
        let mut ratios = vec![];
        for d in [1, 2] {
            let (mut values, mut errors) = (vec![], vec![]);
            for seed in 0..100 {
                let columns: Vec<Column> = (0..d).map(|j| normal(500, 1.0, 100 * (j + 1) + seed)).collect();
                let columns: Vec<&Column> = columns.iter().collect();
                let outcome = run("diff.kl", &columns, &json!({})).unwrap();
                values.push(outcome.value.scalar().unwrap());
                let u = outcome.uncertainty.unwrap();
                errors.push((u.high - u.low) / 2.0 / 1.96);
            }
            let centre = values.iter().sum::<f64>() / 100.0;
            let spread = (values.iter().map(|v| (v - centre).powi(2)).sum::<f64>() / 99.0).sqrt();
            ratios.push(errors.iter().sum::<f64>() / 100.0 / spread);
        }
        // The spread of 100 values is known to 7 %.
        assert!(ratios.iter().all(|r| (0.8..1.25).contains(r)), "{ratios:?}");
    }

    #[test]
    fn renyi_and_tsallis_entropies_of_a_gaussian_are_those_of_theory() {
        let x = normal(20_000, 1.5, 4);
        let sigma2 = 1.5_f64 * 1.5;
        for alpha in [0.5_f64, 0.9, 1.0, 1.1, 2.0, 3.0] {
            let shannon = 0.5 * (2.0 * PI * std::f64::consts::E * sigma2).ln();
            let nats =
                if alpha == 1.0 { shannon } else { 0.5 * (2.0 * PI * sigma2).ln() + 0.5 * alpha.ln() / (alpha - 1.0) };
            let h = run("diff.renyi_knn", &[&x], &json!({ "alpha": alpha })).unwrap().value.scalar().unwrap() * LN_2;
            // ζ has heavy tails for small α; about 1/√N times a few otherwise
            assert!((h - nats).abs() < if alpha < 0.6 { 0.06 } else { 0.03 }, "α {alpha}: {h} of {nats}");
            let s = run("diff.tsallis_knn", &[&x], &json!({ "q": alpha })).unwrap().value.scalar().unwrap();
            let from_renyi = if alpha == 1.0 { h } else { (1.0 - ((1.0 - alpha) * h).exp()) / (alpha - 1.0) };
            assert!((s - from_renyi).abs() < 1e-12 * s.abs().max(1.0), "q {alpha}");
        }
    }

    #[test]
    fn ties_are_counted_refused_or_separated() {
        let constant = Column::real("x", vec![3.0; 40]);
        assert_eq!(run("diff.kl", &[&constant], &json!({})).unwrap().value, Value::Undefined(Undefined::ZeroVariance));
        let mut rng = Philox::new(1, 1);
        let rounded = Column::real("x", (0..2000).map(|_| (4.0 * rng.normal()).round()).collect());
        let error = run("diff.kl", &[&rounded], &json!({})).unwrap_err().to_string();
        assert!(error.contains("% of the points occur more than once"), "{error}");
        let separated = run("diff.kl", &[&rounded], &json!({ "jitter": 1e-3 })).unwrap();
        assert!(separated.value.scalar().unwrap().is_finite());
        let mut few: Vec<f64> = (0..1000).map(|_| rng.normal()).collect();
        few[1] = few[0];
        let outcome = run("diff.kl", &[&Column::real("x", few)], &json!({ "k": 1 })).unwrap();
        assert_eq!(outcome.details["coinciding"], 2);
        assert!(outcome.value.scalar().unwrap().is_finite());
    }

    #[test]
    fn short_input_and_impossible_orders_are_refused() {
        let four = Column::real("x", vec![1.0, 2.0, 4.0, 8.0]);
        let error = run("diff.kl", &[&four], &json!({})).unwrap_err().to_string();
        assert!(error.contains("needs at least 5"), "{error}");
        assert!(run("diff.kl", &[&four], &json!({ "k": 3 })).is_ok());
        let error = run("diff.renyi_knn", &[&four], &json!({ "alpha": 5, "k": 3 })).unwrap_err().to_string();
        assert!(error.contains("less than k + 1 = 4"), "{error}");
    }

    #[test]
    fn scaling_adds_the_logarithm_of_the_scale() {
        let x = normal(500, 1.0, 6);
        let y = Column::real(
            "y",
            match &x.values {
                Some(crate::data::Values::Real(v)) => v.iter().map(|v| 1024.0 * v).collect(),
                _ => vec![],
            },
        );
        let h = |c: &Column| run("diff.kl", &[c], &json!({})).unwrap().value.scalar().unwrap();
        assert!((h(&y) - h(&x) - 10.0).abs() < 1e-11);
    }
}
