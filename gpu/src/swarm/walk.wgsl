// One step of large schools: `walk` over the lists of the adjacent cells, in ascending order of cell and, in
// reproducible mode, of fish; `tiles` over all pairs in ascending order of fish.
//
// Reads   sorted, starts, grids, setups, obstacles, predators
// Writes  school      in the fish's own order

#import "batch"
#import "random"
#import "swarm_types"
#import "swarm"

@group(0) @binding(0) var<storage, read> setups: array<Setup>;
@group(0) @binding(1) var<storage, read> obstacles: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> predators: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> sorted: array<Sorted>;
@group(0) @binding(4) var<storage, read> starts: array<u32>;
@group(0) @binding(5) var<storage, read> grids: array<Grid>;
@group(0) @binding(6) var<storage, read_write> school: array<Fish>;
@group(0) @binding(7) var<uniform> batch: Batch;

fn fish_at(k: u32) -> Fish {
    return Fish(sorted[k].position, sorted[k].speed, sorted[k].heading, 0.0);
}

fn finish(replica: u32, eyes: Eyes, own: Fish, id: u32, sums: Sums) {
    let i = id - replica * batch.count;
    let step = batch.step + setups[replica].later;
    let next = decide(replica, eyes, own, i, sums, predators[2u * replica].xyz, step);
    school[id] = moved(replica, eyes, next);
}

// Everybody in the sorted range.
fn meet(sums: ptr<function, Sums>, eyes: Eyes, own: Fish, k: u32, from_: u32, to: u32) {
    for (var j = from_; j < to; j++) {
        let d = between(eyes, own.position, sorted[j].position);
        let r2 = dot(d, d);
        if r2 < eyes.reach2 && j != k {
            notice(sums, eyes, own, d, r2, sorted[j].heading, sorted[j].speed);
        }
    }
}

@compute @workgroup_size(THREADS)
fn walk(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let k = group_of(group, groups) * THREADS + local;
    if k >= batch.count * batch.replicas {
        return;
    }
    let id = sorted[k].id;
    let replica = id / batch.count;
    if setups[replica].rule != RULE {
        return;
    }
    let own = fish_at(k);
    let eyes = eyes_of(replica);
    let grid = grids[replica];
    let wraps = setups[replica].boundary == PERIODIC;
    let n = vec3<i32>(grid.cells);
    let c = vec3<i32>(clamp((own.position - grid.origin) * grid.per_edge, vec3<f32>(0.0), vec3<f32>(n - 1)));
    // Cells that are neighbours along x are neighbours in the lists.
    let left = max(c.x - 1, 0);
    let right = min(c.x + 1, n.x - 1);
    let tall = select(1, 0, setups[replica].flat != 0u);
    var sums = Sums();
    for (var dz = -tall; dz <= tall; dz++) {
        for (var dy = -1; dy <= 1; dy++) {
            var y = c.y + dy;
            var z = c.z + dz;
            if wraps {
                y = select(select(y, y - n.y, y >= n.y), y + n.y, y < 0);
                z = select(select(z, z - n.z, z >= n.z), z + n.z, z < 0);
            } else if y < 0 || y >= n.y || z < 0 || z >= n.z {
                continue;
            }
            let row = grid.first + u32((z * n.y + y) * n.x);
            if wraps && c.x == n.x - 1 {
                meet(&sums, eyes, own, k, starts[row], starts[row + 1u]);
            }
            meet(&sums, eyes, own, k, starts[row + u32(left)], starts[row + u32(right) + 1u]);
            if wraps && c.x == 0 {
                meet(&sums, eyes, own, k, starts[row + u32(n.x - 1)], starts[row + u32(n.x)]);
            }
        }
    }
    finish(replica, eyes, own, id, sums);
}

var<workgroup> places: array<vec4<f32>, THREADS>;
var<workgroup> headings: array<vec3<f32>, THREADS>;

// The workgroups of a replica are batch.tiles; `sorted` is in the fish's own order.
@compute @workgroup_size(THREADS)
fn tiles(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let g = group_of(group, groups);
    let replica = min(g / batch.tiles, batch.replicas - 1u);
    let first = replica * batch.count;
    let i = (g % batch.tiles) * THREADS + local;
    let here = first + min(i, batch.count - 1u);
    let own = fish_at(here);
    let eyes = eyes_of(replica);
    var sums = Sums();
    for (var tile = 0u; tile < batch.count; tile += THREADS) {
        workgroupBarrier();
        let other = first + min(tile + local, batch.count - 1u);
        places[local] = vec4<f32>(sorted[other].position, sorted[other].speed);
        headings[local] = sorted[other].heading;
        workgroupBarrier();
        for (var j = 0u; j < min(THREADS, batch.count - tile); j++) {
            let d = between(eyes, own.position, places[j].xyz);
            let r2 = dot(d, d);
            if r2 < eyes.reach2 && tile + j != i {
                notice(&sums, eyes, own, d, r2, headings[j], places[j].w);
            }
        }
    }
    if i < batch.count && g < batch.tiles * batch.replicas && setups[replica].rule == RULE {
        finish(replica, eyes, own, here, sums);
    }
}
