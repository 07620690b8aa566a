//! A decoder-only transformer: pre-norm GPT.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Attention, Embedding, Float, Layout, Linear, Mlp, NnError, Norm, Space, error::wrong, float::count, ops,
    space::Block,
};

/// How a transformer knows places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Positions {
    /// A learned vector for each place, added to the token's.
    #[default]
    Learned,
    /// Rotary positions in queries and keys.
    Rope,
}

/// What a transformer is. The defaults are those of the tokenization experiment: bias-free but for the head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// Tokens there are.
    pub vocabulary: usize,
    /// The longest sequence.
    pub context: usize,
    /// The width of the residual stream.
    pub width: usize,
    /// Blocks.
    pub layers: usize,
    /// Attention heads; they divide the width.
    pub heads: usize,
    /// The width of the hidden layer of a block, in widths.
    pub expansion: usize,
    /// How it knows places.
    pub positions: Positions,
    /// Keys that a query sees, itself included; `None` for all before it.
    pub window: Option<usize>,
    /// Whether the head's weight is the token embedding.
    pub tied: bool,
    /// Whether the head has a bias.
    pub head_bias: bool,
    /// Whether layer norms have a bias.
    pub norm_bias: bool,
    /// Whether the other linear layers have one.
    pub linear_bias: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            vocabulary: 10,
            context: 64,
            width: 16,
            layers: 1,
            heads: 1,
            expansion: 4,
            positions: Positions::Learned,
            window: None,
            tied: false,
            head_bias: true,
            norm_bias: false,
            linear_bias: false,
        }
    }
}

impl Config {
    /// Whether there is such a transformer.
    ///
    /// # Errors
    /// [`NnError::Parameter`], which names the parameter and says what would be right.
    pub fn check(&self) -> Result<(), NnError> {
        let range = |name, value: usize, low: usize, high: usize, of: &str| {
            if (low..=high).contains(&value) {
                Ok(())
            } else {
                Err(wrong(name, value, format!("{low} to {high} {of}")))
            }
        };
        range("vocabulary", self.vocabulary, 2, 65_536, "tokens")?;
        range("context", self.context, 1, 1024, "tokens")?;
        range("width", self.width, 2, 256, "numbers")?;
        range("layers", self.layers, 1, 4, "blocks")?;
        range("heads", self.heads, 1, 8, "heads")?;
        range("expansion", self.expansion, 1, 8, "widths")?;
        if !self.width.is_multiple_of(self.heads) {
            return Err(wrong("heads", self.heads, format!("a number that divides the width, {}", self.width)));
        }
        if self.positions == Positions::Rope && !(self.width / self.heads).is_multiple_of(2) {
            return Err(wrong("heads", self.heads, "heads of an even width, for rotary positions"));
        }
        match self.window {
            Some(0) => Err(wrong("window", 0, "at least 1 token: a query sees itself")),
            _ => Ok(()),
        }
    }

    /// Floating-point operations of one training step on `tokens` tokens: two a multiply-add of the matrix products,
    /// attention as a full square, backwards twice forwards.
    #[must_use]
    pub fn flops(&self, tokens: usize) -> f64 {
        let d = count(self.width);
        let weights = count(self.layers) * d * d * (4.0 + 2.0 * count(self.expansion)) + d * count(self.vocabulary);
        let attention = count(self.layers) * 2.0 * count(self.context) * d;
        6.0 * count(tokens) * (weights + attention)
    }
}

/// The layers of a block.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct BlockLayers {
    pub(super) norm1: Norm,
    pub(super) qkv: Linear,
    pub(super) out: Linear,
    pub(super) norm2: Norm,
    pub(super) mlp: Mlp,
}

/// Tokens and places embedded, blocks of x += attention(norm x), x += mlp(norm x), a norm, a linear head. Radford et al.
/// 2019 (GPT-2); weights are normal with deviation 0.02, those that end in the residual stream 0.02/√(2 layers).
///
/// Tensors, row by row: `embed.token` [vocabulary, width], `embed.position` [context, width]; a block's
/// `block.I.norm1.gain`, `block.I.attention.qkv` [width, 3 width], `block.I.attention.out`, `block.I.norm2.gain`,
/// `block.I.mlp.up`, `block.I.mlp.down`; `norm.gain`, `head` [width, vocabulary], `head.bias`. A linear layer's weight is
/// [inputs, outputs], the transpose of PyTorch's.
#[derive(Clone, Debug, PartialEq)]
pub struct Gpt {
    pub(super) config: Config,
    pub(super) layout: Layout,
    pub(super) tokens: Embedding,
    pub(super) places: Option<Embedding>,
    pub(super) blocks: Vec<BlockLayers>,
    pub(super) norm: Norm,
    pub(super) head: Linear,
    pub(super) attention: Attention,
}

impl Gpt {
    /// The transformer of this config.
    ///
    /// # Errors
    /// As [`Config::check`].
    pub fn new(config: Config) -> Result<Self, NnError> {
        config.check()?;
        let Config { vocabulary, context, width, .. } = config;
        let deviation = 0.02;
        let residual = deviation / (2.0 * count(config.layers)).sqrt();
        let mut layout = Layout::default();
        let tokens = Embedding::new(&mut layout, "embed.token", [vocabulary, width], deviation);
        let places = (config.positions == Positions::Learned)
            .then(|| Embedding::new(&mut layout, "embed.position", [context, width], deviation));
        let bias = config.linear_bias;
        let blocks = (0..config.layers).map(|i| {
            let name = |part: &str| format!("block.{i}.{part}");
            let hidden = config.expansion * width;
            BlockLayers {
                norm1: Norm::new(&mut layout, &name("norm1"), width, config.norm_bias),
                qkv: Linear::new(&mut layout, &name("attention.qkv"), [width, 3 * width], deviation, bias),
                out: Linear::new(&mut layout, &name("attention.out"), [width, width], residual, bias),
                norm2: Norm::new(&mut layout, &name("norm2"), width, config.norm_bias),
                mlp: Mlp::new(
                    &mut layout,
                    &[name("mlp.up"), name("mlp.down")],
                    &[width, hidden, width],
                    &[deviation, residual],
                    bias,
                ),
            }
        });
        let blocks = blocks.collect();
        let norm = Norm::new(&mut layout, "norm", width, config.norm_bias);
        let head = if config.tied {
            let bias = config.head_bias.then(|| layout.add("head.bias", &[vocabulary], super::Init::Zeros));
            Linear { weight: tokens.table, bias, inputs: width, outputs: vocabulary, transposed: true }
        } else {
            Linear::new(&mut layout, "head", [width, vocabulary], deviation, config.head_bias)
        };
        let attention = Attention { heads: config.heads, width, window: config.window };
        Ok(Self { config, layout, tokens, places, blocks, norm, head, attention })
    }

    /// What it is.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// Its tensors.
    #[must_use]
    pub const fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Checks parameters, tokens and targets once, so that no loop has to.
    fn check<T>(&self, params: &[T], inputs: &[u32], targets: Option<&[u32]>, length: usize) -> Result<(), NnError> {
        let Config { vocabulary, context, .. } = self.config;
        let fail = |text: String| Err(NnError::Data(text));
        if params.len() != self.layout.len() {
            return fail(format!("{} parameters; this network has {}", params.len(), self.layout.len()));
        }
        if length == 0 || length > context {
            return fail(format!("sequences of {length} tokens; the context is {context}"));
        }
        if inputs.is_empty() || !inputs.len().is_multiple_of(length) {
            return fail(format!("{} tokens are no whole sequences of {length}", inputs.len()));
        }
        if targets.is_some_and(|t| t.len() != inputs.len()) {
            let targets = targets.map_or(0, <[u32]>::len);
            return fail(format!("{targets} targets for {} tokens", inputs.len()));
        }
        let all = inputs.iter().chain(targets.unwrap_or(&[]));
        match all.max() {
            Some(most) if *most as usize >= vocabulary => {
                fail(format!("token {most}; the vocabulary has {vocabulary} tokens, 0 to {}", vocabulary - 1))
            }
            _ => Ok(()),
        }
    }

    /// Mean loss in nats a token over sequences of `length`, and its gradient, which replaces what `gradient` held.
    ///
    /// # Errors
    /// [`NnError::Data`] for tokens or buffers that do not fit.
    pub fn gradient<T: Float>(
        &self,
        params: &[T],
        inputs: &[u32],
        targets: &[u32],
        length: usize,
        gradient: &mut [T],
        space: &mut Space<T>,
    ) -> Result<f64, NnError> {
        self.check(params, inputs, Some(targets), length)?;
        if gradient.len() != params.len() {
            let text = format!("a gradient of {} numbers for {} parameters", gradient.len(), params.len());
            return Err(NnError::Data(text));
        }
        gradient.fill(T::ZERO);
        let chunk = space.fit(self, length);
        let scale = T::of(1.0 / count(inputs.len()));
        let mut sum = 0.0;
        for (inputs, targets) in inputs.chunks(chunk).zip(targets.chunks(chunk)) {
            self.forward(params, inputs, length, space);
            let logits = &mut space.logits[..inputs.len() * self.config.vocabulary];
            sum += ops::cross_entropy_gradient(logits, self.config.vocabulary, targets, &mut space.losses, scale);
            self.backward(params, inputs, length, gradient, space);
        }
        Ok(sum / count(inputs.len()))
    }

    /// −ln Pr(target) in nats of every token, over sequences of `length`.
    ///
    /// # Errors
    /// [`NnError::Data`] for tokens that do not fit.
    pub fn surprisal<T: Float>(
        &self,
        params: &[T],
        inputs: &[u32],
        targets: &[u32],
        length: usize,
        space: &mut Space<T>,
    ) -> Result<Vec<f32>, NnError> {
        self.check(params, inputs, Some(targets), length)?;
        let chunk = space.fit(self, length);
        let mut losses = vec![0.0; inputs.len()];
        let parts = inputs.chunks(chunk).zip(targets.chunks(chunk)).zip(losses.chunks_mut(chunk));
        for ((inputs, targets), losses) in parts {
            self.forward(params, inputs, length, space);
            let logits = &mut space.logits[..inputs.len() * self.config.vocabulary];
            ops::cross_entropy(logits, self.config.vocabulary, targets, losses);
        }
        Ok(losses)
    }

    /// The law of the next token at every place of one sequence: `vocabulary` probabilities a token.
    ///
    /// # Errors
    /// [`NnError::Data`] for tokens that do not fit.
    pub fn predict<T: Float>(&self, params: &[T], tokens: &[u32], space: &mut Space<T>) -> Result<Vec<f64>, NnError> {
        self.check(params, tokens, None, tokens.len())?;
        space.fit(self, tokens.len());
        self.forward(params, tokens, tokens.len(), space);
        let mut laws = Vec::with_capacity(tokens.len() * self.config.vocabulary);
        for row in space.logits[..tokens.len() * self.config.vocabulary].chunks_exact(self.config.vocabulary) {
            let most = row.iter().map(|x| x.wide()).fold(f64::NEG_INFINITY, f64::max);
            let start = laws.len();
            laws.extend(row.iter().map(|x| (x.wide() - most).exp()));
            let sum: f64 = laws[start..].iter().sum();
            laws[start..].iter_mut().for_each(|p| *p /= sum);
        }
        Ok(laws)
    }

    /// What the heads of block `layer` look at in one sequence.
    ///
    /// # Errors
    /// [`NnError::Data`] for tokens that do not fit, or a block that there is not.
    pub fn attention<T: Float>(
        &self,
        params: &[T],
        tokens: &[u32],
        layer: usize,
        space: &mut Space<T>,
    ) -> Result<Maps, NnError> {
        self.check(params, tokens, None, tokens.len())?;
        if layer >= self.config.layers {
            let text = format!("block {layer}; this network has {}, from 0", self.config.layers);
            return Err(NnError::Data(text));
        }
        let length = tokens.len();
        space.fit(self, length);
        self.forward(params, tokens, length, space);
        let qkv = &space.blocks[layer].qkv[..length * 3 * self.config.width];
        let maps = self.attention.maps(qkv, length, &mut space.packing);
        let weights: Vec<f64> = maps.iter().map(|p| p.wide()).collect();
        let entropies = weights.chunks_exact(length).map(crate::sim::markov::entropy_nats).collect();
        Ok(Maps { length, weights, entropies })
    }

    fn forward<T: Float>(&self, params: &[T], inputs: &[u32], length: usize, space: &mut Space<T>) {
        let (d, rows) = (self.config.width, inputs.len());
        let Space { blocks, stream, normed, stats, logits, attention, packing, rope, .. } = space;
        let first = blocks.first_mut().map_or(&mut *stream, |b| &mut b.input);
        self.tokens.forward(params, inputs, &mut first[..rows * d]);
        if let Some(places) = self.places {
            places.forward_places(params, length, &mut first[..rows * d]);
        }
        for (i, layers) in self.blocks.iter().enumerate() {
            let (now, later) = blocks[i..].split_at_mut(1);
            let Block { input, normed1, stats1, qkv, attended, lse, middle, normed2, stats2, mlp } = &mut now[0];
            let [input, normed1, attended, middle, normed2] =
                [input, normed1, attended, middle, normed2].map(|b| &mut b[..rows * d]);
            let qkv = &mut qkv[..rows * 3 * d];
            layers.norm1.forward(params, input, normed1, &mut stats1[..rows]);
            layers.qkv.forward(params, normed1, qkv, false, packing);
            if let Some(rope) = rope {
                rope.apply(qkv, d, length, false);
            }
            self.attention.forward(qkv, length, attended, &mut lse[..rows * self.config.heads], attention, packing);
            middle.copy_from_slice(input);
            layers.out.forward(params, attended, middle, true, packing);
            layers.norm2.forward(params, middle, normed2, &mut stats2[..rows]);
            let next = later.first_mut().map_or(&mut *stream, |b| &mut b.input);
            let next = &mut next[..rows * d];
            next.copy_from_slice(middle);
            layers.mlp.forward(params, normed2, next, true, mlp, packing);
        }
        self.norm.forward(params, &stream[..rows * d], &mut normed[..rows * d], &mut stats[..rows]);
        let logits = &mut logits[..rows * self.config.vocabulary];
        self.head.forward(params, &normed[..rows * d], logits, false, packing);
    }

    fn backward<T: Float>(
        &self,
        params: &[T],
        inputs: &[u32],
        length: usize,
        gradient: &mut [T],
        space: &mut Space<T>,
    ) {
        let (d, rows) = (self.config.width, inputs.len());
        let Space { blocks, stream, normed, stats, logits, slope, dstream, dqkv, attention, packing, rope, .. } = space;
        let (slope, dstream, dqkv) = (&mut slope[..rows * d], &mut dstream[..rows * d], &mut dqkv[..rows * 3 * d]);
        let logits = &logits[..rows * self.config.vocabulary];
        self.head.backward(params, &normed[..rows * d], logits, gradient, Some(slope), packing);
        self.norm.backward(params, &stream[..rows * d], stats, slope, gradient, dstream, false);
        for (layers, block) in self.blocks.iter().zip(blocks.iter_mut()).rev() {
            let Block { input, normed1, stats1, qkv, attended, lse, middle, normed2, stats2, mlp } = block;
            let [input, normed1, attended, middle, normed2] =
                [input, normed1, attended, middle, normed2].map(|b| &b[..rows * d]);
            let qkv = &qkv[..rows * 3 * d];
            layers.mlp.backward(params, normed2, dstream, gradient, Some(slope), mlp, packing);
            layers.norm2.backward(params, middle, stats2, slope, gradient, dstream, true);
            layers.out.backward(params, attended, dstream, gradient, Some(slope), packing);
            let lse = &lse[..rows * self.config.heads];
            self.attention.backward(qkv, length, attended, lse, slope, dqkv, attention, packing);
            if let Some(rope) = rope {
                rope.apply(dqkv, d, length, true);
            }
            layers.qkv.backward(params, normed1, dqkv, gradient, Some(slope), packing);
            layers.norm1.backward(params, input, stats1, slope, gradient, dstream, true);
        }
        if let Some(places) = self.places {
            places.backward_places(length, dstream, gradient);
        }
        self.tokens.backward(inputs, dstream, gradient);
    }
}

/// What the heads of one block look at in one sequence.
#[derive(Clone, Debug, PartialEq)]
pub struct Maps {
    /// Tokens of the sequence.
    pub length: usize,
    /// Head after head, `length` × `length` probabilities, row by query.
    pub weights: Vec<f64>,
    /// Head after head, the entropy of each query's row in nats.
    pub entropies: Vec<f64>,
}
