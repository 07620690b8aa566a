//! What can go wrong between this program and a GPU.

use surprisal_core::{measure::MeasureError, nn::NnError, pace::Cancelled, sim::swarm::SwarmError};

/// Why the GPU has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GpuError {
    /// A browser without WebGPU, or a page that is not in a secure context.
    #[error("this browser offers no WebGPU here")]
    NoWebGpu,
    /// No adapter, or none with the wanted name.
    #[error("no GPU adapter{}; found: {}", wanted(wanted_name.as_deref()), found(names))]
    NoAdapter {
        /// The name that was asked for.
        wanted_name: Option<String>,
        /// The names of the adapters there are.
        names: Vec<String>,
    },
    /// Only adapters that compute on the CPU, and those were not wanted.
    #[error("the only GPU adapter is software ({name})")]
    OnlySoftware {
        /// Its name.
        name: String,
    },
    /// The adapter did not hand out a device.
    #[error("{adapter} refused: {message}")]
    Refused {
        /// The adapter's name.
        adapter: String,
        /// What it said.
        message: String,
    },
    /// The device is gone: driver reset, unplugged, closed by the browser. It stays gone.
    #[error("the GPU device was lost: {reason}")]
    Lost {
        /// What the driver or the browser said.
        reason: String,
    },
    /// The GPU has too little memory for this.
    #[error("out of GPU memory")]
    OutOfMemory,
    /// A shader or a call is wrong: a bug in this program or in a driver.
    #[error("GPU validation: {0}")]
    Validation(String),
    /// The adapter cannot bind so large a buffer.
    #[error("{what} needs {bytes} bytes in one GPU buffer; the limit is {limit}")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Its size.
        bytes: u64,
        /// The adapter's limit.
        limit: u64,
    },
    /// The counts do not add up: a symbol outside the alphabet, or a fault of the device.
    #[error("{kernel} counted {counted} of {expected} windows")]
    Miscounted {
        /// The kernel.
        kernel: &'static str,
        /// What came back.
        counted: u64,
        /// What went in.
        expected: u64,
    },
    /// The user stopped it.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl GpuError {
    /// The error as a measure reports it, with the name of the adapter.
    #[must_use]
    pub fn into_measure_error(self, adapter: &str) -> MeasureError {
        match self {
            Self::Cancelled(cancelled) => MeasureError::Cancelled(cancelled),
            other => MeasureError::Backend { backend: format!("GPU ({adapter})"), message: other.to_string() },
        }
    }

    /// The error as a swarm reports it, with the name of the adapter.
    #[must_use]
    pub fn into_swarm_error(self, adapter: &str) -> SwarmError {
        match self {
            Self::Cancelled(cancelled) => SwarmError::Cancelled(cancelled),
            Self::TooLarge { what, bytes, limit } => SwarmError::TooLarge { what: what.to_owned(), bytes, limit },
            other => SwarmError::Backend { backend: format!("GPU ({adapter})"), message: other.to_string() },
        }
    }

    /// The error as the training of a network reports it, with the name of the adapter.
    #[must_use]
    pub fn into_nn_error(self, adapter: &str) -> NnError {
        match self {
            Self::Cancelled(cancelled) => NnError::Cancelled(cancelled),
            other => NnError::Backend { backend: format!("GPU ({adapter})"), message: other.to_string() },
        }
    }
}

fn wanted(name: Option<&str>) -> String {
    name.map_or_else(String::new, |name| format!(" whose name contains '{name}'"))
}

fn found(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
