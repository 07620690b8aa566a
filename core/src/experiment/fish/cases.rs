//! The reference library's four canonical cases, beside its own numbers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    METRICS, Metrics,
    model::{Fish, Mode, Water, space},
    plots,
};
use crate::{
    compute::Compute,
    experiment::{About, Claim, Column, Comparison, Doing, Experiment, ExperimentError, Record, Scalar, Table, Values},
    figure::{self, Axis, Colour, Figure, Mark, Panel, number},
    measure::school::State as Label,
    pace::Pace,
    sim::swarm::{Goal, Setup, Start, Swarm},
};

/// Parameters of the four cases.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Params {
    /// Steps from one measurement to the next.
    #[schemars(range(min = 1, max = 1000))]
    measure_every: u32,
    /// Share of the library's own number of steps that is run.
    #[schemars(range(min = 0.01, max = 10))]
    length: f64,
    /// Whether the torus case begins with its swimming ring.
    ring: bool,
    /// Seed of all random numbers.
    #[schemars(range(min = 0, max = 9_007_199_254_740_992u64))]
    seed: u64,
}

impl Default for Params {
    fn default() -> Self {
        Self { measure_every: 10, length: 1.0, ring: true, seed: 1 }
    }
}

/// One case of the library, with what it reports: P, M and OSI as second-half means over three seeds.
struct Case {
    id: &'static str,
    title: &'static str,
    count: u32,
    side: f64,
    speed: f64,
    zones: [f64; 3],
    max_turn: f64,
    noise: f64,
    blind: f64,
    weight: f64,
    ring: bool,
    steps: u32,
    library: [f64; 3],
}

/// Parameters: the library's configuration files. Numbers: dewi-kadita 0.0.4, seeds as configured, 1001 and 1002.
const CASES: [Case; 4] = [
    Case {
        id: "swarm",
        title: "1 swarm",
        count: 150,
        side: 25.0,
        speed: 1.0,
        zones: [2.0, 3.0, 15.0],
        max_turn: 0.4,
        noise: 0.2,
        blind: 30.0,
        weight: 1.0,
        ring: false,
        steps: 1000,
        library: [0.0825, 0.0654, 0.692],
    },
    Case {
        id: "torus",
        title: "2 \u{201c}torus\u{201d}",
        count: 200,
        side: 25.0,
        speed: 1.0,
        zones: [1.0, 3.0, 10.0],
        max_turn: 0.2,
        noise: 0.05,
        blind: 150.0,
        weight: 0.1,
        ring: true,
        steps: 2000,
        library: [0.580, 0.192, 0.502],
    },
    Case {
        id: "dynamic_parallel",
        title: "3 dynamic parallel",
        count: 180,
        side: 28.0,
        speed: 1.2,
        zones: [1.0, 10.0, 18.0],
        max_turn: 0.35,
        noise: 0.12,
        blind: 25.0,
        weight: 1.0,
        ring: false,
        steps: 1500,
        library: [0.981, 0.106, 0.3177],
    },
    Case {
        id: "highly_parallel",
        title: "4 highly parallel",
        count: 250,
        side: 35.0,
        speed: 1.5,
        zones: [1.0, 12.0, 20.0],
        max_turn: 0.2,
        noise: 0.05,
        blind: 20.0,
        weight: 1.0,
        ring: false,
        steps: 1000,
        library: [0.995, 0.063, 0.325],
    },
];

/// Time of one step in all cases.
const TIME_STEP: f64 = 0.1;

impl Case {
    fn setup(&self, ring: bool, seed: u64, replica: u32) -> Setup {
        let [repulsion, orientation, attraction] = self.zones;
        let fish = Fish {
            mode: Mode::Dewi,
            zone_of_repulsion: repulsion,
            orientation_width: orientation - repulsion,
            attraction_width: attraction - orientation,
            field_of_view: 360.0 - 2.0 * self.blind,
            turning_rate: (self.max_turn / TIME_STEP).to_degrees(),
            noise: self.noise,
            orientation_weight: self.weight,
            time_step: TIME_STEP,
        };
        Setup {
            space: space(3, Water::Periodic, self.side),
            count: self.count,
            start: if self.ring && ring { Start::Ring { radius: 6.0 } } else { Start::Uniform },
            rule: fish.rule(),
            time_step: TIME_STEP,
            speed: self.speed,
            speed_deviation: 0.0,
            leaders: 0,
            goal: Goal { direction: [1.0, 0.0, 0.0], weight: 0.0 },
            predator: None,
            obstacles: Vec::new(),
            seed,
            replica,
            reproducible: true,
        }
    }
}

/// The four cases, one after the other.
pub(crate) struct Cases {
    params: Params,
    swarms: Vec<Box<dyn Swarm>>,
    case: usize,
    within: u64,
}

impl Cases {
    fn steps(&self, case: usize) -> u64 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 20,000")]
        let steps = (f64::from(CASES[case].steps) * self.params.length).round() as u64;
        steps.max(1)
    }

    async fn measure(&mut self, record: &mut Record, pace: &dyn Pace) -> Result<(), ExperimentError> {
        let swarm = &mut self.swarms[self.case];
        let order = swarm.order().await?.first().copied().unwrap_or_default();
        let metrics = Metrics::of(&mut **swarm, 0, order, pace).await?.noted(record);
        #[expect(clippy::cast_precision_loss, reason = "steps are far below 2^53")]
        let time = self.within as f64 * TIME_STEP;
        plots::push(record, CASES[self.case].id, time, &[metrics]);
        Ok(())
    }

    /// Second-half means, as the library reports them, and the state that its rule names at the end.
    fn finish(&self, record: &mut Record) {
        let case = &CASES[self.case];
        let Some(series) = record.table(case.id) else { return };
        let half = series.len() / 2;
        let mut scalars = Vec::new();
        for (name, title) in METRICS {
            let values = &series.numbers(name)[half..];
            scalars.push(Scalar::mean(format!("{}.{name}", case.id), format!("{title}, {}", case.title), values, 10));
        }
        let at = |time: f64, name: &str| {
            let times = series.numbers("time");
            let row = times.iter().position(|t| *t >= time - 1e-9)?;
            series.numbers(name).get(row).copied()
        };
        let m0 = at(0.0, "library.rotation");
        let m10 = at(10.0, "library.rotation");
        scalars.push(Scalar::new(format!("{}.rotation_at_0", case.id), format!("M at time 0, {}", case.title), m0, 1));
        scalars.push(Scalar::new(
            format!("{}.rotation_at_10", case.id),
            format!("M at time 10, {}", case.title),
            m10,
            1,
        ));
        let last = |name: &str| series.numbers(name).last().copied().unwrap_or(f64::NAN);
        let label = Label::of(last("library.polarization"), last("library.rotation")).label().to_owned();
        for scalar in scalars {
            record.set(scalar);
        }
        let mean = |name: &str| record.value(&format!("{}.{name}", case.id)).unwrap_or(f64::NAN);
        let row = [
            mean("library.polarization"),
            case.library[0],
            mean("library.rotation"),
            case.library[1],
            mean("library.oceanic_schooling_index"),
            case.library[2],
            mean("recentred.oceanic_schooling_index"),
            mean("corrected.index"),
        ];
        let table = record.table_mut("cases", cases_table);
        table.push(&row);
        let set = |column: &mut Column, word: String| {
            if let Values::Words(words) = &mut column.values
                && let Some(place) = words.last_mut()
            {
                *place = word;
            }
        };
        set(&mut table.columns[0], case.title.to_owned());
        let last = table.columns.len() - 1;
        set(&mut table.columns[last], label);
    }
}

fn cases_table() -> Table {
    let number = |name: &str, title: &str| Column::numbers(name, title, "1");
    Table::new(
        "Second-half means here and in the library",
        vec![
            Column::words("case", "case"),
            number("polarization", "P here"),
            number("library_polarization", "P, dewi-kadita"),
            number("rotation", "M here"),
            number("library_rotation", "M, dewi-kadita"),
            number("osi", "OSI here"),
            number("library_osi", "OSI, dewi-kadita"),
            number("recentred_osi", "OSI about the periodic centre"),
            number("index", "corrected index"),
            Column::words("label", "state at the end by the library's rule"),
        ],
    )
}

impl Experiment for Cases {
    type Params = Params;

    const ABOUT: About = About {
        id: "fish-cases",
        title: "Four canonical cases, here and in the library",
        claim: "dewi-kadita's swarm and parallel schools are reproduced; its \u{201c}torus\u{201d} is a ring only at the start, and dissolves.",
        how: "Each case runs with the library's own configuration in its own model, and the second-half means are set \
              beside the library's. The ring of case 2 is in its initial condition only: rotation falls below 0.35 \
              within 10 time units, and the fish reform as streams that close through the periodic box.",
        equation: "OSI = 0.18 H_coh + 0.28 H_pol + 0.08 H_depth + 0.08 H_ang + 0.10 H_NN + 0.18 H_vel + 0.10 H_shape",
        tex: &[
            r"\mathrm{OSI} = 0.18 H_{\mathrm{coh}} + 0.28 H_{\mathrm{pol}} + 0.08 H_{\mathrm{depth}} + 0.08 H_{\mathrm{ang}} + 0.10 H_{\mathrm{NN}} + 0.18 H_{\mathrm{vel}} + 0.10 H_{\mathrm{shape}}",
        ],
        source: "Herho et al. 2026, arXiv 2602.07948; dewi-kadita 0.0.4",
        paper: "fish-schooling",
    };

    const CLAIMS: &'static [Claim] = CLAIMS;

    fn start(params: Params, compute: &dyn Compute) -> Doing<'_, Self> {
        Box::pin(async move {
            let mut swarms = Vec::new();
            for (replica, case) in (0..).zip(&CASES) {
                swarms.push(compute.swarm(vec![case.setup(params.ring, params.seed, replica)]).await?);
            }
            Ok(Self { params, swarms, case: 0, within: 0 })
        })
    }

    fn total(&self) -> u64 {
        (0..CASES.len()).map(|case| self.steps(case)).sum()
    }

    fn done(&self) -> u64 {
        (0..self.case).map(|case| self.steps(case)).sum::<u64>() + self.within
    }

    fn advance<'a>(&'a mut self, steps: u32, record: &'a mut Record, pace: &'a dyn Pace) -> Doing<'a, ()> {
        Box::pin(async move {
            let every = u64::from(self.params.measure_every);
            let mut left = u64::from(steps);
            while left > 0 && self.case < CASES.len() {
                record.ran(self.swarms[self.case].ran());
                if self.within == 0 {
                    self.measure(record, pace).await?;
                }
                let end = self.steps(self.case);
                let next = ((self.within / every + 1) * every).min(end);
                let now = (next - self.within).min(left);
                self.swarms[self.case].advance(u32::try_from(now).unwrap_or(u32::MAX), pace).await?;
                self.within += now;
                left -= now;
                pace.tick(self.done(), self.total()).await?;
                if self.within == next {
                    self.measure(record, pace).await?;
                }
                if self.within == end {
                    self.finish(record);
                    self.case += 1;
                    self.within = 0;
                }
            }
            Ok(())
        })
    }

    fn figures(record: &Record) -> Vec<Figure> {
        let mut figures = Vec::new();
        let panel = |name: &str, title: &str| {
            let lines = CASES.iter().enumerate().filter_map(|(k, case)| {
                let table = record.table(case.id)?;
                Some(figure::line(table.numbers("time"), table.numbers(name), 800, case.title, Colour::nth(k)))
            });
            let marks: Vec<Mark> = lines.collect();
            Panel { x: Axis::new("time"), y: Axis::new(title).within(0.0, 1.0), marks, weight: 1.0 }
        };
        if record.table(CASES[0].id).is_some() {
            figures.push(Figure {
                id: "series".to_owned(),
                title: "The four cases over time".to_owned(),
                description:
                    "Polarization, rotation and OSI as the library defines them. The rotation of case 2 begins near 1 \
                              and is gone within 10 time units."
                        .to_owned(),
                panels: vec![
                    panel("library.polarization", "P"),
                    panel("library.rotation", "M"),
                    panel("library.oceanic_schooling_index", "OSI"),
                ],
            });
        }
        figures
    }

    fn seen(record: &Record) -> String {
        match (record.value("torus.rotation_at_0"), record.value("torus.rotation_at_10")) {
            (Some(m0), Some(m10)) => format!(
                "The \u{201c}torus\u{201d} rotates with M = {} at the start and {} at time 10: it is not a torus.",
                number(m0),
                number(m10)
            ),
            _ => match record.value("swarm.library.polarization") {
                Some(p) => format!("The swarm's polarization is {}; isotropic headings would have 0.075.", number(p)),
                None => "The first case is under way.".to_owned(),
            },
        }
    }

    fn swarm(&mut self) -> Option<&mut dyn Swarm> {
        let case = self.case.min(CASES.len() - 1);
        match self.swarms.get_mut(case) {
            Some(swarm) => Some(&mut **swarm),
            None => None,
        }
    }
}

/// From the sheet of the paper, "Must show" 4.
const SOURCE: &str = "dewi-kadita 0.0.4, second-half means over its configured seed, 1001 and 1002";

const CLAIMS: &[Claim] = &[
    Claim {
        id: "swarm-polarization",
        statement: "The swarm's polarization is that of isotropic headings, 0.921/√N = 0.075.",
        scalar: "swarm.library.polarization",
        comparison: Comparison::Within { value: 0.083, tolerance: 0.02 },
        settings: &[],
        seeds: 5,
        afterwards: None,
        source: SOURCE,
    },
    Claim {
        id: "swarm-velocity",
        statement: "The swarm's velocity correlation entropy is 1.",
        scalar: "swarm.library.velocity_correlation_entropy",
        comparison: Comparison::Above { value: 0.999 },
        settings: &[],
        seeds: 5,
        afterwards: None,
        source: SOURCE,
    },
    Claim {
        id: "swarm-osi",
        statement: "About the periodic centre the swarm's OSI does not depend on the seed.",
        scalar: "swarm.recentred.oceanic_schooling_index",
        comparison: Comparison::Within { value: 0.72, tolerance: 0.02 },
        settings: &[],
        seeds: 5,
        afterwards: None,
        source: "re-centring by circular mean moves the final OSI of three seeds to 0.716, 0.722, 0.721",
    },
    Claim {
        id: "parallel-polarization",
        statement: "The highly parallel school's polarization is above 0.99.",
        scalar: "highly_parallel.library.polarization",
        comparison: Comparison::Above { value: 0.99 },
        settings: &[],
        seeds: 5,
        afterwards: None,
        source: SOURCE,
    },
    Claim {
        id: "ring-at-start",
        statement: "The \u{201c}torus\u{201d} case begins as a swimming ring.",
        scalar: "torus.rotation_at_0",
        comparison: Comparison::Above { value: 0.9 },
        settings: &[],
        seeds: 5,
        afterwards: None,
        source: "dewi-kadita 0.0.4, initial condition of case 2",
    },
    Claim {
        id: "ring-dissolves",
        statement: "The ring has dissolved at time 10.",
        scalar: "torus.rotation_at_10",
        comparison: Comparison::Below { value: 0.35 },
        settings: &[],
        seeds: 5,
        afterwards: None,
        source: "dewi-kadita 0.0.4: M = 0.17 to 0.19 at time 10 over three seeds",
    },
];
