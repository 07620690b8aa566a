//! The training problem of `core/examples/nn_bench.rs` for a browser: built and bound as the engine is, and timed beside
//! other packages in the same page by `cargo xtask bench --nn` (`e2e/peers`).

#![allow(unreachable_pub, dead_code, reason = "JavaScript calls it, which only the wasm target knows")]

use surprisal_core::{
    nn::{RunSetup, Trainer, Training as _, window},
    pace::Unhurried,
};
use surprisal_gpu::{Gpu, GpuTraining, Options};
use wasm_bindgen::prelude::*;

#[path = "../../core/tests/nn/spec.rs"]
mod spec;

/// One training, step by step.
#[wasm_bindgen]
pub struct Training {
    trainer: Trainer<f32>,
    batches: Vec<[Vec<u32>; 2]>,
    done: usize,
}

#[wasm_bindgen]
impl Training {
    /// The `large` or the `small` problem at its beginning.
    #[wasm_bindgen(constructor)]
    pub fn new(name: &str) -> Result<Self, JsError> {
        let size = size(name)?;
        Ok(Self { trainer: spec::trainer(size), batches: spec::batches(size), done: 0 })
    }

    /// The loss before the step that it makes.
    pub fn step(&mut self) -> Result<f64, JsError> {
        let [x, y] = &self.batches[self.done % self.batches.len()];
        self.done += 1;
        Ok(self.trainer.step(x, y)?.loss)
    }
}

fn size(name: &str) -> Result<spec::Size, JsError> {
    match name {
        "large" => Ok(spec::LARGE),
        "small" => Ok(spec::SMALL),
        _ => Err(JsError::new("the problems are large and small")),
    }
}

/// The same training on the GPU, in the form of kernels that is faster on this adapter.
#[wasm_bindgen]
pub struct OnGpu {
    training: GpuTraining,
    note: String,
}

#[wasm_bindgen]
impl OnGpu {
    /// The `large` or the `small` problem at its beginning.
    pub async fn make(name: String) -> Result<OnGpu, JsError> {
        let size = size(&name)?;
        let gpu = Gpu::new(&Options::default()).await?;
        let ratio = gpu.calibration().await?.ratio();
        let start = spec::trainer(size).checkpoint();
        let (tokens, seed) = text(size);
        let run = RunSetup {
            config: spec::config(size),
            optimiser: start.optimiser,
            batch: u32::try_from(size.batch)?,
            tokens: tokens.into(),
            seed,
            run: 0,
        };
        let mut training = GpuTraining::new(&gpu, vec![run]).await?;
        training.restore(0, &start)?;
        let adapter = training.ran().adapter.unwrap_or_default();
        Ok(Self { training, note: format!("{adapter}, barriers {ratio:.1} times as long") })
    }

    /// The loss before the last of so many steps.
    pub async fn advance(&mut self, steps: u32) -> Result<f64, JsError> {
        let told = self.training.advance(steps, &Unhurried).await?;
        if let Some(stopped) = told.first().and_then(|run| run.stopped.as_ref()) {
            return Err(JsError::new(&stopped.to_string()));
        }
        told.first().and_then(|run| run.last).map(|last| last.loss).ok_or_else(|| JsError::new("no step was made"))
    }

    /// Where it runs, and in which form.
    #[wasm_bindgen(getter)]
    pub fn note(&self) -> String {
        self.note.clone()
    }
}

/// Tokens of a text, and steps of which the windows are the batches of the problem.
const TEXT: usize = 1 << 20;
const STEPS: usize = 10;

/// A text of the problem's source and the seed of its windows: those of the first steps hold the batches, whose losses are
/// compared with other packages; later ones lie anywhere.
fn text(size: spec::Size) -> (Vec<u32>, u64) {
    let batches = spec::batches(size);
    let mut text: Vec<u32> = batches.iter().flat_map(|[x, _]| x).copied().cycle().take(TEXT).collect();
    let places = u32::try_from(TEXT - size.context).unwrap_or(u32::MAX);
    let begin = |seed, i: usize| {
        let row = u32::try_from(i % size.batch).unwrap_or(u32::MAX);
        window(seed, 0, (i / size.batch) as u64, row, places) as usize
    };
    let apart = |seed: &u64| {
        let mut begins: Vec<usize> = (0..STEPS * size.batch).map(|i| begin(*seed, i)).collect();
        begins.sort_unstable();
        begins.windows(2).all(|pair| pair[1] - pair[0] > size.context)
    };
    let seed = (1..).find(apart).unwrap_or_default();
    for i in 0..STEPS * size.batch {
        let [x, y] = &batches[i / size.batch % batches.len()];
        let from = i % size.batch * size.context;
        let at = begin(seed, i);
        text[at] = x[from];
        text[at + 1..][..size.context].copy_from_slice(&y[from..][..size.context]);
    }
    (text, seed)
}

fn main() {}
