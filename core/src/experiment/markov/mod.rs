//! Small transformers and tables of counts on Markov sources, with and without tokenization.

mod arms;
mod claims;
mod fragments;
mod landscape;
mod params;
mod plots;
mod source;
mod sweep;
mod training;

pub(super) use fragments::Fragments;
pub(super) use landscape::Descents;
pub(super) use sweep::Sweep;
pub(super) use training::Tokenization;

/// The sheet's paper.
const SOURCE: &str = "Rajaraman, Jiao, Ramchandran 2024, Toward a Theory of Tokenization in LLMs, arXiv:2404.08335";
/// Experiments of this paper are checked together.
const PAPER: &str = "tokenization-markov";
