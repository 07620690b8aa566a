//! The form of the kernels in which every invocation works alone in registers: for adapters on which workgroups meet at
//! great cost.

use surprisal_core::nn::{Config, Gpt, Positions};

use super::{ATTENDS, Dispatch, Kind, Op, RING, UPDATES, word, workgroup::SLICE_WORDS};
use crate::kernels::Kernel;

/// Invocations of a workgroup; of one that makes products, of which there are few.
const WIDTH: u32 = 16;
const PRODUCT_WIDTH: u32 = 4;
/// Fours of columns of a product that an invocation makes.
const QUADS: u32 = 4;
/// Rows of an invocation of a product: at most, and where it makes whole rows.
const ROWS: u32 = 128;
const WHOLE_ROWS: u32 = 64;
/// Inputs of an invocation of a gradient: what networks are wide, and their bias.
const INPUTS: u32 = 65;
/// Queries of an invocation, and fours of keys that it looks at together; or keys, and fours of queries.
const ATTENDED: [u32; 2] = [4, 2];
/// Parameters of a block of the update.
pub(super) const BLOCK: usize = 64;
/// Rows of a slice at least, and slices at most.
const SLICE_ROWS: usize = 256;
const SLICES: usize = 16;

/// How an invocation of a product keeps its weights. The numbers that come out are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::nn) enum Kept {
    /// In a private array that a loop fills.
    Array,
    /// In one of a quarter of the size, with every place written out, so that it is no array for the compiler.
    Registers,
}

impl Kept {
    /// What suits the adapter of this name. Mesa's llvmpipe makes a coroutine of every kernel, in a time that is quadratic
    /// in the uses of an array: minutes for one of these.
    pub(in crate::nn) fn of(adapter: &str) -> Self {
        if adapter.contains("llvmpipe") { Self::Registers } else { Self::Array }
    }

    /// Fours of the weights that are kept for a column, at most.
    const fn fours(self) -> u32 {
        match self {
            Self::Array => 16,
            Self::Registers => 4,
        }
    }

    /// How chunks of so many fours are filled.
    fn filled(self, fours: u32) -> [(&'static str, u32); 3] {
        let [written, loops] = match self {
            Self::Array => [0, 1],
            Self::Registers => [4 * fours, 0],
        };
        [("FOURS", fours), ("WRITTEN", written), ("LOOPS", loops)]
    }
}

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

/// Rows of an invocation: enough to be worth the weights that it reads, few enough to keep all processors busy.
fn block(kind: Kind, rows: u32) -> u32 {
    if whole(kind) { whole_block(rows) } else { rows.div_ceil(2 * PRODUCT_WIDTH).clamp(1, ROWS) }
}

fn whole_block(rows: u32) -> u32 {
    rows.div_ceil(4 * PRODUCT_WIDTH).clamp(1, WHOLE_ROWS)
}

fn linear_constants(kept: Kept, kind: Kind, inner: u32) -> Vec<(&'static str, u32)> {
    // Not more than there are.
    let fours = inner.next_power_of_two().div_ceil(4).clamp(4, kept.fours());
    let fixed = [
        ("KIND", kind as u32),
        ("WHOLE", u32::from(whole(kind))),
        ("ROWS", WHOLE_ROWS),
        ("QUADS", QUADS),
        ("WIDTH", PRODUCT_WIDTH),
        ("ONE", u32::from(inner <= 4 * fours)),
    ];
    fixed.into_iter().chain(kept.filled(fours)).collect()
}

fn attend_constants(rope: bool) -> Vec<(&'static str, u32)> {
    vec![("ROPE", u32::from(rope)), ("ROWS", ATTENDED[0]), ("QUADS", ATTENDED[1]), ("WIDTH", WIDTH)]
}

fn ends_constants() -> Vec<(&'static str, u32)> {
    vec![("WIDTH", WIDTH), ("RING", RING)]
}

/// For slices of so many rows.
fn gradient_constants(kept: Kept, rows: u32) -> Vec<(&'static str, u32)> {
    let one = u32::from(rows <= 4 * kept.fours());
    let fixed = [("INPUTS", INPUTS), ("QUADS", QUADS), ("ONE", one), ("WIDTH", PRODUCT_WIDTH)];
    fixed.into_iter().chain(kept.filled(kept.fours())).collect()
}

/// Slices of the gradient of a matrix over so many rows, and the rows of a slice.
pub(super) fn slices(gpt: &Gpt, rows: usize) -> (usize, usize) {
    let most = (SLICE_WORDS / gpt.layout().len()).clamp(1, SLICES);
    let each = rows.div_ceil((rows / SLICE_ROWS).clamp(1, most));
    (rows.div_ceil(each), each)
}

/// Slices of the gradient of a norm: one an invocation of `linear.wgsl` that makes whole rows.
pub(super) fn norm_slices(rows: usize) -> usize {
    rows.div_ceil(whole_block(word(rows)) as usize)
}

/// Workgroups of a job of `gradients`.
pub(super) fn job_groups(inputs: usize, columns: usize, slices: usize) -> usize {
    let tiles = inputs.div_ceil(INPUTS as usize) * columns.div_ceil(4 * QUADS as usize);
    (tiles * slices).div_ceil(PRODUCT_WIDTH as usize)
}

/// Workgroups for so many invocations.
fn groups_of(invocations: u64) -> u64 {
    invocations.div_ceil(WIDTH.into())
}

pub(super) fn embed(op: Op) -> Dispatch {
    let groups = groups_of(op.rows.into()) * u64::from(op.runs);
    Dispatch { kernel: &ENDS, entry: "embed", constants: ends_constants(), op, groups, label: "embed" }
}

pub(super) fn linear(kept: Kept, kind: Kind, op: Op) -> Dispatch {
    let op = Op { block: block(kind, op.rows), ..op };
    let tiles = if whole(kind) { 1 } else { op.columns.div_ceil(4 * QUADS) };
    let blocks = op.rows.div_ceil(op.block).div_ceil(PRODUCT_WIDTH);
    let groups = u64::from(blocks) * u64::from(tiles) * u64::from(op.runs);
    let constants = linear_constants(kept, kind, op.inner);
    Dispatch { kernel: &LINEAR, entry: "linear", constants, op, groups, label: kind.label() }
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

pub(super) fn gradients(kept: Kept, gpt: &Gpt, op: Op) -> Dispatch {
    let groups = u64::from(op.job_groups) * u64::from(op.runs);
    let constants = gradient_constants(kept, word(slices(gpt, op.rows as usize).1));
    Dispatch { kernel: &GRADIENT, entry: "gradients", constants, op, groups, label: "gradients" }
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
    for kept in [Kept::Array, Kept::Registers] {
        for kind in [Kind::Plain, Kind::Add, Kind::Gelu, Kind::GeluBack, Kind::NormBack, Kind::Rope] {
            for inner in [16, 32, 64, 65].into_iter().filter(|inner| *inner <= 4 * kept.fours() || *inner == 65) {
                with(&LINEAR, "linear", &linear_constants(kept, kind, inner))?;
            }
        }
        for rows in [4 * kept.fours(), 4 * kept.fours() + 1] {
            with(&GRADIENT, "gradients", &gradient_constants(kept, rows))?;
        }
    }
    for rope in [false, true] {
        ATTENDS.iter().try_for_each(|entry| with(&ATTEND, entry, &attend_constants(rope)))?;
    }
    for entry in ["embed", "cross_entropy"] {
        with(&ENDS, entry, &ends_constants())?;
    }
    UPDATES.iter().try_for_each(|entry| with(&UPDATE, entry, &ends_constants()))
}
