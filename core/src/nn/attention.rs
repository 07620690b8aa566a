//! Causal attention with several heads, a window, and rotary positions.
//!
//! Scores are made for strips of queries against the keys that they may see, and made again backwards: what is kept is one
//! number a row, the logarithm of its sum (Dao et al., FlashAttention, arXiv 2205.14135), so that memory grows with the
//! context and not with its square.

use super::{
    Float,
    float::count,
    kernels::{Matrix, Packing, Strip},
};

/// Queries of a strip.
const STRIP: usize = 32;

/// Attention over rows of queries, keys and values, [q | k | v], each `width` wide and divided into heads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attention {
    /// Heads; they divide the width.
    pub heads: usize,
    /// The width of all heads together.
    pub width: usize,
    /// Keys that a query sees, itself included; `None` for all before it.
    pub window: Option<usize>,
}

/// Scores of one strip and their slopes.
#[derive(Clone, Debug, Default)]
pub struct AttentionSpace<T> {
    scores: Vec<T>,
    slopes: Vec<T>,
    inner: Vec<T>,
}

impl Attention {
    fn head(&self) -> usize {
        self.width / self.heads
    }

    fn scale<T: Float>(&self) -> T {
        T::of(1.0 / count(self.head()).sqrt())
    }

    /// Strips of a sequence: rows and keys.
    fn strips(&self, length: usize) -> impl Iterator<Item = (usize, Strip)> {
        let window = self.window.unwrap_or(length).clamp(1, length.max(1));
        (0..length).step_by(STRIP).map(move |query| {
            let rows = STRIP.min(length - query);
            let key = (query + 1).saturating_sub(window);
            (rows, Strip { query, key, keys: query + rows - key, window })
        })
    }

    /// Writes the outputs (`width` a row) and the logarithms of the sums (`heads` sequences of `length` a sequence).
    pub fn forward<T: Float>(
        &self,
        qkv: &[T],
        length: usize,
        out: &mut [T],
        lse: &mut [T],
        space: &mut AttentionSpace<T>,
        packing: &mut Packing<T>,
    ) {
        let (d, head, stride) = (self.width, self.head(), 3 * self.width);
        let sequences = qkv.chunks_exact(length * stride).zip(out.chunks_exact_mut(length * d));
        for ((qkv, out), lse) in sequences.zip(lse.chunks_exact_mut(self.heads * length)) {
            for (h, lse) in lse.chunks_exact_mut(length).enumerate() {
                for (rows, strip) in self.strips(length) {
                    let scores = room(&mut space.scores, rows * strip.keys);
                    self.score(qkv, h, rows, &strip, scores, packing);
                    T::strip_forward(&strip, scores, self.scale(), &mut lse[strip.query..][..rows]);
                    let values = Matrix::rows(&qkv[strip.key * stride + 2 * d + h * head..], stride);
                    let out = &mut out[strip.query * d + h * head..];
                    let shape = [rows, head, strip.keys];
                    T::gemm(shape, Matrix::rows(scores, strip.keys), values, (out, d), false, packing);
                }
            }
        }
    }

    /// q kᵀ of a strip.
    fn score<T: Float>(
        &self,
        qkv: &[T],
        h: usize,
        rows: usize,
        strip: &Strip,
        scores: &mut [T],
        packing: &mut Packing<T>,
    ) {
        let (d, head, stride) = (self.width, self.head(), 3 * self.width);
        let queries = Matrix::rows(&qkv[strip.query * stride + h * head..], stride);
        let keys = Matrix::transpose(&qkv[strip.key * stride + d + h * head..], stride);
        T::gemm([rows, strip.keys, head], queries, keys, (scores, strip.keys), false, packing);
    }

    /// Writes the gradients of queries, keys and values from those of the outputs.
    #[expect(clippy::too_many_arguments, reason = "operands of one layer")]
    pub fn backward<T: Float>(
        &self,
        qkv: &[T],
        length: usize,
        out: &[T],
        lse: &[T],
        dout: &[T],
        dqkv: &mut [T],
        space: &mut AttentionSpace<T>,
        packing: &mut Packing<T>,
    ) {
        let (d, head, stride) = (self.width, self.head(), 3 * self.width);
        dqkv.fill(T::ZERO);
        let inputs = qkv.chunks_exact(length * stride).zip(lse.chunks_exact(self.heads * length));
        let outputs = out.chunks_exact(length * d).zip(dout.chunks_exact(length * d));
        let sequences = inputs.zip(outputs).zip(dqkv.chunks_exact_mut(length * stride));
        for (((qkv, lse), (out, dout)), dqkv) in sequences {
            for (h, lse) in lse.chunks_exact(length).enumerate() {
                for (rows, strip) in self.strips(length) {
                    let Strip { query, key, keys, .. } = strip;
                    let scores = room(&mut space.scores, rows * keys);
                    let slopes = room(&mut space.slopes, rows * keys);
                    let inner = room(&mut space.inner, rows);
                    for (r, inner) in inner.iter_mut().enumerate() {
                        let place = (query + r) * d + h * head;
                        *inner = T::dot(&out[place..][..head], &dout[place..][..head]);
                    }
                    let dout = &dout[query * d + h * head..];
                    let [q, k, v] = [0, d, 2 * d].map(|part| part + h * head);
                    let (queries, its_keys) = (&qkv[query * stride + q..], &qkv[key * stride + k..]);
                    let values = &qkv[key * stride + v..];
                    // By key, so that two of the three products that follow find their left factor row by row.
                    let shape = [keys, rows, head];
                    let by_key = Matrix::rows(its_keys, stride);
                    T::gemm(shape, by_key, Matrix::transpose(queries, stride), (scores, rows), false, packing);
                    let by_key = Matrix::rows(values, stride);
                    T::gemm(shape, by_key, Matrix::transpose(dout, d), (slopes, rows), false, packing);
                    // dP = dO Vᵀ, then dS = P (dP − Σ dO O) scale
                    T::strip_backward(&strip, scores, slopes, self.scale(), [&lse[query..][..rows], inner]);
                    // dV += Pᵀ dO
                    let shape = [keys, head, rows];
                    let to = (&mut dqkv[key * stride + v..], stride);
                    T::gemm(shape, Matrix::rows(scores, rows), Matrix::rows(dout, d), to, true, packing);
                    // dK += dSᵀ Q
                    let to = (&mut dqkv[key * stride + k..], stride);
                    T::gemm(shape, Matrix::rows(slopes, rows), Matrix::rows(queries, stride), to, true, packing);
                    // dQ = dS K
                    let to = (&mut dqkv[query * stride + q..], stride);
                    let left = Matrix::transpose(slopes, rows);
                    T::gemm([rows, head, keys], left, Matrix::rows(its_keys, stride), to, false, packing);
                }
            }
        }
    }

    /// What the heads of one sequence look at: `length` × `length` probabilities a head, row by query.
    #[must_use]
    pub fn maps<T: Float>(&self, qkv: &[T], length: usize, packing: &mut Packing<T>) -> Vec<T> {
        let mut maps = vec![T::ZERO; self.heads * length * length];
        let mut lse = [T::ZERO; STRIP];
        let mut scores = Vec::new();
        for (h, map) in maps.chunks_exact_mut((length * length).max(1)).enumerate() {
            for (rows, strip) in self.strips(length) {
                let scores = room(&mut scores, rows * strip.keys);
                self.score(qkv, h, rows, &strip, scores, packing);
                T::strip_forward(&strip, scores, self.scale(), &mut lse[..rows]);
                for (r, row) in scores.chunks_exact(strip.keys).enumerate() {
                    map[(strip.query + r) * length + strip.key..][..strip.keys].copy_from_slice(row);
                }
            }
        }
        maps
    }
}

fn room<T: Float>(buffer: &mut Vec<T>, len: usize) -> &mut [T] {
    if buffer.len() < len {
        buffer.resize(len, T::ZERO);
    }
    &mut buffer[..len]
}

/// Rotary positions: pair (i, i + head/2) of a head at place t turns by t · 10000^(−2i/head). Su et al., arXiv
/// 2104.09864; halves are paired as in GPT-NeoX.
#[derive(Clone, Debug, PartialEq)]
pub struct Rope<T> {
    half: usize,
    /// cos and sin, `half` of each a place.
    turns: Vec<[T; 2]>,
}

impl<T: Float> Rope<T> {
    /// The turns of `context` places for heads of width `head`, which is even.
    #[must_use]
    pub fn new(head: usize, context: usize) -> Self {
        let half = head / 2;
        let turn = |t: usize, i: usize| {
            let angle = count(t) * 10_000_f64.powf(-2.0 * count(i) / count(head));
            [T::of(angle.cos()), T::of(angle.sin())]
        };
        Self { half, turns: (0..context).flat_map(|t| (0..half).map(move |i| turn(t, i))).collect() }
    }

    /// Turns the queries and keys of [q | k | v] rows forwards, or gradients backwards.
    pub fn apply(&self, qkv: &mut [T], width: usize, length: usize, backwards: bool) {
        for sequence in qkv.chunks_exact_mut(length * 3 * width) {
            let places = self.turns.chunks_exact(self.half);
            for (row, turns) in sequence.chunks_exact_mut(3 * width).zip(places) {
                for head in row[..2 * width].chunks_exact_mut(2 * self.half) {
                    let (x, y) = head.split_at_mut(self.half);
                    for ((x, y), [cos, sin]) in x.iter_mut().zip(y).zip(turns) {
                        let sin = if backwards { -*sin } else { *sin };
                        (*x, *y) = (*x * *cos - *y * sin, *x * sin + *y * *cos);
                    }
                }
            }
        }
    }
}
