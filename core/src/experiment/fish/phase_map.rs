//! A map over the widths of the zones of orientation and attraction, filled from coarse to fine.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{METRICS, Metrics, model::open_water, plots};
use crate::{
    compute::Compute,
    experiment::{About, Column, Doing, Experiment, ExperimentError, Record, Scalar},
    figure::{Axis, ColourMap, Figure, Mark, Panel, number},
    pace::Pace,
    sim::swarm::Swarm,
};

/// Which quantity colours the map.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) enum Shown {
    /// P.
    #[default]
    #[serde(rename = "polarization")]
    Polarization,
    /// M.
    #[serde(rename = "rotation")]
    Rotation,
    /// The corrected index of the seven entropies.
    #[serde(rename = "corrected.index")]
    Index,
    /// The library's index.
    #[serde(rename = "library.oceanic_schooling_index")]
    Osi,
    /// Corrected entropy of cohesion.
    #[serde(rename = "corrected.cohesion_entropy")]
    Cohesion,
    /// Corrected entropy of headings.
    #[serde(rename = "corrected.heading_entropy")]
    Heading,
    /// Corrected entropy of depth.
    #[serde(rename = "corrected.depth_entropy")]
    Depth,
    /// Corrected entropy of angular momentum.
    #[serde(rename = "corrected.angular_momentum_entropy")]
    Momentum,
    /// Corrected entropy of neighbour distances.
    #[serde(rename = "corrected.neighbour_entropy")]
    Neighbours,
    /// Corrected entropy of the angles between headings.
    #[serde(rename = "corrected.velocity_correlation_entropy")]
    Velocity,
    /// Corrected entropy of the school's shape.
    #[serde(rename = "corrected.shape_entropy")]
    Shape,
}

/// Parameters of a phase map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Params {
    /// Number of fish in each school.
    #[schemars(range(min = 2, max = 10_000))]
    count: u32,
    /// Largest width of the zone of orientation.
    #[schemars(range(min = 0.5, max = 100))]
    orientation_max: f64,
    /// Largest width of the zone of attraction.
    #[schemars(range(min = 0.5, max = 100))]
    attraction_max: f64,
    /// Points along each axis, from 0 to the largest width.
    #[schemars(range(min = 2, max = 64))]
    points: u32,
    /// Schools at each point, each with its own noise.
    #[schemars(range(min = 1, max = 64))]
    replicates: u32,
    /// Steps of each school.
    #[schemars(range(min = 10, max = 1_000_000))]
    steps_each: u32,
    /// Share of each run, at its end, that means are taken over.
    #[schemars(range(min = 0.01, max = 1))]
    late: f64,
    /// The quantity that colours the map.
    show: Shown,
    /// Seed of all random numbers.
    #[schemars(range(min = 0, max = 9_007_199_254_740_992u64))]
    seed: u64,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            count: 100,
            orientation_max: 14.0,
            attraction_max: 14.0,
            points: 15,
            replicates: 3,
            steps_each: 3000,
            late: 0.2,
            show: Shown::default(),
            seed: 1,
        }
    }
}

/// Samples of each school in its late part.
const SAMPLES: u32 = 10;

/// A map that is being filled.
pub(crate) struct PhaseMap {
    params: Params,
    /// One batch a column of the map, in the order of computation: its index on the axis, and its schools, points by
    /// replicates.
    columns: Vec<(u32, Box<dyn Swarm>)>,
    /// Columns behind.
    filled: usize,
    /// Steps behind in the column under way.
    within: u32,
    /// Sums over samples, one entry a school of the column under way.
    sums: Vec<[f64; METRICS.len()]>,
    samples: u32,
}

impl PhaseMap {
    fn width(&self, index: u32, most: f64) -> f64 {
        most * f64::from(index) / f64::from(self.params.points - 1)
    }

    /// The step after which samples are taken, and the steps between two of them.
    fn sampling(&self) -> (u32, u32) {
        let steps = self.params.steps_each;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a u32")]
        let window = ((f64::from(steps) * self.params.late) as u32).clamp(1, steps);
        (steps - window, (window / SAMPLES).max(1))
    }

    async fn sample(&mut self, record: &mut Record, pace: &dyn Pace) -> Result<(), ExperimentError> {
        let swarm = &mut self.columns[self.filled].1;
        let orders = swarm.order().await?;
        self.sums.resize(orders.len(), [0.0; METRICS.len()]);
        for (school, order) in orders.into_iter().enumerate() {
            let metrics = Metrics::of(&mut **swarm, school, order, pace).await?.noted(record);
            for (sum, x) in self.sums[school].iter_mut().zip(metrics.0) {
                *sum += x;
            }
        }
        self.samples += 1;
        Ok(())
    }

    /// The finished column becomes rows of the map.
    fn finish(&mut self, record: &mut Record) {
        let replicates = self.params.replicates as usize;
        let column = self.columns[self.filled].0;
        let orientation = self.width(column, self.params.orientation_max);
        for (point, schools) in (0..).zip(self.sums.chunks(replicates)) {
            let attraction = self.width(point, self.params.attraction_max);
            let means: Vec<[f64; METRICS.len()]> =
                schools.iter().map(|sums| sums.map(|s| s / f64::from(self.samples.max(1)))).collect();
            let table = record.table_mut("map", || {
                let mut table = plots::table(
                    "Late means at each point",
                    Column::numbers("orientation_width", "width of the zone of orientation", "1"),
                );
                table.columns.insert(1, Column::numbers("attraction_width", "width of the zone of attraction", "1"));
                table
            });
            let mut row = vec![orientation, attraction];
            #[expect(clippy::cast_precision_loss, reason = "a count of replicates")]
            row.extend((0..METRICS.len()).map(|k| means.iter().map(|m| m[k]).sum::<f64>() / means.len() as f64));
            table.push(&row);
        }
        self.sums.clear();
        self.samples = 0;
        self.within = 0;
        self.filled += 1;
    }
}

/// 0, n-1, then the middle, the quarters, …: a map shows its shape early.
fn coarse_to_fine(n: u32) -> Vec<u32> {
    let mut order = vec![0, n - 1];
    let mut stride = (n - 1).next_power_of_two();
    while stride > 1 {
        let half = stride / 2;
        order.extend((0..n).skip(half as usize).step_by(stride as usize).filter(|k| *k != n - 1));
        stride = half;
    }
    let mut seen = vec![false; n as usize];
    order.retain(|k| !std::mem::replace(&mut seen[*k as usize], true));
    order
}

impl Experiment for PhaseMap {
    type Params = Params;

    const ABOUT: About = About {
        id: "fish-phase-map",
        title: "The states of a school, mapped",
        claim: "The widths of two zones decide whether fish swarm, mill or swim in parallel.",
        how: "Every point of the map is a few schools with their own noise, in open water, from random headings in a ball. \
              Columns are computed from coarse to fine, each as one batch, so that the shape shows early.",
        equation: "P = |⟨û⟩|, M = |⟨r̂ × û⟩|, means over the late part of each run and over replicates",
        tex: &[
            r"P = \lvert \langle \hat u \rangle \rvert, \quad M = \lvert \langle \hat r \times \hat u \rangle \rvert",
            r"\text{means over the late part of each run and over replicates}",
        ],
        source: "Couzin et al. 2002, J. Theor. Biol. 218:1–11, figure 3",
        paper: "fish-schooling",
    };

    fn start(params: Params, compute: &dyn Compute) -> Doing<'_, Self> {
        Box::pin(async move {
            let mut map = Self { params, columns: Vec::new(), filled: 0, within: 0, sums: Vec::new(), samples: 0 };
            for column in coarse_to_fine(map.params.points) {
                let p = &map.params;
                let orientation = map.width(column, p.orientation_max);
                let schools = (0..p.points).flat_map(|point| {
                    let attraction = map.width(point, p.attraction_max);
                    (0..p.replicates).map(move |replica| {
                        // Each school of the map has its own noise.
                        let replica = (column * p.points + point) * p.replicates + replica;
                        open_water(p.count, orientation, attraction, p.seed, replica)
                    })
                });
                let swarm = compute.swarm(schools.collect()).await?;
                map.columns.push((column, swarm));
            }
            Ok(map)
        })
    }

    fn total(&self) -> u64 {
        u64::from(self.params.points) * u64::from(self.params.steps_each)
    }

    fn done(&self) -> u64 {
        self.filled as u64 * u64::from(self.params.steps_each) + u64::from(self.within)
    }

    fn advance<'a>(&'a mut self, steps: u32, record: &'a mut Record, pace: &'a dyn Pace) -> Doing<'a, ()> {
        Box::pin(async move {
            let mut left = steps;
            while left > 0 && self.filled < self.columns.len() {
                record.ran(self.columns[self.filled].1.ran());
                let (first, every) = self.sampling();
                let next = if self.within < first { first } else { self.within + every };
                let now = (next.min(self.params.steps_each) - self.within).min(left);
                self.columns[self.filled].1.advance(now, pace).await?;
                self.within += now;
                left -= now;
                pace.tick(self.done(), self.total()).await?;
                if self.within > first && (self.within - first).is_multiple_of(every) {
                    self.sample(record, pace).await?;
                }
                if self.within == self.params.steps_each {
                    if self.samples == 0 {
                        self.sample(record, pace).await?;
                    }
                    self.finish(record);
                }
            }
            if let Some(map) = record.table("map") {
                let most = map.numbers("rotation").iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let n = map.len() as u64;
                record.set(Scalar::new("largest_rotation", "largest rotation on the map", Some(most), n));
            }
            Ok(())
        })
    }

    fn figures(record: &Record) -> Vec<Figure> {
        let shown = record.parameters.get("show").and_then(|s| s.as_str()).unwrap_or("polarization");
        let title = METRICS.iter().find(|(name, _)| *name == shown).map_or(shown, |(_, title)| title);
        let (Some(map), Ok(params)) = (
            record.table("map"),
            serde_json::from_value::<Params>(serde_json::Value::Object(record.parameters.clone())),
        ) else {
            return Vec::new();
        };
        let n = params.points as usize;
        let edges = |most: f64| -> Vec<f64> {
            let step = most / f64::from(params.points - 1);
            (0..=params.points).map(|k| step * (f64::from(k) - 0.5)).collect()
        };
        let mut values = vec![f64::NAN; n * n];
        let rows = map.numbers("orientation_width").iter().zip(map.numbers("attraction_width")).zip(map.numbers(shown));
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an index that was made from a u32"
        )]
        let place = |width: f64, most: f64| (width / most * f64::from(params.points - 1)).round() as usize;
        for ((orientation, attraction), value) in rows {
            let at = place(*attraction, params.attraction_max) * n + place(*orientation, params.orientation_max);
            if let Some(cell) = values.get_mut(at) {
                *cell = *value;
            }
        }
        let cells = Mark::Cells {
            x: edges(params.orientation_max),
            y: edges(params.attraction_max),
            values,
            title: title.to_owned(),
            range: Some((0.0, 1.0)),
            map: ColourMap::Viridis,
        };
        vec![Figure {
            id: "map".to_owned(),
            title: format!("Phase map: {title}"),
            description: "Late means over replicates at each pair of widths; empty cells are still to come.".to_owned(),
            panels: vec![Panel {
                x: Axis::new("width of the zone of orientation Δr_o"),
                y: Axis::new("width of the zone of attraction Δr_a"),
                marks: vec![cells],
                weight: 1.0,
            }],
        }]
    }

    fn seen(record: &Record) -> String {
        let Some(map) = record.table("map").filter(|m| !m.is_empty()) else {
            return "The first column of the map is under way.".to_owned();
        };
        let states = map.numbers("polarization").iter().zip(map.numbers("rotation"));
        let (mut parallel, mut mills, mut swarms) = (0, 0, 0);
        for (p, m) in states {
            match crate::measure::school::State::of(*p, *m) {
                crate::measure::school::State::Milling => mills += 1,
                crate::measure::school::State::HighlyParallel | crate::measure::school::State::DynamicParallel => {
                    parallel += 1;
                }
                _ => swarms += 1,
            }
        }
        let most = record.value("largest_rotation").map_or_else(String::new, number);
        format!(
            "Of {} points, {parallel} are parallel, {mills} mills and {swarms} neither; the largest rotation is {most}.",
            map.len()
        )
    }

    fn change(&mut self, params: Params) -> Result<bool, ExperimentError> {
        let same = Params { show: self.params.show, ..params.clone() } == self.params;
        if same {
            self.params = params;
        }
        Ok(same)
    }
}

#[cfg(test)]
mod tests {
    use super::coarse_to_fine;

    #[test]
    fn every_column_comes_once_and_the_ends_first() {
        for n in [2, 3, 7, 15, 16, 64] {
            let order = coarse_to_fine(n);
            assert_eq!(&order[..2], &[0, n - 1]);
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, (0..n).collect::<Vec<_>>());
        }
        assert_eq!(coarse_to_fine(5), [0, 4, 2, 1, 3]);
    }
}
