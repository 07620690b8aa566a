//! The neural library: every gradient against central differences, a training problem against other frameworks, the same
//! bits twice, checkpoints, and what it refuses.
#![allow(clippy::unwrap_used, reason = "a test that cannot do its work has failed")]

use std::sync::Arc;

use pollster::block_on;
use surprisal_core::{
    compute::{Compute, Cpu},
    nn::{
        Attention, AttentionSpace, Checkpoint, Config, Embedding, Float, Gelu, Gpt, Layout, Linear, Mlp, MlpSpace,
        NnError, Norm, Optimiser, Packing, Positions, RunSetup, Space, Trainer, cross_entropy, cross_entropy_gradient,
    },
    pace::Unhurried,
    rng::Philox,
};

#[path = "nn/spec.rs"]
mod spec;

/// The step of the differences and the error that is allowed, relative to the norm of the gradient.
trait Checked: Float {
    const STEP: f64;
    const TOLERANCE: f64;
}

impl Checked for f64 {
    // h² f‴/6 and u/h are both below 1e-9 of the gradient.
    const STEP: f64 = 1e-5;
    const TOLERANCE: f64 = 1e-6;
}

impl Checked for f32 {
    // h² f‴/6 is below 1e-3 of the gradient, and u/h about 1e-5.
    const STEP: f64 = 1e-2;
    const TOLERANCE: f64 = 1e-2;
}

/// Normal numbers of deviation `size`.
fn random<T: Float>(rng: &mut Philox, len: usize, size: f64) -> Vec<T> {
    (0..len).map(|_| T::of(size * rng.normal())).collect()
}

/// Σ w y: a loss whose gradient by y is w.
fn weigh<T: Float>(y: &[T], w: &[T]) -> f64 {
    y.iter().zip(w).map(|(y, w)| y.wide() * w.wide()).sum()
}

/// Compares `gradient` with central differences of `loss` at `at`.
fn agrees<T: Checked>(what: &str, at: &[T], gradient: &[T], loss: &mut dyn FnMut(&[T]) -> f64) {
    let mut x = at.to_vec();
    let (mut error, mut size) = (0.0, 0.0);
    for i in 0..x.len() {
        let h = T::STEP;
        x[i] = T::of(at[i].wide() + h);
        let (up, above) = (loss(&x), x[i].wide());
        x[i] = T::of(at[i].wide() - h);
        let (down, below) = (loss(&x), x[i].wide());
        x[i] = at[i];
        let slope = (up - down) / (above - below);
        error += (slope - gradient[i].wide()).powi(2);
        size += slope.powi(2);
    }
    assert!(size > 0.0, "{what}: the gradient is 0");
    let relative = (error / size).sqrt();
    assert!(relative < T::TOLERANCE, "{what}: {relative:e}");
}

fn linear<T: Checked>() {
    let rng = &mut Philox::new(1, 0);
    let packing = &mut Packing::default();
    for transposed in [false, true] {
        let mut layout = Layout::default();
        let mut layer = Linear::new(&mut layout, "w", [5, 7], 0.5, true);
        layer.transposed = transposed;
        let params: Vec<T> = random(rng, layout.len(), 0.5);
        let (x, w): (Vec<T>, Vec<T>) = (random(rng, 4 * 5, 1.0), random(rng, 4 * 7, 1.0));
        let (mut gradient, mut dx) = (vec![T::ZERO; layout.len()], vec![T::ZERO; x.len()]);
        layer.backward(&params, &x, &w, &mut gradient, Some(&mut dx), packing);
        let mut y = vec![T::ZERO; 4 * 7];
        let mut loss = |params: &[T], x: &[T]| {
            layer.forward(params, x, &mut y, false, packing);
            weigh(&y, &w)
        };
        agrees("linear by parameters", &params, &gradient, &mut |p| loss(p, &x));
        agrees("linear by input", &x, &dx, &mut |x| loss(&params, x));
    }
}

fn embedding<T: Checked>() {
    let rng = &mut Philox::new(2, 0);
    let mut layout = Layout::default();
    let table = Embedding::new(&mut layout, "t", [4, 3], 1.0);
    let places = Embedding::new(&mut layout, "p", [5, 3], 1.0);
    let params: Vec<T> = random(rng, layout.len(), 1.0);
    let ids = [2, 0, 2, 2, 1, 3];
    let w: Vec<T> = random(rng, ids.len() * 3, 1.0);
    let mut gradient = vec![T::ZERO; params.len()];
    table.backward(&ids, &w, &mut gradient);
    places.backward_places(3, &w, &mut gradient);
    let mut y = vec![T::ZERO; w.len()];
    agrees("embedding", &params, &gradient, &mut |p| {
        table.forward(p, &ids, &mut y);
        places.forward_places(p, 3, &mut y);
        weigh(&y, &w)
    });
}

fn norm<T: Checked>() {
    let rng = &mut Philox::new(3, 0);
    for width in [5, 16, 37] {
        let mut layout = Layout::default();
        layout.add("something before", &[3], surprisal_core::nn::Init::Zeros);
        let norm = Norm::new(&mut layout, "n", width, true);
        let params: Vec<T> = random(rng, layout.len(), 1.0);
        let (x, w): (Vec<T>, Vec<T>) = (random(rng, 3 * width, 2.0), random(rng, 3 * width, 1.0));
        let (mut y, mut stats) = (vec![T::ZERO; x.len()], vec![[T::ZERO; 2]; 3]);
        norm.forward(&params, &x, &mut y, &mut stats);
        let (mut gradient, mut dx) = (vec![T::ZERO; params.len()], vec![T::ONE; x.len()]);
        norm.backward(&params, &x, &stats, &w, &mut gradient, &mut dx, true);
        dx.iter_mut().for_each(|d| *d -= T::ONE);
        let mut loss = |params: &[T], x: &[T]| {
            norm.forward(params, x, &mut y, &mut stats);
            weigh(&y, &w)
        };
        agrees("norm by parameters", &params, &gradient, &mut |p| loss(p, &x));
        agrees("norm by input", &x, &dx, &mut |x| loss(&params, x));
    }
}

fn gelu<T: Checked>() {
    let rng = &mut Philox::new(4, 0);
    let (x, w): (Vec<T>, Vec<T>) = (random(rng, 50, 2.0), random(rng, 50, 1.0));
    let mut dx = w.clone();
    Gelu::backward(&x, &mut dx);
    let mut y = vec![T::ZERO; 50];
    agrees("gelu", &x, &dx, &mut |x| {
        Gelu::forward(x, &mut y);
        weigh(&y, &w)
    });
}

fn classifier<T: Checked>() {
    let rng = &mut Philox::new(5, 0);
    let targets = [3, 0, 18, 7];
    let logits: Vec<T> = random(rng, 4 * 19, 2.0);
    let mut losses = [0.0; 4];
    let mut gradient = logits.clone();
    cross_entropy_gradient(&mut gradient, 19, &targets, &mut losses, T::of(0.25));
    agrees("cross-entropy", &logits, &gradient, &mut |x| {
        0.25 * cross_entropy(&mut x.to_vec(), 19, &targets, &mut losses)
    });
}

fn attention<T: Checked>() {
    let rng = &mut Philox::new(6, 0);
    for (heads, width, length, window) in [(1, 4, 5, None), (2, 6, 40, None), (2, 6, 70, Some(3)), (1, 2, 33, Some(33))]
    {
        let attention = Attention { heads, width, window };
        let mut space = AttentionSpace::default();
        let packing = &mut Packing::default();
        let qkv: Vec<T> = random(rng, 2 * length * 3 * width, 1.0);
        let w: Vec<T> = random(rng, 2 * length * width, 1.0);
        let (mut out, mut lse) = (vec![T::ZERO; w.len()], vec![T::ZERO; 2 * length * heads]);
        attention.forward(&qkv, length, &mut out, &mut lse, &mut space, packing);
        let mut gradient = vec![T::ONE; qkv.len()];
        attention.backward(&qkv, length, &out, &lse, &w, &mut gradient, &mut space, packing);
        agrees("attention", &qkv, &gradient, &mut |x| {
            attention.forward(x, length, &mut out, &mut lse, &mut space, packing);
            weigh(&out, &w)
        });
    }
}

fn mlp<T: Checked>() {
    let rng = &mut Philox::new(7, 0);
    for widths in [&[3, 8, 5, 2][..], &[4, 3]] {
        let mut layout = Layout::default();
        let names: Vec<String> = (0..widths.len()).map(|i| format!("{i}")).collect();
        let mlp = Mlp::new(&mut layout, &names, widths, &[0.5; 3], true);
        let mut space = MlpSpace::default();
        let packing = &mut Packing::default();
        let params: Vec<T> = random(rng, layout.len(), 0.5);
        let (inputs, outputs) = (widths[0], widths[widths.len() - 1]);
        let (x, w): (Vec<T>, Vec<T>) = (random(rng, 6 * inputs, 1.0), random(rng, 6 * outputs, 1.0));
        let mut y = vec![T::ZERO; w.len()];
        mlp.forward(&params, &x, &mut y, false, &mut space, packing);
        let (mut gradient, mut dx) = (vec![T::ZERO; params.len()], vec![T::ZERO; x.len()]);
        mlp.backward(&params, &x, &w, &mut gradient, Some(&mut dx), &mut space, packing);
        let mut loss = |params: &[T], x: &[T]| {
            mlp.forward(params, x, &mut y, false, &mut space, packing);
            weigh(&y, &w)
        };
        agrees("mlp by parameters", &params, &gradient, &mut |p| loss(p, &x));
        agrees("mlp by input", &x, &dx, &mut |x| loss(&params, x));
    }
}

/// Small transformers that between them have every option.
fn kinds() -> Vec<Config> {
    let plain = Config { vocabulary: 5, context: 7, width: 4, expansion: 2, ..Config::default() };
    vec![
        plain,
        Config { tied: true, window: Some(3), ..plain },
        Config { layers: 2, heads: 2, norm_bias: true, linear_bias: true, head_bias: false, ..plain },
        Config { positions: Positions::Rope, heads: 2, layers: 2, ..plain },
    ]
}

fn transformer<T: Checked>() {
    let rng = &mut Philox::new(8, 0);
    for config in kinds() {
        let gpt = Gpt::new(config).expect("it fits");
        let mut space = Space::default();
        // Larger than at the beginning, so that every layer matters.
        let params: Vec<T> = random(rng, gpt.layout().len(), 0.5);
        let mut token = |n: usize| (0..n).map(|_| rng.below(5)).collect::<Vec<_>>();
        // Three sequences of full length.
        let (inputs, targets) = (token(21), token(21));
        let mut gradient = vec![T::ZERO; params.len()];
        let told = gpt.gradient(&params, &inputs, &targets, 7, &mut gradient, &mut space).expect("it fits");
        let mut loss = |p: &[T]| {
            let losses = gpt.surprisal(p, &inputs, &targets, 7, &mut space).expect("it fits");
            let mut rest = vec![T::ZERO; p.len()];
            let mean = gpt.gradient(p, &inputs, &targets, 7, &mut rest, &mut space).expect("it fits");
            let other = losses.iter().map(|x| f64::from(*x)).sum::<f64>() / 21.0;
            assert!((mean - other).abs() < 1e-5 * mean, "{mean} {other}");
            mean
        };
        assert!((loss(&params) - told).abs() < 1e-12);
        agrees(&format!("{config:?}"), &params, &gradient, &mut loss);
    }
}

#[test]
fn gradients_are_central_differences_in_f64() {
    linear::<f64>();
    embedding::<f64>();
    norm::<f64>();
    gelu::<f64>();
    classifier::<f64>();
    attention::<f64>();
    mlp::<f64>();
    transformer::<f64>();
}

#[test]
fn gradients_are_central_differences_in_f32() {
    linear::<f32>();
    embedding::<f32>();
    norm::<f32>();
    gelu::<f32>();
    classifier::<f32>();
    attention::<f32>();
    mlp::<f32>();
    transformer::<f32>();
}

/// The first losses of a hand-written JavaScript program, with which TensorFlow.js and jax-js agree to about 1e-5.
#[test]
fn training_goes_as_in_other_frameworks() {
    let large = [
        3.475_900_589,
        3.193_612_049,
        3.026_084_044,
        2.872_318_149,
        2.735_423_749,
        2.670_218_996,
        2.536_867_916,
        2.450_276_691,
        2.343_622_594,
        2.280_161_954,
    ];
    let small = [
        3.468_491_953,
        3.368_434_286,
        3.327_242_950,
        3.305_932_848,
        3.196_086_425,
        3.125_706_761,
        3.140_483_105,
        3.040_966_765,
        2.968_641_849,
        2.861_176_690,
    ];
    for (size, parameters, expected) in [(spec::LARGE, 57_728, large), (spec::SMALL, 15_552, small)] {
        let mut trainer = spec::trainer(size);
        assert_eq!(trainer.params().len(), parameters);
        let batches = spec::batches(size);
        for (i, expected) in expected.iter().enumerate() {
            let [x, y] = &batches[i % batches.len()];
            let loss = trainer.step(x, y).unwrap().loss;
            assert!((loss / expected - 1.0).abs() < 2e-5, "step {i}: {loss}, expected {expected}");
        }
    }
}

fn runs() -> Vec<RunSetup> {
    let tokens: Arc<[u32]> = {
        let mut rng = Philox::new(1, 9);
        (0..5000).map(|_| rng.below(3)).collect()
    };
    let optimiser = Optimiser { clip: Some(1.0), ..Optimiser::default() };
    let config = Config { vocabulary: 3, context: 16, width: 8, ..Config::default() };
    let run = |run| RunSetup { config, optimiser, batch: 4, tokens: tokens.clone(), seed: 5, run };
    vec![run(0), run(1)]
}

#[test]
fn a_hundred_steps_give_the_same_bits_however_they_are_cut_and_resumed() {
    let advance = |cuts: &[u32]| {
        let mut training = block_on(Cpu.training(runs())).unwrap();
        for steps in cuts {
            block_on(training.advance(*steps, &Unhurried)).unwrap();
        }
        [0, 1].map(|run| block_on(training.snapshot(run)).unwrap())
    };
    let whole = advance(&[100]);
    assert_eq!(whole, advance(&[1, 9, 40, 50]));
    assert_ne!(whole[0].params, whole[1].params);
    // By way of a file, in the middle.
    let half = advance(&[50]);
    let mut training = block_on(Cpu.training(runs())).unwrap();
    for (run, half) in half.iter().enumerate() {
        let bytes = half.to_bytes().unwrap();
        training.restore(run, &Checkpoint::from_bytes(&bytes).unwrap()).unwrap();
    }
    let advanced = block_on(training.advance(50, &Unhurried)).unwrap();
    assert_eq!(advanced[1].step, 100);
    let resumed = [0, 1].map(|run| block_on(training.snapshot(run)).unwrap());
    assert_eq!(whole, resumed);
    // What it says of a text does not depend on how it is read either.
    let tokens: Vec<u32> = runs()[0].tokens[..4500].to_vec();
    let parts = block_on(training.surprisal(0, &tokens, &Unhurried)).unwrap();
    let mut trainer = Trainer::<f32>::new(Gpt::new(whole[0].config).unwrap(), whole[0].optimiser, 1).unwrap();
    trainer.restore(&whole[0]).unwrap();
    assert_eq!(parts, trainer.surprisal(&tokens).unwrap());
    // Three symbols without any memory cost ln 3.
    let mean = parts.iter().map(|x| f64::from(*x)).sum::<f64>() / 4499.0;
    assert!((mean - 3_f64.ln()).abs() < 0.02, "{mean}");
}

#[test]
fn precisions_agree_over_a_hundred_steps() {
    let setup = &runs()[0];
    let gpt = Gpt::new(setup.config).unwrap();
    let mut wide = Trainer::<f64>::new(gpt.clone(), setup.optimiser, 3).unwrap();
    let mut narrow = Trainer::<f32>::new(gpt, setup.optimiser, 3).unwrap();
    for step in 0..100 {
        let start = 40 * step;
        let (x, y) = (&setup.tokens[start..start + 64], &setup.tokens[start + 1..start + 65]);
        let (a, b) = (wide.step(x, y).unwrap(), narrow.step(x, y).unwrap());
        assert!((a.loss / b.loss - 1.0).abs() < 1e-4, "step {step}: {a:?} {b:?}");
    }
}

#[test]
fn a_run_that_diverges_stops_with_its_last_good_parameters() {
    let mut list = runs();
    list[0].optimiser = Optimiser { rate: 1e30, warm_up: 0, ..list[0].optimiser };
    let mut training = block_on(Cpu.training(list)).unwrap();
    let advanced = block_on(training.advance(20, &Unhurried)).unwrap();
    let Some(NnError::Diverged { step, .. }) = advanced[0].stopped else { panic!("{advanced:?}") };
    assert_eq!((advanced[0].step, advanced[1].step), (step, 20));
    let message = advanced[0].stopped.as_ref().unwrap().to_string();
    assert!(message.contains("diverged at step") && message.contains("smaller"), "{message}");
    assert!(block_on(training.snapshot(0)).unwrap().params.iter().all(|x| x.is_finite()));
    // It goes on with a rate that makes sense, from where it was.
    training.change(0, Optimiser { clip: Some(1.0), ..Optimiser::default() }).unwrap();
    assert_eq!(training.runs()[0].optimiser.clip, Some(1.0));
}

#[test]
fn outputs_are_what_they_say() {
    let config = Config { window: Some(4), heads: 2, layers: 2, ..kinds()[2] };
    let gpt = Gpt::new(config).unwrap();
    let params: Vec<f64> = random(&mut Philox::new(9, 0), gpt.layout().len(), 0.5);
    let mut space = Space::default();
    let tokens = [0, 4, 2, 2, 1, 3];
    let laws = gpt.predict(&params, &tokens, &mut space).unwrap();
    let losses = gpt.surprisal(&params, &tokens[..5], &tokens[1..], 5, &mut space).unwrap();
    for (i, loss) in losses.iter().enumerate() {
        let p = laws[i * 5 + tokens[i + 1] as usize];
        assert!((f64::from(*loss) + p.ln()).abs() < 1e-5);
        assert!((laws[i * 5..][..5].iter().sum::<f64>() - 1.0).abs() < 1e-12);
    }
    let maps = gpt.attention(&params, &tokens, 1, &mut space).unwrap();
    assert_eq!((maps.weights.len(), maps.entropies.len()), (2 * 36, 2 * 6));
    for (row, (weights, entropy)) in maps.weights.chunks_exact(6).zip(&maps.entropies).enumerate() {
        let query = row % 6;
        let seen = (query + 1).saturating_sub(4)..=query;
        assert!(weights.iter().enumerate().all(|(key, w)| seen.contains(&key) == (*w > 0.0)));
        assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!((0.0..=4_f64.ln() + 1e-12).contains(entropy));
    }
    // Changing a token changes nothing before it.
    let other = gpt.predict(&params, &[0, 4, 2, 2, 1, 0], &mut space).unwrap();
    assert_eq!(laws[..25], other[..25]);
    assert_ne!(laws[25..], other[25..]);
}

#[test]
fn checkpoints_read_back_and_say_what_is_wrong_with_them() {
    for config in kinds() {
        let trainer = Trainer::<f32>::new(Gpt::new(config).unwrap(), Optimiser::default(), 4).unwrap();
        let mut checkpoint = trainer.checkpoint();
        let bytes = checkpoint.to_bytes().unwrap();
        assert_eq!(Checkpoint::from_bytes(&bytes).unwrap(), checkpoint);
        checkpoint.moments = None;
        assert_eq!(Checkpoint::from_bytes(&checkpoint.to_bytes().unwrap()).unwrap(), checkpoint);
        for end in [0, 7, 100, bytes.len() - 1] {
            assert!(matches!(Checkpoint::from_bytes(&bytes[..end]), Err(NnError::Checkpoint(_))));
        }
        checkpoint.params[3] = f32::NAN;
        assert!(checkpoint.to_bytes().unwrap_err().to_string().contains("number 3 is NaN"));
    }
}

#[test]
fn nonsense_is_refused_in_words() {
    let fails = |config: Config| Gpt::new(config).unwrap_err().to_string();
    let plain = Config::default();
    assert!(fails(Config { heads: 3, ..plain }).contains("divides the width, 16"));
    assert!(fails(Config { context: 0, ..plain }).contains("1 to 1024"));
    assert!(fails(Config { width: 1000, ..plain }).contains("2 to 256"));
    assert!(fails(Config { window: Some(0), ..plain }).contains("at least 1 token"));
    assert!(fails(Config { vocabulary: 1, ..plain }).contains("2 to 65536"));
    assert!(fails(Config { width: 6, heads: 2, positions: Positions::Rope, ..plain }).contains("even width"));
    let mut list = runs();
    list[1].tokens = list[1].tokens[..16].into();
    let message = block_on(Cpu.training(list)).err().unwrap().to_string();
    assert!(message.contains("16 tokens") && message.contains("takes 17"), "{message}");
    let gpt = Gpt::new(kinds()[0]).unwrap();
    let params = gpt.layout().initial::<f64>(1, 0);
    let surprisal = |inputs: &[u32], targets: &[u32], length| {
        gpt.surprisal(&params, inputs, targets, length, &mut Space::default()).unwrap_err().to_string()
    };
    assert!(surprisal(&[0, 5], &[1, 1], 2).contains("token 5"));
    assert!(surprisal(&[0, 1], &[1], 2).contains("1 targets for 2"));
    assert!(surprisal(&[0, 1, 0], &[1, 1, 1], 2).contains("no whole sequences"));
    assert!(surprisal(&[0; 8], &[0; 8], 8).contains("the context is 7"));
    assert!(Optimiser { rate: f64::NAN, ..Optimiser::default() }.check().is_err());
    assert!(Optimiser { beta2: 1.0, ..Optimiser::default() }.check().unwrap_err().to_string().contains("below 1"));
}
