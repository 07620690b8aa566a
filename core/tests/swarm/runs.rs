//! Runs that must agree to the bit.

use futures_util::future::LocalBoxFuture;
use surprisal_core::{
    pace::{Cancelled, Pace, Unhurried},
    sim::{
        Boundary, Space,
        swarm::{
            Boids, CpuSwarm, Dewi, Hunt, Obstacle, Predator, Rule, Search, Setup, Start, State, Swarm, SwarmError,
            Zones,
        },
    },
};

use crate::{BOIDS, DEWI, OPEN, VICSEK, ZONES, advance, setup, state, swarm};

fn rules() -> [Rule; 4] {
    [
        Rule::Couzin2002(Zones { field_of_view: 4.7, turning_rate: 0.7, noise: 0.05, ..ZONES }),
        Rule::Dewi(Dewi { blind: 0.5, max_turn: 0.3, noise: 0.1, orientation_weight: 0.5, ..DEWI }),
        Rule::Vicsek(surprisal_core::sim::swarm::Vicsek { noise: 0.3, ..VICSEK }),
        Rule::Boids(Boids { noise: 0.1, ..BOIDS }),
    ]
}

/// Every rule in every space that it has, with several cells on each axis.
fn worlds(count: u32) -> Vec<Setup> {
    let mut worlds = Vec::new();
    for rule in rules() {
        let side = 7.3 * rule.reach();
        for boundary in [
            Boundary::Open,
            Boundary::Periodic { side },
            Boundary::Walls { side },
            Boundary::Tank { radius: side / 2.0, depth: side / 2.0 },
        ] {
            for dimensions in [2, 3] {
                if dimensions == 3 && matches!(rule, Rule::Vicsek(_)) {
                    continue;
                }
                let mut one = setup(rule, Space { dimensions, boundary }, count);
                one.start =
                    if boundary == Boundary::Open { Start::Ball { radius: side / 2.0 } } else { Start::Uniform };
                worlds.push(one);
            }
        }
    }
    worlds
}

fn after(setup: &Setup, search: Search, steps: u32) -> State {
    let mut swarm = CpuSwarm::new(vec![setup.clone()]).unwrap().searching(search);
    advance(&mut swarm, steps);
    state(&mut swarm)
}

#[test]
fn the_grid_gives_the_bits_of_all_pairs() {
    for count in [1, 2, 17, 257, 1000] {
        for one in worlds(count) {
            let all = after(&one, Search::AllPairs, 3);
            for search in [Search::Grid, Search::Auto] {
                let found = after(&one, search, 3);
                assert_eq!(found.to_bytes().unwrap(), all.to_bytes().unwrap(), "{search:?} {one:?}");
            }
        }
    }
}

#[test]
fn out_of_order_the_grid_agrees_but_for_rounding() {
    for mut one in worlds(1000) {
        let all = after(&one, Search::AllPairs, 1);
        one.reproducible = false;
        let found = after(&one, Search::Grid, 1);
        for (a, b) in all.headings.iter().flatten().zip(found.headings.iter().flatten()) {
            // A sum of some 100 unit vectors, in another order.
            assert!((a - b).abs() < 1e-10, "{one:?}");
        }
    }
}

#[test]
fn a_scattered_school_takes_no_more_cells() {
    let mut one = setup(Rule::Couzin2002(ZONES), OPEN, 300);
    one.start = Start::Ball { radius: 1e12 };
    assert_eq!(after(&one, Search::Grid, 2), after(&one, Search::AllPairs, 2));
    one.rule = Rule::Couzin2002(Zones { repulsion: 0.0, orientation: 0.0, attraction: 0.0, ..ZONES });
    assert_eq!(after(&one, Search::Grid, 2), after(&one, Search::AllPairs, 2));
}

#[test]
fn replicas_do_not_know_of_each_other() {
    for rule in rules() {
        let replicas: Vec<Setup> = (0..20)
            .map(|replica| {
                let mut one = setup(rule, Space { dimensions: 2, boundary: Boundary::Periodic { side: 30.0 } }, 30);
                one.replica = replica;
                one
            })
            .collect();
        let mut batch = CpuSwarm::new(replicas.clone()).unwrap();
        advance(&mut batch, 40);
        for (i, one) in replicas.into_iter().enumerate() {
            let alone = after(&one, Search::Auto, 40);
            assert_eq!(pollster::block_on(batch.state(i)).unwrap(), alone);
        }
    }
}

/// A world with everything in it.
fn rich(rule: Rule) -> Setup {
    let mut one = setup(rule, Space { dimensions: 2, boundary: Boundary::Tank { radius: 20.0, depth: 1.0 } }, 60);
    one.speed_deviation = 0.3;
    one.leaders = 5;
    one.goal.weight = 0.5;
    one.obstacles = vec![Obstacle { centre: [5.0, 5.0, 0.0], radius: 2.0 }];
    one.predator =
        Some(Predator { radius: 5.0, hunts: Some(Hunt { speed: 3.0, turning_rate: 1.0 }), position: [0.0, -9.0, 0.0] });
    one
}

#[test]
fn a_run_goes_on_from_a_checkpoint_to_the_bit() {
    for rule in rules() {
        let one = rich(rule);
        let whole = after(&one, Search::Auto, 100);
        let half = after(&one, Search::Auto, 37).to_bytes().unwrap();
        let mut rest = swarm(one);
        rest.restore(0, &State::from_bytes(&half).unwrap()).unwrap();
        advance(&mut rest, 63);
        assert_eq!(state(&mut rest).to_bytes().unwrap(), whole.to_bytes().unwrap());
    }
}

/// Cancels at the tick of this number.
struct Patience(std::cell::Cell<u32>);

impl Pace for Patience {
    fn tick(&self, _done: u64, _total: u64) -> LocalBoxFuture<'_, Result<(), Cancelled>> {
        let left = self.0.get();
        self.0.set(left.saturating_sub(1));
        Box::pin(std::future::ready(if left == 0 { Err(Cancelled) } else { Ok(()) }))
    }
}

#[test]
fn a_cancelled_run_stops_between_two_steps() {
    let replicas: Vec<Setup> = (0..3)
        .map(|replica| {
            let mut one = setup(rules()[0], OPEN, 700);
            one.replica = replica;
            one
        })
        .collect();
    let mut batch = CpuSwarm::new(replicas.clone()).unwrap();
    let ended = pollster::block_on(batch.advance(1000, &Patience(std::cell::Cell::new(5))));
    assert!(matches!(ended, Err(SwarmError::Cancelled(_))));
    let steps = pollster::block_on(batch.state(0)).unwrap().step;
    assert!((1..100).contains(&steps));
    for (i, one) in replicas.iter().enumerate() {
        let behind = after(one, Search::Auto, u32::try_from(steps).unwrap());
        assert_eq!(pollster::block_on(batch.state(i)).unwrap(), behind);
    }
    pollster::block_on(batch.advance(2, &Unhurried)).unwrap();
    let on = after(&replicas[1], Search::Auto, u32::try_from(steps).unwrap() + 2);
    assert_eq!(pollster::block_on(batch.state(1)).unwrap(), on);
}
