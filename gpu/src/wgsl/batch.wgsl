// What a dispatch over large schools is about. Mirrors `large::Batch`.
struct Batch {
    step: u32,
    // Fish of a replica, and replicas.
    count: u32,
    replicas: u32,
    // Cells that a replica may have.
    cells: u32,
    // Workgroups of one replica: in sums, and in tiles of all pairs.
    parts: u32,
    tiles: u32,
    unused_0: u32,
    unused_1: u32,
}

// A replica's grid: cells of edge 1 / per_edge from `origin` on, the first of them number `first`.
struct Grid {
    origin: vec3<f32>,
    per_edge: f32,
    cells: vec3<u32>,
    first: u32,
}

// A fish among its neighbours: `id` counts through all replicas.
struct Sorted {
    position: vec3<f32>,
    speed: f32,
    heading: vec3<f32>,
    id: u32,
}

// Beyond 65535 workgroups a dispatch has a second dimension.
fn group_of(group: vec3<u32>, groups: vec3<u32>) -> u32 {
    return group.y * groups.x + group.x;
}
