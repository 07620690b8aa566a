//! Sources of symbols: Markov chains of any order over small alphabets, with entropies that are known and not estimated.
//!
//! A [`Chain`] is a table of next-symbol laws, one row a context of the last `order` symbols. [`Switching`] is the
//! order-k process of the tokenization papers, whose entropies have closed forms. [`Sampler`] turns a chain into integer
//! thresholds, so that the CPU and a GPU make the same symbols from the same Philox numbers ([`crate::rng`]).
//!
//! Contexts are numbered with the oldest symbol as the most significant digit: c = Σ_j x_{t−k+j} A^{k−1−j}, and the
//! context after symbol x is (c A + x) mod A^k. All entropies are in nats.

mod chain;
mod fit;
mod gamma;
mod sampler;
mod switching;

pub use chain::{Chain, MOST_CELLS};
pub use sampler::{Sampler, Stream};
pub use switching::Switching;

/// Why there is no such source.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MarkovError {
    /// A parameter makes no sense.
    #[error("{name} is {found}; expected {right}")]
    Parameter {
        /// The parameter.
        name: &'static str,
        /// Its value.
        found: String,
        /// What would be right.
        right: String,
    },
    /// The table of next-symbol laws would be too large.
    #[error("order {order} over {alphabet} symbols has {alphabet}^{order} contexts; a table may have {limit} numbers")]
    TooLarge {
        /// The size of the alphabet.
        alphabet: usize,
        /// The order.
        order: u32,
        /// The most numbers that a table may have.
        limit: usize,
    },
    /// A row is no probability law.
    #[error("the law after context {context} is not one: {why}")]
    Row {
        /// The number of the context.
        context: usize,
        /// What is wrong with it.
        why: String,
    },
    /// The law of the contexts does not settle.
    #[error("the chain mixes too slowly: after {steps} steps the law of its contexts still changes by {change:.1e}")]
    Unsettled {
        /// Steps of the power iteration.
        steps: u32,
        /// The last change, as the sum of absolute differences.
        change: f64,
    },
    /// Too few symbols.
    #[error("{have} symbols; an order-{order} source takes at least {needed}")]
    TooShort {
        /// How many there are.
        have: usize,
        /// The order.
        order: u32,
        /// How many it takes.
        needed: usize,
    },
    /// A symbol that is not in the alphabet.
    #[error("symbol {symbol} at position {position}; the alphabet has {alphabet} symbols, 0 to {}", alphabet.saturating_sub(1))]
    Symbol {
        /// The symbol.
        symbol: u8,
        /// Where.
        position: usize,
        /// The size of the alphabet.
        alphabet: usize,
    },
}

/// −Σ p ln p in nats, with 0 ln 0 = 0.
#[must_use]
pub fn entropy_nats(law: &[f64]) -> f64 {
    law.iter().filter(|p| **p > 0.0).map(|p| -p * p.ln()).sum()
}
