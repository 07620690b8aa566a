//! What all pairs of a school say, counted once for both families, against loops over pairs and against families that count for
//! themselves.

#![allow(clippy::unwrap_used, reason = "a test that cannot read its input has failed")]

use std::f64::consts::PI;

use surprisal_core::{
    experiment::{METRICS, Metrics},
    measure::school::{
        Again, Ask, Boundary, Counting, Dims, PairStatistics, SchoolError, Space, angle_bins, bounding_cube,
        corrected::{self, Options, Void},
        groups,
        library::{self, Centre},
    },
    pace::{Cancelled, Pace, Unhurried},
    rng::Philox,
    sim,
};

type Vectors = Vec<[f64; 3]>;

const SIDE: f64 = 8.0;
/// Below, at and above what a jackknife, a tree and a row of kernels take in one piece.
const SIZES: [usize; 14] = [1, 2, 3, 5, 6, 19, 20, 21, 39, 255, 256, 257, 400, 611];

/// Schools by kind: without order; on a lattice, heading along its axes and diagonals, so that distances, cosines and angles are
/// the edges of bins; parallel; aligned; all in one place.
fn school(kind: u32, n: usize) -> (Vectors, Vectors) {
    let mut rng = Philox::new(u64::from(kind), n as u64);
    let mut x: Vectors = (0..n).map(|_| std::array::from_fn(|_| SIDE * rng.uniform())).collect();
    let mut v: Vectors = (0..n).map(|_| std::array::from_fn(|_| rng.normal())).collect();
    let along =
        [[1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [1.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [1.0, 0.0, 1.0], [2.0, 1.0, 2.0]];
    match kind {
        1 => {
            x.iter_mut().flatten().for_each(|c| *c = c.floor());
            (0..).zip(&mut v).for_each(|(i, v): (usize, _)| *v = along[i * 7 % along.len()]);
        }
        2 => v.fill([1.0, 2.0, 3.0]),
        3 => v.iter_mut().for_each(|v| *v = [1.0 + 0.05 * v[0], 2.0 + 0.05 * v[1], 0.05 * v[2]]),
        4 => x.fill([1.0, 2.0, 3.0]),
        _ => {}
    }
    (x, v)
}

fn spaces() -> impl Iterator<Item = Space> {
    [Dims::Two, Dims::Three]
        .into_iter()
        .flat_map(|dims| [Boundary::Open, Boundary::Periodic(SIDE)].map(move |boundary| Space { dims, boundary }))
}

fn ask(space: Space, x: &Vectors, resolution: f64) -> Ask {
    let again = match (space.dims, space.boundary) {
        (Dims::Two, _) => Again::Nowhere,
        (Dims::Three, Boundary::Open) => Again::Cube(bounding_cube(x).1),
        (Dims::Three, Boundary::Periodic(_)) => Again::Recentred,
    };
    Ask { space, resolution, again, counts: true }
}

/// The bin of a pair by its definition: of the corrected family, and of numpy.histogram.
fn bin(flat: bool, u: [f64; 3], v: [f64; 3], bins: u32) -> usize {
    let count = f64::from(bins);
    let dot = u[0] * v[0] + u[1] * v[1] + u[2] * v[2];
    if flat {
        let angle = f64::atan2((u[0] * v[1] - u[1] * v[0]).abs(), dot);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 0..=bins")]
        return ((angle / PI * count) as usize).min(bins as usize - 1);
    }
    let t = f64::clamp((dot + 1.0) / 2.0, 0.0, 1.0);
    let edge = |k: usize| k as f64 * (1.0 / count);
    let last = (0..bins as usize).rev().find(|&k| t >= edge(k)).unwrap_or(0);
    last.min(bins as usize - 1)
}

#[test]
fn counts_are_those_of_a_loop_over_pairs() {
    for kind in 0..5 {
        for n in SIZES.into_iter().filter(|n| *n < 300) {
            let (x, v) = school(kind, n);
            // 400 bins hold the library's 20; 76 and 16 do not, and 31, 14 and 6 are of a plane.
            for resolution in [0.1, 0.23, 0.5] {
                for space in spaces() {
                    let flat = space.dims == Dims::Two;
                    let pairs = PairStatistics::of(&x, &v, ask(space, &x, resolution)).unwrap();
                    let unit = |v: &[f64; 3]| {
                        let v = if flat { [v[0], v[1], 0.0] } else { *v };
                        let length = (v[0] * v[0] + v[1] * v[1] + v[2] * v[2]).sqrt();
                        v.map(|c| c / length)
                    };
                    let headings: Vectors = v.iter().map(unit).collect();
                    let bins = angle_bins(space.dims, resolution);
                    let starts = groups(n);
                    let group = |i: usize| starts.iter().rposition(|&start| start <= i).unwrap();
                    let mut all = vec![0_u64; bins as usize];
                    let mut with = vec![all.clone(); starts.len() - 1];
                    for i in 0..n {
                        for j in i + 1..n {
                            let k = bin(flat, headings[i], headings[j], bins);
                            all[k] += 1;
                            with[group(i)][k] += 1;
                            if group(j) != group(i) {
                                with[group(j)][k] += 1;
                            }
                        }
                    }
                    let angles = pairs.angles.unwrap();
                    assert_eq!((angles.all, angles.with), (all, with), "kind {kind}, n {n}, {space:?} {resolution}");
                    // Of parallel headings some are beyond 1 and left out, as in the package.
                    let counted = pairs.cosines.map(|c| c.iter().sum::<u64>());
                    assert_eq!(counted.is_none(), flat);
                    assert!(
                        counted.is_none_or(|c| c <= (n * (n - 1) / 2) as u64
                            && (kind == 2 || kind == 1 || 2 * c == (n * (n - 1)) as u64))
                    );
                    let chord = 2.0 * (resolution / 2.0).sin();
                    for (i, alike) in pairs.alike.iter().enumerate() {
                        let square = |u: &[f64; 3], v: &[f64; 3]| {
                            let d = [u[0] - v[0], u[1] - v[1], u[2] - v[2]];
                            d[0] * d[0] + d[1] * d[1] + d[2] * d[2]
                        };
                        let others = (0..n).filter(|&j| j != i).map(|j| square(&headings[j], &headings[i]));
                        let mut squares: Vec<f64> = others.collect();
                        squares.sort_by(f64::total_cmp);
                        let fifth = squares.get(4).copied().unwrap_or(f64::INFINITY);
                        let within = squares.iter().filter(|&&s| s <= chord * chord).count();
                        assert_eq!((alike.fifth, alike.within as usize), (fifth, within), "kind {kind}, n {n}, {i}");
                    }
                }
            }
        }
    }
}

#[test]
fn measures_are_the_same_with_statistics_and_without() {
    for kind in 0..5 {
        for n in SIZES {
            let (x, v) = school(kind, n);
            for space in spaces() {
                let options = Options::default();
                let ask = ask(space, &x, options.resolution);
                let pairs = PairStatistics::of(&x, &v, ask).unwrap();
                let mut counting = Counting::new(&x, &v, ask).unwrap();
                let mut behind = 0;
                while !counting.is_done() {
                    counting.advance(777);
                    let (done, total) = counting.progress();
                    assert!(behind <= done && done <= total);
                    behind = done;
                }
                assert_eq!(counting.progress().0, counting.progress().1);
                assert_eq!(counting.finish(), pairs, "kind {kind}, n {n}, {space:?}");
                let own = corrected::measure(&x, &v, space, options).unwrap();
                assert_eq!(
                    corrected::measure_with(&x, &v, space, options, &pairs).unwrap(),
                    own,
                    "{kind} {n} {space:?}"
                );
                let alone = corrected::heading_entropy(&v, space.dims, options).unwrap();
                assert_eq!(alone, own.heading_entropy);
                if space.dims == Dims::Two {
                    continue;
                }
                let (boxed, side, centres) = match space.boundary {
                    Boundary::Open => {
                        let (boxed, side) = bounding_cube(&x);
                        (boxed, side, &[Centre::Plain][..])
                    }
                    Boundary::Periodic(side) => (x.clone(), side, &[Centre::Plain, Centre::Recentred][..]),
                };
                for &centre in centres {
                    let own = library::measure(&boxed, &v, side, centre).unwrap();
                    let with = library::measure_with(&boxed, &v, side, centre, &pairs).unwrap();
                    assert_eq!(with, own, "kind {kind}, n {n}, {centre:?}");
                }
            }
        }
    }
}

#[test]
fn statistics_of_something_else_are_refused_and_what_was_not_counted_is_said() {
    let (x, v) = school(0, 50);
    let options = Options::default();
    let box_of = Space::periodic(SIDE);
    let asked = Ask { counts: false, ..ask(box_of, &x, options.resolution) };
    let pairs = PairStatistics::of(&x, &v, asked).unwrap();
    assert_eq!((&pairs.angles, &pairs.cosines), (&None, &None));
    let corrected = corrected::measure_with(&x, &v, box_of, options, &pairs).unwrap();
    assert_eq!(corrected.velocity_correlation_entropy, Err(Void::NotCounted));
    assert_eq!(corrected.index, Err(Void::Part("velocity_correlation_entropy")));
    assert!(corrected.heading_entropy.is_ok() && corrected.cohesion_entropy.is_ok());
    let library = library::measure_with(&x, &v, SIDE, Centre::Plain, &pairs).unwrap();
    let missing = ["velocity_correlation_entropy", "oceanic_schooling_index"];
    for (name, value) in library.values() {
        assert_eq!(value.is_nan(), missing.contains(&name), "{name}");
    }

    let other = |result: Result<(), SchoolError>| {
        let error = result.unwrap_err();
        assert!(matches!(error, SchoolError::OtherPairs { .. }), "{error}");
    };
    let fewer = (x[1..].to_vec(), v[1..].to_vec());
    other(corrected::measure_with(&fewer.0, &fewer.1, box_of, options, &pairs).map(drop));
    other(corrected::measure_with(&x, &v, Space::OPEN, options, &pairs).map(drop));
    other(corrected::measure_with(&x, &v, box_of, Options { resolution: 0.2 }, &pairs).map(drop));
    other(library::measure_with(&x, &v, 9.0, Centre::Plain, &pairs).map(drop));
    other(library::measure_with(&fewer.0, &fewer.1, SIDE, Centre::Plain, &pairs).map(drop));

    let wrong = |ask: Ask| PairStatistics::of(&x, &v, ask).unwrap_err();
    assert!(matches!(wrong(Ask { again: Again::Cube(3.0), ..asked }), SchoolError::AboveBox { .. }));
    assert!(matches!(wrong(Ask { again: Again::Cube(f64::NAN), ..asked }), SchoolError::Box(_)));
    assert_eq!(wrong(Ask { resolution: 0.0, ..asked }), SchoolError::Resolution(0.0));
    assert_eq!(PairStatistics::of(&[], &[], asked), Err(SchoolError::Empty));
}

/// Ends the work at its third look at the clock.
struct Impatient(std::cell::Cell<u32>);

impl Pace for Impatient {
    fn tick(&self, _: u64, _: u64) -> futures_util::future::LocalBoxFuture<'_, Result<(), Cancelled>> {
        self.0.set(self.0.get() + 1);
        let more = self.0.get() < 3;
        Box::pin(std::future::ready(if more { Ok(()) } else { Err(Cancelled) }))
    }
}

#[test]
fn too_many_fish_for_their_pairs_have_all_other_measures() {
    let n = 30_001;
    let mut rng = Philox::new(3, 0);
    let x: Vectors = (0..n).map(|_| std::array::from_fn(|_| 50.0 * rng.uniform())).collect();
    let v: Vectors = (0..n).map(|_| std::array::from_fn(|_| rng.normal())).collect();
    let missing = ["library.velocity_correlation_entropy", "library.oceanic_schooling_index"];
    let missing =
        [&missing[..], &["recentred.oceanic_schooling_index", "corrected.velocity_correlation_entropy"]].concat();
    for boundary in [sim::Boundary::Open, sim::Boundary::Periodic { side: 50.0 }] {
        let space = sim::Space { dimensions: 3, boundary };
        let measured = pollster::block_on(Metrics::of_motion(&x, &v, &space, &Unhurried)).unwrap();
        for ((name, _), value) in METRICS.iter().zip(measured.metrics.0) {
            let gone = missing.contains(name) || ["corrected.index", "corrected.milling_signed"].contains(name);
            assert_eq!(value.is_nan(), gone, "{name} is {value}");
        }
        // Neither order nor, in the periodic box, an edge: heads and neighbours are known to be 1 within 1/√n.
        let heading = measured.metrics.get("corrected.heading_entropy").unwrap();
        assert!((heading - 1.0).abs() < 0.01, "{heading}");
        assert!(measured.note.unwrap().contains("30001 fish have 4.5e8 pairs"));
        let impatient = Impatient(std::cell::Cell::new(0));
        let ended = pollster::block_on(Metrics::of_motion(&x, &v, &space, &impatient));
        assert!(ended.is_err() && impatient.0.get() == 3);
    }
    let few = pollster::block_on(Metrics::of_motion(
        &x[..900],
        &v[..900],
        &sim::Space { dimensions: 3, boundary: sim::Boundary::Open },
        &Unhurried,
    ));
    assert_eq!(few.unwrap().note, None);
}
