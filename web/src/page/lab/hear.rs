//! What the engine's news change in the laboratory.

use std::sync::Arc;

use leptos::prelude::*;
use serde_json::Value as Json;
use surprisal_core::experiment::Record;

use super::{Phase, message};
use crate::{
    live::{Act, Begun, News, Speed, State},
    page::model::Model,
    show,
};

impl Model {
    pub(in crate::page) fn hear_live(self, run: u32, news: News) {
        let lab = self.lab;
        if run != lab.run.get_value() {
            return;
        }
        match news {
            News::Begun(begun) => self.begun(begun),
            News::State(state) => self.state(state),
            News::Figures(figures) => {
                lab.stored.set(None);
                lab.figures.set(figures.into_iter().map(Arc::new).collect());
            }
            News::Report { record, end, altered } => {
                if let Ok(record) = Record::parse(&record) {
                    self.report(record, end, altered);
                }
            }
            News::Refused { key, message } => {
                lab.checking.set(false);
                if lab.begun.with_untracked(Option::is_none) {
                    lab.phase.set(Phase::Failed(message.clone()));
                }
                let known = |key: &String| {
                    lab.trial
                        .with_untracked(|t| t.entry().is_some_and(|e| e.parameters().iter().any(|p| p.name == *key)))
                };
                message::error(&message);
                match key.filter(known) {
                    Some(key) => lab.errors.update(|errors| drop(errors.insert(key, message))),
                    None => lab.trouble.set(Some(message)),
                }
            }
            News::Fell(why) => {
                lab.fell.set(Some(why));
                lab.begun.update(|begun| {
                    if let Some(begun) = begun {
                        begun.backend = surprisal_core::compute::Backend::Cpu;
                        begun.adapter = None;
                    }
                });
            }
            News::Failed(why) => {
                message::error(&why);
                lab.phase.set(Phase::Failed(why));
            }
            News::Checked(list) => {
                lab.checking.set(false);
                lab.checked.set(Some(list));
            }
            News::Canvas => lab.canvas.update(|n| *n += 1),
        }
    }

    fn begun(self, begun: Begun) {
        let lab = self.lab;
        // A sweep has nothing to watch, and a reason to be quick.
        if !begun.moves && lab.trial.with_untracked(|t| t.speed.is_none()) {
            lab.speed.set(Speed::Most);
            self.act(Act::Pace(Speed::Most));
        }
        let play = begun.moves && lab.unasked.get_value();
        lab.phase.set(Phase::Paused);
        lab.fell.set(None);
        lab.trouble.set(None);
        lab.begun.set(Some(begun));
        if lab.stored.with_untracked(Option::is_none) {
            lab.figures.set(Vec::new());
            lab.record.set(None);
        }
        if play && !lab.embedded {
            self.act(Act::Play);
        }
        if lab.embedded {
            message::ready(self, play);
        }
    }

    fn state(self, mut state: State) {
        let lab = self.lab;
        let stored = lab.stored.with_untracked(Option::is_some) && state.step == 0.0;
        if let Some(seen) = state.seen.take()
            && !stored
            && state.step > 0.0
        {
            lab.seen.set(seen);
        }
        let phase = if state.playing {
            Phase::Running
        } else if state.step >= state.total {
            Phase::Done
        } else {
            Phase::Paused
        };
        if lab.phase.with_untracked(|p| *p != phase && !matches!(p, Phase::Failed(_))) {
            lab.phase.set(phase);
        }
        lab.state.set(state);
    }

    fn report(self, record: Record, end: bool, altered: bool) {
        let lab = self.lab;
        if lab.stored.with_untracked(Option::is_some) && record.steps == 0 {
            return;
        }
        if end && !altered {
            self.gather(&record);
        }
        let held = lab.phase.with_untracked(|p| matches!(p, Phase::Paused | Phase::Done));
        if held && record.steps > 0 {
            let seen = lab.seen.get_untracked();
            lab.described.set(seen.clone());
            let word = if end { "The run is complete" } else { "Paused" };
            self.say(format!("{word} after {}. {seen}", show::several(record.steps, "step", "steps")));
        }
        if lab.embedded && held && record.steps > 0 {
            message::result(&record);
        }
        lab.record.set(Some(Arc::new(record)));
        if let Some(wanted) = lab.wanted.try_update_value(Option::take).flatten() {
            self.deliver(wanted);
        }
        if end {
            self.prove_on();
        }
    }

    /// Notes what a complete run says about the claims that it is about.
    fn gather(self, record: &Record) {
        let lab = self.lab;
        let Some(entry) = lab.trial.with_untracked(crate::trial::Trial::entry) else { return };
        let seed = record.parameters.get("seed").and_then(Json::as_u64).unwrap_or(0);
        for claim in entry.claims() {
            if entry.concerns(claim, &record.parameters)
                && let Some(value) = record.value(claim.scalar)
            {
                lab.values.update(|all| {
                    all.entry((entry.about.id, claim.id)).or_default().insert(seed, value);
                });
            }
        }
    }

    /// The next seed of the claim that is being checked.
    fn prove_on(self) {
        let lab = self.lab;
        let Some(id) = lab.proving.get_untracked() else { return };
        let Some(entry) = lab.trial.with_untracked(crate::trial::Trial::entry) else { return };
        let Some(claim) = entry.claims().iter().find(|c| c.id == id) else { return };
        let n =
            lab.values.with_untracked(|all| all.get(&(entry.about.id, id)).map_or(0, std::collections::BTreeMap::len));
        if n < claim.seeds as usize {
            self.prove(entry, claim);
        } else {
            lab.proving.set(None);
        }
    }
}
