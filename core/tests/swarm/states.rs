//! States: what is refused, what is repaired, bytes and back.

use proptest::prelude::*;
use surprisal_core::sim::{
    Boundary, Space,
    swarm::{CpuSwarm, Predator, Rule, Setup, State, Swarm, SwarmError},
};

use crate::{BOIDS, DEWI, OPEN, PLANE, ZONES, advance, order, setup, state, swarm};

#[test]
fn a_batch_needs_equal_counts() {
    assert!(matches!(CpuSwarm::new(Vec::new()), Err(SwarmError::Batch(_))));
    let rule = Rule::Couzin2002(ZONES);
    let unequal = CpuSwarm::new(vec![setup(rule, OPEN, 3), setup(rule, OPEN, 4)]);
    assert_eq!(
        unequal.unwrap_err().to_string(),
        "a batch needs replicas of equal count: replica 1 has 4 particles, the first has 3"
    );
    let huge = CpuSwarm::new(vec![setup(rule, OPEN, u32::MAX)]);
    assert!(matches!(huge, Err(SwarmError::TooLarge { .. })));
}

#[test]
fn a_setup_names_its_wrong_number() {
    let check = |change: &dyn Fn(&mut Setup), name: &str| {
        let mut one = setup(Rule::Boids(BOIDS), OPEN, 3);
        change(&mut one);
        let message = one.check().unwrap_err().to_string();
        assert!(message.starts_with(&format!("{name} is ")), "{message}");
    };
    check(&|s| s.rule = Rule::Couzin2002(crate::Zones { noise: f64::NAN, ..ZONES }), "noise");
    check(&|s| s.rule = Rule::Dewi(crate::Dewi { blind: f64::INFINITY, ..DEWI }), "blind");
    check(&|s| s.rule = Rule::Boids(crate::Boids { max_speed: 0.1, ..BOIDS }), "max_speed");
    check(&|s| s.rule = Rule::Boids(crate::Boids { separation_radius: 9.0, ..BOIDS }), "separation_radius");
    check(&|s| s.speed_deviation = -1.0, "speed_deviation");
    check(&|s| (s.leaders, s.goal.direction) = (1, [0.0; 3]), "goal_direction");
    check(&|s| s.predator = Some(Predator { radius: -1.0, hunts: None, position: [0.0; 3] }), "predator_radius");
}

#[test]
fn a_state_that_does_not_fit_says_where() {
    let mut one = swarm(setup(Rule::Couzin2002(ZONES), PLANE, 3));
    let good = state(&mut one);
    let mut check = |change: &dyn Fn(&mut State), part: &str| {
        let mut bad = good.clone();
        change(&mut bad);
        let message = one.restore(0, &bad).unwrap_err().to_string();
        assert!(message.contains(part), "{message}");
        assert_eq!(state(&mut one), good);
    };
    check(&|s| s.positions[1][0] = f64::NAN, "particle 1 is at");
    check(&|s| s.headings[2] = [0.0; 3], "particle 2 heads to");
    check(&|s| s.speeds[0] = -1.0, "particle 0 has a speed of -1");
    check(&|s| s.positions[2][2] = 4.0, "particle 2 is at z = 4");
    check(&|s| _ = s.positions.pop(), "2 positions, 3 headings and 3 speeds for 3");
    assert!(one.restore(1, &good).is_err());
    assert!(one.change(0, setup(Rule::Couzin2002(ZONES), PLANE, 4)).is_err());
    let mut long = good.clone();
    long.headings[0] = [3.0, 4.0, 0.0];
    one.restore(0, &long).unwrap();
    assert_eq!(state(&mut one).headings[0], [0.6, 0.8, 0.0]);
}

#[test]
fn a_change_adapts_the_state() {
    let mut one = setup(Rule::Couzin2002(ZONES), OPEN, 30);
    let mut run = swarm(one.clone());
    advance(&mut run, 10);
    let before = state(&mut run);
    one.predator = Some(Predator { radius: 3.0, hunts: None, position: [1.0, 2.0, 3.0] });
    run.change(0, one.clone()).unwrap();
    let after = state(&mut run);
    assert_eq!((&after.positions, &after.speeds), (&before.positions, &before.speeds));
    assert_eq!(after.predator.unwrap()[0], [1.0, 2.0, 3.0]);
    one.speed = 5.0;
    one.space = Space { dimensions: 2, boundary: Boundary::Walls { side: 9.0 } };
    run.change(0, one).unwrap();
    let after = state(&mut run);
    assert_eq!(after.speeds, [5.0; 30]);
    for (x, u) in after.positions.iter().zip(&after.headings) {
        assert!(x[2] == 0.0 && u[2] == 0.0 && (u[0].hypot(u[1]) - 1.0).abs() < 1e-12);
        assert!((0.0..=9.0).contains(&x[0]) && (0.0..=9.0).contains(&x[1]));
    }
    assert_eq!(after.predator.unwrap()[0], [1.0, 2.0, 0.0]);
}

#[test]
fn order_is_about_the_circular_mean() {
    // A mill about the corner of a periodic box, and about a far point in open water.
    let mill = |space: Space, middle: f64, side: f64| {
        let mut one = setup(Rule::Couzin2002(ZONES), space, 40);
        one.start = surprisal_core::sim::swarm::Start::Uniform;
        let mut run = swarm(one);
        let mut ring = state(&mut run);
        for i in 0..40_u32 {
            let (sin, cos) = (std::f64::consts::TAU * f64::from(i) / 40.0).sin_cos();
            let at = |c: f64| if side > 0.0 { (middle + 3.0 * c).rem_euclid(side) } else { middle + 3.0 * c };
            ring.positions[i as usize] = [at(cos), at(sin), 0.0];
            ring.headings[i as usize] = [-sin, cos, 0.0];
        }
        run.restore(0, &ring).unwrap();
        order(&mut run)
    };
    for found in
        [mill(Space { dimensions: 3, boundary: Boundary::Periodic { side: 20.0 } }, 0.0, 20.0), mill(OPEN, 1000.0, 0.0)]
    {
        assert!((found.rotation - 1.0).abs() < 1e-9 && found.polarization < 1e-9, "{found:?}");
    }
}

fn any_state() -> impl Strategy<Value = State> {
    let number = || any::<f64>().prop_filter("compared by ==", |x| !x.is_nan());
    let vector = move || prop::array::uniform3(number());
    let particles = prop::collection::vec((vector(), vector(), number()), 0..40);
    (any::<u64>(), particles, prop::option::of((vector(), vector()))).prop_map(|(step, particles, predator)| State {
        step,
        positions: particles.iter().map(|p| p.0).collect(),
        headings: particles.iter().map(|p| p.1).collect(),
        speeds: particles.iter().map(|p| p.2).collect(),
        predator: predator.map(|(x, u)| [x, u]),
    })
}

proptest! {
    #[test]
    fn bytes_and_back(state in any_state(), cut in any::<prop::sample::Index>(), flip in any::<prop::sample::Index>()) {
        let mut bytes = state.to_bytes().unwrap();
        prop_assert_eq!(&State::from_bytes(&bytes).unwrap(), &state);
        // Shorter or longer: an error, never a panic.
        prop_assert!(State::from_bytes(&bytes[..cut.index(bytes.len())]).is_err());
        bytes.push(0);
        prop_assert!(State::from_bytes(&bytes).is_err());
        bytes.pop();
        let at = flip.index(24);
        bytes[at] ^= 0x80;
        // A flipped bit of the step alone goes unnoticed.
        prop_assert_eq!(State::from_bytes(&bytes).is_ok(), (8..16).contains(&at));
    }
}

#[test]
fn unequal_columns_have_no_bytes() {
    let odd = State { speeds: vec![1.0], ..State::default() };
    assert!(odd.to_bytes().is_err());
}
