//! Measures made-up data while the user chooses a file.
//!
//! A browser compiles wasm in a hurry when a function is first called, and well once it has run for a while. Without
//! this, all of a page's first report ran on the code made in a hurry.

use std::{cell::Cell, rc::Rc};

use gloo_timers::future::TimeoutFuture;
use serde_json::json;
use surprisal_core::{
    compute::Cpu,
    data::{Column, Kind},
    measure::{self, Context},
    pace::Unhurried,
    report::suggested,
    rng::Philox,
};
use web_time::{Duration, Instant};

use super::live::Inbox;

/// What the page does at first comes first.
const DELAY: u32 = 300;
/// The engine hears a question after at most about this long.
const PIECE: Duration = Duration::from_millis(4);
/// Milliseconds between two pieces.
const PAUSE: u32 = 1;
/// Milliseconds between two looks at an engine that has other work.
const PATIENCE: u32 = 100;
/// A few blocks of every kernel, in less than [`PIECE`].
const SAMPLES: usize = 10_000;
const FEW_SAMPLES: usize = 2_000;
/// Runs of the linear measures, until the browser has seen enough of them.
const RUNS: u32 = 40;
/// Runs of the quadratic ones.
const FEW_RUNS: u32 = 8;

/// Runs the measures of a first report once, and the kernels until they are compiled well, while nobody is waiting.
/// Whoever watches an experiment has no need of it.
pub(super) async fn up(busy: Rc<Cell<bool>>, inbox: Rc<Inbox>) {
    TimeoutFuture::new(DELAY).await;
    let mut rng = Philox::new(0, 0);
    let mut noise = |n| Column::real("", (0..n).map(|_| rng.normal()).collect());
    let (short, long) = (noise(FEW_SAMPLES), noise(SAMPLES));
    let first = suggested(&short, Kind::Csv).into_iter().map(|id| (id, json!({}), &short, 1));
    let kernels = [
        ("perm", json!({ "order": 3 }), &long, RUNS),
        ("perm", json!({ "order": 5 }), &long, RUNS),
        ("sampen", json!({}), &short, FEW_RUNS),
    ];
    for (id, parameters, column, runs) in first.chain(kernels) {
        let mut left = runs;
        while left > 0 {
            if inbox.is_used() {
                return;
            }
            TimeoutFuture::new(if busy.get() { PATIENCE } else { PAUSE }).await;
            let began = Instant::now();
            while left > 0 && !busy.get() && began.elapsed() < PIECE {
                left -= 1;
                let context = Context::new(&Cpu, &Unhurried);
                // The first real call says what is wrong, if anything is.
                let _ = measure::run(id, &parameters, column, &context).await;
            }
        }
    }
}
