//! One flat buffer of parameters, and named views of it.

use super::Float;
use crate::rng::Philox;

/// A stretch of the flat buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// Where it begins.
    pub offset: usize,
    /// Its length.
    pub len: usize,
}

impl View {
    /// The stretch of `flat`.
    #[must_use]
    pub fn of<T>(self, flat: &[T]) -> &[T] {
        &flat[self.offset..self.offset + self.len]
    }

    /// The stretch of `flat`, to be written.
    pub fn of_mut<T>(self, flat: &mut [T]) -> &mut [T] {
        &mut flat[self.offset..self.offset + self.len]
    }
}

/// How a tensor begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// Independent normal numbers of this standard deviation.
    Normal(f64),
    /// All 1.
    Ones,
    /// All 0.
    Zeros,
}

/// A named tensor of a network, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Its name: `block.0.mlp.up`.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Where it lies.
    pub view: View,
    /// How it begins.
    pub init: Init,
    /// Whether weight decay acts on it: on matrices, not on gains and biases.
    pub decay: bool,
}

/// The tensors of a network in the order of the flat buffer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layout {
    tensors: Vec<Tensor>,
    len: usize,
}

impl Layout {
    /// Appends a tensor and tells where it lies.
    pub fn add(&mut self, name: impl Into<String>, shape: &[usize], init: Init) -> View {
        let view = View { offset: self.len, len: shape.iter().product() };
        let decay = shape.len() > 1;
        self.tensors.push(Tensor { name: name.into(), shape: shape.to_vec(), view, init, decay });
        self.len += view.len;
        view
    }

    /// The tensors.
    #[must_use]
    pub fn tensors(&self) -> &[Tensor] {
        &self.tensors
    }

    /// The tensor called `name`.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Tensor> {
        self.tensors.iter().find(|t| t.name == name)
    }

    /// Parameters in all.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Parameters at their beginning; tensor number i reads the Philox stream 2^63 + 2^24 `run` + i under `seed`, so that
    /// both precisions and every back end begin alike, and no text reads the same numbers.
    #[must_use]
    pub fn initial<T: Float>(&self, seed: u64, run: u32) -> Vec<T> {
        let mut flat = vec![T::ZERO; self.len];
        for (i, tensor) in (0_u64..).zip(&self.tensors) {
            let to = tensor.view.of_mut(&mut flat);
            match tensor.init {
                Init::Zeros => {}
                Init::Ones => to.fill(T::ONE),
                Init::Normal(deviation) => {
                    let mut rng = Philox::new(seed, (1 << 63) | (u64::from(run) << 24) | i);
                    to.iter_mut().for_each(|x| *x = T::of(deviation * rng.normal()));
                }
            }
        }
        flat
    }
}
