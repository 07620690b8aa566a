//! The buffers of a transformer: what it keeps between forwards and backwards.

use super::{AttentionSpace, Config, Float, Gpt, MlpSpace, Positions, Rope, kernels::Packing};

/// Rows that are worked on at once: few enough that what they leave stays in the second cache until it is read backwards,
/// enough to spread the packing of the weights.
const ROWS: usize = 128;

/// What a block leaves behind, one row a token.
#[derive(Clone, Debug, Default)]
pub(super) struct Block<T> {
    pub(super) input: Vec<T>,
    pub(super) normed1: Vec<T>,
    pub(super) stats1: Vec<[T; 2]>,
    pub(super) qkv: Vec<T>,
    pub(super) attended: Vec<T>,
    pub(super) lse: Vec<T>,
    pub(super) middle: Vec<T>,
    pub(super) normed2: Vec<T>,
    pub(super) stats2: Vec<[T; 2]>,
    pub(super) mlp: MlpSpace<T>,
}

/// The buffers of a transformer. They are made with the first use and then stay, so a step allocates nothing.
#[derive(Clone, Debug, Default)]
pub struct Space<T> {
    made_for: Option<(Config, usize)>,
    rows: usize,
    pub(super) blocks: Vec<Block<T>>,
    pub(super) stream: Vec<T>,
    pub(super) normed: Vec<T>,
    pub(super) stats: Vec<[T; 2]>,
    pub(super) logits: Vec<T>,
    pub(super) losses: Vec<f32>,
    pub(super) slope: Vec<T>,
    pub(super) dstream: Vec<T>,
    pub(super) dqkv: Vec<T>,
    pub(super) attention: AttentionSpace<T>,
    pub(super) packing: Packing<T>,
    pub(super) rope: Option<Rope<T>>,
}

impl<T: Float> Space<T> {
    /// Makes room for sequences of `length`; tells how many tokens are worked on at once, whole sequences of them.
    pub(super) fn fit(&mut self, gpt: &Gpt, length: usize) -> usize {
        let config = gpt.config;
        if self.made_for == Some((config, length)) {
            return self.rows;
        }
        let rows = length * (ROWS / length).max(1);
        let d = config.width;
        let numbers = |each: usize| vec![T::ZERO; rows * each];
        let stats = || vec![[T::ZERO; 2]; rows];
        let block = || Block {
            input: numbers(d),
            normed1: numbers(d),
            stats1: stats(),
            qkv: numbers(3 * d),
            attended: numbers(d),
            lse: numbers(config.heads),
            middle: numbers(d),
            normed2: numbers(d),
            stats2: stats(),
            mlp: MlpSpace::default(),
        };
        *self = Self {
            made_for: Some((config, length)),
            rows,
            blocks: (0..config.layers).map(|_| block()).collect(),
            stream: numbers(d),
            normed: numbers(d),
            stats: stats(),
            logits: numbers(config.vocabulary),
            losses: vec![0.0; rows],
            slope: numbers(d),
            dstream: numbers(d),
            dqkv: numbers(3 * d),
            attention: std::mem::take(&mut self.attention),
            packing: std::mem::take(&mut self.packing),
            rope: (config.positions == Positions::Rope).then(|| Rope::new(d / config.heads, length)),
        };
        rows
    }
}
