//! How long a school stays in each state.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{metrics::water, model::open_water, plots};
use crate::{
    compute::Compute,
    experiment::{About, Column, Doing, Experiment, Record, Scalar, Table, Values},
    figure::{self, Axis, Colour, ColourMap, Figure, Mark, Panel, number},
    measure::school::{State, components},
    pace::Pace,
    sim::swarm::Swarm,
};

/// Parameters of a long watch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Params {
    /// Number of fish.
    #[schemars(range(min = 2, max = 10_000))]
    count: u32,
    /// Width of the zone of orientation; near 3 mills flip to parallel schools.
    #[schemars(range(min = 0, max = 100))]
    orientation_width: f64,
    /// Width of the zone of attraction.
    #[schemars(range(min = 0, max = 100))]
    attraction_width: f64,
    /// Steps of the run.
    #[schemars(range(min = 100, max = 100_000_000))]
    steps: u64,
    /// Steps from one look to the next.
    #[schemars(range(min = 1, max = 10_000))]
    measure_every: u32,
    /// Time that a state must last to count as a stay; shorter ones belong to the stay before.
    #[schemars(range(min = 0, max = 10_000))]
    shortest_stay: f64,
    /// Seed of all random numbers.
    #[schemars(range(min = 0, max = 9_007_199_254_740_992u64))]
    seed: u64,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            count: 100,
            orientation_width: 3.0,
            attraction_width: 14.0,
            steps: 20_000,
            measure_every: 10,
            shortest_stay: 5.0,
            seed: 1,
        }
    }
}

/// All states, in the order of their colours.
const STATES: [State; 5] =
    [State::Swarm, State::Milling, State::DynamicParallel, State::HighlyParallel, State::Transitional];

/// A school that is watched.
pub(crate) struct Residence {
    params: Params,
    swarm: Box<dyn Swarm>,
    done: u64,
}

impl Residence {
    async fn look(&mut self, record: &mut Record) -> Result<(), crate::experiment::ExperimentError> {
        let order = self.swarm.order().await?.first().copied().unwrap_or_default();
        let setup = self.swarm.setups()[0].clone();
        let state = self.swarm.state(0).await?;
        let groups = components(&state.positions, water(&setup.space), setup.rule.reach())?;
        #[expect(clippy::cast_precision_loss, reason = "steps and counts are far below 2^53")]
        let row = [self.done as f64 * setup.time_step, order.polarization, order.rotation, groups as f64];
        let number = |name: &str, title: &str| Column::numbers(name, title, "1");
        let table = record.table_mut("series", || {
            Table::new(
                "Order and groups over time",
                vec![
                    number("time", "time"),
                    number("polarization", "polarization P"),
                    number("rotation", "rotation M"),
                    number("groups", "groups"),
                ],
            )
        });
        table.push(&row);
        Ok(())
    }

    fn summarise(&self, record: &mut Record) {
        let Some(series) = record.table("series") else { return };
        let stays = stays(series, self.params.shortest_stay);
        let end = series.numbers("time").last().copied().unwrap_or(0.0);
        let groups = series.numbers("groups").iter().copied().fold(0.0, f64::max);
        let mut table = Table::new(
            "Stays in each state",
            vec![
                Column::words("state", "state"),
                Column::numbers("stays", "stays", "1"),
                Column::numbers("mean", "mean stay", "time"),
                Column::numbers("share", "share of the time", "1"),
            ],
        );
        let mut scalars = vec![
            Scalar::new(
                "stays",
                "stays",
                Some(f64::from(u32::try_from(stays.len()).unwrap_or(u32::MAX))),
                stays.len() as u64,
            ),
            Scalar::new("most_groups", "most groups at once", Some(groups), series.len() as u64),
        ];
        for state in STATES {
            let times: Vec<f64> = stays.iter().filter(|s| s.2 == state).map(|s| s.1 - s.0).collect();
            let sum: f64 = times.iter().sum();
            #[expect(clippy::cast_precision_loss, reason = "a count of stays")]
            let n = times.len() as f64;
            let share = if end > 0.0 { sum / end } else { f64::NAN };
            table.push(&[n, if n > 0.0 { sum / n } else { f64::NAN }, share]);
            if let Values::Words(words) = &mut table.columns[0].values
                && let Some(word) = words.last_mut()
            {
                *word = state.label().to_owned();
            }
            let name = format!("share.{}", plots::words(state).trim_start_matches("a ").replace(' ', "_"));
            scalars.push(Scalar::new(
                name,
                format!("share of the time: {}", state.label()),
                Some(share),
                times.len() as u64,
            ));
        }
        for scalar in scalars {
            record.set(scalar);
        }
        record.put("stays", table);
    }
}

/// (from, to, state): runs of one state, those shorter than `least` joined to the one before.
fn stays(series: &Table, least: f64) -> Vec<(f64, f64, State)> {
    let rows = series.numbers("time").iter().zip(series.numbers("polarization")).zip(series.numbers("rotation"));
    let mut runs: Vec<(f64, f64, State)> = Vec::new();
    for ((time, p), m) in rows {
        let state = State::of(*p, *m);
        match runs.last_mut() {
            Some(run) if run.2 == state => run.1 = *time,
            Some(run) => {
                run.1 = *time;
                runs.push((*time, *time, state));
            }
            None => runs.push((*time, *time, state)),
        }
    }
    let mut stays: Vec<(f64, f64, State)> = Vec::new();
    for run in runs {
        match stays.last_mut() {
            Some(stay) if run.1 - run.0 < least || stay.2 == run.2 => stay.1 = run.1,
            _ => stays.push(run),
        }
    }
    stays
}

impl Experiment for Residence {
    type Params = Params;

    const ABOUT: About = About {
        id: "fish-residence",
        title: "How long a school stays as it is",
        claim: "Between mill and parallel school there is no mean state: a school stays in one of them, and changes.",
        how: "One school is watched for a long time. Each look is given the state that P and M say; looks of one state in a \
              row are a stay. The joint density of P and M shows where the school really is, and where only its mean.",
        equation: "P > 0.9 highly parallel; P > 0.7 dynamic parallel; M > 0.5 mill; P > 0.4 or M > 0.3 between; else swarm",
        tex: &[
            r"P \gt 0.9 \quad \text{highly parallel, else}",
            r"P \gt 0.7 \quad \text{dynamic parallel, else}",
            r"M \gt 0.5 \quad \text{mill, else}",
            r"P \gt 0.4 \text{ or } M \gt 0.3 \quad \text{between, else swarm}",
        ],
        source: "Tunstrøm et al. 2013, PLoS Comput. Biol. 9:e1002915; states by dewi-kadita's rule",
        paper: "fish-schooling",
    };

    fn start(params: Params, compute: &dyn Compute) -> Doing<'_, Self> {
        Box::pin(async move {
            let setup = open_water(params.count, params.orientation_width, params.attraction_width, params.seed, 0);
            let swarm = compute.swarm(vec![setup]).await?;
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
                self.look(record).await?;
            }
            let every = u64::from(self.params.measure_every);
            let end = self.params.steps.min(self.done + u64::from(steps));
            while self.done < end {
                let next = (self.done / every + 1) * every;
                let now = u32::try_from(next.min(end) - self.done).unwrap_or(u32::MAX);
                self.swarm.advance(now, pace).await?;
                self.done += u64::from(now);
                pace.tick(self.done, self.params.steps).await?;
                if self.done == next {
                    self.look(record).await?;
                }
            }
            self.summarise(record);
            Ok(())
        })
    }

    fn figures(record: &Record) -> Vec<Figure> {
        let Some(series) = record.table("series") else { return Vec::new() };
        let least = record.parameters.get("shortest_stay").and_then(serde_json::Value::as_f64).unwrap_or(0.0);
        let stays = stays(series, least);
        let colour = |state: State| Colour::nth(STATES.iter().position(|s| *s == state).unwrap_or(0));
        let spans = Mark::Spans {
            from: stays.iter().map(|s| s.0).collect(),
            to: stays.iter().map(|s| s.1).collect(),
            labels: stays.iter().map(|s| s.2.label().to_owned()).collect(),
            colours: stays.iter().map(|s| colour(s.2)).collect(),
        };
        let time = series.numbers("time");
        let line = |name: &str, label: &str, k| figure::line(time, series.numbers(name), 1200, label, Colour::nth(k));
        vec![
            Figure {
                id: "stays".to_owned(),
                title: "States over time".to_owned(),
                description: "Polarization and rotation over time, with the state of each stay behind them.".to_owned(),
                panels: vec![Panel {
                    x: Axis::new("time"),
                    y: Axis::new("order").within(0.0, 1.0),
                    marks: vec![spans, line("polarization", "P", 0), line("rotation", "M", 1)],
                    weight: 1.0,
                }],
            },
            density(series.numbers("polarization"), series.numbers("rotation")),
        ]
    }

    fn seen(record: &Record) -> String {
        let shares = STATES.iter().filter_map(|state| {
            let name = format!("share.{}", plots::words(*state).trim_start_matches("a ").replace(' ', "_"));
            Some((record.value(&name)?, *state))
        });
        let Some((share, state)) = shares.max_by(|a, b| a.0.total_cmp(&b.0)) else {
            return "The school has just begun.".to_owned();
        };
        let stays = record.value("stays").map_or_else(String::new, number);
        format!("In {stays} stays the school was {} for {} of the time.", plots::words(state), number(share))
    }

    fn swarm(&mut self) -> Option<&mut dyn Swarm> {
        Some(&mut *self.swarm)
    }
}

/// The joint density of P and M: counts in 20 × 20 cells.
fn density(p: &[f64], m: &[f64]) -> Figure {
    const CELLS: usize = 20;
    let mut values = vec![0.0; CELLS * CELLS];
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "in 0..20"
    )]
    let cell = |x: f64| ((x * CELLS as f64) as usize).min(CELLS - 1);
    for (p, m) in p.iter().zip(m) {
        values[cell(*m) * CELLS + cell(*p)] += 1.0;
    }
    #[expect(clippy::cast_precision_loss, reason = "at most 20")]
    let edges: Vec<f64> = (0..=CELLS).map(|k| k as f64 / CELLS as f64).collect();
    for value in &mut values {
        *value = if *value > 0.0 { f64::log10(*value) } else { f64::NAN };
    }
    Figure {
        id: "density".to_owned(),
        title: "Where the school is: polarization and rotation together".to_owned(),
        description: "How often each pair of polarization and rotation was seen, on a logarithmic scale.".to_owned(),
        panels: vec![Panel {
            x: Axis::new("polarization P"),
            y: Axis::new("rotation M"),
            marks: vec![Mark::Cells {
                x: edges.clone(),
                y: edges,
                values,
                title: "log10 of looks".to_owned(),
                range: None,
                map: ColourMap::Viridis,
            }],
            weight: 1.0,
        }],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_stays_join_the_one_before() {
        let number = |name: &str| Column::numbers(name, name, "1");
        let mut series = Table::new("", vec![number("time"), number("polarization"), number("rotation")]);
        for (t, p) in [(0.0, 0.1), (10.0, 0.1), (20.0, 0.95), (21.0, 0.1), (40.0, 0.95), (80.0, 0.95)] {
            series.push(&[t, p, 0.0]);
        }
        let found: Vec<_> = stays(&series, 5.0).into_iter().map(|s| (s.0, s.1, s.2)).collect();
        assert_eq!(found, [(0.0, 40.0, State::Swarm), (40.0, 80.0, State::HighlyParallel)]);
    }
}
