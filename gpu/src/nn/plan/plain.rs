//! The form of the kernels in which every invocation works alone in registers: for adapters on which workgroups meet at
//! great cost.

use surprisal_core::nn::{Config, Gpt, Positions};

use super::{ATTENDS, Dispatch, Kind, Op, RING, UPDATES, workgroup::SLICE_WORDS};
use crate::kernels::Kernel;

/// Invocations of a workgroup.
const WIDTH: u32 = 16;
/// The tile of a product that an invocation makes: rows, and fours of columns.
const TILE: [u32; 2] = [8, 4];
/// The same for an invocation that makes whole rows.
const WHOLE_TILE: [u32; 2] = [8, 4];
/// The tile of a gradient: inputs, and fours of columns.
const GRADIENT_TILE: [u32; 2] = [8, 4];
/// Queries of an invocation, and fours of keys that it looks at together; or keys, and fours of queries.
const ATTENDED: [u32; 2] = [4, 2];
/// Parameters of a block of the update.
pub(super) const BLOCK: usize = 64;
/// Rows of a slice at least, and slices at most.
const SLICE_ROWS: usize = 512;
const SLICES: usize = 16;

static LINEAR: Kernel = Kernel {
    name: "nn-plain-linear",
    source: include_str!("../plain/linear.wgsl"),
    writes: &[false, true, true, true, false, false, false],
    parameters: size_of::<Op>() as u64,
};
static ATTEND: Kernel = Kernel {
    name: "nn-plain-attend",
    source: include_str!("../plain/attend.wgsl"),
    writes: &[false, true, true, true, false, false, false],
    parameters: size_of::<Op>() as u64,
};
static ENDS: Kernel = Kernel {
    name: "nn-plain-rows",
    source: include_str!("../plain/rows.wgsl"),
    writes: &[false, true, true, true, false, false, false],
    parameters: size_of::<Op>() as u64,
};
static GRADIENT: Kernel = Kernel {
    name: "nn-plain-gradient",
    source: include_str!("../plain/gradient.wgsl"),
    writes: &[false, true, true, true, false, false, false],
    parameters: size_of::<Op>() as u64,
};
static UPDATE: Kernel = Kernel {
    name: "nn-plain-update",
    source: include_str!("../plain/update.wgsl"),
    writes: &[true, true, true, true, false, false, false],
    parameters: size_of::<Op>() as u64,
};

/// Whether an invocation makes whole rows.
const fn whole(kind: Kind) -> bool {
    matches!(kind, Kind::Add | Kind::NormBack)
}

const fn tile(kind: Kind) -> [u32; 2] {
    if whole(kind) { WHOLE_TILE } else { TILE }
}

fn linear_constants(kind: Kind) -> Vec<(&'static str, u32)> {
    let [rows, quads] = tile(kind);
    vec![("KIND", kind as u32), ("WHOLE", u32::from(whole(kind))), ("ROWS", rows), ("QUADS", quads), ("WIDTH", WIDTH)]
}

fn attend_constants(rope: bool) -> Vec<(&'static str, u32)> {
    vec![("ROPE", u32::from(rope)), ("ROWS", ATTENDED[0]), ("QUADS", ATTENDED[1]), ("WIDTH", WIDTH)]
}

fn ends_constants() -> Vec<(&'static str, u32)> {
    vec![("WIDTH", WIDTH), ("RING", RING)]
}

fn gradient_constants() -> Vec<(&'static str, u32)> {
    vec![("INPUTS", GRADIENT_TILE[0]), ("QUADS", GRADIENT_TILE[1]), ("WIDTH", WIDTH)]
}

/// Slices of the gradient of a matrix over so many rows, and the rows of a slice.
pub(super) fn slices(gpt: &Gpt, rows: usize) -> (usize, usize) {
    let most = (SLICE_WORDS / gpt.layout().len()).clamp(1, SLICES);
    let each = rows.div_ceil((rows / SLICE_ROWS).clamp(1, most));
    (rows.div_ceil(each), each)
}

/// Slices of the gradient of a norm: one an invocation of `linear.wgsl`.
pub(super) fn norm_slices(rows: usize) -> usize {
    rows.div_ceil(WHOLE_TILE[0] as usize)
}

/// Workgroups of a job of `gradients`.
pub(super) fn job_groups(inputs: usize, columns: usize, slices: usize) -> usize {
    let [rows, quads] = GRADIENT_TILE;
    let tiles = inputs.div_ceil(rows as usize) * columns.div_ceil(4 * quads as usize);
    (tiles * slices).div_ceil(WIDTH as usize)
}

/// Workgroups for so many invocations.
fn groups_of(invocations: u64) -> u64 {
    invocations.div_ceil(WIDTH.into())
}

pub(super) fn embed(op: Op) -> Dispatch {
    let groups = groups_of(op.rows.into()) * u64::from(op.runs);
    Dispatch { kernel: &ENDS, entry: "embed", constants: ends_constants(), op, groups, label: "embed" }
}

pub(super) fn linear(kind: Kind, op: Op) -> Dispatch {
    let [rows, quads] = tile(kind);
    let tiles = if whole(kind) { 1 } else { op.columns.div_ceil(4 * quads) };
    let groups = groups_of(u64::from(op.rows.div_ceil(rows))) * u64::from(tiles) * u64::from(op.runs);
    Dispatch { kernel: &LINEAR, entry: "linear", constants: linear_constants(kind), op, groups, label: kind.label() }
}

pub(super) fn attend(config: &Config, entry: &'static str, op: Op) -> Dispatch {
    let blocks = u64::from(op.length.div_ceil(ATTENDED[0])) * u64::from(op.heads);
    let groups = groups_of(u64::from(op.rows / op.length) * blocks * u64::from(op.runs));
    let constants = attend_constants(config.positions == Positions::Rope);
    Dispatch { kernel: &ATTEND, entry, constants, op, groups, label: entry }
}

pub(super) fn cross_entropy(op: Op) -> Dispatch {
    let groups = groups_of(op.rows.into()) * u64::from(op.runs);
    Dispatch { kernel: &ENDS, entry: "cross_entropy", constants: ends_constants(), op, groups, label: "cross_entropy" }
}

pub(super) fn gradients(op: Op) -> Dispatch {
    let groups = u64::from(op.job_groups) * u64::from(op.runs);
    Dispatch { kernel: &GRADIENT, entry: "gradients", constants: gradient_constants(), op, groups, label: "gradients" }
}

pub(super) fn update(entry: &'static str, op: Op) -> Dispatch {
    let each = if entry == UPDATES[1] { 1 } else { u64::from(op.count) };
    let groups = groups_of(each * u64::from(op.runs));
    Dispatch { kernel: &UPDATE, entry, constants: ends_constants(), op, groups, label: entry }
}

/// Calls `with` for every pipeline of this form.
pub(super) fn for_each_pipeline<E>(
    mut with: impl FnMut(&'static Kernel, &'static str, &[(&str, u32)]) -> Result<(), E>,
) -> Result<(), E> {
    for kind in [Kind::Plain, Kind::Add, Kind::Gelu, Kind::GeluBack, Kind::NormBack, Kind::Rope] {
        with(&LINEAR, "linear", &linear_constants(kind))?;
    }
    for rope in [false, true] {
        ATTENDS.iter().try_for_each(|entry| with(&ATTEND, entry, &attend_constants(rope)))?;
    }
    for entry in ["embed", "cross_entropy"] {
        with(&ENDS, entry, &ends_constants())?;
    }
    with(&GRADIENT, "gradients", &gradient_constants())?;
    UPDATES.iter().try_for_each(|entry| with(&UPDATE, entry, &ends_constants()))
}
