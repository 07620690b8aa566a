// A fold of u32 values in two levels: their sum as a u64, the smallest, or the largest.
//
// Reads   input      the values
// Writes  partials   one (low, high) a workgroup; the result behind the last of them
//
// The grid is fixed, so the order of the fold does not depend on the adapter.

struct Fold {
    count: u32,
    unused_0: u32,
    unused_1: u32,
    unused_2: u32,
}

@group(0) @binding(0) var<storage, read> input: array<u32>;
@group(0) @binding(1) var<storage, read_write> partials: array<vec2<u32>>;
@group(0) @binding(2) var<uniform> fold: Fold;

var<workgroup> tree: array<vec2<u32>, THREADS>;

// What changes nothing: 0 for the sum and the largest, u32::MAX for the smallest.
fn identity() -> vec2<u32> {
    return vec2<u32>(select(0u, 0xffffffffu, OP == OP_MIN), 0u);
}

fn merge(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    if OP == OP_SUM {
        let low = a.x + b.x;
        return vec2<u32>(low, a.y + b.y + select(0u, 1u, low < a.x));
    }
    if OP == OP_MIN {
        return min(a, b);
    }
    return max(a, b);
}

// Halves the workgroup's values until one is left, in tree[0].
fn fold_tree(local: u32, own: vec2<u32>) {
    tree[local] = own;
    workgroupBarrier();
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
        if local < half {
            tree[local] = merge(tree[local], tree[local + half]);
        }
        workgroupBarrier();
    }
}

@compute @workgroup_size(THREADS)
fn fold_values(
    @builtin(global_invocation_id) thread: vec3<u32>,
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    var own = identity();
    for (var i = thread.x; i < fold.count; i += GROUPS * THREADS) {
        own = merge(own, vec2<u32>(input[i], 0u));
    }
    fold_tree(local, own);
    if local == 0u {
        partials[group.x] = tree[0];
    }
}

@compute @workgroup_size(THREADS)
fn fold_partials(@builtin(local_invocation_index) local: u32) {
    var own = identity();
    for (var i = local; i < GROUPS; i += THREADS) {
        own = merge(own, partials[i]);
    }
    fold_tree(local, own);
    if local == 0u {
        partials[GROUPS] = tree[0];
    }
}
