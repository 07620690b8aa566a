//! From what a particle has seen to where it heads.

use super::{
    super::{Block, Boids, Dewi, Rule, Setup, Vicsek, Zones, frame, noise},
    edge::flat,
    lanes::Seen,
    vector::{ZERO, cross, dot, mix, norm, rotate, scale, unit},
};

/// A particle at time t.
#[derive(Clone, Copy, Debug)]
pub(super) struct Me {
    pub(super) index: u32,
    pub(super) step: u64,
    pub(super) position: [f64; 3],
    pub(super) heading: [f64; 3],
    pub(super) speed: f64,
    /// Where the predator is.
    pub(super) predator: Option<[f64; 3]>,
}

/// Heading and speed at time t + 1.
pub(super) fn turn(setup: &Setup, me: &Me, seen: &Seen) -> ([f64; 3], f64) {
    let dice = noise(setup.seed, setup.replica, me.step, me.index);
    match &setup.rule {
        Rule::Couzin2002(z) => (couzin(setup, z, me, seen, dice), me.speed),
        Rule::Dewi(z) => (dewi(setup, z, me, seen, dice), me.speed),
        Rule::Vicsek(v) => (vicsek(setup, v, me, seen, dice), me.speed),
        Rule::Boids(b) => boids(setup, b, me, seen, dice),
    }
}

/// The zones' desired direction: repulsion wins, else alignment counts `weight` times as much as attraction; a zero sum
/// keeps the heading.
fn zones(me: &Me, seen: &Seen, weight: f64) -> [f64; 3] {
    let sum = if seen.close > 0.0 { seen.a } else { mix(weight, seen.b, 1.0, seen.c) };
    unit(sum).unwrap_or(me.heading)
}

/// Goal, predator and obstacles blended into the desired direction `d`, in this order: what is nearest speaks last.
fn blend(setup: &Setup, me: &Me, mut d: [f64; 3]) -> [f64; 3] {
    let space = &setup.space;
    if me.index < setup.leaders {
        let goal = &setup.goal;
        d = unit(mix(1.0, d, goal.weight, flat(space, goal.direction))).unwrap_or(d);
    }
    if let (Some(predator), Some(at)) = (&setup.predator, me.predator) {
        let offset = space.between(at, me.position);
        let r = norm(offset);
        if r < predator.radius {
            let away = unit(offset).unwrap_or(me.heading);
            let fear = (1.0 - r / predator.radius).sqrt();
            d = unit(mix(1.0 - fear, d, fear, away)).unwrap_or(d);
        }
    }
    for obstacle in &setup.obstacles {
        let offset = space.between(flat(space, obstacle.centre), me.position);
        let r = norm(offset);
        if r < 2.0 * obstacle.radius {
            let outwards = unit(offset).unwrap_or(me.heading);
            let s = (2.0 - r / obstacle.radius).clamp(0.0, 1.0);
            let inwards = (-dot(d, outwards)).max(0.0);
            d = unit(mix(1.0, d, s * inwards + s * s, outwards)).unwrap_or(d);
        }
    }
    d
}

fn couzin(setup: &Setup, z: &Zones, me: &Me, seen: &Seen, dice: Block) -> [f64; 3] {
    let d = blend(setup, me, zones(me, seen, z.orientation_weight));
    let most = z.turning_rate * setup.time_step;
    let angle = if z.noise > 0.0 { z.noise * dice.normals(0)[0] } else { 0.0 };
    if setup.space.is_flat() {
        let target = rotate(d, [0.0, 0.0, 1.0], angle);
        let sign = if dice.uniform(3) < 0.5 { 1.0 } else { -1.0 };
        return towards(me.heading, target, most, [0.0, 0.0, sign]);
    }
    let target = if z.noise > 0.0 { rotate(d, perpendicular(d, dice.uniform(2)), angle) } else { d };
    towards(me.heading, target, most, perpendicular(me.heading, dice.uniform(3)))
}

/// The unit vector perpendicular to `u` at azimuth 2π `share` of its frame.
fn perpendicular(u: [f64; 3], share: f64) -> [f64; 3] {
    let [a, b] = frame(u);
    let (sin, cos) = (std::f64::consts::TAU * share).sin_cos();
    mix(cos, a, sin, b)
}

/// `u` turned towards `target` by at most `most` radians, by an exact rotation; about `axis` where the target is
/// exactly behind.
pub(super) fn towards(u: [f64; 3], target: [f64; 3], most: f64, axis: [f64; 3]) -> [f64; 3] {
    let normal = cross(u, target);
    let sin = norm(normal);
    let angle = sin.atan2(dot(u, target));
    let turned = if angle <= most {
        target
    } else if sin < ZERO {
        rotate(u, axis, most)
    } else {
        rotate(u, scale(1.0 / sin, normal), most)
    };
    unit(turned).unwrap_or(u)
}

fn dewi(setup: &Setup, z: &Dewi, me: &Me, seen: &Seen, dice: Block) -> [f64; 3] {
    let u = me.heading;
    let target = blend(setup, me, zones(me, seen, z.orientation_weight.clamp(0.0, 1.0)));
    let angle = dot(u, target).clamp(-1.0, 1.0).acos();
    let turned = if angle < ZERO {
        u
    } else if angle <= z.max_turn {
        target
    } else {
        let t = z.max_turn / angle;
        unit(mix(1.0 - t, u, t, target)).unwrap_or(u)
    };
    if z.noise > 0.0 {
        unit(mix(1.0, turned, z.noise, gaussian(setup, dice))).unwrap_or(turned)
    } else {
        unit(turned).unwrap_or(u)
    }
}

/// N(0, I) in the space.
fn gaussian(setup: &Setup, dice: Block) -> [f64; 3] {
    let [x, y] = dice.normals(0);
    let z = if setup.space.is_flat() { 0.0 } else { dice.normals(1)[0] };
    [x, y, z]
}

fn vicsek(setup: &Setup, v: &Vicsek, me: &Me, seen: &Seen, dice: Block) -> [f64; 3] {
    let d = blend(setup, me, unit(seen.a).unwrap_or(me.heading));
    let turned = rotate(d, [0.0, 0.0, 1.0], v.noise * (dice.uniform(0) - 0.5));
    unit(turned).unwrap_or(me.heading)
}

fn boids(setup: &Setup, b: &Boids, me: &Me, seen: &Seen, dice: Block) -> ([f64; 3], f64) {
    let v = scale(me.speed, me.heading);
    let steer = |sum: [f64; 3], weight: f64| {
        let Some(desire) = unit(sum) else { return [0.0; 3] };
        let force = mix(b.max_speed, desire, -1.0, v);
        let length = norm(force);
        let limit = if length > b.max_force { b.max_force / length } else { 1.0 };
        scale(weight * limit, force)
    };
    let (s, a, c) = (steer(seen.a, b.separation), steer(seen.b, b.alignment), steer(seen.c, b.cohesion));
    let force = [0, 1, 2].map(|k| s[k] + a[k] + c[k]);
    let mut v = mix(1.0, v, setup.time_step, force);
    let fast = norm(v);
    v = scale(fast, blend(setup, me, unit(v).unwrap_or(me.heading)));
    if b.noise > 0.0 {
        v = mix(1.0, v, setup.time_step * b.noise, gaussian(setup, dice));
    }
    (unit(v).unwrap_or(me.heading), norm(v).min(b.max_speed).max(b.min_speed))
}
