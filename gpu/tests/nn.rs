//! The training of transformers on the adapter at hand against the CPU reference. See `twins.rs`.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    cell::Cell,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::future::LocalBoxFuture;
use pollster::block_on;
use surprisal_core::{
    compute::{Backend, Compute},
    nn::{Advanced, Config, CpuTraining, NnError, Optimiser, Positions, RunSetup, Snapshot, Training},
    pace::{Cancelled, Pace, Unhurried},
};
use surprisal_gpu::{
    Auto, Form, Gpu, GpuError, GpuTraining, Options,
    selftest::nn::{cases, first_step, setup, step_from_elsewhere, text},
};

/// One device at a time.
static ONE: Mutex<()> = Mutex::new(());

fn gpu_with(options: Options) -> Option<(Gpu, MutexGuard<'static, ()>)> {
    let guard = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let options = Options { adapter: Options::from_env().adapter, ..options };
    match block_on(Gpu::new(&options)) {
        Ok(gpu) => Some((gpu, guard)),
        Err(GpuError::NoAdapter { wanted_name: None, .. })
            if std::env::var("SURPRISAL_REQUIRE_GPU").as_deref() != Ok("1") =>
        {
            eprintln!("SKIPPED: no GPU adapter here, not even a software one (mesa-vulkan-drivers has one)");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

fn gpu() -> Option<(Gpu, MutexGuard<'static, ()>)> {
    gpu_with(Options::default())
}

fn advance(training: &mut dyn Training, steps: u32) -> Vec<Advanced> {
    block_on(training.advance(steps, &Unhurried)).unwrap()
}

fn snapshot(training: &mut dyn Training, run: usize) -> Snapshot {
    block_on(training.snapshot(run)).unwrap()
}

fn gradients_are_the_reference_s(form: Form) {
    let Some(trainer) = Trainer::new(form) else { return };
    let mut failed = Vec::new();
    for (config, batch) in cases() {
        if let Err(what) = block_on(first_step(&trainer.gpu, &setup(config, batch), form)) {
            failed.push(format!("{config:?}, batch {batch}: {what}"));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// A device, and trainings on it in one form.
struct Trainer {
    gpu: Gpu,
    form: Form,
    _guard: MutexGuard<'static, ()>,
}

impl Trainer {
    fn new(form: Form) -> Option<Self> {
        gpu().map(|(gpu, guard)| Self { gpu, form, _guard: guard })
    }

    fn training(&self, runs: &[RunSetup]) -> GpuTraining {
        GpuTraining::in_form(&self.gpu, runs.to_vec(), self.form).unwrap()
    }

    fn alone(&self, run: &RunSetup) -> GpuTraining {
        self.training(std::slice::from_ref(run))
    }
}

/// Both forms of the kernels are held to the same reference, in tests of their own.
macro_rules! in_both_forms {
    ($($name:ident),* $(,)?) => {
        mod workgroup {
            $(#[test] fn $name() { super::$name(super::Form::Workgroup); })*
        }
        mod plain {
            $(#[test] fn $name() { super::$name(super::Form::Plain); })*
        }
    };
}

in_both_forms! {
    gradients_are_the_reference_s,
    a_hundred_steps_are_the_reference_s,
    clipping_is_the_reference_s,
    runs_together_are_the_same_runs_alone_bit_for_bit,
    more_workgroups_than_fit_in_a_row,
    large_batches_go_in_chunks,
    dispatches_of_a_step_are_few,
    a_diverged_run_keeps_its_last_good_parameters,
    a_run_goes_on_from_its_snapshot_bit_for_bit,
    a_call_ends_between_two_steps,
    surprisals_are_the_reference_s,
    what_cannot_be_trained_is_said,
}

/// The largest relative difference of the losses of `steps` single steps.
fn losses_differ(ours: &mut dyn Training, theirs: &mut dyn Training, steps: u32) -> f64 {
    let mut worst = 0.0_f64;
    for _ in 0..steps {
        for (ours, theirs) in advance(ours, 1).iter().zip(advance(theirs, 1)) {
            assert_eq!((ours.step, &ours.stopped), (theirs.step, &None));
            let (ours, theirs) = (ours.last.unwrap(), theirs.last.unwrap());
            assert!((ours.rate - theirs.rate).abs() < 1e-15);
            worst = worst.max((ours.loss / theirs.loss - 1.0).abs());
        }
    }
    worst
}

fn a_hundred_steps_are_the_reference_s(form: Form) {
    let Some(trainer) = Trainer::new(form) else { return };
    let config = Config { vocabulary: 10, context: 32, width: 16, heads: 2, ..Config::default() };
    let optimiser =
        Optimiser { rate: 3e-3, warm_up: 10, steps: 80, clip: Some(0.7), decay: 0.1, ..Optimiser::default() };
    let one = RunSetup { optimiser, ..setup(config, 4) };
    let runs = [one.clone(), RunSetup { run: 2, optimiser: Optimiser { rate: 1e-3, clip: None, ..optimiser }, ..one }];
    let mut ours = trainer.training(&runs);
    let mut theirs = CpuTraining::new(runs.to_vec()).unwrap();
    let worst = losses_differ(&mut ours, &mut theirs, 100);
    // Rounding differs by 1e-6 a step, and AdamW divides by the root of small second moments; training forgets most of it.
    assert!(worst < 1e-3, "{worst:e}");
    for run in 0..2 {
        let (ours, theirs) = (snapshot(&mut ours, run), snapshot(&mut theirs, run));
        assert_eq!((ours.step, ours.optimiser), (theirs.step, theirs.optimiser));
        let difference = |(a, b): (&f32, &f32)| f64::from(a - b).powi(2);
        let away: f64 = ours.params.iter().zip(&theirs.params).map(difference).sum();
        let norm: f64 = theirs.params.iter().map(|x| f64::from(*x).powi(2)).sum();
        assert!(away.sqrt() < 1e-2 * norm.sqrt(), "{}", (away / norm).sqrt());
    }
}

fn clipping_is_the_reference_s(form: Form) {
    let Some(trainer) = Trainer::new(form) else { return };
    let config = Config { width: 8, context: 16, ..Config::default() };
    // AdamW does not feel a constant factor, but for epsilon.
    let optimiser = Optimiser { clip: Some(1e-3), epsilon: 1e-3, ..Optimiser::default() };
    let clipped = RunSetup { optimiser, ..setup(config, 2) };
    let mut ours = trainer.alone(&clipped);
    let mut theirs = CpuTraining::new(vec![clipped.clone()]).unwrap();
    let free = RunSetup { optimiser: Optimiser { clip: None, ..optimiser }, ..clipped };
    let mut unclipped = trainer.alone(&free);
    for training in [&mut ours as &mut dyn Training, &mut theirs, &mut unclipped] {
        let norm = advance(training, 5)[0].last.unwrap().norm;
        assert!(norm > 1e-2, "{norm}: told before clipping");
    }
    let begin = |training: &mut dyn Training| snapshot(training, 0);
    let (ours, theirs, free) = (begin(&mut ours), begin(&mut theirs), begin(&mut unclipped));
    let moments =
        |s: &Snapshot| s.moments.clone().unwrap()[0].iter().map(|m| f64::from(*m).powi(2)).sum::<f64>().sqrt();
    assert!((moments(&ours) / moments(&theirs) - 1.0).abs() < 1e-4);
    assert!(moments(&free) > 10.0 * moments(&ours));
}

fn runs_together_are_the_same_runs_alone_bit_for_bit(form: Form) {
    let Some(trainer) = Trainer::new(form) else { return };
    let config = Config { vocabulary: 33, context: 24, width: 24, heads: 2, layers: 2, ..Config::default() };
    let other = Config { tied: true, positions: Positions::Rope, width: 16, ..config };
    let one = setup(config, 3);
    let runs = [
        one.clone(),
        RunSetup { run: 7, tokens: text(33, 500, 4).into(), ..one.clone() },
        RunSetup { config: other, ..one.clone() },
        RunSetup { seed: 11, optimiser: Optimiser { rate: 1e-2, clip: Some(0.1), ..one.optimiser }, ..one },
    ];
    let mut together = trainer.training(&runs);
    advance(&mut together, 7);
    let told = advance(&mut together, 13);
    for (i, run) in runs.iter().enumerate() {
        let mut single = trainer.alone(run);
        assert_eq!(advance(&mut single, 20)[0], told[i], "run {i}");
        assert_eq!(snapshot(&mut single, 0), snapshot(&mut together, i), "run {i}");
        assert_eq!(single.history(0).unwrap()[7..], *together.history(i).unwrap());
    }
    // And again.
    let mut again = trainer.training(&runs);
    advance(&mut again, 20);
    assert_eq!(snapshot(&mut again, 3), snapshot(&mut together, 3));
}

fn more_workgroups_than_fit_in_a_row(form: Form) {
    let Some(trainer) = Trainer::new(form) else { return };
    let config = Config { width: 8, heads: 8, context: 1, expansion: 1, vocabulary: 5, ..Config::default() };
    // 32,768 workgroups of attention a run.
    let runs = [0, 1, 2].map(|run| RunSetup { run, ..setup(config, 4096) });
    let mut together = trainer.training(&runs);
    block_on(step_from_elsewhere(&mut together, 2)).unwrap();
    let mut single = trainer.training(&runs[2..]);
    block_on(step_from_elsewhere(&mut single, 0)).unwrap();
    assert_eq!(snapshot(&mut single, 0), snapshot(&mut together, 2));
}

fn large_batches_go_in_chunks(form: Form) {
    let Some(trainer) = Trainer::new(form) else { return };
    let config = Config { width: 8, context: 64, vocabulary: 257, ..Config::default() };
    let mut ours = trainer.alone(&setup(config, 320));
    let chunks = ours.dispatches_per_step() / 18;
    assert!(chunks > 1 && ours.dispatches_per_step() == 18 * chunks + 1, "{} dispatches", ours.dispatches_per_step());
    block_on(step_from_elsewhere(&mut ours, 0)).unwrap();
    // More chunks than a first submission holds.
    let told = advance(&mut ours, 2);
    assert_eq!((told[0].step, ours.history(0).unwrap().len()), (3, 2));
}

fn dispatches_of_a_step_are_few(form: Form) {
    let Some(trainer) = Trainer::new(form) else { return };
    let config = Config { context: 8, width: 8, ..Config::default() };
    for positions in [Positions::Learned, Positions::Rope] {
        for layers in 1..=4 {
            let config = Config { layers, positions, linear_bias: true, norm_bias: true, ..config };
            let run = setup(config, 2);
            let dispatches = trainer.training(&[run.clone(), run]).dispatches_per_step();
            assert_eq!(dispatches, 8 + 11 * layers);
            assert!(dispatches <= 25 + 12 * (layers - 1));
        }
    }
    let two = [setup(config, 2), setup(config, 3)];
    assert_eq!(trainer.training(&two).dispatches_per_step(), 38, "two batches are two groups");
}

fn a_diverged_run_keeps_its_last_good_parameters(form: Form) {
    let Some(trainer) = Trainer::new(form) else { return };
    let config = Config { width: 8, context: 16, ..Config::default() };
    let good = setup(config, 2);
    let bad = RunSetup { optimiser: Optimiser { rate: 1e30, ..good.optimiser }, ..good.clone() };
    let runs = [bad.clone(), good.clone()];
    let mut ours = trainer.training(&runs);
    let mut theirs = CpuTraining::new(runs.to_vec()).unwrap();
    let (told, reference) = (advance(&mut ours, 6), advance(&mut theirs, 6));
    assert_eq!((told[0].step, told[1].step), (reference[0].step, 6));
    let Some(NnError::Diverged { step, value, rate, .. }) = told[0].stopped.clone() else { panic!("{told:?}") };
    assert!(!value.is_finite() && step == told[0].step && (rate - bad.optimiser.rate_at(step)).abs() < 1e15);
    let Some(NnError::Diverged { step: theirs, .. }) = reference[0].stopped else { panic!("{reference:?}") };
    assert_eq!(step, theirs);
    assert_eq!(told[1].stopped, None);

    let kept = snapshot(&mut ours, 0);
    assert_eq!(kept.step, step);
    assert!(kept.params.iter().all(|x| x.is_finite()));
    let mut short = trainer.alone(&bad);
    advance(&mut short, u32::try_from(step).unwrap());
    assert_eq!(snapshot(&mut short, 0).params, kept.params, "those of the last good step");

    // It stays stopped, and the other goes on as if alone.
    let told = advance(&mut ours, 4);
    assert_eq!((told[0].step, told[0].last, told[1].step), (step, None, 10));
    assert!(told[0].stopped.is_some());
    assert_eq!(snapshot(&mut ours, 0), kept);
    let mut single = trainer.alone(&good);
    advance(&mut single, 10);
    assert_eq!(snapshot(&mut single, 0), snapshot(&mut ours, 1));

    // Back at a good place with a good rate it is trained again.
    let fresh = snapshot(&mut trainer.alone(&good), 0);
    ours.restore(0, &fresh).unwrap();
    let told = advance(&mut ours, 10);
    assert_eq!((told[0].step, &told[0].stopped), (10, &None));
    assert_eq!(snapshot(&mut single, 0), snapshot(&mut ours, 0));
}

fn a_run_goes_on_from_its_snapshot_bit_for_bit(form: Form) {
    let Some(trainer) = Trainer::new(form) else { return };
    let config = Config { width: 16, heads: 2, context: 16, tied: true, ..Config::default() };
    let run = setup(config, 3);
    let mut first = trainer.alone(&run);
    advance(&mut first, 9);
    let saved = snapshot(&mut first, 0);
    let bytes = saved.to_bytes().unwrap();
    let mut second = trainer.training(&[RunSetup { run: 4, ..run.clone() }, run.clone()]);
    advance(&mut second, 2);
    second.restore(1, &Snapshot::from_bytes(&bytes).unwrap()).unwrap();
    assert_eq!(snapshot(&mut second, 1), saved);
    advance(&mut first, 8);
    let told = advance(&mut second, 8);
    assert_eq!((told[0].step, told[1].step), (10, 17));
    assert_eq!(snapshot(&mut first, 0), snapshot(&mut second, 1));

    // Another rate from the next step on, as on the CPU.
    let optimiser = Optimiser { rate: 1e-2, ..run.optimiser };
    let mut cpu = CpuTraining::new(vec![run.clone()]).unwrap();
    cpu.restore(0, &snapshot(&mut first, 0)).unwrap();
    for training in [&mut first as &mut dyn Training, &mut cpu] {
        training.change(0, optimiser).unwrap();
    }
    assert!(losses_differ(&mut first, &mut cpu, 10) < 1e-3);
    assert_eq!(first.runs()[0].optimiser, optimiser);

    // Without moments they begin again.
    let bare = Snapshot { moments: None, ..saved.clone() };
    first.restore(0, &bare).unwrap();
    let begun = snapshot(&mut first, 0);
    assert!(begun.step == 0 && begun.moments.unwrap().iter().flatten().all(|m| *m == 0.0));

    let other = Snapshot { config: Config { width: 8, ..config }, ..saved.clone() };
    assert!(matches!(first.restore(0, &other), Err(NnError::Checkpoint(_))));
    let mut odd = saved.clone();
    odd.params[3] = f32::NAN;
    assert!(matches!(first.restore(0, &odd), Err(NnError::Checkpoint(_))));
    assert!(matches!(first.restore(1, &saved), Err(NnError::Data(_))));
    let still = Optimiser { rate: 0.0, ..optimiser };
    assert!(matches!(first.change(0, still), Err(NnError::Parameter { .. })));
}

/// Says stop at its n-th question.
struct Impatient(Cell<u32>);

impl Pace for Impatient {
    fn tick(&self, _done: u64, _total: u64) -> LocalBoxFuture<'_, Result<(), Cancelled>> {
        let left = self.0.get();
        self.0.set(left.saturating_sub(1));
        Box::pin(std::future::ready(if left == 0 { Err(Cancelled) } else { Ok(()) }))
    }
}

fn a_call_ends_between_two_steps(form: Form) {
    let Some(trainer) = Trainer::new(form) else { return };
    let config = Config { width: 16, context: 16, ..Config::default() };
    let runs = [setup(config, 2), setup(Config { layers: 2, ..config }, 2)];
    let mut ours = trainer.training(&runs);
    for patience in [0, 1, 2] {
        let told = block_on(ours.advance(2000, &Impatient(Cell::new(patience))));
        assert_eq!(told, Err(NnError::Cancelled(Cancelled)));
    }
    let told = advance(&mut ours, 1);
    let step = told[0].step;
    assert!(step > 1 && step < 2000 && told[1].step == step, "{told:?}");
    let mut through = trainer.training(&runs);
    advance(&mut through, u32::try_from(step).unwrap());
    for run in 0..2 {
        assert_eq!(snapshot(&mut through, run), snapshot(&mut ours, run));
    }
    let text = text(10, 5000, 1);
    let told = block_on(ours.surprisal(0, &text, &Impatient(Cell::new(0))));
    assert_eq!(told, Err(NnError::Cancelled(Cancelled)));
}

fn surprisals_are_the_reference_s(form: Form) {
    let Some(trainer) = Trainer::new(form) else { return };
    let config = Config { width: 16, heads: 2, context: 20, vocabulary: 12, ..Config::default() };
    let runs = [setup(config, 3), RunSetup { seed: 6, ..setup(config, 3) }];
    let mut ours = trainer.training(&runs);
    advance(&mut ours, 5);
    let mut cpu = CpuTraining::new(runs.to_vec()).unwrap();
    for run in 0..2 {
        cpu.restore(run, &snapshot(&mut ours, run)).unwrap();
    }
    for len in [2, 20, 21, 22, 61, 62, 1000] {
        let text = text(12, len, 8);
        for run in [1, 0] {
            let got = block_on(ours.surprisal(run, &text, &Unhurried)).unwrap();
            let expected = block_on(cpu.surprisal(run, &text, &Unhurried)).unwrap();
            assert_eq!(got.len(), len - 1);
            for (i, (got, expected)) in got.iter().zip(&expected).enumerate() {
                // Both are f32 sums over some tens of terms.
                assert!((got - expected).abs() < 1e-5 * (1.0 + expected), "{i} of {len}: {got} {expected}");
            }
        }
    }
    // An evaluation leaves no trace in training.
    advance(&mut ours, 5);
    let mut through = trainer.training(&runs);
    advance(&mut through, 10);
    assert_eq!(snapshot(&mut ours, 0), snapshot(&mut through, 0));
    assert!(matches!(block_on(ours.surprisal(0, &[1], &Unhurried)), Err(NnError::Data(_))));
    assert!(matches!(block_on(ours.surprisal(0, &[1, 12], &Unhurried)), Err(NnError::Data(_))));
    assert!(matches!(block_on(ours.surprisal(2, &[1, 2], &Unhurried)), Err(NnError::Data(_))));
}

fn what_cannot_be_trained_is_said(form: Form) {
    let Some((gpu, _guard)) = gpu_with(Options { binding_limit: Some(1 << 20), ..Options::default() }) else { return };
    let config = Config { width: 64, context: 256, vocabulary: 1000, ..Config::default() };
    match GpuTraining::in_form(&gpu, vec![setup(config, 1)], form) {
        Err(NnError::Backend { backend, message }) => {
            assert!(backend.starts_with("GPU (") && message.contains("1048576"), "{backend}: {message}");
        }
        other => panic!("{other:?}"),
    }
    let small = setup(Config { width: 8, ..Config::default() }, 1);
    let foreign = RunSetup { tokens: Arc::from(vec![10; 200]), ..small.clone() };
    assert!(matches!(GpuTraining::in_form(&gpu, vec![foreign], form), Err(NnError::Data(_))));
    let none = RunSetup { batch: 0, ..small };
    assert!(matches!(GpuTraining::in_form(&gpu, vec![none], form), Err(NnError::Parameter { .. })));
}

#[test]
fn training_says_where_it_runs_and_that_a_device_was_lost() {
    let Some((gpu, _guard)) = gpu() else { return };
    let run = setup(Config { width: 8, context: 8, ..Config::default() }, 1);
    let made = block_on(GpuTraining::new(&gpu, vec![run.clone()])).unwrap();
    let found = block_on(gpu.calibration()).unwrap();
    println!("{found:?}, ratio {:.2}", found.ratio());
    assert_eq!(made.form(), found.form());
    // In software every barrier leaves and comes back to all invocations.
    assert_eq!(found.form(), if gpu.info().software { Form::Plain } else { Form::Workgroup });
    let adapter = made.ran().adapter.unwrap();
    assert!(adapter.starts_with(&gpu.info().name) && adapter.ends_with("barriers") == (found.form() == Form::Plain));
    let mut ours: Box<dyn Training> = Box::new(made);
    assert_eq!(ours.ran().backend, Backend::Gpu);
    assert_eq!(block_on(gpu.training(vec![run.clone()])).unwrap().ran().backend, Backend::Gpu);
    let auto = Auto::new(Some(gpu.clone()));
    assert_eq!(block_on(auto.training(vec![run])).unwrap().ran().backend, Backend::Cpu);
    advance(&mut *ours, 2);
    gpu.destroy();
    match block_on(ours.advance(1, &Unhurried)) {
        Err(NnError::Backend { backend, message }) => {
            assert!(backend.starts_with("GPU (") && message.contains("lost"), "{backend}: {message}");
        }
        other => panic!("{other:?}"),
    }
    assert!(block_on(ours.snapshot(0)).is_err() && gpu.is_lost());
}
