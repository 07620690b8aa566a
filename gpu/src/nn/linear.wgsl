// Linear layers: dest = source weight, with what stands before and behind it in a transformer.
//
// A workgroup makes 16 rows by COLS columns. 16 rows of the source lie transposed in workgroup memory, DEPTH numbers of
// the inner dimension at a time, and are read by all threads at once; the weight is read from storage, neighbours by
// neighbours. A thread keeps 4 QUADS rows of one column.
//
// NORM  the source passes through a layer norm, whose output and statistics are kept
// KIND  what happens to the product: see the constants

#import "nn"
#import "nn_linear"

@group(0) @binding(0) var<storage, read> weights: array<f32>;

const ROWS: u32 = 16u;
const LANES: u32 = WIDTH / ROWS;

var<workgroup> panel: array<vec4<f32>, DEPTH * 4u>;
var<workgroup> parts: array<vec2<f32>, WIDTH>;
// Mean and 1/deviation of the rows, or the two sums of the way back.
var<workgroup> totals: array<vec2<f32>, ROWS>;

// The sum over the lanes of this thread's row, always in the same order.
fn total(local: u32) -> vec2<f32> {
    let first = local / LANES * LANES;
    var sum = vec2<f32>();
    for (var lane = 0u; lane < LANES; lane++) {
        sum += parts[first + lane];
    }
    return sum;
}

// Mean and 1/deviation of 16 rows of the source.
fn measure(base: u32, first: u32, local: u32, keeps: bool) {
    let row = first + local / LANES;
    let lane = local % LANES;
    let at = base + op.source + min(row, op.rows - 1u) * op.inner;
    var sum = 0.0;
    for (var c = lane; c < op.inner; c += LANES) {
        sum += arena[at + c];
    }
    parts[local] = vec2<f32>(sum, 0.0);
    workgroupBarrier();
    let mean = total(local).x / f32(op.inner);
    workgroupBarrier();
    sum = 0.0;
    for (var c = lane; c < op.inner; c += LANES) {
        let x = arena[at + c] - mean;
        sum += x * x;
    }
    parts[local] = vec2<f32>(sum, 0.0);
    workgroupBarrier();
    let inverse = 1.0 / sqrt(total(local).x / f32(op.inner) + 1e-5);
    if lane == 0u {
        totals[local / LANES] = vec2<f32>(mean, inverse);
        if keeps && row < op.rows {
            arena[base + op.stats + 2u * row] = mean;
            arena[base + op.stats + 2u * row + 1u] = inverse;
        }
    }
    workgroupBarrier();
}

// One number of the source. Rows and columns that there are not are 0.
fn source_at(base: u32, weight_base: u32, first: u32, r: u32, k: u32, keeps: bool) -> f32 {
    let row = first + r;
    if row >= op.rows || k >= op.inner {
        return 0.0;
    }
    var x = arena[base + op.source + row * op.inner + k];
    if NORM == 1u {
        x = (x - totals[r].x) * totals[r].y * weights[weight_base + op.gain + k];
        if op.norm_bias != NONE {
            x += weights[weight_base + op.norm_bias + k];
        }
        if keeps {
            arena[base + op.normed + row * op.inner + k] = x;
        }
    }
    return x;
}

// What becomes of a number of the product.
fn put(base: u32, row: u32, column: u32, product: f32, bias: f32) {
    if row >= op.rows || column >= op.columns {
        return;
    }
    let cell = row * op.columns + column;
    var x = product + bias;
    if KIND == ADD {
        x += arena[base + op.residual + cell];
    }
    if KIND == GELU {
        arena[base + op.before + cell] = x;
        x *= gelu_share(x);
    }
    if KIND == GELU_BACK {
        x *= gelu_slope(arena[base + op.before + cell]);
    }
    arena[base + op.dest + cell] = x;
}

// A number of the norm's input, centred and scaled.
fn hat(base: u32, row: u32, column: u32) -> f32 {
    let r = min(row, op.rows - 1u);
    let mean = arena[base + op.stats + 2u * r];
    let inverse = arena[base + op.stats + 2u * r + 1u];
    return (arena[base + op.norm_input + r * op.columns + min(column, op.columns - 1u)] - mean) * inverse;
}

// The way back through a layer norm of what `put` has written.
fn norm_back(base: u32, weight_base: u32, first: u32, local: u32) {
    storageBarrier();
    workgroupBarrier();
    let lane = local % LANES;
    let row = first + local / LANES;
    var sums = vec2<f32>();
    if row < op.rows {
        for (var c = lane; c < op.columns; c += LANES) {
            let g = arena[base + op.dest + row * op.columns + c] * weights[weight_base + op.gain + c];
            sums += vec2<f32>(g, g * hat(base, row, c));
        }
    }
    parts[local] = sums;
    workgroupBarrier();
    if lane == 0u {
        totals[local / LANES] = total(local) / f32(op.columns);
    }
    storageBarrier();
    workgroupBarrier();
}

@compute @workgroup_size(WIDTH)
fn linear(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let tiles = (op.columns + COLS - 1u) / COLS;
    let blocks = (op.rows + ROWS - 1u) / ROWS;
    let index = index_of(group, groups);
    let run = index / (tiles * blocks);
    if run >= op.runs {
        return;
    }
    let tile = index % tiles;
    let block = (index / tiles) % blocks;
    let base = arena_of(run);
    let weight_base = weights_of(run);
    let first = block * ROWS;
    // The threads of a column share its rows.
    let share = share_of(local, WIDTH, COLS);
    let column = column_of(tile * COLS + local % COLS);
    let inside = min(column, op.columns - 1u);

    if NORM == 1u {
        measure(base, first, local, tile == 0u);
    }
    #repeat q 0 QUADS
    var acc_$q = vec4<f32>();
    #end
    var at = weight_base + op.weight + inside;
    for (var k0 = 0u; k0 < op.inner; k0 += DEPTH) {
        workgroupBarrier();
        for (var i = local; i < DEPTH * 4u; i += WIDTH) {
            let k = i % DEPTH;
            let r = i / DEPTH * 4u;
            panel[k * 4u + i / DEPTH] = vec4<f32>(
                source_at(base, weight_base, first, r, k0 + k, tile == 0u),
                source_at(base, weight_base, first, r + 1u, k0 + k, tile == 0u),
                source_at(base, weight_base, first, r + 2u, k0 + k, tile == 0u),
                source_at(base, weight_base, first, r + 3u, k0 + k, tile == 0u),
            );
        }
        workgroupBarrier();
        let depth = min(DEPTH, op.inner - k0);
        // Written out, the addresses in workgroup memory are constants, which some compilers need to see.
        if depth == DEPTH {
            #repeat k 0 DEPTH
            let w_$k = weights[at + $ku * op.columns];
            #repeat q 0 QUADS
            acc_$q += panel[$ku * 4u + share * QUADS + $qu] * w_$k;
            #end
            #end
        } else {
            for (var k = 0u; k < depth; k++) {
                let w = weights[at + k * op.columns];
                #repeat q 0 QUADS
                acc_$q += panel[k * 4u + share * QUADS + $qu] * w;
                #end
            }
        }
        at += DEPTH * op.columns;
    }

    var bias = 0.0;
    if op.bias != NONE {
        bias = weights[weight_base + op.bias + inside];
    }
    let top = first + share * QUADS * 4u;
    #repeat q 0 QUADS
    put(base, top + 4u * $qu, column, acc_$q.x, bias);
    put(base, top + 4u * $qu + 1u, column, acc_$q.y, bias);
    put(base, top + 4u * $qu + 2u, column, acc_$q.z, bias);
    put(base, top + 4u * $qu + 3u, column, acc_$q.w, bias);
    #end

    if KIND == NORM_BACK {
        norm_back(base, weight_base, first, local);
        if column < op.columns {
            let gain = weights[weight_base + op.gain + column];
            var slopes = vec2<f32>();
            for (var i = 0u; i < 4u * QUADS; i++) {
                let row = top + i;
                if row < op.rows {
                    let cell = row * op.columns + column;
                    let dy = arena[base + op.dest + cell];
                    let x = hat(base, row, column);
                    let sums = totals[row - first];
                    var dx = arena[base + op.stats + 2u * row + 1u] * (dy * gain - sums.x - x * sums.y);
                    if op.residual != NONE {
                        dx += arena[base + op.residual + cell];
                    }
                    arena[base + op.dest + cell] = dx;
                    slopes += vec2<f32>(dy * x, dy);
                }
            }
            // One slice of the gradient of gain and bias.
            let slice = block * (WIDTH / COLS) + share;
            if op.norm_bias == NONE {
                arena[base + op.partial + slice * op.columns + column] = slopes.x;
            } else {
                arena[base + op.partial + slice * 2u * op.columns + column] = slopes.x;
                arena[base + op.partial + (slice * 2u + 1u) * op.columns + column] = slopes.y;
            }
        }
    }
    if KIND == ROPE {
        storageBarrier();
        let head = op.width / op.heads;
        let half = head / 2u;
        for (var i = local; i < ROWS * COLS / 2u; i += WIDTH) {
            let row = first + i / (COLS / 2u);
            let pair = tile * COLS + i % (COLS / 2u) * 2u;
            if row < op.rows && pair < 2u * op.width {
                let j = pair % head / 2u;
                let cell = base + op.dest + row * op.columns + pair / head * head + j;
                let turn = op.table + (row % op.length * half + j) * 2u;
                let c = bitcast<f32>(tables[turn]);
                let s = bitcast<f32>(tables[turn + 1u]);
                let x = arena[cell];
                let y = arena[cell + half];
                arena[cell] = x * c - y * s;
                arena[cell + half] = x * s + y * c;
            }
        }
    }
}
