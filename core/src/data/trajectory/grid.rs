//! From single sightings to the array `[frame][animal][dim]`.

use super::{Format, Trajectories, TrajectoryError, error::within};
use crate::data::DataError;
use std::collections::HashMap;

/// One animal in one frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sighting {
    /// The frame's number, or its time.
    pub(super) frame: f64,
    /// The animal's place in the list of names.
    pub(super) animal: usize,
    pub(super) position: [f64; 3],
    pub(super) velocity: [f64; 3],
    pub(super) heading: f64,
    /// Its time, where the frame is a number and the file has both.
    pub(super) time: f64,
    /// The row it is from, for messages; 0 where there is none.
    pub(super) line: u64,
}

impl Sighting {
    /// Nothing known but where it belongs.
    pub(super) const fn of(frame: f64, animal: usize, line: u64) -> Self {
        const UNKNOWN: [f64; 3] = [f64::NAN; 3];
        Self { frame, animal, position: UNKNOWN, velocity: UNKNOWN, heading: f64::NAN, time: f64::NAN, line }
    }
}

/// Frames in order, and where each of the sightings' frames is among them.
struct Axis {
    /// Ascending.
    values: Vec<f64>,
    /// Integers at equal steps: frame numbers, the ones without a sighting included.
    numbers: bool,
}

impl Axis {
    fn new(sightings: &[Sighting], notes: &mut Vec<String>) -> Self {
        let mut values: Vec<f64> = sightings.iter().map(|s| s.frame).collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        const EXACT: f64 = 9_007_199_254_740_992.0; // 2^53
        let numbers = values.iter().all(|v| v.fract() == 0.0 && v.abs() < EXACT);
        let (Some(&first), Some(&last)) = (values.first(), values.last()) else {
            return Self { values, numbers };
        };
        if !numbers {
            return Self { values, numbers };
        }
        let step = values.windows(2).fold(0.0, |step, w| divisor(step, w[1] - w[0])).max(1.0);
        let count = (last - first) / step + 1.0;
        if count > values.len() as f64 * 16.0 + 1024.0 {
            notes.push(format!(
                "frame numbers from {first} to {last} are too sparse: only the ones that occur are kept"
            ));
            return Self { values, numbers };
        }
        if count > values.len() as f64 {
            notes.push(format!("{} frames in which no animal was seen are in between", count - values.len() as f64));
            let mut all = Vec::new();
            let mut k = 0.0;
            while k < count {
                all.push(first + k * step);
                k += 1.0;
            }
            values = all;
        }
        Self { values, numbers }
    }

    fn find(&self, frame: f64) -> Option<usize> {
        self.values.binary_search_by(|v| v.total_cmp(&frame)).ok()
    }
}

/// The greatest common divisor of two whole numbers.
fn divisor(mut a: f64, mut b: f64) -> f64 {
    while b > 0.0 {
        (a, b) = (b, a % b);
    }
    a
}

/// Fewer arguments: what the array is made from.
pub(super) struct Plan<'a> {
    /// The file's name, for messages.
    pub(super) name: &'a str,
    pub(super) source: Format,
    pub(super) dims: usize,
    pub(super) animals: Vec<String>,
    /// Whether [`Sighting::velocity`] and [`Sighting::heading`] mean something.
    pub(super) velocities: bool,
    pub(super) headings: bool,
    /// [`Sighting::frame`] is a time.
    pub(super) timed: bool,
    pub(super) max_bytes: u64,
}

/// Lays the sightings out; whichever frames and animals have none are missing.
pub(super) fn lay_out(plan: Plan<'_>, sightings: &[Sighting]) -> Result<Trajectories, TrajectoryError> {
    let mut notes = Vec::new();
    let axis = Axis::new(sightings, &mut notes);
    let (frames, n, dims) = (axis.values.len(), plan.animals.len(), plan.dims);
    if frames == 0 || n == 0 {
        let error = DataError::Empty { name: plan.name.to_owned(), what: "no animal is seen in it" };
        return Err(within(plan.name)(error));
    }
    let (mut made, cells) = blank(&plan, frames)?;
    let mut taken = vec![false; cells];
    let mut times = vec![f64::NAN; if plan.timed { 0 } else { frames }];
    for s in sightings {
        let Some(frame) = axis.find(s.frame) else { continue };
        let cell = frame * n + s.animal;
        if std::mem::replace(&mut taken[cell], true) {
            let (name, animal) = (plan.name.to_owned(), made.animals[s.animal].clone());
            return Err(TrajectoryError::Twice { name, line: s.line, animal, frame: s.frame });
        }
        made.positions[cell * dims..(cell + 1) * dims].copy_from_slice(&s.position[..dims]);
        if let Some(t) = times.get_mut(frame).filter(|t| t.is_nan()) {
            *t = s.time;
        }
        if let Some(v) = &mut made.velocities {
            v[cell * dims..(cell + 1) * dims].copy_from_slice(&s.velocity[..dims]);
        }
        if let Some(h) = &mut made.headings {
            h[cell] = s.heading;
        }
    }
    if plan.timed {
        made.frame_rate = rate_of(axis.values.iter().copied().enumerate().map(|(i, t)| (i as f64, t)), &mut notes);
        made.times = Some(axis.values);
    } else if axis.numbers {
        made.frame_rate = rate_of(axis.values.iter().copied().zip(times.iter().copied()), &mut notes);
        made.times = times.iter().any(|t| t.is_finite()).then_some(times);
        #[expect(clippy::cast_possible_truncation, reason = "whole numbers below 2^53")]
        let numbers = axis.values.iter().map(|&v| v as i64).collect();
        made.frame_numbers = Some(numbers);
    } else {
        made.frame_rate = rate_of(axis.values.iter().copied().enumerate().map(|(i, t)| (i as f64, t)), &mut notes);
        made.times = Some(axis.values);
        notes.push("the frames have numbers with fractions: they are taken for times in seconds".to_owned());
    }
    made.notes = notes;
    Ok(made)
}

/// Nobody seen yet, and the number of places; the size is checked first.
pub(super) fn blank(plan: &Plan<'_>, frames: usize) -> Result<(Trajectories, usize), TrajectoryError> {
    let (n, dims) = (plan.animals.len(), plan.dims);
    let cells = frames.checked_mul(n);
    let per_cell = dims * 8 * if plan.velocities { 2 } else { 1 } + if plan.headings { 8 } else { 0 };
    let needed = cells.and_then(|c| c.checked_mul(per_cell)).map_or(u64::MAX, |b| b as u64);
    let Some(cells) = cells.filter(|_| needed <= plan.max_bytes) else {
        let what = format!("{n} animals over {frames} frames");
        return Err(within(plan.name)(DataError::TooLarge { what, needed, limit: plan.max_bytes }));
    };
    let made = Trajectories {
        dims,
        frames,
        animals: plan.animals.clone(),
        positions: vec![f64::NAN; cells * dims],
        velocities: plan.velocities.then(|| vec![f64::NAN; cells * dims]),
        headings: plan.headings.then(|| vec![f64::NAN; cells]),
        frame_numbers: None,
        times: None,
        frame_rate: None,
        unit_per_length: None,
        length_unit: None,
        body_length: None,
        extent: None,
        y_down: false,
        source: plan.source,
        provenance: Vec::new(),
        notes: Vec::new(),
        identities: None,
    };
    Ok((made, cells))
}

/// Names in order of first appearance.
#[derive(Default)]
pub(super) struct Names {
    places: HashMap<String, usize>,
    pub(super) list: Vec<String>,
}

impl Names {
    /// The place of `name`, a new one if it is new.
    pub(super) fn place(&mut self, name: &str) -> usize {
        if let Some(&place) = self.places.get(name) {
            return place;
        }
        let place = self.list.len();
        self.places.insert(name.to_owned(), place);
        self.list.push(name.to_owned());
        place
    }

    /// The names in numerical order if all are whole numbers (9 before 10), else as they came; and the
    /// new place of every old one.
    pub(super) fn sorted(self) -> (Vec<String>, Vec<usize>) {
        let mut order: Vec<usize> = (0..self.list.len()).collect();
        let numbers: Option<Vec<i64>> = self.list.iter().map(|n| n.parse().ok()).collect();
        if let Some(numbers) = numbers {
            order.sort_by_key(|&i| numbers[i]);
        }
        let mut place = vec![0; order.len()];
        order.iter().enumerate().for_each(|(new, &old)| place[old] = new);
        (order.iter().map(|&i| self.list[i].clone()).collect(), place)
    }
}

/// Frames per second from pairs of frame number and time in ascending order, those without a time left
/// out; `None` where the times are not at equal steps to a quarter of a step.
pub(super) fn rate_of(pairs: impl Iterator<Item = (f64, f64)> + Clone, notes: &mut Vec<String>) -> Option<f64> {
    let known = pairs.filter(|(_, t)| t.is_finite());
    let (first, start) = known.clone().next()?;
    let (last, end) = known.clone().last()?;
    if last <= first {
        return None;
    }
    let step = (end - start) / (last - first);
    let even = known.clone().all(|(i, t)| (t - start - step * (i - first)).abs() <= 0.25 * step);
    if step <= 0.0 || !even {
        notes.push("the times are not at equal steps: the frame rate is unknown".to_owned());
        return None;
    }
    let rate = 1.0 / step;
    // Times with three decimals give 29.99997 for 30: the nearest whole number within that error wins.
    let error = rate * rate * 1e-3 / (last - first);
    let whole = rate.round();
    Some(if (rate - whole).abs() <= error.max(1e-9 * rate) && whole > 0.0 { whole } else { rate })
}
