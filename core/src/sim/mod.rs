//! What moves, and sources of symbols: simulations, advanced step by step and measured while they run.
//!
//! A simulation is asked for through [`crate::compute::Compute`]; the CPU reference here is f64 throughout. All
//! randomness is counter-based ([`crate::rng`]): a particle's numbers depend on (seed, replica, step, particle) only.

pub mod markov;
mod space;
pub mod swarm;

pub use space::{Boundary, Space};
