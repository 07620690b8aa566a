// The hunters of large schools: where the fish are as seen from each, and its next place. Mirrors `hunt` in `school`.
//
// Reads   setups, obstacles, school
// Writes  parts       per part and replica: sum of the offsets of those within four radii and their number; of all
//         predators   (position, heading) a replica

#import "batch"
#import "random"
#import "swarm_types"
#import "swarm"

@group(0) @binding(0) var<storage, read> setups: array<Setup>;
@group(0) @binding(1) var<storage, read> obstacles: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> school: array<Fish>;
@group(0) @binding(3) var<storage, read_write> parts: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> predators: array<vec4<f32>>;
@group(0) @binding(5) var<uniform> batch: Batch;

var<workgroup> close: array<vec4<f32>, THREADS>;
var<workgroup> all: array<vec4<f32>, THREADS>;

@compute @workgroup_size(THREADS)
fn hunt_parts(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let g = group_of(group, groups);
    let replica = min(g / batch.parts, batch.replicas - 1u);
    let eyes = eyes_of(replica);
    let at = predators[2u * replica].xyz;
    let far = 4.0 * setups[replica].fright;
    var those = vec4<f32>(0.0);
    var everybody = vec4<f32>(0.0);
    for (var i = (g % batch.parts) * THREADS + local; i < batch.count; i += batch.parts * THREADS) {
        let d = between(eyes, at, school[replica * batch.count + i].position);
        everybody += vec4<f32>(d, 1.0);
        if dot(d, d) < far * far {
            those += vec4<f32>(d, 1.0);
        }
    }
    close[local] = those;
    all[local] = everybody;
    workgroupBarrier();
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
        if local < half {
            close[local] += close[local + half];
            all[local] += all[local + half];
        }
        workgroupBarrier();
    }
    if local == 0u && g < batch.parts * batch.replicas {
        parts[2u * g] = close[0];
        parts[2u * g + 1u] = all[0];
    }
}

@compute @workgroup_size(THREADS)
fn hunt_move(@builtin(global_invocation_id) thread: vec3<u32>) {
    let replica = thread.x;
    if replica >= batch.replicas || setups[replica].predator != 2u {
        return;
    }
    var those = vec4<f32>(0.0);
    var everybody = vec4<f32>(0.0);
    for (var p = 0u; p < batch.parts; p++) {
        those += parts[2u * (replica * batch.parts + p)];
        everybody += parts[2u * (replica * batch.parts + p) + 1u];
    }
    let offset = select(everybody.xyz, those.xyz, those.w > 0.0);
    let next = hunted(replica, eyes_of(replica), predators[2u * replica].xyz, predators[2u * replica + 1u].xyz, offset);
    predators[2u * replica] = vec4<f32>(next[0], 0.0);
    predators[2u * replica + 1u] = vec4<f32>(next[1], 0.0);
}
