// From slices of the gradient to new parameters as in `../update.wgsl`: one invocation a block of parameters.

#import "nn"
#import "nn_update"

@group(0) @binding(0) var<storage, read_write> weights: array<f32>;

// Terms of a sum that are added up before they join the others: one running sum would lose digits.
const TERMS: u32 = 64u;

@compute @workgroup_size(WIDTH)
fn gather(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = index_of(group, groups) * WIDTH + local;
    let run = index / op.count;
    if run >= op.runs {
        return;
    }
    let number = index % op.count;
    let block = block_at(number);
    let at = arena_of(run) + block.partial;
    let dest = (op.first_run + run) * 3u * op.parameters + 2u * op.parameters + block.first;
    let later = notes[(op.first_run + run) * NOTE_WORDS + NOTE_CHUNK] != 0u;
    var squares = 0.0;
    for (var i = 0u; i < block.count; i++) {
        var g = 0.0;
        for (var s = 0u; s < block.slices; s++) {
            g += arena[at + s * block.slice + i];
        }
        if later {
            g += moments[dest + i];
        }
        moments[dest + i] = g;
        squares += g * g;
    }
    arena[arena_of(run) + op.squares + number] = squares;
}

fn total(at: u32, count: u32) -> f32 {
    var sum = 0.0;
    for (var first = 0u; first < count; first += TERMS) {
        var part = 0.0;
        for (var i = first; i < min(first + TERMS, count); i++) {
            part += arena[at + i];
        }
        sum += part;
    }
    return sum;
}

// One invocation a run.
@compute @workgroup_size(WIDTH)
fn judge(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let run = index_of(group, groups) * WIDTH + local;
    if run < op.runs {
        let base = arena_of(run);
        settle(run, total(base + op.losses, op.rows), total(base + op.squares, op.count));
    }
}

@compute @workgroup_size(WIDTH)
fn adamw(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = index_of(group, groups) * WIDTH + local;
    let run = index / op.count;
    let note = (op.first_run + run) * NOTE_WORDS;
    if run >= op.runs || notes[note + NOTE_GO] == 0u {
        return;
    }
    let block = block_at(index % op.count);
    let step = settled(run);
    let clip = bitcast<f32>(notes[note + NOTE_CLIP]);
    for (var i = 0u; i < block.count; i++) {
        nudge(run, block, step, clip, block.first + i);
    }
}
