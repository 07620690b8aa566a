// Causal attention as in `../attend.wgsl`: an invocation has ROWS queries (or, for keys and values on the way back, ROWS keys)
// of one head and walks over the others, 4 QUADS at a time. What it adds up for a row lies where it belongs in the arena.
//
// ROPE  whether gradients are turned back by their places

#import "nn"
#import "random"

const LOWEST: f32 = -1e30;
const STEP: u32 = 4u * QUADS;

// Where an invocation's numbers lie.
struct Place {
    there: bool,
    // The first of its rows within the sequence.
    first: u32,
    // The head's queries and its outputs of the first token; its numbers by row.
    queries: u32,
    outputs: u32,
    rows: u32,
    base: u32,
}

// Neighbours have the same rows of other heads and sequences, so that they walk equally far.
fn place_of(group: u32, local: u32) -> Place {
    let blocks = (op.length + ROWS - 1u) / ROWS;
    let sequences = op.rows / op.length;
    let heads = op.heads * sequences;
    let index = group * WIDTH + local;
    let run = index / (heads * blocks);
    let head = index % op.heads;
    let sequence = index / op.heads % sequences;
    let inside = head * (op.width / op.heads);
    return Place(
        run < op.runs,
        index / heads % blocks * ROWS,
        sequence * op.length * 3u * op.width + inside,
        sequence * op.length * op.width + inside,
        head * op.rows + sequence * op.length,
        arena_of(run),
    );
}

// Where four rows lie; those behind the `last` are the last.
fn spots(stride: u32, row: u32, last: u32) -> vec4<u32> {
    return min(row + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(last)) * stride;
}

// One number each of four rows.
fn four(at: u32, spots: vec4<u32>) -> vec4<f32> {
    return vec4<f32>(arena[at + spots.x], arena[at + spots.y], arena[at + spots.z], arena[at + spots.w]);
}

// By component: whether the query sees the key of `key` + component.
fn sees(query: u32, key: u32, window: u32, last: u32) -> vec4<bool> {
    let keys = key + vec4<u32>(0u, 1u, 2u, 3u);
    return (keys <= vec4<u32>(query)) & (keys + window > vec4<u32>(query)) & vec4<bool>(query <= last);
}

// By component: whether the query of `query` + component sees the key.
fn seen_by(query: u32, key: u32, window: u32, last: u32) -> vec4<bool> {
    let queries = query + vec4<u32>(0u, 1u, 2u, 3u);
    return (queries >= vec4<u32>(key)) & (queries < vec4<u32>(key + window)) & (queries <= vec4<u32>(last));
}

fn sum_of(x: vec4<f32>) -> f32 {
    return (x.x + x.y) + (x.z + x.w);
}

// Turns the gradient of rows of queries or keys back.
fn turn_back(at: u32, first: u32) {
    let head = op.width / op.heads;
    let half = head / 2u;
    for (var row = first; row < min(first + ROWS, op.length); row++) {
        for (var j = 0u; j < half; j++) {
            let turn = op.table + (row * half + j) * 2u;
            let c = bitcast<f32>(tables[turn]);
            let s = bitcast<f32>(tables[turn + 1u]);
            let cell = at + row * 3u * op.width + j;
            let x = arena[cell];
            let y = arena[cell + half];
            arena[cell] = x * c + y * s;
            arena[cell + half] = y * c - x * s;
        }
    }
}

@compute @workgroup_size(WIDTH)
fn attend(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let place = place_of(index_of(group, groups), local);
    if !place.there {
        return;
    }
    // Words of the block of parameters are dear to read too.
    let width = op.width;
    let head = width / op.heads;
    let stride = 3u * width;
    let last = op.length - 1u;
    let window = op.window;
    let queries = place.base + op.qkv + place.queries;
    let keys = queries + width;
    let values = keys + width;
    let out = place.base + op.attended + place.outputs;
    let scale = 1.0 / sqrt(f32(head));
    let first = place.first;
    let begin = first + 1u - min(first + 1u, window);
    let end = min(last + 1u, first + ROWS);
    #repeat r 0 ROWS
    let row_$r = min(first + $ru, last);
    var m_$r = LOWEST;
    var l_$r = 0.0;
    #end
    for (var k0 = begin; k0 < end; k0 += STEP) {
        #repeat j 0 QUADS
        let spots_$j = spots(stride, k0 + 4u * $ju, last);
        #end
        #repeat r 0 ROWS
        #repeat j 0 QUADS
        var s_$r_$j = vec4<f32>();
        #end
        #end
        for (var d = 0u; d < head; d++) {
            #repeat j 0 QUADS
            let k_$j = four(keys + d, spots_$j);
            #end
            #repeat r 0 ROWS
            let q_$r = arena[queries + row_$r * stride + d];
            #repeat j 0 QUADS
            s_$r_$j += q_$r * k_$j;
            #end
            #end
        }
        #repeat r 0 ROWS
        var now_$r = m_$r;
        #repeat j 0 QUADS
        let seen_$r_$j = sees(first + $ru, k0 + 4u * $ju, window, last);
        s_$r_$j = select(vec4<f32>(LOWEST), s_$r_$j * scale, seen_$r_$j);
        now_$r = max(now_$r, max(max(s_$r_$j.x, s_$r_$j.y), max(s_$r_$j.z, s_$r_$j.w)));
        #end
        let factor_$r = exp(m_$r - now_$r);
        m_$r = now_$r;
        l_$r *= factor_$r;
        #repeat j 0 QUADS
        s_$r_$j = select(vec4<f32>(), exp(s_$r_$j - now_$r), seen_$r_$j);
        l_$r += sum_of(s_$r_$j);
        #end
        #end
        for (var d = 0u; d < head; d++) {
            #repeat j 0 QUADS
            let v_$j = four(values + d, spots_$j);
            #end
            #repeat r 0 ROWS
            if first + $ru <= last {
                let cell = out + row_$r * width + d;
                var x = select(0.0, arena[cell] * factor_$r, k0 > begin);
                #repeat j 0 QUADS
                x += dot(s_$r_$j, v_$j);
                #end
                arena[cell] = x;
            }
            #end
        }
    }
    #repeat r 0 ROWS
    if first + $ru <= last {
        arena[place.base + op.lse + place.rows + row_$r] = m_$r + log_of(l_$r);
    }
    #end
    for (var d = 0u; d < head; d++) {
        #repeat r 0 ROWS
        if first + $ru <= last {
            arena[out + row_$r * width + d] /= l_$r;
        }
        #end
    }
}

// dQ = dS K with dS = P (dO V' - sum of dO O) scale; the sums of dO O are kept for the keys.
@compute @workgroup_size(WIDTH)
fn attend_queries(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let place = place_of(index_of(group, groups), local);
    if !place.there {
        return;
    }
    // Words of the block of parameters are dear to read too.
    let width = op.width;
    let head = width / op.heads;
    let stride = 3u * width;
    let last = op.length - 1u;
    let window = op.window;
    let queries = place.base + op.qkv + place.queries;
    let keys = queries + width;
    let values = keys + width;
    let out = place.base + op.attended + place.outputs;
    let dout = place.base + op.dattended + place.outputs;
    let dqueries = place.base + op.dqkv + place.queries;
    let scale = 1.0 / sqrt(f32(head));
    let first = place.first;
    let begin = first + 1u - min(first + 1u, window);
    let end = min(last + 1u, first + ROWS);
    #repeat r 0 ROWS
    let row_$r = min(first + $ru, last);
    var delta_$r = 0.0;
    let lse_$r = arena[place.base + op.lse + place.rows + row_$r];
    #end
    for (var d = 0u; d < head; d++) {
        #repeat r 0 ROWS
        delta_$r += arena[out + row_$r * width + d] * arena[dout + row_$r * width + d];
        #end
    }
    #repeat r 0 ROWS
    if first + $ru <= last {
        arena[place.base + op.delta + place.rows + row_$r] = delta_$r;
    }
    #end
    for (var k0 = begin; k0 < end; k0 += STEP) {
        #repeat j 0 QUADS
        let spots_$j = spots(stride, k0 + 4u * $ju, last);
        #end
        #repeat r 0 ROWS
        #repeat j 0 QUADS
        var s_$r_$j = vec4<f32>();
        var t_$r_$j = vec4<f32>();
        #end
        #end
        for (var d = 0u; d < head; d++) {
            #repeat j 0 QUADS
            let k_$j = four(keys + d, spots_$j);
            let v_$j = four(values + d, spots_$j);
            #end
            #repeat r 0 ROWS
            let q_$r = arena[queries + row_$r * stride + d];
            let y_$r = arena[dout + row_$r * width + d];
            #repeat j 0 QUADS
            s_$r_$j += q_$r * k_$j;
            t_$r_$j += y_$r * v_$j;
            #end
            #end
        }
        #repeat r 0 ROWS
        #repeat j 0 QUADS
        s_$r_$j = exp(min(s_$r_$j * scale - lse_$r, vec4<f32>(80.0))) * (t_$r_$j - delta_$r) * scale;
        s_$r_$j = select(vec4<f32>(), s_$r_$j, sees(first + $ru, k0 + 4u * $ju, window, last));
        #end
        #end
        for (var d = 0u; d < head; d++) {
            #repeat j 0 QUADS
            let k_$j = four(keys + d, spots_$j);
            #end
            #repeat r 0 ROWS
            if first + $ru <= last {
                let cell = dqueries + row_$r * stride + d;
                var x = select(0.0, arena[cell], k0 > begin);
                #repeat j 0 QUADS
                x += dot(s_$r_$j, k_$j);
                #end
                arena[cell] = x;
            }
            #end
        }
    }
    if ROPE == 1u {
        turn_back(dqueries, first);
    }
}

// dK = dS' Q and dV = P' dO: one invocation writes a key.
@compute @workgroup_size(WIDTH)
fn attend_keys(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let place = place_of(index_of(group, groups), local);
    if !place.there {
        return;
    }
    // Words of the block of parameters are dear to read too.
    let width = op.width;
    let head = width / op.heads;
    let stride = 3u * width;
    let last = op.length - 1u;
    let window = op.window;
    let queries = place.base + op.qkv + place.queries;
    let keys = queries + width;
    let values = keys + width;
    let dout = place.base + op.dattended + place.outputs;
    let dkeys = place.base + op.dqkv + place.queries + width;
    let scale = 1.0 / sqrt(f32(head));
    let first = place.first;
    // The last of the keys is seen this far.
    let end = min(last + 1u, first + ROWS - 1u + window);
    #repeat r 0 ROWS
    let row_$r = min(first + $ru, last);
    #end
    for (var q0 = first; q0 < end; q0 += STEP) {
        #repeat j 0 QUADS
        let spots_$j = spots(stride, q0 + 4u * $ju, last);
        let outs_$j = spots(width, q0 + 4u * $ju, last);
        #end
        #repeat r 0 ROWS
        #repeat j 0 QUADS
        var s_$r_$j = vec4<f32>();
        var t_$r_$j = vec4<f32>();
        #end
        #end
        for (var d = 0u; d < head; d++) {
            #repeat j 0 QUADS
            let x_$j = four(queries + d, spots_$j);
            let y_$j = four(dout + d, outs_$j);
            #end
            #repeat r 0 ROWS
            let k_$r = arena[keys + row_$r * stride + d];
            let v_$r = arena[values + row_$r * stride + d];
            #repeat j 0 QUADS
            s_$r_$j += k_$r * x_$j;
            t_$r_$j += v_$r * y_$j;
            #end
            #end
        }
        #repeat j 0 QUADS
        let lse_$j = four(place.base + op.lse + place.rows, spots(1u, q0 + 4u * $ju, last));
        let delta_$j = four(place.base + op.delta + place.rows, spots(1u, q0 + 4u * $ju, last));
        #repeat r 0 ROWS
        s_$r_$j = exp(min(s_$r_$j * scale - lse_$j, vec4<f32>(80.0)));
        s_$r_$j = select(vec4<f32>(), s_$r_$j, seen_by(q0 + 4u * $ju, first + $ru, window, last));
        t_$r_$j = s_$r_$j * (t_$r_$j - delta_$j) * scale;
        #end
        #end
        for (var d = 0u; d < head; d++) {
            #repeat j 0 QUADS
            let x_$j = four(queries + d, spots_$j);
            let y_$j = four(dout + d, outs_$j);
            #end
            #repeat r 0 ROWS
            if first + $ru <= last {
                let cell = dkeys + row_$r * stride + d;
                var dk = select(0.0, arena[cell], q0 > first);
                var dv = select(0.0, arena[cell + width], q0 > first);
                #repeat j 0 QUADS
                dk += dot(t_$r_$j, x_$j);
                dv += dot(s_$r_$j, y_$j);
                #end
                arena[cell] = dk;
                arena[cell + width] = dv;
            }
            #end
        }
    }
    if ROPE == 1u {
        turn_back(dkeys, first);
    }
}
