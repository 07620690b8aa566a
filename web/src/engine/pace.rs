//! Progress, and giving way to the event loop so that a cancel is heard.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use futures_util::future::LocalBoxFuture;
use js_sys::Promise;
use surprisal_core::pace::{Cancelled, Pace};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::MessageChannel;
use web_time::{Duration, Instant};

use super::{heap, tell};
use crate::protocol::{Progress, Tell};

/// Work runs this long between two looks at the event loop.
const STRETCH: Duration = Duration::from_millis(25);
/// Progress is told at most this often.
const NEWS: Duration = Duration::from_millis(100);

/// The pace of one ask.
pub(super) struct Steps {
    stop: Rc<Cell<bool>>,
    channel: Option<MessageChannel>,
    looked: Cell<Instant>,
    told: Cell<Instant>,
    phase: RefCell<Phase>,
}

/// A part of an ask with its own label and its own count of steps.
struct Phase {
    label: String,
    finished: u32,
    jobs: u32,
    bytes: bool,
    began: Instant,
    last: u64,
}

impl Steps {
    /// Stops when `stop` is set. Silent: nothing is told until [`Steps::phase`].
    pub(super) fn new(stop: Rc<Cell<bool>>) -> Self {
        let now = Instant::now();
        let phase = Phase { label: String::new(), finished: 0, jobs: 0, bytes: false, began: now, last: 0 };
        Self {
            stop,
            channel: MessageChannel::new().ok(),
            looked: Cell::new(now),
            told: Cell::new(now),
            phase: RefCell::new(phase),
        }
    }

    /// Begins to read.
    pub(super) fn reading(&self, label: String) {
        *self.phase.borrow_mut() = Phase { label, finished: 0, jobs: 0, bytes: true, began: Instant::now(), last: 0 };
    }

    /// Begins a job after `finished` of `jobs`.
    pub(super) fn job(&self, label: String, finished: u32, jobs: u32) {
        *self.phase.borrow_mut() = Phase { label, finished, jobs, bytes: false, began: Instant::now(), last: 0 };
    }

    /// The event loop has just had its turn.
    pub(super) fn rested(&self) {
        self.looked.set(Instant::now());
    }

    /// Whether the work should end.
    pub(super) fn stopped(&self) -> bool {
        self.stop.get()
    }

    #[expect(clippy::cast_precision_loss, reason = "a progress bar has fewer digits")]
    fn news(&self, done: u64, total: u64) {
        let mut phase = self.phase.borrow_mut();
        if done < phase.last {
            phase.began = Instant::now();
        }
        phase.last = done;
        if phase.label.is_empty() {
            return;
        }
        let elapsed = phase.began.elapsed().as_secs_f64();
        tell(&Tell::Progress(Progress {
            label: phase.label.clone(),
            finished: phase.finished,
            jobs: phase.jobs,
            done: done as f64,
            total: total as f64,
            rate: if elapsed > 0.0 { done as f64 / elapsed } else { 0.0 },
            bytes: phase.bytes,
            heap: heap(),
        }));
    }

    /// Lets every event that waits be handled first: a task through a message channel, which browsers do not
    /// delay as they delay timers.
    pub(super) async fn give_way(&self) {
        let Some(channel) = &self.channel else { return };
        let wait = Promise::new(&mut |resolve, _| {
            channel.port1().set_onmessage(Some(&resolve));
            let _ = channel.port2().post_message(&JsValue::NULL);
        });
        let _ = JsFuture::from(wait).await;
        self.looked.set(Instant::now());
    }
}

impl Pace for Steps {
    fn tick(&self, done: u64, total: u64) -> LocalBoxFuture<'_, Result<(), Cancelled>> {
        Box::pin(async move {
            let now = Instant::now();
            if now.duration_since(self.told.get()) >= NEWS {
                self.told.set(now);
                self.news(done, total);
            }
            if now.duration_since(self.looked.get()) >= STRETCH {
                self.give_way().await;
            }
            if self.stop.get() { Err(Cancelled) } else { Ok(()) }
        })
    }
}
