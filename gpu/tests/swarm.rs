//! Swarms on the adapter at hand against the CPU reference. See `twins.rs`.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::{Mutex, MutexGuard, PoisonError};

use pollster::block_on;
use surprisal_core::{
    compute::{Backend, Compute},
    experiment::{METRICS, Metrics},
    measure::school::Ask,
    pace::Unhurried,
    sim::swarm::{CpuSwarm, Order, Rule, Setup, State, Swarm, SwarmError, Zones, begin},
};
use surprisal_gpu::{
    Auto, Gpu, GpuError, GpuSwarm, Options,
    selftest::swarm::{BOUNDARIES, RULES, all_pairs, ask, near_reference, one_step, prefix_sums, rule, setup},
    swarm::scan::TILE,
};

/// One device at a time.
static ONE: Mutex<()> = Mutex::new(());

fn gpu() -> Option<(Gpu, MutexGuard<'static, ()>)> {
    let guard = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    match block_on(Gpu::new(&Options::from_env())) {
        Ok(gpu) => Some((gpu, guard)),
        Err(GpuError::NoAdapter { wanted_name: None, .. })
            if std::env::var("SURPRISAL_REQUIRE_GPU").as_deref() != Ok("1") =>
        {
            eprintln!("SKIPPED: no GPU adapter here, not even a software one (mesa-vulkan-drivers has one)");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

fn state(swarm: &mut dyn Swarm, replica: usize) -> State {
    block_on(swarm.state(replica)).unwrap()
}

fn advance(swarm: &mut dyn Swarm, steps: u32) {
    block_on(swarm.advance(steps, &Unhurried)).unwrap();
}

fn swarm(gpu: &Gpu, setups: &[&Setup]) -> GpuSwarm {
    GpuSwarm::new(gpu, setups.iter().map(|setup| (*setup).clone()).collect()).unwrap()
}

#[test]
fn every_pipeline_compiles() {
    let Some((gpu, _guard)) = gpu() else { return };
    block_on(gpu.prepare_swarms()).unwrap();
}

#[test]
fn a_step_is_the_reference_within_rounding() {
    let Some((gpu, _guard)) = gpu() else { return };
    let mut failed = Vec::new();
    for (rule, dimensions) in RULES {
        for boundary in BOUNDARIES {
            for n in [1, 2, 255, 256, 257, 511, 513, 1009, 5003] {
                let setup = setup(rule, dimensions, boundary, n, n % 2 == 1);
                if let Err(what) = block_on(one_step(&gpu, &setup)) {
                    failed.push(format!("{n} {rule} {dimensions}-D {boundary}: {what}"));
                }
            }
        }
    }
    assert!(failed.is_empty(), "{} of 252:\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn fast_mode_is_the_reference_too() {
    let Some((gpu, _guard)) = gpu() else { return };
    for boundary in BOUNDARIES {
        let setup = Setup { reproducible: false, ..setup("couzin", 3, boundary, 2003, true) };
        block_on(one_step(&gpu, &setup)).unwrap();
        // Later, with a box that is not the newest.
        let mut swarm = swarm(&gpu, &[&setup]);
        advance(&mut swarm, 13);
        let before = state(&mut swarm, 0);
        advance(&mut swarm, 1);
        block_on(near_reference(&setup, &before, &state(&mut swarm, 0))).unwrap();
    }
}

#[test]
fn a_batch_is_its_replicas_bit_for_bit() {
    let Some((gpu, _guard)) = gpu() else { return };
    for n in [100, 600, 1009] {
        let replica =
            |name: &str, boundary: &str, replica: u32, busy| Setup { replica, ..setup(name, 3, boundary, n, busy) };
        // One of them has too few cells at n = 600, which sends all of that batch over tiles: sums in another order.
        let mut setups = vec![
            replica("couzin", "open", 0, true),
            replica("couzin", "open", 1, false),
            replica("dewi", "walls", 2, true),
        ];
        if n != 600 {
            setups.push(replica("boids", "periodic", 7, false));
        }
        let mut batch = swarm(&gpu, &setups.iter().collect::<Vec<_>>());
        advance(&mut batch, 7);
        advance(&mut batch, 13);
        for (i, setup) in setups.iter().enumerate() {
            let mut single = swarm(&gpu, &[setup]);
            advance(&mut single, 20);
            assert_eq!(state(&mut batch, i), state(&mut single, 0), "n = {n}, replica {i}");
        }
    }
}

#[test]
fn more_schools_than_workgroups_in_a_row() {
    let Some((gpu, _guard)) = gpu() else { return };
    let replica = |replica| Setup { replica, ..setup("vicsek", 2, "periodic", 2, false) };
    let mut batch = GpuSwarm::new(&gpu, (0..65_600).map(replica).collect()).unwrap();
    advance(&mut batch, 2);
    let orders = block_on(batch.order()).unwrap();
    for i in [0, 32_799, 32_800, 65_534, 65_535, 65_536, 65_599] {
        let mut single = swarm(&gpu, &[&replica(i)]);
        advance(&mut single, 2);
        assert_eq!(state(&mut batch, i as usize), state(&mut single, 0), "replica {i}");
        assert_eq!(orders[i as usize], block_on(single.order()).unwrap()[0], "replica {i}");
    }
}

#[test]
fn a_run_goes_on_from_its_checkpoint() {
    let Some((gpu, _guard)) = gpu() else { return };
    for (n, boundary) in [(90, "periodic"), (700, "open"), (1009, "periodic")] {
        let setup = setup("couzin", 3, boundary, n, true);
        let mut first = swarm(&gpu, &[&setup]);
        advance(&mut first, 11);
        let checkpoint = state(&mut first, 0);
        advance(&mut first, 10);
        let mut second = swarm(&gpu, &[&setup, &Setup { replica: 5, ..setup.clone() }]);
        advance(&mut second, 3);
        second.restore(0, &checkpoint).unwrap();
        advance(&mut second, 10);
        assert_eq!(state(&mut first, 0), state(&mut second, 0), "n = {n}");
        assert_eq!(state(&mut second, 1).step, 13);

        let fewer = State { speeds: vec![1.0], ..checkpoint.clone() };
        assert!(matches!(second.restore(0, &fewer), Err(SwarmError::State(_))));
        let mut odd = checkpoint;
        odd.positions[1][1] = f64::NAN;
        assert!(matches!(second.restore(0, &odd), Err(SwarmError::State(_))));
    }
}

#[test]
fn a_change_is_obeyed_from_the_next_step_on() {
    let Some((gpu, _guard)) = gpu() else { return };
    for n in [120, 800] {
        let open = setup("couzin", 3, "open", n, false);
        let mut both = swarm(&gpu, &[&open, &open]);
        let mut cpu = CpuSwarm::new(vec![open.clone()]).unwrap();
        advance(&mut both, 5);
        cpu.restore(0, &state(&mut both, 0)).unwrap();
        let changes = [
            setup("couzin", 3, "walls", n, true),
            setup("dewi", 3, "periodic", n, true),
            setup("boids", 3, "tank", n, false),
            setup("vicsek", 2, "periodic", n, true),
            Setup { speed: 1.0, ..setup("couzin", 2, "open", n, false) },
        ];
        for change in changes {
            both.change(0, change.clone()).unwrap();
            cpu.change(0, change.clone()).unwrap();
            let changed = state(&mut both, 0);
            let expected = state(&mut cpu, 0);
            for (got, expected) in changed.positions.iter().zip(&expected.positions) {
                let d = change.space.between(*got, *expected);
                assert!(d.iter().all(|d| d.abs() < 1e-4), "{got:?} instead of {expected:?}");
            }
            for (got, expected) in changed.speeds.iter().zip(&expected.speeds) {
                assert!((got - expected).abs() < 1e-5, "{got} instead of {expected}");
            }
            // Not from there: whoever was brought in now lies at one place with others.
            let start = State { step: changed.step, ..begin(&change) };
            both.restore(0, &start).unwrap();
            let before = state(&mut both, 0);
            advance(&mut both, 1);
            let after = state(&mut both, 0);
            block_on(near_reference(&change, &before, &after)).unwrap();
            cpu.restore(0, &after).unwrap();
        }
        let other = Setup { count: n + 1, ..open.clone() };
        assert!(matches!(both.change(0, other), Err(SwarmError::State(_))));
        // The other replica has never noticed.
        let mut alone = swarm(&gpu, &[&open]);
        advance(&mut alone, 10);
        assert_eq!(state(&mut both, 1).step, 10);
        if n == 120 {
            assert_eq!(state(&mut both, 1), state(&mut alone, 0));
        }
    }
}

#[test]
fn order_is_the_reference_s() {
    let Some((gpu, _guard)) = gpu() else { return };
    for (rule, dimensions) in RULES {
        for boundary in BOUNDARIES {
            for n in [1, 77, 3001] {
                let setup = setup(rule, dimensions, boundary, n, false);
                let mut many = swarm(&gpu, &[&setup, &Setup { seed: 5, ..setup.clone() }]);
                let orders = block_on(many.order()).unwrap();
                for (i, got) in orders.iter().enumerate() {
                    let setup = many.setups()[i].clone();
                    let mut cpu = CpuSwarm::new(vec![setup]).unwrap();
                    cpu.restore(0, &state(&mut many, i)).unwrap();
                    let expected = block_on(cpu.order()).unwrap()[0];
                    // The centre is known to some ulp of the positions, r̂ of one who is near it to that over r. A single fish
                    // is its own centre.
                    assert!((got.polarization - expected.polarization).abs() < 1e-5, "{got:?} {expected:?}");
                    assert!(n == 1 || (got.rotation - expected.rotation).abs() < 1e-4, "{got:?} {expected:?}");
                }
            }
        }
    }
}

/// Mean and standard error.
fn mean(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, (variance / n).sqrt())
}

#[test]
fn long_runs_agree_in_distribution() {
    let Some((gpu, _guard)) = gpu() else { return };
    // Chaotic, so that the two are different runs soon: a swarm, and a school that aligns.
    for orientation in [1.2, 4.0] {
        let Rule::Couzin2002(zones) = rule("couzin") else { unreachable!() };
        let zones = Zones { repulsion: 1.0, orientation, attraction: 10.0, noise: 0.2, ..zones };
        let setups: Vec<Setup> = (0..20)
            .map(|replica| Setup {
                rule: Rule::Couzin2002(zones),
                replica,
                speed_deviation: 0.0,
                ..setup("couzin", 3, "open", 50, false)
            })
            .collect();
        let mut on_gpu = GpuSwarm::new(&gpu, setups.clone()).unwrap();
        let mut on_cpu = CpuSwarm::new(setups).unwrap();
        let means = |swarm: &mut dyn Swarm, of: fn(&Order) -> f64| {
            let mut sums = vec![0.0; 20];
            for _ in 0..10 {
                advance(swarm, 20);
                for (sum, order) in sums.iter_mut().zip(block_on(swarm.order()).unwrap()) {
                    *sum += of(&order) / 10.0;
                }
            }
            mean(&sums)
        };
        for of in [|order: &Order| order.polarization, |order: &Order| order.rotation] {
            let ((gpu, e), (cpu, f)) = (means(&mut on_gpu, of), means(&mut on_cpu, of));
            println!("orientation {orientation}: {gpu} ± {e}, {cpu} ± {f}");
            assert!((gpu - cpu).abs() < 3.0 * e.hypot(f), "{gpu} ± {e}, {cpu} ± {f}");
        }
    }
}

#[test]
fn prefix_sums_at_awkward_sizes() {
    let Some((gpu, _guard)) = gpu() else { return };
    let tile = TILE as usize;
    for n in [0, 1, 2, 255, 256, 257, tile - 1, tile, tile + 1, 3 * tile + 7, 300 * tile + 5] {
        block_on(prefix_sums(&gpu, n)).unwrap();
    }
}

#[test]
fn statistics_of_all_pairs_are_the_reference_s() {
    let Some((gpu, _guard)) = gpu() else { return };
    let mut failed = Vec::new();
    for boundary in BOUNDARIES {
        for dimensions in [2, 3] {
            for n in [1, 2, 5, 6, 255, 256, 257, 1500, 5003] {
                let setup = setup("couzin", dimensions, boundary, n, false);
                if let Err(what) = block_on(all_pairs(&gpu, &setup, None)) {
                    failed.push(format!("{n} {dimensions}-D {boundary}: {what}"));
                }
            }
        }
    }
    assert!(failed.is_empty(), "{} of 72:\n{}", failed.len(), failed.join("\n"));
    // Nobody is no swarm.
    assert!(matches!(
        GpuSwarm::new(&gpu, vec![setup("couzin", 3, "open", 0, false)]),
        Err(SwarmError::Parameter { .. })
    ));
}

/// Nearly all pairs in one bin, and many headings within the resolution of many.
#[test]
fn statistics_of_an_aligned_school_too() {
    let Some((gpu, _guard)) = gpu() else { return };
    for (dimensions, spread) in [(3, 0.02), (3, 0.2), (2, 0.1)] {
        let setup = setup("couzin", dimensions, "open", 1500, false);
        let mut state = begin(&setup);
        for u in &mut state.headings {
            let v = [1.0 + spread * u[0], 0.5 + spread * u[1], if dimensions == 2 { 0.0 } else { spread * u[2] }];
            let length = v.iter().map(|c| c * c).sum::<f64>().sqrt();
            *u = v.map(|c| c / length);
        }
        block_on(all_pairs(&gpu, &setup, Some(&state))).unwrap();
    }
}

#[test]
fn what_the_shader_cannot_count_is_said_or_left_to_the_cpu() {
    let Some((gpu, _guard)) = gpu() else { return };
    let small = setup("couzin", 3, "periodic", 1999, false);
    let mut swarm = swarm(&gpu, &[&small, &Setup { replica: 9, ..small.clone() }]);
    let right = ask(&small, &[]);
    assert_eq!(block_on(swarm.pairs(0, right, &Unhurried)).unwrap(), None);
    let pairs = block_on(swarm.count_pairs(1, right, &Unhurried)).unwrap();
    assert_eq!(pairs.near.len(), 1999);
    let few = block_on(swarm.count_pairs(1, Ask { counts: false, ..right }, &Unhurried)).unwrap();
    assert_eq!((few.angles, few.cosines), (None, None));
    assert_eq!((few.near, few.alike), (pairs.near, pairs.alike));
    let fine = Ask { resolution: 0.01, ..right };
    let error = block_on(swarm.count_pairs(0, fine, &Unhurried)).unwrap_err();
    assert!(matches!(error, SwarmError::Parameter { name: "resolution", .. }), "{error}");
    assert!(matches!(block_on(swarm.count_pairs(2, right, &Unhurried)), Err(SwarmError::State(_))));
}

/// What an experiment sees of a school that swims here is what it would see of the same school on the CPU.
#[test]
fn measures_of_a_school_do_not_depend_on_where_pairs_are_counted() {
    let Some((gpu, _guard)) = gpu() else { return };
    for (n, dimensions, boundary) in
        [(600, 3, "periodic"), (2003, 3, "open"), (3001, 2, "periodic"), (2500, 3, "periodic")]
    {
        let setup = setup("couzin", dimensions, boundary, n, false);
        let mut here = swarm(&gpu, &[&setup]);
        advance(&mut here, 30);
        let mut cpu = CpuSwarm::new(vec![setup.clone()]).unwrap();
        cpu.restore(0, &state(&mut here, 0)).unwrap();
        let order = Order::default();
        let got = block_on(Metrics::of(&mut here, 0, order, &Unhurried)).unwrap();
        let expected = block_on(Metrics::of(&mut cpu, 0, order, &Unhurried)).unwrap();
        assert_eq!((&got.note, &expected.note), (&None, &None));
        for (k, (name, _)) in METRICS.iter().enumerate() {
            let (got, expected) = (got.metrics.0[k], expected.metrics.0[k]);
            let same = got.is_nan() == expected.is_nan() && (got.is_nan() || (got - expected).abs() <= 1e-3);
            assert!(same, "{n} {dimensions}-D {boundary}: {name} is {got} instead of {expected}");
            // Small schools are measured by the CPU here, too.
            assert!(n > 2000 || got.to_bits() == expected.to_bits(), "{name}");
        }
        let asked = ask(&setup, &state(&mut here, 0).positions);
        assert_eq!(block_on(here.pairs(0, asked, &Unhurried)).unwrap().is_some(), n >= 2000);
    }
}

#[test]
fn a_lost_device_is_an_error_and_says_so() {
    let Some((gpu, _guard)) = gpu() else { return };
    let mut swarm = swarm(&gpu, &[&setup("couzin", 3, "open", 30, false)]);
    advance(&mut swarm, 2);
    gpu.destroy();
    match block_on(swarm.advance(1, &Unhurried)) {
        Err(SwarmError::Backend { backend, message }) => {
            assert!(backend.starts_with("GPU (") && message.contains("lost"), "{backend}: {message}");
        }
        other => panic!("{other:?}"),
    }
    assert!(block_on(swarm.state(0)).is_err() && gpu.is_lost());
}

#[test]
fn a_swarm_says_where_it_runs() {
    let Some((gpu, _guard)) = gpu() else { return };
    let setup = setup("couzin", 3, "open", 30, false);
    let swarm = block_on(gpu.swarm(vec![setup.clone()])).unwrap();
    assert_eq!(swarm.ran().backend, Backend::Gpu);
    assert!(swarm.as_any().is::<GpuSwarm>());
    let auto = Auto::new(Some(gpu.clone()));
    assert_eq!(block_on(auto.swarm(vec![setup.clone()])).unwrap().ran().backend, Backend::Cpu);
    let different = Setup { count: 31, ..setup.clone() };
    assert!(matches!(GpuSwarm::new(&gpu, vec![setup, different]), Err(SwarmError::Batch(_))));
    assert!(matches!(GpuSwarm::new(&gpu, Vec::new()), Err(SwarmError::Batch(_))));
}
