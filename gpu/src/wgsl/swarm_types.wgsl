// A fish, and what it obeys.

struct Fish {
    position: vec3<f32>,
    speed: f32,
    heading: vec3<f32>,
    // Mean u_i . u_j over those within reach; 0 for one who is alone.
    alike: f32,
}

// One replica's. Mirrors `setup::Block`.
struct Setup {
    rule: u32,
    flat: u32,
    boundary: u32,
    leaders: u32,
    seed: vec2<u32>,
    replica: u32,
    // Steps of this replica are those of the batch plus this.
    later: u32,
    goal: vec3<f32>,
    goal_weight: f32,
    // Where the far walls are; 0 on an axis that has none.
    wall: vec3<f32>,
    tank_radius: f32,
    // A periodic world's side and its inverse, elsewhere 0.
    side: f32,
    per_side: f32,
    time_step: f32,
    noise: f32,
    first_obstacle: u32,
    obstacles: u32,
    // Radii; beyond `reach` nobody is noticed.
    repulsion: f32,
    orientation: f32,
    reach: f32,
    // Seen iff the cosine of the angle to the heading exceeds this.
    cos_view: f32,
    orientation_weight: f32,
    // The largest turn of a step, and its cosine and sine.
    turn: f32,
    cos_turn: f32,
    sin_turn: f32,
    // Boids.
    separation: f32,
    alignment: f32,
    cohesion: f32,
    max_force: f32,
    min_speed: f32,
    max_speed: f32,
    // 0: none, 1: put there, 2: hunts.
    predator: u32,
    fright: f32,
    hunt_length: f32,
    cos_hunt: f32,
    sin_hunt: f32,
    unused_0: u32,
    unused_1: u32,
    unused_2: u32,
}
