//! Speed of training on the GPU beside the CPU reference: `cargo run --release -p surprisal-gpu --example training_bench`.
//!
//! Prints how dear barriers are on the adapter; then one line a size and form of the kernels: dispatches a step; the best of
//! some runs in milliseconds a step, by the clock on the wall and by that of the processors (a software adapter uses them all,
//! and a busy machine counts less); and the ratios. All begin with the same weights; the first losses are printed, to be
//! compared. Then what the dispatches of a step take, where the adapter can tell. `--passes` prints nothing else, `--plain`
//! and `--workgroup` leave the other form out.

use std::time::{Duration, Instant};

use pollster::block_on;
use surprisal_core::{
    nn::{Checkpoint, CpuTraining, NnError, RunSetup, Training},
    pace::Unhurried,
};
use surprisal_gpu::{Form, Gpu, GpuTraining, Options};

#[path = "../../core/tests/nn/spec.rs"]
mod spec;

/// The best of so many runs of at least so long.
const RUNS: u32 = 5;
const TIME: Duration = Duration::from_millis(500);

/// Seconds of all processors that this process has had, in units of 10 ms; only Linux tells.
fn processor() -> f64 {
    let told = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let behind_name = told.rsplit(')').next().unwrap_or_default();
    let ticks = behind_name.split_whitespace().skip(11).take(2).filter_map(|word| word.parse::<f64>().ok());
    ticks.sum::<f64>() * 0.01
}

/// Milliseconds a step, at best: by the clock on the wall, and of all processors together.
fn measure(training: &mut dyn Training) -> Result<[f64; 2], NnError> {
    let mut best = [f64::INFINITY; 2];
    let mut steps = 1;
    for _ in 0..RUNS {
        loop {
            let (start, had) = (Instant::now(), processor());
            block_on(training.advance(steps, &Unhurried))?;
            let time = start.elapsed();
            if time >= TIME {
                let each = [time.as_secs_f64(), processor() - had].map(|time| time * 1e3 / f64::from(steps));
                best = [best[0].min(each[0]), best[1].min(each[1])];
                break;
            }
            steps *= 2;
        }
    }
    Ok(best)
}

fn losses(training: &mut dyn Training) -> Result<String, NnError> {
    let mut losses = Vec::new();
    for _ in 0..5 {
        let last = block_on(training.advance(1, &Unhurried))?[0].last;
        losses.push(last.map_or_else(|| "-".to_owned(), |last| format!("{:.6}", last.loss)));
    }
    Ok(losses.join(" "))
}

/// Milliseconds of each kind of dispatch, over some steps.
fn passes(run: &RunSetup, form: Form) -> Result<(), Box<dyn std::error::Error>> {
    const STEPS: u32 = 3;
    let gpu = block_on(Gpu::new(&Options { timestamps: true, ..Options::from_env() }))?;
    let mut training = GpuTraining::in_form(&gpu, vec![run.clone()], form)?;
    block_on(training.advance(1, &Unhurried))?;
    block_on(gpu.take_timings())?;
    block_on(training.advance(STEPS, &Unhurried))?;
    let mut sums: Vec<(&str, f64)> = Vec::new();
    for timing in block_on(gpu.take_timings())? {
        match sums.iter_mut().find(|(label, _)| *label == timing.label) {
            Some((_, sum)) => *sum += timing.milliseconds,
            None => sums.push((timing.label, timing.milliseconds)),
        }
    }
    for (label, sum) in sums {
        println!("  {label}: {:.3} ms a step", sum / f64::from(STEPS));
    }
    Ok(())
}

/// Both trainings of so many runs side by side.
fn compare(name: &str, start: &Checkpoint, runs: Vec<RunSetup>, form: Form) -> Result<(), Box<dyn std::error::Error>> {
    // A device of its own, so that the shaders are compiled anew.
    let gpu = block_on(Gpu::new(&Options::from_env()))?;
    let count = runs.len();
    let begun = Instant::now();
    let mut ours = GpuTraining::in_form(&gpu, runs.clone(), form)?;
    let compiled = begun.elapsed();
    let mut theirs = CpuTraining::new(runs)?;
    for run in 0..count {
        ours.restore(run, start)?;
        theirs.restore(run, start)?;
    }
    if count == 1 {
        println!("{name}, {form:?}: made in {:.2} s; losses on the GPU {}", compiled.as_secs_f64(), losses(&mut ours)?);
        println!("{name}: losses on the CPU {}", losses(&mut theirs)?);
    }
    let ([gpu, gpu_busy], [cpu, cpu_busy]) = (measure(&mut ours)?, measure(&mut theirs)?);
    let dispatches = ours.dispatches_per_step();
    println!(
        "{name}, {form:?}, {count} runs: {dispatches} dispatches a step; {gpu:.3} ms a step on the GPU, {cpu:.3} on the CPU, \
         ratio {:.3}; of all processors {gpu_busy:.3} and {cpu_busy:.3} ms, ratio {:.3}",
        gpu / cpu,
        gpu_busy / cpu_busy
    );
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let gpu = block_on(Gpu::new(&Options::from_env()))?;
    let found = block_on(gpu.calibration())?;
    println!(
        "{} ({}, {}); barriers: {:.2} times as long, hence {:?}",
        gpu.info().name,
        gpu.info().backend,
        gpu.info().kind,
        found.ratio(),
        found.form()
    );
    let asked = |argument: &str| std::env::args().any(|given| given == argument);
    let forms = [(Form::Workgroup, "--plain"), (Form::Plain, "--workgroup")];
    let forms: Vec<Form> = forms.into_iter().filter(|(_, other)| !asked(other)).map(|(form, _)| form).collect();
    for (name, size) in [("large", spec::LARGE), ("small", spec::SMALL)] {
        let start = spec::trainer(size).checkpoint();
        let tokens: Vec<u32> = spec::batches(size).into_iter().flat_map(|[x, _]| x).collect();
        let run = RunSetup {
            config: spec::config(size),
            optimiser: start.optimiser,
            batch: u32::try_from(size.batch)?,
            tokens: tokens.into(),
            seed: 1,
            run: 0,
        };
        for &form in &forms {
            if !asked("--passes") {
                for count in [1, 8] {
                    compare(name, &start, vec![run.clone(); count], form)?;
                }
            }
            println!("{name}, {form:?}:");
            passes(&run, form)?;
        }
    }
    Ok(())
}
