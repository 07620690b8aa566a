//! Joint counts of two columns of symbols, and what follows from them.

use std::collections::HashMap;

use super::null::{self, Null};
use crate::{
    compute::{Backend, Ran},
    measure::{
        About, Accepts, Context, Family, Input, Measure, MeasureError, Outcome, SymbolPair, Undefined, Value,
        discrete::{NoParams, plugin_bits},
        subject::pack,
        symbols::{MOST_DENSE_WORDS, Words},
        uncertainty,
    },
    quantity::{Uncertainty, Unit},
};

/// Rows that all shuffles together may count: some seconds.
const MOST_SHUFFLED: u64 = 400_000_000;
/// More joint symbols than this are not resampled.
const MOST_CELLS: usize = 1 << 16;

/// The counts of `codes`, wherever they are counted; `ran` keeps a GPU once there was one.
pub(super) async fn bits_of(
    codes: &[u32],
    alphabet: u32,
    ran: &mut Ran,
    context: &Context<'_>,
) -> Result<(f64, u64), MeasureError> {
    let words = Words { codes, alphabet: alphabet.max(1), length: 1 };
    let done = context.compute.word_counts(&words, context.pace).await?;
    if done.ran.backend == Backend::Gpu {
        *ran = done.ran;
    }
    Ok((plugin_bits(&done.value), done.value.len() as u64))
}

/// The plug-in entropy of symbols that were packed from shuffled parts, in bits: counted in a table where one fits.
pub(super) struct Recount {
    table: Vec<u64>,
}

impl Recount {
    pub(super) fn new(alphabet: u64) -> Self {
        let bins = if alphabet <= MOST_DENSE_WORDS { usize::try_from(alphabet).unwrap_or(0) } else { 0 };
        Self { table: vec![0; bins] }
    }

    /// The entropy of the pairs (a, b) with a below `ka` and b below `kb`.
    pub(super) fn bits(&mut self, a: &[u32], b: impl Iterator<Item = u32>, kb: u32) -> f64 {
        if self.table.is_empty() {
            let mut keys: Vec<u64> = a.iter().zip(b).map(|(&a, b)| (u64::from(a) << 32) | u64::from(b)).collect();
            keys.sort_unstable();
            let counts: Vec<u64> = keys.chunk_by(|a, b| a == b).map(|run| run.len() as u64).collect();
            return plugin_bits(&counts);
        }
        self.table.fill(0);
        for (&a, b) in a.iter().zip(b) {
            self.table[a as usize * kb as usize + b as usize] += 1;
        }
        plugin_bits(&self.table)
    }
}

/// The three entropies of a pair, in bits.
struct Entropies {
    x: f64,
    y: f64,
    xy: f64,
    /// Joint symbols that occur.
    cells: u64,
    /// Symbols of each column that occur.
    seen: (u64, u64),
    ran: Ran,
    pair: SymbolPair,
}

impl Entropies {
    async fn of(input: &Input<'_>, context: &Context<'_>) -> Result<Self, MeasureError> {
        let pair = input.symbol_pair()?;
        if pair.x.is_empty() {
            return Err(MeasureError::TooShort { n: 0, what: "a joint entropy".to_owned(), needed: 1 });
        }
        let mut ran = Ran::cpu();
        let (x, kx) = bits_of(&pair.x, pair.kx, &mut ran, context).await?;
        let (y, ky) = bits_of(&pair.y, pair.ky, &mut ran, context).await?;
        let (joint, k) = pack(&pair.x, pair.kx, &pair.y, pair.ky);
        let (xy, cells) = bits_of(&joint, k, &mut ran, context).await?;
        Ok(Self { x, y, xy, cells, seen: (kx, ky), ran, pair })
    }

    const fn n(&self) -> u64 {
        self.pair.x.len() as u64
    }

    /// I(X;Y); rounding may leave a little less than nothing.
    fn mutual(&self) -> f64 {
        (self.x + self.y - self.xy).max(0.0)
    }

    fn outcome(&self, value: Value, unit: Unit) -> Outcome {
        let mut outcome = Outcome::new(value, unit, "plug-in", self.n())
            .detail("observed_symbols", vec![self.seen.0, self.seen.1])
            .detail("observed_pairs", self.cells)
            .ran(self.ran.clone());
        if self.pair.omitted > 0 {
            outcome = outcome.detail("omitted", self.pair.omitted);
        }
        outcome
    }

    /// Warns where the pairs are too many for the samples.
    fn warn(&self, outcome: Outcome, needed: u64, bias: &str) -> Outcome {
        if self.n() >= 10 * needed || needed < 2 {
            return outcome;
        }
        let text = format!(
            "{} samples for {needed} pairs of symbols: below 10 a pair the estimate is biased {bias}",
            self.n()
        );
        outcome.warn("few_samples", text)
    }

    /// The bootstrap interval of a function of (H(X), H(Y), H(X,Y)).
    async fn uncertainty(
        &self,
        statistic: impl Fn(f64, f64, f64) -> f64,
        context: &Context<'_>,
    ) -> Result<Option<Uncertainty>, MeasureError> {
        if context.resamples == 0 || self.cells > MOST_CELLS as u64 {
            return Ok(None);
        }
        let mut cells: HashMap<(u32, u32), u64> = HashMap::new();
        self.pair.x.iter().zip(&self.pair.y).for_each(|(&x, &y)| *cells.entry((x, y)).or_default() += 1);
        let mut cells: Vec<((u32, u32), u64)> = cells.into_iter().collect();
        cells.sort_unstable();
        // Numbers the symbols that occur, so that the marginal counts need little room.
        let number = |all: Vec<u32>| {
            let mut distinct = all.clone();
            distinct.sort_unstable();
            distinct.dedup();
            let places = all.iter().map(|code| distinct.binary_search(code).unwrap_or(0)).collect::<Vec<_>>();
            (places, distinct.len())
        };
        let (xs, kx) = number(cells.iter().map(|(key, _)| key.0).collect());
        let (ys, ky) = number(cells.iter().map(|(key, _)| key.1).collect());
        let counts: Vec<u64> = cells.iter().map(|(_, count)| *count).collect();
        let of_counts = |counts: &[u64]| {
            let (mut nx, mut ny) = (vec![0; kx], vec![0; ky]);
            for ((&x, &y), &count) in xs.iter().zip(&ys).zip(counts) {
                nx[x] += count;
                ny[y] += count;
            }
            statistic(plugin_bits(&nx), plugin_bits(&ny), plugin_bits(counts))
        };
        uncertainty::multinomial(&counts, &of_counts, context).await
    }

    /// I(X;Y) of shuffled pairs.
    async fn null(&self, context: &Context<'_>) -> Result<Option<Null>, MeasureError> {
        let SymbolPair { x, y, kx, ky, .. } = &self.pair;
        let mut recount = Recount::new(u64::from(*kx) * u64::from(*ky));
        null::permutation(x.len(), self.x + self.y - self.xy, MOST_SHUFFLED, context, async |order| {
            Ok(self.x + self.y - recount.bits(x, order.iter().map(|&i| y[i as usize]), *ky))
        })
        .await
    }
}

/// The entropy of pairs.
pub struct Joint;

impl Measure for Joint {
    type Params = NoParams;
    const ABOUT: About = About {
        id: "joint.plugin",
        title: "Joint entropy",
        summary: "The entropy of two or more columns taken together: how many yes-no questions a row is worth.",
        equation: "H(X,Y) = −Σ p(x,y) log₂ p(x,y)",
        tex: &[r"H(X,Y) = -\sum_{x,y} p(x,y) \log_2 p(x,y)"],
        source: "Shannon, A mathematical theory of communication, Bell Syst. Tech. J. 27 (1948), section 6",
        family: Family::Pairs,
        accepts: Accepts::SymbolPair,
        cost: "O(N)",
        gpu: true,
        unit: "bits",
        uncertainty: "bootstrap: 95 % interval of multinomial resamples of the counts",
        bias: "low by about (K_xy − 1)/(2 N ln 2) bits",
    };

    async fn measure(_: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        let h = Entropies::of(input, context).await?;
        let mut outcome = h.outcome(Value::Scalar(h.xy), Unit::Bits);
        outcome.uncertainty = h.uncertainty(|_, _, xy| xy, context).await?;
        Ok(h.warn(outcome, h.cells, "low"))
    }
}

/// The entropy of the first column once the second is known.
pub struct Conditional;

impl Measure for Conditional {
    type Params = NoParams;
    const ABOUT: About = About {
        id: "cond.plugin",
        title: "Conditional entropy",
        summary: "What remains unknown of the first column once the second is known.",
        equation: "H(X|Y) = H(X,Y) − H(Y)",
        tex: &[r"H(X \mid Y) = H(X,Y) - H(Y)"],
        source: "Shannon, A mathematical theory of communication, Bell Syst. Tech. J. 27 (1948), section 6",
        family: Family::Pairs,
        accepts: Accepts::SymbolPair,
        cost: "O(N)",
        gpu: true,
        unit: "bits",
        uncertainty: "bootstrap: 95 % interval of multinomial resamples of the counts",
        bias: "low by about (K_xy − K_y)/(2 N ln 2) bits",
    };
    const DIRECTED: bool = true;

    async fn measure(_: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        let h = Entropies::of(input, context).await?;
        let mut outcome = h.outcome(Value::Scalar((h.xy - h.y).max(0.0)), Unit::Bits);
        outcome.uncertainty = h.uncertainty(|_, y, xy| xy - y, context).await?;
        Ok(h.warn(outcome, h.cells, "low"))
    }
}

/// Mutual information of discrete columns.
pub struct Mutual;

impl Measure for Mutual {
    type Params = NoParams;
    const ABOUT: About = About {
        id: "mi.plugin",
        title: "Mutual information, plug-in",
        summary: "How many bits each of two columns tells about the other: 0 if and only if they are independent. Compare with the mean under shuffling, which is the estimate's bias.",
        equation: "I(X;Y) = H(X) + H(Y) − H(X,Y)",
        tex: &[r"I(X;Y) = H(X) + H(Y) - H(X,Y)"],
        source: "Shannon, A mathematical theory of communication, Bell Syst. Tech. J. 27 (1948), section 12",
        family: Family::Pairs,
        accepts: Accepts::SymbolPair,
        cost: "O(N), O(200 N) with the null",
        gpu: true,
        unit: "bits",
        uncertainty: "bootstrap: 95 % interval of multinomial resamples of the counts; permutation null in the details (mean, 95 % band, p-value)",
        bias: "high by about (K_x − 1)(K_y − 1)/(2 N ln 2) bits: compare with the mean of the null",
    };

    async fn measure(_: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        let h = Entropies::of(input, context).await?;
        let mut outcome = h.outcome(Value::Scalar(h.mutual()), Unit::Bits);
        outcome.uncertainty = h.uncertainty(|x, y, xy| x + y - xy, context).await?;
        if let Some(null) = h.null(context).await? {
            outcome = null.annotate(outcome, |i| i);
        }
        Ok(h.warn(outcome, h.seen.0 * h.seen.1, "high"))
    }
}

/// Mutual information as a share of the geometric mean of the entropies.
pub struct Normalized;

impl Measure for Normalized {
    type Params = NoParams;
    const ABOUT: About = About {
        id: "nmi",
        title: "Normalised mutual information",
        summary: "Mutual information as a share of the geometric mean of both entropies: 0 for independent columns, 1 if each determines the other.",
        equation: "I(X;Y) / √(H(X) H(Y))",
        tex: &[r"\frac{I(X;Y)}{\sqrt{H(X) H(Y)}}"],
        source: "Strehl & Ghosh, Cluster ensembles, J. Mach. Learn. Res. 3, 583 (2002), section 3.2",
        family: Family::Pairs,
        accepts: Accepts::SymbolPair,
        cost: "O(N), O(200 N) with the null",
        gpu: true,
        unit: "1",
        uncertainty: "bootstrap: 95 % interval of multinomial resamples of the counts; permutation null in the details (mean, 95 % band, p-value)",
        bias: "high, as the mutual information",
    };

    async fn measure(_: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        let h = Entropies::of(input, context).await?;
        let scale = (h.x * h.y).sqrt();
        if scale == 0.0 {
            return Ok(h.outcome(Value::Undefined(Undefined::ZeroEntropy), Unit::One));
        }
        let mut outcome = h.outcome(Value::Scalar((h.mutual() / scale).min(1.0)), Unit::One);
        let ratio = |x: f64, y: f64, xy: f64| if x * y > 0.0 { (x + y - xy) / (x * y).sqrt() } else { 0.0 };
        outcome.uncertainty = h.uncertainty(ratio, context).await?;
        if let Some(null) = h.null(context).await? {
            outcome = null.annotate(outcome, |i| i / scale);
        }
        Ok(h.warn(outcome, h.seen.0 * h.seen.1, "high"))
    }
}

/// A distance between columns.
pub struct Rajski;

impl Measure for Rajski {
    type Params = NoParams;
    const ABOUT: About = About {
        id: "rajski",
        title: "Rajski's distance",
        summary: "A metric between columns: 0 if each determines the other, 1 if they are independent.",
        equation: "d = 1 − I(X;Y) / H(X,Y)",
        tex: &[r"d = 1 - \frac{I(X;Y)}{H(X,Y)}"],
        source: "Rajski, A metric space of discrete probability distributions, Inf. Control 4, 371 (1961)",
        family: Family::Pairs,
        accepts: Accepts::SymbolPair,
        cost: "O(N), O(200 N) with the null",
        gpu: true,
        unit: "1",
        uncertainty: "bootstrap: 95 % interval of multinomial resamples of the counts; permutation null in the details (mean, 95 % band, p-value)",
        bias: "low, as far as the mutual information is high",
    };

    async fn measure(_: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        let h = Entropies::of(input, context).await?;
        if h.xy == 0.0 {
            return Ok(h.outcome(Value::Undefined(Undefined::ZeroEntropy), Unit::One));
        }
        let distance = |x: f64, y: f64, xy: f64| if xy > 0.0 { (1.0 - (x + y - xy) / xy).clamp(0.0, 1.0) } else { 0.0 };
        let mut outcome = h.outcome(Value::Scalar(distance(h.x, h.y, h.xy)), Unit::One);
        outcome.uncertainty = h.uncertainty(distance, context).await?;
        if let Some(null) = h.null(context).await? {
            outcome = null.annotate(outcome, |i| distance(h.x, h.y, h.x + h.y - i));
        }
        Ok(h.warn(outcome, h.seen.0 * h.seen.1, "low"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::{compute::Cpu, data::Column, measure::find, pace::Unhurried, rng::Philox};

    fn value(id: &str, columns: &[&Column]) -> Value {
        let context = Context::new(&Cpu, &Unhurried);
        pollster::block_on(find(id).unwrap().run(&json!({}), columns, &context)).unwrap().value
    }

    fn scalar(id: &str, columns: &[&Column]) -> f64 {
        value(id, columns).scalar().unwrap()
    }

    proptest! {
        #[test]
        fn the_chain_rule_and_the_bounds_hold(rows in prop::collection::vec((0_i64..4, 0_i64..3, 0_i64..2), 1..200)) {
            let column = |name: &str, of: fn(&(i64, i64, i64)) -> i64| Column::integer(name, rows.iter().map(of).collect());
            let (x, y, z) = (column("x", |r| r.0), column("y", |r| r.1), column("z", |r| r.2));
            let (hx, hy) = (scalar("shannon.plugin", &[&x]), scalar("shannon.plugin", &[&y]));
            let (joint, mutual) = (scalar("joint.plugin", &[&x, &y]), scalar("mi.plugin", &[&x, &y]));
            prop_assert!((joint - hx - scalar("cond.plugin", &[&y, &x])).abs() < 1e-12);
            prop_assert!((mutual - (hy - scalar("cond.plugin", &[&y, &x]))).abs() < 1e-12);
            prop_assert!((mutual - scalar("mi.plugin", &[&y, &x])).abs() < 1e-12);
            prop_assert!(mutual <= hx.min(hy) + 1e-12 && mutual >= 0.0);
            prop_assert!(joint <= hx + hy + 1e-12);
            // I(X; Y,Z) = I(X;Y) + I(X;Z|Y) ≥ I(X;Y)
            prop_assert!(scalar("mi.plugin", &[&x, &y, &z]) >= mutual - 1e-12);
            prop_assert!(scalar("joint.plugin", &[&x, &y, &z]) >= joint - 1e-12);
            if let Some(share) = value("nmi", &[&x, &y]).scalar() {
                prop_assert!((0.0..=1.0).contains(&share));
            } else {
                prop_assert!(hx == 0.0 || hy == 0.0);
            }
        }
    }

    #[test]
    fn equal_columns_share_everything_and_a_constant_nothing() {
        let x = Column::integer("x", vec![0, 1, 2, 3, 0, 1, 2, 3]);
        let c = Column::integer("c", vec![7; 8]);
        assert_eq!(scalar("mi.plugin", &[&x, &x]), 2.0);
        assert_eq!(scalar("nmi", &[&x, &x]), 1.0);
        assert_eq!(scalar("rajski", &[&x, &x]), 0.0);
        assert_eq!(scalar("cond.plugin", &[&x, &x]), 0.0);
        assert_eq!(scalar("mi.plugin", &[&x, &c]), 0.0);
        assert_eq!(scalar("rajski", &[&x, &c]), 1.0);
        assert_eq!(value("nmi", &[&x, &c]), Value::Undefined(Undefined::ZeroEntropy));
        assert_eq!(value("rajski", &[&c, &c]), Value::Undefined(Undefined::ZeroEntropy));
        assert_eq!(scalar("joint.plugin", &[&c, &c]), 0.0);
    }

    #[test]
    fn the_null_of_independent_columns_has_the_bias_of_theory_and_holds_them() {
        let mut rng = Philox::new(5, 5);
        let mut column =
            |name: &str, k: u32| Column::integer(name, (0..4000).map(|_| i64::from(rng.below(k))).collect());
        let (x, y) = (column("x", 6), column("y", 5));
        let context = Context::new(&Cpu, &Unhurried).with_resamples(200, 1);
        let run = |columns: &[&Column]| {
            pollster::block_on(find("mi.plugin").unwrap().run(&json!({}), columns, &context)).unwrap()
        };
        let outcome = run(&[&x, &y]);
        let detail = |outcome: &Outcome, key: &str| outcome.details[key].as_f64().unwrap();
        // 2 N I ln 2 is χ² with (Kx−1)(Ky−1) degrees of freedom: mean 20, sd √40
        let unit = 2.0 * 4000.0 * std::f64::consts::LN_2;
        let error = 40.0_f64.sqrt() / unit / 200.0_f64.sqrt();
        assert!((detail(&outcome, "null_mean") - 20.0 / unit).abs() < 5.0 * error);
        assert!(detail(&outcome, "p_value") > 0.01);
        assert!(detail(&outcome, "null_low") < detail(&outcome, "null_mean"));
        let dependent = run(&[&x, &x]);
        assert_eq!(detail(&dependent, "p_value"), 1.0 / 201.0);
        let u = outcome.uncertainty.unwrap();
        assert!(u.low < u.high);
    }
}
