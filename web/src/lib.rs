//! The page of Surprisal and its engine, two wasm modules of one crate: `page` runs in the window, where it shows,
//! and `engine` in a worker, where it reads files and computes. The two speak [`protocol`] and share nothing else. The
//! first view waits for the page alone, and the engine, which comes while the reader looks at it, is made for speed. A third
//! module, of `surprisal-columnar`, reads Parquet and Arrow for the engine and comes with the first such file.

// The pure parts are compiled, linted and tested natively too; there they have no caller.
#![cfg_attr(not(target_arch = "wasm32"), allow(dead_code, reason = "the callers are wasm-only"))]

mod camera;
mod cli_line;
mod colour;
mod equation;
mod knob;
mod live;
mod plan;
mod protocol;
mod setup;
mod show;
mod trial;

#[cfg(target_arch = "wasm32")]
mod engine;
#[cfg(target_arch = "wasm32")]
mod page;

#[cfg(target_arch = "wasm32")]
pub use engine::start as start_engine;
#[cfg(target_arch = "wasm32")]
pub use page::start as start_page;
