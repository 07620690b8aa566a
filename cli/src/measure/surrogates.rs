//! Surrogates on all cores.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

use futures_util::future::LocalBoxFuture;
use surprisal_core::{
    compute::Cpu,
    measure::{
        Context, MeasureError, Outcome,
        surrogate::{Draw, Test, compare},
    },
    pace::{Cancelled, Pace},
};

use crate::progress::Progress;

/// Ends all threads when Ctrl-C was pressed.
struct Watching<'a>(&'a AtomicBool);

impl Pace for Watching<'_> {
    fn tick(&self, _done: u64, _total: u64) -> LocalBoxFuture<'_, Result<(), Cancelled>> {
        let ends = self.0.load(Ordering::Relaxed);
        Box::pin(std::future::ready(if ends { Err(Cancelled) } else { Ok(()) }))
    }
}

/// `outcome` among its surrogates: on the CPU as many at a time as there are cores, else one after the other.
pub(super) fn place(
    test: &Test,
    outcome: Outcome,
    threads: bool,
    context: &Context<'_>,
    progress: &Progress,
) -> Result<Outcome, MeasureError> {
    if !threads || outcome.value.why().is_some() {
        return pollster::block_on(compare(test, outcome, context));
    }
    let (ends, next, done) = (AtomicBool::new(false), AtomicU32::new(0), AtomicU32::new(0));
    let draws: Mutex<Vec<(u32, Result<Draw, MeasureError>)>> = Mutex::new(Vec::new());
    let (count, seed) = (test.count(), context.seed);
    let workers = thread::available_parallelism().map_or(1, usize::from).min(count as usize);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..workers)
            .map(|_| {
                scope.spawn(|| {
                    let pace = Watching(&ends);
                    let context = Context::new(&Cpu, &pace).with_resamples(0, seed);
                    loop {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        if index >= count || ends.load(Ordering::Relaxed) {
                            return;
                        }
                        let draw = pollster::block_on(test.draw(index, &context));
                        if draw.is_err() {
                            ends.store(true, Ordering::Relaxed);
                        }
                        draws.lock().unwrap_or_else(PoisonError::into_inner).push((index, draw));
                        done.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        while workers.iter().any(|w| !w.is_finished()) {
            progress.show(u64::from(done.load(Ordering::Relaxed)), u64::from(count));
            if progress.interrupted() {
                ends.store(true, Ordering::Relaxed);
            }
            thread::sleep(Duration::from_millis(5));
        }
    });
    if progress.interrupted() {
        return Err(Cancelled.into());
    }
    let mut draws = draws.into_inner().unwrap_or_else(PoisonError::into_inner);
    draws.sort_unstable_by_key(|(index, _)| *index);
    // A thread that was stopped by another's error says "cancelled": the error itself is what matters.
    if let Some(at) = draws.iter().position(|(_, d)| matches!(d, Err(e) if !matches!(e, MeasureError::Cancelled(_)))) {
        return draws.swap_remove(at).1.map(|_| outcome);
    }
    let draws = draws.into_iter().map(|(_, draw)| draw).collect::<Result<Vec<_>, _>>()?;
    Ok(test.place(outcome, &draws))
}
