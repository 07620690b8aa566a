//! What the engine's answers change.

use std::sync::Arc;

use leptos::prelude::*;
use surprisal_core::report::ResultRecord;

use super::model::{Measured, Model, Stage, now};
use crate::{
    protocol::{Errand, Tell},
    show,
};

/// The title of a failure that took the engine along.
const CRASHED: &str = "The engine stopped";

impl Model {
    /// Takes what the engine tells.
    pub(super) fn hear(self, tell: Tell) {
        match tell {
            Tell::Awake => {}
            Tell::Ready(badge) => self.badge.set(Some(badge)),
            Tell::Progress(progress) => {
                self.note_heap(progress.heap);
                if self.stage.with_untracked(Stage::busy) {
                    self.progress.set(Some(progress));
                }
            }
            Tell::Opened(opened) => {
                if opened.file == self.run.get_value() {
                    self.progress.set(None);
                    self.stage.set(Stage::Running);
                    self.before.set(Vec::new());
                    self.file.set(Some(Arc::new(*opened)));
                }
            }
            Tell::Recorded(recorded) => {
                if recorded.file == self.opening.get_value() {
                    self.progress.set(None);
                    self.stage.set(Stage::Done);
                    self.say(recorded.seen.clone());
                    self.recording.set(Some(Arc::new(*recorded)));
                }
            }
            // Keys say what a number depends on, so a late result of an older run counts, but not of another file.
            Tell::Measured { run, key, record, figures } if run > self.opening.get_value() => {
                if let Ok(record) = serde_json::from_str(&record) {
                    let measured = Measured(Arc::new((record, figures.into_iter().map(Arc::new).collect())));
                    let first = !measured.0.1.is_empty();
                    self.results.update(|results| {
                        results.insert(key.clone(), measured);
                    });
                    if first && self.selected.with_untracked(Option::is_none) {
                        self.selected.set(Some(key));
                    }
                }
            }
            Tell::Checked { run, key, record } if run > self.opening.get_value() => {
                let Ok(second) = serde_json::from_str::<ResultRecord>(&record) else { return };
                let known = self.results.with_untracked(|results| results.get(&key).cloned());
                if let Some(first) = known {
                    let deviation = show::deviation(&first.0.0.value, &second.value);
                    self.checks.update(|checks| {
                        checks.insert(key, deviation);
                    });
                }
            }
            Tell::Measured { .. } | Tell::Checked { .. } => {}
            Tell::Example { figures } => self.example.set(figures.into_iter().map(Arc::new).collect()),
            Tell::Line(line) => self.lines.update(|lines| lines.push(line)),
            Tell::Done { what, heap } => {
                self.note_heap(heap);
                self.done(what);
            }
            Tell::Failed { what, message, cancelled, heap } => {
                if cancelled {
                    self.cancelled.update_value(|(began, freed)| *freed = now() - *began);
                }
                self.note_heap(heap);
                self.failed(what, message, cancelled);
            }
            Tell::Live { run, news } => self.hear_live(run, news),
            Tell::Crashed(message) => self.crashed(message),
        }
    }

    fn done(self, what: Errand) {
        match what {
            Errand::Measure(run) | Errand::CrossCheck(run) if run == self.run.get_value() => {
                self.took.set((now() - self.began.get_value()) / 1e3);
                self.progress.set(None);
                self.stage.set(Stage::Done);
                self.say(
                    if matches!(what, Errand::Measure(_)) {
                        "The report is complete."
                    } else {
                        "The cross-check is complete."
                    }
                    .to_owned(),
                );
            }
            Errand::SelfTest => self.lines.update(|lines| lines.push("done".to_owned())),
            _ => {}
        }
    }

    fn failed(self, what: Errand, message: String, cancelled: bool) {
        let current = self.run.get_value();
        let (mine, title) = match what {
            Errand::Open(file) => (file == current || file == self.opening.get_value(), "The file could not be read"),
            Errand::Measure(run) => (run == current, "The measures could not be computed"),
            Errand::CrossCheck(run) => (run == current, "The cross-check could not be done"),
            Errand::SelfTest => {
                self.lines.update(|lines| lines.extend([format!("FAILED: {message}"), "done".to_owned()]));
                return;
            }
            Errand::Example => return,
        };
        if !mine {
            return;
        }
        let title = match (what, self.stage.get_untracked()) {
            (Errand::Open(_), Stage::Loading(name)) => format!("{name} could not be read"),
            _ => title.to_owned(),
        };
        self.progress.set(None);
        self.stage.set(if cancelled { Stage::Cancelled } else { Stage::Failed(title.clone(), message.clone()) });
        self.say(format!("{title}: {message}"));
    }

    fn crashed(self, message: String) {
        // A panic is told by the hook and again by the worker's error event.
        if self.stage.with_untracked(|s| matches!(s, Stage::Failed(title, _) if title == CRASHED)) {
            return;
        }
        self.file.set(None);
        self.progress.set(None);
        self.stage.set(Stage::Failed(
            CRASHED.to_owned(),
            format!("{message}. It has been started again; open the file once more."),
        ));
        self.engine.with_value(|engine| {
            if let Some(engine) = engine {
                engine.restart();
            }
        });
        self.greet();
        self.restart_lab();
    }

    /// What tests look at: bytes of the engine's memory, now and at most, and how fast it heard a cancel.
    fn note_heap(self, heap: f64) {
        self.heap_most.update_value(|most| *most = most.max(heap));
        let debug = js_sys::Object::new();
        let _ = js_sys::Reflect::set(&debug, &"heap".into(), &heap.into());
        let _ = js_sys::Reflect::set(&debug, &"heapMost".into(), &self.heap_most.get_value().into());
        let _ = js_sys::Reflect::set(&debug, &"cancelled".into(), &self.cancelled.get_value().1.into());
        let _ = js_sys::Reflect::set(&window(), &"__surprisal".into(), &debug);
    }
}
