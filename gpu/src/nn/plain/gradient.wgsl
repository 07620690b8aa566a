// All gradients of weights at once as in `../gradient.wgsl`, as `linear.wgsl` makes its products: an invocation keeps dY of CHUNK
// rows for 4 QUADS columns, and INPUTS inputs pass by, of one slice of one job. A workgroup has one job.
//
// FOURS  a quarter of CHUNK
// WRITTEN, LOOPS  as there
// ONE    whether a slice has not more rows than CHUNK

#import "nn"
#import "nn_job"

const COLS: u32 = 4u * QUADS;
const CHUNK: u32 = 4u * FOURS;

fn four(at: u32) -> vec4<f32> {
    return vec4<f32>(arena[at], arena[at + 1u], arena[at + 2u], arena[at + 3u]);
}

fn keep(at: u32, count: u32, x: vec4<f32>) {
    #repeat j 0 4
    if $ju < count {
        arena[at + $ju] = x[$j];
    }
    #end
}

@compute @workgroup_size(WIDTH)
fn gradients(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = index_of(group, groups);
    let run = index / op.job_groups;
    if run >= op.runs {
        return;
    }
    let mine = index % op.job_groups;
    let job = job_of(mine);
    let tiles = (job.columns + COLS - 1u) / COLS;
    let blocks = (job.inputs + INPUTS - 1u) / INPUTS;
    let here = (mine - job.first_group) * WIDTH + local;
    let slice = here / (tiles * blocks);
    if slice >= job.slices {
        return;
    }
    let c0 = here % tiles * COLS;
    let top = here / tiles % blocks * INPUTS;
    let bottom = min(job.inputs, top + INPUTS);
    let columns = job.columns;
    let stride = job.x_stride;
    let base = arena_of(run);
    let ids = op.ids + (op.first_run + run) * op.rows * 2u;
    // The columns that there are not are whatever lies there, and go nowhere.
    let dy = base + job.dy + c0;
    #repeat j 0 QUADS
    let count_$j = min(4u, columns - min(columns, c0 + 4u * $ju));
    #end
    let begin = slice * job.slice_rows;
    let end = min(op.rows, begin + job.slice_rows);
    let out = base + job.partial + (slice * job.inputs + top) * columns + c0;
    if job.kind == PLACES {
        for (var place = top; place < bottom; place++) {
            #repeat j 0 QUADS
            var y_$j = vec4<f32>();
            #end
            for (var row = place; row < op.rows; row += op.length) {
                #repeat j 0 QUADS
                y_$j += four(dy + row * columns + 4u * $ju);
                #end
            }
            #repeat j 0 QUADS
            keep(out + (place - top) * columns + 4u * $ju, count_$j, y_$j);
            #end
        }
    } else if job.kind == MATRIX {
        for (var row = begin; row < end; row += CHUNK) {
            let there = min(CHUNK, end - row);
            let first = row == begin;
            var kept: array<vec4<f32>, CHUNK * QUADS>;
            var at = dy + row * columns;
            #repeat i 0 WRITTEN
            #repeat j 0 QUADS
            kept[$iu * QUADS + $ju] = select(vec4<f32>(), four(at + 4u * $ju), $iu < there);
            #end
            at += columns;
            #end
            #repeat once 0 LOOPS
            for (var i = 0u; i < CHUNK; i++) {
                #repeat j 0 QUADS
                kept[i * QUADS + $ju] = select(vec4<f32>(), four(at + 4u * $ju), i < there);
                #end
                at += columns;
            }
            #end
            var cell = out;
            for (var input = top; input < min(bottom, stride); input++) {
                #repeat j 0 QUADS
                var y_$j = vec4<f32>();
                if ONE == 0u && !first {
                    y_$j = four(cell + 4u * $ju);
                }
                #end
                var spot = base + job.x + row * stride + input;
                #repeat i 0 FOURS
                let spot_$i_1 = spot + select(0u, stride, 4u * $iu + 1u < there);
                let spot_$i_2 = spot_$i_1 + select(0u, stride, 4u * $iu + 2u < there);
                let spot_$i_3 = spot_$i_2 + select(0u, stride, 4u * $iu + 3u < there);
                let x_$i = vec4<f32>(arena[spot], arena[spot_$i_1], arena[spot_$i_2], arena[spot_$i_3]);
                spot = spot_$i_3 + select(0u, stride, 4u * $iu + 4u < there);
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
                keep(cell + 4u * $ju, count_$j, y_$j);
                #end
                cell += columns;
            }
            // Behind the inputs, X is 1.
            if stride >= top && stride < bottom {
                cell = out + (stride - top) * columns;
                #repeat j 0 QUADS
                var sum_$j = vec4<f32>();
                if ONE == 0u && !first {
                    sum_$j = four(cell + 4u * $ju);
                }
                #repeat i 0 FOURS
                sum_$j += (kept[4u * $iu * QUADS + $ju] + kept[(4u * $iu + 1u) * QUADS + $ju])
                    + (kept[(4u * $iu + 2u) * QUADS + $ju] + kept[(4u * $iu + 3u) * QUADS + $ju]);
                #end
                keep(cell + 4u * $ju, count_$j, sum_$j);
                #end
            }
        }
    } else {
        for (var input = top; input < bottom; input++) {
            #repeat j 0 QUADS
            keep(out + (input - top) * columns + 4u * $ju, count_$j, vec4<f32>());
            #end
        }
        for (var row = begin; row < end; row++) {
            // Which of the inputs the row's token is, if it is one of these.
            let id = notes[ids + row * 2u] - top;
            if id < bottom - top {
                let at = dy + row * columns;
                let cell = out + id * columns;
                #repeat j 0 QUADS
                keep(cell + 4u * $ju, count_$j, four(cell + 4u * $ju) + four(at + 4u * $ju));
                #end
            }
        }
    }
}
