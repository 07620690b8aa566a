//! What the models are known for, at fixed seeds.

use surprisal_core::sim::{
    Boundary, Space,
    swarm::{Dewi, Order, Rule, Start, Vicsek, Zones},
};

use crate::{DEWI, OPEN, ZONES, advance, order, setup, swarm};

/// The school of Couzin et al. 2002: N = 100, Δr_a = 14, 270°, 40°/s, s = 3, τ = 0.1, σ = 0.05, a ball of radius 5.
fn school(orientation: f64, seed: u64) -> crate::Setup {
    let zones = Zones {
        repulsion: 1.0,
        orientation: 1.0 + orientation,
        attraction: 15.0 + orientation,
        field_of_view: 270_f64.to_radians(),
        turning_rate: 40_f64.to_radians(),
        noise: 0.05,
        ..ZONES
    };
    let mut one = setup(Rule::Couzin2002(zones), OPEN, 100);
    one.speed = 3.0;
    one.seed = seed;
    one
}

/// Mean order over `rows` readings, one every `stride` steps.
fn mean(swarm: &mut crate::CpuSwarm, rows: u32, stride: u32) -> Order {
    let mut sum = Order::default();
    for _ in 0..rows {
        advance(swarm, stride);
        let now = order(swarm);
        sum.polarization += now.polarization / f64::from(rows);
        sum.rotation += now.rotation / f64::from(rows);
    }
    sum
}

#[test]
fn a_wide_zone_of_orientation_aligns_and_none_does_not() {
    let mut aligned = swarm(school(6.0, 1));
    advance(&mut aligned, 2000);
    let found = order(&mut aligned);
    assert!(found.polarization > 0.99 && found.rotation < 0.1, "{found:?}");
    let mut loose = swarm(school(0.0, 1));
    advance(&mut loose, 1500);
    let found = mean(&mut loose, 50, 10);
    assert!(found.polarization < 0.3 && found.rotation < 0.35, "{found:?}");
}

#[test]
fn a_narrow_zone_of_orientation_makes_a_torus() {
    let mut mill = swarm(school(2.25, 1));
    advance(&mut mill, 2000);
    let found = mean(&mut mill, 50, 10);
    assert!(found.rotation > 0.65 && found.polarization < 0.35, "{found:?}");
}

#[test]
fn vicsek_orders_without_noise_and_not_under_full_noise() {
    let space = Space { dimensions: 2, boundary: Boundary::Periodic { side: 5.0 } };
    let find = |noise: f64| {
        let mut one = setup(Rule::Vicsek(Vicsek { radius: 1.0, noise }), space, 300);
        one.start = Start::Uniform;
        (one.time_step, one.speed) = (1.0, 0.03);
        let mut run = swarm(one);
        advance(&mut run, 600);
        mean(&mut run, 100, 4).polarization
    };
    let low = find(0.1);
    assert!(low > 0.99, "{low}");
    // Directions are independent and uniform: E P = sqrt(π / 4N) = 0.051, of standard deviation 0.027 a reading.
    let high = find(std::f64::consts::TAU);
    assert!((high - 0.0512).abs() < 5.0 * 0.0027, "{high}");
}

#[test]
fn the_first_case_of_dewi_kadita_is_a_swarm() {
    let case = Dewi {
        repulsion: 2.0,
        orientation: 3.0,
        attraction: 15.0,
        blind: 30_f64.to_radians(),
        max_turn: 0.4,
        noise: 0.2,
        ..DEWI
    };
    let mut one = setup(Rule::Dewi(case), Space { dimensions: 3, boundary: Boundary::Periodic { side: 25.0 } }, 150);
    one.start = Start::Uniform;
    one.speed = 1.0;
    let mut run = swarm(one);
    advance(&mut run, 500);
    let found = mean(&mut run, 500, 1).polarization;
    assert!((found - 0.083).abs() < 0.02, "{found}");
}
