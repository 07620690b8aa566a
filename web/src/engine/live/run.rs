//! One run: how far a slice goes, what is told when, and what happens when a GPU fails.

use serde_json::{Map, Value as Json};
use surprisal_core::{
    compute::{Backend, Cpu, Ran},
    experiment::{self, Entry, ExperimentError, Record, Run, Saved},
    params::ParameterError,
    sim::swarm::{Swarm, SwarmError},
};
use web_time::{Duration, Instant};

use super::super::{lab::Lab, pace::Steps};
use crate::{
    live::{Begun, News, Shown, Speed, State},
    protocol::Wish,
    setup::plain,
};

/// Of a frame's 16 ms, so much may be computed;
const SLICE: f64 = 0.011;
/// and so much where there is nothing to draw.
const SLICE_UNSEEN: f64 = 0.04;
/// Small numbers at most so often,
const STATE: Duration = Duration::from_millis(100);
/// pictures,
const FIGURES: Duration = Duration::from_millis(400);
/// words,
const WORDS: Duration = Duration::from_secs(1);
/// and what a GPU could lose.
const KEPT: Duration = Duration::from_secs(1);

/// Why a run did not begin, or did not take a parameter.
#[derive(Clone, Debug)]
pub(super) struct Trouble {
    /// The parameter, where it is one.
    pub(super) key: Option<String>,
    /// In words.
    pub(super) message: String,
}

impl From<ExperimentError> for Trouble {
    fn from(error: ExperimentError) -> Self {
        match &error {
            ExperimentError::Parameter(ParameterError::Invalid { key, given, expected, .. }) => {
                Self { key: Some(key.clone()), message: format!("{} is given; {expected}", given.trim_matches('"')) }
            }
            ExperimentError::Swarm(SwarmError::Parameter { name, found, right }) => {
                Self { key: Some((*name).to_owned()), message: format!("{found} is given; expected {right}") }
            }
            _ => Self { key: None, message: error.to_string() },
        }
    }
}

/// Why a slice ended before its time.
pub(super) enum Halt {
    /// Something else is wanted.
    Cancelled,
    /// The back end failed.
    Backend(String),
    /// The experiment says so.
    Because(String),
}

impl From<ExperimentError> for Halt {
    fn from(error: ExperimentError) -> Self {
        match error {
            ExperimentError::Cancelled(_) => Self::Cancelled,
            error if error.is_backend() => Self::Backend(error.to_string()),
            error => Self::Because(error.to_string()),
        }
    }
}

/// A run.
pub(super) struct Live {
    entry: &'static Entry,
    run: Run,
    wish: Wish,
    ran: Ran,
    playing: bool,
    /// One step, then hold.
    once: bool,
    /// Seconds that one step takes.
    cost: f64,
    /// Steps that are due by the clock.
    owed: f64,
    moved: Option<Instant>,
    /// When and where the rate was taken last, and the rate.
    pulse: (Instant, u64),
    rate: f64,
    order: Option<(f64, f64)>,
    shown: Option<Shown>,
    told: Told,
    /// Parameters that were changed on the way: at which step, which, to what.
    changes: Vec<(u64, String, Json)>,
    pointed: bool,
    kept: Option<(Record, Saved)>,
}

/// When what was told last.
struct Told {
    state: Option<Instant>,
    figures: Option<Instant>,
    words: Option<Instant>,
    kept: Instant,
    /// Something has changed since.
    due: bool,
    /// The run was held or ended, and the record is due.
    rest: bool,
}

impl Live {
    pub(super) async fn start(
        lab: &Lab,
        id: &str,
        parameters: Map<String, Json>,
        wish: Wish,
        play: bool,
    ) -> Result<Self, Trouble> {
        let entry = experiment::find(id)?;
        let compute = lab.compute(wish).await.map_err(|message| Trouble { key: None, message })?;
        let mut run = entry.start(&Json::Object(parameters), &*compute).await?;
        let ran = run.ran();
        let now = Instant::now();
        Ok(Self {
            entry,
            run,
            wish,
            ran,
            playing: play,
            once: false,
            cost: 0.001,
            owed: 1.0,
            moved: None,
            pulse: (now, 0),
            rate: 0.0,
            order: None,
            shown: None,
            told: Told { state: None, figures: None, words: None, kept: now, due: true, rest: !play },
            changes: Vec::new(),
            pointed: false,
            kept: None,
        })
    }

    #[expect(clippy::cast_precision_loss, reason = "steps are far below 2^53")]
    pub(super) fn begun(&mut self) -> Begun {
        let total = self.run.total() as f64;
        let (flat, hunted) = self.run.swarm().and_then(|s| s.setups().first()).map_or((false, false), |setup| {
            let hunted = setup.predator.as_ref().is_some_and(|p| p.hunts.is_none());
            (setup.space.is_flat(), hunted)
        });
        let moves = self.run.swarm().is_some();
        Begun { total, moves, flat, hunted, backend: self.ran.backend, adapter: self.ran.adapter.clone() }
    }

    /// What a cross-check repeats.
    pub(super) fn what(&self) -> (&'static Entry, Map<String, Json>, Wish) {
        (self.entry, self.run.record().parameters.clone(), self.wish)
    }

    /// What begins again with other parameters.
    pub(super) const fn again(&self) -> (&'static str, Wish, bool) {
        (self.entry.about.id, self.wish, self.playing)
    }

    pub(super) fn swarm(&mut self) -> Option<&mut dyn Swarm> {
        self.run.swarm()
    }

    pub(super) fn on_gpu(&self) -> bool {
        self.ran.backend == Backend::Gpu
    }

    pub(super) fn is_moving(&self) -> bool {
        (self.playing || self.once) && !self.run.is_done()
    }

    /// Runs or holds.
    pub(super) fn play(&mut self, on: bool) {
        if !on && self.playing {
            self.told.rest = true;
        }
        self.playing = on;
        self.told.due = true;
        self.rest();
    }

    pub(super) fn once(&mut self) {
        self.playing = false;
        self.once = true;
        self.rest();
    }

    /// The clock of the steps begins anew.
    pub(super) fn rest(&mut self) {
        self.moved = None;
        self.owed = 1.0;
        self.rate = 0.0;
        self.pulse = (Instant::now(), self.run.done());
    }

    /// Puts other parameters in force; says whether that went without beginning again.
    pub(super) fn change(&mut self, parameters: &Map<String, Json>) -> Result<bool, Trouble> {
        let before = self.run.record().parameters.clone();
        let done = self.run.done();
        let changed = self.run.change(parameters)?;
        if changed {
            for (key, value) in parameters.iter().filter(|(key, value)| before.get(*key) != Some(value)) {
                // A longer run is the same run; everything else is an intervention once it has begun.
                if done > 0 && key != "steps" && !self.entry.shows(key) {
                    self.changes.retain(|(step, k, _)| (*step, k) != (done, key));
                    self.changes.push((done, key.clone(), value.clone()));
                }
            }
            self.told.due = true;
            self.told.rest = !self.playing;
        }
        Ok(changed)
    }

    /// Puts the predator where the pointer is, or far away.
    pub(super) fn point(&mut self, place: Option<[f64; 3]>) {
        let Some(swarm) = self.run.swarm() else { return };
        for replica in 0..swarm.setups().len() {
            let mut setup = swarm.setups()[replica].clone();
            let Some(predator) = setup.predator.as_mut().filter(|p| p.hunts.is_none()) else { return };
            predator.position = place.unwrap_or([1e6, 0.0, 0.0]);
            self.pointed |= swarm.change(replica, setup).is_ok();
        }
    }

    /// Advances by as many steps as a frame has time for.
    pub(super) async fn advance(&mut self, speed: Speed, pace: &Steps) -> Result<(), Halt> {
        let now = Instant::now();
        let slice = if self.run.swarm().is_some() { SLICE } else { SLICE_UNSEEN };
        let most = (slice / self.cost.max(1e-7)).max(1.0);
        let steps = if self.once {
            1.0
        } else if let Some(rate) = speed.rate() {
            // After a pause of any kind the clock is not caught up with.
            let since = self.moved.map_or(0.0, |moved| now.duration_since(moved).as_secs_f64().min(0.1));
            self.owed = (self.owed + rate * since).min(rate.mul_add(0.1, 1.0));
            self.owed.floor().min(most)
        } else {
            most
        };
        self.moved = Some(now);
        if steps < 1.0 {
            return Ok(());
        }
        self.owed = (self.owed - steps).max(0.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 1 to a slice's worth")]
        let count = steps.min(1e6) as u32;
        let before = self.run.done();
        let result = self.run.advance(count, pace).await;
        let took = now.elapsed().as_secs_f64();
        // A run that diverges goes back.
        let went = self.run.done().saturating_sub(before);
        self.run.record_mut().seconds += took;
        if went > 0 {
            #[expect(clippy::cast_precision_loss, reason = "a slice's worth of steps")]
            let each = took / went as f64;
            // Steps that measure take longer than others: slow to believe in speed, quick to believe in cost.
            self.cost =
                if each > self.cost { each.mul_add(0.5, 0.5 * self.cost) } else { each.mul_add(0.2, 0.8 * self.cost) };
        }
        self.told.due = true;
        result?;
        if std::mem::take(&mut self.once) || self.run.is_done() {
            self.playing &= !self.run.is_done();
            self.told.rest = true;
        }
        self.keep().await;
        Ok(())
    }

    /// Keeps what a failing GPU would lose.
    async fn keep(&mut self) {
        if self.ran.backend != Backend::Gpu || self.told.kept.elapsed() < KEPT {
            return;
        }
        if let Ok(kept) = self.run.checkpoint().await {
            self.kept = Some(kept);
            self.told.kept = Instant::now();
        }
    }

    /// Goes on on the CPU, from what was kept last.
    pub(super) async fn fall(&mut self, why: &str) -> Result<(), ExperimentError> {
        let parameters = self.run.record().parameters.clone();
        self.run = self.entry.start(&Json::Object(parameters), &Cpu).await?;
        if let Some((record, saved)) = self.kept.take() {
            self.run.resume(&record, &saved)?;
        }
        let step = self.run.done();
        self.run.record_mut().note(format!("The GPU failed ({why}); from step {step} on the CPU computed."));
        self.ran = Ran::cpu();
        self.cost = 0.001;
        self.told.due = true;
        Ok(())
    }

    /// Takes the order parameters where they are due, and what the view shows.
    pub(super) async fn measure(&mut self, shown: Option<Shown>) {
        self.told.due |= shown != self.shown;
        self.shown = shown;
        if !self.told.due || self.told.state.is_some_and(|told| told.elapsed() < STATE) {
            return;
        }
        if let Some(swarm) = self.run.swarm()
            && let Ok(order) = swarm.order().await
        {
            self.order = order.first().map(|o| (o.polarization, o.rotation));
        }
    }

    /// The record with what was done to the run.
    pub(super) fn report(&self) -> News {
        let mut record = self.run.record().clone();
        for (step, key, value) in &self.changes {
            record.note(format!("At step {step} {key} was set to {}.", plain(value)));
        }
        if self.pointed {
            record.note("The pointer frightened the school: these parameters alone do not repeat the run.");
        }
        let record = serde_json::to_string(&record).unwrap_or_default();
        News::Report { record, end: self.run.is_done(), altered: self.pointed || !self.changes.is_empty() }
    }

    /// What is due to be told.
    pub(super) fn news(&mut self) -> Vec<News> {
        let mut list = Vec::new();
        let now = Instant::now();
        let rest = std::mem::take(&mut self.told.rest);
        let past = |told: Option<Instant>, time: Duration| told.is_none_or(|told| now.duration_since(told) >= time);
        // What is held is told at once: there may be no next time.
        if self.told.due && (rest || !self.is_moving() || past(self.told.state, STATE)) {
            let words = rest || past(self.told.words, WORDS);
            if words {
                self.told.words = Some(now);
            }
            self.told.state = Some(now);
            self.told.due = false;
            list.push(News::State(self.state(now, words)));
        }
        if self.run.done() > 0 && (rest || (self.is_moving() && past(self.told.figures, FIGURES))) {
            self.told.figures = Some(now);
            list.push(News::Figures(self.run.figures()));
        }
        if rest {
            list.push(self.report());
        }
        list
    }

    #[expect(clippy::cast_precision_loss, reason = "steps are far below 2^53")]
    fn state(&mut self, now: Instant, words: bool) -> State {
        let done = self.run.done();
        let since = now.duration_since(self.pulse.0).as_secs_f64();
        if since > 0.25 {
            let rate = done.saturating_sub(self.pulse.1) as f64 / since;
            self.rate = if self.rate > 0.0 { 0.5 * (self.rate + rate) } else { rate };
            self.pulse = (now, done);
        }
        State {
            step: done as f64,
            total: self.run.total() as f64,
            rate: if self.is_moving() { self.rate } else { 0.0 },
            playing: self.playing && !self.run.is_done(),
            order: self.order,
            seen: words.then(|| self.run.seen()),
            view: self.shown,
        }
    }
}
