//! Layers with GELU between them.

use super::{Float, Gelu, Layout, Linear, kernels::Packing};

/// Linear layers with GELU between them: the feed-forward block of a transformer, or a network of its own (a policy, a
/// score network).
#[derive(Clone, Debug, PartialEq)]
pub struct Mlp {
    layers: Vec<Linear>,
}

/// What a [`Mlp`] keeps between forwards and backwards.
#[derive(Clone, Debug, Default)]
pub struct MlpSpace<T> {
    /// Before and after GELU, one pair for each hidden layer.
    hidden: Vec<[Vec<T>; 2]>,
    slopes: [Vec<T>; 2],
}

impl Mlp {
    /// Layers of the given `widths`, input and output included (two at least); layer i is called `names[i]` and begins
    /// with standard deviation `deviations[i]`. What has no name or deviation is not made.
    pub fn new(layout: &mut Layout, names: &[String], widths: &[usize], deviations: &[f64], bias: bool) -> Self {
        let layers = widths.windows(2).zip(names).zip(deviations);
        let layers = layers.map(|((w, name), deviation)| Linear::new(layout, name, [w[0], w[1]], *deviation, bias));
        Self { layers: layers.collect() }
    }

    /// The layers.
    #[must_use]
    pub fn layers(&self) -> &[Linear] {
        &self.layers
    }

    /// y = f(x), or y += f(x); `space` keeps what `backward` needs.
    pub fn forward<T: Float>(
        &self,
        params: &[T],
        x: &[T],
        y: &mut [T],
        add: bool,
        space: &mut MlpSpace<T>,
        packing: &mut Packing<T>,
    ) {
        let Some((last, hidden)) = self.layers.split_last() else { return };
        let rows = x.len() / self.layers[0].inputs;
        space.hidden.resize_with(hidden.len(), Default::default);
        for (i, layer) in hidden.iter().enumerate() {
            let (done, rest) = space.hidden.split_at_mut(i);
            let [before, after] = &mut rest[0];
            before.resize(rows * layer.outputs, T::ZERO);
            after.resize(rows * layer.outputs, T::ZERO);
            layer.forward(params, done.last().map_or(x, |d| &d[1]), before, false, packing);
            Gelu::forward(before, after);
        }
        last.forward(params, space.hidden.last().map_or(x, |d| &d[1]), y, add, packing);
    }

    /// Adds to the gradient of the parameters and writes that of x, from that of y.
    #[expect(clippy::too_many_arguments, reason = "operands of one layer")]
    pub fn backward<T: Float>(
        &self,
        params: &[T],
        x: &[T],
        dy: &[T],
        gradient: &mut [T],
        dx: Option<&mut [T]>,
        space: &mut MlpSpace<T>,
        packing: &mut Packing<T>,
    ) {
        let MlpSpace { hidden, slopes: [from, to] } = space;
        let mut dx = dx;
        for (i, layer) in self.layers.iter().enumerate().rev() {
            let input = if i == 0 { x } else { &hidden[i - 1][1] };
            let dy = if i + 1 == self.layers.len() { dy } else { &from[..] };
            if i == 0 {
                layer.backward(params, input, dy, gradient, dx.take(), packing);
            } else {
                to.resize(input.len(), T::ZERO);
                layer.backward(params, input, dy, gradient, Some(to), packing);
                Gelu::backward(&hidden[i - 1][0], to);
                std::mem::swap(from, to);
            }
        }
    }
}
