//! Effective context: symbols in pieces need longer windows than their length says, and tokens make short windows long.
//!
//! Exact, of the sources' laws: the least loss of a predictor that sees w symbols, H(X_t | X_{t−w} … X_{t−1}); and that of one
//! that sees b bits of a first-order chain over four symbols that is written in two bits a symbol, the phase being known:
//! H(Y₁ | bits) + H(Y₂ | Y₁, bits) nats a symbol. With b = 2, one symbol's length, the second bit sees the new first bit and
//! only the second of the old symbol. Measured, of an encoded text: how often w tokens span the k symbols that matter.
//! Fesharaki, Rami, Tchamkerten 2026, arXiv 2605.13485.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    PAPER,
    source::{self, Numbers, Source, nats},
};
use crate::{
    compute::{Compute, Ran},
    experiment::{About, Claim, Column, Comparison, Doing, Experiment, Record, Scalar, Table},
    figure::{Axis, Colour, Figure, Mark, Panel, number},
    pace::Pace,
    sim::markov::{Chain, entropy_nats},
    token::{Encoder, Kind, Ngram, Tokenizer, spans},
};

/// Parameters of the comparison.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Params {
    /// How many places back a bit of the switching source depends on.
    #[schemars(range(min = 1, max = 8))]
    order: u32,
    /// Probability of 0 → 1.
    #[schemars(range(min = 0.05, max = 0.95))]
    p: f64,
    /// Probability of 1 → 0.
    #[schemars(range(min = 0.05, max = 0.95))]
    q: f64,
    /// Concentration of the laws of the chain over four symbols that is written in bits.
    #[schemars(range(min = 0.2, max = 100))]
    alpha: f64,
    /// How the dictionary is learned.
    tokenizer: Kind,
    /// Tokens of the dictionary.
    #[schemars(range(min = 2, max = 256))]
    dictionary: u32,
    /// How text is cut: the dictionary's own way, or the longest word from the left.
    encoder: Encoder,
    /// The longest window.
    #[schemars(range(min = 2, max = 12))]
    windows: u32,
    /// Symbols of the text that tokens are learned from and counted in.
    #[schemars(range(min = 10_000, max = 10_000_000))]
    symbols: u32,
    /// Seed of the sources.
    #[schemars(range(min = 0, max = 9_007_199_254_740_992u64))]
    seed: u64,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            order: 3,
            p: 0.8,
            q: 0.8,
            alpha: 0.5,
            tokenizer: Kind::Bpe,
            dictionary: 16,
            encoder: Encoder::Greedy,
            windows: 8,
            symbols: 300_000,
            seed: 1,
        }
    }
}

/// Bits of a symbol of the chain that is written in pieces.
const BITS: u32 = 2;

/// The comparison under way: one window length a step.
pub(crate) struct Fragments {
    params: Params,
    source: Source,
    /// The chain over four symbols.
    quaternary: Chain,
    tokens: Vec<u32>,
    lengths: Vec<u32>,
    /// The loss of a bigram table over tokens on fresh text.
    bigram: Option<f64>,
    done: u32,
}

/// H(A | B) of a joint law, given as probabilities of (b, a).
fn conditional(joint: &[Vec<f64>]) -> f64 {
    let flat: Vec<f64> = joint.iter().flatten().copied().collect();
    let marginal: Vec<f64> = joint.iter().map(|row| row.iter().sum()).collect();
    entropy_nats(&flat) - entropy_nats(&marginal)
}

/// The least loss of a predictor that sees the last `bits` bits of `chain`'s symbols, two bits each, in nats a symbol.
fn in_pieces(chain: &Chain, bits: u32) -> f64 {
    // The part of the old symbol that is within `seen` bits of its end.
    let part = |x: usize, seen: u32| x & ((1 << seen.min(BITS)) - 1);
    let mut first = vec![vec![0.0; 2]; 4];
    let mut second = vec![vec![0.0; 2]; 8];
    for (x, weight) in chain.stationary().iter().enumerate() {
        for (y, p) in chain.row(x).iter().enumerate() {
            let (high, low) = (y >> 1, y & 1);
            first[part(x, bits)][high] += weight * p;
            // One of the bits of the window is the new first bit, where there is any.
            let known = if bits > 0 { high } else { 0 };
            second[part(x, bits.saturating_sub(1)) * 2 + known][low] += weight * p;
        }
    }
    conditional(&first) + conditional(&second)
}

impl Fragments {
    fn measure(&self, window: u32, record: &mut Record) {
        let symbols = self.source.chain.conditional_entropy(window);
        let span = spans(&self.tokens, &self.lengths, window.max(1) as usize, self.params.order);
        let span = if window == 0 { 0.0 } else { span.unwrap_or(f64::NAN) };
        let table = record.table_mut("windows", || {
            let number = |name: &str, title: &str, unit: &str| Column::numbers(name, title, unit);
            let columns = vec![
                number("window", "window", "1"),
                number("loss", "least loss with so many symbols", "nats/symbol"),
                number("pieces", "least loss with so many bits of symbols in two bits", "nats/symbol"),
                number("whole", "least loss with as many symbols as the bits hold", "nats/symbol"),
                number("span", "share of windows of so many tokens that span the order", "1"),
            ];
            Table::new("What windows see", columns)
        });
        let whole = self.quaternary.conditional_entropy(window / BITS);
        table.push(&[f64::from(window), symbols, in_pieces(&self.quaternary, window), whole, span]);
    }

    fn summarise(&self, record: &mut Record) {
        let Some(table) = record.table("windows") else { return };
        let windows = table.numbers("window").to_vec();
        let at = |name: &str, window: u32| {
            let place = windows.iter().position(|w| (*w - f64::from(window)).abs() < 0.5)?;
            table.numbers(name).get(place).copied().filter(|x| x.is_finite())
        };
        let k = self.params.order;
        let n = table.len() as u64;
        let (unigram, rate) = (self.source.unigram, self.source.rate);
        let whole = self.quaternary.entropy_rate();
        let error = |x: f64, y: f64| (x - y).abs();
        let losses: Vec<(f64, f64)> = windows.iter().copied().zip(table.numbers("loss").iter().copied()).collect();
        let worst = |short: bool, level: f64| {
            let side = losses.iter().filter(|(w, _)| (*w < f64::from(k)) == short);
            side.map(|(_, loss)| error(*loss, level)).reduce(f64::max)
        };
        let spans = table.numbers("span");
        let most_fall = spans.windows(2).map(|pair| pair[0] - pair[1]).reduce(f64::max);
        let scalars = [
            ("short_error", "largest distance from H₁ of windows shorter than the order", worst(true, unigram)),
            ("long_error", "largest distance from H of windows of at least the order", worst(false, rate)),
            (
                "pieces_excess",
                "loss over H with the two bits that hold one symbol",
                at("pieces", BITS).map(|loss| loss - whole),
            ),
            ("pieces_repaired", "distance from H with one bit more", at("pieces", BITS + 1).map(|l| error(l, whole))),
            ("span_one", "share of single tokens that span the order", at("span", 1)),
            ("span_order", "share of windows of as many tokens as the order that span it", at("span", k)),
            ("span_falls", "largest fall of that share from one window to the next", most_fall),
        ];
        for (name, title, value) in scalars {
            record.set(Scalar::new(name, title, value, n));
        }
        record.set(nats("unigram_entropy", "entropy of one bit, H₁", unigram, n));
        record.set(nats("entropy_rate", "entropy rate of the bits, H", rate, n));
        record.set(nats("quaternary_rate", "entropy rate of the chain over four symbols", whole, n));
        if let Some(loss) = self.bigram {
            let (name, title) = ("bigram_over_rate", "loss of a bigram table over tokens by H");
            record.set(Scalar::new(name, title, (rate > 0.0).then(|| loss / rate), u64::from(self.params.symbols)));
        }
    }
}

const SHEET: &str = "Fesharaki, Rami, Tchamkerten 2026, Effective Context in Transformers, arXiv:2605.13485";
const EXACT: &str = "exact for these sources";

impl Experiment for Fragments {
    type Params = Params;

    const ABOUT: About = About {
        id: "tokenization-context",
        title: "How far a window reaches",
        claim: "Symbols written in pieces need a longer window than their length says, and tokens make a short window reach far.",
        how: "A window that is shorter than the order of a source sees nothing; one that is as long sees all. Written in two bits \
              a symbol, a first-order chain needs three bits of window, not two: the second bit of a symbol no longer sees the \
              first bit of the one before. Tokens go the other way: few of them span the symbols that matter, as often as a text \
              cut by the dictionary says.",
        equation: "H(X_t | X_{t−w} … X_{t−1});  H(Y₁ | bits) + H(Y₂ | Y₁, bits);  Pr(w tokens span ≥ k symbols)",
        tex: &[
            r"H(X_t \mid X_{t-w} \ldots X_{t-1})",
            r"H(Y_1 \mid \mathrm{bits}) + H(Y_2 \mid Y_1, \mathrm{bits})",
            r"\Pr(w \text{ tokens span} \geq k \text{ symbols})",
        ],
        source: SHEET,
        paper: PAPER,
    };

    const CLAIMS: &'static [Claim] = &[
        Claim {
            id: "short-windows",
            statement: "Windows shorter than the order have the loss of single symbols.",
            scalar: "short_error",
            comparison: Comparison::Below { value: 1e-9 },
            settings: &[],
            seeds: 1,
            afterwards: None,
            source: EXACT,
        },
        Claim {
            id: "long-windows",
            statement: "Windows of at least the order have the entropy rate.",
            scalar: "long_error",
            comparison: Comparison::Below { value: 1e-9 },
            settings: &[],
            seeds: 1,
            afterwards: None,
            source: EXACT,
        },
        Claim {
            id: "pieces-lose",
            statement: "With a window of the two bits that hold one symbol the loss is above the entropy rate.",
            scalar: "pieces_excess",
            comparison: Comparison::Above { value: 1e-6 },
            settings: &[],
            seeds: 5,
            afterwards: None,
            source: SHEET,
        },
        Claim {
            id: "one-bit-more",
            statement: "With three bits it is the entropy rate.",
            scalar: "pieces_repaired",
            comparison: Comparison::Below { value: 1e-9 },
            settings: &[],
            seeds: 5,
            afterwards: None,
            source: EXACT,
        },
        Claim {
            id: "spans-grow",
            statement: "The more tokens a window has, the more often it spans the order.",
            scalar: "span_falls",
            comparison: Comparison::Below { value: 1e-3 },
            settings: &[],
            seeds: 3,
            afterwards: None,
            source: SHEET,
        },
        Claim {
            id: "order-tokens",
            statement: "As many tokens as the order always span it.",
            scalar: "span_order",
            comparison: Comparison::Above { value: 1.0 },
            settings: &[],
            seeds: 3,
            afterwards: None,
            source: "no token is shorter than a symbol",
        },
    ];

    fn start(params: Params, _compute: &dyn Compute) -> Doing<'_, Self> {
        Box::pin(async move {
            let Params { order, p, q, alpha, seed, .. } = params;
            let numbers = Numbers { kind: source::Kind::Switching, order, p, q, alphabet: 2, alpha, seed, text: "" };
            let source = Source::new(Self::ABOUT.id, numbers)?;
            let quaternary = Chain::random(1 << BITS, 1, alpha, seed)?;
            let (text, fresh) = (source.text(params.symbols, 0), source.fresh(params.symbols, 0));
            let size = params.dictionary as usize;
            let tokenizer = Tokenizer::train(params.tokenizer, &text, 2, size, params.encoder)?;
            let (tokens, lengths) = (tokenizer.encode(&text)?, tokenizer.lengths());
            let pairs = Ngram::fit(&tokens, tokenizer.size(), true, 0.5)?;
            let bigram = pairs.loss(&tokenizer.encode(&fresh)?, &lengths)?;
            Ok(Self { params, source, quaternary, tokens, lengths, bigram, done: 0 })
        })
    }

    fn total(&self) -> u64 {
        u64::from(self.params.windows) + 1
    }

    fn done(&self) -> u64 {
        u64::from(self.done)
    }

    fn advance<'a>(&'a mut self, steps: u32, record: &'a mut Record, pace: &'a dyn Pace) -> Doing<'a, ()> {
        Box::pin(async move {
            record.ran(Ran::cpu());
            for _ in 0..steps.min(self.params.windows + 1 - self.done) {
                self.measure(self.done, record);
                self.done += 1;
                pace.tick(u64::from(self.done), self.total()).await?;
            }
            self.summarise(record);
            Ok(())
        })
    }

    fn figures(record: &Record) -> Vec<Figure> {
        let Some(table) = record.table("windows") else { return Vec::new() };
        let x = table.numbers("window").to_vec();
        let line = |column: &str, name: &str, colour| Mark::Line {
            name: name.to_owned(),
            x: x.clone(),
            y: table.numbers(column).to_vec(),
            colour,
        };
        let level =
            |name: &str, label: &str| record.value(name).map(|y| Mark::Reference { y, label: label.to_owned() });
        let panel = |title: &str, axis: &str, marks: Vec<Mark>| Panel {
            x: Axis::new(axis),
            y: Axis::new(title),
            marks,
            weight: 1.0,
        };
        let levels = [level("unigram_entropy", "H₁"), level("entropy_rate", "H")].into_iter().flatten();
        let bits = level("quaternary_rate", "H").into_iter();
        vec![
            Figure {
                id: "windows".to_owned(),
                title: "The least loss that a window allows".to_owned(),
                description: "Above: bits that depend on the one k places back, against the symbols in sight. Below: a chain \
                              over four symbols, against the bits in sight, when each symbol is written in two bits and when \
                              the window holds as many whole symbols."
                    .to_owned(),
                panels: vec![
                    panel(
                        "loss (nats/symbol)",
                        "symbols in the window",
                        levels.chain([line("loss", "in symbols", Colour::First)]).collect(),
                    ),
                    panel(
                        "loss (nats/symbol)",
                        "bits in the window",
                        bits.chain([
                            line("pieces", "in bits", Colour::Second),
                            line("whole", "in whole symbols", Colour::First),
                        ])
                        .collect(),
                    ),
                ],
            },
            Figure {
                id: "spans".to_owned(),
                title: "How often tokens span what matters".to_owned(),
                description: "The share of windows of so many tokens that span at least as many symbols as the source looks back."
                    .to_owned(),
                panels: vec![Panel {
                    x: Axis::new("tokens in the window"),
                    y: Axis::new("share that spans the order").within(0.0, 1.0),
                    marks: vec![line("span", "", Colour::Third)],
                    weight: 1.0,
                }],
            },
        ]
    }

    fn seen(record: &Record) -> String {
        let of = |name: &str| record.value(name);
        match (of("pieces_excess"), of("span_one"), of("bigram_over_rate")) {
            (Some(excess), Some(span), Some(bigram)) => format!(
                "One symbol's two bits leave {} nats above the entropy rate that the whole symbol reaches. {} % of single tokens \
                 span the order, and a table of token pairs is at {} times the entropy rate.",
                number(excess),
                number((100.0 * span).round()),
                number(bigram)
            ),
            _ => "Nothing has been measured yet.".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against sums over the three bits of the definition, written out.
    #[test]
    fn pieces_lose_what_they_no_longer_see() {
        let chain = Chain::random(4, 1, 0.5, 3).unwrap();
        let h = |f: &dyn Fn(usize, usize) -> usize, n: usize| {
            let mut law = vec![0.0; n];
            for x in 0..4 {
                for y in 0..4 {
                    law[f(x, y)] += chain.stationary()[x] * chain.row(x)[y];
                }
            }
            entropy_nats(&law)
        };
        // b = 2: H(y1 | x) + H(y2 | y1, x2) = H(x, y1) − H(x) + H(x2, y) − H(x2, y1).
        let two = h(&|x, y| x * 2 + (y >> 1), 8) - h(&|x, _| x, 4) + h(&|x, y| (x & 1) * 4 + y, 8)
            - h(&|x, y| (x & 1) * 2 + (y >> 1), 4);
        assert!((in_pieces(&chain, 2) - two).abs() < 1e-12);
        assert!(two > chain.entropy_rate() + 1e-3);
        assert!((in_pieces(&chain, 3) - chain.entropy_rate()).abs() < 1e-12);
        assert!((in_pieces(&chain, 0) - h(&|_, y| y >> 1, 2) - h(&|_, y| y & 1, 2)).abs() < 1e-12);
        let falls = (0..6).map(|b| in_pieces(&chain, b)).collect::<Vec<_>>();
        assert!(falls.windows(2).all(|w| w[1] <= w[0] + 1e-12), "{falls:?}");
    }
}
