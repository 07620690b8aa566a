// From the fish of all replicas, in their own order, to lists of the fish in each cell.
//
// 1. `bound_parts`, `bound_grid`: in open water, the box about each replica and its grid
// 2. `count_cells`: each fish's cell, and which of those in the cell it came as (this depends on chance)
// 3. (the scan: where each cell's list starts)
// 4. fast: `scatter`; reproducible: `scatter_ids`, then `gather`, which puts each cell's fish into ascending order
//    by counting, for each, those of the cell with a smaller id
// `copy_all` is for all pairs: no cells.
//
// Positions outside the grid count for its outermost cells. Two fish are then never more cells apart than they were,
// so that a walk over adjacent cells finds every neighbour even where the box is an old one.

#import "batch"
#import "swarm_types"

@group(0) @binding(0) var<storage, read> setups: array<Setup>;
@group(0) @binding(1) var<storage, read> school: array<Fish>;
@group(0) @binding(2) var<storage, read_write> grids: array<Grid>;
@group(0) @binding(3) var<storage, read_write> parts: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> counts: array<atomic<u32>>;
@group(0) @binding(5) var<storage, read_write> slots: array<vec2<u32>>;
@group(0) @binding(6) var<uniform> batch: Batch;

var<workgroup> low: array<vec3<f32>, THREADS>;
var<workgroup> high: array<vec3<f32>, THREADS>;

@compute @workgroup_size(THREADS)
fn bound_parts(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let g = group_of(group, groups);
    let replica = min(g / batch.parts, batch.replicas - 1u);
    let first = replica * batch.count;
    // The first fish: one value of the set changes neither its smallest nor its largest.
    var least = school[first].position;
    var most = least;
    for (var i = (g % batch.parts) * THREADS + local; i < batch.count; i += batch.parts * THREADS) {
        least = min(least, school[first + i].position);
        most = max(most, school[first + i].position);
    }
    low[local] = least;
    high[local] = most;
    workgroupBarrier();
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
        if local < half {
            low[local] = min(low[local], low[local + half]);
            high[local] = max(high[local], high[local + half]);
        }
        workgroupBarrier();
    }
    if local == 0u && g < batch.parts * batch.replicas {
        parts[2u * g] = vec4<f32>(low[0], 0.0);
        parts[2u * g + 1u] = vec4<f32>(high[0], 0.0);
    }
}

@compute @workgroup_size(THREADS)
fn bound_grid(@builtin(global_invocation_id) thread: vec3<u32>) {
    let replica = thread.x;
    if replica >= batch.replicas || setups[replica].boundary != OPEN {
        return;
    }
    var least = parts[2u * replica * batch.parts].xyz;
    var most = parts[2u * replica * batch.parts + 1u].xyz;
    for (var p = 1u; p < batch.parts; p++) {
        least = min(least, parts[2u * (replica * batch.parts + p)].xyz);
        most = max(most, parts[2u * (replica * batch.parts + p) + 1u].xyz);
    }
    let extent = most - least;
    let longest = max(max(extent.x, extent.y), max(extent.z, 1e-30));
    // So many cells along an axis at most: what is counted stays far inside f32 and u32.
    var edge = max(setups[replica].reach * f32(MARGIN) / 1000.0, longest / f32(MOST_CELLS));
    var cells = floor(extent / edge) + 1.0;
    for (var k = 0u; k < 64u; k++) {
        if cells.x * cells.y * cells.z <= f32(batch.cells) {
            break;
        }
        edge *= 1.25;
        cells = floor(extent / edge) + 1.0;
    }
    grids[replica] = Grid(least, 1.0 / edge, vec3<u32>(cells), replica * batch.cells);
}

fn cell_of(grid: Grid, position: vec3<f32>) -> u32 {
    let c = vec3<u32>(clamp((position - grid.origin) * grid.per_edge, vec3<f32>(0.0), vec3<f32>(grid.cells - 1u)));
    return grid.first + (c.z * grid.cells.y + c.y) * grid.cells.x + c.x;
}

@compute @workgroup_size(THREADS)
fn count_cells(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = group_of(group, groups) * THREADS + local;
    if i >= batch.count * batch.replicas {
        return;
    }
    let replica = i / batch.count;
    let cell = min(cell_of(grids[replica], school[i].position), batch.replicas * batch.cells - 1u);
    slots[i] = vec2<u32>(cell, atomicAdd(&counts[cell], 1u));
}
