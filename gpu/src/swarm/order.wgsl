// The order of each replica: sum of u, the centre, and sum of (r / |r|) x u about it. Three dispatches of sums in a
// fixed order.
//
// Reads   setups, school
// Writes  parts    per part and replica: sum of u; of x, or in a periodic box of cos and of sin of 2 pi x / side;
//                  of r x u
//         orders   per replica: sum of u and of speeds; the centre; sum of r x u

#import "batch"
#import "random"
#import "swarm_types"

@group(0) @binding(0) var<storage, read> setups: array<Setup>;
@group(0) @binding(1) var<storage, read> school: array<Fish>;
@group(0) @binding(2) var<storage, read_write> parts: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> orders: array<vec4<f32>>;
@group(0) @binding(4) var<uniform> batch: Batch;

const EACH: u32 = 4u;

var<workgroup> tree: array<array<vec4<f32>, 3>, THREADS>;

fn fold(local: u32, a: vec4<f32>, b: vec4<f32>, c: vec4<f32>) {
    tree[local] = array<vec4<f32>, 3>(a, b, c);
    workgroupBarrier();
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
        if local < half {
            for (var k = 0u; k < 3u; k++) {
                tree[local][k] += tree[local + half][k];
            }
        }
        workgroupBarrier();
    }
}

@compute @workgroup_size(THREADS)
fn order_sums(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let g = group_of(group, groups);
    let replica = min(g / batch.parts, batch.replicas - 1u);
    let periodic = setups[replica].boundary == PERIODIC;
    let per_side = setups[replica].per_side;
    var heading = vec4<f32>(0.0);
    var first = vec3<f32>(0.0);
    var second = vec3<f32>(0.0);
    for (var i = (g % batch.parts) * THREADS + local; i < batch.count; i += batch.parts * THREADS) {
        let fish = school[replica * batch.count + i];
        heading += vec4<f32>(fish.heading, fish.speed);
        if periodic {
            let x = circle(fish.position.x * per_side);
            let y = circle(fish.position.y * per_side);
            let z = circle(fish.position.z * per_side);
            first += vec3<f32>(x.x, y.x, z.x);
            second += vec3<f32>(x.y, y.y, z.y);
        } else {
            first += fish.position;
        }
    }
    fold(local, heading, vec4<f32>(first, 0.0), vec4<f32>(second, 0.0));
    if local == 0u && g < batch.parts * batch.replicas {
        for (var k = 0u; k < 3u; k++) {
            parts[EACH * g + k] = tree[0][k];
        }
    }
}

fn sum_of(replica: u32, k: u32) -> vec4<f32> {
    var sum = vec4<f32>(0.0);
    for (var p = 0u; p < batch.parts; p++) {
        sum += parts[EACH * (replica * batch.parts + p) + k];
    }
    return sum;
}

fn turns_of(cosine: f32, sine: f32) -> f32 {
    let turns = angle_of(abs(sine), cosine) * 0.15915494309189535;
    return select(turns, 1.0 - turns, sine < 0.0);
}

fn centre_of(replica: u32) -> vec3<f32> {
    let first = sum_of(replica, 1u).xyz;
    if setups[replica].boundary != PERIODIC {
        return first / f32(batch.count);
    }
    let second = sum_of(replica, 2u).xyz;
    let turns = vec3<f32>(turns_of(first.x, second.x), turns_of(first.y, second.y), turns_of(first.z, second.z));
    return setups[replica].side * turns;
}

@compute @workgroup_size(THREADS)
fn order_moments(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let g = group_of(group, groups);
    let replica = min(g / batch.parts, batch.replicas - 1u);
    let centre = centre_of(replica);
    let side = setups[replica].side;
    let per_side = setups[replica].per_side;
    var moment = vec3<f32>(0.0);
    for (var i = (g % batch.parts) * THREADS + local; i < batch.count; i += batch.parts * THREADS) {
        let fish = school[replica * batch.count + i];
        var r = fish.position - centre;
        r -= side * round(r * per_side);
        let n = length(r);
        moment += cross(select(r, r / max(n, 1e-30), n >= 1e-10), fish.heading);
    }
    fold(local, vec4<f32>(moment, 0.0), vec4<f32>(0.0), vec4<f32>(0.0));
    if local == 0u && g < batch.parts * batch.replicas {
        parts[EACH * g + 3u] = tree[0][0];
    }
}

@compute @workgroup_size(THREADS)
fn order_finish(@builtin(global_invocation_id) thread: vec3<u32>) {
    let replica = thread.x;
    if replica < batch.replicas {
        let heading = sum_of(replica, 0u);
        orders[3u * replica] = vec4<f32>(heading.xyz, heading.w);
        orders[3u * replica + 1u] = vec4<f32>(centre_of(replica), 1.0);
        orders[3u * replica + 2u] = sum_of(replica, 3u);
    }
}
