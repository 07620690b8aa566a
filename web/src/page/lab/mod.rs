//! The laboratory: one experiment, its live view, its parameters, its claims.

mod act;
mod bar;
mod claims;
mod hear;
mod knobs;
mod list;
mod message;
mod page;
mod stage;
mod transport;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use leptos::prelude::*;
use surprisal_core::{
    experiment::{Claim, Entry, Record, Standing, Verdict, judge},
    figure::Figure,
};

use crate::{
    live::{Begun, Deviation, Look, Speed, State},
    show,
    trial::Trial,
};

pub(super) use list::List;
pub(super) use message::Embed;
pub(super) use page::{Page, watch_visibility};

/// What goes on in the laboratory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nothing has been loaded.
    #[default]
    Idle,
    /// The engine sets it up.
    Starting,
    Running,
    Paused,
    /// At its end.
    Done,
    /// Why it cannot run.
    Failed(String),
}

impl Phase {
    pub(super) const fn word(&self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Done => "done",
            Self::Failed(_) => "failed",
        }
    }
}

/// What is done with the next record that the engine tells.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Wanted {
    Json,
    Csv(String),
    /// Somebody who embeds the figure has asked.
    Answer,
}

/// Values of one claim's scalar, by seed.
type BySeed = BTreeMap<u64, f64>;

/// The laboratory's part of the model. Copied freely.
#[derive(Clone, Copy)]
pub(super) struct Lab {
    pub(super) trial: RwSignal<Trial>,
    pub(super) phase: RwSignal<Phase>,
    begun: RwSignal<Option<Begun>>,
    state: RwSignal<State>,
    seen: RwSignal<String>,
    /// What was seen when the run was held last: the description of the live view.
    described: RwSignal<String>,
    figures: RwSignal<Vec<Arc<Figure>>>,
    record: RwSignal<Option<Arc<Record>>>,
    /// What is shown is a record from a file, not a run.
    stored: RwSignal<Option<String>>,
    /// At a parameter, what would be right.
    errors: RwSignal<HashMap<String, String>>,
    /// What could not be done, where it is no parameter's fault.
    trouble: RwSignal<Option<String>>,
    /// The GPU failed, and the CPU goes on.
    fell: RwSignal<Option<String>>,
    /// For each experiment and claim what the runs of this session gave.
    values: RwSignal<HashMap<(&'static str, &'static str), BySeed>>,
    /// The claim whose seeds are run one after the other.
    proving: RwSignal<Option<&'static str>>,
    checking: RwSignal<bool>,
    checked: RwSignal<Option<Vec<Deviation>>>,
    pub(super) look: RwSignal<Look>,
    /// The number of the canvas: a canvas keeps its first kind of context.
    canvas: RwSignal<u32>,
    speed: RwSignal<Speed>,
    wanted: StoredValue<Option<Wanted>>,
    /// The number of the run whose news count.
    run: StoredValue<u32>,
    /// Whether a run that can be watched runs at once.
    unasked: StoredValue<bool>,
    /// When the parameters were sent last.
    sent: StoredValue<Option<gloo_timers::callback::Timeout>, LocalStorage>,
    /// Whether this is an embedded figure.
    pub(super) embedded: bool,
}

impl Lab {
    pub(super) fn new(embedded: bool) -> Self {
        Self {
            trial: RwSignal::default(),
            phase: RwSignal::default(),
            begun: RwSignal::default(),
            state: RwSignal::default(),
            seen: RwSignal::default(),
            described: RwSignal::default(),
            figures: RwSignal::default(),
            record: RwSignal::default(),
            stored: RwSignal::default(),
            errors: RwSignal::default(),
            trouble: RwSignal::default(),
            fell: RwSignal::default(),
            values: RwSignal::default(),
            proving: RwSignal::default(),
            checking: RwSignal::default(),
            checked: RwSignal::default(),
            look: RwSignal::default(),
            canvas: RwSignal::default(),
            speed: RwSignal::default(),
            wanted: StoredValue::new(None),
            run: StoredValue::new(0),
            unasked: StoredValue::new(true),
            sent: StoredValue::new_local(None),
            embedded,
        }
    }

    /// The experiment that is loaded.
    pub(super) fn entry(&self) -> Option<&'static Entry> {
        self.trial.with_untracked(Trial::entry)
    }

    /// How a claim stands after the runs of this session.
    fn verdict(&self, entry: &'static Entry, claim: &'static Claim) -> Verdict {
        let key = (entry.about.id, claim.id);
        let values: Vec<f64> =
            self.values.with(|all| all.get(&key).map(|seeds| seeds.values().copied().collect()).unwrap_or_default());
        judge(entry.about.id, claim, &values)
    }

    /// How all claims of an experiment stand; none without claims.
    fn standing(&self, entry: &'static Entry) -> Option<(Standing, String)> {
        let all: Vec<Standing> = entry.claims().iter().map(|claim| self.verdict(entry, claim).standing).collect();
        if all.is_empty() {
            return None;
        }
        let count = |standing| all.iter().filter(|s| **s == standing).count();
        let (good, bad) = (count(Standing::Reproduced), count(Standing::NotReproduced));
        let n = all.len();
        Some(if good == n {
            (Standing::Reproduced, "reproduced".to_owned())
        } else if bad > 0 {
            (Standing::NotReproduced, format!("{bad} of {n} claims not reproduced"))
        } else if good > 0 {
            (Standing::NotEnoughRuns, format!("{good} of {n} claims reproduced"))
        } else {
            (Standing::NotEnoughRuns, format!("{}, not checked yet", show::several(n as u64, "claim", "claims")))
        })
    }
}

/// The class of a standing's chip.
const fn chip(standing: Standing) -> &'static str {
    match standing {
        Standing::Reproduced => "standing good",
        Standing::NotReproduced => "standing bad",
        Standing::NotEnoughRuns => "standing open",
    }
}
