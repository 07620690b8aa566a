// What the pairs of a school say: for each fish the five nearest and who is the first, the fifth nearest heading and how
// many are within a chord; and pairs by their angle, group by group.
//
// Reads   school   from `near.first` on
// Writes  slots    per fish SLOTS smallest squares, ascending, NEAREST a list: distances, headings' chords, with CUBE
//                  distances in the cube; lists of earlier tiles are continued
//         numbers  per fish the nearest, the lowest if there are several, and how many headings are within
// Adds    counts   per pair of groups a <= b, at b(b + 1)/2 + a, `near.bins` bins of the angle of pairs i < j
//
// Fish are in `near.groups` contiguous groups, each of `near.parts` tiles of THREADS fish at most, so that a tile is of one
// group. A workgroup has a tile of fish and walks tiles; its counts are kept in workgroup memory while the group that it
// walks stays the same. Integer counts, and the smallest of a set: bitwise per adapter.

#import "swarm_types"

struct Near {
    first: u32,
    count: u32,
    groups: u32,
    parts: u32,
    // The first tile of fish of this dispatch, and the tiles that they meet.
    tile: u32,
    from_tile: u32,
    to_tile: u32,
    // 0: pairs are not counted.
    bins: u32,
    side: f32,
    per_side: f32,
    cube: f32,
    per_cube: f32,
    // Squared chord of the resolution.
    limit: f32,
    unused_0: u32,
    unused_1: u32,
    unused_2: u32,
}

@group(0) @binding(0) var<storage, read> school: array<Fish>;
@group(0) @binding(1) var<storage, read_write> slots: array<f32>;
@group(0) @binding(2) var<storage, read_write> numbers: array<u32>;
@group(0) @binding(3) var<storage, read_write> counts: array<atomic<u32>>;
@group(0) @binding(4) var<uniform> near: Near;

const FAR: f32 = 3e38;
const PI: f32 = 3.14159265;

var<workgroup> places: array<vec4<f32>, THREADS>;
var<workgroup> headings: array<vec2<f32>, THREADS>;
var<workgroup> bins: array<atomic<u32>, MOST_BINS>;

// Where a group begins.
fn begin(group: u32) -> u32 {
    return group * near.count / near.groups;
}

// The bin of a squared chord c2 = 2 - 2 cos: equal cosines in a volume, equal angles in a plane.
fn bin_of(c2: f32) -> u32 {
    var share = 1.0 - 0.25 * c2;
    if FLAT == 1u {
        // acos x = sqrt(1 - x) P(x), Abramowitz & Stegun 4.4.46, of the acute one of the two angles.
        let h = clamp(0.5 * min(c2, 4.0 - c2), 0.0, 1.0);
        let x = 1.0 - h;
        var p = -0.0012624911;
        p = p * x + 0.0066700901;
        p = p * x - 0.0170881256;
        p = p * x + 0.0308918810;
        p = p * x - 0.0501743046;
        p = p * x + 0.0889789874;
        p = p * x - 0.2145988016;
        p = p * x + 1.5707963050;
        let acute = sqrt(h) * p / PI;
        share = select(acute, 1.0 - acute, c2 > 2.0);
    }
    return min(u32(max(share, 0.0) * f32(near.bins)), near.bins - 1u);
}

@compute @workgroup_size(THREADS)
fn meet_all(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    for (var k = local; k < MOST_BINS; k += THREADS) {
        atomicStore(&bins[k], 0u);
    }
    let tile = near.tile + group.y * groups.x + group.x;
    let a = tile / near.parts;
    let i = begin(a) + (tile % near.parts) * THREADS + local;
    // A dispatch may have a few groups too many, and a group one fish less than its tiles hold.
    let there = a < near.groups && i < begin(a + 1u);
    let own = school[near.first + min(i, near.count - 1u)];
    let slot = SLOTS * i;
    let again = near.from_tile > 0u && there;
    var first = i;
    var within = 0u;
    if again {
        first = numbers[2u * i];
        within = numbers[2u * i + 1u];
    }
    #repeat k 0 NEAREST
    var near_$k = FAR;
    var alike_$k = FAR;
    var cube_$k = FAR;
    if again {
        near_$k = slots[slot + $ku];
        alike_$k = slots[slot + NEAREST + $ku];
        if CUBE == 1u {
            cube_$k = slots[slot + 2u * NEAREST + $ku];
        }
    }
    #end
    // A run of equal bins is counted at once: in an aligned school all pairs share one.
    var bin = 0u;
    var run = 0u;
    for (var other = near.from_tile; other < near.to_tile; other++) {
        let b = other / near.parts;
        let from_fish = begin(b) + (other % near.parts) * THREADS;
        let members = min(THREADS, max(begin(b + 1u), from_fish) - from_fish);
        let counted = near.bins > 0u && a <= b;
        workgroupBarrier();
        let fish = school[near.first + min(from_fish + local, near.count - 1u)];
        places[local] = vec4<f32>(fish.position, fish.heading.x);
        headings[local] = fish.heading.yz;
        workgroupBarrier();
        for (var j = 0u; j < members; j++) {
            let id = from_fish + j;
            if there && id != i {
                let place = places[j];
                let way = place.xyz - own.position;
                let d = way - near.side * round(way * near.per_side);
                var r2 = dot(d, d);
                if r2 < near_4 {
                    first = select(first, id, r2 < near_0);
                    #repeat k 0 NEAREST
                    let less_$k = min(near_$k, r2);
                    r2 = max(near_$k, r2);
                    near_$k = less_$k;
                    #end
                }
                if CUBE == 1u {
                    let d = way - near.cube * round(way * near.per_cube);
                    var r2 = dot(d, d);
                    if r2 < cube_4 {
                        #repeat k 0 NEAREST
                        let less_$k = min(cube_$k, r2);
                        r2 = max(cube_$k, r2);
                        cube_$k = less_$k;
                        #end
                    }
                }
                let turn = vec3<f32>(place.w, headings[j]) - own.heading;
                let chord = dot(turn, turn);
                within += select(0u, 1u, chord <= near.limit);
                if chord < alike_4 {
                    var c2 = chord;
                    #repeat k 0 NEAREST
                    let less_$k = min(alike_$k, c2);
                    c2 = max(alike_$k, c2);
                    alike_$k = less_$k;
                    #end
                }
                if counted && id > i {
                    let k = bin_of(chord);
                    if k != bin {
                        atomicAdd(&bins[bin], run);
                        bin = k;
                        run = 0u;
                    }
                    run += 1u;
                }
            }
        }
        // The last tile of a group, or of all: its counts go where they belong.
        if counted && (other + 1u == near.to_tile || (other + 1u) / near.parts != b) {
            atomicAdd(&bins[bin], run);
            run = 0u;
            workgroupBarrier();
            if a < near.groups {
                let at = (b * (b + 1u) / 2u + a) * near.bins;
                for (var k = local; k < near.bins; k += THREADS) {
                    let sum = atomicExchange(&bins[k], 0u);
                    if sum != 0u {
                        atomicAdd(&counts[at + k], sum);
                    }
                }
            }
        }
    }
    if there {
        numbers[2u * i] = first;
        numbers[2u * i + 1u] = within;
        #repeat k 0 NEAREST
        slots[slot + $ku] = near_$k;
        slots[slot + NEAREST + $ku] = alike_$k;
        if CUBE == 1u {
            slots[slot + 2u * NEAREST + $ku] = cube_$k;
        }
        #end
    }
}
