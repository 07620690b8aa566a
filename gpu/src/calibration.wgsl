// As many sums twice: of what the neighbours in a workgroup have written, which takes barriers, and of what an invocation
// has itself. Tells how dear it is to meet.
//
// MEETS  which of the two

@group(0) @binding(0) var<storage, read_write> results: array<f32>;
@group(0) @binding(1) var<uniform> start: vec4<f32>;

var<workgroup> panel: array<f32, WIDTH>;

@compute @workgroup_size(WIDTH)
fn calibrate(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    var x = start.x + f32(local);
    for (var round = 0u; round < ROUNDS; round++) {
        var sum = 0.0;
        if MEETS == 1u {
            panel[local] = x;
            workgroupBarrier();
            for (var i = 0u; i < TERMS; i++) {
                sum += start.y * panel[(local + i) % WIDTH];
            }
            workgroupBarrier();
        } else {
            for (var i = 0u; i < TERMS; i++) {
                sum += start.y * (x + f32(i));
            }
        }
        x = sum;
    }
    results[group.x * WIDTH + local] = x;
}
