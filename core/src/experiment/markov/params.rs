//! What may be chosen for the comparison of characters and tokens.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    plots::Across,
    source::{self, Numbers},
};
use crate::{
    nn::{Config, Optimiser},
    token::{Encoder, Kind},
};

/// Which transformers are trained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Arms {
    /// One on characters and one on tokens, in lock-step.
    #[default]
    Both,
    /// Without tokenization only.
    Characters,
    /// With a dictionary only.
    Tokens,
}

/// Parameters of the comparison.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Params {
    /// Which transformers are trained.
    pub(super) arms: Arms,
    /// What makes the symbols: bits that depend on the one `order` places back, a random chain, or a text.
    pub(super) source: source::Kind,
    /// The text of a text source, at least 200 characters of at most 256 kinds; its last tenth is kept for evaluation.
    pub(super) text: String,
    /// How many places back a symbol depends on; at most 4 for a random chain.
    #[schemars(range(min = 1, max = 8))]
    pub(super) order: u32,
    /// Probability of 0 → 1 (switching source).
    #[schemars(range(min = 0.05, max = 0.95))]
    pub(super) p: f64,
    /// Probability of 1 → 0 (switching source).
    #[schemars(range(min = 0.05, max = 0.95))]
    pub(super) q: f64,
    /// Symbols of a random chain.
    #[schemars(range(min = 2, max = 16))]
    pub(super) alphabet: u32,
    /// Concentration of a random chain's laws: small for sharp ones.
    #[schemars(range(min = 0.2, max = 100))]
    pub(super) alpha: f64,
    /// How the dictionary is learned.
    pub(super) tokenizer: Kind,
    /// Tokens of the dictionary, the alphabet counted.
    #[schemars(range(min = 2, max = 256))]
    pub(super) dictionary: u32,
    /// How text is cut: the dictionary's own way, or the longest word from the left.
    pub(super) encoder: Encoder,
    /// Tokens that the transformer sees; the one on characters sees as many symbols.
    #[schemars(range(min = 16, max = 512))]
    pub(super) context: u32,
    /// Blocks.
    #[schemars(range(min = 1, max = 4))]
    pub(super) layers: u32,
    /// Attention heads; they divide the width.
    #[schemars(range(min = 1, max = 8))]
    pub(super) heads: u32,
    /// Width of the residual stream.
    #[schemars(range(min = 8, max = 64))]
    pub(super) width: u32,
    /// Whether the head's weight is the token embedding.
    pub(super) tied: bool,
    /// Places that attention reaches back over, itself included; 0 for all.
    #[schemars(range(min = 0, max = 1024))]
    pub(super) window: u32,
    /// Learning rate at its peak.
    #[schemars(range(min = 0.0001, max = 0.1))]
    pub(super) rate: f64,
    /// Largest norm of the gradient; 0 for no clipping.
    #[schemars(range(min = 0, max = 100))]
    pub(super) clip: f64,
    /// Windows of a step.
    #[schemars(range(min = 1, max = 256))]
    pub(super) batch: u32,
    /// Training steps.
    #[schemars(range(min = 1, max = 100_000))]
    pub(super) steps: u32,
    /// Steps from one evaluation to the next.
    #[schemars(range(min = 1, max = 10_000))]
    pub(super) evaluate_every: u32,
    /// Symbols of the text that is trained on.
    #[schemars(range(min = 1000, max = 10_000_000))]
    pub(super) train_symbols: u32,
    /// Symbols at its beginning that the dictionary is learned from.
    #[schemars(range(min = 1000, max = 10_000_000))]
    pub(super) tokenizer_symbols: u32,
    /// Symbols of the fresh text that losses are measured on.
    #[schemars(range(min = 1000, max = 10_000_000))]
    pub(super) test_symbols: u32,
    /// Seeds that are run together, from `seed` on; the curves are their means.
    #[schemars(range(min = 1, max = 16))]
    pub(super) replicates: u32,
    /// What the horizontal axis of the losses shows.
    pub(super) across: Across,
    /// The context or token whose predictions are shown, such as 01; the most frequent one where empty.
    pub(super) after: String,
    /// Seed of the source, the windows and the parameters.
    #[schemars(range(min = 0, max = 9_007_199_254_740_992u64))]
    pub(super) seed: u64,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            arms: Arms::default(),
            source: source::Kind::default(),
            text: String::new(),
            order: 2,
            p: 0.8,
            q: 0.8,
            alphabet: 4,
            alpha: 0.5,
            tokenizer: Kind::Bpe,
            dictionary: 10,
            encoder: Encoder::Own,
            context: 64,
            layers: 1,
            heads: 1,
            width: 16,
            tied: false,
            window: 0,
            rate: 2e-3,
            clip: 0.0,
            batch: 16,
            steps: 150,
            evaluate_every: 10,
            train_symbols: 1_000_000,
            tokenizer_symbols: 100_000,
            test_symbols: 120_000,
            replicates: 1,
            across: Across::default(),
            after: String::new(),
            seed: 1,
        }
    }
}

impl Params {
    pub(super) fn source(&self) -> Numbers<'_> {
        let Self { source, order, p, q, alphabet, alpha, seed, .. } = *self;
        Numbers { kind: source, order, p, q, alphabet, alpha, seed, text: &self.text }
    }

    /// 2 % warm-up, then a cosine to 5 % of the rate, as the sheet has it.
    pub(super) fn optimiser(&self) -> Optimiser {
        Optimiser {
            rate: self.rate,
            warm_up: u64::from(self.steps.div_ceil(50)),
            steps: u64::from(self.steps),
            clip: (self.clip > 0.0).then_some(self.clip),
            ..Optimiser::default()
        }
    }

    pub(super) fn config(&self, context: usize) -> Config {
        Config {
            context,
            width: self.width as usize,
            layers: self.layers as usize,
            heads: self.heads as usize,
            window: (self.window > 0).then_some(self.window as usize),
            tied: self.tied,
            ..Config::default()
        }
    }
}
