// The two ends of a transformer: tokens to vectors, logits to losses and their gradients.
//
// LANES  threads that share a row of logits

#import "nn"
#import "nn_window"
#import "random"

@group(0) @binding(0) var<storage, read> weights: array<f32>;

const WIDTH: u32 = 64u;
const ROWS: u32 = 16u;

var<workgroup> ids: array<u32, ROWS>;
var<workgroup> parts: array<f32, WIDTH>;

// Sixteen rows: finds the windows, notes ids and targets, and adds the vectors of token and place.
@compute @workgroup_size(WIDTH)
fn embed(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let blocks = (op.rows + ROWS - 1u) / ROWS;
    let index = index_of(group, groups);
    let run = index / blocks;
    if run >= op.runs {
        return;
    }
    let first = index % blocks * ROWS;
    if local < ROWS && first + local < op.rows {
        let row = first + local;
        ids[local] = id_of(run, row);
    }
    workgroupBarrier();
    let base = arena_of(run);
    let weight_base = weights_of(run);
    for (var i = local; i < ROWS * op.width; i += WIDTH) {
        let r = i / op.width;
        let c = i % op.width;
        let row = first + r;
        if row < op.rows {
            var x = weights[weight_base + op.weight + ids[r] * op.width + c];
            if op.bias != NONE {
                x += weights[weight_base + op.bias + row % op.length * op.width + c];
            }
            arena[base + op.dest + row * op.width + c] = x;
        }
    }
}

fn over_lanes(local: u32, largest: bool) -> f32 {
    let first = local / LANES * LANES;
    var all = parts[first];
    for (var lane = 1u; lane < LANES; lane++) {
        let part = parts[first + lane];
        all = select(all + part, max(all, part), largest);
    }
    return all;
}

// The loss of each row; in training the logits become their gradients.
@compute @workgroup_size(WIDTH)
fn cross_entropy(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let rows_here = WIDTH / LANES;
    let blocks = (op.rows + rows_here - 1u) / rows_here;
    let index = index_of(group, groups);
    let run = index / blocks;
    if run >= op.runs {
        return;
    }
    let row = index % blocks * rows_here + local / LANES;
    let known = min(row, op.rows - 1u);
    let lane = local % LANES;
    let base = arena_of(run);
    let at = base + op.source + known * op.vocabulary;
    let goal = notes[op.ids + ((op.first_run + run) * op.rows + known) * 2u + 1u];
    let wanted = arena[at + goal];
    var most = -1e30;
    for (var c = lane; c < op.vocabulary; c += LANES) {
        most = max(most, arena[at + c]);
    }
    parts[local] = most;
    workgroupBarrier();
    most = over_lanes(local, true);
    workgroupBarrier();
    var sum = 0.0;
    for (var c = lane; c < op.vocabulary; c += LANES) {
        let e = exp(arena[at + c] - most);
        sum += e;
    }
    parts[local] = sum;
    workgroupBarrier();
    sum = over_lanes(local, false);
    if row >= op.rows {
        return;
    }
    if lane == 0u {
        let loss = log_of(sum) - (wanted - most);
        if op.evaluating == 0u {
            arena[base + op.losses + row] = loss;
        } else {
            moments[op.first_sequence * op.length + row] = loss;
        }
    }
    if op.evaluating == 0u {
        let each = op.share / sum;
        for (var c = lane; c < op.vocabulary; c += LANES) {
            arena[at + c] = exp(arena[at + c] - most) * each - select(0.0, op.share, c == goal);
        }
    }
}
