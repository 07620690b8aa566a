// For each fish of a school the five nearest, and for all pairs the histogram of how alike their headings are.
//
// Reads   school    from `near.first` on
// Writes  nearest   per fish the NEAREST smallest squared distances, ascending; those of earlier tiles are continued
// Adds    counts    DOT_BINS bins of (u_i . u_j + 1) / 2 in [0, 1], i < j; then `near.fine` bins of the same
//
// A workgroup has THREADS fish and walks tiles of as many; counts are kept in workgroup memory meanwhile. Integer counts,
// and the smallest of a set: bitwise per adapter.

#import "swarm_types"

struct Near {
    first: u32,
    count: u32,
    // Tiles of this dispatch.
    from_tile: u32,
    to_tile: u32,
    fine: u32,
    side: f32,
    per_side: f32,
    unused: u32,
}

@group(0) @binding(0) var<storage, read> school: array<Fish>;
@group(0) @binding(1) var<storage, read_write> nearest: array<f32>;
@group(0) @binding(2) var<storage, read_write> counts: array<atomic<u32>>;
@group(0) @binding(3) var<uniform> near: Near;

const FAR: f32 = 3e38;

var<workgroup> places: array<vec4<f32>, THREADS>;
var<workgroup> headings: array<vec2<f32>, THREADS>;
var<workgroup> bins: array<atomic<u32>, DOT_BINS + MOST_FINE>;

@compute @workgroup_size(THREADS)
fn meet_all(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    for (var b = local; b < DOT_BINS + near.fine; b += THREADS) {
        atomicStore(&bins[b], 0u);
    }
    let i = (group.y * groups.x + group.x) * THREADS + local;
    let there = i < near.count;
    let own = school[near.first + min(i, near.count - 1u)];
    #repeat k 0 NEAREST
    var near_$k = FAR;
    if near.from_tile > 0u && there {
        near_$k = nearest[NEAREST * i + $ku];
    }
    #end
    // A run of equal bins is counted at once: in an aligned school all pairs share one.
    var dot_bin = 0u;
    var dot_run = 0u;
    var fine_bin = 0u;
    var fine_run = 0u;
    for (var tile = near.from_tile; tile < near.to_tile; tile++) {
        workgroupBarrier();
        let other = school[near.first + min(tile * THREADS + local, near.count - 1u)];
        places[local] = vec4<f32>(other.position, other.heading.x);
        headings[local] = other.heading.yz;
        workgroupBarrier();
        let members = min(THREADS, near.count - tile * THREADS);
        for (var j = 0u; j < members; j++) {
            let id = tile * THREADS + j;
            if there && id != i {
                var d = places[j].xyz - own.position;
                d -= near.side * round(d * near.per_side);
                var r2 = dot(d, d);
                #repeat k 0 NEAREST
                let less_$k = min(near_$k, r2);
                r2 = max(near_$k, r2);
                near_$k = less_$k;
                #end
                if id > i {
                    let x = clamp(0.5 * dot(own.heading, vec3<f32>(places[j].w, headings[j])) + 0.5, 0.0, 1.0);
                    let coarse = min(u32(x * f32(DOT_BINS)), DOT_BINS - 1u);
                    if coarse != dot_bin {
                        atomicAdd(&bins[dot_bin], dot_run);
                        dot_bin = coarse;
                        dot_run = 0u;
                    }
                    dot_run += 1u;
                    let fine = min(u32(x * f32(near.fine)), near.fine - 1u);
                    if fine != fine_bin {
                        atomicAdd(&bins[DOT_BINS + fine_bin], fine_run);
                        fine_bin = fine;
                        fine_run = 0u;
                    }
                    fine_run += 1u;
                }
            }
        }
    }
    atomicAdd(&bins[dot_bin], dot_run);
    atomicAdd(&bins[DOT_BINS + fine_bin], fine_run);
    #repeat k 0 NEAREST
    if there {
        nearest[NEAREST * i + $ku] = near_$k;
    }
    #end
    workgroupBarrier();
    for (var b = local; b < DOT_BINS + near.fine; b += THREADS) {
        let sum = atomicLoad(&bins[b]);
        if sum != 0u {
            atomicAdd(&counts[b], sum);
        }
    }
}
