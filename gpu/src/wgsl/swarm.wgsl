// What a fish does in a step: the one text of the rules, for schools in workgroup memory and in storage alike. The
// specification is `surprisal_core::sim::swarm`; f32, transcendental functions from `random`.
//
// An importer binds `setups: array<Setup>` (read only), `obstacles: array<vec4<f32>>` (centre, radius) and `batch`,
// and gets the constants RULE, COUZIN, DEWI, VICSEK, BOIDS, PERIODIC, WALLS, TANK from Rust.

// Below this length a sum of unit vectors has no direction, and two are at one place.
const NOTHING: f32 = 1e-10;
// Below this sine two directions are opposite (or equal): the cross product of f32 unit vectors tells no more.
const OPPOSITE: f32 = 1e-6;
const PER_TURN: f32 = 0.15915494309189535;

// What the walk over the neighbours needs, in registers.
struct Eyes {
    side: f32,
    per_side: f32,
    reach2: f32,
    repulsion: f32,
    orientation: f32,
    cos_view: f32,
}

// Sums over the neighbours.
struct Sums {
    // Away from those who are too close.
    away: vec3<f32>,
    close: u32,
    // Headings (boids: velocities) of those to go along with.
    along: vec3<f32>,
    seen: u32,
    // Towards those who are far (boids: their offsets).
    toward: vec3<f32>,
    near: u32,
    alike: f32,
}

fn eyes_of(replica: u32) -> Eyes {
    let reach = setups[replica].reach;
    return Eyes(
        setups[replica].side,
        setups[replica].per_side,
        reach * reach,
        setups[replica].repulsion,
        setups[replica].orientation,
        setups[replica].cos_view,
    );
}

// The shortest vector from a to b: the minimum image where there is a side.
fn between(eyes: Eyes, a: vec3<f32>, b: vec3<f32>) -> vec3<f32> {
    let d = b - a;
    return d - eyes.side * round(d * eyes.per_side);
}

// v / |v|, or `other` where that has no direction.
fn direction(v: vec3<f32>, other: vec3<f32>) -> vec3<f32> {
    let n2 = dot(v, v);
    return select(other, v / sqrt(max(n2, 1e-30)), n2 > NOTHING * NOTHING);
}

// Somebody else at d, whose length squared r2 is below eyes.reach2.
fn notice(sums: ptr<function, Sums>, eyes: Eyes, own: Fish, d: vec3<f32>, r2: f32, heading: vec3<f32>, speed: f32) {
    (*sums).near += 1u;
    (*sums).alike += dot(own.heading, heading);
    let r = sqrt(r2);
    if RULE == VICSEK {
        (*sums).along += heading;
        return;
    }
    // Two at one place see no direction in each other.
    if r < NOTHING {
        return;
    }
    let seen = dot(own.heading, d) > eyes.cos_view * r;
    if RULE == COUZIN {
        if r < eyes.repulsion {
            (*sums).away -= d / r;
            (*sums).close += 1u;
        } else if seen {
            (*sums).seen += 1u;
            if r < eyes.orientation {
                (*sums).along += heading;
            } else {
                (*sums).toward += d / r;
            }
        }
    }
    if RULE == DEWI && seen {
        if r < eyes.repulsion {
            (*sums).away -= d / r;
            (*sums).close += 1u;
        } else if r < eyes.orientation {
            (*sums).along += heading;
            (*sums).seen += 1u;
        } else {
            (*sums).toward += d / r;
            (*sums).seen += 1u;
        }
    }
    if RULE == BOIDS && seen {
        if r < eyes.repulsion {
            (*sums).away -= d / r2;
            (*sums).close += 1u;
        }
        (*sums).along += heading * speed;
        (*sums).toward += d;
        (*sums).seen += 1u;
    }
}

// Two unit vectors perpendicular to u and to each other (Duff et al. 2017): cos phi a + sin phi b.
fn across(u: vec3<f32>, turns: f32) -> vec3<f32> {
    let sign = select(1.0, -1.0, u.z < 0.0);
    let k = -1.0 / (sign + u.z);
    let m = u.x * u.y * k;
    let a = vec3<f32>(1.0 + sign * u.x * u.x * k, sign * m, -sign * u.x);
    let b = vec3<f32>(m, sign + u.y * u.y * k, -u.y);
    let phi = circle(turns);
    return phi.x * a + phi.y * b;
}

// u turned about an axis perpendicular to it by the angle of which this is (cos, sin).
fn turned(u: vec3<f32>, axis: vec3<f32>, by: vec2<f32>) -> vec3<f32> {
    return u * by.x + cross(axis, u) * by.y;
}

// u turned towards the unit vector `target` by an exact rotation, by at most `limit`, of which this is (cos, sin);
// limit < pi. Where the two are opposite, about `axis`, which is perpendicular to u.
fn toward(u: vec3<f32>, goal: vec3<f32>, limit: vec2<f32>, axis: vec3<f32>) -> vec3<f32> {
    let normal = cross(u, goal);
    let sine = length(normal);
    let cosine = dot(u, goal);
    // sin(angle - limit), both in [0, pi].
    if sine * limit.x - cosine * limit.y <= 0.0 && (sine > OPPOSITE || cosine > 0.0) {
        return goal;
    }
    let about = select(normal / max(sine, 1e-30), axis, sine <= OPPOSITE);
    return turned(u, about, limit);
}

// Goal, predator and obstacles blended into the desired direction, in this order.
fn blended(replica: u32, eyes: Eyes, own: Fish, i: u32, desired: vec3<f32>, hunter: vec3<f32>) -> vec3<f32> {
    var wish = desired;
    if i < setups[replica].leaders {
        wish = direction(wish + setups[replica].goal_weight * setups[replica].goal, wish);
    }
    if setups[replica].predator != 0u {
        let offset = between(eyes, hunter, own.position);
        let r = length(offset);
        let fright = setups[replica].fright;
        if r < fright {
            let s = sqrt(1.0 - r / fright);
            wish = direction((1.0 - s) * wish + s * direction(offset, own.heading), wish);
        }
    }
    for (var k = 0u; k < setups[replica].obstacles; k++) {
        let sphere = obstacles[setups[replica].first_obstacle + k];
        let offset = between(eyes, sphere.xyz, own.position);
        let r = length(offset);
        if r < 2.0 * sphere.w {
            let out = direction(offset, own.heading);
            let s = clamp(2.0 - r / sphere.w, 0.0, 1.0);
            wish = direction(wish + (s * max(-dot(wish, out), 0.0) + s * s) * out, wish);
        }
    }
    return wish;
}

// A desire as a force: scaled to the greatest speed, less the velocity, limited.
fn steer(replica: u32, desire: vec3<f32>, velocity: vec3<f32>) -> vec3<f32> {
    let n = length(desire);
    if n < NOTHING {
        return vec3<f32>(0.0);
    }
    let force = desire * (setups[replica].max_speed / n) - velocity;
    return force * min(1.0, setups[replica].max_force / max(length(force), 1e-30));
}

// The heading and, for boids, the speed after the turn.
fn decide(replica: u32, eyes: Eyes, own: Fish, i: u32, sums: Sums, hunter: vec3<f32>, step: u32) -> Fish {
    let flat = setups[replica].flat != 0u;
    let noise = setups[replica].noise;
    let words = philox(vec4<u32>(step, i, 0u, setups[replica].replica), setups[replica].seed);
    let g0 = normals_of(words.x, words.y);
    let u = own.heading;
    var next = own;
    next.alike = select(sums.alike / f32(max(sums.near, 1u)), 0.0, sums.near == 0u);
    if RULE == COUZIN {
        var wish = u;
        if sums.close > 0u {
            wish = direction(sums.away, u);
        } else {
            wish = direction(setups[replica].orientation_weight * sums.along + sums.toward, u);
        }
        wish = blended(replica, eyes, own, i, wish, hunter);
        let up = vec3<f32>(0.0, 0.0, 1.0);
        var axis = up;
        var other = select(-up, up, uniform_of(words.w) < 0.5);
        if !flat {
            axis = across(wish, uniform_of(words.z));
            other = across(u, uniform_of(words.w));
        }
        wish = direction(turned(wish, axis, circle(noise * g0.x * PER_TURN)), wish);
        let limit = vec2<f32>(setups[replica].cos_turn, setups[replica].sin_turn);
        next.heading = direction(toward(u, wish, limit, other), u);
    }
    if RULE == DEWI {
        var wish = u;
        if sums.close > 0u {
            wish = direction(sums.away, u);
        } else {
            wish = direction(setups[replica].orientation_weight * sums.along + sums.toward, u);
        }
        wish = blended(replica, eyes, own, i, wish, hunter);
        let angle = angle_of(length(cross(u, wish)), dot(u, wish));
        var turn = u;
        if angle >= NOTHING {
            let t = min(1.0, setups[replica].turn / angle);
            turn = select(direction((1.0 - t) * u + t * wish, u), wish, t >= 1.0);
        }
        let g1 = normals_of(words.z, words.w);
        let g = vec3<f32>(g0, select(g1.x, 0.0, flat));
        next.heading = direction(turn + noise * g, turn);
    }
    if RULE == VICSEK {
        let wish = blended(replica, eyes, own, i, direction(sums.along + u, u), hunter);
        let delta = noise * (uniform_of(words.x) - 0.5);
        next.heading = direction(turned(wish, vec3<f32>(0.0, 0.0, 1.0), circle(delta * PER_TURN)), u);
    }
    if RULE == BOIDS {
        let v = u * own.speed;
        let force = setups[replica].separation * steer(replica, sums.away, v)
            + setups[replica].alignment * steer(replica, sums.along, v)
            + setups[replica].cohesion * steer(replica, sums.toward, v);
        let time_step = setups[replica].time_step;
        var after = v + force * time_step;
        after = length(after) * blended(replica, eyes, own, i, direction(after, u), hunter);
        let g1 = normals_of(words.z, words.w);
        after += time_step * noise * vec3<f32>(g0, select(g1.x, 0.0, flat));
        next.heading = direction(after, u);
        next.speed = max(min(length(after), setups[replica].max_speed), setups[replica].min_speed);
    }
    return next;
}

// Put onto the surface of an obstacle that it has swum into.
fn surfaced(replica: u32, eyes: Eyes, fish: Fish) -> Fish {
    var next = fish;
    for (var k = 0u; k < setups[replica].obstacles; k++) {
        let sphere = obstacles[setups[replica].first_obstacle + k];
        let offset = between(eyes, sphere.xyz, next.position);
        if length(offset) < sphere.w {
            next.position = sphere.xyz + sphere.w * direction(offset, fish.heading);
        }
    }
    return next;
}

// Brought back into the world.
fn settled(replica: u32, eyes: Eyes, fish: Fish) -> Fish {
    var next = fish;
    var x = fish.position;
    let boundary = setups[replica].boundary;
    if boundary == PERIODIC {
        let side = vec3<f32>(eyes.side);
        let wrapped = x - side * floor(x * eyes.per_side);
        x = select(wrapped, vec3<f32>(0.0), (wrapped >= side) | (wrapped < vec3<f32>(0.0)));
    } else if boundary == WALLS || boundary == TANK {
        if boundary == TANK {
            let radius = setups[replica].tank_radius;
            let r = length(x.xy);
            if r > radius {
                let normal = vec3<f32>(x.xy / r, 0.0);
                // A step of more than a diameter ends in the middle.
                x = vec3<f32>(normal.xy * max(2.0 * radius - r, 0.0), x.z);
                next.heading -= 2.0 * max(dot(next.heading, normal), 0.0) * normal;
            }
        }
        // Mirrors at 0 and at the far wall, as often as it takes. Axes without walls have a far wall of 0.
        let wall = setups[replica].wall;
        let beyond = ((x < vec3<f32>(0.0)) | (x > wall)) & (wall > vec3<f32>(0.0));
        let folded = x - 2.0 * wall * floor(x / max(2.0 * wall, vec3<f32>(1e-30)));
        let turned_back = beyond & (folded > wall);
        x = select(x, clamp(select(folded, 2.0 * wall - folded, folded > wall), vec3<f32>(0.0), wall), beyond);
        next.heading = select(next.heading, -next.heading, turned_back);
    }
    if setups[replica].flat != 0u {
        x.z = 0.0;
    }
    next.position = x;
    return next;
}

// The step itself.
fn moved(replica: u32, eyes: Eyes, fish: Fish) -> Fish {
    var next = fish;
    next.position += fish.heading * (fish.speed * setups[replica].time_step);
    return settled(replica, eyes, surfaced(replica, eyes, next));
}

// Where a hunter is that was at `at`, looked along `heading`, and is drawn by `offset`: (position, heading).
fn hunted(replica: u32, eyes: Eyes, at: vec3<f32>, heading: vec3<f32>, offset: vec3<f32>) -> array<vec3<f32>, 2> {
    let u = heading;
    let limit = vec2<f32>(setups[replica].cos_hunt, setups[replica].sin_hunt);
    let up = vec3<f32>(0.0, 0.0, 1.0);
    let axis = select(across(u, 0.0), up, setups[replica].flat != 0u);
    var hunter = Fish(at, 0.0, direction(toward(u, direction(offset, u), limit, axis), u), 0.0);
    hunter.position += hunter.heading * setups[replica].hunt_length;
    hunter = settled(replica, eyes, hunter);
    return array<vec3<f32>, 2>(hunter.position, hunter.heading);
}
