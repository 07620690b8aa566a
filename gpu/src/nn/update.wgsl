// From slices of the gradient to new parameters: `gather` adds the slices, `judge` decides whether the step is good,
// `adamw` makes it. Blocks of THREADS parameters of one tensor each stand in the tables from `table` on.

#import "nn"
#import "nn_update"

@group(0) @binding(0) var<storage, read_write> weights: array<f32>;

var<workgroup> sums: array<vec2<f32>, THREADS>;

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

// One workgroup a run.
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
    if local == 0u {
        settle(run, both.x, both.y);
    }
}

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
    nudge(run, block, settled(run), bitcast<f32>(notes[note + NOTE_CLIP]), block.first + local);
}
