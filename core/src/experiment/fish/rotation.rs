//! One aligned school turned as a rigid body: which entropies notice the direction of the axes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Metrics, model::open_water, plots};
use crate::{
    compute::Compute,
    experiment::{About, Claim, Column, Comparison, Doing, Experiment, Record, Scalar},
    figure::{Axis, Colour, Figure, Mark, Panel, number},
    pace::Pace,
    sim::swarm::{State, Swarm},
};

/// Parameters of the test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Params {
    /// Number of fish.
    #[schemars(range(min = 10, max = 5000))]
    count: u32,
    /// Steps in which the school aligns before it is turned.
    #[schemars(range(min = 10, max = 100_000))]
    steps_before: u32,
    /// Angles at which it is measured, evenly from 0° to 180° about a tilted axis.
    #[schemars(range(min = 2, max = 720))]
    angles: u32,
    /// Seed of all random numbers.
    #[schemars(range(min = 0, max = 9_007_199_254_740_992u64))]
    seed: u64,
}

impl Default for Params {
    fn default() -> Self {
        Self { count: 100, steps_before: 1000, angles: 61, seed: 1 }
    }
}

/// A school that is turned.
pub(crate) struct Rotation {
    params: Params,
    swarm: Box<dyn Swarm>,
    done: u64,
}

impl Rotation {
    /// Measures the school as it is after the turn by the angle numbered `index`: first its mean heading is laid along z,
    /// then it is turned about the y axis.
    fn turned(state: &State, angle: f64) -> State {
        let mean = state.headings.iter().fold([0.0; 3], |s, u| [0, 1, 2].map(|k| s[k] + u[k]));
        let length = mean.iter().map(|c| c * c).sum::<f64>().sqrt();
        let axis = if length > 0.0 { mean.map(|c| c / length) } else { [0.0, 0.0, 1.0] };
        // Rows of the matrix that takes `axis` to z: two perpendicular vectors and the axis itself.
        let [a, b] = crate::sim::swarm::frame(axis);
        let (sin, cos) = angle.sin_cos();
        let turn = |v: [f64; 3]| {
            let dot = |r: [f64; 3]| r[0] * v[0] + r[1] * v[1] + r[2] * v[2];
            let [x, y, z] = [dot(a), dot(b), dot(axis)];
            [cos * x + sin * z, y, cos * z - sin * x]
        };
        State {
            positions: state.positions.iter().map(|x| turn(*x)).collect(),
            headings: state.headings.iter().map(|u| turn(*u)).collect(),
            ..state.clone()
        }
    }
}

impl Experiment for Rotation {
    type Params = Params;

    const ABOUT: About = About {
        id: "fish-rotation",
        title: "A school turned as a rigid body",
        claim: "The library's polarization entropy depends on where the school is heading; the corrected heading entropy does not.",
        how: "A school aligns in open water. Then it is turned as a rigid body, which changes nothing about the school, and \
              measured at each angle. The library bins headings by polar angle and azimuth and multiplies counts by sin θ; \
              the corrected entropy uses angles between headings only.",
        equation: "range over angles of H(R(angle) û)",
        tex: &[r"\text{range over angles } \alpha \text{ of } H(R(\alpha) \hat u)"],
        source: "docs/SCHOOL_MEASURES.md; dewi-kadita 0.0.4",
        paper: "fish-schooling",
    };

    const CLAIMS: &'static [Claim] = &[
        Claim {
            id: "corrected",
            statement: "The corrected heading entropy varies by less than 0.02 when the school is turned.",
            scalar: "corrected_range",
            comparison: Comparison::Below { value: 0.02 },
            settings: &[],
            seeds: 5,
            afterwards: None,
            source: "rotation test of an aligned school",
        },
        Claim {
            id: "library",
            statement: "The library's polarization entropy varies by more than 0.4 when the school is turned.",
            scalar: "library_range",
            comparison: Comparison::Above { value: 0.4 },
            settings: &[],
            seeds: 5,
            afterwards: None,
            source: "rotation test of an aligned school",
        },
    ];

    fn start(params: Params, compute: &dyn Compute) -> Doing<'_, Self> {
        Box::pin(async move {
            let swarm = compute.swarm(vec![open_water(params.count, 6.0, 14.0, params.seed, 0)]).await?;
            Ok(Self { params, swarm, done: 0 })
        })
    }

    fn total(&self) -> u64 {
        u64::from(self.params.steps_before) + u64::from(self.params.angles)
    }

    fn done(&self) -> u64 {
        self.done
    }

    fn advance<'a>(&'a mut self, steps: u32, record: &'a mut Record, pace: &'a dyn Pace) -> Doing<'a, ()> {
        Box::pin(async move {
            record.ran(self.swarm.ran());
            let before = u64::from(self.params.steps_before);
            let end = self.total().min(self.done + u64::from(steps));
            if self.done < before {
                let now = u32::try_from(end.min(before) - self.done).unwrap_or(u32::MAX);
                self.swarm.advance(now, pace).await?;
                self.done += u64::from(now);
            }
            if self.done >= before && self.done < end {
                let state = self.swarm.state(0).await?;
                let space = self.swarm.setups()[0].space;
                while self.done < end {
                    #[expect(clippy::cast_precision_loss, reason = "at most 720 angles")]
                    let share = (self.done - before) as f64 / f64::from(self.params.angles - 1);
                    let angle = std::f64::consts::PI * share;
                    let turned = Self::turned(&state, angle);
                    let (x, v) = (&turned.positions, turned.velocities());
                    let mut metrics = Metrics::of_motion(x, &v, &space, pace).await?.noted(record);
                    // Order parameters are not what is asked here.
                    metrics.0[..2].fill(0.0);
                    let make = || plots::table("Measures at each angle", Column::numbers("angle", "angle", "degrees"));
                    let mut row = vec![angle.to_degrees()];
                    row.extend(metrics.0);
                    record.table_mut("angles", make).push(&row);
                    self.done += 1;
                    pace.tick(self.done, self.total()).await?;
                }
            }
            if let Some(table) = record.table("angles") {
                let range = |name: &str| {
                    let values = table.numbers(name);
                    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
                    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                    Some(high - low)
                };
                let n = table.len() as u64;
                let scalars = [
                    ("library_range", "range of the library's polarization entropy", "library.polarization_entropy"),
                    ("corrected_range", "range of the corrected heading entropy", "corrected.heading_entropy"),
                    ("library_osi_range", "range of the library's OSI", "library.oceanic_schooling_index"),
                    ("corrected_index_range", "range of the corrected index", "corrected.index"),
                ]
                .map(|(name, title, column)| Scalar::new(name, title, range(column), n));
                for scalar in scalars {
                    record.set(scalar);
                }
            }
            Ok(())
        })
    }

    fn figures(record: &Record) -> Vec<Figure> {
        let Some(table) = record.table("angles") else { return Vec::new() };
        let x = table.numbers("angle");
        let line = |name: &str, label: &str, k| Mark::Line {
            name: label.to_owned(),
            x: x.to_vec(),
            y: table.numbers(name).to_vec(),
            colour: Colour::nth(k),
        };
        vec![Figure {
            id: "angles".to_owned(),
            title: "Entropy of headings while the school is turned".to_owned(),
            description:
                "The library's polarization entropy changes with the direction of the school; the corrected heading \
                          entropy is a level line."
                    .to_owned(),
            panels: vec![Panel {
                x: Axis::new("angle between mean heading and z (degrees)"),
                y: Axis::new("entropy").within(0.0, 1.0),
                marks: vec![
                    line("library.polarization_entropy", "library", 1),
                    line("corrected.heading_entropy", "corrected", 0),
                ],
                weight: 1.0,
            }],
        }]
    }

    fn seen(record: &Record) -> String {
        match (record.value("library_range"), record.value("corrected_range")) {
            (Some(library), Some(corrected)) => format!(
                "Turning the school moves the library's polarization entropy by {} and the corrected one by {}.",
                number(library),
                number(corrected)
            ),
            _ => "The school is aligning before it is turned.".to_owned(),
        }
    }

    fn swarm(&mut self) -> Option<&mut dyn Swarm> {
        Some(&mut *self.swarm)
    }
}

impl Rotation {
    #[cfg(test)]
    fn angle_between(state: &State) -> f64 {
        let n = state.headings.len() as f64;
        let mean = state.headings.iter().fold([0.0; 3], |s, u| [0, 1, 2].map(|k| s[k] + u[k] / n));
        mean[2].clamp(-1.0, 1.0).acos()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_heading_is_at_the_angle_that_was_asked_for() {
        let state = State {
            positions: vec![[0.0; 3]],
            headings: vec![[0.6, 0.0, -0.8]],
            speeds: vec![1.0],
            ..State::default()
        };
        for angle in [0.0, 0.5, 2.0] {
            assert!((Rotation::angle_between(&Rotation::turned(&state, angle)) - angle).abs() < 1e-7);
        }
    }
}
