// The exclusive prefix sum of u32 counts, in two dispatches: the sum of each tile, then each tile from the sum of
// those before it, which its workgroup adds up itself. The counts are set to 0 on the way, for the next step.
//
// Reads, clears  counts
// Writes         starts   one more than there are counts: the last is the total
//                sums     one a tile

struct Scan {
    count: u32,
    unused_0: u32,
    unused_1: u32,
    unused_2: u32,
}

@group(0) @binding(0) var<storage, read_write> counts: array<u32>;
@group(0) @binding(1) var<storage, read_write> starts: array<u32>;
@group(0) @binding(2) var<storage, read_write> sums: array<u32>;
@group(0) @binding(3) var<uniform> scan: Scan;

const TILE: u32 = THREADS * EACH;

var<workgroup> tree: array<u32, THREADS>;

// The sum of everybody's `own`, for all.
fn total_of(local: u32, own: u32) -> u32 {
    tree[local] = own;
    workgroupBarrier();
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
        if local < half {
            tree[local] += tree[local + half];
        }
        workgroupBarrier();
    }
    let total = tree[0];
    workgroupBarrier();
    return total;
}

@compute @workgroup_size(THREADS)
fn scan_sums(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let tile = group.y * groups.x + group.x;
    var own = 0u;
    for (var k = 0u; k < EACH; k++) {
        let i = tile * TILE + k * THREADS + local;
        if i < scan.count {
            own += counts[i];
        }
    }
    let total = total_of(local, own);
    if local == 0u && tile * TILE < scan.count {
        sums[tile] = total;
    }
}

@compute @workgroup_size(THREADS)
fn scan_tiles(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let tile = group.y * groups.x + group.x;
    let tiles = (scan.count + TILE - 1u) / TILE;
    var before = 0u;
    for (var t = local; t < min(tile, tiles); t += THREADS) {
        before += sums[t];
    }
    let offset = total_of(local, before);

    let first = tile * TILE + local * EACH;
    var own = 0u;
    #repeat k 0 EACH
    var count_$k = 0u;
    if first + $ku < scan.count {
        count_$k = counts[first + $ku];
        counts[first + $ku] = 0u;
    }
    own += count_$k;
    #end
    // Hillis and Steele over the threads' sums.
    tree[local] = own;
    workgroupBarrier();
    for (var reach = 1u; reach < THREADS; reach *= 2u) {
        var other = 0u;
        if local >= reach {
            other = tree[local - reach];
        }
        workgroupBarrier();
        tree[local] += other;
        workgroupBarrier();
    }
    var start = offset + tree[local] - own;
    #repeat k 0 EACH
    if first + $ku < scan.count {
        starts[first + $ku] = start;
        start += count_$k;
        if first + $ku == scan.count - 1u {
            starts[scan.count] = start;
        }
    }
    #end
}
