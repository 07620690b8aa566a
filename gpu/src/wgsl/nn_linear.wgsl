// What happens to the product of a linear layer, by its KIND.

// dest = product (+ bias)
const PLAIN: u32 = 0u;
// dest = product (+ bias) + residual
const ADD: u32 = 1u;
// before = product (+ bias), dest = GELU(before)
const GELU: u32 = 2u;
// dest = product GELU'(before)
const GELU_BACK: u32 = 3u;
// dest = (residual +) gradient through a layer norm; whoever makes it has whole rows
const NORM_BACK: u32 = 4u;
// dest = product (+ bias), queries and keys turned by their places
const ROPE: u32 = 5u;

// GELU(x) = x share(x), by the tangent, and its slope.
fn gelu_share(x: f32) -> f32 {
    let u = 1.5957691216057308 * (x + 0.044715 * x * x * x);
    return 1.0 / (1.0 + exp(-clamp(u, -80.0, 80.0)));
}

fn gelu_slope(x: f32) -> f32 {
    let share = gelu_share(x);
    return share + x * share * (1.0 - share) * (1.5957691216057308 * (1.0 + 0.134145 * x * x));
}

// The column that a thread makes. With rotary positions the two of a pair are neighbours.
fn column_of(column: u32) -> u32 {
    if KIND == ROPE && column < 2u * op.width {
        let head = op.width / op.heads;
        let c = column % head;
        return column - c + c / 2u + (c & 1u) * (head / 2u);
    }
    return column;
}
