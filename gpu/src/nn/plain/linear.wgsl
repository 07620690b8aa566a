// Linear layers as in `../linear.wgsl`, for adapters on which workgroups meet at great cost: every invocation makes ROWS rows
// by 4 QUADS columns in registers and meets nobody. The loops are short texts, because some compilers need seconds for long
// ones; only the tile itself is written out.
//
// WHOLE  an invocation makes whole rows, tile by tile, so that norms need nobody else: those of what ADD has made, and
//        NORM_BACK
// KIND   what happens to the product

#import "nn"
#import "nn_linear"
#import "nn_norm"

@group(0) @binding(0) var<storage, read> weights: array<f32>;

const COLS: u32 = 4u * QUADS;

// What becomes of four numbers of the product. Rows behind the last are not asked for.
fn put(base: u32, weight_base: u32, row: u32, first: u32, product: vec4<f32>) {
    var x = product;
    if op.bias != NONE {
        for (var j = 0u; j < 4u; j++) {
            x[j] += weights[weight_base + op.bias + min(column_of(first + j), op.columns - 1u)];
        }
    }
    if KIND == ROPE && first < 2u * op.width {
        x = vec4<f32>(turned(row, first, x.xy), turned(row, first + 2u, x.zw));
    }
    for (var j = 0u; j < 4u; j++) {
        let column = column_of(first + j);
        if column < op.columns {
            let cell = base + row * op.columns + column;
            var y = x[j];
            if KIND == ADD {
                y += arena[cell + op.residual];
            }
            if KIND == GELU {
                arena[cell + op.before] = y;
                y *= gelu_share(y);
            }
            if KIND == GELU_BACK {
                y *= gelu_slope(arena[cell + op.before]);
            }
            arena[cell + op.dest] = y;
        }
    }
}

// A pair of a query or key, turned by its place. `slot` is even, and so is twice the width.
fn turned(row: u32, slot: u32, x: vec2<f32>) -> vec2<f32> {
    if slot >= 2u * op.width {
        return x;
    }
    let half = op.width / op.heads / 2u;
    let turn = op.table + (row % op.length * half + slot / 2u % half) * 2u;
    let c = bitcast<f32>(tables[turn]);
    let s = bitcast<f32>(tables[turn + 1u]);
    return vec2<f32>(x.x * c - x.y * s, x.x * s + x.y * c);
}

// The way back through a layer norm of what `put` has written: rows, and one slice of the gradient of gain and bias.
fn norm_back(base: u32, weight_base: u32, first: u32, slice: u32) {
    let rows = min(ROWS, op.rows - first);
    var totals: array<vec2<f32>, ROWS>;
    for (var r = 0u; r < rows; r++) {
        let stats = stats_of(base, first + r);
        let at = base + (first + r) * op.columns;
        var sums = vec2<f32>();
        for (var c = 0u; c < op.columns; c++) {
            let g = arena[at + op.dest + c] * weights[weight_base + op.gain + c];
            sums += vec2<f32>(g, g * (arena[at + op.norm_input + c] - stats.x) * stats.y);
        }
        totals[r] = sums / f32(op.columns);
    }
    for (var c = 0u; c < op.columns; c++) {
        let gain = weights[weight_base + op.gain + c];
        var slopes = vec2<f32>();
        for (var r = 0u; r < rows; r++) {
            let stats = stats_of(base, first + r);
            let cell = base + (first + r) * op.columns + c;
            let dy = arena[cell + op.dest];
            let x = (arena[cell + op.norm_input] - stats.x) * stats.y;
            var dx = stats.y * (dy * gain - totals[r].x - x * totals[r].y);
            if op.residual != NONE {
                dx += arena[cell + op.residual];
            }
            arena[cell + op.dest] = dx;
            slopes += vec2<f32>(dy * x, dy);
        }
        if op.norm_bias == NONE {
            arena[base + op.partial + slice * op.columns + c] = slopes.x;
        } else {
            arena[base + op.partial + slice * 2u * op.columns + c] = slopes.x;
            arena[base + op.partial + (slice * 2u + 1u) * op.columns + c] = slopes.y;
        }
    }
}

fn weigh(at: u32, columns: vec4<u32>) -> vec4<f32> {
    return vec4<f32>(
        weights[at + columns.x], weights[at + columns.y], weights[at + columns.z], weights[at + columns.w],
    );
}

fn four(at: u32) -> vec4<f32> {
    return vec4<f32>(arena[at], arena[at + 1u], arena[at + 2u], arena[at + 3u]);
}

fn stats_of(base: u32, row: u32) -> vec2<f32> {
    let at = base + op.stats + 2u * row;
    return vec2<f32>(arena[at], arena[at + 1u]);
}

@compute @workgroup_size(WIDTH)
fn linear(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    var tiles = 1u;
    if WHOLE == 0u {
        tiles = (op.columns + COLS - 1u) / COLS;
    }
    let blocks = (op.rows + ROWS * WIDTH - 1u) / (ROWS * WIDTH);
    let index = index_of(group, groups);
    let run = index / (tiles * blocks);
    let slice = index / tiles % blocks * WIDTH + local;
    let first = slice * ROWS;
    if run >= op.runs || first >= op.rows {
        return;
    }
    let base = arena_of(run);
    let weight_base = weights_of(run);
    // The numbers of rows and columns that there are not are whatever lies there, and go nowhere.
    let source = base + op.source + first * op.inner;
    var c0 = 0u;
    var end = op.columns;
    if WHOLE == 0u {
        c0 = index % tiles * COLS;
        end = c0 + 1u;
    }
    for (; c0 < end; c0 += COLS) {
        #repeat j 0 QUADS
        let c_$j = c0 + 4u * $ju;
        let o_$j = vec4<u32>(column_of(c_$j), column_of(c_$j + 1u), column_of(c_$j + 2u), column_of(c_$j + 3u));
        #repeat r 0 ROWS
        var a_$r_$j = vec4<f32>();
        #end
        #end
        var at = weight_base + op.weight;
        var k = source;
        let last = source + op.inner;
        // Four at a time, as matrices times rows: what is added up is touched once for four products.
        for (; k + 4u <= last; k += 4u) {
            #repeat j 0 QUADS
            let w_$j = mat4x4<f32>(
                weigh(at, o_$j),
                weigh(at + op.columns, o_$j),
                weigh(at + 2u * op.columns, o_$j),
                weigh(at + 3u * op.columns, o_$j),
            );
            #end
            #repeat r 0 ROWS
            let x_$r = four(k + $ru * op.inner);
            #repeat j 0 QUADS
            a_$r_$j += w_$j * x_$r;
            #end
            #end
            at += 4u * op.columns;
        }
        for (; k < last; k++) {
            #repeat j 0 QUADS
            let w_$j = weigh(at, o_$j);
            #end
            #repeat r 0 ROWS
            let x_$r = arena[k + $ru * op.inner];
            #repeat j 0 QUADS
            a_$r_$j += x_$r * w_$j;
            #end
            #end
            at += op.columns;
        }
        let rows = min(ROWS, op.rows - first);
        for (var r = 0u; r < rows; r++) {
            #repeat j 0 QUADS
            var x_$j = a_0_$j;
            #repeat i 1 ROWS
            x_$j = select(x_$j, a_$i_$j, r == $iu);
            #end
            put(base, weight_base, first + r, c0 + 4u * $ju, x_$j);
            #end
        }
    }
    if KIND == ADD {
        let rows = min(ROWS, op.rows - first);
        for (var r = 0u; r < rows; r++) {
            norm_row(base, weight_base, first + r, base + op.dest + (first + r) * op.columns, op.columns);
        }
    }
    if KIND == NORM_BACK {
        norm_back(base, weight_base, first, slice);
    }
}
