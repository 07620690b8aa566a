// For each template, how many templates match it over M values and over M + 1 values, itself included.
//
// Templates are sorted by the rank of coordinate 0, so those that match template i there are a window of the
// sorted order. A workgroup owns a block of THREADS sorted templates and walks tiles of as many templates that
// cover the union of their windows; each thread counts over its whole tile with its window as one more test.
//
// Reads   items     what each workgroup does: (block, first tile, tile after the last, 0)
//         windows   per template (first sorted position, number of positions) that match in coordinate 0
//         ranks     coordinates 1..=M, four templates a vector: coordinate k of templates 4q.. at (k−1)·quads + q
//         runs      coordinates 1..=M, (low, width): coordinate k of template t at (k−1)·padded + t
// Adds    matches   over M values at t, over M + 1 values at padded + t
//
// All arrays are padded to whole blocks; a padding template has an empty window and lies in nobody's.

struct Batch {
    // The first of the items of this dispatch, one a workgroup.
    first: u32,
    // The number of templates with padding.
    padded: u32,
    unused_0: u32,
    unused_1: u32,
}

@group(0) @binding(0) var<storage, read> items: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> windows: array<vec2<u32>>;
@group(0) @binding(2) var<storage, read> ranks: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> runs: array<vec2<u32>>;
@group(0) @binding(4) var<storage, read_write> matches: array<atomic<u32>>;
@group(0) @binding(5) var<uniform> batch: Batch;

const TILE_QUADS: u32 = THREADS / 4u;

var<workgroup> tile: array<vec4<u32>, TILE_QUADS * M>;

@compute @workgroup_size(THREADS)
fn count_matches(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let item = items[batch.first + group.x];
    let i = item.x * THREADS + local;
    let window = windows[i];
    #repeat k 1 M+1
    let run_$k = runs[($ku - 1u) * batch.padded + i];
    #end

    var shorter = vec4<u32>(0u);
    var longer = vec4<u32>(0u);
    for (var t = item.y; t < item.z; t++) {
        workgroupBarrier();
        for (var w = local; w < TILE_QUADS * M; w += THREADS) {
            tile[w] = ranks[(w / TILE_QUADS) * (batch.padded / 4u) + t * TILE_QUADS + w % TILE_QUADS];
        }
        workgroupBarrier();
        for (var q = 0u; q < TILE_QUADS; q++) {
            let j = vec4<u32>(0u, 1u, 2u, 3u) + (t * THREADS + 4u * q - window.x);
            var hit = j < vec4<u32>(window.y);
            #repeat k 1 M
            hit = hit & ((tile[($ku - 1u) * TILE_QUADS + q] - run_$k.x) <= vec4<u32>(run_$k.y));
            #end
            shorter += select(vec4<u32>(0u), vec4<u32>(1u), hit);
            #repeat k M M+1
            hit = hit & ((tile[($ku - 1u) * TILE_QUADS + q] - run_$k.x) <= vec4<u32>(run_$k.y));
            #end
            longer += select(vec4<u32>(0u), vec4<u32>(1u), hit);
        }
    }

    // Several workgroups share a block; sums of integers do not depend on who comes first.
    let sum = vec2<u32>(
        shorter.x + shorter.y + shorter.z + shorter.w,
        longer.x + longer.y + longer.z + longer.w,
    );
    if sum.x != 0u {
        atomicAdd(&matches[i], sum.x);
    }
    if sum.y != 0u {
        atomicAdd(&matches[batch.padded + i], sum.y);
    }
}
