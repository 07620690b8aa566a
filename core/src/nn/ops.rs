//! Layers: what they are, forwards, and backwards by hand.
//!
//! A layer knows where its parameters lie in the flat buffer and nothing else; buffers are handed in. `backward` adds to
//! the gradient of the parameters and writes that of the input (layer norm may add it, as a residual stream needs).

use super::{
    Float, Init, Layout, View,
    kernels::{Matrix, Packing},
};

/// y = x W (+ b), W of shape [inputs, outputs], or its transpose where the weight is shared with an embedding.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Linear {
    /// W.
    pub weight: View,
    /// b.
    pub bias: Option<View>,
    /// The width of x.
    pub inputs: usize,
    /// The width of y.
    pub outputs: usize,
    /// Whether W lies as [outputs, inputs].
    pub transposed: bool,
}

impl Linear {
    /// A layer with normal weights; its tensors are `name` (and `name.bias`).
    pub fn new(layout: &mut Layout, name: &str, [inputs, outputs]: [usize; 2], deviation: f64, bias: bool) -> Self {
        let weight = layout.add(name, &[inputs, outputs], Init::Normal(deviation));
        let bias = bias.then(|| layout.add(format!("{name}.bias"), &[outputs], Init::Zeros));
        Self { weight, bias, inputs, outputs, transposed: false }
    }

    fn matrix<'a, T>(&self, params: &'a [T]) -> Matrix<'a, T> {
        let stride = if self.transposed { self.inputs } else { self.outputs };
        Matrix { data: self.weight.of(params), stride, transposed: self.transposed }
    }

    /// y = x W + b, or y += x W + b.
    pub fn forward<T: Float>(&self, params: &[T], x: &[T], y: &mut [T], add: bool, packing: &mut Packing<T>) {
        let rows = x.len() / self.inputs;
        if let Some(bias) = self.bias {
            let bias = bias.of(params);
            for y in y.chunks_exact_mut(self.outputs) {
                y.iter_mut().zip(bias).for_each(|(y, b)| *y = if add { *y + *b } else { *b });
            }
        }
        let shape = [rows, self.outputs, self.inputs];
        let add = add || self.bias.is_some();
        T::gemm(shape, Matrix::rows(x, self.inputs), self.matrix(params), (y, self.outputs), add, packing);
    }

    /// dW += xᵀ dy, db += Σ dy, dx = dy Wᵀ.
    pub fn backward<T: Float>(
        &self,
        params: &[T],
        x: &[T],
        dy: &[T],
        gradient: &mut [T],
        dx: Option<&mut [T]>,
        packing: &mut Packing<T>,
    ) {
        let rows = x.len() / self.inputs;
        if let Some(bias) = self.bias {
            T::add_rows(dy, bias.of_mut(gradient));
        }
        let dw = self.weight.of_mut(gradient);
        if self.transposed {
            let (dy, x) = (Matrix::transpose(dy, self.outputs), Matrix::rows(x, self.inputs));
            T::gemm([self.outputs, self.inputs, rows], dy, x, (dw, self.inputs), true, packing);
        } else {
            let (x, dy) = (Matrix::transpose(x, self.inputs), Matrix::rows(dy, self.outputs));
            T::gemm([self.inputs, self.outputs, rows], x, dy, (dw, self.outputs), true, packing);
        }
        if let Some(dx) = dx {
            let weight = self.matrix(params);
            let turned = Matrix { transposed: !weight.transposed, ..weight };
            let shape = [rows, self.inputs, self.outputs];
            T::gemm(shape, Matrix::rows(dy, self.outputs), turned, (dx, self.inputs), false, packing);
        }
    }
}

/// Rows of a table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Embedding {
    /// The table, [entries, width].
    pub table: View,
    /// The width of a row.
    pub width: usize,
}

impl Embedding {
    /// A table of normal numbers.
    pub fn new(layout: &mut Layout, name: &str, [entries, width]: [usize; 2], deviation: f64) -> Self {
        Self { table: layout.add(name, &[entries, width], Init::Normal(deviation)), width }
    }

    /// Row after row; the ids are below the number of entries.
    pub fn forward<T: Float>(&self, params: &[T], ids: &[u32], y: &mut [T]) {
        let table = self.table.of(params);
        for (id, y) in ids.iter().zip(y.chunks_exact_mut(self.width)) {
            y.copy_from_slice(&table[*id as usize * self.width..][..self.width]);
        }
    }

    /// Adds each row of dy to its row of the table's gradient, in order.
    pub fn backward<T: Float>(&self, ids: &[u32], dy: &[T], gradient: &mut [T]) {
        let table = self.table.of_mut(gradient);
        for (id, dy) in ids.iter().zip(dy.chunks_exact(self.width)) {
            let row = &mut table[*id as usize * self.width..][..self.width];
            row.iter_mut().zip(dy).for_each(|(to, dy)| *to += *dy);
        }
    }

    /// Adds row i of the table to row i of each sequence of `length`.
    pub fn forward_places<T: Float>(&self, params: &[T], length: usize, y: &mut [T]) {
        let table = &self.table.of(params)[..length * self.width];
        for sequence in y.chunks_exact_mut(table.len()) {
            sequence.iter_mut().zip(table).for_each(|(y, x)| *y += *x);
        }
    }

    /// The gradient of the above.
    pub fn backward_places<T: Float>(&self, length: usize, dy: &[T], gradient: &mut [T]) {
        T::add_rows(dy, &mut self.table.of_mut(gradient)[..length * self.width]);
    }
}

/// Layer norm: gain (x − mean)/√(variance + 10⁻⁵) (+ bias). Ba, Kiros, Hinton, arXiv 1607.06450.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Norm {
    /// The gain.
    pub gain: View,
    /// The bias.
    pub bias: Option<View>,
}

impl Norm {
    /// A norm with gain 1.
    pub fn new(layout: &mut Layout, name: &str, width: usize, bias: bool) -> Self {
        let gain = layout.add(format!("{name}.gain"), &[width], Init::Ones);
        let bias = bias.then(|| layout.add(format!("{name}.bias"), &[width], Init::Zeros));
        Self { gain, bias }
    }

    /// Writes y, and the mean and 1/√(variance + 10⁻⁵) of every row.
    pub fn forward<T: Float>(&self, params: &[T], x: &[T], y: &mut [T], stats: &mut [[T; 2]]) {
        T::norm_forward(x, self.gain.of(params), self.bias.map(|b| b.of(params)), y, stats);
    }

    /// The gradients; that of x is added to `dx` where `add`.
    #[expect(clippy::too_many_arguments, reason = "operands of one layer")]
    pub fn backward<T: Float>(
        &self,
        params: &[T],
        x: &[T],
        stats: &[[T; 2]],
        dy: &[T],
        gradient: &mut [T],
        dx: &mut [T],
        add: bool,
    ) {
        // The bias lies behind the gain, as `new` added them.
        let (before, after) = gradient.split_at_mut(self.gain.offset + self.gain.len);
        let dbias = self.bias.map(|b| &mut after[b.offset - before.len()..][..b.len]);
        let dgain = &mut before[self.gain.offset..];
        T::norm_backward(x, stats, self.gain.of(params), dy, (dgain, dbias), dx, add);
    }
}

/// Gaussian error linear unit in its tanh form: x (1 + tanh(√(2/π) (x + 0.044715 x³)))/2. Hendrycks & Gimpel, arXiv
/// 1606.08415.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gelu;

impl Gelu {
    /// y = GELU(x).
    pub fn forward<T: Float>(x: &[T], y: &mut [T]) {
        T::gelu_forward(x, y);
    }

    /// Turns the gradient of y into that of x.
    pub fn backward<T: Float>(x: &[T], dy: &mut [T]) {
        T::gelu_backward(x, dy);
    }
}

/// −ln of the softmax of the logits at each row's target, in nats; their sum in f64. The targets are below `width`.
pub fn cross_entropy<T: Float>(logits: &mut [T], width: usize, targets: &[u32], losses: &mut [f32]) -> f64 {
    T::cross_entropy(logits, width, targets, losses, None)
}

/// As [`cross_entropy`], and the logits become their gradients times `scale`.
pub fn cross_entropy_gradient<T: Float>(
    logits: &mut [T],
    width: usize,
    targets: &[u32],
    losses: &mut [f32],
    scale: T,
) -> f64 {
    T::cross_entropy(logits, width, targets, losses, Some(scale))
}
