//! One step of two or three particles, worked out by hand.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_PI_2, PI, TAU};

use surprisal_core::sim::{
    Boundary, Space,
    swarm::{Dewi, Rule, Vicsek, Zones, frame, noise},
};

use crate::{BOIDS, DEWI, OPEN, PLANE, VICSEK, ZONES, near, setup, step, unit};

const X: [f64; 3] = [1.0, 0.0, 0.0];
const Y: [f64; 3] = [0.0, 1.0, 0.0];
const Z: [f64; 3] = [0.0, 0.0, 1.0];
const O: [f64; 3] = [0.0; 3];

fn couzin(zones: Zones, particles: &[([f64; 3], [f64; 3])]) -> [f64; 3] {
    step(&setup(Rule::Couzin2002(zones), OPEN, 1), particles).headings[0]
}

fn dewi(zones: Dewi, particles: &[([f64; 3], [f64; 3])]) -> [f64; 3] {
    step(&setup(Rule::Dewi(zones), OPEN, 1), particles).headings[0]
}

#[test]
fn repulsion_wins_and_moves_away() {
    let all = [(O, Y), ([0.5, 0.0, 0.0], Y), ([2.0, 0.0, 0.0], Z), ([0.0, 0.0, 5.0], Y)];
    let after = step(&setup(Rule::Couzin2002(ZONES), OPEN, 1), &all);
    near(after.headings[0], [-1.0, 0.0, 0.0]);
    near(after.positions[0], [-0.2, 0.0, 0.0]);
    assert_eq!(after.step, 1);
    near(dewi(DEWI, &all), [-1.0, 0.0, 0.0]);
    // Unit vectors add: distances do not weigh.
    near(couzin(ZONES, &[(O, Z), ([0.5, 0.0, 0.0], Y), ([0.0, 0.9, 0.0], Y)]), [-FRAC_1_SQRT_2, -FRAC_1_SQRT_2, 0.0]);
}

#[test]
fn orientation_and_attraction_add_with_the_weight() {
    let all = [(O, X), ([2.0, 0.0, 0.0], Z), ([0.0, 4.0, 0.0], X)];
    near(couzin(ZONES, &all[..2]), Z);
    near(couzin(ZONES, &all), unit([0.0, 1.0, 1.0]));
    near(couzin(Zones { orientation_weight: 0.5, ..ZONES }, &all), unit([0.0, 1.0, 0.5]));
    near(dewi(DEWI, &all), unit([0.0, 1.0, 1.0]));
    // dewi-kadita clips the weight to [0, 1].
    near(dewi(Dewi { orientation_weight: 7.0, ..DEWI }, &all), unit([0.0, 1.0, 1.0]));
    near(dewi(Dewi { orientation_weight: -7.0, ..DEWI }, &all), Y);
}

#[test]
fn radii_are_strict_upper_bounds() {
    for (r, expected) in [(1.0, Z), (3.0, Y), (6.0, X)] {
        near(couzin(ZONES, &[(O, X), ([0.0, r, 0.0], Z)]), expected);
        near(dewi(DEWI, &[(O, X), ([0.0, r, 0.0], Z)]), expected);
    }
}

#[test]
fn the_blind_cone_holds_for_repulsion_in_dewi_alone() {
    let behind = [(O, X), ([-0.3, 0.4, 0.0], X)];
    near(couzin(Zones { field_of_view: PI, ..ZONES }, &behind), [0.6, -0.8, 0.0]);
    near(dewi(Dewi { blind: FRAC_PI_2, ..DEWI }, &behind), X);
    // 3 and 4 of 5 behind: cos = -0.6; seen with a full opening above 2 acos(-0.6) = 4.43 only.
    let further = [(O, X), ([-2.4, 3.2, 0.0], X)];
    for (opening, expected) in [(4.42, X), (4.44, [-0.6, 0.8, 0.0])] {
        near(couzin(Zones { field_of_view: opening, ..ZONES }, &further), expected);
        near(dewi(Dewi { blind: PI - opening / 2.0, ..DEWI }, &further), expected);
    }
}

#[test]
fn a_zero_sum_keeps_the_heading() {
    let between = [(O, Z), ([0.5, 0.0, 0.0], Y), ([-0.5, 0.0, 0.0], Y)];
    near(couzin(ZONES, &between), Z);
    near(dewi(DEWI, &between), Z);
    near(couzin(ZONES, &[(O, Z)]), Z);
    // At one point there is no direction to one another.
    near(couzin(ZONES, &[(O, Z), (O, X)]), Z);
    near(dewi(DEWI, &[(O, Z), ([1e-11, 0.0, 0.0], X)]), Z);
}

#[test]
fn the_turn_is_limited_by_a_rotation_and_by_nlerp() {
    let aside = [(O, X), ([0.0, 4.0, 0.0], X)];
    near(couzin(Zones { turning_rate: 0.5, ..ZONES }, &aside), [0.05_f64.cos(), 0.05_f64.sin(), 0.0]);
    let t = 0.4 / FRAC_PI_2;
    near(dewi(Dewi { max_turn: 0.4, ..DEWI }, &aside), unit([1.0 - t, t, 0.0]));
    // In the plane both ways.
    for y in [4.0, -4.0] {
        let one = setup(Rule::Couzin2002(Zones { turning_rate: 0.5, ..ZONES }), PLANE, 1);
        let after = step(&one, &[(O, X), ([0.0, y, 0.0], X)]);
        near(after.headings[0], [0.05_f64.cos(), 0.05_f64.sin() * y.signum(), 0.0]);
    }
}

#[test]
fn a_target_exactly_behind() {
    let behind = [(O, X), ([-4.0, 0.0, 0.0], X)];
    let slow = Zones { turning_rate: 0.5, ..ZONES };
    let dice = noise(42, 0, 0, 0);
    let (sin, cos) = (TAU * dice.uniform(3)).sin_cos();
    let [a, b] = frame(X);
    let axis: [f64; 3] = std::array::from_fn(|k| cos * a[k] + sin * b[k]);
    // axis × x = (0, axis_z, -axis_y).
    let (s, c) = 0.05_f64.sin_cos();
    near(couzin(slow, &behind), [c, s * axis[2], -s * axis[1]]);
    let sign = if dice.uniform(3) < 0.5 { 1.0 } else { -1.0 };
    near(step(&setup(Rule::Couzin2002(slow), PLANE, 1), &behind).headings[0], [c, sign * s, 0.0]);
    // dewi-kadita's interpolation stalls below half way, and flips beyond.
    near(dewi(Dewi { max_turn: 0.4, ..DEWI }, &behind), X);
    near(dewi(Dewi { max_turn: 0.6 * PI, ..DEWI }, &behind), [-1.0, 0.0, 0.0]);
    // With a full field of view alone is it seen at all.
    near(couzin(Zones { field_of_view: 6.2, ..slow }, &behind), X);
}

#[test]
fn noise_uses_its_words() {
    let dice = noise(42, 0, 0, 0);
    let angle = 0.3 * dice.normals(0)[0];
    let u = couzin(Zones { noise: 0.3, ..ZONES }, &[(O, Z)]);
    let [a, b] = frame(Z);
    let (sin, cos) = (TAU * dice.uniform(2)).sin_cos();
    let axis: [f64; 3] = std::array::from_fn(|k| cos * a[k] + sin * b[k]);
    near(u, [angle.sin() * axis[1], -angle.sin() * axis[0], angle.cos()]);
    let flat = step(&setup(Rule::Couzin2002(Zones { noise: 0.3, ..ZONES }), PLANE, 1), &[(O, X)]);
    near(flat.headings[0], [angle.cos(), angle.sin(), 0.0]);
    let ([g, h], [k, _]) = (dice.normals(0), dice.normals(1));
    near(dewi(Dewi { noise: 0.3, ..DEWI }, &[(O, X)]), unit([1.0 + 0.3 * g, 0.3 * h, 0.3 * k]));
    let vicsek = Rule::Vicsek(Vicsek { noise: 2.0, ..VICSEK });
    let delta = 2.0 * (dice.uniform(0) - 0.5);
    near(step(&setup(vicsek, PLANE, 1), &[(O, X)]).headings[0], [delta.cos(), delta.sin(), 0.0]);
}

#[test]
fn distances_are_to_the_nearest_image_and_half_a_side_stays() {
    let space = Space { dimensions: 3, boundary: Boundary::Periodic { side: 25.0 } };
    let zones = Zones { attraction: 13.0, ..ZONES };
    let at = |x: f64| [x, 0.0, 0.0];
    let one = setup(Rule::Couzin2002(zones), space, 1);
    let after = step(&one, &[(at(0.5), Z), (at(24.75), Z)]);
    near(after.headings[0], X);
    near(after.headings[1], at(-1.0));
    let after = step(&one, &[(at(0.0), Z), (at(12.5), Z)]);
    near(after.headings[0], X);
    near(after.headings[1], at(-1.0));
    // Moved over the edge: 24.75 + 0.2 × 2 would be 25.15.
    let after = step(&one, &[(at(24.95), X)]);
    near(after.positions[0], at(0.15));
}

#[test]
fn vicsek_takes_the_mean_direction() {
    let one = setup(Rule::Vicsek(VICSEK), PLANE, 1);
    let after = step(&one, &[(O, X), ([0.5, 0.0, 0.0], Y), ([1.5, 0.0, 0.0], Y)]);
    near(after.headings[0], [FRAC_1_SQRT_2, FRAC_1_SQRT_2, 0.0]);
    // The third is exactly at the radius of the second, which is not closer.
    near(after.headings[1], [FRAC_1_SQRT_2, FRAC_1_SQRT_2, 0.0]);
    near(after.headings[2], Y);
    near(after.positions[2], [1.5, 0.2, 0.0]);
    near(step(&one, &[(O, X), ([0.5, 0.0, 0.0], [-1.0, 0.0, 0.0])]).headings[0], X);
}

#[test]
fn boids_steer_by_limited_forces() {
    use surprisal_core::sim::swarm::Boids;
    let alone = Boids { separation: 1.0, alignment: 0.0, cohesion: 0.0, field_of_view: TAU, ..BOIDS };
    let mut one = setup(Rule::Boids(alone), OPEN, 1);
    one.speed = 1.0;
    let aside = [(O, X), ([0.0, 0.5, 0.0], Z)];
    // Desire (0, -2, 0), minus v = (-1, -2, 0), limited to length 1.
    let v = [1.0 - 0.1 / 5_f64.sqrt(), -0.2 / 5_f64.sqrt(), 0.0];
    let after = step(&one, &aside);
    near(after.headings[0], unit(v));
    near(after.positions[0], v.map(|c| 0.1 * c));
    assert!((after.speeds[0] - v[0].hypot(v[1])).abs() < 1e-12);
    // Alignment: desire (0, 0, 2), force (-1, 0, 2) / √5; cohesion: (-1, 2, 0) / √5.
    one.rule = Rule::Boids(Boids { separation: 0.0, alignment: 1.0, cohesion: 2.0, ..alone });
    let v = [1.0 - 0.3 / 5_f64.sqrt(), 0.4 / 5_f64.sqrt(), 0.2 / 5_f64.sqrt()];
    near(step(&one, &aside).headings[0], unit(v));
    // Separation is Σ d/r²: (0.5, 0) and (0, 0.25) give -(2, 4).
    one.rule = Rule::Boids(Boids { max_force: 100.0, ..alone });
    let crowd = [(O, X), ([0.5, 0.0, 0.0], Z), ([0.0, 0.25, 0.0], Z)];
    let desire = unit([-2.0, -4.0, 0.0]).map(|c| 2.0 * c);
    near(step(&one, &crowd).headings[0], unit([1.0 + 0.1 * (desire[0] - 1.0), 0.1 * desire[1], 0.0]));
    // Nobody in sight, too fast and too slow.
    for (speed, expected) in [(3.0, 2.0), (0.1, 0.5)] {
        one.speed = speed;
        assert_eq!(step(&one, &aside[..1]).speeds, [expected]);
    }
}
