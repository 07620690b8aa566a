// The second half of `grid`: with the starts of the lists, each fish's place among the sorted.

#import "batch"
#import "swarm_types"

@group(0) @binding(0) var<storage, read> school: array<Fish>;
@group(0) @binding(1) var<storage, read> slots: array<vec2<u32>>;
@group(0) @binding(2) var<storage, read> starts: array<u32>;
@group(0) @binding(3) var<storage, read_write> ids: array<u32>;
@group(0) @binding(4) var<storage, read_write> sorted: array<Sorted>;
@group(0) @binding(5) var<uniform> batch: Batch;

fn put(place: u32, i: u32) {
    let fish = school[i];
    sorted[place] = Sorted(fish.position, fish.speed, fish.heading, i);
}

fn index_of(group: vec3<u32>, groups: vec3<u32>, local: u32) -> u32 {
    return group_of(group, groups) * THREADS + local;
}

@compute @workgroup_size(THREADS)
fn copy_all(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = index_of(group, groups, local);
    if i < batch.count * batch.replicas {
        put(i, i);
    }
}

@compute @workgroup_size(THREADS)
fn scatter(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = index_of(group, groups, local);
    if i < batch.count * batch.replicas {
        put(starts[slots[i].x] + slots[i].y, i);
    }
}

@compute @workgroup_size(THREADS)
fn scatter_ids(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = index_of(group, groups, local);
    if i < batch.count * batch.replicas {
        ids[starts[slots[i].x] + slots[i].y] = i;
    }
}

@compute @workgroup_size(THREADS)
fn gather(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let k = index_of(group, groups, local);
    if k >= batch.count * batch.replicas {
        return;
    }
    let i = ids[k];
    let cell = slots[i].x;
    let start = starts[cell];
    let end = starts[cell + 1u];
    var before = 0u;
    for (var j = start; j < end; j++) {
        before += select(0u, 1u, ids[j] < i);
    }
    put(start + before, i);
}
