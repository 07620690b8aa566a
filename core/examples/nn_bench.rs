//! Speed of training on the CPU: `cargo run --release -p surprisal-core --example nn_bench`.
//!
//! Prints one JSON line a size, as `xtask/src/bench/nn_problem.py` does: the best of some runs in seconds a step (forwards,
//! backwards, AdamW; one thread), by the clock on the wall and by the processor's where the system tells it (Linux), which a
//! busy machine changes less. The first ten losses are those of the same problem in other frameworks, to be compared digit
//! by digit.

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
        let mut done = 0_usize;
        let mut step = |trainer: &mut surprisal_core::nn::Trainer<f32>| {
            let [x, y] = &batches[done % batches.len()];
            done += 1;
            trainer.step(x, y).map(|p| p.loss)
        };
        let losses = (0..10).map(|_| step(&mut trainer)).collect::<Result<Vec<f64>, _>>()?;
        let clock = Instant::now();
        let (mut seconds, mut processor, mut last) = (f64::INFINITY, f64::INFINITY, f64::NAN);
        let mut steps = 4_u32;
        for _ in 0..RUNS {
            loop {
                let (began, had) = (clock.elapsed(), now(clock));
                for _ in 0..steps {
                    last = step(&mut trainer)?;
                }
                let (time, busy) = ((clock.elapsed() - began).as_secs_f64(), now(clock) - had);
                if busy >= SECONDS {
                    seconds = seconds.min(time / f64::from(steps));
                    processor = processor.min(busy / f64::from(steps));
                    break;
                }
                steps *= 2;
            }
        }
        let parameters = trainer.params().len();
        let speed = trainer.gpt().config().flops(size.batch * size.context) / processor * 1e-9;
        println!(
            "{{\"problem\":\"{name}\",\"library\":\"Surprisal\",\"parameters\":{parameters},\"seconds\":{seconds},\
             \"processor\":{processor},\"losses\":{losses:?},\"last\":{last},\"note\":\"{speed:.1} GFLOP/s\"}}"
        );
    }
    Ok(())
}
