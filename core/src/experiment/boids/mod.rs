//! Reynolds' boids: separation, alignment and cohesion.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    About, Claim, Column, Comparison, Doing, Experiment, ExperimentError, Record, Saved, Scalar, Table,
    fish::{heading_entropy, late, series},
};
use crate::{
    compute::Compute,
    figure::{Figure, number},
    pace::Pace,
    sim::{
        Boundary, Space,
        swarm::{Boids, Goal, Rule, Setup, Start, Swarm},
    },
};

/// Parameters of a flock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Params {
    /// Number of boids.
    #[schemars(range(min = 1, max = 1_000_000))]
    count: u32,
    /// Dimensions: 3, or 2 for a flat flock.
    #[schemars(range(min = 2, max = 3))]
    dimensions: u32,
    /// Side of the periodic box.
    #[schemars(range(min = 1, max = 10_000))]
    box_size: f64,
    /// How far a boid sees.
    #[schemars(range(min = 0.1, max = 100))]
    perception: f64,
    /// Within this radius it keeps apart.
    #[schemars(range(min = 0, max = 100))]
    separation_radius: f64,
    /// Weight of separation.
    #[schemars(range(min = 0, max = 10))]
    separation: f64,
    /// Weight of alignment.
    #[schemars(range(min = 0, max = 10))]
    alignment: f64,
    /// Weight of cohesion.
    #[schemars(range(min = 0, max = 10))]
    cohesion: f64,
    /// Field of view, in degrees.
    #[schemars(range(min = 1, max = 360))]
    field_of_view: f64,
    /// Largest steering force.
    #[schemars(range(min = 0, max = 100))]
    max_force: f64,
    /// Slowest speed.
    #[schemars(range(min = 0, max = 100))]
    min_speed: f64,
    /// Fastest speed.
    #[schemars(range(min = 0.01, max = 100))]
    max_speed: f64,
    /// Standard deviation of each component of the force.
    #[schemars(range(min = 0, max = 100))]
    noise: f64,
    /// Steps of the run.
    #[schemars(range(min = 1, max = 100_000_000))]
    steps: u64,
    /// Steps from one measurement to the next.
    #[schemars(range(min = 1, max = 100_000))]
    measure_every: u32,
    /// Seed of all random numbers.
    #[schemars(range(min = 0, max = 9_007_199_254_740_992u64))]
    seed: u64,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            count: 300,
            dimensions: 3,
            box_size: 30.0,
            perception: 5.0,
            separation_radius: 1.5,
            separation: 1.5,
            alignment: 1.0,
            cohesion: 1.0,
            field_of_view: 270.0,
            max_force: 3.0,
            min_speed: 1.5,
            max_speed: 4.0,
            noise: 0.5,
            steps: 2000,
            measure_every: 10,
            seed: 1,
        }
    }
}

/// Time of one step.
const TIME_STEP: f64 = 0.05;
/// Share of the run, at its end, that means are taken over.
const LATE: f64 = 0.25;

impl Params {
    fn setup(&self) -> Setup {
        Setup {
            space: Space { dimensions: self.dimensions, boundary: Boundary::Periodic { side: self.box_size } },
            count: self.count,
            start: Start::Uniform,
            rule: Rule::Boids(Boids {
                perception: self.perception,
                separation_radius: self.separation_radius,
                separation: self.separation,
                alignment: self.alignment,
                cohesion: self.cohesion,
                field_of_view: self.field_of_view.to_radians(),
                max_force: self.max_force,
                min_speed: self.min_speed,
                max_speed: self.max_speed,
                noise: self.noise,
            }),
            time_step: TIME_STEP,
            speed: f64::midpoint(self.min_speed, self.max_speed),
            speed_deviation: 0.0,
            leaders: 0,
            goal: Goal { direction: [1.0, 0.0, 0.0], weight: 0.0 },
            predator: None,
            obstacles: Vec::new(),
            seed: self.seed,
            replica: 0,
            reproducible: true,
        }
    }
}

/// A flock.
pub(super) struct Flock {
    params: Params,
    swarm: Box<dyn Swarm>,
    done: u64,
}

impl Flock {
    async fn measure(&mut self, record: &mut Record) -> Result<(), ExperimentError> {
        let order = self.swarm.order().await?.first().copied().unwrap_or_default();
        let space = self.swarm.setups()[0].space;
        let state = self.swarm.state(0).await?;
        let entropy = heading_entropy(&state, &space)?.unwrap_or(f64::NAN);
        #[expect(clippy::cast_precision_loss, reason = "steps and counts are far below 2^53")]
        let (time, n) = (self.done as f64 * TIME_STEP, state.speeds.len() as f64);
        let speed = state.speeds.iter().sum::<f64>() / n;
        let number = |name: &str, title: &str| Column::numbers(name, title, "1");
        let make = || {
            Table::new(
                "The flock over time",
                vec![
                    number("time", "time"),
                    number("polarization", "polarization P"),
                    number("rotation", "rotation M"),
                    number("heading_entropy", "heading entropy"),
                    number("speed", "mean speed"),
                ],
            )
        };
        record.table_mut("series", make).push(&[time, order.polarization, order.rotation, entropy, speed]);
        Ok(())
    }
}

impl Experiment for Flock {
    type Params = Params;

    const ABOUT: About = About {
        id: "boids",
        title: "Boids",
        claim: "Keep apart, align, keep together: three rules of steering make a flock.",
        how: "Every boid steers away from those too near, towards the mean velocity of those it sees, and towards their \
              middle; each wish is limited to what it can steer, weighted, and added up.",
        equation: "v ← clamp(v + Σ w limit(max_speed · dir(wish) − v, max_force) τ);  x ← x + vτ",
        tex: &[
            r"v \leftarrow \operatorname{clamp}\left(v + \sum w \operatorname{limit}\left(v_{\max} \operatorname{dir}(\mathrm{wish}) - v, f_{\max}\right) \tau\right)",
            r"x \leftarrow x + v\tau",
            r"v_{\max}, f_{\max} \text{ the largest speed and force}",
        ],
        source: "Reynolds 1987, SIGGRAPH; Reynolds 1999, Steering behaviors, GDC",
        paper: "boids",
    };

    const CLAIMS: &'static [Claim] = &[
        Claim {
            id: "aligned",
            statement: "With alignment the flock is polarized.",
            scalar: "polarization",
            comparison: Comparison::Above { value: 0.8 },
            settings: &[],
            seeds: 5,
            afterwards: None,
            source: "Reynolds 1987: velocity matching",
        },
        Claim {
            id: "not-aligned",
            statement: "Without alignment and cohesion there is no order.",
            scalar: "polarization",
            comparison: Comparison::Below { value: 0.3 },
            settings: &[("alignment", "0"), ("cohesion", "0")],
            seeds: 5,
            afterwards: None,
            source: "Reynolds 1987: velocity matching",
        },
    ];

    fn start(params: Params, compute: &dyn Compute) -> Doing<'_, Self> {
        Box::pin(async move {
            let swarm = compute.swarm(vec![params.setup()]).await?;
            Ok(Self { params, swarm, done: 0 })
        })
    }

    fn total(&self) -> u64 {
        self.params.steps
    }

    fn done(&self) -> u64 {
        self.done
    }

    fn advance<'a>(&'a mut self, steps: u32, record: &'a mut Record, pace: &'a dyn Pace) -> Doing<'a, ()> {
        Box::pin(async move {
            record.ran(self.swarm.ran());
            if self.done == 0 {
                self.measure(record).await?;
            }
            let every = u64::from(self.params.measure_every.max(self.params.count / 200));
            let end = self.params.steps.min(self.done + u64::from(steps));
            while self.done < end {
                let next = (self.done / every + 1) * every;
                let now = u32::try_from(next.min(end) - self.done).unwrap_or(u32::MAX);
                self.swarm.advance(now, pace).await?;
                self.done += u64::from(now);
                pace.tick(self.done, self.params.steps).await?;
                if self.done == next || self.done == self.params.steps {
                    self.measure(record).await?;
                }
            }
            #[expect(clippy::cast_precision_loss, reason = "steps are far below 2^53")]
            let from = self.params.steps as f64 * TIME_STEP * (1.0 - LATE);
            if let Some(table) = record.table("series") {
                let scalars = [
                    ("polarization", "polarization P"),
                    ("rotation", "rotation M"),
                    ("heading_entropy", "heading entropy"),
                    ("speed", "mean speed"),
                ]
                .map(|(name, title)| Scalar::mean(name, title, &late(table, name, from), 10));
                for scalar in scalars {
                    record.set(scalar);
                }
            }
            Ok(())
        })
    }

    fn figures(record: &Record) -> Vec<Figure> {
        let Some(table) = record.table("series") else { return Vec::new() };
        let names = [("polarization", "P"), ("rotation", "M"), ("heading_entropy", "entropy")];
        vec![Figure {
            id: "series".to_owned(),
            title: "Order and entropy of the flock".to_owned(),
            description: "Polarization, rotation and the normalised entropy of headings over time.".to_owned(),
            panels: vec![series(table, "order and entropy", &names)],
        }]
    }

    fn seen(record: &Record) -> String {
        match (record.value("polarization"), record.value("heading_entropy")) {
            (Some(p), Some(h)) => {
                format!("In the late part of the run P = {} and the entropy of headings is {}.", number(p), number(h))
            }
            _ => "Nothing has been measured yet.".to_owned(),
        }
    }

    fn swarm(&mut self) -> Option<&mut dyn Swarm> {
        Some(&mut *self.swarm)
    }

    fn change(&mut self, params: Params) -> Result<bool, ExperimentError> {
        let begins_anew = (params.count, params.dimensions, params.seed)
            != (self.params.count, self.params.dimensions, self.params.seed)
            || params.box_size.total_cmp(&self.params.box_size).is_ne();
        if begins_anew || params.steps < self.done {
            return Ok(false);
        }
        self.swarm.change(0, params.setup())?;
        self.params = params;
        Ok(true)
    }

    fn save(&mut self) -> Doing<'_, Saved> {
        super::saved::save(&mut *self.swarm)
    }

    fn load(&mut self, saved: &Saved, record: &Record) -> Result<(), ExperimentError> {
        super::saved::load(&mut *self.swarm, saved)?;
        self.done = record.steps;
        Ok(())
    }
}
