//! How far apart two laws are: relative entropy, its symmetric relative, and the cost of the wrong code.
//!
//! The first law is that of the first column. The second is that of the second column, which may be of another length, or
//! is given as probabilities.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    data::{Column, Symbols, Values},
    measure::{
        About, Accepts, Context, Family, Input, Measure, MeasureError, Outcome, Value,
        discrete::{invalid, plugin_bits},
        uncertainty,
    },
    quantity::Unit,
};

/// How far probabilities may be from a sum of 1.
const SUM: f64 = 1e-6;

/// Parameters of the comparisons.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LawParams {
    /// The second law as probabilities such as 0.2,0.3,0.5: of the whole numbers 0, 1, 2, …, else of the values in ascending order, or of labels as they first appear; empty takes the second column.
    pub q: Law,
    /// Added to every count of a column, so that no probability is zero; 0 adds nothing.
    #[schemars(range(min = 0.0, max = 1000.0))]
    pub smoothing: f64,
}

impl Default for LawParams {
    fn default() -> Self {
        Self { q: Law::Text(String::new()), smoothing: 0.0 }
    }
}

/// Probabilities.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Law {
    /// A list.
    List(Vec<f64>),
    /// One number.
    Number(f64),
    /// Separated by commas or spaces.
    Text(String),
}

impl Law {
    /// The probabilities; `None` where none are given.
    fn resolve(&self, id: &str) -> Result<Option<Vec<f64>>, MeasureError> {
        let expected = "expected probabilities of at least 0 that sum to 1, such as 0.2,0.3,0.5";
        let refuse = || invalid(id, "q", serde_json::to_string(self).unwrap_or_default(), expected);
        let list = match self {
            Self::List(list) => list.clone(),
            Self::Number(x) => vec![*x],
            Self::Text(text) => {
                let inner = text.trim().trim_start_matches('[').trim_end_matches(']');
                let fields = inner.split([',', ' ', ';']).filter(|f| !f.is_empty());
                fields.map(|f| f.parse::<f64>().map_err(|_| refuse())).collect::<Result<_, _>>()?
            }
        };
        if list.is_empty() {
            return Ok(None);
        }
        let sum: f64 = list.iter().sum();
        let sound = list.iter().all(|p| p.is_finite() && *p >= 0.0) && (sum - 1.0).abs() <= SUM;
        if sound { Ok(Some(list)) } else { Err(refuse()) }
    }
}

/// A value that two columns can have in common, whichever way it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Symbol<'a> {
    Whole(i64),
    /// The bits of a number that is not whole.
    Real(u64),
    Label(&'a str),
}

impl Symbol<'_> {
    #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
    fn of_real(x: f64) -> Self {
        const EXACT: f64 = 9_007_199_254_740_992.0; // 2^53
        if x.fract() == 0.0 && x.abs() < EXACT { Self::Whole(x as i64) } else { Self::Real(x.to_bits()) }
    }

    /// Numbers by value.
    #[expect(clippy::cast_precision_loss, reason = "whole numbers beyond 2^53 keep their order but for ties")]
    fn rank(&self) -> f64 {
        match self {
            Self::Whole(i) => *i as f64,
            Self::Real(bits) => f64::from_bits(*bits),
            Self::Label(_) => 0.0,
        }
    }
}

/// The counts of a column's values: numbers in ascending order, labels in that of their dictionary.
struct Tally<'a> {
    symbols: Vec<(Symbol<'a>, u64)>,
    omitted: u64,
}

impl<'a> Tally<'a> {
    fn of(input: &Input<'a>, column: &'a Column) -> Result<Self, MeasureError> {
        let count = |values: &mut dyn Iterator<Item = Symbol<'a>>| {
            let mut counts: HashMap<Symbol<'a>, u64> = HashMap::new();
            values.for_each(|s| *counts.entry(s).or_default() += 1);
            let mut symbols: Vec<(Symbol<'a>, u64)> = counts.into_iter().collect();
            symbols.sort_unstable_by(|a, b| a.0.rank().total_cmp(&b.0.rank()));
            symbols
        };
        let (symbols, omitted) = match &column.values {
            Some(Values::Bytes(v)) => {
                let mut counts = [0_u64; 256];
                v[..input.take(v.len())].iter().for_each(|&b| counts[usize::from(b)] += 1);
                let symbols = counts.iter().zip(0..).filter(|(c, _)| **c > 0).map(|(c, i)| (Symbol::Whole(i), *c));
                (symbols.collect(), 0)
            }
            Some(Values::Integer(v)) => (count(&mut v[..input.take(v.len())].iter().map(|&x| Symbol::Whole(x))), 0),
            Some(Values::Real(v) | Values::Time(v)) => {
                let v = &v[..input.take(v.len())];
                let kept = input.keep(v.len(), |i| !v[i].is_finite())?;
                let finite = v.iter().filter(|x| x.is_finite());
                (count(&mut finite.map(|&x| Symbol::of_real(x))), kept.omitted)
            }
            Some(Values::Symbols(s)) => {
                let codes = &s.codes[..input.take(s.codes.len())];
                let kept = input.keep(codes.len(), |i| codes[i] == Symbols::MISSING)?;
                let mut counts = vec![0; s.labels.len()];
                codes.iter().filter(|c| **c != Symbols::MISSING).for_each(|&c| counts[c as usize] += 1);
                let symbols = s.labels.iter().zip(counts).map(|(label, c)| (Symbol::Label(label), c));
                (symbols.collect(), kept.omitted)
            }
            None => (Vec::new(), 0),
        };
        Ok(Self { symbols, omitted })
    }

    fn total(&self) -> u64 {
        self.symbols.iter().map(|(_, c)| c).sum()
    }
}

/// Two laws over the same symbols.
struct Laws {
    /// Counts of the first column.
    counts: Vec<u64>,
    /// Added to each.
    smoothing: f64,
    q: Vec<f64>,
    n: u64,
    /// Values of the second column; `None` where q is given.
    m: Option<u64>,
    omitted: u64,
}

impl Laws {
    fn of(id: &'static str, p: &LawParams, input: &Input<'_>) -> Result<Self, MeasureError> {
        let given = p.q.resolve(id)?;
        let columns: Vec<&Column> = input.subject.columns().collect();
        let refuse = |wanted, hint| MeasureError::Subject {
            measure: id,
            wanted,
            given: if columns.len() == 1 { "one column".to_owned() } else { format!("{} columns", columns.len()) },
            hint,
        };
        let tally = |column| {
            let tally = Tally::of(input, column)?;
            if tally.total() == 0 {
                return Err(MeasureError::TooShort { n: 0, what: "a law".to_owned(), needed: 1 });
            }
            Ok(tally)
        };
        match (&columns[..], given) {
            ([first], Some(q)) => Self::beside_probabilities(id, &tally(first)?, q, p.smoothing),
            ([first, second], None) => Ok(Self::of_tallies(&tally(first)?, &tally(second)?, p.smoothing)),
            (_, Some(_)) => Err(refuse("one column beside the probabilities q", "; leave out q or the other columns")),
            (_, None) => Err(refuse("two columns of symbols, or one and the probabilities q", "")),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
    fn of_tallies(first: &Tally<'_>, second: &Tally<'_>, smoothing: f64) -> Self {
        let mut counts: Vec<u64> = first.symbols.iter().map(|(_, c)| *c).collect();
        let places: HashMap<Symbol<'_>, usize> = first.symbols.iter().enumerate().map(|(i, (s, _))| (*s, i)).collect();
        let mut others = vec![0; counts.len()];
        for (symbol, count) in &second.symbols {
            match places.get(symbol) {
                Some(&i) => others[i] = *count,
                None => {
                    counts.push(0);
                    others.push(*count);
                }
            }
        }
        let m = second.total();
        let scale = m as f64 + smoothing * others.len() as f64;
        let q = others.iter().map(|&c| (c as f64 + smoothing) / scale).collect();
        let omitted = first.omitted + second.omitted;
        Self { n: first.total(), counts, smoothing, q, m: Some(m), omitted }
    }

    fn beside_probabilities(
        id: &'static str,
        tally: &Tally<'_>,
        q: Vec<f64>,
        smoothing: f64,
    ) -> Result<Self, MeasureError> {
        let index = |symbol: &Symbol<'_>| match symbol {
            Symbol::Whole(i) => usize::try_from(*i).ok().filter(|i| *i < q.len()),
            _ => None,
        };
        let mut counts = vec![0; q.len()];
        if let Some(places) = tally.symbols.iter().map(|(s, _)| index(s)).collect::<Option<Vec<_>>>() {
            places.iter().zip(&tally.symbols).for_each(|(&i, (_, c))| counts[i] = *c);
        } else if tally.symbols.len() == q.len() {
            counts.iter_mut().zip(&tally.symbols).for_each(|(count, (_, c))| *count = *c);
        } else {
            return Err(MeasureError::Domain {
                measure: id,
                wanted: "a probability for every value of the column".to_owned(),
                found: format!("q has {}, while the column has {} distinct values", q.len(), tally.symbols.len()),
            });
        }
        Ok(Self { n: tally.total(), counts, smoothing, q, m: None, omitted: tally.omitted })
    }

    /// The first law for the given counts of its symbols.
    #[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
    fn p<'a>(&'a self, counts: &'a [u64]) -> impl Iterator<Item = f64> + 'a {
        let total = counts.iter().sum::<u64>() as f64 + self.smoothing * counts.len() as f64;
        counts.iter().map(move |&c| (c as f64 + self.smoothing) / total)
    }

    /// Σ p log₂(p/q) in bits.
    fn divergence(&self, counts: &[u64]) -> f64 {
        self.p(counts).zip(&self.q).filter(|(p, _)| *p > 0.0).map(|(p, q)| p * (p / q).log2()).sum()
    }

    fn entropy(&self, counts: &[u64]) -> f64 {
        if self.smoothing == 0.0 {
            return plugin_bits(counts);
        }
        self.p(counts).filter(|p| *p > 0.0).map(|p| -p * p.log2()).sum()
    }

    /// H(m) − (H(p) + H(q))/2, m the mean of both, summed as two divergences from it.
    fn jensen_shannon(&self, counts: &[u64]) -> f64 {
        let term = |a: f64, mean: f64| if a > 0.0 { a * (a / mean).log2() } else { 0.0 };
        let sum = self.p(counts).zip(&self.q).map(|(p, &q)| {
            let mean = f64::midpoint(p, q);
            term(p, mean) + term(q, mean)
        });
        sum.sum::<f64>() / 2.0
    }

    async fn outcome(&self, statistic: impl Fn(&[u64]) -> f64, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        let value = statistic(&self.counts).max(0.0);
        let mut outcome =
            Outcome::new(Value::Scalar(value), Unit::Bits, "plug-in", self.n).detail("symbols", self.counts.len());
        if let Some(m) = self.m {
            outcome = outcome.detail("n_second", m);
        }
        if self.omitted > 0 {
            outcome = outcome.detail("omitted", self.omitted);
        }
        let gap: Vec<f64> =
            self.p(&self.counts).zip(&self.q).filter(|(p, q)| *p > 0.0 && **q == 0.0).map(|(p, _)| p).collect();
        outcome = outcome.detail("support_gap", gap.len());
        if value.is_infinite() {
            let mass: f64 = gap.iter().sum();
            let text = format!(
                "{} symbols with a share of {:.3} of the first law never occur in the second; a smoothing makes it finite",
                gap.len(),
                mass
            );
            outcome = outcome.warn("infinite", text);
        } else if self.m.is_none() {
            // With a known second law only the counts of the first are uncertain.
            outcome.uncertainty = uncertainty::multinomial(&self.counts, &statistic, context).await?;
        }
        Ok(outcome)
    }
}

/// Relative entropy.
pub struct KullbackLeibler;

impl Measure for KullbackLeibler {
    type Params = LawParams;
    const ABOUT: About = About {
        id: "kl.plugin",
        title: "Kullback-Leibler divergence",
        summary: "How many bits a value of the first column costs too much in a code made for the second. Infinite where the second never has a value that the first has.",
        equation: "D(p‖q) = Σ p log₂(p/q)",
        tex: &[r"D(p \parallel q) = \sum_x p(x) \log_2 \frac{p(x)}{q(x)}"],
        source: "Kullback & Leibler, On information and sufficiency, Ann. Math. Stat. 22, 79 (1951)",
        family: Family::Pairs,
        accepts: Accepts::SymbolPair,
        cost: "O(N)",
        gpu: false,
        unit: "bits",
        uncertainty: "bootstrap: 95 % interval of multinomial resamples of the counts, where the second law is given as probabilities",
        bias: "high; infinite where the second sample misses a value of the first",
    };
    const DIRECTED: bool = true;

    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        let laws = Laws::of(Self::ABOUT.id, &p, input)?;
        laws.outcome(|counts| laws.divergence(counts), context).await
    }
}

/// The symmetric, finite divergence.
pub struct JensenShannon;

impl Measure for JensenShannon {
    type Params = LawParams;
    const ABOUT: About = About {
        id: "js.plugin",
        title: "Jensen-Shannon divergence",
        summary: "How well a value tells from which of two laws it is: 0 for equal laws, 1 bit for laws without a common value.",
        equation: "H((p + q)/2) − (H(p) + H(q))/2",
        tex: &[r"H\left(\frac{p + q}{2}\right) - \frac{H(p) + H(q)}{2}"],
        source: "Lin, Divergence measures based on the Shannon entropy, IEEE Trans. Inf. Theory 37, 145 (1991), equation (4.1)",
        family: Family::Pairs,
        accepts: Accepts::SymbolPair,
        cost: "O(N)",
        gpu: false,
        unit: "bits",
        uncertainty: "bootstrap: 95 % interval of multinomial resamples of the counts, where the second law is given as probabilities",
        bias: "high: two samples of one law differ by about (K − 1)/(4 N ln 2) bits",
    };

    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        let laws = Laws::of(Self::ABOUT.id, &p, input)?;
        laws.outcome(|counts| laws.jensen_shannon(counts), context).await
    }
}

/// The length of the wrong code.
pub struct Cross;

impl Measure for Cross {
    type Params = LawParams;
    const ABOUT: About = About {
        id: "cross",
        title: "Cross entropy of two laws",
        summary: "The bits a value of the first column takes in a code made for the second.",
        equation: "−Σ p log₂ q = H(p) + D(p‖q)",
        tex: &[r"-\sum_x p(x) \log_2 q(x) = H(p) + D(p \parallel q)"],
        source: "Cover & Thomas, Elements of information theory (2006), theorem 5.4.3",
        family: Family::Pairs,
        accepts: Accepts::SymbolPair,
        cost: "O(N)",
        gpu: false,
        unit: "bits",
        uncertainty: "bootstrap: 95 % interval of multinomial resamples of the counts, where the second law is given as probabilities",
        bias: "infinite where the second sample misses a value of the first",
    };
    const DIRECTED: bool = true;

    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        let laws = Laws::of(Self::ABOUT.id, &p, input)?;
        laws.outcome(|counts| laws.entropy(counts) + laws.divergence(counts), context).await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::{compute::Cpu, measure::find, pace::Unhurried};

    fn run(id: &str, columns: &[&Column], params: &Json) -> Result<Outcome, MeasureError> {
        let context = Context::new(&Cpu, &Unhurried);
        pollster::block_on(find(id).unwrap().run(params, columns, &context))
    }

    fn scalar(id: &str, columns: &[&Column], params: &Json) -> f64 {
        run(id, columns, params).unwrap().value.scalar().unwrap()
    }

    #[test]
    fn laws_of_columns_of_different_lengths_and_types_are_compared_by_value() {
        // p = (1/2, 1/4, 1/4), q = (1/4, 1/4, 1/2) over 0, 1, 5
        let p = Column::integer("p", vec![0, 0, 1, 5]);
        let q = Column::real("q", vec![5.0, 5.0, 1.0, 0.0, 5.0, 0.0, 5.0, 1.0]);
        assert!((scalar("kl.plugin", &[&p, &q], &json!({})) - 0.25).abs() < 1e-15);
        assert!((scalar("cross", &[&p, &q], &json!({})) - 1.75).abs() < 1e-15);
        let (js, sj) = (scalar("js.plugin", &[&p, &q], &json!({})), scalar("js.plugin", &[&q, &p], &json!({})));
        // the mean law is (3/8, 1/4, 3/8), of entropy 2·(3/8) log2(8/3) + 1/2, and both laws have 3/2 bits
        assert!((js - (0.75 * (8.0_f64 / 3.0).log2() + 0.5 - 1.5)).abs() < 1e-15);
        assert!((js - sj).abs() < 1e-15);
        assert_eq!(scalar("kl.plugin", &[&p, &p], &json!({})), 0.0);
    }

    #[test]
    fn laws_without_a_common_value_are_one_bit_and_infinitely_far_apart() {
        let label = |labels: &[&str]| {
            let labels: Vec<String> = labels.iter().map(|l| (*l).to_owned()).collect();
            Column::new("s", Values::Symbols(Symbols { codes: vec![0, 1, 1, 0], labels }))
        };
        let (a, b, c) = (label(&["a", "b"]), label(&["c", "d"]), label(&["b", "a"]));
        assert_eq!(scalar("js.plugin", &[&a, &b], &json!({})), 1.0);
        let outcome = run("kl.plugin", &[&a, &b], &json!({})).unwrap();
        assert_eq!(outcome.value, Value::Scalar(f64::INFINITY));
        assert!(outcome.why().unwrap().contains("2 symbols with a share of 1.000"), "{:?}", outcome.why());
        // pseudo-counts of 1: p = (3,3,1,1)/8, q = (1,1,3,3)/8
        let smooth = scalar("kl.plugin", &[&a, &b], &json!({ "smoothing": 1 }));
        assert!((smooth - 0.5 * 3.0_f64.log2()).abs() < 1e-15);
        assert_eq!(scalar("kl.plugin", &[&a, &c], &json!({})), 0.0);
    }

    #[test]
    fn probabilities_are_checked_and_belong_to_values() {
        let x = Column::integer("x", vec![0, 2, 2, 2]);
        // value 1 never occurs, and keeps its place
        let d = scalar("kl.plugin", &[&x], &json!({ "q": [0.25, 0.25, 0.5] }));
        assert!((d - 0.75 * 1.5_f64.log2()).abs() < 1e-15);
        assert_eq!(d, scalar("kl.plugin", &[&x], &json!({ "q": "0.25, 0.25 0.5" })));
        let far = Column::integer("x", vec![-7, 900, 900, 900]);
        assert_eq!(scalar("kl.plugin", &[&far], &json!({ "q": [0.25, 0.75] })), 0.0);
        for (q, words) in [
            (json!([0.5, 0.6]), "sum to 1"),
            (json!([-0.5, 1.5]), "sum to 1"),
            (json!("a,b"), "sum to 1"),
            (json!([1.0]), "q has 1, while the column has 2 distinct values"),
        ] {
            let error = run("kl.plugin", &[&far], &json!({ "q": q })).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
        let error = run("cross", &[&x], &json!({})).unwrap_err().to_string();
        assert!(error.contains("or one and the probabilities q; it was given one column"), "{error}");
        let error = run("cross", &[&x, &x], &json!({ "q": [0.5, 0.5] })).unwrap_err().to_string();
        assert!(error.contains("leave out q"), "{error}");
    }
}
