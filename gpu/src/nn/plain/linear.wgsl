// Linear layers as in `../linear.wgsl`, for adapters on which workgroups meet at great cost: an invocation meets nobody.
//
// On such an adapter every number that is read costs some twenty products, wherever it lies, and words of the block of parameters
// half of that; numbers of a private array at a place that the compiler knows cost next to nothing; and what a branch leaves
// out costs as much as if it were done. So an invocation keeps CHUNK rows of the weights for 4 QUADS columns, and op.block rows of
// the source pass by: each number of theirs is read once for 4 QUADS products. Branches are the compiler's where they can be.
//
// FOURS  a quarter of CHUNK
// WRITTEN, LOOPS  CHUNK and 0 where no place in what is kept may depend on a loop, 0 and 1 elsewhere
// ONE    whether the source is not wider than CHUNK
// ROWS   the most rows of a block
// WHOLE  an invocation makes whole rows, tile by tile, so that norms need nobody else: those of what ADD has made, and
//        NORM_BACK
// KIND   what happens to the product

#import "nn"
#import "nn_linear"
#import "nn_norm"

@group(0) @binding(0) var<storage, read> weights: array<f32>;

const COLS: u32 = 4u * QUADS;
const CHUNK: u32 = 4u * FOURS;
// Whether the sum is what is wanted, and nothing becomes of it but what norms make of whole rows.
const KEPT: bool = KIND == PLAIN || KIND == ADD || KIND == NORM_BACK;

// Four numbers of the arena.
fn numbers(cells: vec4<u32>) -> vec4<f32> {
    return vec4<f32>(arena[cells.x], arena[cells.y], arena[cells.z], arena[cells.w]);
}

fn keep(cells: vec4<u32>, count: u32, x: vec4<f32>) {
    #repeat j 0 4
    if $ju < count {
        arena[cells[$j]] = x[$j];
    }
    #end
}

// What becomes of four numbers of a product that is not KEPT, of which `count` there are; they lie in these cells of a matrix.
fn put(base: u32, row: u32, slot: u32, cells: vec4<u32>, count: u32, product: vec4<f32>) {
    var x = product;
    if KIND == ROPE && slot < 2u * op.width {
        x = vec4<f32>(turned(row, slot, x.xy), turned(row, slot + 2u, x.zw));
    }
    if KIND == GELU {
        keep(cells + vec4<u32>(base + op.before), count, x);
        x *= vec4<f32>(gelu_share(x.x), gelu_share(x.y), gelu_share(x.z), gelu_share(x.w));
    }
    if KIND == GELU_BACK {
        let y = numbers(cells + vec4<u32>(base + op.before));
        x *= vec4<f32>(gelu_slope(y.x), gelu_slope(y.y), gelu_slope(y.z), gelu_slope(y.w));
    }
    keep(cells + vec4<u32>(base + op.dest), count, x);
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

// The way back through a layer norm of what has been put: rows, and one slice of the gradient of gain and bias.
fn norm_back(base: u32, weight_base: u32, first: u32, slice: u32) {
    let rows = min(op.block, op.rows - first);
    let columns = op.columns;
    let gains = weight_base + op.gain;
    let source = base + op.dest + first * columns;
    let inputs = base + op.norm_input + first * columns;
    let added = op.residual != NONE;
    let residual = base + first * columns + select(op.dest, op.residual, added);
    // Of each row mean, 1/deviation, and the means of the two sums.
    var totals: array<vec4<f32>, ROWS>;
    for (var r = 0u; r < rows; r++) {
        let stats = stats_of(base, first + r);
        let at = r * columns;
        var sums = vec2<f32>();
        for (var c = 0u; c < columns; c++) {
            let g = arena[source + at + c] * weights[gains + c];
            sums += vec2<f32>(g, g * (arena[inputs + at + c] - stats.x) * stats.y);
        }
        totals[r] = vec4<f32>(stats, sums / f32(columns));
    }
    let biased = op.norm_bias != NONE;
    let partial = base + op.partial + slice * select(1u, 2u, biased) * columns;
    for (var c = 0u; c < columns; c++) {
        let gain = weights[gains + c];
        var slopes = vec2<f32>();
        var at = c;
        for (var r = 0u; r < rows; r++) {
            let t = totals[r];
            let dy = arena[source + at];
            let x = (arena[inputs + at] - t.x) * t.y;
            var dx = t.y * (dy * gain - t.z - x * t.w);
            if added {
                dx += arena[residual + at];
            }
            arena[source + at] = dx;
            slopes += vec2<f32>(dy * x, dy);
            at += columns;
        }
        arena[partial + c] = slopes.x;
        if biased {
            arena[partial + columns + c] = slopes.y;
        }
    }
}

fn weigh(at: u32, columns: vec4<u32>) -> vec4<f32> {
    return vec4<f32>(
        weights[at + columns.x], weights[at + columns.y], weights[at + columns.z], weights[at + columns.w],
    );
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
    let blocks = (op.rows + op.block * WIDTH - 1u) / (op.block * WIDTH);
    let index = index_of(group, groups);
    let run = index / (tiles * blocks);
    let slice = index / tiles % blocks * WIDTH + local;
    let first = slice * op.block;
    if run >= op.runs || first >= op.rows {
        return;
    }
    let base = arena_of(run);
    let weight_base = weights_of(run);
    // Words of the block of parameters are dear to read too.
    let inner = op.inner;
    let columns = op.columns;
    let rows = min(op.block, op.rows - first);
    var c0 = 0u;
    var end = columns;
    if WHOLE == 0u {
        c0 = index % tiles * COLS;
        end = c0 + 1u;
    }
    for (; c0 < end; c0 += COLS) {
        #repeat j 0 QUADS
        let c_$j = c0 + 4u * $ju;
        let o_$j = vec4<u32>(column_of(c_$j), column_of(c_$j + 1u), column_of(c_$j + 2u), column_of(c_$j + 3u));
        // The columns that there are not are whatever lies there, and go nowhere.
        let count_$j = min(4u, columns - min(columns, c_$j));
        var bias_$j = vec4<f32>();
        if op.bias != NONE {
            bias_$j = weigh(weight_base + op.bias, o_$j);
        }
        #end
        for (var k = 0u; k < select(inner, 1u, ONE == 1u); k += CHUNK) {
            let there = min(CHUNK, inner - k);
            var kept: array<vec4<f32>, CHUNK * QUADS>;
            var at = weight_base + op.weight + k * columns;
            #repeat i 0 WRITTEN
            #repeat j 0 QUADS
            kept[$iu * QUADS + $ju] = select(vec4<f32>(), weigh(at, o_$j), $iu < there);
            #end
            at += columns;
            #end
            #repeat once 0 LOOPS
            // All of it: in Chromium a variable keeps what it had in the round before.
            for (var i = 0u; i < CHUNK; i++) {
                #repeat j 0 QUADS
                kept[i * QUADS + $ju] = select(vec4<f32>(), weigh(at, o_$j), i < there);
                #end
                at += columns;
            }
            #end
            let last = k + CHUNK >= inner;
            var so_far = op.dest;
            if KIND == ADD && k == 0u {
                so_far = op.residual;
            }
            var source = base + op.source + first * inner + k;
            #repeat j 0 QUADS
            var cells_$j = vec4<u32>(first * columns) + o_$j;
            #end
            for (var row = first; row < first + rows; row++) {
                #repeat j 0 QUADS
                var y_$j = bias_$j;
                if ONE == 0u || KIND == ADD {
                    // What has been added up so far, which begins with what is added.
                    let before = numbers(cells_$j + vec4<u32>(base + so_far));
                    y_$j = select(before, bias_$j + select(vec4<f32>(), before, KIND == ADD), k == 0u);
                }
                #end
                #repeat i 0 FOURS
                let spots_$i = vec4<u32>(source) + min(vec4<u32>(4u * $iu) + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(there - 1u));
                let x_$i = numbers(spots_$i);
                #repeat j 0 QUADS
                y_$j += mat4x4<f32>(
                    kept[4u * $iu * QUADS + $ju],
                    kept[(4u * $iu + 1u) * QUADS + $ju],
                    kept[(4u * $iu + 2u) * QUADS + $ju],
                    kept[(4u * $iu + 3u) * QUADS + $ju],
                ) * x_$i;
                #end
                #end
                #repeat j 0 QUADS
                if !KEPT && (ONE == 1u || last) {
                    put(base, row, c_$j, cells_$j, count_$j, y_$j);
                }
                if KEPT || (ONE == 0u && !last) {
                    keep(cells_$j + vec4<u32>(base + op.dest), count_$j, y_$j);
                }
                cells_$j += vec4<u32>(columns);
                #end
                source += inner;
            }
        }
    }
    if KIND == ADD {
        for (var r = 0u; r < rows; r++) {
            norm_row(base, weight_base, first + r, base + op.dest + (first + r) * columns, columns);
        }
    }
    if KIND == NORM_BACK {
        norm_back(base, weight_base, first, slice);
    }
}
