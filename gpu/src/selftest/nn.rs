//! The training of transformers on the GPU against the CPU reference.

use surprisal_core::{
    nn::{Config, Gpt, NnError, Optimiser, Positions, RunSetup, Snapshot, Space, Training, window},
    pace::Unhurried,
    rng::Philox,
};

use crate::{Form, Gpu, GpuTraining};

/// Networks that differ in every part, and the sequences of their batches.
#[must_use]
pub fn cases() -> Vec<(Config, u32)> {
    let plain = Config { vocabulary: 10, context: 16, width: 16, ..Config::default() };
    let rope = Config { positions: Positions::Rope, ..plain };
    let biased = Config { norm_bias: true, linear_bias: true, ..plain };
    vec![
        (plain, 1),
        (plain, 3),
        (Config { vocabulary: 2, width: 8, heads: 2, ..plain }, 3),
        (Config { vocabulary: 3, width: 24, heads: 4, layers: 2, ..plain }, 3),
        (Config { vocabulary: 33, heads: 4, context: 17, ..plain }, 3),
        (Config { vocabulary: 257, heads: 2, context: 64, ..plain }, 1),
        (Config { tied: true, ..plain }, 3),
        (Config { tied: true, vocabulary: 33, head_bias: false, layers: 2, heads: 2, ..plain }, 3),
        (Config { tied: true, vocabulary: 257, width: 24, context: 17, ..biased }, 1),
        (Config { layers: 2, heads: 4, ..biased }, 3),
        (Config { norm_bias: true, head_bias: false, width: 8, ..plain }, 1),
        (Config { linear_bias: true, expansion: 1, width: 24, ..plain }, 3),
        (rope, 1),
        (Config { heads: 2, layers: 2, context: 64, ..rope }, 3),
        (Config { heads: 4, width: 24, context: 17, window: Some(5), tied: true, ..rope }, 3),
        (Config { window: Some(1), ..plain }, 3),
        (Config { window: Some(7), context: 64, heads: 2, layers: 2, ..plain }, 1),
        // Several blocks of keys; one that begins inside a window.
        (Config { context: 150, heads: 2, ..plain }, 2),
        (Config { context: 200, window: Some(90), ..rope }, 1),
        // Wide heads, odd widths, one token.
        (Config { width: 72, context: 70, ..rope }, 2),
        (Config { width: 256, context: 20, expansion: 2, ..rope }, 1),
        (Config { width: 132, heads: 2, context: 20, vocabulary: 300, layers: 3, ..biased }, 1),
        (Config { width: 15, heads: 5, expansion: 3, vocabulary: 7, ..biased }, 3),
        (Config { width: 2, context: 1, ..plain }, 3),
        (Config { heads: 8, context: 1, vocabulary: 257, ..plain }, 5),
    ]
}

/// Whether a network is one of the few that have every part between them, for a self-test that has to be short.
#[must_use]
pub fn is_telling(config: &Config) -> bool {
    let rope = config.positions == Positions::Rope && config.tied && config.window.is_some();
    rope || (config.linear_bias && config.norm_bias && config.layers == 2)
}

/// Tokens with something to learn: each is mostly the one before and 1, modulo the vocabulary.
#[must_use]
pub fn text(vocabulary: usize, len: usize, seed: u64) -> Vec<u32> {
    let vocabulary = u32::try_from(vocabulary).unwrap_or(u32::MAX);
    let mut random = Philox::new(seed, 3);
    let mut token = 0;
    let step = |_| {
        token = if random.below(4) == 0 { random.below(vocabulary) } else { (token + 1) % vocabulary };
        token
    };
    (0..len).map(step).collect()
}

/// A run on such a text.
#[must_use]
pub fn setup(config: Config, batch: u32) -> RunSetup {
    let tokens = text(config.vocabulary, 3 * config.context + 200, 9);
    RunSetup { config, optimiser: Optimiser::default(), batch, tokens: tokens.into(), seed: 5, run: 1 }
}

/// Parameters far from the beginning, where biases are 0, gains 1 and attention is even.
fn elsewhere(config: Config) -> Result<Snapshot, NnError> {
    let mut random = Philox::new(77, 1);
    let mut params: Vec<f32> = Gpt::new(config)?.layout().initial(3, 0);
    #[expect(clippy::cast_possible_truncation, reason = "parameters are f32")]
    params.iter_mut().for_each(|x| *x += (0.15 * random.normal()) as f32);
    Ok(Snapshot { config, optimiser: Optimiser::default(), step: 0, params, moments: None })
}

/// Loss and gradient of the first step of a new run on the GPU, with kernels of this form.
///
/// # Errors
/// What differed.
pub async fn first_step(gpu: &Gpu, setup: &RunSetup, form: Form) -> Result<(), String> {
    let mut training = GpuTraining::in_form(gpu, vec![setup.clone()], form).map_err(|error| error.to_string())?;
    step_from_elsewhere(&mut training, 0).await
}

/// Loss and gradient of a step of a run of `training`, which is put elsewhere before, against the reference in f64.
///
/// # Errors
/// What differed.
pub async fn step_from_elsewhere(training: &mut GpuTraining, run: usize) -> Result<(), String> {
    let said = |error: NnError| error.to_string();
    let setup = training.runs()[run].clone();
    let config = setup.config;
    let start = elsewhere(config).map_err(said)?;
    training.restore(run, &start).map_err(said)?;
    let told = training.advance(1, &Unhurried).await.map_err(said)?;
    let got = training.last_gradient(run).await.map_err(said)?;

    let gpt = Gpt::new(config).map_err(said)?;
    let (mut inputs, mut targets) = (Vec::new(), Vec::new());
    let places = u32::try_from(setup.tokens.len() - config.context).unwrap_or(u32::MAX);
    for row in 0..setup.batch {
        let first = window(setup.seed, setup.run, 0, row, places) as usize;
        inputs.extend(&setup.tokens[first..first + config.context]);
        targets.extend(&setup.tokens[first + 1..=first + config.context]);
    }
    let params: Vec<f64> = start.params.iter().map(|x| f64::from(*x)).collect();
    let mut expected = vec![0.0; params.len()];
    let mut space = Space::default();
    let loss = gpt.gradient(&params, &inputs, &targets, config.context, &mut expected, &mut space).map_err(said)?;

    // Losses of some nats are sums of exponentials and a logarithm, each to some ulp (6e-8), of logits that are sums of up
    // to 1024 terms in f32.
    let last = told[run].last.ok_or("no step was made")?;
    if (last.loss - loss).abs() > 1e-5 * loss {
        return Err(format!("loss {} instead of {loss}", last.loss));
    }
    let norm = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>().sqrt();
    let all = norm(&expected);
    if (last.norm - all).abs() > 1e-4 * all {
        return Err(format!("norm {} instead of {all}", last.norm));
    }
    for tensor in gpt.layout().tensors() {
        let expected = tensor.view.of(&expected);
        let pairs = tensor.view.of(&got).iter().zip(expected);
        let wrong = norm(&pairs.map(|(got, expected)| f64::from(*got) - expected).collect::<Vec<_>>());
        // A sum of some hundred rows in f32 is right to some 1e-6 of the rows' norm; through four layers, softmax and norms
        // that becomes some 1e-5. A tensor whose gradient nearly cancels is held to the whole gradient instead.
        if wrong.is_nan() || wrong > 1e-4 * norm(expected) + 1e-7 * all {
            return Err(format!("{}: off by {wrong:e}, of a norm of {:e}", tensor.name, norm(expected)));
        }
    }
    Ok(())
}
