//! Small neural networks: layers that know where their parameters lie in one flat buffer, gradients written by hand.
//!
//! There is no graph and no framework: a model calls its layers forwards, then backwards, with buffers that it owns
//! ([`Gpt`], [`Mlp`]). Everything is generic over [`Float`]: f64 is the reference that gradients are checked in, f32 what
//! trains. After the first step nothing is allocated. The same machine gives the same bits; another instruction set may
//! round the matrix product differently (see `kernels`).
//!
//! A GPU is asked for through [`crate::compute::Compute::training`], whose CPU body is [`CpuTraining`]; both draw the
//! same windows of the same tokens from the same beginnings.
//!
//! ```
//! use surprisal_core::nn::{Config, Gpt, Optimiser, Trainer};
//!
//! let gpt = Gpt::new(Config { vocabulary: 3, context: 8, width: 8, ..Config::default() }).unwrap();
//! let mut trainer = Trainer::<f32>::new(gpt, Optimiser::default(), 1).unwrap();
//! let (inputs, targets) = ([0, 1, 2, 0, 1, 2, 0, 1], [1, 2, 0, 1, 2, 0, 1, 2]);
//! let first = trainer.step(&inputs, &targets).unwrap().loss;
//! for _ in 0..100 {
//!     trainer.step(&inputs, &targets).unwrap();
//! }
//! assert!(trainer.step(&inputs, &targets).unwrap().loss < 0.5 * first);
//! ```

mod attention;
mod checkpoint;
mod error;
mod float;
mod gpt;
mod kernels;
mod mlp;
mod ops;
mod optimiser;
mod params;
mod space;
mod train;
mod trainer;

pub use attention::{Attention, AttentionSpace, Rope};
pub use checkpoint::Checkpoint;
pub use error::NnError;
pub use float::Float;
pub use gpt::{Config, Gpt, Maps, Positions};
pub use kernels::Packing;
pub use mlp::{Mlp, MlpSpace};
pub use ops::{Embedding, Gelu, Linear, Norm, cross_entropy, cross_entropy_gradient};
pub use optimiser::{Moments, Nudge, Optimiser};
pub use params::{Init, Layout, Tensor, View};
pub use space::Space;
pub use train::{Advanced, CpuTraining, Learning, RunSetup, Snapshot, Training, window};
pub use trainer::{Progress, Trainer};
