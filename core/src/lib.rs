//! # surprisal-core
//!
//! What is computed, and nothing else: a [`data::Dataset`] is measured by the entries of
//! [`measure::catalogue`], the results are a [`report::Report`], and [`figure`] draws them.
//!
//! This crate is the f64 reference of the project. It does no I/O beyond bytes in and bytes out,
//! knows no GPU, no browser, no clock and starts no threads. Work that a faster back end may take
//! over is asked for through [`compute::Compute`], whose default bodies are the CPU reference;
//! long work reports and can be stopped through [`pace::Pace`].
//!
//! ```
//! use surprisal_core::{compute::Cpu, data::Column, measure::{self, Context}, pace::Unhurried};
//!
//! let column = Column::real("x", vec![4.0, 7.0, 9.0, 10.0, 6.0, 11.0, 3.0]);
//! let context = Context::new(&Cpu, &Unhurried);
//! let parameters = serde_json::json!({ "order": 3 });
//! let outcome = pollster::block_on(measure::run("perm", &parameters, &column, &context)).unwrap();
//! assert!((outcome.value.scalar().unwrap() - 1.5219280948873621).abs() < 1e-12); // bits
//! ```

pub mod compute;
pub mod data;
pub mod experiment;
pub mod figure;
pub mod latex;
mod linalg;
pub mod measure;
pub mod nn;
pub mod pace;
pub mod params;
pub mod quantity;
pub mod report;
pub mod rng;
pub mod sim;
mod tables;
pub mod token;
pub mod verify;
