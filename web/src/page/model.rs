//! What the page knows, and the two ways it changes: the user chooses, the engine tells.

use std::{collections::HashMap, sync::Arc};

use leptos::prelude::*;
use serde::Deserialize;
use surprisal_core::{figure::Figure, report::ResultRecord};
use web_sys::Blob;

use super::{dom, lab::Lab, link::Engine, route::View, theme::Theme};
use crate::{
    plan,
    protocol::{Ask, Badge, Job, Opened, Progress, Recorded, Run},
    setup::Setup,
};

/// What goes on.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Stage {
    /// Nothing yet.
    #[default]
    Idle,
    /// A file comes over the network or from the disk.
    Loading(String),
    /// Measures run.
    Running,
    /// The reference computes again.
    Checking,
    /// All that was asked for is there.
    Done,
    /// The user ended it.
    Cancelled,
    /// What could not be done, and why.
    Failed(String, String),
}

impl Stage {
    pub(super) const fn busy(&self) -> bool {
        matches!(self, Self::Loading(_) | Self::Running | Self::Checking)
    }

    pub(super) const fn word(&self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Loading(_) => "loading",
            Self::Running => "running",
            Self::Checking => "checking",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
            Self::Failed(..) => "failed",
        }
    }
}

/// A result; equal only to itself.
#[derive(Clone)]
pub(super) struct Measured(pub(super) Arc<(ResultRecord, Vec<Arc<Figure>>)>);

impl PartialEq for Measured {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// A bundled sample, as `samples/index.json` describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Sample {
    pub(super) file: String,
    pub(super) title: String,
    pub(super) what: String,
    pub(super) source: String,
    pub(super) licence: String,
    pub(super) kind: String,
}

/// Everything that the components share. Copied freely.
#[derive(Clone, Copy)]
pub(super) struct Model {
    pub(super) view: RwSignal<View>,
    pub(super) theme: Theme,
    pub(super) badge: RwSignal<Option<Badge>>,
    pub(super) stage: RwSignal<Stage>,
    pub(super) progress: RwSignal<Option<Progress>>,
    pub(super) file: RwSignal<Option<Arc<Opened>>>,
    /// A recording of animals, in the place of a file.
    pub(super) recording: RwSignal<Option<Arc<Recorded>>>,
    /// What was brought last, to read it in another way.
    pub(super) brought: StoredValue<Vec<(String, Blob)>, LocalStorage>,
    /// What was open when more was brought beside it: the way back if that cannot be read.
    pub(super) before: RwSignal<Vec<(String, Blob)>, LocalStorage>,
    pub(super) setup: RwSignal<Setup>,
    pub(super) jobs: Memo<Vec<Job>>,
    /// Whether measures are compared with surrogates.
    pub(super) compared: Memo<bool>,
    pub(super) results: RwSignal<HashMap<String, Measured>>,
    /// For each checked job the largest deviation from the reference, or that the two differ in shape.
    pub(super) checks: RwSignal<HashMap<String, Option<f64>>>,
    /// The key of the result whose figures are open.
    pub(super) selected: RwSignal<Option<String>>,
    pub(super) samples: RwSignal<Vec<Sample>>,
    pub(super) example: RwSignal<Vec<Arc<Figure>>>,
    /// On a phone: the sheet with the measures is up.
    pub(super) sheet: RwSignal<bool>,
    /// A file is held over the page.
    pub(super) dragging: RwSignal<bool>,
    /// Read out politely.
    pub(super) announcement: RwSignal<String>,
    /// Lines of the self-test.
    pub(super) lines: RwSignal<Vec<String>>,
    announced: StoredValue<f64>,
    /// The experiment.
    pub(super) lab: Lab,
    pub(super) engine: StoredValue<Option<Engine>, LocalStorage>,
    /// Files and runs are numbered, so that late answers are known as such.
    number: StoredValue<u32>,
    /// The number of the file that is open or being opened.
    pub(super) opening: StoredValue<u32>,
    /// The number of the run whose answers count.
    pub(super) run: StoredValue<u32>,
    pub(super) began: StoredValue<f64>,
    /// Wall-clock seconds of the last run.
    pub(super) took: RwSignal<f64>,
    pub(super) heap_most: StoredValue<f64>,
    /// When the user cancelled, and after how many milliseconds the engine was free.
    pub(super) cancelled: StoredValue<(f64, f64)>,
}

impl Model {
    /// For the page, or for a figure in another page.
    pub(super) fn start(embedded: bool) -> Self {
        let (view, trial) = if embedded { (View::Lab, None) } else { View::here() };
        // The keys of an experiment are none of a report.
        let setup = RwSignal::new(match (&trial, embedded) {
            (None, false) => Setup::parse(&dom::query()),
            _ => Setup { wish: trial.as_ref().map(|t| t.wish).unwrap_or_default(), ..Setup::default() },
        });
        let file = RwSignal::new(None::<Arc<Opened>>);
        let jobs = Memo::new(move |_| {
            file.with(|file| {
                file.as_ref().map_or_else(Vec::new, |file| setup.with(|s| plan::jobs(s, &file.columns, &file.arrays)))
            })
        });
        let model = Self {
            view: RwSignal::new(view),
            theme: Theme::start(),
            badge: RwSignal::default(),
            stage: RwSignal::default(),
            progress: RwSignal::default(),
            file,
            recording: RwSignal::default(),
            brought: StoredValue::new_local(Vec::new()),
            before: RwSignal::new_local(Vec::new()),
            setup,
            jobs,
            compared: Memo::new(move |_| setup.with(|s| s.surrogates.is_some())),
            results: RwSignal::default(),
            checks: RwSignal::default(),
            selected: RwSignal::default(),
            samples: RwSignal::default(),
            example: RwSignal::default(),
            sheet: RwSignal::default(),
            dragging: RwSignal::default(),
            announcement: RwSignal::default(),
            lines: RwSignal::default(),
            lab: Lab::new(embedded),
            announced: StoredValue::new(f64::NEG_INFINITY),
            engine: StoredValue::new_local(None),
            number: StoredValue::new(0),
            opening: StoredValue::new(0),
            run: StoredValue::new(0),
            began: StoredValue::new(0.0),
            took: RwSignal::new(0.0),
            heap_most: StoredValue::new(0.0),
            cancelled: StoredValue::new((0.0, 0.0)),
        };
        model.engine.set_value(Some(Engine::start(move |tell| model.hear(tell))));
        model.greet();
        if embedded {
            return model;
        }
        for change in ["hashchange", "popstate"] {
            gloo_events::EventListener::new(&window(), change, move |_| model.come()).forget();
        }
        if let Some(trial) = trial {
            model.load(trial);
        }
        model.watch_trial();
        super::lab::watch_visibility(model);
        // What is chosen is in the address, so that it can be shared and comes back on reload.
        Effect::new(move |before: Option<()>| {
            let mut query = setup.with(Setup::to_query);
            if before.is_none() || model.view.with_untracked(|v| *v == View::Lab) {
                return;
            }
            for kept in dom::query().split('&').filter(|p| p.starts_with("selftest") || p.starts_with("theme=")) {
                query = if query.is_empty() { kept.to_owned() } else { format!("{query}&{kept}") };
            }
            dom::replace_query(&query);
        });
        // What is chosen and not yet known is measured.
        Effect::new(move |_| {
            jobs.track();
            if model.file.with_untracked(Option::is_some) {
                model.measure();
            }
        });
        leptos::task::spawn_local(async move { model.fetch_samples().await });
        if let Some(sample) = setup.with_untracked(|s| s.sample.clone()) {
            model.open_sample(sample);
        }
        model
    }

    /// Asks the engine.
    pub(super) fn ask(&self, ask: &Ask, blob: Option<&Blob>) {
        self.engine.with_value(|engine| {
            if let Some(engine) = engine {
                engine.ask(ask, blob);
            }
        });
    }

    /// Asks which back end there is.
    pub(super) fn greet(&self) {
        self.ask(&Ask::Hello { wish: self.setup.with_untracked(|s| s.wish) }, None);
    }

    pub(super) fn next_number(&self) -> u32 {
        self.number.update_value(|n| *n += 1);
        self.number.get_value()
    }

    async fn fetch_samples(self) {
        let Ok(text) = dom::fetch_text("./samples/index.json").await else { return };
        let Ok(samples) = serde_json::from_str::<Vec<Sample>>(&text) else { return };
        let shown = samples.iter().find(|s| s.file == EXAMPLE).cloned();
        self.samples.set(samples);
        let home = self.view.with_untracked(|v| *v == View::Measure)
            && self.file.with_untracked(Option::is_none)
            && self.stage.with_untracked(|s| *s == Stage::Idle);
        if let Some(sample) = shown.filter(|_| home)
            && let Ok(blob) = dom::fetch_blob(&format!("./samples/{}", sample.file)).await
            && self.stage.with_untracked(|s| *s == Stage::Idle)
        {
            self.ask(&Ask::Example { name: sample.file, measure: "series.profile".to_owned() }, Some(&blob));
        }
    }

    /// Opens a bundled sample and puts its name into the link.
    pub(super) fn open_sample(self, name: String) {
        self.stage.set(Stage::Loading(name.clone()));
        self.to_measure();
        leptos::task::spawn_local(async move {
            match dom::fetch_blob(&format!("./samples/{name}")).await {
                Ok(blob) => self.open(name.clone(), blob, Some(name)),
                Err(why) => self.stage.set(Stage::Failed(format!("The sample {name} could not be loaded"), why)),
            }
        });
    }

    /// Opens a file.
    pub(super) fn open(self, name: String, blob: Blob, sample: Option<String>) {
        self.open_files(vec![(name, blob)], sample, false);
    }

    /// Opens files: as one recording of animals where they are one and `table` does not forbid it, else beside each other.
    pub(super) fn open_files(self, files: Vec<(String, Blob)>, sample: Option<String>, table: bool) {
        self.before.set(Vec::new());
        // The choices in a link are for the file it was made for: the first one that is opened.
        let again = self.file.with_untracked(Option::is_some);
        self.setup.update(|setup| {
            if again {
                setup.measures = None;
            }
            setup.sample = sample;
        });
        self.read(files, table);
    }

    /// Opens more files beside those that are open. The measures stay: they are what the files are compared by.
    pub(super) fn open_beside(self, more: impl Iterator<Item = (String, Blob)>) {
        let before = self.brought.get_value();
        let all = before.iter().cloned().chain(more).collect();
        self.before.set(before);
        self.setup.update(|setup| setup.sample = None);
        self.read(all, true);
    }

    /// Opens again what was open before more was brought, with the same measures.
    pub(super) fn reopen(self) {
        let before = self.before.get_untracked();
        self.before.set(Vec::new());
        self.read(before, true);
    }

    fn read(self, files: Vec<(String, Blob)>, table: bool) {
        let name = match &files[..] {
            [] => return,
            [(name, _)] => name.clone(),
            _ => format!("{} files", files.len()),
        };
        self.recording.set(None);
        let again = self.file.with_untracked(Option::is_some);
        self.file.set(None);
        self.results.update(HashMap::clear);
        self.checks.update(HashMap::clear);
        self.selected.set(None);
        self.progress.set(None);
        // Names of columns are those of another file.
        if again {
            self.setup.update(|setup| (setup.columns, setup.arrays) = (None, None));
        }
        self.to_measure();
        self.stage.set(Stage::Loading(name.clone()));
        self.say(format!("Reading {name}"));
        let file = self.next_number();
        self.run.set_value(file);
        self.opening.set_value(file);
        let (names, blobs): (Vec<String>, Vec<Blob>) = files.iter().cloned().unzip();
        self.brought.set_value(files);
        self.engine.with_value(|engine| {
            if let Some(engine) = engine {
                engine.ask_with(&Ask::Open { file, names, table }, &blobs);
            }
        });
    }

    /// Measures the open recording again.
    pub(super) fn watch(self, parameters: serde_json::Map<String, serde_json::Value>) {
        let Some(file) = self.recording.with_untracked(|r| r.as_ref().map(|r| r.file)) else { return };
        self.progress.set(None);
        self.stage.set(Stage::Running);
        let wish = self.setup.with_untracked(|s| s.wish);
        self.ask(&Ask::Watch { file, parameters, wish }, None);
    }

    /// Back to the beginning.
    pub(super) fn close(self) {
        self.cancel();
        self.file.set(None);
        self.recording.set(None);
        self.stage.set(Stage::Idle);
        self.setup.set(Setup { wish: self.setup.with_untracked(|s| s.wish), ..Setup::default() });
        self.to_measure();
    }

    fn run_of(&self, jobs: Vec<Job>) -> Option<Run> {
        let file = self.file.with_untracked(|f| f.as_ref().map(|f| f.file))?;
        let run = self.next_number();
        self.run.set_value(run);
        self.began.set_value(now());
        Some(self.setup.with_untracked(|setup| Run {
            file,
            run,
            jobs,
            resamples: setup.resamples(),
            seed: setup.seed,
            information: setup.information,
            wish: setup.wish,
        }))
    }

    /// Measures what is chosen and not yet known.
    pub(super) fn measure(self) {
        let jobs = self.jobs.get_untracked();
        let missing: Vec<Job> =
            self.results.with_untracked(|known| jobs.into_iter().filter(|job| !known.contains_key(&job.key)).collect());
        if missing.is_empty() {
            if self.stage.with_untracked(Stage::busy) {
                self.ask(&Ask::Cancel, None);
            }
            self.run.set_value(self.next_number());
            self.stage.set(Stage::Done);
            return;
        }
        if let Some(run) = self.run_of(missing) {
            self.progress.set(None);
            self.stage.set(Stage::Running);
            self.ask(&Ask::Measure(run), None);
        }
    }

    /// Computes everything shown again on the CPU reference.
    pub(super) fn cross_check(self) {
        self.checks.update(HashMap::clear);
        if let Some(run) = self.run_of(self.jobs.get_untracked()) {
            self.progress.set(None);
            self.stage.set(Stage::Checking);
            self.ask(&Ask::CrossCheck(run), None);
        }
    }

    /// Ends what runs. What is finished stays.
    pub(super) fn cancel(self) {
        if !self.stage.with_untracked(Stage::busy) {
            return;
        }
        self.cancelled.set_value((now(), 0.0));
        self.ask(&Ask::Cancel, None);
        // Late answers of this run are of another time.
        self.run.set_value(self.next_number());
        self.stage.set(Stage::Cancelled);
        self.progress.set(None);
        self.say("Cancelled. What was finished is kept.".to_owned());
    }

    /// Has a sentence read out, at most every five seconds but for failures.
    pub(super) fn say(self, text: String) {
        let now = now();
        let urgent = self.stage.with_untracked(|s| matches!(s, Stage::Failed(..) | Stage::Done));
        if urgent || now - self.announced.get_value() > 5000.0 {
            self.announced.set_value(now);
            self.announcement.set(text);
        }
    }
}

/// The sample whose windowed entropy the first view shows.
pub(super) const EXAMPLE: &str = "elnino.csv";

/// Milliseconds of the clock on the wall.
pub(super) fn now() -> f64 {
    js_sys::Date::now()
}

/// The shared model.
pub(super) fn model() -> Model {
    expect_context()
}
