//! Text under a model: the cross entropy of held-out bytes with n-gram frequencies of what comes before them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    About, Accepts, Context, Family, Input, Measure, MeasureError, Outcome, ParameterError, Series, Value,
    discrete::NoParams,
};
use crate::{
    pace::Pace,
    quantity::{Uncertainty, Unit},
};

/// The byte values.
const ALPHABET: f64 = 256.0;
/// Below this many bytes a model has learned little.
const ENOUGH: u64 = 1000;
/// Bytes between two calls of [`Pace::tick`].
const TICK: usize = 1 << 18;
/// The groups of consecutive bytes that the standard error is taken from.
const GROUPS: usize = 20;

/// Parameters of the n-gram model.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ModelParams {
    /// Bytes in an n-gram: the model knows the n − 1 bytes before each.
    #[schemars(range(min = 1, max = 7))]
    pub n: u32,
    /// What is added to every count before frequencies are taken (1: Laplace), so that nothing is impossible.
    #[schemars(range(min = 1e-9, max = 1000.0))]
    pub alpha: f64,
    /// The share of the bytes, from the start, that the model is made of; the rest is predicted.
    #[schemars(range(min = 0.01, max = 0.99))]
    pub train: f64,
}

impl Default for ModelParams {
    fn default() -> Self {
        Self { n: 2, alpha: 1.0, train: 0.5 }
    }
}

/// Counts by number: a table for few possible numbers, open addressing for many.
struct Counter {
    keys: Vec<u64>,
    counts: Vec<u32>,
    used: usize,
    direct: bool,
}

/// No n-gram of up to seven bytes has this number.
const EMPTY: u64 = u64::MAX;

impl Counter {
    /// For n-grams of `length` bytes.
    fn new(length: u32) -> Self {
        let direct = length <= 2;
        let slots = if direct { 1 << (8 * length) } else { 1 << 12 };
        Self { keys: if direct { Vec::new() } else { vec![EMPTY; slots] }, counts: vec![0; slots], used: 0, direct }
    }

    /// The slot of `key`, or the empty one where it belongs.
    fn slot(&self, key: u64) -> usize {
        if self.direct {
            return usize::try_from(key).unwrap_or(usize::MAX);
        }
        let mask = self.keys.len() - 1;
        // Fibonacci hashing: the high bits of the product are well mixed.
        let hash = key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - self.keys.len().trailing_zeros());
        let mut slot = usize::try_from(hash).unwrap_or(usize::MAX) & mask;
        while self.keys[slot] != key && self.keys[slot] != EMPTY {
            slot = (slot + 1) & mask;
        }
        slot
    }

    fn add(&mut self, key: u64) {
        let slot = self.slot(key);
        if !self.direct && self.keys[slot] == EMPTY {
            self.keys[slot] = key;
            self.used += 1;
        }
        self.counts[slot] = self.counts[slot].saturating_add(1);
        if !self.direct && 2 * self.used > self.keys.len() {
            self.grow();
        }
    }

    fn grow(&mut self) {
        let size = 2 * self.keys.len();
        let keys = std::mem::replace(&mut self.keys, vec![EMPTY; size]);
        let counts = std::mem::replace(&mut self.counts, vec![0; size]);
        for (key, count) in keys.into_iter().zip(counts).filter(|(key, _)| *key != EMPTY) {
            let slot = self.slot(key);
            self.keys[slot] = key;
            self.counts[slot] = count;
        }
    }

    fn get(&self, key: u64) -> f64 {
        f64::from(self.counts[self.slot(key)])
    }
}

/// The n-grams of `bytes` as numbers, in order.
fn numbers(bytes: &[u8], n: u32) -> impl Iterator<Item = u64> + '_ {
    let mask = (1_u64 << (8 * n)) - 1;
    let skipped = n as usize - 1;
    bytes
        .iter()
        .scan(0_u64, move |number, &byte| {
            *number = (*number << 8 | u64::from(byte)) & mask;
            Some(*number)
        })
        .skip(skipped)
}

/// What a model says of held-out bytes.
struct Predicted {
    /// Mean surprisal in bits.
    bits: f64,
    /// Its standard error over groups of consecutive bytes.
    error: Option<f64>,
    train: usize,
    test: usize,
    /// The share of the predicted n-grams that the model has never seen.
    unseen: f64,
    n: u64,
}

#[expect(clippy::cast_precision_loss, reason = "lengths are below 2^53")]
async fn predict(id: &str, p: &ModelParams, bytes: &[u8], pace: &dyn Pace) -> Result<Predicted, MeasureError> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a length")]
    let cut = (bytes.len() as f64 * p.train).floor() as usize;
    let (train, test) = bytes.split_at(cut.min(bytes.len()));
    let n = p.n as usize;
    if !(p.alpha > 0.0 && p.alpha.is_finite()) {
        return Err(ParameterError::Invalid {
            of: id.to_owned(),
            key: "alpha".to_owned(),
            given: p.alpha.to_string(),
            expected: "expected a number above 0".to_owned(),
        }
        .into());
    }
    if train.len() < n || test.len() < n {
        return Err(MeasureError::TooShort {
            n: bytes.len() as u64,
            what: format!("an n-gram of {n} bytes both to learn and to predict"),
            needed: 2 * n as u64,
        });
    }
    // A context counts as often as something follows it.
    let (mut grams, mut contexts) = (Counter::new(p.n), Counter::new(p.n - 1));
    for (i, gram) in numbers(train, p.n).enumerate() {
        grams.add(gram);
        contexts.add(gram >> 8);
        if i % TICK == TICK - 1 {
            pace.tick(i as u64, bytes.len() as u64).await?;
        }
    }
    let predicted = test.len() - (n - 1);
    let (mut groups, mut unseen) = (vec![0.0; GROUPS], 0_u64);
    for (i, gram) in numbers(test, p.n).enumerate() {
        let seen = grams.get(gram);
        unseen += u64::from(seen == 0.0);
        let surprisal = ((contexts.get(gram >> 8) + ALPHABET * p.alpha) / (seen + p.alpha)).log2();
        groups[i * GROUPS / predicted] += surprisal;
        if i % TICK == TICK - 1 {
            pace.tick((train.len() + i) as u64, bytes.len() as u64).await?;
        }
    }
    let bits = groups.iter().sum::<f64>() / predicted as f64;
    let error = (predicted >= 10 * GROUPS).then(|| {
        let size = predicted as f64 / GROUPS as f64;
        let square = groups.iter().map(|g| (g / size - bits).powi(2)).sum::<f64>();
        (square / (GROUPS * (GROUPS - 1)) as f64).sqrt()
    });
    let (train, test) = (train.len(), test.len());
    Ok(Predicted { bits, error, train, test, unseen: unseen as f64 / predicted as f64, n: bytes.len() as u64 })
}

impl Predicted {
    /// The outcome of `value`, a growing function of the mean surprisal.
    fn outcome(&self, value: fn(f64) -> f64, unit: Unit, context: &Context<'_>) -> Outcome {
        let mut outcome = Outcome::new(Value::Scalar(value(self.bits)), unit, "add-α n-gram model, held out", self.n)
            .detail("bytes_learned", self.train)
            .detail("bytes_predicted", self.test)
            .detail("unseen", self.unseen);
        if let Some(error) = self.error.filter(|_| context.resamples > 0) {
            let (low, high) = (value(self.bits - 1.96 * error), value(self.bits + 1.96 * error));
            let method = format!("means of {GROUPS} consecutive groups");
            outcome.uncertainty = Some(Uncertainty { low, high, method });
        }
        if self.n < ENOUGH {
            outcome = outcome.warn("too_short", format!("fewer than {ENOUGH} bytes: the model has learned little"));
        }
        outcome
    }
}

/// The cross entropy of the rest of a text with a model of its start.
pub struct CrossEntropy;

impl Measure for CrossEntropy {
    type Params = ModelParams;
    const ABOUT: About = About {
        id: "cross_entropy.ngram",
        title: "Cross entropy with an n-gram model",
        summary: "Bits per byte of the second part of a text when n-gram frequencies of its first part predict it.",
        equation: "H = −(1/M) Σ log₂ q(b_i | b_{i−n+1} … b_{i−1}) over held-out bytes, q = (c(gram) + α) / (c(context) + 256 α)",
        tex: &[
            r"H = -\frac{1}{M} \sum_i \log_2 q(b_i \mid b_{i-n+1} \ldots b_{i-1})",
            r"b_i \text{ the } M \text{ held-out bytes}",
            r"q = \frac{c(\mathrm{gram}) + \alpha}{c(\mathrm{context}) + 256 \alpha}",
        ],
        source: "Shannon (1948); Jurafsky & Martin, Speech and Language Processing, ch. 3 (add-k smoothing, perplexity)",
        family: Family::Bytes,
        accepts: Accepts::Bytes,
        cost: "O(N)",
        gpu: false,
        unit: "bits/byte",
        uncertainty: "standard error of the means of 20 consecutive groups",
        bias: "high: a model of counts costs what it has not learned",
    };

    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        let predicted = predict(Self::ABOUT.id, &p, &input.bytes()?, context.pace).await?;
        Ok(predicted.outcome(|bits| bits, Unit::BitsPerByte, context))
    }
}

/// The perplexity of the rest of a text under a model of its start.
pub struct Perplexity;

impl Measure for Perplexity {
    type Params = ModelParams;
    const ABOUT: About = About {
        id: "perplexity.ngram",
        title: "Perplexity of an n-gram model",
        summary: "Among how many equally likely bytes the model hesitates on average: 2 to the cross entropy.",
        equation: "2^H, H the cross entropy of held-out bytes in bits per byte",
        tex: &[r"2^H", r"H \text{ the cross entropy of held-out bytes in bits per byte}"],
        source: "Jelinek, Mercer, Bahl & Baker, Perplexity: a measure of the difficulty of speech recognition tasks, J. Acoust. Soc. Am. 62, S63 (1977)",
        family: Family::Bytes,
        accepts: Accepts::Bytes,
        cost: "O(N)",
        gpu: false,
        unit: "1",
        uncertainty: "standard error of the means of 20 consecutive groups",
        bias: "high, as the cross entropy",
    };

    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        let predicted = predict(Self::ABOUT.id, &p, &input.bytes()?, context.pace).await?;
        Ok(predicted.outcome(f64::exp2, Unit::One, context))
    }
}

/// The mean surprisal of the probabilities that a model gave to what happened, and its standard error over groups.
#[expect(clippy::cast_precision_loss, reason = "lengths are below 2^53")]
fn of_probabilities(id: &'static str, input: &Input<'_>) -> Result<(f64, Option<f64>, Series<'static>), MeasureError> {
    let series = input.series()?;
    let n = series.values.len();
    if n == 0 {
        return Err(MeasureError::TooShort { n: 0, what: "a mean surprisal".to_owned(), needed: 1 });
    }
    if let Some((i, p)) = series.values.iter().enumerate().find(|(_, p)| !(0.0..=1.0).contains(*p)) {
        let (wanted, found) = ("probabilities from 0 to 1".to_owned(), format!("value {i} is {p}"));
        return Err(MeasureError::Domain { measure: id, wanted, found });
    }
    let mut groups = [0.0; GROUPS];
    series.values.iter().enumerate().for_each(|(i, p)| groups[i * GROUPS / n] -= p.log2());
    let bits = groups.iter().sum::<f64>() / n as f64;
    let error = (n >= 10 * GROUPS && bits.is_finite()).then(|| {
        let size = n as f64 / GROUPS as f64;
        let square = groups.iter().map(|g| (g / size - bits).powi(2)).sum::<f64>();
        (square / (GROUPS * (GROUPS - 1)) as f64).sqrt()
    });
    Ok((bits, error, Series { values: series.values.into_owned().into(), ..series }))
}

/// The outcome of `value`, a growing function of the mean surprisal of given probabilities.
fn given_outcome(
    id: &'static str,
    value: fn(f64) -> f64,
    unit: Unit,
    input: &Input<'_>,
    context: &Context<'_>,
) -> Result<Outcome, MeasureError> {
    let (bits, error, series) = of_probabilities(id, input)?;
    // + 0.0: the surprisal of certainty is not minus zero.
    let mut outcome =
        Outcome::new(Value::Scalar(value(bits + 0.0)), unit, "mean of −log₂ p", series.values.len() as u64);
    if series.omitted > 0 {
        outcome = outcome.detail("omitted", series.omitted);
    }
    if let Some(error) = error.filter(|_| context.resamples > 0) {
        let (low, high) = (value(bits - 1.96 * error), value(bits + 1.96 * error));
        outcome.uncertainty = Some(Uncertainty { low, high, method: format!("means of {GROUPS} consecutive groups") });
    }
    let impossible = series.values.iter().filter(|p| **p == 0.0).count();
    if impossible > 0 {
        let text = format!("{impossible} things happened that had the probability 0");
        outcome = outcome.detail("impossible", impossible).warn("infinite", text);
    }
    Ok(outcome)
}

/// The cross entropy of what happened with the probabilities that a model gave it.
pub struct GivenCrossEntropy;

impl Measure for GivenCrossEntropy {
    type Params = NoParams;
    const ABOUT: About = About {
        id: "cross_entropy.given",
        title: "Cross entropy of given probabilities",
        summary: "Bits per symbol that a model of your own needs: the mean surprisal of the probabilities it gave to what happened.",
        equation: "H = −(1/N) Σ log₂ qᵢ, qᵢ the probability that was given to what happened",
        tex: &[
            r"H = -\frac{1}{N} \sum_{i=1}^{N} \log_2 q_i",
            r"q_i \text{ the probability that was given to what happened}",
        ],
        source: "Shannon, Prediction and entropy of printed English, Bell Syst. Tech. J. 30, 50 (1951); Good, Rational decisions, J. R. Stat. Soc. B 14, 107 (1952)",
        family: Family::Bytes,
        accepts: Accepts::Series,
        cost: "O(N)",
        gpu: false,
        unit: "bits/symbol",
        uncertainty: "standard error of the means of 20 consecutive groups",
        bias: "none, if the model has not seen what it predicts",
    };

    async fn measure(_: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        given_outcome(Self::ABOUT.id, |bits| bits, Unit::BitsPerSymbol, input, context)
    }
}

/// Two to that cross entropy.
pub struct GivenPerplexity;

impl Measure for GivenPerplexity {
    type Params = NoParams;
    const ABOUT: About = About {
        id: "perplexity.given",
        title: "Perplexity of given probabilities",
        summary: "Among how many equally likely symbols a model of your own hesitates on average: 2 to the cross entropy.",
        equation: "2^H, H = −(1/N) Σ log₂ qᵢ, qᵢ the probability that was given to what happened",
        tex: &[
            r"2^H, \quad H = -\frac{1}{N} \sum_{i=1}^{N} \log_2 q_i",
            r"q_i \text{ the probability that was given to what happened}",
        ],
        source: "Jelinek, Mercer, Bahl & Baker, Perplexity: a measure of the difficulty of speech recognition tasks, J. Acoust. Soc. Am. 62, S63 (1977)",
        family: Family::Bytes,
        accepts: Accepts::Series,
        cost: "O(N)",
        gpu: false,
        unit: "1",
        uncertainty: "standard error of the means of 20 consecutive groups",
        bias: "none, if the model has not seen what it predicts",
    };

    async fn measure(_: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        given_outcome(Self::ABOUT.id, f64::exp2, Unit::One, input, context)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;
    use crate::{compute::Cpu, data::Column, measure::run, pace::Unhurried};

    #[test]
    fn impossible_and_certain_things_are_told() {
        let of = |p: &[f64]| {
            let context = Context::new(&Cpu, &Unhurried);
            pollster::block_on(run(
                "cross_entropy.given",
                &serde_json::json!({}),
                &Column::real("q", p.to_vec()),
                &context,
            ))
        };
        assert_eq!(of(&[1.0, 1.0]).unwrap().value, Value::Scalar(0.0));
        assert_eq!(of(&[0.5, 0.0]).unwrap().why().unwrap(), "infinite: 1 things happened that had the probability 0");
        assert!(
            of(&[0.5, 1.5]).unwrap_err().to_string().contains("takes probabilities from 0 to 1, and value 1 is 1.5")
        );
        assert!(matches!(of(&[]), Err(MeasureError::TooShort { .. })));
    }

    proptest! {
        #[test]
        fn the_model_is_the_definition(raw in prop::collection::vec(prop::sample::select(b"abc ".to_vec()), 14..400), n in 1_u32..5, alpha in 0.1_f64..2.0) {
            let p = ModelParams { n, alpha, train: 0.5 };
            let got = pollster::block_on(predict("x", &p, &raw, &Unhurried)).unwrap();
            let (train, test) = raw.split_at(raw.len() / 2);
            let n = n as usize;
            let mut counts: HashMap<&[u8], f64> = HashMap::new();
            let mut contexts: HashMap<&[u8], f64> = HashMap::new();
            for gram in train.windows(n) {
                *counts.entry(gram).or_default() += 1.0;
                *contexts.entry(&gram[..n - 1]).or_default() += 1.0;
            }
            let q = |gram: &[u8]| {
                let of = |map: &HashMap<&[u8], f64>, key: &[u8]| map.get(key).copied().unwrap_or(0.0);
                (of(&counts, gram) + alpha) / (of(&contexts, &gram[..n - 1]) + 256.0 * alpha)
            };
            let expected = test.windows(n).map(|g| -q(g).log2()).sum::<f64>() / test.windows(n).len() as f64;
            prop_assert!((got.bits - expected).abs() < 1e-12 * expected, "{} {expected}", got.bits);
        }

        #[test]
        fn given_probabilities_are_as_surprising_as_they_say(p in prop::collection::vec(0.001_f64..1.0, 1..300)) {
            let column = Column::real("q", p.clone());
            let context = Context::new(&Cpu, &Unhurried).with_resamples(10, 0);
            let of = |id: &str| pollster::block_on(run(id, &serde_json::json!({}), &column, &context)).unwrap();
            let (cross, perplexity) = (of("cross_entropy.given"), of("perplexity.given"));
            let expected = p.iter().map(|q| -q.log2()).sum::<f64>() / p.len() as f64;
            prop_assert!((cross.value.scalar().unwrap() - expected).abs() < 1e-12 * (1.0 + expected));
            prop_assert!((perplexity.value.scalar().unwrap() / expected.exp2() - 1.0).abs() < 1e-12);
            prop_assert_eq!(cross.uncertainty.is_some(), p.len() >= 200);
        }

        #[test]
        fn counts_survive_growth(keys in prop::collection::vec(0_u64..1 << 56, 0..9000)) {
            let mut counter = Counter::new(7);
            keys.iter().chain(&keys).for_each(|&key| counter.add(key));
            prop_assert!(keys.iter().all(|&key| counter.get(key) >= 2.0));
            let total: u64 = counter.counts.iter().map(|&c| u64::from(c)).sum();
            prop_assert_eq!(total, 2 * keys.len() as u64);
        }
    }
}
