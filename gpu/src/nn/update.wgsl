// From slices of the gradient to new parameters: `gather` adds the slices, `judge` decides whether the step is good,
// `adamw` makes it. Blocks of THREADS parameters of one tensor each stand in the tables from `table` on.

#import "nn"

@group(0) @binding(0) var<storage, read_write> weights: array<f32>;

// Mirrors `plan::Block`.
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

var<workgroup> sums: array<vec2<f32>, THREADS>;

fn block_at(i: u32) -> Block {
    let at = op.table + i * BLOCK_WORDS;
    return Block(
        tables[at], tables[at + 1u], tables[at + 2u], tables[at + 3u], tables[at + 4u],
        tables[at + 5u], tables[at + 6u], tables[at + 7u], tables[at + 8u],
    );
}

// The sum over all threads, by halves.
fn fold(local: u32, x: vec2<f32>) -> vec2<f32> {
    sums[local] = x;
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if local < half {
            sums[local] += sums[local + half];
        }
    }
    workgroupBarrier();
    return sums[0];
}

// The comparison of bits is safe where a compiler takes all numbers for finite.
fn is_finite(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u;
}

@compute @workgroup_size(THREADS)
fn gather(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = index_of(group, groups);
    let run = index / op.count;
    if run >= op.runs {
        return;
    }
    let number = index % op.count;
    let block = block_at(number);
    let base = arena_of(run);
    var g = 0.0;
    if local < block.count {
        let at = base + block.partial + local;
        for (var s = 0u; s < block.slices; s++) {
            g += arena[at + s * block.slice];
        }
        let dest = (op.first_run + run) * 3u * op.parameters + 2u * op.parameters + block.first + local;
        if notes[(op.first_run + run) * NOTE_WORDS + NOTE_CHUNK] != 0u {
            g += moments[dest];
        }
        moments[dest] = g;
    }
    let sum = fold(local, vec2<f32>(g * g, 0.0)).x;
    if local == 0u {
        arena[base + op.squares + number] = sum;
    }
}

// One workgroup a run. Behind the last chunk of a step it tells the mean loss and the norm of the gradient; where one of
// them is no number the run stops, and nothing of it changes any more.
@compute @workgroup_size(THREADS)
fn judge(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let run = index_of(group, groups);
    if run >= op.runs {
        return;
    }
    let base = arena_of(run);
    var both = vec2<f32>();
    for (var i = local; i < op.rows; i += THREADS) {
        both.x += arena[base + op.losses + i];
    }
    for (var i = local; i < op.count; i += THREADS) {
        both.y += arena[base + op.squares + i];
    }
    both = fold(local, both);
    if local != 0u {
        return;
    }
    let note = (op.first_run + run) * NOTE_WORDS;
    let chunk = notes[note + NOTE_CHUNK];
    var sum = both.x;
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
    let norm = sqrt(both.y);
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

// As `surprisal_core::nn::Moments::step`; a matrix is written a second time, transposed.
@compute @workgroup_size(THREADS)
fn adamw(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = index_of(group, groups);
    let run = index / op.count;
    if run >= op.runs {
        return;
    }
    let note = (op.first_run + run) * NOTE_WORDS;
    let block = block_at(index % op.count);
    if notes[note + NOTE_GO] == 0u || local >= block.count {
        return;
    }
    let step = steps[(notes[note + NOTE_COUNTER] - 1u) % RING * op.all_runs + op.first_run + run];
    let i = block.first + local;
    let first = (op.first_run + run) * 3u * op.parameters + i;
    let second = first + op.parameters;
    let at = weights_of(run) + i;
    let g = moments[second + op.parameters] * bitcast<f32>(notes[note + NOTE_CLIP]);
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
