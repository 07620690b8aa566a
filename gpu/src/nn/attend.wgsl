// Causal attention, forwards and backwards, without a matrix of scores in storage (Dao et al., arXiv 2205.14135).
//
// A workgroup has 16 queries (or, for keys and values on the way back, 16 keys) of one head and walks over the others in
// blocks of 64. Products of rows are made by threads that each have one of the 64; products with rows by threads that
// each have one of the head's columns. The softmax is kept up to date block by block (m, the largest score, and the sum
// of exp(score - m)); what stays is the logarithm of the sum, one number a row.
//
// COLS is the head's width, rounded up; ROPE says whether gradients are turned back by their places.

#import "nn"
#import "random"

const ROWS: u32 = 16u;
const KEYS: u32 = 64u;
const LANES: u32 = WIDTH / ROWS;
const LOWEST: f32 = -1e30;

// Transposed rows: [DEPTH][16].
var<workgroup> panel: array<vec4<f32>, DEPTH * 4u>;
var<workgroup> other: array<vec4<f32>, DEPTH * 4u>;
// [KEYS][16].
var<workgroup> scores: array<vec4<f32>, KEYS * 4u>;
var<workgroup> slopes: array<vec4<f32>, KEYS * 4u>;
var<workgroup> parts: array<f32, WIDTH>;
// By row: the largest score (or the logarithm of the sum), and a factor (or the sum of dO O).
var<workgroup> highest: array<f32, ROWS>;
var<workgroup> factors: array<f32, ROWS>;

struct Place {
    run: u32,
    head: u32,
    sequence: u32,
    first: u32,
}

fn place_of(index: u32) -> Place {
    let blocks = (op.length + ROWS - 1u) / ROWS;
    let sequences = op.rows / op.length;
    var place: Place;
    place.first = index % blocks * ROWS;
    place.head = (index / blocks) % op.heads;
    place.sequence = (index / (blocks * op.heads)) % sequences;
    place.run = index / (blocks * op.heads * sequences);
    return place;
}

// Four rows of one column, from `at` on, rows `stride` apart; those behind the sequence are 0.
fn column(at: u32, stride: u32, row: u32) -> vec4<f32> {
    var x = vec4<f32>();
    if row < op.length {
        x.x = arena[at + row * stride];
    }
    if row + 1u < op.length {
        x.y = arena[at + (row + 1u) * stride];
    }
    if row + 2u < op.length {
        x.z = arena[at + (row + 2u) * stride];
    }
    if row + 3u < op.length {
        x.w = arena[at + (row + 3u) * stride];
    }
    return x;
}

fn seen(query: u32, key: u32) -> bool {
    return query < op.length && key <= query && key + op.window > query;
}

// By component: whether the query of `query` + component sees the key.
fn seen_by(query: u32, key: u32) -> vec4<bool> {
    return vec4<bool>(seen(query, key), seen(query + 1u, key), seen(query + 2u, key), seen(query + 3u, key));
}

// By component: whether the query sees the key of `key` + component.
fn sees(query: u32, key: u32) -> vec4<bool> {
    return vec4<bool>(seen(query, key), seen(query, key + 1u), seen(query, key + 2u), seen(query, key + 3u));
}

fn highest_of(quad: u32) -> vec4<f32> {
    return vec4<f32>(highest[quad * 4u], highest[quad * 4u + 1u], highest[quad * 4u + 2u], highest[quad * 4u + 3u]);
}

fn factors_of(quad: u32) -> vec4<f32> {
    return vec4<f32>(factors[quad * 4u], factors[quad * 4u + 1u], factors[quad * 4u + 2u], factors[quad * 4u + 3u]);
}

fn put(at: u32, stride: u32, row: u32, x: vec4<f32>) {
    if row < op.length {
        arena[at + row * stride] = x.x;
    }
    if row + 1u < op.length {
        arena[at + (row + 1u) * stride] = x.y;
    }
    if row + 2u < op.length {
        arena[at + (row + 2u) * stride] = x.z;
    }
    if row + 3u < op.length {
        arena[at + (row + 3u) * stride] = x.w;
    }
}

// Turns the gradient of 16 rows of queries or keys back.
fn turn_back(at: u32, stride: u32, first: u32, head: u32, local: u32) {
    let half = head / 2u;
    for (var i = local; i < ROWS * half; i += WIDTH) {
        let row = first + i / half;
        let j = i % half;
        if row < op.length {
            let turn = op.table + (row * half + j) * 2u;
            let c = bitcast<f32>(tables[turn]);
            let s = bitcast<f32>(tables[turn + 1u]);
            let x = arena[at + row * stride + j];
            let y = arena[at + row * stride + j + half];
            arena[at + row * stride + j] = x * c + y * s;
            arena[at + row * stride + j + half] = y * c - x * s;
        }
    }
}

@compute @workgroup_size(WIDTH)
fn attend(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let place = place_of(index_of(group, groups));
    if place.run >= op.runs {
        return;
    }
    let head = op.width / op.heads;
    let stride = 3u * op.width;
    let base = arena_of(place.run);
    let queries = base + op.qkv + place.sequence * op.length * stride + place.head * head;
    let keys = queries + op.width;
    let values = keys + op.width;
    let scale = 1.0 / sqrt(f32(head));
    let end = min(op.length, place.first + ROWS);
    let share = share_of(local, WIDTH, COLS);
    let d = min(local % COLS, head - 1u);
    if local < ROWS {
        highest[local] = LOWEST;
    }
    #repeat q 0 QUADS
    var acc_$q = vec4<f32>();
    var sum_$q = vec4<f32>();
    #end
    for (var k0 = place.first + 1u - min(place.first + 1u, op.window); k0 < end; k0 += KEYS) {
        let key = k0 + local % KEYS;
        let quad = share_of(local, WIDTH, KEYS) * SCORE_QUADS;
        #repeat q 0 SCORE_QUADS
        var s_$q = vec4<f32>();
        #end
        for (var d0 = 0u; d0 < head; d0 += DEPTH) {
            let depth = min(DEPTH, head - d0);
            workgroupBarrier();
            for (var i = local; i < DEPTH * 4u; i += WIDTH) {
                if i % DEPTH < depth {
                    panel[i % DEPTH * 4u + i / DEPTH] =
                        column(queries + d0 + i % DEPTH, stride, place.first + i / DEPTH * 4u);
                }
            }
            workgroupBarrier();
            let at = keys + min(key, op.length - 1u) * stride + d0;
            // Written out: see `linear.wgsl`.
            if depth == DEPTH {
                #repeat i 0 DEPTH
                let k_$i = arena[at + $iu];
                #repeat q 0 SCORE_QUADS
                s_$q += panel[$iu * 4u + quad + $qu] * k_$i;
                #end
                #end
            } else {
                for (var i = 0u; i < depth; i++) {
                    let k = arena[at + i];
                    #repeat q 0 SCORE_QUADS
                    s_$q += panel[i * 4u + quad + $qu] * k;
                    #end
                }
            }
        }
        #repeat q 0 SCORE_QUADS
        s_$q = select(vec4<f32>(LOWEST), s_$q * scale, seen_by(place.first + (quad + $qu) * 4u, key));
        scores[local % KEYS * 4u + quad + $qu] = s_$q;
        #end
        workgroupBarrier();
        let row = local / LANES;
        var most = LOWEST;
        for (var k = local % LANES; k < KEYS; k += LANES) {
            most = max(most, scores[k * 4u + row / 4u][row % 4u]);
        }
        parts[local] = most;
        workgroupBarrier();
        if local < ROWS {
            let before = highest[local];
            var now = before;
            for (var lane = 0u; lane < LANES; lane++) {
                now = max(now, parts[local * LANES + lane]);
            }
            highest[local] = now;
            factors[local] = exp(before - now);
        }
        workgroupBarrier();
        #repeat q 0 SCORE_QUADS
        scores[local % KEYS * 4u + quad + $qu] = select(
            vec4<f32>(),
            exp(s_$q - highest_of(quad + $qu)),
            seen_by(place.first + (quad + $qu) * 4u, key),
        );
        #end
        workgroupBarrier();
        #repeat q 0 QUADS
        let factor_$q = factors_of(share * QUADS + $qu);
        acc_$q *= factor_$q;
        sum_$q *= factor_$q;
        #end
        let count = min(KEYS, end - k0);
        for (var k = 0u; k < count; k++) {
            let v = arena[values + (k0 + k) * stride + d];
            #repeat q 0 QUADS
            let p_$q = scores[k * 4u + share * QUADS + $qu];
            acc_$q += p_$q * v;
            sum_$q += p_$q;
            #end
        }
    }
    if local % COLS < head {
        let at = base + op.attended + place.sequence * op.length * op.width + place.head * head + d;
        #repeat q 0 QUADS
        put(at, op.width, place.first + (share * QUADS + $qu) * 4u, acc_$q / sum_$q);
        #end
    }
    if local % COLS == 0u {
        let at = base + op.lse + place.head * op.rows + place.sequence * op.length;
        #repeat q 0 QUADS
        put(
            at,
            1u,
            place.first + (share * QUADS + $qu) * 4u,
            highest_of(share * QUADS + $qu)
                + vec4<f32>(log_of(sum_$q.x), log_of(sum_$q.y), log_of(sum_$q.z), log_of(sum_$q.w)),
        );
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
    let place = place_of(index_of(group, groups));
    if place.run >= op.runs {
        return;
    }
    let head = op.width / op.heads;
    let stride = 3u * op.width;
    let base = arena_of(place.run);
    let inside = place.sequence * op.length * stride + place.head * head;
    let queries = base + op.qkv + inside;
    let keys = queries + op.width;
    let values = keys + op.width;
    let outputs = place.sequence * op.length * op.width + place.head * head;
    let dout = base + op.dattended + outputs;
    let rows = place.head * op.rows + place.sequence * op.length;
    let scale = 1.0 / sqrt(f32(head));
    let end = min(op.length, place.first + ROWS);
    let share = share_of(local, WIDTH, COLS);
    let d = min(local % COLS, head - 1u);

    let mine = place.first + local / LANES;
    var sum = 0.0;
    if mine < op.length {
        for (var c = local % LANES; c < head; c += LANES) {
            sum += arena[base + op.attended + outputs + mine * op.width + c] * arena[dout + mine * op.width + c];
        }
    }
    parts[local] = sum;
    workgroupBarrier();
    if local < ROWS {
        var delta = 0.0;
        for (var lane = 0u; lane < LANES; lane++) {
            delta += parts[local * LANES + lane];
        }
        let row = place.first + local;
        factors[local] = delta;
        if row < op.length {
            arena[base + op.delta + rows + row] = delta;
            highest[local] = arena[base + op.lse + rows + row];
        } else {
            highest[local] = 0.0;
        }
    }
    #repeat q 0 QUADS
    var acc_$q = vec4<f32>();
    #end
    for (var k0 = place.first + 1u - min(place.first + 1u, op.window); k0 < end; k0 += KEYS) {
        let key = k0 + local % KEYS;
        let quad = share_of(local, WIDTH, KEYS) * SCORE_QUADS;
        #repeat q 0 SCORE_QUADS
        var s_$q = vec4<f32>();
        var t_$q = vec4<f32>();
        #end
        for (var d0 = 0u; d0 < head; d0 += DEPTH) {
            let depth = min(DEPTH, head - d0);
            workgroupBarrier();
            for (var i = local; i < DEPTH * 4u; i += WIDTH) {
                let c = i % DEPTH;
                if c < depth {
                    let row = place.first + i / DEPTH * 4u;
                    panel[c * 4u + i / DEPTH] = column(queries + d0 + c, stride, row);
                    other[c * 4u + i / DEPTH] = column(dout + d0 + c, op.width, row);
                }
            }
            workgroupBarrier();
            let at = min(key, op.length - 1u) * stride + d0;
            if depth == DEPTH {
                #repeat i 0 DEPTH
                let k_$i = arena[keys + at + $iu];
                let v_$i = arena[values + at + $iu];
                #repeat q 0 SCORE_QUADS
                s_$q += panel[$iu * 4u + quad + $qu] * k_$i;
                t_$q += other[$iu * 4u + quad + $qu] * v_$i;
                #end
                #end
            } else {
                for (var i = 0u; i < depth; i++) {
                    let k = arena[keys + at + i];
                    let v = arena[values + at + i];
                    #repeat q 0 SCORE_QUADS
                    s_$q += panel[i * 4u + quad + $qu] * k;
                    t_$q += other[i * 4u + quad + $qu] * v;
                    #end
                }
            }
        }
        #repeat q 0 SCORE_QUADS
        s_$q = exp(min(s_$q * scale - highest_of(quad + $qu), vec4<f32>(80.0)));
        scores[local % KEYS * 4u + quad + $qu] = select(
            vec4<f32>(),
            s_$q * (t_$q - factors_of(quad + $qu)) * scale,
            seen_by(place.first + (quad + $qu) * 4u, key),
        );
        #end
        workgroupBarrier();
        let count = min(KEYS, end - k0);
        for (var k = 0u; k < count; k++) {
            let x = arena[keys + (k0 + k) * stride + d];
            #repeat q 0 QUADS
            acc_$q += scores[k * 4u + share * QUADS + $qu] * x;
            #end
        }
    }
    if local % COLS < head {
        #repeat q 0 QUADS
        put(base + op.dqkv + inside + d, stride, place.first + (share * QUADS + $qu) * 4u, acc_$q);
        #end
    }
    if ROPE == 1u {
        storageBarrier();
        turn_back(base + op.dqkv + inside, stride, place.first, head, local);
    }
}

// dK = dS' Q and dV = P' dO: one workgroup writes a key, so nothing is added across workgroups.
@compute @workgroup_size(WIDTH)
fn attend_keys(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let place = place_of(index_of(group, groups));
    if place.run >= op.runs {
        return;
    }
    let head = op.width / op.heads;
    let stride = 3u * op.width;
    let base = arena_of(place.run);
    let inside = place.sequence * op.length * stride + place.head * head;
    let queries = base + op.qkv + inside;
    let keys = queries + op.width;
    let values = keys + op.width;
    let dout = base + op.dattended + place.sequence * op.length * op.width + place.head * head;
    let rows = place.head * op.rows + place.sequence * op.length;
    let scale = 1.0 / sqrt(f32(head));
    // The last of the 16 keys is seen this far.
    let end = min(op.length, place.first + ROWS - 1u + min(op.window, op.length));
    let share = share_of(local, WIDTH, COLS);
    let d = min(local % COLS, head - 1u);
    #repeat q 0 QUADS
    var dk_$q = vec4<f32>();
    var dv_$q = vec4<f32>();
    #end
    for (var q0 = place.first; q0 < end; q0 += KEYS) {
        let query = q0 + local % KEYS;
        let known = min(query, op.length - 1u);
        let quad = share_of(local, WIDTH, KEYS) * SCORE_QUADS;
        #repeat q 0 SCORE_QUADS
        var s_$q = vec4<f32>();
        var t_$q = vec4<f32>();
        #end
        for (var d0 = 0u; d0 < head; d0 += DEPTH) {
            let depth = min(DEPTH, head - d0);
            workgroupBarrier();
            for (var i = local; i < DEPTH * 4u; i += WIDTH) {
                let c = i % DEPTH;
                if c < depth {
                    let row = place.first + i / DEPTH * 4u;
                    panel[c * 4u + i / DEPTH] = column(keys + d0 + c, stride, row);
                    other[c * 4u + i / DEPTH] = column(values + d0 + c, stride, row);
                }
            }
            workgroupBarrier();
            let x_at = queries + known * stride + d0;
            let y_at = dout + known * op.width + d0;
            if depth == DEPTH {
                #repeat i 0 DEPTH
                let x_$i = arena[x_at + $iu];
                let y_$i = arena[y_at + $iu];
                #repeat q 0 SCORE_QUADS
                s_$q += panel[$iu * 4u + quad + $qu] * x_$i;
                t_$q += other[$iu * 4u + quad + $qu] * y_$i;
                #end
                #end
            } else {
                for (var i = 0u; i < depth; i++) {
                    let x = arena[x_at + i];
                    let y = arena[y_at + i];
                    #repeat q 0 SCORE_QUADS
                    s_$q += panel[i * 4u + quad + $qu] * x;
                    t_$q += other[i * 4u + quad + $qu] * y;
                    #end
                }
            }
        }
        let lse = arena[base + op.lse + rows + known];
        let delta = arena[base + op.delta + rows + known];
        #repeat q 0 SCORE_QUADS
        s_$q = select(
            vec4<f32>(),
            exp(min(s_$q * scale - lse, vec4<f32>(80.0))),
            sees(query, place.first + (quad + $qu) * 4u),
        );
        scores[local % KEYS * 4u + quad + $qu] = s_$q;
        slopes[local % KEYS * 4u + quad + $qu] = s_$q * (t_$q - delta) * scale;
        #end
        workgroupBarrier();
        let count = min(KEYS, end - q0);
        for (var i = 0u; i < count; i++) {
            let x = arena[queries + (q0 + i) * stride + d];
            let y = arena[dout + (q0 + i) * op.width + d];
            #repeat q 0 QUADS
            dk_$q += slopes[i * 4u + share * QUADS + $qu] * x;
            dv_$q += scores[i * 4u + share * QUADS + $qu] * y;
            #end
        }
    }
    let at = base + op.dqkv + inside + op.width;
    if local % COLS < head {
        #repeat q 0 QUADS
        put(at + d, stride, place.first + (share * QUADS + $qu) * 4u, dk_$q);
        put(at + op.width + d, stride, place.first + (share * QUADS + $qu) * 4u, dv_$q);
        #end
    }
    if ROPE == 1u {
        storageBarrier();
        turn_back(at, stride, place.first, head, local);
    }
}
