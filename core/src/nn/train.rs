//! Several transformers trained together: what a back end may take over.

use std::sync::Arc;

use futures_util::future::LocalBoxFuture;

use super::{Checkpoint, Config, Gpt, NnError, Optimiser, Progress, Trainer, error::wrong};
use crate::{compute::Ran, pace::Pace, rng::philox4x32};

/// One transformer and what it is trained on.
#[derive(Clone, Debug, PartialEq)]
pub struct RunSetup {
    /// What it is.
    pub config: Config,
    /// How it is trained.
    pub optimiser: Optimiser,
    /// Sequences of a step, each as long as the context.
    pub batch: u32,
    /// The tokens that windows are cut from; at least one more than the context.
    pub tokens: Arc<[u32]>,
    /// Seed of parameters and windows.
    pub seed: u64,
    /// A number that tells runs of one seed apart.
    pub run: u32,
}

impl RunSetup {
    /// Whether it can be trained.
    ///
    /// # Errors
    /// [`NnError::Parameter`], [`NnError::Data`].
    pub fn check(&self) -> Result<(), NnError> {
        self.config.check()?;
        self.optimiser.check()?;
        if !(1..=4096).contains(&self.batch) {
            return Err(wrong("batch", self.batch, "1 to 4096 sequences"));
        }
        let (have, needed) = (self.tokens.len(), self.config.context + 1);
        if have < needed {
            let context = self.config.context;
            return Err(NnError::Data(format!("the text has {have} tokens; a context of {context} takes {needed}")));
        }
        if u32::try_from(have).is_err() {
            return Err(NnError::Data(format!("the text has {have} tokens; at most {} can be used", u32::MAX)));
        }
        Ok(())
    }
}

/// Where the window of sequence `row` at step `step` begins, among `places`: u · places / 2^32 with u the first word of
/// the Philox block of counter (step, row, run) under the seed. The same on every back end.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "the words of 64 bits")]
pub fn window(seed: u64, run: u32, step: u64, row: u32, places: u32) -> u32 {
    let counter = [step as u32, (step >> 32) as u32, row, run];
    // A key of its own: the parameters read the streams of the plain seed.
    let [u, ..] = philox4x32(counter, [seed as u32 ^ 0x5749_4e44, (seed >> 32) as u32]);
    ((u64::from(u) * u64::from(places)) >> 32) as u32
}

/// How far one run has come in a call of [`Training::advance`].
#[derive(Clone, Debug, PartialEq)]
pub struct Advanced {
    /// Steps behind, all calls together.
    pub step: u64,
    /// The last step of the call; `None` where none was made.
    pub last: Option<Progress>,
    /// Why it stopped for good: [`NnError::Diverged`]. The parameters are those of `step`.
    pub stopped: Option<NnError>,
}

/// A transformer at some step and where it ran.
pub type Snapshot = Checkpoint;

/// The future of training.
pub type Learning<'a, T> = LocalBoxFuture<'a, Result<T, NnError>>;

/// Transformers that are trained in lock-step on some back end.
pub trait Training {
    /// What is trained, in force now.
    fn runs(&self) -> &[RunSetup];

    /// Trains every run by `steps` steps. A run that diverges stops, and the others go on.
    fn advance<'a>(&'a mut self, steps: u32, pace: &'a dyn Pace) -> Learning<'a, Vec<Advanced>>;

    /// −ln Pr in nats of each token behind the first (see [`Trainer::surprisal`]).
    fn surprisal<'a>(&'a mut self, run: usize, tokens: &'a [u32], pace: &'a dyn Pace) -> Learning<'a, Vec<f32>>;

    /// The run as it is now.
    fn snapshot(&mut self, run: usize) -> Learning<'_, Snapshot>;

    /// Puts the run into `snapshot`.
    ///
    /// # Errors
    /// [`NnError::Checkpoint`].
    fn restore(&mut self, run: usize, snapshot: &Snapshot) -> Result<(), NnError>;

    /// Another optimiser (learning rate, budget) from the next step on.
    ///
    /// # Errors
    /// [`NnError::Parameter`].
    fn change(&mut self, run: usize, optimiser: Optimiser) -> Result<(), NnError>;

    /// Where it runs.
    fn ran(&self) -> Ran;
}

/// Training on the CPU, in f32, one run after the other within a step.
#[derive(Debug)]
pub struct CpuTraining {
    runs: Vec<RunSetup>,
    trainers: Vec<Trainer<f32>>,
    stopped: Vec<Option<NnError>>,
    inputs: Vec<u32>,
    targets: Vec<u32>,
}

impl CpuTraining {
    /// The runs at their beginning.
    ///
    /// # Errors
    /// As [`RunSetup::check`].
    pub fn new(runs: Vec<RunSetup>) -> Result<Self, NnError> {
        let mut trainers = Vec::with_capacity(runs.len());
        for run in &runs {
            run.check()?;
            let mut trainer = Trainer::new(Gpt::new(run.config)?, run.optimiser, run.seed)?;
            let initial = trainer.gpt().layout().initial(run.seed, run.run);
            trainer.params_mut().copy_from_slice(&initial);
            trainers.push(trainer);
        }
        let stopped = vec![None; runs.len()];
        Ok(Self { runs, trainers, stopped, inputs: Vec::new(), targets: Vec::new() })
    }

    /// The trainer of a run, for looking inside.
    pub fn trainer(&mut self, run: usize) -> Option<&mut Trainer<f32>> {
        self.trainers.get_mut(run)
    }

    fn step(&mut self, run: usize) -> Result<Progress, NnError> {
        let Self { runs, trainers, inputs, targets, .. } = self;
        let (setup, trainer) = (&runs[run], &mut trainers[run]);
        let context = setup.config.context;
        let places = u32::try_from(setup.tokens.len() - context).unwrap_or(u32::MAX);
        inputs.clear();
        targets.clear();
        for row in 0..setup.batch {
            let start = window(setup.seed, setup.run, trainer.steps(), row, places) as usize;
            inputs.extend(&setup.tokens[start..start + context]);
            targets.extend(&setup.tokens[start + 1..=start + context]);
        }
        trainer.step(inputs, targets)
    }
}

fn known<T>(list: &mut [T], run: usize) -> Result<&mut T, NnError> {
    let n = list.len();
    list.get_mut(run).ok_or_else(|| NnError::Data(format!("run {run}; there are {n}, from 0")))
}

impl Training for CpuTraining {
    fn runs(&self) -> &[RunSetup] {
        &self.runs
    }

    fn advance<'a>(&'a mut self, steps: u32, pace: &'a dyn Pace) -> Learning<'a, Vec<Advanced>> {
        Box::pin(async move {
            let mut last = vec![None; self.runs.len()];
            for step in 0..steps {
                for (run, last) in last.iter_mut().enumerate() {
                    if self.stopped[run].is_some() {
                        continue;
                    }
                    match self.step(run) {
                        Ok(progress) => *last = Some(progress),
                        Err(error @ NnError::Diverged { .. }) => self.stopped[run] = Some(error),
                        Err(other) => return Err(other),
                    }
                }
                pace.tick(u64::from(step) + 1, u64::from(steps)).await?;
            }
            let each = self.trainers.iter().zip(last).zip(&self.stopped);
            Ok(each.map(|((t, last), stopped)| Advanced { step: t.steps(), last, stopped: stopped.clone() }).collect())
        })
    }

    fn surprisal<'a>(&'a mut self, run: usize, tokens: &'a [u32], pace: &'a dyn Pace) -> Learning<'a, Vec<f32>> {
        Box::pin(async move {
            let trainer = known(&mut self.trainers, run)?;
            let (context, last) = (trainer.gpt().config().context, tokens.len().saturating_sub(1));
            // Some thousand tokens between two looks at the clock, whole windows of them.
            let part = context * (4096 / context).max(1);
            let mut losses = Vec::with_capacity(last);
            for start in (0..last.max(1)).step_by(part) {
                let end = (start + part).min(last);
                losses.extend(trainer.surprisal(&tokens[start.min(end)..tokens.len().min(end + 1)])?);
                pace.tick(end as u64, last as u64).await?;
            }
            Ok(losses)
        })
    }

    fn snapshot(&mut self, run: usize) -> Learning<'_, Snapshot> {
        Box::pin(async move { Ok(known(&mut self.trainers, run)?.checkpoint()) })
    }

    fn restore(&mut self, run: usize, snapshot: &Snapshot) -> Result<(), NnError> {
        known(&mut self.trainers, run)?.restore(snapshot)?;
        self.stopped[run] = None;
        self.runs[run].optimiser = snapshot.optimiser;
        Ok(())
    }

    fn change(&mut self, run: usize, optimiser: Optimiser) -> Result<(), NnError> {
        known(&mut self.trainers, run)?.set_optimiser(optimiser)?;
        self.runs[run].optimiser = optimiser;
        // A run that diverged may try again with another rate.
        self.stopped[run] = None;
        Ok(())
    }

    fn ran(&self) -> Ran {
        Ran::cpu()
    }
}
