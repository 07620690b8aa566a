//! One training problem that other frameworks have run too: initial weights, data and optimiser of the project's browser
//! bench, made from 32-bit integers and exact binary fractions, so that they are the same bits in every language.

use surprisal_core::nn::{Config, Gpt, Optimiser, Trainer};

/// mulberry32.
pub(crate) struct Mulberry(u32);

impl Mulberry {
    pub(crate) fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_add(0x6d2b_79f5);
        let a = self.0;
        let mut t = (a ^ (a >> 15)).wrapping_mul(a | 1);
        t ^= t.wrapping_add((t ^ (t >> 7)).wrapping_mul(t | 61));
        t ^ (t >> 14)
    }
}

/// One size of the problem.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) width: usize,
    pub(crate) heads: usize,
    pub(crate) context: usize,
    pub(crate) batch: usize,
}

/// 57,728 parameters, 0.365 GFLOP a step.
pub(crate) const LARGE: Size = Size { width: 64, heads: 4, context: 64, batch: 16 };
/// 15,552 parameters, 0.0118 GFLOP a step.
pub(crate) const SMALL: Size = Size { width: 32, heads: 2, context: 32, batch: 4 };

/// Symbols of the source.
pub(crate) const VOCABULARY: usize = 32;
/// Distinct batches, cycled.
const BATCHES: usize = 8;

pub(crate) fn config(size: Size) -> Config {
    Config {
        vocabulary: VOCABULARY,
        context: size.context,
        width: size.width,
        heads: size.heads,
        head_bias: false,
        norm_bias: true,
        ..Config::default()
    }
}

/// The problem's trainer at its beginning.
pub(crate) fn trainer(size: Size) -> Trainer<f32> {
    let optimiser =
        Optimiser { rate: 3e-3, warm_up: 0, steps: 1, final_share: 1.0, decay: 0.1, ..Optimiser::default() };
    let gpt = Gpt::new(config(size)).expect("a config");
    let mut trainer = Trainer::<f32>::new(gpt.clone(), optimiser, 1).expect("an optimiser");
    let d = size.width;
    let mut rng = Mulberry(1);
    let mut fill = |deviation: f64, len: usize| -> Vec<f32> {
        let a = 3_f64.sqrt() * deviation;
        #[expect(clippy::cast_possible_truncation, reason = "the problem is stated in f32")]
        (0..len).map(|_| ((f64::from(rng.next()) / 4_294_967_296.0 * 2.0 - 1.0) * a) as f32).collect()
    };
    let mut put = |name: &str, values: &[f32]| {
        let view = gpt.layout().find(name).expect("a tensor").view;
        view.of_mut(trainer.params_mut()).copy_from_slice(values);
    };
    let residual = 0.02 / 2_f64.sqrt();
    put("embed.token", &fill(0.02, VOCABULARY * d));
    put("embed.position", &fill(0.02, size.context * d));
    let parts: Vec<Vec<f32>> = (0..3).map(|_| fill(0.02, d * d)).collect();
    let rows = (0..d).flat_map(|i| parts.iter().flat_map(move |w| w[i * d..][..d].iter().copied()));
    put("block.0.attention.qkv", &rows.collect::<Vec<_>>());
    put("block.0.attention.out", &fill(residual, d * d));
    put("block.0.mlp.up", &fill(0.02, 4 * d * d));
    put("block.0.mlp.down", &fill(residual, 4 * d * d));
    put("head", &fill(0.02, d * VOCABULARY));
    trainer
}

/// Inputs and targets of the batches. Each symbol has four successors, with probabilities 1/2, 1/4, 1/8, 1/8.
pub(crate) fn batches(size: Size) -> Vec<[Vec<u32>; 2]> {
    let mut rng = Mulberry(1_000_004);
    let vocabulary = u32::try_from(VOCABULARY).expect("small");
    let mut successors = Vec::new();
    for _ in 0..VOCABULARY {
        let mut row = Vec::new();
        while row.len() < 4 {
            let k = rng.next() % vocabulary;
            if !row.contains(&k) {
                row.push(k);
            }
        }
        successors.push(row);
    }
    let mut batches = Vec::new();
    for _ in 0..BATCHES {
        let (mut x, mut y) = (Vec::new(), Vec::new());
        for _ in 0..size.batch {
            let mut s = rng.next() % vocabulary;
            for _ in 0..size.context {
                let place = match rng.next() >> 29 {
                    0..4 => 0,
                    4..6 => 1,
                    6 => 2,
                    _ => 3,
                };
                let next = successors[s as usize][place];
                x.push(s);
                y.push(next);
                s = next;
            }
        }
        batches.push([x, y]);
    }
    batches
}
