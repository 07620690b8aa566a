// The layer norm of rows of the arena, each by one invocation alone.

// Mean and 1/deviation of the row at `source`, and what comes out: kept for whoever reads the row.
fn norm_row(base: u32, weight_base: u32, row: u32, source: u32, width: u32) {
    var sum = 0.0;
    for (var c = 0u; c < width; c++) {
        sum += arena[source + c];
    }
    let mean = sum / f32(width);
    sum = 0.0;
    for (var c = 0u; c < width; c++) {
        let x = arena[source + c] - mean;
        sum += x * x;
    }
    let inverse = 1.0 / sqrt(sum / f32(width) + 1e-5);
    arena[base + op.stats + 2u * row] = mean;
    arena[base + op.stats + 2u * row + 1u] = inverse;
    let out = base + op.normed + row * width;
    let gain = weight_base + op.gain;
    let biased = op.norm_bias != NONE;
    let bias = weight_base + select(op.gain, op.norm_bias, biased);
    for (var c = 0u; c < width; c++) {
        var x = (arena[source + c] - mean) * inverse * weights[gain + c];
        if biased {
            x += weights[bias + c];
        }
        arena[out + c] = x;
    }
}
