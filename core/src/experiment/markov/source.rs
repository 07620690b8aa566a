//! The source of an experiment, its texts, and what is known of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    experiment::{ExperimentError, Record, Scalar},
    params::ParameterError,
    quantity::Unit,
    sim::markov::{Chain, MarkovError, Switching},
    token::Alphabet,
};

/// What makes the symbols.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// Bits that depend on the one `order` places back.
    #[default]
    Switching,
    /// A random chain: next-symbol laws drawn from a Dirichlet law.
    Random,
    /// The text that is given.
    Text,
}

/// The numbers of a source.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbers<'a> {
    pub(super) kind: Kind,
    pub(super) order: u32,
    pub(super) p: f64,
    pub(super) q: f64,
    pub(super) alphabet: u32,
    pub(super) alpha: f64,
    pub(super) seed: u64,
    /// What is read where `kind` says so.
    pub(super) text: &'a str,
}

/// A source and its entropies in nats a symbol.
pub(super) struct Source {
    /// The source itself; of a text, the best of its n-gram models.
    pub(super) chain: Chain,
    /// The characters of the symbols.
    pub(super) alphabet: Alphabet,
    /// H₁; of a text, the loss of single characters on its held-out end.
    pub(super) unigram: f64,
    /// H; of a text, the least loss of an n-gram model there.
    pub(super) rate: f64,
    /// What a word-unigram model of word length m can reach: H + min(1, k/m)(H₁ − H), for the switching source.
    pub(super) switching: Option<Switching>,
    /// The symbols of a text that was given: what is learned from, and its held-out end.
    own: Option<[Vec<u8>; 2]>,
    seed: u64,
}

/// Below this gap between H₁ and H, in nats, noise is as large as what is looked for.
pub(super) const LEAST_GAP: f64 = 0.02;
/// The least symbols of a text that is given.
const LEAST_TEXT: usize = 200;
/// The last tenth of a text is what losses are measured on.
const HELD_OUT: usize = 10;
/// n-gram models of a text see up to so many symbols.
const MOST_ORDER: u32 = 3;

impl Source {
    pub(super) fn new(of: &str, numbers: Numbers<'_>) -> Result<Self, ExperimentError> {
        let Numbers { kind, order, p, q, alphabet, alpha, seed, text } = numbers;
        if kind == Kind::Text {
            return Self::of_text(of, text, seed);
        }
        let switching = (kind == Kind::Switching).then_some(Switching { order, p, q });
        if kind == Kind::Random && order > 4 {
            return Err(invalid(of, "order", order, "expected 1 to 4 for a random chain"));
        }
        let chain = match switching {
            Some(source) => source.chain()?,
            None => Chain::random(alphabet as usize, order, alpha, seed)?,
        };
        let (unigram, rate) = (chain.unigram_entropy(), chain.entropy_rate());
        let alphabet = Alphabet::of_numbers(chain.alphabet())?;
        Ok(Self { chain, alphabet, unigram, rate, switching, own: None, seed })
    }

    /// A text: its last tenth is held out, and n-gram models of up to [`MOST_ORDER`] symbols of context, each count with
    /// 1/2 more, are fitted to the rest.
    fn of_text(of: &str, text: &str, seed: u64) -> Result<Self, ExperimentError> {
        let n = text.chars().count();
        if n < LEAST_TEXT {
            let given = format!("{n} characters");
            return Err(invalid(of, "text", given, format!("expected at least {LEAST_TEXT} of them")));
        }
        let alphabet = Alphabet::of_text(text)?;
        let mut symbols = alphabet.symbols(text)?;
        let held = symbols.split_off(n - n / HELD_OUT);
        let mut best: Option<(f64, Chain)> = None;
        let mut unigram = f64::NAN;
        for order in 0..=MOST_ORDER {
            let chain = match Chain::fit(&symbols, alphabet.size(), order, 0.5) {
                // The alphabet is too large for longer contexts.
                Err(MarkovError::TooLarge { .. }) => break,
                other => other?,
            };
            let loss = chain.cross_entropy(&held)?;
            if order == 0 {
                unigram = loss;
            }
            if best.as_ref().is_none_or(|(least, _)| loss < *least) {
                best = Some((loss, chain));
            }
        }
        let Some((rate, chain)) = best else {
            return Err(invalid(of, "text", format!("{n} characters"), "expected one that has a model"));
        };
        Ok(Self { chain, alphabet, unigram, rate, switching: None, own: Some([symbols, held]), seed })
    }

    pub(super) const fn alphabet(&self) -> usize {
        self.chain.alphabet()
    }

    /// Whether the entropies are known and not estimated.
    pub(super) const fn is_known(&self) -> bool {
        self.own.is_none()
    }

    /// The text that replicate `replicate` learns from: of the run whose seed is larger by as much.
    pub(super) fn text(&self, symbols: u32, replicate: u32) -> Vec<u8> {
        match &self.own {
            Some([text, _]) => text[..text.len().min(symbols as usize)].to_vec(),
            None => self.chain.text(symbols as usize, self.seed.wrapping_add(u64::from(replicate)), 0),
        }
    }

    /// A text that nothing was learned from.
    pub(super) fn fresh(&self, symbols: u32, replicate: u32) -> Vec<u8> {
        match &self.own {
            Some([_, held]) => held[..held.len().min(symbols as usize)].to_vec(),
            None => self.chain.text(symbols as usize, self.seed.wrapping_add(u64::from(replicate)), 1),
        }
    }

    pub(super) fn gap(&self) -> f64 {
        self.unigram - self.rate
    }

    /// (loss − H)/(H₁ − H): 1 for what needs no context, 0 at the entropy rate; `None` where there is no gap, or the
    /// entropies are not known.
    pub(super) fn excess(&self, loss: f64) -> Option<f64> {
        (self.is_known() && self.gap() > LEAST_GAP).then(|| (loss - self.rate) / self.gap())
    }

    /// Notes the entropies and how far those of `text` are from them.
    pub(super) fn describe(&self, text: &[u8], record: &mut Record) -> Result<(), ExperimentError> {
        let n = text.len() as u64;
        if let Some([_, held]) = &self.own {
            let n = held.len() as u64;
            record.set(nats("character_unigram", "held-out loss of single characters", self.unigram, n));
            let order = self.chain.order();
            record.set(nats("best_ngram", "least held-out loss of an n-gram model of characters", self.rate, n));
            let title = "characters of context of that model";
            record.set(Scalar::new("best_ngram_order", title, Some(f64::from(order)), u64::from(MOST_ORDER) + 1));
            record.set(Scalar {
                unit: Unit::Count,
                ..Scalar::new("alphabet_size", "different characters", Some(as_f64(self.alphabet())), n)
            });
            record.note(
                "The entropy rate of a text is not known: the lines are n-gram models of characters, fitted to its first nine \
                 tenths and judged on the last.",
            );
            return Ok(());
        }
        record.set(nats("unigram_entropy", "entropy of one symbol, H₁", self.unigram, n));
        record.set(nats("entropy_rate", "entropy rate, H", self.rate, n));
        let single = Chain::fit(text, self.alphabet(), 0, 0.0)?.unigram_entropy();
        let whole = Chain::fit(text, self.alphabet(), self.chain.order(), 0.0)?.entropy_rate();
        let error = |found: f64, known: f64| (known > 0.0).then(|| (found / known - 1.0).abs());
        record.set(Scalar::new(
            "unigram_error",
            "relative error of the text's plug-in entropy",
            error(single, self.unigram),
            n,
        ));
        record.set(Scalar::new("rate_error", "and of its order-k entropy rate", error(whole, self.rate), n));
        if self.gap() <= LEAST_GAP {
            let gap = self.gap();
            record.note(format!(
                "H₁ − H is {gap:.4} nats: next to nothing can be learned beyond single symbols, so the criteria mean nothing here."
            ));
        }
        Ok(())
    }
}

/// A scalar in nats a symbol.
pub(super) fn nats(name: &str, title: &str, value: f64, n: u64) -> Scalar {
    Scalar { unit: Unit::NatsPerSymbol, ..Scalar::new(name, title, Some(value), n) }
}

pub(super) fn invalid(of: &str, key: &str, given: impl ToString, expected: impl Into<String>) -> ExperimentError {
    let (of, key) = (of.to_owned(), key.to_owned());
    ExperimentError::Parameter(ParameterError::Invalid { of, key, given: given.to_string(), expected: expected.into() })
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
const fn as_f64(n: usize) -> f64 {
    n as f64
}
