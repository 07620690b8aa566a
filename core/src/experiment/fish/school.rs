//! One school, live.

use std::f64::consts::TAU;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    METRICS, Metrics,
    model::{Fish, Mode, Water, space},
    plots,
};
use crate::{
    compute::Compute,
    experiment::{self, About, Claim, Comparison, Doing, Experiment, ExperimentError, Record, Saved, Scalar},
    figure::Figure,
    pace::Pace,
    params::ParameterError,
    sim::swarm::{Goal, Hunt, Obstacle, Predator, Setup, Start, Swarm},
};

/// How the school begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Beginning {
    /// In a ball, looking anywhere.
    #[default]
    Ball,
    /// All over the box or tank, looking anywhere.
    Uniform,
    /// In a swimming ring.
    Ring,
}

/// Somebody to flee from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Threat {
    /// Nobody.
    #[default]
    None,
    /// A predator that hunts the school.
    Agent,
    /// The pointer over the live view.
    Pointer,
}

/// Parameters of a live school.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Params {
    /// The model: couzin2002 (the paper of 2002) or dewi (the library dewi-kadita, verbatim).
    mode: Mode,
    /// Number of fish.
    #[schemars(range(min = 1, max = 1_000_000))]
    count: u32,
    /// Radius of the zone of repulsion, in length units.
    #[schemars(range(min = 0, max = 50))]
    zone_of_repulsion: f64,
    /// Width of the zone of orientation beyond repulsion, in length units.
    #[schemars(range(min = 0, max = 100))]
    orientation_width: f64,
    /// Width of the zone of attraction beyond orientation, in length units.
    #[schemars(range(min = 0, max = 100))]
    attraction_width: f64,
    /// Field of view, in degrees; what is left of 360 is the blind cone behind.
    #[schemars(range(min = 1, max = 360))]
    field_of_view: f64,
    /// Largest turn, in degrees per time unit.
    #[schemars(range(min = 1, max = 720))]
    turning_rate: f64,
    /// Noise: standard deviation of the angle in radians (couzin2002), or of each component (dewi).
    #[schemars(range(min = 0, max = 2))]
    noise: f64,
    /// Weight of orientation against attraction; 1 in the papers.
    #[schemars(range(min = 0, max = 1))]
    orientation_weight: f64,
    /// Mean speed, in length per time unit.
    #[schemars(range(min = 0, max = 50))]
    speed: f64,
    /// Standard deviation of the speed among fish.
    #[schemars(range(min = 0, max = 10))]
    speed_deviation: f64,
    /// Time of one step.
    #[schemars(range(min = 0.001, max = 1))]
    time_step: f64,
    /// Dimensions: 3, or 2 for flat water.
    #[schemars(range(min = 2, max = 3))]
    dimensions: u32,
    /// What is at the edge: open water, a periodic box, walls, or a round tank.
    water: Water,
    /// Side of the box or diameter of the tank; unused in open water.
    #[schemars(range(min = 1, max = 100_000))]
    box_size: f64,
    /// How the school begins: a ball, all over the box, or a swimming ring.
    start: Beginning,
    /// Radius of the ball or ring at the beginning.
    #[schemars(range(min = 0.01, max = 10_000))]
    start_radius: f64,
    /// Informed leaders that swim towards +x.
    #[schemars(range(min = 0, max = 100_000))]
    leaders: u32,
    /// How much leaders weigh their goal against the others.
    #[schemars(range(min = 0, max = 10))]
    leader_weight: f64,
    /// A predator: none, an agent that hunts, or the pointer.
    predator: Threat,
    /// How far the predator frightens.
    #[schemars(range(min = 0.1, max = 1000))]
    predator_radius: f64,
    /// Round obstacles on a ring about the middle.
    #[schemars(range(min = 0, max = 24))]
    obstacles: u32,
    /// Radius of each obstacle.
    #[schemars(range(min = 0.1, max = 1000))]
    obstacle_radius: f64,
    /// Steps of the run.
    #[schemars(range(min = 1, max = 100_000_000))]
    steps: u64,
    /// Steps from one measurement to the next.
    #[schemars(range(min = 1, max = 100_000))]
    measure_every: u32,
    /// Share of the run, at its end, that means are taken over.
    #[schemars(range(min = 0.01, max = 1))]
    late: f64,
    /// Schools that swim at once, each with its own noise; the first is shown.
    #[schemars(range(min = 1, max = 1024))]
    replicates: u32,
    /// Whether a run repeats bit for bit on one machine (neighbours are summed in a fixed order).
    reproducible: bool,
    /// Seed of all random numbers.
    #[schemars(range(min = 0, max = 9_007_199_254_740_992u64))]
    seed: u64,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            mode: Mode::default(),
            count: 100,
            zone_of_repulsion: 1.0,
            orientation_width: 2.25,
            attraction_width: 14.0,
            field_of_view: 270.0,
            turning_rate: 40.0,
            noise: 0.05,
            orientation_weight: 1.0,
            speed: 3.0,
            speed_deviation: 0.0,
            time_step: 0.1,
            dimensions: 3,
            water: Water::default(),
            box_size: 50.0,
            start: Beginning::default(),
            start_radius: 5.0,
            leaders: 0,
            leader_weight: 0.5,
            predator: Threat::default(),
            predator_radius: 6.0,
            obstacles: 0,
            obstacle_radius: 2.0,
            steps: 5000,
            measure_every: 10,
            late: 0.2,
            replicates: 1,
            reproducible: true,
            seed: 1,
        }
    }
}

impl Params {
    fn fish(&self) -> Fish {
        Fish {
            mode: self.mode,
            zone_of_repulsion: self.zone_of_repulsion,
            orientation_width: self.orientation_width,
            attraction_width: self.attraction_width,
            field_of_view: self.field_of_view,
            turning_rate: self.turning_rate,
            noise: self.noise,
            orientation_weight: self.orientation_weight,
            time_step: self.time_step,
        }
    }

    /// The setup of one replica.
    fn setup(&self, replica: u32) -> Setup {
        let space = space(self.dimensions, self.water, self.box_size);
        let middle = space.middle();
        let around = |k: u32| {
            let angle = TAU * f64::from(k) / f64::from(self.obstacles.max(1));
            let reach = 3.0 * self.obstacle_radius + self.start_radius;
            [middle[0] + reach * angle.cos(), middle[1] + reach * angle.sin(), middle[2]]
        };
        let away = [middle[0] + 4.0 * self.start_radius + self.predator_radius, middle[1], middle[2]];
        let hunts = Hunt { speed: 1.2 * self.speed, turning_rate: self.turning_rate.to_radians() };
        let predator = |hunts| Predator { radius: self.predator_radius, hunts, position: away };
        Setup {
            space,
            count: self.count,
            start: match self.start {
                Beginning::Ball => Start::Ball { radius: self.start_radius },
                Beginning::Uniform => Start::Uniform,
                Beginning::Ring => Start::Ring { radius: self.start_radius },
            },
            rule: self.fish().rule(),
            time_step: self.time_step,
            speed: self.speed,
            speed_deviation: self.speed_deviation,
            leaders: self.leaders,
            goal: Goal { direction: [1.0, 0.0, 0.0], weight: self.leader_weight },
            predator: match self.predator {
                Threat::None => None,
                Threat::Agent => Some(predator(Some(hunts))),
                Threat::Pointer => Some(predator(None)),
            },
            obstacles: (0..self.obstacles)
                .map(|k| Obstacle { centre: around(k), radius: self.obstacle_radius })
                .collect(),
            seed: self.seed,
            replica,
            reproducible: self.reproducible,
        }
    }

    fn check(&self) -> Result<(), ExperimentError> {
        let wrong = |key: &str, given: String, expected: String| {
            Err(ParameterError::Invalid { of: School::ABOUT.id.to_owned(), key: key.to_owned(), given, expected }
                .into())
        };
        if self.start == Beginning::Uniform && self.water == Water::Open {
            return wrong(
                "start",
                "uniform".to_owned(),
                "expected ball or ring: open water has no size to fill".to_owned(),
            );
        }
        if self.leaders > self.count {
            return wrong("leaders", self.leaders.to_string(), format!("expected at most the count, {}", self.count));
        }
        Ok(())
    }
}

/// A running school.
pub(crate) struct School {
    params: Params,
    swarm: Box<dyn Swarm>,
    done: u64,
}

/// Everything measured over time.
pub(super) const SERIES: &str = "series";

impl School {
    /// The steps from one row to the next: large schools are measured less often, since all pairs cost N².
    fn every(&self) -> u64 {
        u64::from(self.params.measure_every.max(self.params.count / 200))
    }

    async fn measure(&mut self, record: &mut Record, pace: &dyn Pace) -> Result<(), ExperimentError> {
        let orders = self.swarm.order().await?;
        let mut rows = Vec::with_capacity(orders.len());
        for (replica, order) in orders.into_iter().enumerate() {
            rows.push(Metrics::of(&mut *self.swarm, replica, order, pace).await?.noted(record));
        }
        #[expect(clippy::cast_precision_loss, reason = "steps are far below 2^53")]
        let time = self.done as f64 * self.params.time_step;
        plots::push(record, SERIES, time, &rows);
        if rows.len() > 1 {
            plots::push_errors(record, time, &rows);
        }
        Ok(())
    }

    /// Means over the late part of the run.
    fn summarise(&self, record: &mut Record) {
        let Some(table) = record.table(SERIES) else { return };
        #[expect(clippy::cast_precision_loss, reason = "steps are far below 2^53")]
        let from = self.params.steps as f64 * self.params.time_step * (1.0 - self.params.late);
        let scalars: Vec<Scalar> = METRICS
            .iter()
            .map(|(name, title)| Scalar::mean(*name, *title, &plots::late(table, name, from), 10))
            .collect();
        let first = |name: &str| table.numbers(name).first().copied();
        let start = Scalar::new("start.rotation", "rotation at the start", first("rotation"), 1);
        for scalar in scalars.into_iter().chain([start]) {
            record.set(scalar);
        }
    }
}

impl Experiment for School {
    type Params = Params;

    const ABOUT: About = About {
        id: "fish-schooling",
        title: "A school of fish and its entropies",
        claim: "Three zones around every fish are enough for a swarm, a mill and a parallel school, and entropies tell them apart where order parameters do not.",
        how: "Every fish turns away from those too near, else towards the directions of those a little further and the \
              places of those further still. Nobody leads. Widen the zone of orientation and the school changes from a \
              swarm to a mill to a parallel school; the way back goes through other widths.",
        equation: "d = −Σ r̂ij (r < r_r), else Σ ûj (r_r ≤ r < r_o) + Σ r̂ij (r_o ≤ r < r_a); the heading turns towards d + noise by at most θτ; x ← x + sτû",
        tex: &[
            r"d = -\sum_{r \lt r_r} \hat r_{ij}, \text{ or if nobody is so near}",
            r"d = \sum_{r_r \leq r \lt r_o} \hat u_j + \sum_{r_o \leq r \lt r_a} \hat r_{ij}",
            r"\text{the heading turns towards } d + \text{noise by at most } \theta\tau",
            r"x \leftarrow x + s\tau\hat u",
        ],
        source: "Couzin, Krause, James, Ruxton, Franks 2002, J. Theor. Biol. 218:1–11; Herho et al. 2026, arXiv 2602.07948",
        paper: "fish-schooling",
    };

    const CLAIMS: &'static [Claim] = CLAIMS;

    fn start(params: Params, compute: &dyn Compute) -> Doing<'_, Self> {
        Box::pin(async move {
            params.check()?;
            let setups = (0..params.replicates).map(|replica| params.setup(replica)).collect();
            let swarm = compute.swarm(setups).await?;
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
            if record.table(SERIES).is_none() {
                self.measure(record, pace).await?;
            }
            let end = self.params.steps.min(self.done + u64::from(steps));
            while self.done < end {
                let next = (self.done / self.every() + 1) * self.every();
                let now = u32::try_from(next.min(end) - self.done).unwrap_or(u32::MAX);
                self.swarm.advance(now, pace).await?;
                self.done += u64::from(now);
                pace.tick(self.done, self.params.steps).await?;
                if self.done == next || self.done == self.params.steps {
                    self.measure(record, pace).await?;
                }
            }
            self.summarise(record);
            Ok(())
        })
    }

    fn figures(record: &Record) -> Vec<Figure> {
        plots::school(record)
    }

    fn seen(record: &Record) -> String {
        plots::seen(record)
    }

    fn swarm(&mut self) -> Option<&mut dyn Swarm> {
        Some(&mut *self.swarm)
    }

    fn change(&mut self, params: Params) -> Result<bool, ExperimentError> {
        params.check()?;
        let begins_anew = |a: &Params, b: &Params| {
            (a.count, a.dimensions, a.seed, a.replicates, a.start)
                != (b.count, b.dimensions, b.seed, b.replicates, b.start)
                || (a.start_radius, a.speed_deviation, a.speed, a.time_step)
                    != (b.start_radius, b.speed_deviation, b.speed, b.time_step)
                || (a.water, a.predator) != (b.water, b.predator)
        };
        if begins_anew(&self.params, &params) || params.steps < self.done {
            return Ok(false);
        }
        for replica in 0..params.replicates {
            self.swarm.change(replica as usize, params.setup(replica))?;
        }
        self.params = params;
        Ok(true)
    }

    fn save(&mut self) -> Doing<'_, Saved> {
        experiment::saved::save(&mut *self.swarm)
    }

    fn load(&mut self, saved: &Saved, record: &Record) -> Result<(), ExperimentError> {
        experiment::saved::load(&mut *self.swarm, saved)?;
        self.done = record.steps;
        Ok(())
    }
}

/// From the sheet of the paper, "Must show" 2: couzin2002, N = 100, Δr_a = 14, means over the last 1000 of 5000 steps.
const STATES: &str = "Couzin et al. 2002, states at N = 100, Δr_a = 14; last 1000 of 5000 steps";

const CLAIMS: &[Claim] = &[
    Claim {
        id: "swarm-polarization",
        statement: "Without a zone of orientation the school is a swarm: polarization stays low.",
        scalar: "polarization",
        comparison: Comparison::Below { value: 0.30 },
        settings: &[("orientation_width", "0")],
        seeds: 5,
        afterwards: None,
        source: STATES,
    },
    Claim {
        id: "swarm-rotation",
        statement: "Without a zone of orientation the school is a swarm: it does not rotate.",
        scalar: "rotation",
        comparison: Comparison::Below { value: 0.35 },
        settings: &[("orientation_width", "0")],
        seeds: 5,
        afterwards: None,
        source: STATES,
    },
    Claim {
        id: "torus-rotation",
        statement: "A narrow zone of orientation makes a mill: rotation is high.",
        scalar: "rotation",
        comparison: Comparison::Above { value: 0.65 },
        settings: &[("orientation_width", "2.25")],
        seeds: 5,
        afterwards: None,
        source: STATES,
    },
    Claim {
        id: "torus-polarization",
        statement: "A narrow zone of orientation makes a mill: polarization is low.",
        scalar: "polarization",
        comparison: Comparison::Below { value: 0.35 },
        settings: &[("orientation_width", "2.25")],
        seeds: 5,
        afterwards: None,
        source: STATES,
    },
    Claim {
        id: "parallel-polarization",
        statement: "A wide zone of orientation makes a parallel school: polarization is nearly 1.",
        scalar: "polarization",
        comparison: Comparison::Above { value: 0.99 },
        settings: &[("orientation_width", "6")],
        seeds: 5,
        afterwards: None,
        source: STATES,
    },
    Claim {
        id: "parallel-rotation",
        statement: "A wide zone of orientation makes a parallel school: it does not rotate.",
        scalar: "rotation",
        comparison: Comparison::Below { value: 0.1 },
        settings: &[("orientation_width", "6")],
        seeds: 5,
        afterwards: None,
        source: STATES,
    },
];
