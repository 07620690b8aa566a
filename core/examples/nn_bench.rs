//! Speed of training on the CPU: `cargo run --release -p surprisal-core --example nn_bench`.
//!
//! Prints one line a size: the best of some runs in milliseconds a step (forwards, backwards, AdamW; one thread) and
//! GFLOP/s. Times are those of the processor where the system tells them (Linux), so that a busy machine counts less.
//! The first ten losses are those of the same problem in other frameworks, to be compared digit by digit.

use std::time::Instant;

#[path = "shared/clock.rs"]
mod clock;
#[path = "../tests/nn/spec.rs"]
mod spec;

use clock::now;

/// The best of so many runs of at least so many seconds each.
const RUNS: u32 = 5;
const SECONDS: f64 = 0.5;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for (name, size) in [("large", spec::LARGE), ("small", spec::SMALL)] {
        let mut trainer = spec::trainer(size);
        let batches = spec::batches(size);
        let mut losses = Vec::new();
        let mut done = 0_usize;
        let mut step = |trainer: &mut surprisal_core::nn::Trainer<f32>| {
            let [x, y] = &batches[done % batches.len()];
            done += 1;
            trainer.step(x, y).map(|p| p.loss)
        };
        for _ in 0..10 {
            losses.push(format!("{:.6}", step(&mut trainer)?));
        }
        println!("{name}: {} parameters; losses {}", trainer.params().len(), losses.join(" "));
        let clock = Instant::now();
        let mut best = f64::INFINITY;
        let mut steps = 4_u32;
        for _ in 0..RUNS {
            loop {
                let start = now(clock);
                for _ in 0..steps {
                    step(&mut trainer)?;
                }
                let seconds = now(clock) - start;
                if seconds >= SECONDS {
                    best = best.min(seconds / f64::from(steps));
                    break;
                }
                steps *= 2;
            }
        }
        let flop = trainer.gpt().config().flops(size.batch * size.context);
        println!("{name}: {:.3} ms a step, {:.1} GFLOP/s", best * 1e3, flop / best * 1e-9);
    }
    Ok(())
}
