//! The Nemenman-Shafee-Bialek estimator: entropy averaged over priors that are nearly flat in entropy itself.
//!
//! Under a symmetric Dirichlet prior of strength β over K symbols, the entropy of counts n_i has a known posterior mean
//! S(β), and the counts a known probability ρ(β). A single β all but fixes the entropy in advance, so β is averaged over,
//! with the density dξ/dβ that makes the prior mean entropy ξ(β) = ψ(Kβ+1) − ψ(β+1) uniform on 0..ln K:
//!
//! Ŝ = ∫ S(β) ρ(β) (dξ/dβ) dβ / ∫ ρ(β) (dξ/dβ) dβ,  ρ(β) = Γ(Kβ)/Γ(N+Kβ) ∏ Γ(n_i+β)/Γ(β).
//!
//! Nemenman, Shafee & Bialek, Entropy and inference, revisited, NIPS 14 (2002). Second moments: Wolpert & Wolf, Phys.
//! Rev. E 52, 6841 (1995).
//!
//! The integral is taken over t = ln β, where the integrand is smooth and falls off exponentially on both sides, so that
//! the trapezoidal rule converges faster than any power of its step. Everything is in logarithms and in differences that
//! do not cancel, since ρ itself underflows from a few hundred counts on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use statrs::function::gamma::digamma;

use super::{
    About, Accepts, Accumulator, Context, Family, Input, Measure, MeasureError, Outcome, ParameterError,
    discrete::Recipe,
};
use crate::data::Column;

/// The range of ln β that is searched for the largest integrand.
const SEARCHED: (f64, f64) = (-80.0, 80.0);
/// The step of that search.
const STEP: f64 = 0.25;
/// The integrand is followed down to e^−45 of its largest value.
const FOLLOWED: f64 = 45.0;
/// Two successive rules agree when their means differ by no more than this share.
const AGREED: f64 = 1e-12;
/// The most intervals of a rule.
const MOST_INTERVALS: u32 = 1 << 15;
/// From here on the asymptotic series of the gamma function and its derivatives are exact in f64.
const ASYMPTOTIC: f64 = 16.0;

/// The number of symbols there could be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Alphabet {
    /// A number of symbols.
    Size(f64),
    /// `observed`: as many as were seen.
    Word(String),
}

/// Parameters of the estimator.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NsbParams {
    /// Alphabet size K: how many symbols there could be, a whole number from the observed number on, or the word observed.
    pub alphabet: Alphabet,
}

impl Default for NsbParams {
    fn default() -> Self {
        Self { alphabet: Alphabet::Word("observed".to_owned()) }
    }
}

/// Counts by how often each count occurs, and the alphabet.
struct Posterior {
    /// (n, number of symbols with n counts), zero counts included.
    counts: Vec<(f64, f64)>,
    total: f64,
    alphabet: f64,
}

impl Posterior {
    #[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
    fn new(counts: &[u64], alphabet: Option<f64>) -> Self {
        let mut sorted: Vec<u64> = counts.iter().copied().filter(|&c| c > 0).collect();
        sorted.sort_unstable();
        let observed = sorted.len() as f64;
        let alphabet = alphabet.unwrap_or(observed).max(observed);
        let mut by_count: Vec<(f64, f64)> =
            sorted.chunk_by(|a, b| a == b).map(|same| (same[0] as f64, same.len() as f64)).collect();
        if alphabet > observed {
            by_count.push((0.0, alphabet - observed));
        }
        Self { counts: by_count, total: sorted.iter().sum::<u64>() as f64, alphabet }
    }

    /// ln of the integrand over t = ln β, up to a constant.
    fn log_weight(&self, t: f64) -> f64 {
        let beta = t.exp();
        let likelihood: f64 = self.counts.iter().map(|&(n, times)| times * ln_rising(beta, n)).sum();
        likelihood - ln_rising(self.alphabet * beta, self.total) + density(beta, self.alphabet).ln() + t
    }

    /// The posterior mean of the entropy and of its square at one β, in nats.
    fn moments(&self, beta: f64) -> (f64, f64) {
        let a = self.total + self.alphabet * beta;
        let (psi_1, psi_2) = (digamma(a + 1.0), digamma(a + 2.0));
        let (mut mean, mut linear, mut squares, mut correction, mut own) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for &(n, times) in &self.counts {
            let x = n + beta;
            let psi = digamma(x + 1.0);
            mean += times * x / a * (psi_1 - psi);
            let f = psi - psi_2;
            linear += times * x * f;
            squares += times * x * x;
            correction += times * x * x * f * f;
            let above = psi + (x + 1.0).recip() - psi_2;
            own += times * x * (x + 1.0) * (above * above + trigamma(x + 2.0) - trigamma(a + 2.0));
        }
        let cross = linear * linear - correction - trigamma(a + 2.0) * (a * a - squares);
        (mean, (cross + own) / (a * (a + 1.0)))
    }

    /// The mean and the standard deviation of the entropy, in nats.
    fn mean_and_deviation(&self) -> (f64, f64) {
        if self.alphabet <= 1.0 {
            return (0.0, 0.0);
        }
        let (low, high, top) = self.support();
        let mut intervals = 64;
        let mut last = f64::NAN;
        loop {
            let step = (high - low) / f64::from(intervals);
            let (mut weights, mut first, mut second) = (0.0, 0.0, 0.0);
            for i in 0..=intervals {
                let t = low + step * f64::from(i);
                let weight = (self.log_weight(t) - top).exp();
                let (mean, square) = self.moments(t.exp());
                weights += weight;
                first += weight * mean;
                second += weight * square;
            }
            let mean = first / weights;
            if (mean - last).abs() <= AGREED * mean.abs() || intervals >= MOST_INTERVALS {
                return (mean, (second / weights - mean * mean).max(0.0).sqrt());
            }
            last = mean;
            intervals *= 2;
        }
    }

    /// Where the integrand is within e^−45 of its largest value, and the logarithm of that.
    fn support(&self) -> (f64, f64, f64) {
        let grid = || std::iter::successors(Some(SEARCHED.0), |t| Some(t + STEP)).take_while(|t| *t <= SEARCHED.1);
        let seen: Vec<(f64, f64)> = grid().map(|t| (t, self.log_weight(t))).collect();
        let start = seen.iter().max_by(|a, b| a.1.total_cmp(&b.1)).map_or(0.0, |s| s.0);
        let (peak, top) = self.peak(start - STEP, start + STEP);
        let walk = |direction: f64| {
            let mut step = 1e-3;
            let mut t = peak;
            while self.log_weight(t) > top - FOLLOWED && (SEARCHED.0..=SEARCHED.1).contains(&t) {
                t += direction * step;
                step *= 1.5;
            }
            t
        };
        // A second hump on the grid is integrated too.
        let far = seen.iter().filter(|s| s.1 > top - FOLLOWED).map(|s| s.0);
        let (low, high) = (walk(-1.0), walk(1.0));
        (far.clone().fold(low, f64::min), far.fold(high, f64::max), top)
    }

    /// The largest value between `a` and `b`, by golden sections.
    fn peak(&self, mut a: f64, mut b: f64) -> (f64, f64) {
        let golden = (5.0_f64.sqrt() - 1.0) / 2.0;
        for _ in 0..40 {
            let (c, d) = (b - golden * (b - a), a + golden * (b - a));
            if self.log_weight(c) > self.log_weight(d) { b = d } else { a = c }
        }
        let t = f64::midpoint(a, b);
        (t, self.log_weight(t))
    }
}

/// ln Γ(a + n) − ln Γ(a) for whole n ≥ 0, without the cancellation of the two.
fn ln_rising(a: f64, n: f64) -> f64 {
    let (mut a, mut n, mut shift) = (a, n, 0.0);
    // Γ(a + n)/Γ(a) = a (a+1) … until Stirling's series is exact.
    while a < ASYMPTOTIC && n > 0.0 {
        shift += a.ln();
        a += 1.0;
        n -= 1.0;
    }
    if n <= 0.0 {
        return shift;
    }
    let correction = |z: f64| {
        let w = (z * z).recip();
        (1.0 / 12.0 - w * (1.0 / 360.0 - w * (1.0 / 1260.0 - w * (1.0 / 1680.0 - w / 1188.0)))) / z
    };
    shift + n * a.ln() + (a + n - 0.5) * (n / a).ln_1p() - n + correction(a + n) - correction(a)
}

/// ψ′, the derivative of the digamma function, for positive `z`.
fn trigamma(z: f64) -> f64 {
    let (mut z, mut sum) = (z, 0.0);
    while z < ASYMPTOTIC {
        sum += (z * z).recip();
        z += 1.0;
    }
    let w = (z * z).recip();
    let tail = 1.0 / 6.0 - w * (1.0 / 30.0 - w * (1.0 / 42.0 - w * (1.0 / 30.0 - w * (5.0 / 66.0))));
    sum + z.recip() + w / 2.0 + tail * w / z
}

/// dξ/dβ = K ψ′(Kβ + 1) − ψ′(β + 1), positive for K > 1.
fn density(beta: f64, alphabet: f64) -> f64 {
    if beta < ASYMPTOTIC {
        return alphabet * trigamma(alphabet * beta + 1.0) - trigamma(beta + 1.0);
    }
    // The leading terms of both cancel: their series are subtracted term by term.
    let (w, k) = ((beta * beta).recip(), alphabet.recip());
    let rest = |power: i32| 1.0 - k.powi(power);
    let tail = rest(2) / 6.0
        - w * (rest(4) / 30.0 - w * (rest(6) / 42.0 - w * (rest(8) / 30.0 - w * rest(10) * (5.0 / 66.0))));
    w * (rest(1) / 2.0 - tail / beta)
}

/// The Nemenman-Shafee-Bialek estimator.
pub struct Nsb;

impl Measure for Nsb {
    type Params = NsbParams;
    const ABOUT: About = About {
        id: "shannon.nsb",
        title: "Shannon entropy, Nemenman-Shafee-Bialek",
        summary: "A Bayesian estimate with a prior that is flat in entropy: useful where there are fewer samples than symbols.",
        equation: "H = ∫ S(β) ρ(β) dξ / ∫ ρ(β) dξ, S the posterior mean under a Dirichlet prior of strength β over K symbols, ρ = Γ(Kβ)/Γ(N+Kβ) ∏ Γ(nᵢ+β)/Γ(β), ξ = ψ(Kβ+1) − ψ(β+1)",
        tex: &[
            r"H = \frac{\int S(\beta) \rho(\beta) \mathrm{d}\xi}{\int \rho(\beta) \mathrm{d}\xi}",
            r"S \text{ the posterior mean under a Dirichlet prior of strength } \beta \text{ over } K \text{ symbols}",
            r"\rho(\beta) = \frac{\Gamma(K\beta)}{\Gamma(N + K\beta)} \prod_i \frac{\Gamma(n_i + \beta)}{\Gamma(\beta)}",
            r"\xi = \psi(K\beta + 1) - \psi(\beta + 1)",
        ],
        source: "Nemenman, Shafee & Bialek, Entropy and inference, revisited, Adv. Neural Inf. Process. Syst. 14, 471 (2002)",
        family: Family::Discrete,
        accepts: Accepts::Symbols,
        cost: "O(N + 500 √N)",
        gpu: true,
        unit: "bits",
        uncertainty: "posterior standard deviation",
        bias: "small where the alphabet's size is right; the default, the symbols seen, is a lower bound of it",
    };

    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        Self::recipe(&p)?.measure(input, context).await
    }

    fn accumulator(p: Self::Params, _: &Column) -> Result<Option<Box<dyn Accumulator>>, MeasureError> {
        Ok(Self::recipe(&p)?.stream())
    }
}

impl Nsb {
    fn recipe(p: &NsbParams) -> Result<Recipe, MeasureError> {
        let alphabet = match &p.alphabet {
            Alphabet::Size(k) if k.fract() == 0.0 && (1.0..1e15).contains(k) => Some(*k),
            Alphabet::Word(word) if word.trim() == "observed" => None,
            _ => return Err(Self::invalid(p, "expected a whole number of symbols, or observed")),
        };
        let given = p.clone();
        let recipe = Recipe::new("Nemenman-Shafee-Bialek", 0, move |counts| {
            Posterior::new(counts, alphabet).mean_and_deviation().0 / std::f64::consts::LN_2
        });
        #[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
        let recipe = recipe.checked(move |counts| match alphabet {
            Some(k) if (counts.len() as f64) > k => {
                Err(Self::invalid(&given, &format!("expected at least the {} symbols that occur", counts.len())))
            }
            _ => Ok(()),
        });
        Ok(recipe.with_deviation("posterior standard deviation", move |counts| {
            Posterior::new(counts, alphabet).mean_and_deviation().1 / std::f64::consts::LN_2
        }))
    }

    fn invalid(p: &NsbParams, expected: &str) -> MeasureError {
        ParameterError::Invalid {
            of: Self::ABOUT.id.to_owned(),
            key: "alphabet".to_owned(),
            given: serde_json::to_string(&p.alphabet).unwrap_or_default(),
            expected: expected.to_owned(),
        }
        .into()
    }
}
