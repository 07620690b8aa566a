//! Where everything of a transformer lies, and the dispatches of a step: a function of its config, its batch and
//! the form of the kernels, so that a run gives the same bits whatever runs beside it.

mod places;
mod plain;
mod step;
mod tables;
mod workgroup;

use bytemuck::{Pod, Zeroable};
use surprisal_core::nn::{Config, Gpt, NnError};

use crate::kernels::Kernel;
use places::Places;
pub(super) use plain::Kept;

/// Steps that the GPU keeps the parameters and losses of: no submission has more.
pub(super) const RING: u32 = 64;
/// 32-bit words of a run in the notes. Mirrors `NOTE_WORDS`.
pub(super) const NOTE_WORDS: u32 = 16;
/// No such thing.
const NONE: u32 = u32::MAX;
/// Words of a run in the arena from which on a step is made in chunks.
const ARENA_WORDS: u64 = 8 << 20;
const ATTENDS: [&str; 3] = ["attend", "attend_queries", "attend_keys"];
const UPDATES: [&str; 3] = ["gather", "judge", "adamw"];

/// The two forms of the kernels: the same step, sums in another order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// Workgroups share what they read, and meet at barriers: for hardware.
    Workgroup,
    /// Every invocation works alone: for adapters on which a barrier costs more than what it saves.
    Plain,
}

impl Form {
    /// Parameters of a block of the update.
    const fn block(self) -> usize {
        match self {
            Self::Workgroup => workgroup::BLOCK,
            Self::Plain => plain::BLOCK,
        }
    }

    /// Slices of the gradient of a matrix over so many rows, and the rows of a slice.
    fn slices(self, gpt: &Gpt, rows: usize) -> (usize, usize) {
        match self {
            Self::Workgroup => workgroup::slices(gpt, rows),
            Self::Plain => plain::slices(gpt, rows),
        }
    }

    /// Slices of the gradient of a norm.
    fn norm_slices(self, width: usize, rows: usize) -> usize {
        match self {
            Self::Workgroup => workgroup::norm_slices(width, rows),
            Self::Plain => plain::norm_slices(rows),
        }
    }

    /// Workgroups of a job of `gradients` in a network of this width.
    fn job_groups(self, width: usize, inputs: usize, columns: usize, slices: usize) -> usize {
        match self {
            Self::Workgroup => workgroup::job_groups(width, inputs, columns, slices),
            Self::Plain => plain::job_groups(inputs, columns, slices),
        }
    }
}

/// Mirrors `Op` in `nn.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub(super) struct Op {
    pub(super) rows: u32,
    length: u32,
    pub(super) first_run: u32,
    pub(super) runs: u32,
    arena_stride: u32,
    parameters: u32,
    all_runs: u32,
    window: u32,
    inner: u32,
    columns: u32,
    source: u32,
    weight: u32,
    bias: u32,
    dest: u32,
    residual: u32,
    before: u32,
    gain: u32,
    norm_bias: u32,
    norm_input: u32,
    stats: u32,
    normed: u32,
    partial: u32,
    width: u32,
    heads: u32,
    qkv: u32,
    attended: u32,
    lse: u32,
    delta: u32,
    dattended: u32,
    dqkv: u32,
    ids: u32,
    losses: u32,
    squares: u32,
    history: u32,
    table: u32,
    count: u32,
    chunks: u32,
    sequences: u32,
    first_sequence: u32,
    evaluating: u32,
    share: f32,
    vocabulary: u32,
    job_groups: u32,
    block: u32,
}

/// One dispatch: a pipeline, its parameters, and workgroups in all.
#[derive(Clone, Debug)]
pub(super) struct Dispatch {
    pub(super) kernel: &'static Kernel,
    pub(super) entry: &'static str,
    pub(super) constants: Vec<(&'static str, u32)>,
    pub(super) op: Op,
    pub(super) groups: u64,
    /// What a timed pass of it is called.
    pub(super) label: &'static str,
}

/// The kinds of `linear.wgsl`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Plain,
    Add,
    Gelu,
    GeluBack,
    NormBack,
    Rope,
}

impl Kind {
    /// What a timed pass is called.
    const fn label(self) -> &'static str {
        match self {
            Self::Plain => "nn-linear",
            Self::Add => "nn-linear-add",
            Self::Gelu => "nn-linear-gelu",
            Self::GeluBack => "nn-linear-gelu-back",
            Self::NormBack => "nn-linear-norm-back",
            Self::Rope => "nn-linear-rope",
        }
    }
}

/// Calls `with` for every pipeline of networks.
pub(crate) fn for_each_pipeline<E>(
    mut with: impl FnMut(&'static Kernel, &'static str, &[(&str, u32)]) -> Result<(), E>,
) -> Result<(), E> {
    workgroup::for_each_pipeline(&mut with)?;
    plain::for_each_pipeline(with)
}

/// A transformer and its batch as dispatches.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) form: Form,
    /// In the form of the kernels that knows it.
    kept: Kept,
    pub(super) gpt: Gpt,
    pub(super) batch: u32,
    /// Sequences of a chunk, and chunks of a step.
    pub(super) sequences: u32,
    pub(super) chunks: u32,
    /// Jobs, then blocks, then the turns of rotary positions.
    pub(super) tables: Vec<u32>,
    places: Places,
    jobs: u32,
    job_groups: u32,
    blocks: u32,
    block_table: u32,
    rope_table: u32,
}

impl Plan {
    pub(super) fn new(config: Config, batch: u32, form: Form, kept: Kept) -> Result<Self, NnError> {
        let gpt = Gpt::new(config)?;
        let fits = |sequences: &u32| Places::new(&gpt, form, *sequences).words <= ARENA_WORDS;
        let divisors = (1..=batch).rev().filter(|n| batch.is_multiple_of(*n));
        let sequences = divisors.into_iter().find(fits).unwrap_or(1);
        let places = Places::new(&gpt, form, sequences);
        let mut plan = Self {
            form,
            kept,
            gpt,
            batch,
            sequences,
            chunks: batch / sequences,
            tables: Vec::new(),
            places,
            jobs: 0,
            job_groups: 0,
            blocks: 0,
            block_table: 0,
            rope_table: 0,
        };
        plan.tabulate();
        Ok(plan)
    }

    pub(super) fn config(&self) -> &Config {
        self.gpt.config()
    }

    pub(super) fn parameters(&self) -> usize {
        self.gpt.layout().len()
    }

    /// Rows of a chunk.
    pub(super) fn rows(&self) -> u32 {
        self.sequences * word(self.config().context)
    }

    /// Words of a run in the arena.
    pub(super) const fn arena_words(&self) -> u64 {
        self.places.words
    }

    /// Dispatches of one step.
    pub(super) fn dispatches(&self) -> usize {
        self.chunks as usize * (7 + 11 * self.config().layers) + 1
    }

    /// Where the losses of the ring and the ids lie in the notes of `runs` runs, and the words of the notes.
    pub(super) fn notes(&self, runs: u32) -> [u64; 3] {
        let runs = u64::from(runs);
        let history = runs * u64::from(NOTE_WORDS);
        let ids = history + runs * u64::from(RING) * 2;
        [history, ids, ids + runs * u64::from(self.rows()) * 2]
    }

    /// The parameters, and all of them again with every matrix transposed.
    pub(super) fn twice(&self, params: &[f32]) -> Vec<f32> {
        let mut both = params.to_vec();
        both.extend_from_slice(params);
        for tensor in self.gpt.layout().tensors() {
            if let [rows, columns] = tensor.shape[..] {
                let turned = &mut both[params.len() + tensor.view.offset..][..tensor.view.len];
                for (i, x) in tensor.view.of(params).iter().enumerate() {
                    turned[i % columns * rows + i / columns] = *x;
                }
            }
        }
        both
    }

    fn offset(&self, name: &str) -> usize {
        self.gpt.layout().find(name).map_or(NONE as usize, |tensor| tensor.view.offset)
    }

    /// Where a tensor begins; [`NONE`] for one that there is not.
    fn at(&self, name: &str) -> u32 {
        word(self.offset(name))
    }
}

fn share(tokens: u64) -> f32 {
    single(1.0 / count(usize::try_from(tokens).unwrap_or(usize::MAX)))
}

/// A count as f64.
#[expect(clippy::cast_precision_loss, reason = "counts here are far below 2^53")]
const fn count(n: usize) -> f64 {
    n as f64
}

/// To the nearest f32.
#[expect(clippy::cast_possible_truncation, reason = "rounding to f32 is what is asked for")]
pub(super) const fn single(x: f64) -> f32 {
    x as f32
}

/// What does not fit is [`NONE`], and far beyond every limit of a buffer.
pub(super) fn word(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(NONE)
}

/// As [`word`].
fn short(n: u64) -> u32 {
    u32::try_from(n).unwrap_or(NONE)
}
