//! # surprisal-gpu
//!
//! The work of [`surprisal_core::compute`] as WGSL compute shaders: histograms, words, ordinal patterns and template
//! pairs. Every result is an integer count, so it equals the CPU reference to the bit on every adapter; logarithms
//! are taken afterwards, in f64, by the measures.
//!
//! [`Gpu`] is one device with all it needs. It is a [`Compute`] that uses the GPU wherever there is a kernel;
//! [`Auto`] also asks whether the GPU is worth it. A GPU that fails is an error, never a silent change of back end.
//!
//! ```no_run
//! use surprisal_core::{compute::Compute, measure::symbols::Words, pace::Unhurried};
//! use surprisal_gpu::{Gpu, Options};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let gpu = Gpu::new(&Options::from_env()).await?;
//! let words = Words { codes: &[0, 1, 0, 1, 1], alphabet: 2, length: 2 };
//! let counts = gpu.word_counts(&words, &Unhurried).await?;
//! assert_eq!(counts.value, [2, 1, 1]); // 01, 10, 11
//! # Ok(()) }
//! ```

pub mod auto;
mod budget;
mod buffer;
mod calibration;
mod compute;
mod device;
mod error;
mod kernels;
pub mod nn;
mod oneshot;
mod readback;
pub mod selftest;
mod shader;
pub mod swarm;
mod timing;
pub mod view;

pub use auto::Auto;
pub use calibration::Calibration;
pub use device::{ADAPTER_VARIABLE, AdapterInfo, Gpu, Options, adapters};
pub use error::GpuError;
pub use kernels::shaders;
pub use nn::{Form, GpuTraining};
pub use swarm::GpuSwarm;
pub use timing::Timing;
pub use view::View;

#[doc(no_inline)]
pub use surprisal_core::compute::Compute;
