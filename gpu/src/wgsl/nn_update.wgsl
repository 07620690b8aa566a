// What both forms of the update share: blocks of parameters, the verdict on a step, and AdamW.

// Mirrors `tables::Block`.
struct Block {
    first: u32,
    count: u32,
    // Where the first slice of these parameters lies, how many there are, and how far apart.
    partial: u32,
    slices: u32,
    slice: u32,
    // Of the tensor: where it begins, its shape, and whether it decays.
    tensor: u32,
    columns: u32,
    rows: u32,
    decays: u32,
}
const BLOCK_WORDS: u32 = 9u;

fn block_at(i: u32) -> Block {
    let at = op.table + i * BLOCK_WORDS;
    return Block(
        tables[at], tables[at + 1u], tables[at + 2u], tables[at + 3u], tables[at + 4u],
        tables[at + 5u], tables[at + 6u], tables[at + 7u], tables[at + 8u],
    );
}

// The comparison of bits is safe where a compiler takes all numbers for finite.
fn is_finite(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u;
}

// Takes the sums of a chunk's losses and of the gradient's squares. Behind the last chunk of a step it tells the mean loss and
// the norm of the gradient; where one of them is no number the run stops, and nothing of it changes any more.
fn settle(run: u32, losses: f32, squares: f32) {
    let note = (op.first_run + run) * NOTE_WORDS;
    let chunk = notes[note + NOTE_CHUNK];
    var sum = losses;
    if chunk > 0u {
        sum += bitcast<f32>(notes[note + NOTE_SUM]);
    }
    if chunk + 1u < op.chunks {
        notes[note + NOTE_CHUNK] = chunk + 1u;
        notes[note + NOTE_SUM] = bitcast<u32>(sum);
        return;
    }
    let counter = notes[note + NOTE_COUNTER];
    let slot = counter % RING * op.all_runs + op.first_run + run;
    let loss = sum * op.share;
    let norm = sqrt(squares);
    var go = steps[slot].on != 0u && notes[note + NOTE_STOPPED] == 0u;
    if go && !is_finite(loss) {
        notes[note + NOTE_STOPPED] = 1u;
        notes[note + NOTE_VALUE] = bitcast<u32>(loss);
        go = false;
    }
    if go && !is_finite(norm) {
        notes[note + NOTE_STOPPED] = 2u;
        notes[note + NOTE_VALUE] = bitcast<u32>(norm);
        go = false;
    }
    if go {
        notes[note + NOTE_DONE] += 1u;
        notes[note + NOTE_LOSS] = bitcast<u32>(loss);
        notes[note + NOTE_NORM] = bitcast<u32>(norm);
        var clip = 1.0;
        if steps[slot].clip > 0.0 && norm > steps[slot].clip {
            clip = steps[slot].clip / norm;
        }
        notes[note + NOTE_CLIP] = bitcast<u32>(clip);
    }
    notes[note + NOTE_GO] = select(0u, 1u, go);
    notes[op.history + slot * 2u] = bitcast<u32>(loss);
    notes[op.history + slot * 2u + 1u] = bitcast<u32>(norm);
    notes[note + NOTE_CHUNK] = 0u;
    notes[note + NOTE_COUNTER] = counter + 1u;
}

// The step that `settle` has judged.
fn settled(run: u32) -> Step {
    let counter = notes[(op.first_run + run) * NOTE_WORDS + NOTE_COUNTER] - 1u;
    return steps[counter % RING * op.all_runs + op.first_run + run];
}

// As `surprisal_core::nn::Moments::step`; a matrix is written a second time, transposed.
fn nudge(run: u32, block: Block, step: Step, clip: f32, i: u32) {
    let first = (op.first_run + run) * 3u * op.parameters + i;
    let second = first + op.parameters;
    let at = weights_of(run) + i;
    let g = moments[second + op.parameters] * clip;
    var m = moments[first];
    var v = moments[second];
    m += step.forget_first * (g - m);
    v += step.forget_second * (g * g - v);
    let keep = select(1.0, step.keep, block.decays != 0u);
    let x = weights[at] * keep - step.size * m / (sqrt(v) * step.spread + step.epsilon);
    moments[first] = m;
    moments[second] = v;
    weights[at] = x;
    let cell = i - block.tensor;
    let turned = cell % block.columns * block.rows + cell / block.columns;
    weights[weights_of(run) + op.parameters + block.tensor + turned] = x;
}
