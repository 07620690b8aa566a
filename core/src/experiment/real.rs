//! Real fish: the measures of a school over the frames of a recording, and the simulated school that is closest to it.
//!
//! A recording is read by [`crate::data::trajectory`]. What its file does not say (frames per second, pixels per unit of
//! length) is a parameter; without it time is in frames and length in the file's own unit, and the record says so. No
//! measure here depends on the unit of length, but for the spread and the library's cohesion and depth.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{Column, ExperimentError, METRICS, Metrics, Record, Scalar, Table, fish};
use crate::{
    compute::Compute,
    data::trajectory::Trajectories,
    figure::{Axis, Colour, Figure, Mark, Panel, number},
    pace::Pace,
    params::{self, Parameter},
    sim::{Boundary, Space},
};

/// What a door may set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Params {
    /// Frames in a second; asked for where the file does not say.
    #[schemars(range(min = 0.001, max = 1_000_000))]
    frame_rate: Option<f64>,
    /// The file's units (pixels) in one unit of length; asked for where the file does not say.
    #[schemars(range(min = 0.000_001, max = 1_000_000_000))]
    scale: Option<f64>,
    /// Frames from one measurement to the next.
    #[schemars(range(min = 1, max = 100_000))]
    every: u32,
    /// Gaps of at most so many frames are filled by straight lines; longer ones stay gaps.
    #[schemars(range(min = 0, max = 100_000))]
    fill: u32,
    /// Steps that each simulated school swims before it is compared; 0 compares with none.
    #[schemars(range(min = 0, max = 100_000))]
    steps: u32,
    /// Seed of the simulated schools.
    #[schemars(range(min = 0, max = 9_007_199_254_740_992u64))]
    seed: u64,
}

impl Default for Params {
    fn default() -> Self {
        Self { frame_rate: None, scale: None, every: 1, fill: 5, steps: 1500, seed: 1 }
    }
}

/// The id that records of recordings carry.
pub const ID: &str = "real-fish";

/// The parameters that a door may set, with their ranges and help.
#[must_use]
pub fn parameters() -> Vec<Parameter> {
    params::describe::<Params>()
}

/// A recording that is being measured.
pub struct Watch {
    params: Params,
    trajectories: Trajectories,
    frame_rate: Option<f64>,
    unknown: Vec<&'static str>,
    frame: usize,
    skipped: u64,
    record: Record,
}

/// Widths of the zone of orientation of the schools that a recording is compared with: from swarm through mill to
/// parallel school, at Δr_a = 14.
const WIDTHS: [f64; 9] = [0.0, 0.5, 1.0, 2.0, 2.25, 3.0, 4.0, 6.0, 10.0];
/// What is compared: quantities that depend on neither the unit of length nor the number of fish.
const COMPARED: [&str; 8] = [
    "polarization",
    "rotation",
    "corrected.cohesion_entropy",
    "corrected.heading_entropy",
    "corrected.angular_momentum_entropy",
    "corrected.neighbour_entropy",
    "corrected.velocity_correlation_entropy",
    "corrected.shape_entropy",
];
/// Samples of a simulated school, in the last third of its steps.
const SAMPLES: u32 = 20;

impl Watch {
    /// Prepares a recording: scale, frame rate, y upwards, short gaps filled, velocities by central differences.
    ///
    /// # Errors
    /// [`ExperimentError::Parameter`], and what the trajectories say of a rate or scale.
    pub fn new(trajectories: Trajectories, given: &Json) -> Result<Self, ExperimentError> {
        let full = params::complete(ID, &parameters(), given)?;
        let params: Params =
            serde_json::from_value(Json::Object(full.clone())).map_err(|e| params::ParameterError::Invalid {
                of: ID.to_owned(),
                key: "…".to_owned(),
                given: String::new(),
                expected: e.to_string(),
            })?;
        let told = |e: crate::data::trajectory::TrajectoryError| ExperimentError::Tracks(e.to_string());
        let mut record = Record::new(ID, full);
        for note in &trajectories.notes {
            record.note(note.clone());
        }
        let mut unknown = Vec::new();
        if trajectories.frame_rate.is_none() && trajectories.times.is_none() {
            unknown.push("frame_rate");
        }
        if trajectories.unit_per_length.is_none() {
            unknown.push("scale");
        }
        let gaps = trajectories.gaps();
        let mut t = trajectories.y_up();
        if let Some(rate) = params.frame_rate {
            t = t.with_frame_rate(rate).map_err(told)?;
        }
        if let Some(scale) = params.scale {
            t = t.with_scale(scale, "length unit").map_err(told)?;
        }
        let (t, filled) = t.fill_gaps(params.fill as usize);
        if gaps.missing > 0 {
            record.note(format!(
                "{} positions are missing in {} gaps, the longest of {} frames; {} gaps of at most {} frames were filled, {} are left.",
                gaps.missing, gaps.gaps, gaps.longest_gap, filled.gaps, params.fill, filled.left_gaps
            ));
        }
        let rate = t.frame_rate;
        if unknown.contains(&"frame_rate") && rate.is_none() {
            record.note(
                "The file does not say how many frames there are in a second: time is in frames (set frame_rate).",
            );
        }
        if t.unit_per_length.is_none() {
            record.note("The file does not say how long its unit is: lengths are in the file's own (set scale).");
        }
        if t.dims == 2 {
            record.note(
                "The recording is flat: measures are their two-dimensional variants, without depth; the library's, which are three-dimensional, are left out.",
            );
        }
        // Only directions are measured, so that a velocity by the frame serves where the file has none.
        let t = if rate.is_none() { t.with_frame_rate(1.0).map_err(told)? } else { t };
        let trajectories = t.with_velocities().map_err(told)?;
        Ok(Self { params, trajectories, frame_rate: rate, unknown, frame: 0, skipped: 0, record })
    }

    /// What was found so far.
    #[must_use]
    pub const fn record(&self) -> &Record {
        &self.record
    }

    /// What was found so far, for a door that adds its times.
    pub const fn record_mut(&mut self) -> &mut Record {
        &mut self.record
    }

    /// The recording as it is measured.
    #[must_use]
    pub const fn trajectories(&self) -> &Trajectories {
        &self.trajectories
    }

    /// Frames in a second, where the file or a parameter says so.
    #[must_use]
    pub const fn frame_rate(&self) -> Option<f64> {
        self.frame_rate
    }

    /// The parameters that ask for what the file does not say, whether or not they were given.
    #[must_use]
    pub fn unknown(&self) -> &[&'static str] {
        &self.unknown
    }

    /// Whether every frame has been looked at.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        self.frame >= self.trajectories.frames
    }

    fn space(&self) -> Space {
        Space { dimensions: if self.trajectories.dims == 2 { 2 } else { 3 }, boundary: Boundary::Open }
    }

    fn time(&self, frame: usize) -> f64 {
        let t = &self.trajectories;
        #[expect(clippy::cast_precision_loss, reason = "frames are far below 2^53")]
        let counted = frame as f64 / t.frame_rate.unwrap_or(1.0);
        t.times.as_ref().and_then(|times| times.get(frame)).copied().unwrap_or(counted)
    }

    /// Measures the next `frames` frames. Frames with fewer than two fish that can be seen moving are skipped and counted.
    ///
    /// # Errors
    /// [`ExperimentError::Cancelled`], and what a measure says.
    pub async fn advance(&mut self, frames: usize, pace: &dyn Pace) -> Result<(), ExperimentError> {
        let every = self.params.every as usize;
        let end = self.trajectories.frames.min(self.frame.saturating_add(frames));
        let space = self.space();
        while self.frame < end {
            let frame = self.frame;
            self.frame += 1;
            if !frame.is_multiple_of(every) {
                continue;
            }
            pace.tick(frame as u64, self.trajectories.frames as u64).await?;
            let seen = self.trajectories.snapshot(frame);
            let Some(seen) = seen.filter(|s| s.positions.len() > 1 && s.velocities.len() == s.positions.len()) else {
                self.skipped += 1;
                continue;
            };
            let metrics = Metrics::of_motion(&seen.positions, &seen.velocities, &space, pace).await?;
            let metrics = metrics.noted(&mut self.record);
            #[expect(clippy::cast_precision_loss, reason = "a count of fish")]
            let mut row = vec![self.time(frame), seen.positions.len() as f64];
            row.extend(metrics.0);
            self.record.table_mut("series", series_table).push(&row);
        }
        self.record.steps = self.frame as u64;
        if self.is_done() {
            self.summarise();
        }
        Ok(())
    }

    fn summarise(&mut self) {
        if self.skipped > 0 {
            let (skipped, frames) = (self.skipped, self.trajectories.frames);
            self.record.note(format!(
                "{skipped} of {frames} frames have fewer than two fish that can be seen moving, and were skipped."
            ));
        }
        let Some(series) = self.record.table("series") else { return };
        let scalars: Vec<Scalar> =
            METRICS.iter().map(|(name, title)| Scalar::mean(*name, *title, series.numbers(name), 20)).collect();
        let fish = Scalar::mean("fish", "fish seen", series.numbers("fish"), 1);
        for scalar in std::iter::once(fish).chain(scalars) {
            self.record.set(scalar);
        }
    }

    /// Simulates schools of as many fish in open water, from swarm to parallel, and says which is closest: the smallest
    /// root mean square of the differences of what both have a value for.
    ///
    /// # Errors
    /// See [`ExperimentError`].
    pub async fn compare(&mut self, compute: &dyn Compute, pace: &dyn Pace) -> Result<(), ExperimentError> {
        let steps = self.params.steps;
        let Some(fish) = self.record.value("fish").filter(|_| steps > 0) else { return Ok(()) };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a mean count of fish, at least 2")]
        let count = fish.round().max(2.0) as u32;
        let dimensions = self.space().dimensions;
        let mut setups: Vec<_> =
            (0..).zip(WIDTHS).map(|(k, width)| fish::open_water(count, width, 14.0, self.params.seed, k)).collect();
        for setup in &mut setups {
            setup.space.dimensions = dimensions;
        }
        let mut swarm = compute.swarm(setups).await?;
        self.record.ran(swarm.ran());
        let every = (steps / 3 / SAMPLES).max(1);
        swarm.advance(steps - steps / 3, pace).await?;
        let mut sums = vec![[0.0; METRICS.len()]; WIDTHS.len()];
        for _ in 0..SAMPLES {
            swarm.advance(every, pace).await?;
            let orders = swarm.order().await?;
            for (replica, order) in orders.into_iter().enumerate() {
                let metrics = Metrics::of(&mut *swarm, replica, order, pace).await?.noted(&mut self.record);
                for (sum, x) in sums[replica].iter_mut().zip(metrics.0) {
                    *sum += x / f64::from(SAMPLES);
                }
            }
        }
        let columns = [Column::numbers("orientation_width", "width of the zone of orientation", "1")]
            .into_iter()
            .chain(METRICS.iter().map(|(name, title)| Column::numbers(*name, *title, "1")))
            .chain([Column::numbers("distance", "distance from the recording", "1")]);
        let mut table = Table::new("Simulated schools and how far they are from the recording", columns.collect());
        let mut closest = (f64::INFINITY, f64::NAN);
        for (width, means) in WIDTHS.into_iter().zip(&sums) {
            let (mut square, mut n) = (0.0, 0.0);
            for name in COMPARED {
                let simulated = Metrics(*means).get(name).unwrap_or(f64::NAN);
                let real = self.record.value(name).unwrap_or(f64::NAN);
                if simulated.is_finite() && real.is_finite() {
                    square += (simulated - real).powi(2);
                    n += 1.0;
                }
            }
            let distance = if n > 0.0 { f64::sqrt(square / n) } else { f64::NAN };
            if distance < closest.0 {
                closest = (distance, width);
            }
            let row: Vec<f64> = [width].into_iter().chain(*means).chain([distance]).collect();
            table.push(&row);
        }
        self.record.put("closest", table);
        let n = WIDTHS.len() as u64;
        self.record.set(Scalar::new(
            "closest_width",
            "zone of orientation of the closest simulated school",
            Some(closest.1),
            n,
        ));
        self.record.set(Scalar::new("closest_distance", "its distance", Some(closest.0), n));
        Ok(())
    }
}

fn series_table() -> Table {
    let number = |name: &str, title: &str| Column::numbers(name, title, "1");
    let metrics = METRICS.iter().map(|(name, title)| number(name, title));
    let first = [number("time", "time"), number("fish", "fish seen")];
    Table::new("Measures over the frames", first.into_iter().chain(metrics).collect())
}

/// The pictures of a recording.
#[must_use]
pub fn figures(record: &Record) -> Vec<Figure> {
    let mut figures = fish::school_figures(record);
    let (Some(table), Some(width)) = (record.table("closest"), record.value("closest_width")) else { return figures };
    let row = table.numbers("orientation_width").iter().position(|w| w.total_cmp(&width).is_eq());
    let mut names = Vec::new();
    let (mut real, mut simulated) = (Vec::new(), Vec::new());
    for name in COMPARED {
        let title = METRICS.iter().find(|(n, _)| *n == name).map_or(name, |(_, title)| title);
        let there = row.and_then(|row| table.numbers(name).get(row).copied());
        if let (Some(a), Some(b)) = (record.value(name), there.filter(|x| x.is_finite())) {
            names.push(title.to_owned());
            real.push(a);
            simulated.push(b);
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "a handful of names")]
    let places = |shift: f64| (0..names.len()).map(|k| k as f64 + shift).collect::<Vec<_>>();
    let points = |y: Vec<f64>, shift, label: &str, k| Mark::Points {
        labels: (0..y.len()).map(|i| if i == 0 { label.to_owned() } else { String::new() }).collect(),
        x: places(shift),
        y,
        colour: Colour::nth(k),
    };
    figures.push(Figure {
        id: "closest".to_owned(),
        title: "The recording and the simulated school closest to it".to_owned(),
        description: format!(
            "Means of the recording beside those of a simulated school with a zone of orientation of {}.",
            number(width)
        ),
        panels: vec![Panel {
            marks: vec![points(real, -0.08, "recording", 0), points(simulated, 0.08, "simulated", 1)],
            x: Axis { names, ..Axis::new("") },
            y: Axis::new("value").within(0.0, 1.2),
            weight: 1.0,
        }],
    });
    figures
}

/// What a recording shows, in numbers.
#[must_use]
pub fn seen(record: &Record) -> String {
    let first = fish::school_seen(record);
    let closest = record.value("closest_width").zip(record.value("closest_distance")).map(|(width, distance)| {
        format!(
            " The closest simulated school has a zone of orientation of {}, at a distance of {}.",
            number(width),
            number(distance)
        )
    });
    first.replace("In the late part of the run", "On average over the frames") + &closest.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{compute::Cpu, pace::Unhurried};

    /// Twelve fish that swim along x, written as a wide CSV.
    fn parallel() -> Trajectories {
        let mut text = "time".to_owned();
        for k in 1..=12 {
            text += &format!(",x{k},y{k}");
        }
        for frame in 0..30 {
            text += &format!("\n{}", f64::from(frame) / 10.0);
            for k in 0..12 {
                text += &format!(
                    ",{},{}",
                    f64::from(frame) + f64::from(k % 4),
                    1.5 * f64::from(k / 4) + 0.01 * f64::from(k)
                );
            }
        }
        let source = crate::data::Memory::new("fish.csv", text.into_bytes());
        let files: Vec<Box<dyn crate::data::ByteSource>> = vec![Box::new(source)];
        let options = crate::data::trajectory::TrajectoryOptions::default();
        pollster::block_on(crate::data::trajectory::open(files, options, &Unhurried)).unwrap()
    }

    #[test]
    fn velocities_that_are_missing_here_and_there_need_no_frame_rate() {
        let text = "frame,id,x,y,vx,vy\n0,1,0,0,1,0\n0,2,0,2,1,0\n1,1,1,0,,\n1,2,1,2,1,0\n2,1,2,0,1,0\n2,2,2,2,1,0\n";
        let source = crate::data::Memory::new("long.csv", text.as_bytes().to_vec());
        let options = crate::data::trajectory::TrajectoryOptions::default();
        let read = crate::data::trajectory::open(vec![Box::new(source)], options, &Unhurried);
        let mut watch = Watch::new(pollster::block_on(read).unwrap(), &json!({"steps": 0})).unwrap();
        pollster::block_on(watch.advance(100, &Unhurried)).unwrap();
        assert_eq!(watch.frame_rate(), None);
        assert!((watch.record().value("polarization").unwrap() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_parallel_recording_is_closest_to_a_parallel_school() {
        let mut watch = Watch::new(parallel(), &json!({"steps": 600})).unwrap();
        while !watch.is_done() {
            pollster::block_on(watch.advance(7, &Unhurried)).unwrap();
        }
        pollster::block_on(watch.compare(&Cpu, &Unhurried)).unwrap();
        let record = watch.record();
        assert!(record.value("polarization").unwrap() > 0.999);
        assert!(record.value("closest_width").unwrap() >= 4.0, "{:?}", record.value("closest_width"));
        assert!(record.notes.iter().any(|n| n.contains("flat")));
        assert!(!figures(record).is_empty() && seen(record).contains("closest"));
    }
}
