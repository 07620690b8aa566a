//! The training problem of `core/examples/nn_bench.rs` for a browser: built and bound as the engine is, and timed beside
//! other packages in the same page by `cargo xtask bench --nn` (`e2e/peers`).

#![allow(unreachable_pub, dead_code, reason = "JavaScript calls it, which only the wasm target knows")]

use surprisal_core::nn::Trainer;
use surprisal_gpu::GpuTraining;
use wasm_bindgen::prelude::*;

#[path = "../../core/tests/nn/spec.rs"]
mod spec;

/// One training, step by step.
#[wasm_bindgen]
pub struct Training {
    trainer: Trainer<f32>,
    batches: Vec<[Vec<u32>; 2]>,
    done: usize,
    dispatches: usize,
}

#[wasm_bindgen]
impl Training {
    /// The `large` or the `small` problem at its beginning.
    #[wasm_bindgen(constructor)]
    pub fn new(name: &str) -> Result<Self, JsError> {
        let size = match name {
            "large" => spec::LARGE,
            "small" => spec::SMALL,
            _ => return Err(JsError::new("the problems are large and small")),
        };
        let trainer = spec::trainer(size);
        let dispatches = GpuTraining::dispatches_of(trainer.gpt().config(), u32::try_from(size.batch)?)?;
        Ok(Self { trainer, batches: spec::batches(size), done: 0, dispatches })
    }

    /// The loss before the step that it makes.
    pub fn step(&mut self) -> Result<f64, JsError> {
        let [x, y] = &self.batches[self.done % self.batches.len()];
        self.done += 1;
        Ok(self.trainer.step(x, y)?.loss)
    }

    /// Dispatches that a step would be on a GPU.
    #[wasm_bindgen(getter)]
    pub fn dispatches(&self) -> usize {
        self.dispatches
    }
}

fn main() {}
