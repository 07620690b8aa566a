// All gradients of weights at once as in `../gradient.wgsl`: an invocation makes INPUTS inputs by 4 QUADS columns of one slice
// of one job in registers. A workgroup has one job.

#import "nn"
#import "nn_job"

const COLS: u32 = 4u * QUADS;

fn four(at: u32) -> vec4<f32> {
    return vec4<f32>(arena[at], arena[at + 1u], arena[at + 2u], arena[at + 3u]);
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
    let base = arena_of(run);
    let ids = op.ids + (op.first_run + run) * op.rows * 2u;
    // The numbers of inputs and columns that there are not are whatever lies there, and go nowhere.
    let dy = base + job.dy + c0;
    let x = base + job.x + top;
    let begin = slice * job.slice_rows;
    let end = min(op.rows, begin + job.slice_rows);
    #repeat j 0 QUADS
    #repeat i 0 INPUTS
    var a_$i_$j = vec4<f32>();
    #end
    #end
    if job.kind == PLACES {
        for (var row = 0u; row < op.rows; row += op.length) {
            #repeat i 0 INPUTS
            let y_$i = dy + (row + top + $iu) * job.columns;
            #repeat j 0 QUADS
            a_$i_$j += four(y_$i + 4u * $ju);
            #end
            #end
        }
    } else if job.kind == MATRIX {
        var at = dy + begin * job.columns;
        var read = x + begin * job.x_stride;
        var row = begin;
        // Four at a time: see `linear.wgsl`.
        for (; row + 4u <= end; row += 4u) {
            #repeat j 0 QUADS
            let y_$j = mat4x4<f32>(
                four(at + 4u * $ju),
                four(at + job.columns + 4u * $ju),
                four(at + 2u * job.columns + 4u * $ju),
                four(at + 3u * job.columns + 4u * $ju),
            );
            #end
            #repeat i 0 INPUTS
            let x_$i = select(
                vec4<f32>(1.0),
                vec4<f32>(
                    arena[read + $iu],
                    arena[read + job.x_stride + $iu],
                    arena[read + 2u * job.x_stride + $iu],
                    arena[read + 3u * job.x_stride + $iu],
                ),
                top + $iu < job.x_stride,
            );
            #repeat j 0 QUADS
            a_$i_$j += y_$j * x_$i;
            #end
            #end
            at += 4u * job.columns;
            read += 4u * job.x_stride;
        }
        for (; row < end; row++) {
            #repeat j 0 QUADS
            let y_$j = four(at + 4u * $ju);
            #end
            #repeat i 0 INPUTS
            let x_$i = select(1.0, arena[read + $iu], top + $iu < job.x_stride);
            #repeat j 0 QUADS
            a_$i_$j += x_$i * y_$j;
            #end
            #end
            at += job.columns;
            read += job.x_stride;
        }
    } else {
        for (var row = begin; row < end; row++) {
            // Which of the inputs the row's token is, if it is one of these.
            let id = notes[ids + row * 2u] - top;
            if id < INPUTS {
                let at = dy + row * job.columns;
                #repeat j 0 QUADS
                let y_$j = four(at + 4u * $ju);
                #repeat i 0 INPUTS
                a_$i_$j += select(vec4<f32>(), y_$j, id == $iu);
                #end
                #end
            }
        }
    }
    let rows = min(INPUTS, job.inputs - top);
    let out = base + job.partial + (slice * job.inputs + top) * job.columns;
    for (var i = 0u; i < rows; i++) {
        #repeat j 0 QUADS
        var z_$j = a_0_$j;
        #repeat k 1 INPUTS
        z_$j = select(z_$j, a_$k_$j, i == $ku);
        #end
        for (var c = 0u; c < min(4u, job.columns - min(job.columns, c0 + 4u * $ju)); c++) {
            arena[out + i * job.columns + c0 + 4u * $ju + c] = z_$j[c];
        }
        #end
    }
}
