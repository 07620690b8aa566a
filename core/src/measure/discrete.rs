//! Entropy of discrete values: the plug-in estimate, its corrections, and the Rényi and Tsallis families.
//!
//! Notation: counts n_i of K observed symbols, N = Σ n_i, p_i = n_i / N.

use std::f64::consts::LN_2;

use futures_util::future::LocalBoxFuture;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use statrs::function::gamma::digamma;

use super::{
    About, Accepts, Context, Family, Input, Measure, MeasureError, Outcome, ParameterError, Value,
    input::Sequence,
    stream::{Accumulator, Gaps, SymbolCounts},
    symbols::Words,
    uncertainty,
};
use crate::{
    data::{Chunk, Column, DataError},
    figure::{Axis, Colour, Figure, Mark, Panel},
    quantity::{Uncertainty, Unit},
};

/// More symbols than this are not drawn as bars.
const MOST_BARS: usize = 256;
/// A column that passes by may have this many distinct values: a table of about 100 MB.
const MOST_STREAMED_SYMBOLS: usize = 1 << 22;
/// What one of them takes in a hash table, about.
const BYTES_A_SYMBOL: u64 = 24;

/// −Σ p log₂ p of `counts`, in bits; 0 for no counts at all.
///
/// Terms with p > ½ use ln(1 + (p − 1)), so that an almost certain law keeps its digits.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
pub fn plugin_bits(counts: &[u64]) -> f64 {
    let total: u64 = counts.iter().sum();
    let n = total as f64;
    let nats: f64 = counts
        .iter()
        .filter(|&&c| c > 0 && c < total)
        .map(|&c| {
            let p = c as f64 / n;
            let surprisal = if 2 * c > total { -(-((total - c) as f64) / n).ln_1p() } else { -p.ln() };
            p * surprisal
        })
        .sum();
    nats / LN_2
}

/// A measure without parameters of its own.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NoParams {}

type Estimator = Box<dyn Fn(&[u64]) -> f64>;
type Check = Box<dyn Fn(&[u64]) -> Result<(), MeasureError>>;

/// A discrete estimator: a function of counts, and what is said about it.
pub(super) struct Recipe {
    unit: Unit,
    name: &'static str,
    /// Below so many samples a symbol the estimate is noticeably biased.
    per_symbol: u64,
    estimator: Estimator,
    /// Whether the counts are such as the parameters allow.
    check: Option<Check>,
    /// The estimator's own standard deviation and the name of that, in place of a bootstrap.
    deviation: Option<(&'static str, Estimator)>,
}

impl Recipe {
    pub(super) fn new(name: &'static str, per_symbol: u64, estimator: impl Fn(&[u64]) -> f64 + 'static) -> Self {
        Self { unit: Unit::Bits, name, per_symbol, estimator: Box::new(estimator), check: None, deviation: None }
    }

    /// The same with counts that are refused unless `check` passes.
    pub(super) fn checked(self, check: impl Fn(&[u64]) -> Result<(), MeasureError> + 'static) -> Self {
        Self { check: Some(Box::new(check)), ..self }
    }

    /// The same with a standard deviation of its own.
    pub(super) fn with_deviation(self, name: &'static str, deviation: impl Fn(&[u64]) -> f64 + 'static) -> Self {
        Self { deviation: Some((name, Box::new(deviation))), ..self }
    }

    /// Counts the symbols of a column in memory.
    pub(super) async fn measure(self, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        let Sequence { codes, alphabet, omitted } = &input.symbols()?;
        let words = Words { codes, alphabet: (*alphabet).max(1), length: 1 };
        let done = context.compute.word_counts(&words, context.pace).await?;
        Ok(self.outcome(&done.value, *omitted, context).await?.ran(done.ran))
    }

    /// The value of non-zero `counts`, with its bootstrap interval and the warnings of the family.
    async fn outcome(self, counts: &[u64], omitted: u64, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        let (n, k) = (counts.iter().sum::<u64>(), counts.len() as u64);
        if n == 0 {
            return Err(MeasureError::TooShort { n: 0, what: "an entropy".to_owned(), needed: 1 });
        }
        if let Some(check) = &self.check {
            check(counts)?;
        }
        let estimate = (self.estimator)(counts);
        let value = Value::Scalar(estimate);
        let mut outcome = Outcome::new(value, self.unit, self.name, n).detail("observed_symbols", k);
        outcome.uncertainty = match &self.deviation {
            None => uncertainty::multinomial(counts, &*self.estimator, context).await?,
            Some((name, deviation)) => (context.resamples > 0).then(|| {
                let half = 1.96 * deviation(counts);
                Uncertainty { low: estimate - half, high: estimate + half, method: (*name).to_owned() }
            }),
        };
        if omitted > 0 {
            outcome = outcome.detail("omitted", omitted);
        }
        if n < self.per_symbol * k && k > 1 {
            let text =
                format!("{n} samples of {k} symbols: below {} a symbol the estimate is biased low", self.per_symbol);
            outcome = outcome.warn("few_samples", text);
        }
        if self.per_symbol > 0 && 2 * k > n && n > 1 {
            outcome = outcome.warn(
                "saturated",
                "more than half of the values are distinct: the estimate approaches log2 N whatever the data; bin real values with hist.entropy",
            );
        }
        Ok(match distribution(counts) {
            Some(figure) => outcome.figure(figure),
            None => outcome,
        })
    }

    pub(super) fn stream(self) -> Option<Box<dyn Accumulator>> {
        Some(Box::new(SymbolStream { recipe: self, counts: SymbolCounts::default(), gaps: Gaps::default() }))
    }
}

/// Counts the symbols of a column that passes by.
struct SymbolStream {
    recipe: Recipe,
    counts: SymbolCounts,
    gaps: Gaps,
}

impl Accumulator for SymbolStream {
    fn gaps(&mut self) -> &mut Gaps {
        &mut self.gaps
    }

    fn take(&mut self, chunk: Chunk<'_>) -> Result<(), DataError> {
        self.counts.push(chunk);
        if self.counts.distinct() > MOST_STREAMED_SYMBOLS {
            let what = format!("the table of more than {MOST_STREAMED_SYMBOLS} distinct values");
            return Err(DataError::TooLarge {
                what,
                needed: BYTES_A_SYMBOL * (MOST_STREAMED_SYMBOLS as u64 + 1),
                limit: BYTES_A_SYMBOL * MOST_STREAMED_SYMBOLS as u64,
            });
        }
        Ok(())
    }

    fn finish<'a>(self: Box<Self>, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Outcome, MeasureError>> {
        Box::pin(async move {
            let omitted = self.gaps.check()?;
            self.recipe.outcome(&self.counts.finish(), omitted, context).await
        })
    }
}

/// The sorted frequencies as bars.
#[expect(clippy::cast_precision_loss, reason = "a picture")]
fn distribution(counts: &[u64]) -> Option<Figure> {
    if counts.len() > MOST_BARS {
        return None;
    }
    let total = counts.iter().sum::<u64>().max(1) as f64;
    let mut heights: Vec<f64> = counts.iter().map(|&c| c as f64 / total).collect();
    heights.sort_unstable_by(|a, b| b.total_cmp(a));
    let edges = (0..=heights.len()).map(|i| i as f64 + 0.5).collect();
    Some(Figure {
        id: "distribution".to_owned(),
        title: "Frequencies of the symbols, commonest first".to_owned(),
        description: format!(
            "{} symbols; the commonest has a share of {:.1} %.",
            heights.len(),
            100.0 * heights.first().copied().unwrap_or_default()
        ),
        panels: vec![Panel {
            x: Axis::new("rank"),
            y: Axis::new("share"),
            marks: vec![Mark::Bars { edges, heights, colour: Colour::First }],
            weight: 1.0,
        }],
    })
}

/// The plug-in (maximum-likelihood) entropy.
pub struct Plugin;

impl Measure for Plugin {
    type Params = NoParams;
    const ABOUT: About = About {
        id: "shannon.plugin",
        title: "Shannon entropy, plug-in",
        summary: "The entropy of the observed frequencies: how many yes-no questions a value is worth on average.",
        equation: "H = −Σ pᵢ log₂ pᵢ",
        tex: &[r"H = -\sum_i p_i \log_2 p_i"],
        source: "Shannon, A mathematical theory of communication, Bell Syst. Tech. J. 27 (1948)",
        family: Family::Discrete,
        accepts: Accepts::Symbols,
        cost: "O(N)",
        gpu: true,
        unit: "bits",
        uncertainty: "bootstrap: 95 % interval of multinomial resamples of the counts",
        bias: "low by about (K − 1)/(2 N ln 2) bits",
    };

    async fn measure(_: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        Self::recipe().measure(input, context).await
    }

    fn accumulator(_: Self::Params, _: &Column) -> Result<Option<Box<dyn Accumulator>>, MeasureError> {
        Ok(Self::recipe().stream())
    }
}

impl Plugin {
    fn recipe() -> Recipe {
        Recipe::new("plug-in", 10, plugin_bits)
    }
}

/// The plug-in entropy with the first-order bias removed.
pub struct MillerMadow;

impl Measure for MillerMadow {
    type Params = NoParams;
    const ABOUT: About = About {
        id: "shannon.miller_madow",
        title: "Shannon entropy, Miller-Madow",
        summary: "Plug-in entropy plus the leading term of its bias, for samples that are short for their alphabet.",
        equation: "H = −Σ pᵢ log₂ pᵢ + (K − 1) / (2 N ln 2), K observed symbols",
        tex: &[r"H = -\sum_i p_i \log_2 p_i + \frac{K - 1}{2 N \ln 2}", r"K \text{ the number of observed symbols}"],
        source: "Miller, Note on the bias of information estimates, Information Theory in Psychology (1955)",
        family: Family::Discrete,
        accepts: Accepts::Symbols,
        cost: "O(N)",
        gpu: true,
        unit: "bits",
        uncertainty: "bootstrap: 95 % interval of multinomial resamples of the counts",
        bias: "low where symbols have not been seen yet: only the leading term of the bias is removed, with K the symbols seen",
    };

    async fn measure(_: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        Self::recipe().measure(input, context).await
    }

    fn accumulator(_: Self::Params, _: &Column) -> Result<Option<Box<dyn Accumulator>>, MeasureError> {
        Ok(Self::recipe().stream())
    }
}

impl MillerMadow {
    #[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
    fn recipe() -> Recipe {
        Recipe::new("Miller-Madow", 5, |counts| {
            let n = counts.iter().sum::<u64>() as f64;
            let observed = counts.iter().filter(|&&c| c > 0).count() as f64;
            plugin_bits(counts) + (observed - 1.0) / (2.0 * n * LN_2)
        })
    }
}

/// The error of a parameter that only its own parser can judge.
pub(super) fn invalid(measure: &str, key: &str, given: String, expected: &str) -> MeasureError {
    let (measure, key, expected) = (measure.to_owned(), key.to_owned(), expected.to_owned());
    ParameterError::Invalid { of: measure, key, given, expected }.into()
}

/// Which of Grassberger's two estimators.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GrassbergerParams {
    /// The year of the estimator: 1988 (digamma with an alternating term) or 2003 (its resummation, less biased).
    #[schemars(range(min = 1988, max = 2003))]
    pub year: u32,
}

impl Default for GrassbergerParams {
    fn default() -> Self {
        Self { year: 2003 }
    }
}

/// Grassberger's estimator.
pub struct Grassberger;

impl Measure for Grassberger {
    type Params = GrassbergerParams;
    const ABOUT: About = About {
        id: "shannon.grassberger",
        title: "Shannon entropy, Grassberger",
        summary: "An estimator with small bias down to few samples a symbol, built on the digamma function.",
        equation: "2003: H = [ln N − (1/N) Σ nᵢ G(nᵢ)] / ln 2, G(n) = ψ(n) + ((−1)ⁿ/2)[ψ((n+1)/2) − ψ(n/2)];  1988: H = (1/(N ln 2)) Σ nᵢ [ln N − ψ(nᵢ) − (−1)^nᵢ/(nᵢ+1)]",
        tex: &[
            r"2003 \colon \quad H = \frac{1}{\ln 2} \left[ \ln N - \frac{1}{N} \sum_i n_i G(n_i) \right]",
            r"G(n) = \psi(n) + \frac{(-1)^n}{2} \left[ \psi\left(\frac{n+1}{2}\right) - \psi\left(\frac{n}{2}\right) \right]",
            r"1988 \colon \quad H = \frac{1}{N \ln 2} \sum_i n_i \left[ \ln N - \psi(n_i) - \frac{(-1)^{n_i}}{n_i + 1} \right]",
        ],
        source: "Grassberger, Finite sample corrections to entropy and dimension estimates, Phys. Lett. A 128, 369 (1988); Entropy estimates from insufficient samplings, arXiv physics/0307138 (2003)",
        family: Family::Discrete,
        accepts: Accepts::Symbols,
        cost: "O(N + K)",
        gpu: true,
        unit: "bits",
        uncertainty: "bootstrap: 95 % interval of multinomial resamples of the counts",
        bias: "small from about two samples a symbol on (2003); low below",
    };

    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        Self::recipe(&p)?.measure(input, context).await
    }

    fn accumulator(p: Self::Params, _: &Column) -> Result<Option<Box<dyn Accumulator>>, MeasureError> {
        Ok(Self::recipe(&p)?.stream())
    }
}

impl Grassberger {
    #[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
    fn recipe(p: &GrassbergerParams) -> Result<Recipe, MeasureError> {
        let (g, name): (fn(u64) -> f64, _) = match p.year {
            2003 => (grassberger_g, "Grassberger 2003"),
            1988 => (|n| digamma(n as f64) + alternating(n) / (n as f64 + 1.0), "Grassberger 1988"),
            other => return Err(invalid("shannon.grassberger", "year", other.to_string(), "expected 1988 or 2003")),
        };
        Ok(Recipe::new(name, 2, move |counts| grassberger_nats(counts, g) / LN_2))
    }
}

/// Grassberger's G(n) = ψ(n) + ((−1)ⁿ/2)[ψ((n+1)/2) − ψ(n/2)] of 2003, for n ≥ 1.
#[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
pub(crate) fn grassberger_g(n: u64) -> f64 {
    let x = n as f64;
    digamma(x) + alternating(n) / 2.0 * (digamma(f64::midpoint(x, 1.0)) - digamma(x / 2.0))
}

const fn alternating(n: u64) -> f64 {
    if n.is_multiple_of(2) { 1.0 } else { -1.0 }
}

/// ln N − (1/N) Σ nᵢ g(nᵢ), in nats; 0 for a constant.
#[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
pub(crate) fn grassberger_nats(counts: &[u64], g: impl Fn(u64) -> f64) -> f64 {
    // A constant is certain: the estimator's small residue there is an artefact.
    if counts.iter().filter(|&&c| c > 0).count() <= 1 {
        return 0.0;
    }
    let n = counts.iter().sum::<u64>() as f64;
    let sum: f64 = counts.iter().filter(|&&c| c > 0).map(|&c| c as f64 * g(c)).sum();
    n.ln() - sum / n
}

/// The coverage-adjusted estimator.
pub struct ChaoShen;

impl Measure for ChaoShen {
    type Params = NoParams;
    const ABOUT: About = About {
        id: "shannon.chao_shen",
        title: "Shannon entropy, Chao-Shen",
        summary: "Corrects for symbols that were never seen, from the number of those seen once.",
        equation: "H = −Σ C pᵢ log₂(C pᵢ) / (1 − (1 − C pᵢ)ᴺ), C = 1 − f₁/N, f₁ symbols seen once",
        tex: &[
            r"H = -\sum_i \frac{C p_i \log_2(C p_i)}{1 - (1 - C p_i)^N}",
            r"C = 1 - \frac{f_1}{N}, \quad f_1 \text{ the number of symbols seen once}",
        ],
        source: "Chao & Shen, Nonparametric estimation of Shannon's index of diversity, Environ. Ecol. Stat. 10, 429 (2003)",
        family: Family::Discrete,
        accepts: Accepts::Symbols,
        cost: "O(N)",
        gpu: true,
        unit: "bits",
        uncertainty: "bootstrap: 95 % interval of multinomial resamples of the counts",
        bias: "small where the unseen symbols are about as rare as the rarest seen; erratic where nearly all are seen once",
    };

    async fn measure(_: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        Self::recipe().measure(input, context).await
    }

    fn accumulator(_: Self::Params, _: &Column) -> Result<Option<Box<dyn Accumulator>>, MeasureError> {
        Ok(Self::recipe().stream())
    }
}

impl ChaoShen {
    #[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
    fn recipe() -> Recipe {
        Recipe::new("Chao-Shen", 2, |counts| {
            let n = counts.iter().sum::<u64>() as f64;
            let singletons = counts.iter().filter(|&&c| c == 1).count() as f64;
            let unseen = if singletons == n { n - 1.0 } else { singletons };
            let coverage = 1.0 - unseen / n;
            let term = |c: u64| {
                let q = coverage * c as f64 / n;
                // 1 − (1 − q)^N without losing digits for small q
                -q * q.log2() / -(n * (-q).ln_1p()).exp_m1()
            };
            counts.iter().filter(|&&c| c > 0).map(|&c| term(c)).sum::<f64>().max(0.0)
        })
    }
}

/// Parameters of the Rényi entropy.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RenyiParams {
    /// Order α: a number of at least 0, or inf for the min-entropy; 0 counts symbols, 1 is Shannon's entropy.
    pub alpha: Order,
}

impl Default for RenyiParams {
    fn default() -> Self {
        Self { alpha: Order::Finite(2.0) }
    }
}

/// A non-negative order or infinity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Order {
    /// A number.
    Finite(f64),
    /// `inf`.
    Word(String),
}

impl Order {
    /// The number; `None` for anything else.
    pub(super) fn value(&self) -> Option<f64> {
        match self {
            Self::Finite(x) => Some(*x),
            Self::Word(w) => match w.as_str() {
                "inf" | "infinity" | "Infinity" | "∞" => Some(f64::INFINITY),
                _ => None,
            },
        }
        .filter(|x| *x >= 0.0)
    }
}

/// Rényi entropy.
pub struct Renyi;

impl Measure for Renyi {
    type Params = RenyiParams;
    const ABOUT: About = About {
        id: "renyi.plugin",
        title: "Rényi entropy",
        summary: "A family that weighs common symbols more as α grows: 0 counts symbols, 1 is Shannon, ∞ sees only the commonest.",
        equation: "H_α = log₂(Σ pᵢ^α) / (1 − α);  α→1: Shannon;  α→∞: −log₂ max pᵢ",
        tex: &[
            r"H_\alpha = \frac{1}{1-\alpha} \log_2 \sum_i p_i^\alpha",
            r"\alpha \to 1 \colon \quad H_1 = -\sum_i p_i \log_2 p_i",
            r"\alpha \to \infty \colon \quad H_\infty = -\log_2 \max_i p_i",
        ],
        source: "Rényi, On measures of entropy and information, Proc. 4th Berkeley Symp. (1961)",
        family: Family::Discrete,
        accepts: Accepts::Symbols,
        cost: "O(N + K)",
        gpu: true,
        unit: "bits",
        uncertainty: "bootstrap: 95 % interval of multinomial resamples of the counts",
        bias: "low for α < 1 and near 1 as the plug-in entropy; of order 1/N for α = 2",
    };

    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        Self::recipe(&p)?.measure(input, context).await
    }

    fn accumulator(p: Self::Params, _: &Column) -> Result<Option<Box<dyn Accumulator>>, MeasureError> {
        Ok(Self::recipe(&p)?.stream())
    }
}

impl Renyi {
    #[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
    fn recipe(p: &RenyiParams) -> Result<Recipe, MeasureError> {
        let alpha = p.alpha.value().ok_or_else(|| {
            let given = serde_json::to_string(&p.alpha).unwrap_or_default();
            invalid("renyi.plugin", "alpha", given, "expected a number of at least 0, or inf")
        })?;
        Ok(Recipe::new("plug-in", 10, move |counts| {
            let n = counts.iter().sum::<u64>() as f64;
            let law = || counts.iter().filter(|&&c| c > 0).map(|&c| c as f64 / n);
            if alpha == 1.0 {
                plugin_bits(counts)
            } else if alpha == 0.0 {
                (law().count() as f64).log2()
            } else if alpha.is_infinite() {
                -law().fold(0.0, f64::max).log2()
            } else {
                (law().map(|p| p.powf(alpha)).sum::<f64>().log2() / (1.0 - alpha)).max(0.0)
            }
        }))
    }
}

/// Parameters of the Tsallis entropy.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TsallisParams {
    /// Order q; 1 is Shannon's entropy with the natural logarithm.
    #[schemars(range(min = 0.0, max = 10.0))]
    pub q: f64,
}

impl Default for TsallisParams {
    fn default() -> Self {
        Self { q: 2.0 }
    }
}

/// Tsallis entropy.
pub struct Tsallis;

impl Measure for Tsallis {
    type Params = TsallisParams;
    const ABOUT: About = About {
        id: "tsallis.plugin",
        title: "Tsallis entropy",
        summary: "A non-additive family without a unit: q = 2 is the chance that two draws differ.",
        equation: "S_q = (1 − Σ pᵢ^q) / (q − 1);  q→1: −Σ pᵢ ln pᵢ",
        tex: &[r"S_q = \frac{1 - \sum_i p_i^q}{q - 1}", r"q \to 1 \colon \quad S_1 = -\sum_i p_i \ln p_i"],
        source: "Tsallis, Possible generalization of Boltzmann-Gibbs statistics, J. Stat. Phys. 52, 479 (1988)",
        family: Family::Discrete,
        accepts: Accepts::Symbols,
        cost: "O(N + K)",
        gpu: true,
        unit: "1",
        uncertainty: "bootstrap: 95 % interval of multinomial resamples of the counts",
        bias: "low; for q = 2 by the factor 1 − 1/N",
    };

    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        Self::recipe(&p).measure(input, context).await
    }

    fn accumulator(p: Self::Params, _: &Column) -> Result<Option<Box<dyn Accumulator>>, MeasureError> {
        Ok(Self::recipe(&p).stream())
    }
}

impl Tsallis {
    #[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
    fn recipe(p: &TsallisParams) -> Recipe {
        let q = p.q;
        let recipe = Recipe::new("plug-in", 10, move |counts| {
            if q == 1.0 {
                return plugin_bits(counts) * LN_2;
            }
            let n = counts.iter().sum::<u64>() as f64;
            let sum: f64 = counts.iter().filter(|&&c| c > 0).map(|&c| (c as f64 / n).powf(q)).sum();
            (1.0 - sum) / (q - 1.0)
        });
        Recipe { unit: Unit::One, ..recipe }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_almost_certain_law_keeps_its_digits() {
        // H(q) for q = 1e-9: q log2(1/q) + q/ln2 to first order
        let q = 1e-9_f64;
        let expected = (-q * q.ln() - (1.0 - q) * (-q).ln_1p()) / LN_2;
        let got = plugin_bits(&[1, 999_999_999]);
        assert!((got / expected - 1.0).abs() < 1e-12, "{got} {expected}");
    }

    #[test]
    fn certain_and_empty_laws_have_no_entropy() {
        assert_eq!(plugin_bits(&[]), 0.0);
        assert_eq!(plugin_bits(&[0, 7, 0]), 0.0);
        assert_eq!(plugin_bits(&[1, 1, 1, 1]), 2.0);
    }
}
