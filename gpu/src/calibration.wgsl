// The same arithmetic twice: with meetings of the workgroup in between, and without. Tells how dear barriers are here.
//
// MEETS  whether an invocation reads what its neighbours wrote, which takes barriers

@group(0) @binding(0) var<storage, read_write> results: array<f32>;
@group(0) @binding(1) var<uniform> start: vec4<f32>;

var<workgroup> panel: array<f32, WIDTH>;

@compute @workgroup_size(WIDTH)
fn calibrate(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) local: u32) {
    var x = start.x + f32(local);
    for (var round = 0u; round < ROUNDS; round++) {
        panel[local] = x;
        if MEETS == 1u {
            workgroupBarrier();
        }
        var sum = 0.0;
        for (var i = 0u; i < 8u; i++) {
            sum += start.y * panel[(local + MEETS * i) % WIDTH];
        }
        if MEETS == 1u {
            workgroupBarrier();
        }
        x = sum;
    }
    results[group.x * WIDTH + local] = x;
}
