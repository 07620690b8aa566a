// All gradients of weights at once: dW[inputs, columns] = sum over rows of X[row, input] dY[row, column].
//
// The rows are cut into slices, each with its own copy of dW in the arena; `gather` adds the copies in order. A workgroup
// makes 16 inputs by COLS columns of one slice of one job.

#import "nn"
#import "nn_job"

const INPUTS: u32 = 16u;

var<workgroup> panel: array<vec4<f32>, DEPTH * 4u>;

fn x_at(job: Job, base: u32, ids: u32, row: u32, end: u32, input: u32) -> f32 {
    if row >= end || input >= job.inputs {
        return 0.0;
    }
    if job.kind == TOKENS {
        return select(0.0, 1.0, notes[ids + row * 2u] == input);
    }
    if input >= job.x_stride {
        return 1.0;
    }
    return arena[base + job.x + row * job.x_stride + input];
}

fn put(at: u32, columns: u32, input: u32, inputs: u32, x: f32) {
    if input < inputs {
        arena[at + input * columns] = x;
    }
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
    let here = mine - job.first_group;
    let tile = here % tiles;
    let block = (here / tiles) % blocks;
    let slice = here / (tiles * blocks);
    let base = arena_of(run);
    let ids = op.ids + (op.first_run + run) * op.rows * 2u;
    let share = share_of(local, WIDTH, COLS);
    let column = tile * COLS + local % COLS;
    let inside = min(column, job.columns - 1u);
    let top = block * INPUTS + share * QUADS * 4u;
    #repeat q 0 QUADS
    var acc_$q = vec4<f32>();
    #end
    if job.kind == PLACES {
        for (var row = 0u; row < op.rows; row += op.length) {
            let at = base + job.dy + row * job.columns + inside;
            #repeat q 0 QUADS
            acc_$q += vec4<f32>(
                arena[at + min(top + $qu * 4u, op.length - 1u) * job.columns],
                arena[at + min(top + $qu * 4u + 1u, op.length - 1u) * job.columns],
                arena[at + min(top + $qu * 4u + 2u, op.length - 1u) * job.columns],
                arena[at + min(top + $qu * 4u + 3u, op.length - 1u) * job.columns],
            );
            #end
        }
    } else {
        let end = min(op.rows, (slice + 1u) * job.slice_rows);
        for (var row = slice * job.slice_rows; row < end; row += DEPTH) {
            workgroupBarrier();
            for (var i = local; i < DEPTH * 4u; i += WIDTH) {
                let r = row + i / 4u;
                let input = block * INPUTS + i % 4u * 4u;
                panel[i] = vec4<f32>(
                    x_at(job, base, ids, r, end, input),
                    x_at(job, base, ids, r, end, input + 1u),
                    x_at(job, base, ids, r, end, input + 2u),
                    x_at(job, base, ids, r, end, input + 3u),
                );
            }
            workgroupBarrier();
            let depth = min(DEPTH, end - row);
            let at = base + job.dy + row * job.columns + inside;
            // Written out: see `linear.wgsl`.
            if depth == DEPTH {
                #repeat k 0 DEPTH
                let y_$k = arena[at + $ku * job.columns];
                #repeat q 0 QUADS
                acc_$q += panel[$ku * 4u + share * QUADS + $qu] * y_$k;
                #end
                #end
            } else {
                for (var k = 0u; k < depth; k++) {
                    let y = arena[at + k * job.columns];
                    #repeat q 0 QUADS
                    acc_$q += panel[k * 4u + share * QUADS + $qu] * y;
                    #end
                }
            }
        }
    }
    if column < job.columns {
        let at = base + job.partial + slice * job.inputs * job.columns + column;
        #repeat q 0 QUADS
        put(at, job.columns, top + $qu * 4u, job.inputs, acc_$q.x);
        put(at, job.columns, top + $qu * 4u + 1u, job.inputs, acc_$q.y);
        put(at, job.columns, top + $qu * 4u + 2u, job.inputs, acc_$q.z);
        put(at, job.columns, top + $qu * 4u + 3u, job.inputs, acc_$q.w);
        #end
    }
}
