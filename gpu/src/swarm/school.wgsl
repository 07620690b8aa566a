// Many steps of whole schools, one workgroup a school, which lives in workgroup memory meanwhile. All pairs, summed
// in ascending order: deterministic.
//
// Reads   setups, obstacles
// Writes  school      the fish of all replicas, replica by replica
//         predators   (position, heading) a replica
//
// Workgroup: WIDTH threads, each of EACH fish, SEATS = WIDTH EACH; 28 bytes a seat and 32 more.

#import "random"
#import "swarm_types"
#import "swarm"

struct Batch {
    step: u32,
    steps: u32,
    count: u32,
    replicas: u32,
}

@group(0) @binding(0) var<storage, read> setups: array<Setup>;
@group(0) @binding(1) var<storage, read> obstacles: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> school: array<Fish>;
@group(0) @binding(3) var<storage, read_write> predators: array<vec4<f32>>;
@group(0) @binding(4) var<uniform> batch: Batch;

// Positions and the heading's x; its y and z; speeds.
var<workgroup> places: array<vec4<f32>, SEATS>;
var<workgroup> headings: array<vec2<f32>, SEATS>;
var<workgroup> speeds: array<f32, SEATS>;
var<workgroup> hunter: array<vec4<f32>, 2>;

fn seated(i: u32, alike: f32) -> Fish {
    return Fish(places[i].xyz, speeds[i], vec3<f32>(places[i].w, headings[i]), alike);
}

fn seat(i: u32, fish: Fish) {
    places[i] = vec4<f32>(fish.position, fish.heading.x);
    headings[i] = fish.heading.yz;
    speeds[i] = fish.speed;
}

fn swum(replica: u32, eyes: Eyes, i: u32, step: u32) -> Fish {
    let own = seated(i, 0.0);
    var sums = Sums();
    for (var j = 0u; j < batch.count; j++) {
        let d = between(eyes, own.position, places[j].xyz);
        let r2 = dot(d, d);
        if r2 < eyes.reach2 && j != i {
            notice(&sums, eyes, own, d, r2, vec3<f32>(places[j].w, headings[j]), speeds[j]);
        }
    }
    return moved(replica, eyes, decide(replica, eyes, own, i, sums, hunter[0].xyz, step));
}

// The hunter's next place: towards the centre of those within four radii, or of all.
fn hunt(replica: u32, eyes: Eyes) -> array<vec3<f32>, 2> {
    let at = hunter[0].xyz;
    let far = 4.0 * setups[replica].fright;
    var close = vec4<f32>(0.0);
    var all = vec3<f32>(0.0);
    for (var j = 0u; j < batch.count; j++) {
        let d = between(eyes, at, places[j].xyz);
        all += d;
        if dot(d, d) < far * far {
            close += vec4<f32>(d, 1.0);
        }
    }
    return hunted(replica, eyes, at, hunter[1].xyz, select(all, close.xyz, close.w > 0.0));
}

@compute @workgroup_size(WIDTH)
fn swim(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let replica = min(group.y * groups.x + group.x, batch.replicas - 1u);
    let beyond = group.y * groups.x + group.x >= batch.replicas;
    let first = replica * batch.count;
    let eyes = eyes_of(replica);
    // Replicas with another rule are another pipeline's.
    let mine = setups[replica].rule == RULE && !beyond;
    let steps = select(0u, batch.steps, mine);
    let hunts = setups[replica].predator == 2u;
    #repeat e 0 EACH
    let i_$e = local + $eu * WIDTH;
    if i_$e < batch.count {
        seat(i_$e, school[first + i_$e]);
    }
    var next_$e = Fish();
    #end
    if local < 2u {
        hunter[local] = predators[2u * replica + local];
    }
    var prowl = array<vec3<f32>, 2>();
    workgroupBarrier();
    for (var s = 0u; s < steps; s++) {
        let step = batch.step + s + setups[replica].later;
        #repeat e 0 EACH
        if i_$e < batch.count {
            next_$e = swum(replica, eyes, i_$e, step);
        }
        #end
        if hunts && local == 0u {
            prowl = hunt(replica, eyes);
        }
        workgroupBarrier();
        #repeat e 0 EACH
        if i_$e < batch.count {
            seat(i_$e, next_$e);
        }
        #end
        if hunts && local == 0u {
            hunter[0] = vec4<f32>(prowl[0], 0.0);
            hunter[1] = vec4<f32>(prowl[1], 0.0);
        }
        workgroupBarrier();
    }
    if steps > 0u {
        #repeat e 0 EACH
        if i_$e < batch.count {
            school[first + i_$e] = next_$e;
        }
        #end
        if local < 2u {
            predators[2u * replica + local] = hunter[local];
        }
    }
}
