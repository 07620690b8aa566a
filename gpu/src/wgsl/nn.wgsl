// What the kernels of networks share. The buffers, in the order of their bindings:
//
// weights  a run after the other: all parameters, then all of them again with every matrix transposed
// moments  a run after the other: the two moments of AdamW, the gradient; in an evaluation the losses
// arena    a run after the other: what a step leaves between its dispatches
// notes    a run after the other 16 words (see `note_*`); the losses of the last steps; ids and targets
// tokens   the texts
// steps    a ring of steps, each a run after the other
// tables   jobs, blocks, and the turns of rotary positions
// op       what this dispatch is about

// Mirrors `plan::Op`. Offsets count 32-bit words from the beginning of a run's part.
struct Op {
    // Rows (tokens) of a run, tokens of a sequence, and which runs.
    rows: u32,
    length: u32,
    first_run: u32,
    runs: u32,
    // Words of a run in the arena, parameters of a run, runs there are, keys that a query sees.
    arena_stride: u32,
    parameters: u32,
    all_runs: u32,
    window: u32,
    // dest[rows, columns] = source[rows, inner] weight[inner, columns].
    inner: u32,
    columns: u32,
    source: u32,
    weight: u32,
    bias: u32,
    dest: u32,
    // What is added, and what GELU made: before and after.
    residual: u32,
    before: u32,
    // Layer norm: its gain and bias, its input, mean and 1/deviation of each row, its output, sums for its gradient.
    gain: u32,
    norm_bias: u32,
    norm_input: u32,
    stats: u32,
    normed: u32,
    partial: u32,
    // Attention.
    width: u32,
    heads: u32,
    qkv: u32,
    attended: u32,
    lse: u32,
    delta: u32,
    dattended: u32,
    dqkv: u32,
    // Where things lie in notes, arena and tables.
    ids: u32,
    losses: u32,
    squares: u32,
    history: u32,
    table: u32,
    count: u32,
    // Chunks of a step, sequences of a chunk, the first sequence of an evaluation, and whether it is one.
    chunks: u32,
    sequences: u32,
    first_sequence: u32,
    evaluating: u32,
    // The share of a token in the mean loss.
    share: f32,
    vocabulary: u32,
    // Workgroups of a run in `gradients`.
    job_groups: u32,
    // Rows of an invocation of `plain/linear.wgsl`.
    block: u32,
}

// Mirrors `group::Step`.
struct Step {
    step: vec2<u32>,
    key: vec2<u32>,
    run: u32,
    places: u32,
    text: u32,
    on: u32,
    // AdamW: rate / bias 1, 1 / sqrt(bias 2), 1 - rate decay, 1 - beta 1, 1 - beta 2.
    size: f32,
    spread: f32,
    keep: f32,
    forget_first: f32,
    forget_second: f32,
    epsilon: f32,
    // The largest norm; 0 for any.
    clip: f32,
    unused_0: u32,
}

@group(0) @binding(1) var<storage, read_write> moments: array<f32>;
@group(0) @binding(2) var<storage, read_write> arena: array<f32>;
@group(0) @binding(3) var<storage, read_write> notes: array<u32>;
@group(0) @binding(4) var<storage, read> tokens: array<u32>;
@group(0) @binding(5) var<storage, read> steps: array<Step>;
@group(0) @binding(6) var<storage, read> tables: array<u32>;
@group(0) @binding(7) var<uniform> op: Op;

const NONE: u32 = 0xffffffffu;

// The words of a run in the notes.
const NOTE_WORDS: u32 = 16u;
const NOTE_COUNTER: u32 = 0u;
const NOTE_CHUNK: u32 = 1u;
const NOTE_SUM: u32 = 2u;
const NOTE_STOPPED: u32 = 3u;
const NOTE_VALUE: u32 = 4u;
const NOTE_DONE: u32 = 5u;
const NOTE_LOSS: u32 = 6u;
const NOTE_NORM: u32 = 7u;
const NOTE_GO: u32 = 8u;
const NOTE_CLIP: u32 = 9u;

// Beyond 65535 workgroups a dispatch has a second dimension.
fn index_of(group: vec3<u32>, groups: vec3<u32>) -> u32 {
    return group.y * groups.x + group.x;
}

// Where a run's part of the arena and of the weights begins.
fn arena_of(run: u32) -> u32 {
    return (op.first_run + run) * op.arena_stride;
}

fn weights_of(run: u32) -> u32 {
    return (op.first_run + run) * 2u * op.parameters;
}

// Which of the threads of a column this one is. Said so that a compiler sees where all threads read the same address.
fn share_of(local: u32, width: u32, columns: u32) -> u32 {
    if width == columns {
        return 0u;
    }
    return local / columns;
}
