//! Experiments: a parameter struct, a run that fills a [`Record`], figures that draw it, and claims about it.
//!
//! An experiment is written once, as a type that implements [`Experiment`]. From it come, with no second list, the
//! page's controls, the URL, the embed's attributes, `surprisal run`, `surprisal check`, the reference page and the
//! validation errors. Work is asked for through [`Compute`]; no experiment knows which back end it has, and the record
//! says which one ran. A new experiment is one folder here and one line in [`registry`].
//!
//! ```
//! use surprisal_core::{compute::Cpu, experiment, pace::Unhurried};
//!
//! let entry = experiment::find("vicsek").unwrap();
//! let given = serde_json::json!({ "count": 50, "steps": 20, "noise": 0.5 });
//! let run = pollster::block_on(async {
//!     let mut run = entry.start(&given, &Cpu).await?;
//!     while !run.is_done() {
//!         run.advance(10, &Unhurried).await?;
//!     }
//!     Ok::<_, experiment::ExperimentError>(run)
//! });
//! assert_eq!(run.unwrap().record().steps, 20);
//! ```

mod boids;
pub mod check;
mod claim;
mod error;
mod fish;
mod markov;
pub mod real;
mod record;
mod registry;
mod run;
mod saved;
mod vicsek;

pub use claim::{Claim, Comparison, Standing, Verdict, judge};
pub use error::ExperimentError;
pub use fish::{METRICS, Measured, Metrics};
pub use record::{Column, Record, Scalar, Table, Values};
pub use registry::{Entry, find, of_paper, registry};
pub use run::Run;
pub use saved::{Artifact, Saved};

use crate::{
    compute::{Compute, Ran},
    figure::Figure,
    pace::Pace,
    sim::swarm::Swarm,
};

/// What an experiment is, for people.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// The id on the command line, in URLs, embeds and records: `fish-schooling`.
    pub id: &'static str,
    /// The name, spelled out.
    pub title: &'static str,
    /// What it is about, in one sentence.
    pub claim: &'static str,
    /// How it works, in a few sentences.
    pub how: &'static str,
    /// The model in plain text with Unicode symbols.
    pub equation: &'static str,
    /// The same in LaTeX, one displayed formula a line (see [`crate::latex`]).
    pub tex: &'static [&'static str],
    /// Where it is from: authors, title, year, place.
    pub source: &'static str,
    /// The paper that it belongs to; experiments of one paper are checked together.
    pub paper: &'static str,
}

/// The future of an experiment's work.
pub type Doing<'a, T> = futures_util::future::LocalBoxFuture<'a, Result<T, ExperimentError>>;

/// One experiment, written once.
pub trait Experiment: Sized + 'static {
    /// Its parameters; every field has a default, a range and help. One of them is `seed`.
    type Params: serde::Serialize + serde::de::DeserializeOwned + schemars::JsonSchema + Default;

    /// What it is.
    const ABOUT: About;

    /// What it claims, with thresholds that were fixed before any run, or that say so.
    const CLAIMS: &'static [Claim] = &[];

    /// Parameters that choose what is shown and change no number: a run under other ones still is the run that a claim is
    /// about.
    const SHOWN: &'static [&'static str] = &[];

    /// Begins. Checks what the ranges of the single parameters cannot.
    fn start(params: Self::Params, compute: &dyn Compute) -> Doing<'_, Self>;

    /// Steps of the whole run.
    fn total(&self) -> u64;

    /// Steps behind.
    fn done(&self) -> u64;

    /// Goes on by about `steps` steps, at most to the end, and notes in `record` what was found.
    fn advance<'a>(&'a mut self, steps: u32, record: &'a mut Record, pace: &'a dyn Pace) -> Doing<'a, ()>;

    /// The pictures of what is in the record so far.
    fn figures(record: &Record) -> Vec<Figure>;

    /// What was seen, in at most two sentences with numbers.
    fn seen(record: &Record) -> String;

    /// What goes on, in a few words beside a progress bar; empty where the steps say it all.
    fn now(_record: &Record) -> String {
        String::new()
    }

    /// What moves, where a reader can watch it.
    fn swarm(&mut self) -> Option<&mut dyn Swarm> {
        None
    }

    /// Where it runs.
    fn ran(&mut self) -> Ran {
        self.swarm().map_or_else(Ran::cpu, |swarm| swarm.ran())
    }

    /// Takes new parameters without beginning again, where that makes sense; says whether it did.
    ///
    /// # Errors
    /// Parameters that make no sense.
    fn change(&mut self, _params: Self::Params) -> Result<bool, ExperimentError> {
        Ok(false)
    }

    /// What is needed to go on later, beside the record.
    fn save(&mut self) -> Doing<'_, Saved> {
        Box::pin(async { Ok(Saved::default()) })
    }

    /// Goes on from what [`Experiment::save`] gave, with the record of that moment.
    ///
    /// # Errors
    /// [`ExperimentError::Checkpoint`].
    fn load(&mut self, _saved: &Saved, _record: &Record) -> Result<(), ExperimentError> {
        Err(ExperimentError::Checkpoint("this experiment begins again instead".to_owned()))
    }

    /// Files that are worth having beside the record: what was learned, in formats that others read.
    fn artifacts(&mut self) -> Doing<'_, Vec<Artifact>> {
        Box::pin(async { Ok(Vec::new()) })
    }
}
