//! What the user does in the laboratory.

use std::collections::HashMap;

use leptos::prelude::*;
use serde_json::{Map, Value as Json};
use surprisal_core::experiment::{self, Claim, Entry, Record};
use web_sys::OffscreenCanvas;

use super::{Phase, Wanted};
use crate::{
    live::{Act, Look, Speed, State},
    page::{
        dom,
        model::{Model, Stage},
        route::View,
    },
    protocol::{Ask, Wish},
    setup::Unknown,
    trial::{self, Trial},
};

/// Changes are put into the address after this time without another one.
const SETTLED_MS: u32 = 300;
/// Sliders send at most this often.
const SEND_MS: u32 = 60;
/// Continue adds as many steps as the run has, but no more than this.
const MOST_STEPS: u64 = 100_000_000;

impl Model {
    /// Something about the run.
    pub(super) fn act(&self, act: Act) {
        self.ask(&Ask::Live { run: self.lab.run.get_value(), act }, None);
    }

    /// Gives the engine a canvas to draw on.
    pub(super) fn give_canvas(&self, canvas: &OffscreenCanvas) {
        let ask = Ask::Live { run: self.lab.run.get_value(), act: Act::Canvas };
        self.engine.with_value(|engine| {
            if let Some(engine) = engine {
                engine.give(&ask, canvas);
            }
        });
    }

    /// Loads another experiment, as a new entry of the history.
    pub(in crate::page) fn open_experiment(self, trial: Trial) {
        dom::push_query(&self.kept(trial.to_query()));
        self.load(trial);
    }

    /// A query with what other parts of the page read from it.
    fn kept(self, mut query: String) -> String {
        for kept in dom::query().split('&').filter(|p| p.starts_with("theme=")) {
            query = format!("{query}&{kept}");
        }
        query
    }

    /// Shows an experiment and sets it up.
    pub(in crate::page) fn load(self, trial: Trial) {
        let lab = self.lab;
        self.view.set(View::Lab);
        let same = lab.trial.with_untracked(|t| t.experiment == trial.experiment);
        if same && lab.phase.with_untracked(|p| !matches!(p, Phase::Idle | Phase::Failed(_))) {
            if lab.trial.with_untracked(|t| *t != trial) {
                lab.trial.set(trial);
                self.send();
            }
            return;
        }
        lab.speed.set(trial.speed.unwrap_or_default());
        lab.look.set(Look { shade: trial.shade, ..lab.look.get_untracked() });
        lab.trial.set(trial);
        lab.proving.set(None);
        lab.unasked.set_value(!dom::still());
        self.begin(false);
    }

    /// Begins the run from the start.
    pub(super) fn begin(self, play: bool) {
        let lab = self.lab;
        lab.begun.set(None);
        lab.figures.set(Vec::new());
        lab.record.set(None);
        lab.stored.set(None);
        lab.state.set(State::default());
        lab.seen.set(String::new());
        lab.described.set(String::new());
        lab.errors.update(HashMap::clear);
        lab.trouble.set(None);
        lab.fell.set(None);
        lab.checked.set(None);
        lab.checking.set(false);
        let trial = lab.trial.get_untracked();
        let Some(entry) = trial.entry() else {
            let id = trial.experiment.unwrap_or_default();
            let why = experiment::find(&id).map_or_else(|e| e.to_string(), |_| String::new());
            lab.phase.set(Phase::Failed(why));
            return;
        };
        lab.phase.set(Phase::Starting);
        let run = self.next_number();
        lab.run.set_value(run);
        self.act(Act::Pace(lab.speed.get_untracked()));
        let (experiment, wish) = (entry.about.id.to_owned(), trial.wish);
        self.act(Act::Start { experiment, parameters: trial.full(), wish, play });
    }

    /// The engine was started anew: the experiment needs another canvas, and waits to be run again.
    pub(in crate::page) fn restart_lab(self) {
        if self.lab.phase.with_untracked(|p| *p != Phase::Idle) {
            self.lab.canvas.update(|n| *n += 1);
            self.lab.unasked.set_value(false);
            self.begin(false);
        }
    }

    /// Shows a record from a file, ready to be run again.
    pub(in crate::page) fn open_record(self, name: String, record: Record) {
        let lab = self.lab;
        let mut trial = Trial::of(&record.experiment, Wish::Auto);
        let Some(entry) = trial.entry() else {
            let why = experiment::find(&record.experiment).map_or_else(|e| e.to_string(), |_| String::new());
            self.stage.set(Stage::Failed(format!("{name} cannot be shown"), why));
            return;
        };
        for (key, value) in &record.parameters {
            let parameter = entry.parameters().iter().find(|p| p.name == *key);
            match entry.complete(&Json::Object(Map::from_iter([(key.clone(), value.clone())]))) {
                Ok(_) => trial.set(key, value.clone()),
                Err(error) => {
                    let (value, why) = (crate::setup::plain(value), trial::reason(&error, parameter));
                    trial.unknown.push(Unknown { key: key.clone(), value, why });
                }
            }
        }
        // The same experiment may be loaded already: this is another run of it.
        lab.phase.set(Phase::Idle);
        self.stage.set(Stage::Idle);
        dom::push_query(&self.kept(trial.to_query()));
        self.load(trial);
        lab.unasked.set_value(false);
        lab.figures.set(entry.figures(&record).into_iter().map(std::sync::Arc::new).collect());
        let seen = entry.seen(&record);
        lab.described.set(seen.clone());
        lab.seen.set(seen);
        lab.record.set(Some(std::sync::Arc::new(record)));
        lab.stored.set(Some(name));
    }

    /// Takes a parameter as text, from a control.
    pub(super) fn set_text(self, entry: &'static Entry, key: &str, text: &str) {
        let parameter = entry.parameters().iter().find(|p| p.name == key);
        match entry.parse(key, text) {
            Ok(value) => self.set_parameter(key, value),
            Err(error) => {
                let why = format!("{} is given; {}", text.trim(), trial::reason(&error, parameter));
                self.lab.errors.update(|errors| drop(errors.insert(key.to_owned(), why)));
            }
        }
    }

    /// Puts a parameter in force.
    pub(super) fn set_parameter(self, key: &str, value: Json) {
        let lab = self.lab;
        lab.errors.update(|errors| drop(errors.remove(key)));
        lab.trouble.set(None);
        lab.proving.set(None);
        lab.trial.update(|trial| {
            trial.set(key, value);
            trial.unknown.retain(|u| u.key != key);
        });
        if lab.sent.with_value(Option::is_none) {
            let later = gloo_timers::callback::Timeout::new(SEND_MS, move || {
                lab.sent.set_value(None);
                self.send();
            });
            lab.sent.set_value(Some(later));
        }
    }

    /// Sends all parameters.
    pub(super) fn send(self) {
        if matches!(self.lab.phase.get_untracked(), Phase::Failed(_) | Phase::Idle) {
            self.begin(false);
        } else {
            self.act(Act::Set(self.lab.trial.with_untracked(Trial::full)));
        }
    }

    /// Runs, or holds.
    pub(super) fn toggle(self) {
        match self.lab.phase.get_untracked() {
            Phase::Running => self.hold(),
            Phase::Done => self.begin(true),
            Phase::Failed(_) | Phase::Idle => self.begin(true),
            Phase::Paused | Phase::Starting => self.run_on(),
        }
    }

    pub(super) fn run_on(self) {
        self.lab.unasked.set_value(true);
        self.act(Act::Play);
    }

    pub(super) fn hold(self) {
        self.lab.proving.set(None);
        self.lab.unasked.set_value(false);
        self.act(Act::Pause);
    }

    /// Escape: what runs is held, and goes on with Run.
    pub(in crate::page) fn hold_if_running(self) {
        if self.lab.phase.with_untracked(|p| *p == Phase::Running) {
            self.hold();
        }
    }

    pub(super) fn step_once(self) {
        self.lab.unasked.set_value(false);
        self.act(Act::StepOnce);
    }

    /// Back to the first step.
    pub(super) fn reset(self) {
        let playing = self.lab.phase.with_untracked(|p| *p == Phase::Running);
        self.lab.proving.set(None);
        self.lab.unasked.set_value(playing);
        self.begin(playing);
    }

    /// The next seed.
    pub(super) fn next_seed(self) {
        self.lab.unasked.set_value(true);
        let seed = self.lab.trial.with_untracked(Trial::full).get("seed").and_then(Json::as_u64).unwrap_or(0);
        self.set_parameter("seed", Json::from(seed + 1));
    }

    /// As many steps again.
    pub(super) fn go_on(self) {
        let steps = self.lab.trial.with_untracked(Trial::full).get("steps").and_then(Json::as_u64).unwrap_or(0);
        self.set_parameter("steps", Json::from(steps.saturating_mul(2).min(MOST_STEPS)));
        self.lab.unasked.set_value(true);
        // After the longer run is known.
        gloo_timers::callback::Timeout::new(SEND_MS + 10, move || self.run_on()).forget();
    }

    pub(super) fn set_speed(self, speed: Speed) {
        self.lab.speed.set(speed);
        self.lab.trial.update(|trial| trial.speed = Some(speed).filter(|s| *s != Speed::default()));
        self.act(Act::Pace(speed));
    }

    pub(super) fn set_look(self, change: impl FnOnce(&mut Look)) {
        self.lab.look.update(change);
        let look = self.lab.look.get_untracked();
        if self.lab.trial.with_untracked(|t| t.shade != look.shade) {
            self.lab.trial.update(|t| t.shade = look.shade);
        }
        self.act(Act::Look(look));
    }

    /// Runs a claim's seeds, one after the other, as fast as it goes.
    pub(super) fn prove(self, entry: &'static Entry, claim: &'static Claim) {
        let lab = self.lab;
        let seeds = lab.values.with_untracked(|all| all.get(&(entry.about.id, claim.id)).cloned().unwrap_or_default());
        let seed = (1..).find(|seed| !seeds.contains_key(seed)).unwrap_or(1);
        let mut trial =
            Trial { speed: Some(Speed::Most), ..Trial::of(entry.about.id, lab.trial.with_untracked(|t| t.wish)) };
        trial.shade = lab.look.with_untracked(|l| l.shade);
        for (key, value) in entry.settings(claim) {
            trial.set(&key, value);
        }
        trial.set("seed", Json::from(seed));
        lab.trial.set(trial);
        lab.speed.set(Speed::Most);
        lab.unasked.set_value(true);
        self.begin(true);
        lab.proving.set(Some(claim.id));
    }

    /// Compares with the CPU.
    pub(super) fn check_experiment(self) {
        self.lab.checked.set(None);
        self.lab.checking.set(true);
        self.act(Act::CrossCheck);
    }

    /// Asks for the record as it is now, to do something with it.
    pub(super) fn want(self, wanted: Wanted) {
        // A record from a file is at hand.
        if self.lab.stored.with_untracked(Option::is_some) {
            self.deliver(wanted);
            return;
        }
        self.lab.wanted.set_value(Some(wanted));
        self.act(Act::Report);
    }

    /// Does what is wanted with the record at hand.
    pub(super) fn deliver(self, wanted: Wanted) {
        let Some(record) = self.lab.record.get_untracked() else { return };
        let stem = format!(
            "{}-seed-{}",
            record.experiment,
            record.parameters.get("seed").map_or(0, |s| s.as_u64().unwrap_or(0))
        );
        match wanted {
            Wanted::Json => {
                if let Ok(text) = serde_json::to_string_pretty(&*record) {
                    dom::save_text(&(text + "\n"), "application/json", &format!("{stem}.json"));
                }
            }
            Wanted::Csv(name) => {
                if let Some(table) = record.table(&name) {
                    dom::save_text(&table.to_csv(), "text/csv", &format!("{stem}-{name}.csv"));
                }
            }
            Wanted::Answer => super::message::result(&record),
        }
    }

    /// Keeps the address at what is chosen, once it has been so for a moment.
    pub(in crate::page) fn watch_trial(self) {
        let pending = StoredValue::new_local(None::<gloo_timers::callback::Timeout>);
        Effect::new(move |_| {
            let query = self.lab.trial.with(Trial::to_query);
            pending.set_value(Some(gloo_timers::callback::Timeout::new(SETTLED_MS, move || {
                if self.view.with_untracked(|v| *v == View::Lab)
                    && self.lab.trial.with_untracked(|t| t.experiment.is_some())
                {
                    dom::replace_query(&self.kept(query));
                }
            })));
        });
    }
}
