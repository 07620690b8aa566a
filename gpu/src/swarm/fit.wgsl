// A replica after a change of its setup: positions are brought into the new space, speeds may be new, and in a flat world
// everything is flat.
//
// Reads   setups, speeds
// Writes  school, predators

#import "swarm_types"

struct Fit {
    replica: u32,
    count: u32,
    // Whether `speeds` holds new ones.
    fresh: u32,
    unused: u32,
}

@group(0) @binding(0) var<storage, read> setups: array<Setup>;
@group(0) @binding(1) var<storage, read> speeds: array<f32>;
@group(0) @binding(2) var<storage, read_write> school: array<Fish>;
@group(0) @binding(3) var<storage, read_write> predators: array<vec4<f32>>;
@group(0) @binding(4) var<uniform> fit: Fit;

fn flattened(u: vec3<f32>) -> vec3<f32> {
    let n = length(u.xy);
    return select(vec3<f32>(1.0, 0.0, 0.0), vec3<f32>(u.xy / max(n, 1e-30), 0.0), n > 1e-10);
}

@compute @workgroup_size(THREADS)
fn fit_all(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let i = (group.y * groups.x + group.x) * THREADS + local;
    let replica = fit.replica;
    let flat = setups[replica].flat != 0u;
    if i == 0u && flat {
        predators[2u * replica].z = 0.0;
        predators[2u * replica + 1u] = vec4<f32>(flattened(predators[2u * replica + 1u].xyz), 0.0);
    }
    if i >= fit.count {
        return;
    }
    let id = replica * fit.count + i;
    var fish = school[id];
    var x = fish.position;
    if setups[replica].boundary == PERIODIC {
        let side = vec3<f32>(setups[replica].side);
        let wrapped = x - side * floor(x * setups[replica].per_side);
        x = select(wrapped, vec3<f32>(0.0), (wrapped >= side) | (wrapped < vec3<f32>(0.0)));
    }
    if setups[replica].boundary == TANK {
        let r = length(x.xy);
        // One that is outside by a rounding stays.
        x = vec3<f32>(x.xy * select(1.0, setups[replica].tank_radius / r, r > setups[replica].tank_radius * 1.000001), x.z);
    }
    if setups[replica].boundary == WALLS || setups[replica].boundary == TANK {
        let wall = setups[replica].wall;
        x = select(x, clamp(x, vec3<f32>(0.0), wall), wall > vec3<f32>(0.0));
    }
    fish.position = select(x, vec3<f32>(x.xy, 0.0), flat);
    fish.heading = select(fish.heading, flattened(fish.heading), flat);
    if fit.fresh != 0u {
        fish.speed = speeds[i];
    }
    school[id] = fish;
}
