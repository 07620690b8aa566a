//! Vicsek's alignment: order that noise takes away, at a transition.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    About, Claim, Column, Comparison, Doing, Experiment, ExperimentError, Record, Saved, Scalar, Table,
    fish::{heading_entropy, late, series},
};
use crate::{
    compute::Compute,
    figure::{Axis, Colour, Figure, Mark, Panel, number},
    pace::Pace,
    sim::{
        Boundary, Space,
        swarm::{Goal, Rule, Setup, Start, Swarm, Vicsek},
    },
};

/// What is run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Study {
    /// One flock at one noise, live.
    #[default]
    Live,
    /// A sweep of the noise from 0 to 2π.
    Transition,
}

/// Parameters of Vicsek's model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Params {
    /// One flock live, or a sweep over the noise.
    study: Study,
    /// Number of particles.
    #[schemars(range(min = 1, max = 1_000_000))]
    count: u32,
    /// Particles in a unit of area; the periodic box has the side √(count / density).
    #[schemars(range(min = 0.01, max = 100))]
    density: f64,
    /// Noise η in radians: headings get a uniform angle within ± η/2.
    #[schemars(range(min = 0, max = std::f64::consts::TAU))]
    noise: f64,
    /// Length of one step.
    #[schemars(range(min = 0.0001, max = 1))]
    speed: f64,
    /// Radius of interaction.
    #[schemars(range(min = 0.1, max = 100))]
    radius: f64,
    /// Steps of the run, or at each noise of the sweep.
    #[schemars(range(min = 1, max = 100_000_000))]
    steps: u64,
    /// Steps from one measurement to the next.
    #[schemars(range(min = 1, max = 100_000))]
    measure_every: u32,
    /// Noises of the sweep, 0 and 2π included.
    #[schemars(range(min = 2, max = 200))]
    points: u32,
    /// Share of the run, at its end, that means are taken over.
    #[schemars(range(min = 0.01, max = 1))]
    late: f64,
    /// Seed of all random numbers.
    #[schemars(range(min = 0, max = 9_007_199_254_740_992u64))]
    seed: u64,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            study: Study::default(),
            count: 300,
            density: 4.0,
            noise: 1.0,
            speed: 0.03,
            radius: 1.0,
            steps: 2000,
            measure_every: 10,
            points: 21,
            late: 0.5,
            seed: 1,
        }
    }
}

impl Params {
    fn setup(&self, noise: f64, replica: u32) -> Setup {
        let side = (f64::from(self.count) / self.density).sqrt();
        Setup {
            space: Space { dimensions: 2, boundary: Boundary::Periodic { side } },
            count: self.count,
            start: Start::Uniform,
            rule: Rule::Vicsek(Vicsek { radius: self.radius, noise }),
            time_step: 1.0,
            speed: self.speed,
            speed_deviation: 0.0,
            leaders: 0,
            goal: Goal { direction: [1.0, 0.0, 0.0], weight: 0.0 },
            predator: None,
            obstacles: Vec::new(),
            seed: self.seed,
            replica,
            reproducible: true,
        }
    }

    fn noises(&self) -> Vec<f64> {
        match self.study {
            Study::Live => vec![self.noise],
            Study::Transition => {
                (0..self.points).map(|k| std::f64::consts::TAU * f64::from(k) / f64::from(self.points - 1)).collect()
            }
        }
    }
}

/// Flocks of Vicsek's particles, one for each noise.
pub(super) struct Alignment {
    params: Params,
    noises: Vec<f64>,
    swarm: Box<dyn Swarm>,
    done: u64,
}

impl Alignment {
    async fn measure(&mut self, record: &mut Record) -> Result<(), ExperimentError> {
        let orders = self.swarm.order().await?;
        let mut rows = Vec::new();
        for (replica, order) in orders.into_iter().enumerate() {
            let space = self.swarm.setups()[replica].space;
            let state = self.swarm.state(replica).await?;
            rows.push((order.polarization, heading_entropy(&state, &space)?.unwrap_or(f64::NAN)));
        }
        let number = |name: &str, title: &str| Column::numbers(name, title, "1");
        #[expect(clippy::cast_precision_loss, reason = "steps are far below 2^53")]
        let time = self.done as f64;
        let first = ("time", "time (steps)");
        let columns = || {
            vec![
                number(first.0, first.1),
                number("polarization", "order φ"),
                number("heading_entropy", "heading entropy"),
            ]
        };
        match self.params.study {
            Study::Live => {
                let (p, h) = rows.first().copied().unwrap_or((f64::NAN, f64::NAN));
                record.table_mut("series", || Table::new("Order over time", columns())).push(&[time, p, h]);
            }
            Study::Transition => {
                let wide = |title: &str| {
                    let each = self
                        .noises
                        .iter()
                        .map(|noise| Column::numbers(format!("noise_{noise}"), format!("η = {noise:.3}"), "1"));
                    Table::new(title, std::iter::once(number(first.0, first.1)).chain(each).collect())
                };
                let row = |pick: fn(&(f64, f64)) -> f64| -> Vec<f64> {
                    std::iter::once(time).chain(rows.iter().map(pick)).collect()
                };
                record.table_mut("polarization", || wide("Order φ over time at each noise")).push(&row(|r| r.0));
                record
                    .table_mut("heading_entropy", || wide("Heading entropy over time at each noise"))
                    .push(&row(|r| r.1));
            }
        }
        Ok(())
    }

    fn summarise(&self, record: &mut Record) {
        #[expect(clippy::cast_precision_loss, reason = "steps are far below 2^53")]
        let from = self.params.steps as f64 * (1.0 - self.params.late);
        if self.params.study == Study::Live {
            let Some(series) = record.table("series") else { return };
            let scalars = [("polarization", "order φ"), ("heading_entropy", "heading entropy")]
                .map(|(name, title)| Scalar::mean(name, title, &late(series, name, from), 10));
            for scalar in scalars {
                record.set(scalar);
            }
            return;
        }
        let number = |name: &str, title: &str| Column::numbers(name, title, "1");
        let mut curve = Table::new(
            "Late means at each noise",
            vec![
                number("noise", "noise η"),
                number("polarization", "order φ"),
                number("heading_entropy", "heading entropy"),
            ],
        );
        let mean = |table: &str, column: &str| {
            let values = record.table(table).map(|t| late(t, column, from)).unwrap_or_default();
            Scalar::mean("", "", &values, 1).value.unwrap_or(f64::NAN)
        };
        for noise in &self.noises {
            let column = format!("noise_{noise}");
            curve.push(&[*noise, mean("polarization", &column), mean("heading_entropy", &column)]);
        }
        let order = curve.numbers("polarization");
        let (first, last) = (order.first().copied(), order.last().copied());
        let n = order.len() as u64;
        record.set(Scalar::new("order_without_noise", "order without noise", first, n));
        record.set(Scalar::new("order_at_full_noise", "order at η = 2π", last, n));
        record.put("transition", curve);
    }
}

impl Experiment for Alignment {
    type Params = Params;

    const ABOUT: About = About {
        id: "vicsek",
        title: "Order out of alignment: Vicsek's model",
        claim: "Particles that take the mean direction of their neighbours order themselves, until noise is too strong.",
        how: "Every particle takes the mean direction of all within a radius, itself included, plus noise, and moves one \
              step. The order φ falls from 1 to nearly 0 as the noise grows, and the entropy of headings rises.",
        equation: "θᵢ(t+1) = arg Σ_{|r_ij|<r} e^{iθ_j} + Δ,  Δ uniform in ±η/2;  φ = |⟨e^{iθ}⟩|",
        tex: &[
            r"\theta_i(t+1) = \arg \sum_{\lvert r_{ij} \rvert \lt r} \mathrm{e}^{\mathrm{i}\theta_j} + \Delta",
            r"\Delta \text{ uniform in } \pm\eta/2",
            r"\varphi = \left\lvert \left\langle \mathrm{e}^{\mathrm{i}\theta} \right\rangle \right\rvert",
        ],
        source: "Vicsek, Czirók, Ben-Jacob, Cohen, Shochet 1995, Phys. Rev. Lett. 75:1226",
        paper: "vicsek",
    };

    const CLAIMS: &'static [Claim] = &[
        Claim {
            id: "ordered",
            statement: "Without noise the flock is ordered.",
            scalar: "order_without_noise",
            comparison: Comparison::Above { value: 0.95 },
            settings: &[("study", "transition")],
            seeds: 5,
            afterwards: None,
            source: "Vicsek et al. 1995, figure 2: φ → 1 at η → 0",
        },
        Claim {
            id: "disordered",
            statement: "At η = 2π headings are independent: φ is that of a random walk, √(π/4N).",
            scalar: "order_at_full_noise",
            // √(π / 1200) = 0.0512; its standard deviation √((4 - π)/4N) = 0.027 is that of one look, and the mean
            // over 25 looks of 5 seeds, 0.0024, far inside half of it.
            comparison: Comparison::Within { value: 0.0512, tolerance: 0.0134 },
            settings: &[("study", "transition")],
            seeds: 5,
            afterwards: None,
            source: "mean resultant length of N = 300 independent directions",
        },
    ];

    fn start(params: Params, compute: &dyn Compute) -> Doing<'_, Self> {
        Box::pin(async move {
            let noises = params.noises();
            let setups = (0..).zip(&noises).map(|(replica, noise)| params.setup(*noise, replica)).collect();
            let swarm = compute.swarm(setups).await?;
            Ok(Self { params, noises, swarm, done: 0 })
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
            let mut every = u64::from(self.params.measure_every.max(self.params.count / 200));
            if self.params.study == Study::Transition {
                // Every noise is measured at once, and their entropies cost the square of the count each.
                every = every.max(self.params.steps / 50);
            }
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
            self.summarise(record);
            Ok(())
        })
    }

    fn figures(record: &Record) -> Vec<Figure> {
        let mut figures = Vec::new();
        if let Some(table) = record.table("series") {
            figures.push(Figure {
                id: "series".to_owned(),
                title: "Order and entropy over time".to_owned(),
                description: "Order φ and the normalised entropy of headings over time.".to_owned(),
                panels: vec![series(
                    table,
                    "order and entropy",
                    &[("polarization", "φ"), ("heading_entropy", "entropy")],
                )],
            });
        }
        if let Some(table) = record.table("transition") {
            let points = |name: &str, k| Mark::Points {
                x: table.numbers("noise").to_vec(),
                y: table.numbers(name).to_vec(),
                labels: vec![String::new(); table.len()],
                colour: Colour::nth(k),
            };
            let line = |name: &str, label: &str, k| Mark::Line {
                name: label.to_owned(),
                x: table.numbers("noise").to_vec(),
                y: table.numbers(name).to_vec(),
                colour: Colour::nth(k),
            };
            figures.push(Figure {
                id: "transition".to_owned(),
                title: "The transition from order to disorder".to_owned(),
                description: "Late means of the order φ and of the entropy of headings against the noise η.".to_owned(),
                panels: vec![Panel {
                    x: Axis::new("noise η (radians)"),
                    y: Axis::new("order and entropy").within(0.0, 1.0),
                    marks: vec![
                        line("polarization", "φ", 0),
                        points("polarization", 0),
                        line("heading_entropy", "entropy", 1),
                        points("heading_entropy", 1),
                    ],
                    weight: 1.0,
                }],
            });
        }
        figures
    }

    fn seen(record: &Record) -> String {
        if let (Some(first), Some(last)) = (record.value("order_without_noise"), record.value("order_at_full_noise")) {
            return format!("The order φ falls from {} without noise to {} at η = 2π.", number(first), number(last));
        }
        match (record.value("polarization"), record.value("heading_entropy")) {
            (Some(p), Some(h)) => {
                format!("In the late part of the run φ = {} and the entropy of headings is {}.", number(p), number(h))
            }
            _ => "Nothing has been measured yet.".to_owned(),
        }
    }

    fn swarm(&mut self) -> Option<&mut dyn Swarm> {
        Some(&mut *self.swarm)
    }

    fn change(&mut self, params: Params) -> Result<bool, ExperimentError> {
        let live =
            Params { noise: self.params.noise, radius: self.params.radius, steps: self.params.steps, ..params.clone() };
        if live != self.params || params.study != Study::Live || params.steps < self.done {
            return Ok(false);
        }
        self.noises = params.noises();
        self.swarm.change(0, params.setup(params.noise, 0))?;
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
