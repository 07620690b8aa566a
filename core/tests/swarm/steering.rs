//! Leaders, predator, obstacles and edges, worked out by hand.

use surprisal_core::sim::{
    Boundary, Space,
    swarm::{Goal, Hunt, Obstacle, Predator, Rule, Swarm},
};

use crate::{DEWI, OPEN, ZONES, advance, near, setup, state, step, swarm, unit};

const X: [f64; 3] = [1.0, 0.0, 0.0];
const Y: [f64; 3] = [0.0, 1.0, 0.0];
const O: [f64; 3] = [0.0; 3];

#[test]
fn leaders_blend_their_goal() {
    let mut one = setup(Rule::Couzin2002(ZONES), OPEN, 1);
    one.leaders = 1;
    one.goal = Goal { direction: Y, weight: 0.5 };
    let after = step(&one, &[(O, X), ([100.0, 0.0, 0.0], X)]);
    near(after.headings[0], unit([1.0, 0.5, 0.0]));
    near(after.headings[1], X);
}

#[test]
fn whoever_is_near_the_predator_flees() {
    let mut one = setup(Rule::Dewi(DEWI), OPEN, 1);
    one.predator = Some(Predator { radius: 4.0, hunts: None, position: X });
    let s = 0.75_f64.sqrt();
    let after = step(&one, &[(O, Y), ([-3.0, 10.0, 0.0], Y)]);
    near(after.headings[0], unit([-s, 1.0 - s, 0.0]));
    near(after.headings[1], Y);
    assert_eq!(after.predator.unwrap()[0], X);
}

#[test]
fn an_agent_hunts_the_centre_of_those_near() {
    let mut one = setup(Rule::Dewi(DEWI), OPEN, 1);
    one.predator =
        Some(Predator { radius: 1.0, hunts: Some(Hunt { speed: 3.0, turning_rate: 1.0 }), position: [0.0, -3.0, 0.0] });
    // Within 4 radii is the first alone; the agent looks to x and turns by 0.1.
    let after = step(&one, &[(O, X), ([50.0, 0.0, 0.0], X)]);
    let [x, u] = after.predator.unwrap();
    near(u, [0.1_f64.cos(), 0.1_f64.sin(), 0.0]);
    near(x, [0.3 * 0.1_f64.cos(), -3.0 + 0.3 * 0.1_f64.sin(), 0.0]);
}

#[test]
fn obstacles_are_steered_around_and_never_entered() {
    let mut one = setup(Rule::Dewi(DEWI), OPEN, 1);
    one.obstacles = vec![Obstacle { centre: [3.0, 0.0, 0.0], radius: 2.0 }];
    // r = 3: s = 1/2; towards the centre 0.6: 0.6 - 0.3 - 0.25 is left.
    let after = step(&one, &[(O, [0.6, 0.8, 0.0])]);
    near(after.headings[0], unit([0.05, 0.8, 0.0]));
    let after = step(&one, &[([2.5, 0.0, 0.0], Y)]);
    let [x, y, z] = after.positions[0];
    assert!(((x - 3.0).hypot(y) - 2.0).abs() < 1e-12 && z == 0.0);
}

#[test]
fn walls_and_the_tank_reflect() {
    let walls = Space { dimensions: 3, boundary: Boundary::Walls { side: 10.0 } };
    let u = [0.6, -0.8, 0.0];
    let after = step(&setup(Rule::Dewi(DEWI), walls, 1), &[([9.95, 0.02, 5.0], u)]);
    near(after.positions[0], [9.93, 0.14, 5.0]);
    near(after.headings[0], [-0.6, 0.8, 0.0]);
    let tank = Space { dimensions: 3, boundary: Boundary::Tank { radius: 5.0, depth: 2.0 } };
    let after = step(&setup(Rule::Dewi(DEWI), tank, 1), &[([4.9, 0.0, 1.0], X)]);
    near(after.positions[0], [4.9, 0.0, 1.0]);
    near(after.headings[0], [-1.0, 0.0, 0.0]);
    let after = step(&setup(Rule::Dewi(DEWI), tank, 1), &[([0.0, 0.0, 1.9], [0.0, 0.0, 1.0])]);
    near(after.positions[0], [0.0, 0.0, 1.9]);
    near(after.headings[0], [0.0, 0.0, -1.0]);
}

#[test]
fn every_edge_holds_its_particles() {
    for dimensions in [2, 3] {
        for boundary in [
            Boundary::Periodic { side: 12.0 },
            Boundary::Walls { side: 12.0 },
            Boundary::Tank { radius: 8.0, depth: 7.0 },
        ] {
            let mut one =
                setup(Rule::Couzin2002(crate::Zones { noise: 0.3, ..ZONES }), Space { dimensions, boundary }, 40);
            one.start = crate::Start::Uniform;
            one.speed = 5.0;
            one.speed_deviation = 2.0;
            let mut swarm = swarm(one);
            for _ in 0..200 {
                advance(&mut swarm, 10);
                let state = state(&mut swarm);
                for (x, u) in state.positions.iter().zip(&state.headings) {
                    let inside = match boundary {
                        Boundary::Periodic { side } => x.iter().all(|c| (0.0..side).contains(c)),
                        Boundary::Walls { side } => x.iter().all(|c| (0.0..=side).contains(c)),
                        Boundary::Tank { radius, depth } => {
                            x[0].hypot(x[1]) <= radius * (1.0 + 1e-12) && (0.0..=depth).contains(&x[2])
                        }
                        Boundary::Open => true,
                    };
                    assert!(inside, "{boundary:?}: {x:?}");
                    assert!((u.iter().map(|c| c * c).sum::<f64>() - 1.0).abs() < 1e-12);
                    assert!(dimensions == 3 || (x[2] == 0.0 && u[2] == 0.0));
                }
            }
        }
    }
}

#[test]
fn a_tiny_step_over_the_lower_edge_ends_at_0() {
    // mod(-1e-18, L) = L, which would be outside.
    let space = Space { dimensions: 3, boundary: Boundary::Periodic { side: 12.0 } };
    let mut one = setup(Rule::Dewi(DEWI), space, 1);
    one.speed = 1e-17;
    let after = step(&one, &[(O, [-1.0, 0.0, 0.0])]);
    assert_eq!(after.positions[0][0], 0.0);
    let mut pair = swarm(one);
    let mut outside = state(&mut pair);
    outside.positions[0] = [-1e-18, 12.0, 25.0];
    pair.restore(0, &outside).unwrap();
    assert_eq!(state(&mut pair).positions[0], [0.0, 0.0, 1.0]);
}
