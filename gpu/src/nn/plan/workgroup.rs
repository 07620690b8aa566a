//! The form of the kernels in which the invocations of a workgroup share what they read, and meet at barriers.

use surprisal_core::nn::{Config, Gpt, Positions};

use super::{ATTENDS, Dispatch, Kind, Op, RING, UPDATES, word};
use crate::{kernels::Kernel, shader::THREADS};

/// Words of the slices of a gradient, where more than one slice would be more.
pub(super) const SLICE_WORDS: usize = 4 << 20;
/// Rows of a slice at least, and slices at most.
const SLICE_ROWS: usize = 128;
const SLICES: usize = 16;
/// Rows of a workgroup in all products.
const ROWS: usize = 16;

/// Numbers of the inner dimension that are in workgroup memory at a time.
const DEPTH: u32 = 16;

static LINEAR: Kernel = Kernel {
    name: "nn-linear",
    source: include_str!("../linear.wgsl"),
    writes: &[false, true, true, true, false, false, false],
    parameters: size_of::<Op>() as u64,
};
static ATTEND: Kernel = Kernel {
    name: "nn-attend",
    source: include_str!("../attend.wgsl"),
    writes: &[false, true, true, true, false, false, false],
    parameters: size_of::<Op>() as u64,
};
static ENDS: Kernel = Kernel {
    name: "nn-rows",
    source: include_str!("../rows.wgsl"),
    writes: &[false, true, true, true, false, false, false],
    parameters: size_of::<Op>() as u64,
};
static GRADIENT: Kernel = Kernel {
    name: "nn-gradient",
    source: include_str!("../gradient.wgsl"),
    writes: &[false, true, true, true, false, false, false],
    parameters: size_of::<Op>() as u64,
};
static UPDATE: Kernel = Kernel {
    name: "nn-update",
    source: include_str!("../update.wgsl"),
    writes: &[true, true, true, true, false, false, false],
    parameters: size_of::<Op>() as u64,
};

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

/// Parameters of a block of the update.
pub(super) const BLOCK: usize = THREADS as usize;

/// Slices of the gradient of a matrix over so many rows, and the rows of a slice.
pub(super) fn slices(gpt: &Gpt, rows: usize) -> (usize, usize) {
    let most = (SLICE_WORDS / gpt.layout().len()).clamp(1, SLICES);
    let each = rows.div_ceil((rows / SLICE_ROWS).clamp(1, most)).next_multiple_of(32);
    (rows.div_ceil(each), each)
}

/// Slices of the gradient of a norm: those of `linear.wgsl`.
pub(super) fn norm_slices(width: usize, rows: usize) -> usize {
    let [(_, cols), (_, threads), ..] = shape(cols(width, 256));
    rows.div_ceil(ROWS) * (threads / cols) as usize
}

/// Workgroups of a job of `gradients`.
pub(super) fn job_groups(width: usize, inputs: usize, columns: usize, slices: usize) -> usize {
    inputs.div_ceil(ROWS) * columns.div_ceil(cols(width, 64) as usize) * slices
}

fn blocks_of(rows: u32) -> u64 {
    u64::from(rows).div_ceil(ROWS as u64)
}

pub(super) fn embed(config: &Config, op: Op) -> Dispatch {
    let groups = blocks_of(op.rows) * u64::from(op.runs);
    Dispatch { kernel: &ENDS, entry: "embed", constants: ends_constants(config.vocabulary), op, groups, label: "embed" }
}

pub(super) fn linear(kind: Kind, norm: bool, op: Op) -> Dispatch {
    let cols = cols(op.columns as usize, if kind == Kind::NormBack { 256 } else { 64 });
    let groups = u64::from(op.columns.div_ceil(cols)) * blocks_of(op.rows) * u64::from(op.runs);
    let constants = linear_constants(kind, norm, cols);
    Dispatch { kernel: &LINEAR, entry: "linear", constants, op, groups, label: kind.label() }
}

pub(super) fn attend(config: &Config, entry: &'static str, op: Op) -> Dispatch {
    let Config { context, heads, width, positions, .. } = *config;
    let sequences = u64::from(op.rows / op.length);
    let groups = sequences * (heads * context.div_ceil(ROWS)) as u64 * u64::from(op.runs);
    let constants = attend_constants(width / heads, positions == Positions::Rope);
    Dispatch { kernel: &ATTEND, entry, constants, op, groups, label: entry }
}

pub(super) fn cross_entropy(config: &Config, op: Op) -> Dispatch {
    let constants = ends_constants(config.vocabulary);
    let each = 64 / constants[0].1;
    let groups = u64::from(op.rows.div_ceil(each)) * u64::from(op.runs);
    Dispatch { kernel: &ENDS, entry: "cross_entropy", constants, op, groups, label: "cross_entropy" }
}

pub(super) fn gradients(config: &Config, op: Op) -> Dispatch {
    let groups = u64::from(op.job_groups) * u64::from(op.runs);
    let constants = gradient_constants(config.width);
    Dispatch { kernel: &GRADIENT, entry: "gradients", constants, op, groups, label: "gradients" }
}

pub(super) fn update(entry: &'static str, op: Op) -> Dispatch {
    let each = if entry == UPDATES[1] { 1 } else { u64::from(op.count) };
    let constants = vec![("RING", RING)];
    Dispatch { kernel: &UPDATE, entry, constants, op, groups: each * u64::from(op.runs), label: entry }
}

/// Calls `with` for every pipeline of this form.
pub(super) fn for_each_pipeline<E>(
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
