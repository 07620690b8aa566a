//! The work that a measure may ask of a back end.
//!
//! Every method has the CPU reference as its default body, so [`Cpu`] overrides nothing and a GPU
//! overrides what it has kernels for. All results are integer counts, so back ends agree to the bit;
//! logarithms are taken afterwards, in f64, by the measure. What comes back says where it ran.

use futures_util::future::LocalBoxFuture;
use serde::{Deserialize, Serialize};

use crate::{
    measure::{MeasureError, ordinal::OrdinalWindows, regularity::Templates, symbols::Words},
    nn::{CpuTraining, Learning, RunSetup, Training},
    pace::Pace,
    sim::swarm::{self, Moving, Setup, Swarm},
};

/// Where a computation ran.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Ran {
    /// Which kind of back end.
    pub backend: Backend,
    /// The adapter's own name, for a GPU.
    pub adapter: Option<String>,
}

impl Ran {
    /// The CPU reference.
    #[must_use]
    pub const fn cpu() -> Self {
        Self { backend: Backend::Cpu, adapter: None }
    }
}

/// The kinds of back end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    /// The f64 reference, native or wasm.
    Cpu,
    /// A compute shader.
    Gpu,
}

/// A result and where it was computed.
#[derive(Clone, Debug)]
pub struct Done<T> {
    /// The result.
    pub value: T,
    /// Where it was computed.
    pub ran: Ran,
}

impl<T> Done<T> {
    /// A result of the CPU reference.
    #[must_use]
    pub const fn on_cpu(value: T) -> Self {
        Self { value, ran: Ran::cpu() }
    }
}

/// The future of a piece of work.
pub type Work<'a, T> = LocalBoxFuture<'a, Result<Done<T>, MeasureError>>;

/// For each template, how many *other* templates match it over the shorter and the longer length.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matches {
    /// Matches over `m` values, one number a template.
    pub shorter: Vec<u32>,
    /// Matches over `m + 1` values, one number a template.
    pub longer: Vec<u32>,
}

/// What a run may ask for. See the module's documentation.
pub trait Compute {
    /// How often each ordinal pattern occurs: `order!` counts, indexed by Lehmer code
    /// (see [`crate::measure::ordinal`]).
    fn ordinal_counts<'a>(&'a self, windows: &'a OrdinalWindows<'a>, pace: &'a dyn Pace) -> Work<'a, Vec<u64>> {
        Box::pin(async move { Ok(Done::on_cpu(windows.counts(pace).await?)) })
    }

    /// How often each word of [`Words::length`] consecutive symbols occurs: the non-zero counts in
    /// ascending order of the word's key.
    fn word_counts<'a>(&'a self, words: &'a Words<'a>, pace: &'a dyn Pace) -> Work<'a, Vec<u64>> {
        Box::pin(async move { Ok(Done::on_cpu(words.counts(pace).await?)) })
    }

    /// The matching template pairs of sample and approximate entropy
    /// (see [`crate::measure::regularity`]).
    fn template_matches<'a>(&'a self, templates: &'a Templates, pace: &'a dyn Pace) -> Work<'a, Matches> {
        Box::pin(async move { Ok(Done::on_cpu(templates.matches(pace).await?)) })
    }

    /// A batch of swarms at their beginning, one replica a setup (see [`crate::sim::swarm`]).
    fn swarm(&self, setups: Vec<Setup>) -> Moving<'_, Box<dyn Swarm>> {
        Box::pin(async move { Ok(Box::new(swarm::CpuSwarm::new(setups)?) as Box<dyn Swarm>) })
    }

    /// Transformers at their beginning, to be trained in lock-step (see [`crate::nn`]).
    fn training(&self, runs: Vec<RunSetup>) -> Learning<'_, Box<dyn Training>> {
        Box::pin(async move { Ok(Box::new(CpuTraining::new(runs)?) as Box<dyn Training>) })
    }
}

/// The CPU reference.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cpu;

impl Compute for Cpu {}
