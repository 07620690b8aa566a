//! Progress on standard error, and Ctrl-C.

use std::{
    cell::RefCell,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::future::LocalBoxFuture;
use indicatif::{ProgressBar, ProgressStyle};
use surprisal_core::pace::{Cancelled, Pace};

/// Work that ends sooner draws no bar.
const PATIENCE: Duration = Duration::from_millis(500);

/// Draws one bar for the work at hand, if standard error is a terminal, and turns Ctrl-C into a cancel: the work
/// ends at its next tick and no file is left half written. A second Ctrl-C ends the program at once.
pub(crate) struct Progress {
    interrupted: Arc<AtomicBool>,
    state: RefCell<State>,
}

struct State {
    label: String,
    words: String,
    /// What is counted are steps, so a rate means something.
    steps: bool,
    started: Instant,
    bar: Option<ProgressBar>,
}

impl Progress {
    pub(crate) fn new() -> Self {
        let interrupted = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&interrupted);
        // Without a handler Ctrl-C simply ends the program, which is no worse.
        let _ = ctrlc::set_handler(move || {
            if flag.swap(true, Ordering::Relaxed) {
                std::process::exit(130);
            }
        });
        let state =
            State { label: String::new(), words: String::new(), steps: false, started: Instant::now(), bar: None };
        Self { interrupted, state: RefCell::new(state) }
    }

    /// The next piece of work begins.
    pub(crate) fn begin(&self, label: impl Into<String>) {
        self.begin_as(label, false);
    }

    /// The next piece of work begins, and what it counts are steps: the bar tells their rate.
    pub(crate) fn begin_steps(&self, label: impl Into<String>) {
        self.begin_as(label, true);
    }

    fn begin_as(&self, label: impl Into<String>, steps: bool) {
        self.end();
        let mut state = self.state.borrow_mut();
        state.label = label.into();
        state.words.clear();
        state.steps = steps;
        state.started = Instant::now();
    }

    /// What goes on, in a few words behind the name of the work.
    pub(crate) fn say(&self, words: String) {
        let state = &mut *self.state.borrow_mut();
        state.words = words;
        if let Some(bar) = &state.bar {
            bar.set_message(state.message());
        }
    }

    /// The bar goes away.
    pub(crate) fn end(&self) {
        if let Some(bar) = self.state.borrow_mut().bar.take() {
            bar.finish_and_clear();
        }
    }

    /// Whether Ctrl-C was pressed.
    pub(crate) fn interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    /// `done` of `total` are behind.
    pub(crate) fn show(&self, done: u64, total: u64) {
        let state = &mut *self.state.borrow_mut();
        if state.bar.is_none() && state.started.elapsed() > PATIENCE {
            let style = ProgressStyle::with_template(if state.steps {
                "{msg} {wide_bar} {percent} % {pos} of {len} steps, {per_sec}, {eta} left"
            } else {
                "{msg} {wide_bar} {percent} % {eta} left"
            });
            let bar = ProgressBar::new(total);
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.set_message(state.message());
            state.bar = Some(bar);
        }
        if let Some(bar) = &state.bar {
            bar.set_length(total);
            bar.set_position(done);
        }
    }
}

impl State {
    fn message(&self) -> String {
        if self.words.is_empty() { self.label.clone() } else { format!("{}: {}", self.label, self.words) }
    }
}

impl Pace for Progress {
    fn tick(&self, done: u64, total: u64) -> LocalBoxFuture<'_, Result<(), Cancelled>> {
        self.show(done, total);
        let answer = if self.interrupted() { Err(Cancelled) } else { Ok(()) };
        Box::pin(std::future::ready(answer))
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
}
