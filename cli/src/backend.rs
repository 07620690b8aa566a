//! Which back end computes.

use surprisal_core::compute::{Compute, Cpu};
use surprisal_gpu::{Auto, Gpu, Options};

use crate::{BackendChoice, Failure};

/// Below so many values in a column `auto` does not even look for a GPU: opening one costs more than any measure.
const WORTH_OPENING: u64 = surprisal_gpu::auto::MIN_TEMPLATES as u64;

/// The back end that was asked for, for columns of up to `longest` values. `gpu` without a GPU is an error; `auto`
/// without one is the CPU, as every result says.
pub(crate) fn choose(choice: BackendChoice, longest: u64) -> Result<Box<dyn Compute>, Failure> {
    let open = || pollster::block_on(Gpu::new(&Options::from_env()));
    match choice {
        BackendChoice::Gpu => Ok(Box::new(open()?)),
        BackendChoice::Auto if longest >= WORTH_OPENING => Ok(Box::new(Auto::new(open().ok()))),
        BackendChoice::Cpu | BackendChoice::Auto => Ok(Box::new(Cpu)),
    }
}
