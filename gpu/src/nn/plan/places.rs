//! Where everything of a run lies in the arena.

use surprisal_core::nn::Gpt;

use super::{Form, short};

/// Where a block's numbers lie in the arena.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layer {
    pub(super) normed: [u32; 2],
    pub(super) stats: [u32; 2],
    pub(super) partials: [u32; 2],
    pub(super) qkv: u32,
    pub(super) attended: u32,
    pub(super) lse: u32,
    pub(super) middle: u32,
    pub(super) before: u32,
    pub(super) after: u32,
    pub(super) dqkv: u32,
    pub(super) dmiddle: u32,
    pub(super) dhidden: u32,
}

/// Where a run's numbers lie in the arena.
#[derive(Clone, Debug)]
pub(super) struct Places {
    /// The stream before each block and behind the last, and its gradients.
    pub(super) streams: Vec<u32>,
    pub(super) dstreams: Vec<u32>,
    pub(super) layers: Vec<Layer>,
    pub(super) normed: u32,
    pub(super) stats: u32,
    pub(super) partial: u32,
    pub(super) logits: u32,
    pub(super) losses: u32,
    pub(super) squares: u32,
    pub(super) delta: u32,
    pub(super) dattended: u32,
    pub(super) slices: u32,
    pub(super) words: u64,
}

impl Places {
    pub(super) fn new(gpt: &Gpt, form: Form, sequences: u32) -> Self {
        let config = gpt.config();
        let rows = sequences as usize * config.context;
        let (d, hidden) = (config.width, config.width * config.expansion);
        let mut words = 0_u64;
        let mut take = |numbers: usize| {
            let at = short(words);
            words += numbers as u64;
            at
        };
        let layers = config.layers;
        let partial = form.norm_slices(d, rows) * if config.norm_bias { 2 * d } else { d };
        let streams = (0..=layers).map(|_| take(rows * d)).collect();
        let dstreams = (0..=layers).map(|_| take(rows * d)).collect();
        let layers = (0..layers)
            .map(|_| Layer {
                normed: [take(rows * d), take(rows * d)],
                stats: [take(rows * 2), take(rows * 2)],
                partials: [take(partial), take(partial)],
                qkv: take(rows * 3 * d),
                attended: take(rows * d),
                lse: take(rows * config.heads),
                middle: take(rows * d),
                before: take(rows * hidden),
                after: take(rows * hidden),
                dqkv: take(rows * 3 * d),
                dmiddle: take(rows * d),
                dhidden: take(rows * hidden),
            })
            .collect();
        let (slices, _) = form.slices(gpt, rows);
        // The table of a tied head has two jobs.
        let twice = if config.tied { config.vocabulary * d } else { 0 };
        let places = Self {
            streams,
            dstreams,
            layers,
            normed: take(rows * d),
            stats: take(rows * 2),
            partial: take(partial),
            logits: take(rows * config.vocabulary),
            losses: take(rows),
            squares: take(gpt.layout().len() / form.block() + gpt.layout().tensors().len()),
            delta: take(rows * config.heads),
            dattended: take(rows * d),
            slices: take(slices * (gpt.layout().len() + twice)),
            words: 0,
        };
        Self { words, ..places }
    }
}
