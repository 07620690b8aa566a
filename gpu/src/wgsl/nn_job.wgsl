// The gradients that `gradients` makes: dW[inputs, columns] = sum over rows of X[row, input] dY[row, column]. They stand at the
// beginning of the tables.

// What X is: numbers of the arena, and 1 behind them for the bias; 1 at the row's own token. Of a place there is no X:
// dY is added up over the sequences.
const MATRIX: u32 = 0u;
const TOKENS: u32 = 1u;
const PLACES: u32 = 2u;

// Mirrors `tables::Job`.
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
const JOB_WORDS: u32 = 10u;

// The job of a workgroup.
fn job_of(group: u32) -> Job {
    var i = 0u;
    while i + 1u < op.count && tables[(i + 1u) * JOB_WORDS] <= group {
        i++;
    }
    let at = i * JOB_WORDS;
    return Job(
        tables[at], tables[at + 1u], tables[at + 2u], tables[at + 3u], tables[at + 4u],
        tables[at + 5u], tables[at + 6u], tables[at + 7u], tables[at + 8u], tables[at + 9u],
    );
}
