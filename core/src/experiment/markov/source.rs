//! The source of an experiment, its texts, and what is known of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    experiment::{ExperimentError, Record, Scalar},
    params::ParameterError,
    quantity::Unit,
    sim::markov::{Chain, Switching},
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
}

/// The numbers of a source.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbers {
    pub(super) kind: Kind,
    pub(super) order: u32,
    pub(super) p: f64,
    pub(super) q: f64,
    pub(super) alphabet: u32,
    pub(super) alpha: f64,
    pub(super) seed: u64,
}

/// A source and its entropies in nats a symbol.
pub(super) struct Source {
    pub(super) chain: Chain,
    /// H₁.
    pub(super) unigram: f64,
    /// H.
    pub(super) rate: f64,
    /// What a word-unigram model of word length m can reach: H + min(1, k/m)(H₁ − H), for the switching source.
    pub(super) switching: Option<Switching>,
    seed: u64,
}

/// Below this gap between H₁ and H, in nats, noise is as large as what is looked for.
pub(super) const LEAST_GAP: f64 = 0.02;

impl Source {
    pub(super) fn new(of: &str, numbers: Numbers) -> Result<Self, ExperimentError> {
        let Numbers { kind, order, p, q, alphabet, alpha, seed } = numbers;
        let switching = (kind == Kind::Switching).then_some(Switching { order, p, q });
        if kind == Kind::Random && order > 4 {
            return Err(invalid(of, "order", order, "expected 1 to 4 for a random chain"));
        }
        let chain = match switching {
            Some(source) => source.chain()?,
            None => Chain::random(alphabet as usize, order, alpha, seed)?,
        };
        let (unigram, rate) = (chain.unigram_entropy(), chain.entropy_rate());
        Ok(Self { chain, unigram, rate, switching, seed })
    }

    pub(super) const fn alphabet(&self) -> usize {
        self.chain.alphabet()
    }

    /// The text that is learned from.
    pub(super) fn text(&self, symbols: u32) -> Vec<u8> {
        self.chain.text(symbols as usize, self.seed, 0)
    }

    /// A text that nothing was learned from.
    pub(super) fn fresh(&self, symbols: u32) -> Vec<u8> {
        self.chain.text(symbols as usize, self.seed, 1)
    }

    pub(super) fn gap(&self) -> f64 {
        self.unigram - self.rate
    }

    /// (loss − H)/(H₁ − H): 1 for what needs no context, 0 at the entropy rate; `None` where there is no gap.
    pub(super) fn excess(&self, loss: f64) -> Option<f64> {
        (self.gap() > LEAST_GAP).then(|| (loss - self.rate) / self.gap())
    }

    /// Notes the entropies and how far those of `text` are from them.
    pub(super) fn describe(&self, text: &[u8], record: &mut Record) -> Result<(), ExperimentError> {
        let n = text.len() as u64;
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
