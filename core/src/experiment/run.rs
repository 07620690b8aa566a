//! A run with its types erased: what every door drives.

use serde_json::{Map, Value as Json};

use super::{Artifact, Claim, Doing, Entry, Experiment, ExperimentError, Record, Saved, Verdict, judge};
use crate::{compute::Ran, figure::Figure, pace::Pace, sim::swarm::Swarm};

/// A running experiment and its record.
pub struct Run {
    entry: &'static Entry,
    record: Record,
    inner: Box<dyn Erased>,
}

impl std::fmt::Debug for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Run").field("experiment", &self.entry.about.id).field("steps", &self.record.steps).finish()
    }
}

/// [`Experiment`] without its associated items.
pub(super) trait Erased {
    fn total(&self) -> u64;
    fn done(&self) -> u64;
    fn advance<'a>(&'a mut self, steps: u32, record: &'a mut Record, pace: &'a dyn Pace) -> Doing<'a, ()>;
    fn swarm(&mut self) -> Option<&mut dyn Swarm>;
    fn change(&mut self, params: Json) -> Result<bool, ExperimentError>;
    fn save(&mut self) -> Doing<'_, Saved>;
    fn load(&mut self, saved: &Saved, record: &Record) -> Result<(), ExperimentError>;
    fn ran(&mut self) -> Ran;
    fn artifacts(&mut self) -> Doing<'_, Vec<Artifact>>;
}

impl<E: Experiment> Erased for E {
    fn total(&self) -> u64 {
        Experiment::total(self)
    }

    fn done(&self) -> u64 {
        Experiment::done(self)
    }

    fn advance<'a>(&'a mut self, steps: u32, record: &'a mut Record, pace: &'a dyn Pace) -> Doing<'a, ()> {
        Experiment::advance(self, steps, record, pace)
    }

    fn swarm(&mut self) -> Option<&mut dyn Swarm> {
        Experiment::swarm(self)
    }

    fn change(&mut self, params: Json) -> Result<bool, ExperimentError> {
        Experiment::change(self, super::registry::typed::<E>(params)?)
    }

    fn save(&mut self) -> Doing<'_, Saved> {
        Experiment::save(self)
    }

    fn load(&mut self, saved: &Saved, record: &Record) -> Result<(), ExperimentError> {
        Experiment::load(self, saved, record)
    }

    fn ran(&mut self) -> Ran {
        Experiment::ran(self)
    }

    fn artifacts(&mut self) -> Doing<'_, Vec<Artifact>> {
        Experiment::artifacts(self)
    }
}

impl Run {
    pub(super) fn new(entry: &'static Entry, record: Record, inner: Box<dyn Erased>) -> Self {
        Self { entry, record, inner }
    }

    /// What runs.
    #[must_use]
    pub const fn entry(&self) -> &'static Entry {
        self.entry
    }

    /// What was found so far.
    #[must_use]
    pub const fn record(&self) -> &Record {
        &self.record
    }

    /// What was found so far, for a door that adds its times.
    pub const fn record_mut(&mut self) -> &mut Record {
        &mut self.record
    }

    /// Steps of the whole run.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.inner.total()
    }

    /// Steps behind.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.inner.done()
    }

    /// Whether the run is at its end.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.done() >= self.total()
    }

    /// Goes on by about `steps` steps, at most to the end. What was found before an error is kept.
    ///
    /// # Errors
    /// See [`ExperimentError`].
    pub async fn advance(&mut self, steps: u32, pace: &dyn Pace) -> Result<(), ExperimentError> {
        if self.is_done() {
            return Ok(());
        }
        let result = self.inner.advance(steps, &mut self.record, pace).await;
        self.record.steps = self.inner.done();
        result
    }

    /// The pictures of the record.
    #[must_use]
    pub fn figures(&self) -> Vec<Figure> {
        self.entry.figures(&self.record)
    }

    /// What goes on, in a few words beside a progress bar.
    #[must_use]
    pub fn now(&self) -> String {
        self.entry.now(&self.record)
    }

    /// What was seen, in words.
    #[must_use]
    pub fn seen(&self) -> String {
        self.entry.seen(&self.record)
    }

    /// Where it runs.
    pub fn ran(&mut self) -> Ran {
        self.inner.ran()
    }

    /// Files that are worth having beside the record.
    ///
    /// # Errors
    /// What the back end says.
    pub async fn artifacts(&mut self) -> Result<Vec<Artifact>, ExperimentError> {
        self.inner.artifacts().await
    }

    /// What moves.
    pub fn swarm(&mut self) -> Option<&mut dyn Swarm> {
        self.inner.swarm()
    }

    /// Puts `given` over the parameters in force without beginning again; says whether that was possible.
    ///
    /// # Errors
    /// [`ExperimentError::Parameter`], or what the experiment says of the combination.
    pub fn change(&mut self, given: &Map<String, Json>) -> Result<bool, ExperimentError> {
        let mut wanted = self.record.parameters.clone();
        wanted.extend(given.iter().map(|(k, v)| (k.clone(), v.clone())));
        let full = self.entry.complete(&Json::Object(wanted))?;
        let changed = self.inner.change(Json::Object(full.clone()))?;
        if changed {
            self.record.parameters = full;
        }
        Ok(changed)
    }

    /// What is needed to go on later.
    ///
    /// # Errors
    /// What the back end says.
    pub async fn checkpoint(&mut self) -> Result<(Record, Saved), ExperimentError> {
        let saved = self.inner.save().await?;
        Ok((self.record.clone(), saved))
    }

    /// Goes on from a checkpoint.
    ///
    /// # Errors
    /// [`ExperimentError::Checkpoint`].
    pub fn resume(&mut self, record: &Record, saved: &Saved) -> Result<(), ExperimentError> {
        self.inner.load(saved, record)?;
        self.record = record.clone();
        Ok(())
    }

    /// The verdicts that this one run can give: on every claim whose parameters are those of this run (but for the
    /// seed), once the run is at its end.
    #[must_use]
    pub fn verdicts(&self) -> Vec<Verdict> {
        let about = self.entry.about.id;
        let values = |claim: &Claim| -> Vec<f64> {
            let concerned = self.is_done() && self.entry.concerns(claim, &self.record.parameters);
            self.record.value(claim.scalar).filter(|_| concerned).into_iter().collect()
        };
        self.entry.claims().iter().map(|claim| judge(about, claim, &values(claim))).collect()
    }
}
