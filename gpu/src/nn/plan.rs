//! Where everything of a transformer lies, and the dispatches of a step: a function of its config and batch alone, so that
//! a run gives the same bits whatever runs beside it.

use bytemuck::{Pod, Zeroable};
use surprisal_core::nn::{Config, Gpt, NnError, Positions};

use crate::{kernels::Kernel, shader::THREADS};

/// Steps that the GPU keeps the parameters and losses of: no submission has more.
pub(super) const RING: u32 = 64;
/// 32-bit words of a run in the notes. Mirrors `NOTE_WORDS`.
pub(super) const NOTE_WORDS: u32 = 16;
/// No such thing.
const NONE: u32 = u32::MAX;
/// Words of a run in the arena from which on a step is made in chunks.
const ARENA_WORDS: u64 = 8 << 20;
/// Words of the slices of a gradient, where more than one slice would be more.
const SLICE_WORDS: usize = 4 << 20;
/// Rows of a slice at least, and slices at most.
const SLICE_ROWS: usize = 128;
const SLICES: usize = 16;
/// Rows of a workgroup in all products.
const ROWS: usize = 16;

/// Numbers of the inner dimension that are in workgroup memory at a time.
const DEPTH: u32 = 16;

static LINEAR: Kernel = Kernel {
    name: "nn-linear",
    source: include_str!("linear.wgsl"),
    writes: &[false, true, true, true, false, false, false],
    parameters: size_of::<Op>() as u64,
};
static ATTEND: Kernel = Kernel {
    name: "nn-attend",
    source: include_str!("attend.wgsl"),
    writes: &[false, true, true, true, false, false, false],
    parameters: size_of::<Op>() as u64,
};
static ENDS: Kernel = Kernel {
    name: "nn-rows",
    source: include_str!("rows.wgsl"),
    writes: &[false, true, true, true, false, false, false],
    parameters: size_of::<Op>() as u64,
};
static GRADIENT: Kernel = Kernel {
    name: "nn-gradient",
    source: include_str!("gradient.wgsl"),
    writes: &[false, true, true, true, false, false, false],
    parameters: size_of::<Op>() as u64,
};
static UPDATE: Kernel = Kernel {
    name: "nn-update",
    source: include_str!("update.wgsl"),
    writes: &[true, true, true, true, false, false, false],
    parameters: size_of::<Op>() as u64,
};

const ATTENDS: [&str; 3] = ["attend", "attend_queries", "attend_keys"];
const UPDATES: [&str; 3] = ["gather", "judge", "adamw"];

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
    unused: u32,
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

/// Columns of a workgroup for so many, of `most` at most.
fn cols(columns: usize, most: usize) -> u32 {
    word(columns.next_power_of_two().clamp(ROWS, most))
}

/// The shape of a workgroup of `cols` columns: each thread has a column of some of the 16 rows.
fn shape(cols: u32) -> [(&'static str, u32); 4] {
    let width = cols.max(64);
    [("COLS", cols), ("WIDTH", width), ("QUADS", 4 * cols / width), ("DEPTH", DEPTH)]
}

fn linear_constants(kind: Kind, norm: bool, cols: u32) -> Vec<(&'static str, u32)> {
    [("KIND", kind as u32), ("NORM", u32::from(norm))].into_iter().chain(shape(cols)).collect()
}

fn attend_constants(head: usize, rope: bool) -> Vec<(&'static str, u32)> {
    let shape = shape(cols(head, 256));
    let score_quads = 4 * 64 / shape[1].1;
    [("ROPE", u32::from(rope)), ("SCORE_QUADS", score_quads)].into_iter().chain(shape).collect()
}

/// Threads that share a row of logits.
fn ends_constants(vocabulary: usize) -> Vec<(&'static str, u32)> {
    vec![("LANES", if vocabulary <= 256 { 4 } else { 64 }), ("RING", RING)]
}

fn gradient_constants(width: usize) -> Vec<(&'static str, u32)> {
    shape(cols(width, 64)).to_vec()
}

/// Calls `with` for every pipeline of networks.
pub(crate) fn for_each_pipeline<E>(
    mut with: impl FnMut(&'static Kernel, &'static str, &[(&str, u32)]) -> Result<(), E>,
) -> Result<(), E> {
    for cols in [16, 32, 64] {
        for (kind, norm) in [
            (Kind::Plain, false),
            (Kind::Plain, true),
            (Kind::Add, false),
            (Kind::Gelu, true),
            (Kind::GeluBack, false),
            (Kind::Rope, true),
        ] {
            with(&LINEAR, "linear", &linear_constants(kind, norm, cols))?;
        }
        with(&GRADIENT, "gradients", &gradient_constants(cols as usize))?;
    }
    for width in [16, 32, 64, 128, 256] {
        with(&LINEAR, "linear", &linear_constants(Kind::NormBack, false, cols(width, 256)))?;
        for rope in [false, true] {
            ATTENDS.iter().try_for_each(|entry| with(&ATTEND, entry, &attend_constants(width, rope)))?;
        }
    }
    for vocabulary in [256, 257] {
        for entry in ["embed", "cross_entropy"] {
            with(&ENDS, entry, &ends_constants(vocabulary))?;
        }
    }
    UPDATES.iter().try_for_each(|entry| with(&UPDATE, entry, &[("RING", RING)]))
}

/// Mirrors `Job` in `gradient.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
struct Job {
    first_group: u32,
    kind: u32,
    x: u32,
    x_stride: u32,
    inputs: u32,
    dy: u32,
    columns: u32,
    slices: u32,
    slice_rows: u32,
    partial: u32,
}

const MATRIX: u32 = 0;
const TOKENS: u32 = 1;
const PLACES: u32 = 2;

/// Mirrors `Block` in `update.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
struct Block {
    first: u32,
    count: u32,
    partial: u32,
    slices: u32,
    slice: u32,
    tensor: u32,
    columns: u32,
    rows: u32,
    decays: u32,
}

/// Parameters that lie side by side and whose gradient comes in slices.
#[derive(Clone, Copy, Debug)]
struct Unit {
    first: usize,
    len: usize,
    partial: u32,
    slices: usize,
}

/// Where a block's numbers lie in the arena.
#[derive(Clone, Copy, Debug)]
struct Layer {
    normed: [u32; 2],
    stats: [u32; 2],
    partials: [u32; 2],
    qkv: u32,
    attended: u32,
    lse: u32,
    middle: u32,
    before: u32,
    after: u32,
    dqkv: u32,
    dmiddle: u32,
    dhidden: u32,
}

/// Where a run's numbers lie in the arena.
#[derive(Clone, Debug)]
struct Places {
    /// The stream before each block and behind the last, and its gradients.
    streams: Vec<u32>,
    dstreams: Vec<u32>,
    layers: Vec<Layer>,
    normed: u32,
    stats: u32,
    partial: u32,
    logits: u32,
    losses: u32,
    squares: u32,
    delta: u32,
    dattended: u32,
    slices: u32,
    words: u64,
}

/// A transformer and its batch as dispatches.
#[derive(Debug)]
pub(super) struct Plan {
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
    pub(super) fn new(config: Config, batch: u32) -> Result<Self, NnError> {
        let gpt = Gpt::new(config)?;
        let fits = |sequences: &u32| Places::new(&gpt, *sequences).words <= ARENA_WORDS;
        let divisors = (1..=batch).rev().filter(|n| batch.is_multiple_of(*n));
        let sequences = divisors.into_iter().find(fits).unwrap_or(1);
        let places = Places::new(&gpt, sequences);
        let mut plan = Self {
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

    fn tabulate(&mut self) {
        let config = *self.config();
        let Config { vocabulary, width: d, context, .. } = config;
        let hidden = config.expansion * d;
        let rows = self.rows() as usize;
        let (slices, slice_rows) = slices(&self.gpt, rows);
        let tile = cols(d, 64) as usize;
        let mut jobs: Vec<Job> = Vec::new();
        let mut units: Vec<Unit> = Vec::new();
        let mut partial = self.places.slices as usize;
        let mut group = 0;
        // A matrix of the gradient, in slices; `joins` adds the slices to those of the unit before.
        let mut add =
            |kind: u32, first: usize, x: u32, x_stride: usize, inputs: usize, dy: u32, columns: usize, joins| {
                let slices = if kind == PLACES { 1 } else { slices };
                jobs.push(Job {
                    first_group: word(group),
                    kind,
                    x,
                    x_stride: word(x_stride),
                    inputs: word(inputs),
                    dy,
                    columns: word(columns),
                    slices: word(slices),
                    slice_rows: word(slice_rows),
                    partial: word(partial),
                });
                match units.last_mut() {
                    Some(unit) if joins => unit.slices += slices,
                    _ => units.push(Unit { first, len: inputs * columns, partial: word(partial), slices }),
                }
                group += inputs.div_ceil(ROWS) * columns.div_ceil(tile) * slices;
                partial += slices * inputs * columns;
            };
        let places = &self.places;
        let bias = usize::from(config.linear_bias);
        for (i, layer) in places.layers.iter().enumerate() {
            let first = |part: &str| self.offset(&format!("block.{i}.{part}"));
            add(MATRIX, first("attention.qkv"), layer.normed[0], d, d + bias, layer.dqkv, 3 * d, false);
            add(MATRIX, first("attention.out"), layer.attended, d, d + bias, layer.dmiddle, d, false);
            add(MATRIX, first("mlp.up"), layer.normed[1], d, d + bias, layer.dhidden, hidden, false);
            add(MATRIX, first("mlp.down"), layer.after, hidden, hidden + bias, places.dstreams[i + 1], d, false);
        }
        let table = self.offset("embed.token");
        let head_bias = usize::from(config.head_bias);
        if config.tied {
            add(MATRIX, table, places.logits, vocabulary, vocabulary, places.normed, d, false);
        } else {
            let inputs = d + head_bias;
            add(MATRIX, self.offset("head"), places.normed, d, inputs, places.logits, vocabulary, false);
        }
        add(TOKENS, table, 0, 0, vocabulary, places.dstreams[0], d, config.tied);
        if config.tied && config.head_bias {
            // X is 1 throughout.
            add(MATRIX, self.offset("head.bias"), 0, 0, 1, places.logits, vocabulary, false);
        }
        if config.positions == Positions::Learned {
            add(PLACES, self.offset("embed.position"), 0, 0, context, places.dstreams[0], d, false);
        }
        let norm_slices = norm_slices(d, rows);
        let norms = places.layers.iter().enumerate().flat_map(|(i, layer)| {
            [1, 2].map(|n| (self.offset(&format!("block.{i}.norm{n}.gain")), layer.partials[n - 1]))
        });
        for (first, partial) in norms.chain([(self.offset("norm.gain"), places.partial)]) {
            let len = if config.norm_bias { 2 * d } else { d };
            units.push(Unit { first, len, partial, slices: norm_slices });
        }

        let mut blocks: Vec<Block> = Vec::new();
        for tensor in self.gpt.layout().tensors() {
            let offset = tensor.view.offset;
            let Some(unit) = units.iter().find(|unit| (unit.first..unit.first + unit.len).contains(&offset)) else {
                continue;
            };
            let (rows, columns) = match tensor.shape[..] {
                [rows, columns] => (rows, columns),
                _ => (1, tensor.view.len),
            };
            for start in (0..tensor.view.len).step_by(THREADS as usize) {
                let first = offset + start;
                blocks.push(Block {
                    first: word(first),
                    count: word((tensor.view.len - start).min(THREADS as usize)),
                    partial: unit.partial + word(first - unit.first),
                    slices: word(unit.slices),
                    slice: word(unit.len),
                    tensor: word(offset),
                    columns: word(columns),
                    rows: word(rows),
                    decays: u32::from(tensor.decay),
                });
            }
        }
        self.jobs = word(jobs.len());
        self.job_groups = word(group);
        self.blocks = word(blocks.len());
        self.tables = bytemuck::cast_slice(&jobs).to_vec();
        self.block_table = word(self.tables.len());
        self.tables.extend_from_slice(bytemuck::cast_slice(&blocks));
        self.rope_table = word(self.tables.len());
        if config.positions == Positions::Rope {
            self.tables.extend(turns(d / config.heads, context).map(f32::to_bits));
        }
    }

    /// What every dispatch says.
    fn op(&self, rows: u32, first_run: u32, runs: u32, all_runs: u32) -> Op {
        let config = self.config();
        let [history, ids, _] = self.notes(all_runs);
        Op {
            rows,
            length: word(config.context),
            first_run,
            runs,
            arena_stride: short(self.places.words),
            parameters: word(self.parameters()),
            all_runs,
            window: word(config.window.unwrap_or(config.context).min(config.context)),
            width: word(config.width),
            heads: word(config.heads),
            bias: NONE,
            residual: NONE,
            norm_bias: NONE,
            lse: 0,
            delta: self.places.delta,
            dattended: self.places.dattended,
            ids: short(ids),
            history: short(history),
            losses: self.places.losses,
            squares: self.places.squares,
            chunks: self.chunks,
            sequences: self.sequences,
            share: share(u64::from(self.batch) * config.context as u64),
            vocabulary: word(config.vocabulary),
            job_groups: self.job_groups,
            ..Op::default()
        }
    }

    fn linear(&self, kind: Kind, norm: bool, op: Op) -> Dispatch {
        let columns = op.columns as usize;
        let cols = cols(columns, if kind == Kind::NormBack { 256 } else { 64 });
        let groups = u64::from(op.columns.div_ceil(cols)) * blocks_of(op.rows) * u64::from(op.runs);
        Dispatch {
            kernel: &LINEAR,
            entry: "linear",
            constants: linear_constants(kind, norm, cols),
            op,
            groups,
            label: kind.label(),
        }
    }

    fn attend(&self, entry: &'static str, op: Op) -> Dispatch {
        let Config { context, heads, width, positions, .. } = *self.config();
        let sequences = u64::from(op.rows / op.length);
        let groups = sequences * (heads * context.div_ceil(ROWS)) as u64 * u64::from(op.runs);
        let constants = attend_constants(width / heads, positions == Positions::Rope);
        Dispatch { kernel: &ATTEND, entry, constants, op: Op { table: self.rope_table, ..op }, groups, label: entry }
    }

    /// Tokens to losses: 3 + 5 dispatches a layer. `evaluating` tells the first sequence of an evaluation.
    pub(super) fn forward(
        &self,
        sequences: u32,
        [first_run, runs, all_runs]: [u32; 3],
        evaluating: Option<u32>,
    ) -> Vec<Dispatch> {
        let config = self.config();
        let Config { vocabulary, width, .. } = *config;
        let (d, hidden) = (word(width), word(width * config.expansion));
        let turned = word(self.parameters());
        let places = &self.places;
        let op = Op {
            first_sequence: evaluating.unwrap_or(0),
            evaluating: u32::from(evaluating.is_some()),
            ..self.op(sequences * word(config.context), first_run, runs, all_runs)
        };
        let embed =
            Op { weight: self.at("embed.token"), bias: self.at("embed.position"), dest: places.streams[0], ..op };
        let mut list = vec![Dispatch {
            kernel: &ENDS,
            entry: "embed",
            constants: ends_constants(vocabulary),
            op: embed,
            groups: blocks_of(op.rows) * u64::from(runs),
            label: "embed",
        }];
        for (i, layer) in places.layers.iter().enumerate() {
            let at = |part: &str| self.at(&format!("block.{i}.{part}"));
            let first = if config.positions == Positions::Rope { Kind::Rope } else { Kind::Plain };
            list.push(self.linear(
                first,
                true,
                Op {
                    inner: d,
                    columns: 3 * d,
                    source: places.streams[i],
                    weight: at("attention.qkv"),
                    bias: at("attention.qkv.bias"),
                    dest: layer.qkv,
                    gain: at("norm1.gain"),
                    norm_bias: at("norm1.bias"),
                    stats: layer.stats[0],
                    normed: layer.normed[0],
                    table: self.rope_table,
                    ..op
                },
            ));
            list.push(self.attend(ATTENDS[0], Op { qkv: layer.qkv, attended: layer.attended, lse: layer.lse, ..op }));
            list.push(self.linear(
                Kind::Add,
                false,
                Op {
                    inner: d,
                    columns: d,
                    source: layer.attended,
                    weight: at("attention.out"),
                    bias: at("attention.out.bias"),
                    dest: layer.middle,
                    residual: places.streams[i],
                    ..op
                },
            ));
            list.push(self.linear(
                Kind::Gelu,
                true,
                Op {
                    inner: d,
                    columns: hidden,
                    source: layer.middle,
                    weight: at("mlp.up"),
                    bias: at("mlp.up.bias"),
                    dest: layer.after,
                    before: layer.before,
                    gain: at("norm2.gain"),
                    norm_bias: at("norm2.bias"),
                    stats: layer.stats[1],
                    normed: layer.normed[1],
                    ..op
                },
            ));
            list.push(self.linear(
                Kind::Add,
                false,
                Op {
                    inner: hidden,
                    columns: d,
                    source: layer.after,
                    weight: at("mlp.down"),
                    bias: at("mlp.down.bias"),
                    dest: places.streams[i + 1],
                    residual: layer.middle,
                    ..op
                },
            ));
        }
        let weight = if config.tied { turned + self.at("embed.token") } else { self.at("head") };
        list.push(self.linear(
            Kind::Plain,
            true,
            Op {
                inner: d,
                columns: word(vocabulary),
                source: places.streams[config.layers],
                weight,
                bias: self.at("head.bias"),
                dest: places.logits,
                gain: self.at("norm.gain"),
                norm_bias: self.at("norm.bias"),
                stats: places.stats,
                normed: places.normed,
                ..op
            },
        ));
        let constants = ends_constants(vocabulary);
        let each = 64 / constants[0].1;
        list.push(Dispatch {
            kernel: &ENDS,
            entry: "cross_entropy",
            constants,
            op: Op { source: places.logits, ..op },
            groups: u64::from(op.rows.div_ceil(each)) * u64::from(runs),
            label: "cross_entropy",
        });
        list
    }

    /// Gradients of logits to those of the parameters, and the verdict: 4 + 6 dispatches a layer; then the update of the
    /// parameters, behind the last chunk.
    pub(super) fn backward(&self, runs: u32) -> (Vec<Dispatch>, Dispatch) {
        let config = self.config();
        let (d, hidden) = (word(config.width), word(config.width * config.expansion));
        let turned = word(self.parameters());
        let places = &self.places;
        let op = self.op(self.rows(), 0, runs, runs);
        let weight = if config.tied { self.at("embed.token") } else { turned + self.at("head") };
        let mut list = vec![self.linear(
            Kind::NormBack,
            false,
            Op {
                inner: word(config.vocabulary),
                columns: d,
                source: places.logits,
                weight,
                dest: places.dstreams[config.layers],
                gain: self.at("norm.gain"),
                norm_bias: self.at("norm.bias"),
                norm_input: places.streams[config.layers],
                stats: places.stats,
                partial: places.partial,
                ..op
            },
        )];
        for (i, layer) in places.layers.iter().enumerate().rev() {
            let at = |part: &str| self.at(&format!("block.{i}.{part}"));
            list.push(self.linear(
                Kind::GeluBack,
                false,
                Op {
                    inner: d,
                    columns: hidden,
                    source: places.dstreams[i + 1],
                    weight: turned + at("mlp.down"),
                    dest: layer.dhidden,
                    before: layer.before,
                    ..op
                },
            ));
            list.push(self.linear(
                Kind::NormBack,
                false,
                Op {
                    inner: hidden,
                    columns: d,
                    source: layer.dhidden,
                    weight: turned + at("mlp.up"),
                    dest: layer.dmiddle,
                    residual: places.dstreams[i + 1],
                    gain: at("norm2.gain"),
                    norm_bias: at("norm2.bias"),
                    norm_input: layer.middle,
                    stats: layer.stats[1],
                    partial: layer.partials[1],
                    ..op
                },
            ));
            list.push(self.linear(
                Kind::Plain,
                false,
                Op {
                    inner: d,
                    columns: d,
                    source: layer.dmiddle,
                    weight: turned + at("attention.out"),
                    dest: places.dattended,
                    ..op
                },
            ));
            let about = Op { qkv: layer.qkv, attended: layer.attended, lse: layer.lse, dqkv: layer.dqkv, ..op };
            list.push(self.attend(ATTENDS[1], about));
            list.push(self.attend(ATTENDS[2], about));
            list.push(self.linear(
                Kind::NormBack,
                false,
                Op {
                    inner: 3 * d,
                    columns: d,
                    source: layer.dqkv,
                    weight: turned + at("attention.qkv"),
                    dest: places.dstreams[i],
                    residual: layer.dmiddle,
                    gain: at("norm1.gain"),
                    norm_bias: at("norm1.bias"),
                    norm_input: places.streams[i],
                    stats: layer.stats[0],
                    partial: layer.partials[0],
                    ..op
                },
            ));
        }
        let all = u64::from(runs);
        list.push(Dispatch {
            kernel: &GRADIENT,
            entry: "gradients",
            constants: gradient_constants(config.width),
            op: Op { count: self.jobs, ..op },
            groups: u64::from(self.job_groups) * all,
            label: "gradients",
        });
        let update = |entry, groups| Dispatch {
            kernel: &UPDATE,
            entry,
            constants: vec![("RING", RING)],
            op: Op { count: self.blocks, table: self.block_table, ..op },
            groups,
            label: entry,
        };
        list.push(update(UPDATES[0], u64::from(self.blocks) * all));
        list.push(update(UPDATES[1], all));
        (list, update(UPDATES[2], u64::from(self.blocks) * all))
    }
}

impl Places {
    fn new(gpt: &Gpt, sequences: u32) -> Self {
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
        let partial = norm_slices(d, rows) * if config.norm_bias { 2 * d } else { d };
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
        let (slices, _) = slices(gpt, rows);
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
            squares: take(gpt.layout().len() / THREADS as usize + gpt.layout().tensors().len()),
            delta: take(rows * config.heads),
            dattended: take(rows * d),
            slices: take(slices * (gpt.layout().len() + twice)),
            words: 0,
        };
        Self { words, ..places }
    }
}

/// Slices of the gradient of a matrix over so many rows, and the rows of a slice.
fn slices(gpt: &Gpt, rows: usize) -> (usize, usize) {
    let most = (SLICE_WORDS / gpt.layout().len()).clamp(1, SLICES);
    let each = rows.div_ceil((rows / SLICE_ROWS).clamp(1, most)).next_multiple_of(32);
    (rows.div_ceil(each), each)
}

/// Slices of the gradient of a norm: those of `linear.wgsl`.
fn norm_slices(width: usize, rows: usize) -> usize {
    let [(_, cols), (_, threads), ..] = shape(cols(width, 256));
    rows.div_ceil(ROWS) * (threads / cols) as usize
}

fn blocks_of(rows: u32) -> u64 {
    u64::from(rows).div_ceil(ROWS as u64)
}

/// cos and sin of each place and pair, as `surprisal_core::nn::Rope`.
fn turns(head: usize, context: usize) -> impl Iterator<Item = f32> {
    (0..context).flat_map(move |t| {
        (0..head / 2).flat_map(move |i| {
            let angle = count(t) * 10_000_f64.powf(-2.0 * count(i) / count(head));
            [single(angle.cos()), single(angle.sin())]
        })
    })
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
