//! Differential entropy of a series from its spacings, and from a kernel estimate of its density.

use multiversion::multiversion;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    About, Accepts, Context, Family, Input, Measure, MeasureError, Outcome, Undefined, Value, special::exp_negative,
};
use crate::quantity::Unit;

/// Below this many samples the estimates say little.
const ENOUGH: u64 = 20;
/// Kernel terms between two looks at whether the work is still wanted.
const TERMS_PER_TICK: usize = 1 << 22;
/// Beyond so many bandwidths a kernel is below 10^-20 of its height.
const REACH: f64 = 9.7;

/// The finite values in ascending order. Order in time does not matter here, nor do gaps.
fn sorted(input: &Input<'_>, needed: usize, what: &str) -> Result<Vec<f64>, MeasureError> {
    let mut values = input.series()?.values.into_owned();
    if values.len() < needed {
        let (n, needed) = (values.len() as u64, needed as u64);
        return Err(MeasureError::TooShort { n, what: what.to_owned(), needed });
    }
    values.sort_unstable_by(f64::total_cmp);
    Ok(values)
}

/// Parameters of the estimates from spacings.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SpacingParams {
    /// Spacing m: a density is taken from the values m places before and behind. Empty: ⌊√n + ½⌋.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub window: Option<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ends {
    /// Beyond the ends stands the first or last value, and the spacing counts in full.
    Vasicek,
    /// Near the ends a spacing counts for less.
    Ebrahimi,
}

#[expect(clippy::cast_precision_loss, reason = "lengths are below 2^53")]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a root of a length")]
async fn spacings(
    p: &SpacingParams,
    ends: Ends,
    id: &'static str,
    input: &Input<'_>,
    context: &Context<'_>,
) -> Result<Outcome, MeasureError> {
    let x = sorted(input, 2, "a spacing")?;
    let n = x.len();
    let name = match ends {
        Ends::Vasicek => "m-spacings, Vasicek",
        Ends::Ebrahimi => "m-spacings, Ebrahimi",
    };
    let undefined = |why| Ok(Outcome::new(Value::Undefined(why), Unit::Bits, name, n as u64));
    if x[0].total_cmp(&x[n - 1]).is_eq() {
        return undefined(Undefined::ZeroVariance);
    }
    let m = p.window.map_or_else(|| ((n as f64).sqrt() + 0.5).floor() as usize, |w| w as usize);
    if m < 1 || 2 * m >= n {
        return Err(crate::params::ParameterError::Invalid {
            of: id.to_owned(),
            key: "window".to_owned(),
            given: m.to_string(),
            expected: format!("expected at least 1 and less than half of the {n} values"),
        }
        .into());
    }
    context.pace.tick(0, n as u64).await?;
    let mut sum = 0.0;
    for i in 0..n {
        let gap = x[(i + m).min(n - 1)] - x[i.saturating_sub(m)];
        if gap <= 0.0 {
            return undefined(Undefined::Ties);
        }
        let weight = match ends {
            Ends::Vasicek => 2.0,
            Ends::Ebrahimi => 1.0 + (i.min(n - 1 - i).min(m) as f64) / m as f64,
        };
        sum += (n as f64 * gap / (weight * m as f64)).log2();
    }
    let mut outcome = Outcome::new(Value::Scalar(sum / n as f64), Unit::Bits, name, n as u64).detail("window", m);
    if (n as u64) < ENOUGH {
        outcome = outcome.warn("too_short", format!("fewer than {ENOUGH} samples"));
    }
    Ok(outcome)
}

/// Vasicek's estimate.
pub struct Vasicek;

impl Measure for Vasicek {
    type Params = SpacingParams;
    const ABOUT: About = About {
        id: "diff.vasicek",
        title: "Differential entropy from spacings (Vasicek)",
        summary: "Differential entropy of real values from the distances between every m-th of them; biased low.",
        equation: "H = mean of log₂(n (x₍ᵢ₊ₘ₎ − x₍ᵢ₋ₘ₎)/(2m)), x₍ᵢ₎ the sorted values, the first and last standing beyond the ends",
        source: "Vasicek, A test for normality based on sample entropy, J. R. Stat. Soc. B 38, 54 (1976)",
        family: Family::Differential,
        accepts: Accepts::Series,
        cost: "O(N log N)",
        gpu: false,
    };

    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        spacings(&p, Ends::Vasicek, Self::ABOUT.id, input, context).await
    }
}

/// Ebrahimi's estimate.
pub struct Ebrahimi;

impl Measure for Ebrahimi {
    type Params = SpacingParams;
    const ABOUT: About = About {
        id: "diff.ebrahimi",
        title: "Differential entropy from spacings (Ebrahimi)",
        summary: "Vasicek's estimate with smaller weights at the ends, which are cut short there: less biased.",
        equation: "H = mean of log₂(n (x₍ᵢ₊ₘ₎ − x₍ᵢ₋ₘ₎)/(cᵢ m)), cᵢ = 2 inside and 1 + (distance from the end)/m within m of it",
        source: "Ebrahimi, Pflughoeft & Soofi, Two measures of sample entropy, Stat. Probab. Lett. 20, 225 (1994)",
        family: Family::Differential,
        accepts: Accepts::Series,
        cost: "O(N log N)",
        gpu: false,
    };

    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        spacings(&p, Ends::Ebrahimi, Self::ABOUT.id, input, context).await
    }
}

/// Parameters of the kernel estimates.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct KernelParams {
    /// Standard deviation h of the Gaussian kernel. Empty: Scott's rule, n^(−1/5) sample standard deviations.
    #[schemars(range(min = 1e-300, max = 1e300))]
    pub bandwidth: Option<f64>,
}

#[expect(clippy::cast_precision_loss, reason = "lengths are below 2^53")]
async fn kernel(
    p: &KernelParams,
    leave_out: bool,
    input: &Input<'_>,
    context: &Context<'_>,
) -> Result<Outcome, MeasureError> {
    let x = sorted(input, 2, "a density")?;
    let n = x.len();
    let count = n as f64;
    let name = if leave_out { "Gaussian kernel, leave one out" } else { "Gaussian kernel, resubstitution" };
    let mean = x.iter().sum::<f64>() / count;
    let sd = (x.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (count - 1.0)).sqrt();
    let undefined = |why| Ok(Outcome::new(Value::Undefined(why), Unit::Bits, name, n as u64));
    if x[0].total_cmp(&x[n - 1]).is_eq() || sd <= 0.0 {
        return undefined(Undefined::ZeroVariance);
    }
    let h = p.bandwidth.unwrap_or_else(|| sd * count.powf(-0.2));
    // In bandwidths over √2, so that a kernel is exp(−d²).
    let y: Vec<f64> = x.iter().map(|v| (v - mean) / (h * std::f64::consts::SQRT_2)).collect();
    let reach = REACH / std::f64::consts::SQRT_2;
    let (mut low, mut high, mut work) = (0, 0, 0);
    let own = if leave_out { 1.0 } else { 0.0 };
    let others = count - own;
    let height = (others * h * std::f64::consts::TAU.sqrt()).ln();
    let mut sum = 0.0;
    for (i, &at) in y.iter().enumerate() {
        while y[low] < at - reach {
            low += 1;
        }
        while high < n && y[high] <= at + reach {
            high += 1;
        }
        let mut near = kernels(&y[low..i], at) + kernels(&y[i + 1..high], at);
        near += 1.0 - own;
        // Alone as far as the kernels reach: the nearer of the two neighbours decides, by its logarithm.
        let gap = |j: usize| (y[j] - at).abs();
        let ln = if near > 0.0 {
            near.ln()
        } else {
            let nearest =
                if i == 0 { gap(1) } else { gap(i - 1).min(if i + 1 < n { gap(i + 1) } else { f64::INFINITY }) };
            -nearest * nearest
        };
        sum -= ln - height;
        work += high - low;
        if work > TERMS_PER_TICK {
            work = 0;
            context.pace.tick(i as u64, n as u64).await?;
        }
    }
    let bits = sum / count / std::f64::consts::LN_2;
    let mut outcome = Outcome::new(Value::Scalar(bits), Unit::Bits, name, n as u64).detail("bandwidth", h);
    if n < 30 {
        outcome = outcome.warn("too_short", "fewer than 30 samples");
    }
    Ok(outcome)
}

/// Σ exp(−(y − at)²), in eight partial sums.
#[multiversion(targets("x86_64+avx512f", "x86_64+avx2+fma", "x86_64+sse4.2"))]
fn kernels(y: &[f64], at: f64) -> f64 {
    let mut sums = [0.0; 8];
    let (chunks, rest) = y.as_chunks::<8>();
    for chunk in chunks {
        for (sum, v) in sums.iter_mut().zip(chunk) {
            *sum += exp_negative((v - at) * (v - at));
        }
    }
    sums.iter().sum::<f64>() + rest.iter().map(|v| exp_negative((v - at) * (v - at))).sum::<f64>()
}

/// The kernel estimate at the values themselves.
pub struct Resubstitution;

impl Measure for Resubstitution {
    type Params = KernelParams;
    const ABOUT: About = About {
        id: "diff.kde_resub",
        title: "Differential entropy from a kernel density (resubstitution)",
        summary: "Differential entropy under a Gaussian kernel density that each value itself is part of: biased low.",
        equation: "H = −mean of log₂ f(xᵢ), f(x) = Σⱼ exp(−(x − xⱼ)²/2h²) / (n h √2π)",
        source: "Joe, Estimation of entropy and other functionals of a multivariate density, Ann. Inst. Stat. Math. 41, 683 (1989)",
        family: Family::Differential,
        accepts: Accepts::Series,
        cost: "O(N²), less where the bandwidth is small",
        gpu: false,
    };

    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        kernel(&p, false, input, context).await
    }
}

/// The kernel estimate at each value from the others.
pub struct LeaveOneOut;

impl Measure for LeaveOneOut {
    type Params = KernelParams;
    const ABOUT: About = About {
        id: "diff.kde_loo",
        title: "Differential entropy from a kernel density (leave one out)",
        summary: "Differential entropy under a Gaussian kernel density of the other values.",
        equation: "H = −mean of log₂ f₍₋ᵢ₎(xᵢ), f₍₋ᵢ₎(x) = Σ_{j≠i} exp(−(x − xⱼ)²/2h²) / ((n − 1) h √2π)",
        source: "Hall & Morton, On the estimation of entropy, Ann. Inst. Stat. Math. 45, 69 (1993)",
        family: Family::Differential,
        accepts: Accepts::Series,
        cost: "O(N²), less where the bandwidth is small",
        gpu: false,
    };

    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        kernel(&p, true, input, context).await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{compute::Cpu, data::Column, pace::Unhurried, rng::Philox};

    const IDS: [&str; 4] = ["diff.vasicek", "diff.ebrahimi", "diff.kde_resub", "diff.kde_loo"];

    fn run(id: &str, x: Vec<f64>) -> Value {
        let context = Context::new(&Cpu, &Unhurried);
        pollster::block_on(super::super::run(id, &json!({}), &Column::real("x", x), &context)).unwrap().value
    }

    #[test]
    fn known_laws_within_their_standard_error() {
        let mut rng = Philox::new(12, 0);
        let n = 20_000;
        // The standard error of −mean log₂ p is the deviation of log₂ p over √n: ½^½ / ln 2 for the normal, 1/ln 2 for Laplace's.
        let normal: Vec<f64> = (0..n).map(|_| 3.0 * rng.normal()).collect();
        let truth = 0.5 * (std::f64::consts::TAU * std::f64::consts::E * 9.0).log2();
        let laplace: Vec<f64> = (0..n)
            .map(|_| {
                let u = rng.uniform() - 0.5;
                -u.signum() * (1.0 - 2.0 * u.abs()).ln()
            })
            .collect();
        let of_laplace = (2.0 * std::f64::consts::E).log2();
        for id in IDS {
            let error = 1.0 / (std::f64::consts::LN_2 * f64::from(n).sqrt());
            for (x, truth) in [(&normal, truth), (&laplace, of_laplace)] {
                let value = run(id, x.clone()).scalar().unwrap();
                // Spacings and kernels smooth: their bias at this n is below 0.03 bits.
                assert!((value - truth).abs() < 4.0 * error + 0.03, "{id}: {value} {truth}");
            }
        }
    }

    #[test]
    fn scaling_adds_its_logarithm_and_moving_adds_nothing() {
        let mut rng = Philox::new(4, 0);
        let x: Vec<f64> = (0..500).map(|_| rng.normal()).collect();
        let y: Vec<f64> = x.iter().map(|v| 8.0 * v + 5.0).collect();
        for id in IDS {
            let (a, b) = (run(id, x.clone()).scalar().unwrap(), run(id, y.clone()).scalar().unwrap());
            assert!((b - a - 3.0).abs() < 1e-9, "{id}: {a} {b}");
        }
    }

    #[test]
    fn the_kernel_sum_is_that_over_all_pairs() {
        let mut rng = Philox::new(5, 0);
        for n in [2, 3, 9, 130, 1025] {
            let x: Vec<f64> = (0..n).map(|_| rng.uniform() * 40.0).collect();
            let mean = x.iter().sum::<f64>() / f64::from(n);
            let sd = (x.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / f64::from(n - 1)).sqrt();
            let h = sd * f64::from(n).powf(-0.2);
            let density = |at: f64| {
                let sum: f64 = x.iter().map(|v| (-0.5 * ((at - v) / h).powi(2)).exp()).sum();
                sum / (f64::from(n) * h * std::f64::consts::TAU.sqrt())
            };
            let truth = -x.iter().map(|&v| density(v).log2()).sum::<f64>() / f64::from(n);
            let value = run("diff.kde_resub", x.clone()).scalar().unwrap();
            assert!((value - truth).abs() < 1e-12 * truth.abs().max(1.0), "{n}: {value} {truth}");
        }
    }

    #[test]
    fn constants_and_ties_are_undefined() {
        for id in IDS {
            assert_eq!(run(id, vec![2.0; 50]), Value::Undefined(Undefined::ZeroVariance), "{id}");
        }
        let mut ties = vec![1.0; 50];
        ties.extend([2.0, 3.0, 4.0]);
        assert_eq!(run("diff.vasicek", ties), Value::Undefined(Undefined::Ties));
        // Alone, 25 bandwidths from the others: 313 nats for that one value of a hundred.
        let alone = (0..100).map(|i| f64::from(i == 99)).collect();
        assert!(run("diff.kde_loo", alone).scalar().unwrap().is_finite());
    }
}
