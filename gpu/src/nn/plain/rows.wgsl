// The two ends of a transformer as in `../rows.wgsl`: one invocation a row.

#import "nn"
#import "nn_norm"
#import "nn_window"
#import "random"

@group(0) @binding(0) var<storage, read> weights: array<f32>;

struct Place {
    run: u32,
    row: u32,
    there: bool,
}

fn place_of(index: u32, local: u32) -> Place {
    let blocks = (op.rows + WIDTH - 1u) / WIDTH;
    let run = index / blocks;
    let row = index % blocks * WIDTH + local;
    return Place(run, row, run < op.runs && row < op.rows);
}

// Finds the window, notes id and target, adds the vectors of token and place; and the first norm of them.
@compute @workgroup_size(WIDTH)
fn embed(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let place = place_of(index_of(group, groups), local);
    if !place.there {
        return;
    }
    let base = arena_of(place.run);
    let weight_base = weights_of(place.run);
    let token = weight_base + op.weight + id_of(place.run, place.row) * op.width;
    let spot = weight_base + op.bias + place.row % op.length * op.width;
    let dest = base + op.dest + place.row * op.width;
    for (var c = 0u; c < op.width; c++) {
        var x = weights[token + c];
        if op.bias != NONE {
            x += weights[spot + c];
        }
        arena[dest + c] = x;
    }
    norm_row(base, weight_base, place.row, dest, op.width);
}

// The loss of each row; in training the logits become their gradients.
@compute @workgroup_size(WIDTH)
fn cross_entropy(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let place = place_of(index_of(group, groups), local);
    if !place.there {
        return;
    }
    let base = arena_of(place.run);
    let at = base + op.source + place.row * op.vocabulary;
    let goal = notes[op.ids + ((op.first_run + place.run) * op.rows + place.row) * 2u + 1u];
    let wanted = arena[at + goal];
    var most = -1e30;
    for (var c = 0u; c < op.vocabulary; c++) {
        most = max(most, arena[at + c]);
    }
    // Sums of 64 first: one running sum over a large vocabulary would lose digits.
    var sum = 0.0;
    for (var begin = 0u; begin < op.vocabulary; begin += 64u) {
        var part = 0.0;
        for (var c = begin; c < min(begin + 64u, op.vocabulary); c++) {
            let e = exp(arena[at + c] - most);
            arena[at + c] = e;
            part += e;
        }
        sum += part;
    }
    let loss = log_of(sum) - (wanted - most);
    if op.evaluating != 0u {
        moments[op.first_sequence * op.length + place.row] = loss;
        return;
    }
    arena[base + op.losses + place.row] = loss;
    let each = op.share / sum;
    for (var c = 0u; c < op.vocabulary; c++) {
        arena[at + c] = arena[at + c] * each - select(0.0, op.share, c == goal);
    }
}
