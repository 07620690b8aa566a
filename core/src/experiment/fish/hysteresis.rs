//! The zone of orientation widened step by step and narrowed again, with the school carried over.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{METRICS, Metrics, model::open_water, plots};
use crate::{
    compute::Compute,
    experiment::{About, Claim, Column, Comparison, Doing, Experiment, Record, Scalar},
    figure::{Axis, Colour, Figure, Mark, Panel, number},
    pace::Pace,
    sim::swarm::Swarm,
};

/// Parameters of the way up and down.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Params {
    /// Number of fish.
    #[schemars(range(min = 2, max = 100_000))]
    count: u32,
    /// Width of the zone of attraction.
    #[schemars(range(min = 0, max = 100))]
    attraction_width: f64,
    /// Largest width of the zone of orientation.
    #[schemars(range(min = 0.5, max = 100))]
    orientation_max: f64,
    /// Widths on each way, 0 and the largest included.
    #[schemars(range(min = 2, max = 200))]
    points: u32,
    /// Steps at each width.
    #[schemars(range(min = 10, max = 1_000_000))]
    steps_each: u32,
    /// Share of the steps at each width, at their end, that means are taken over.
    #[schemars(range(min = 0.01, max = 1))]
    late: f64,
    /// The polarization whose crossing is looked for on both ways.
    #[schemars(range(min = 0.05, max = 0.95))]
    threshold: f64,
    /// Seed of all random numbers.
    #[schemars(range(min = 0, max = 9_007_199_254_740_992u64))]
    seed: u64,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            count: 100,
            attraction_width: 14.0,
            orientation_max: 5.0,
            points: 11,
            steps_each: 1000,
            late: 0.5,
            threshold: 0.8,
            seed: 1,
        }
    }
}

/// Samples at each width.
const SAMPLES: u32 = 20;

/// A school on its way.
pub(crate) struct Hysteresis {
    params: Params,
    swarm: Box<dyn Swarm>,
    done: u64,
    samples: Vec<Metrics>,
}

impl Hysteresis {
    /// Widths on the whole way, up and then down.
    fn legs(&self) -> u64 {
        2 * u64::from(self.params.points)
    }

    fn width(&self, leg: u64) -> f64 {
        let last = u64::from(self.params.points) - 1;
        let index = if leg <= last { leg } else { 2 * last + 1 - leg };
        #[expect(clippy::cast_precision_loss, reason = "at most 200 points")]
        let share = index as f64 / last as f64;
        self.params.orientation_max * share
    }

    fn finish(&mut self, leg: u64, record: &mut Record) {
        let table = record.table_mut("way", || {
            let mut table = plots::table(
                "Late means at each width, on the way up and then down",
                Column::numbers("leg", "leg of the way", "1"),
            );
            table.columns.insert(1, Column::numbers("orientation_width", "width of the zone of orientation", "1"));
            table
        });
        #[expect(clippy::cast_precision_loss, reason = "counts of legs and samples")]
        let mut row = vec![leg as f64];
        row.push(self.width(leg));
        #[expect(clippy::cast_precision_loss, reason = "counts of legs and samples")]
        row.extend(
            (0..METRICS.len()).map(|k| self.samples.iter().map(|m| m.0[k]).sum::<f64>() / self.samples.len() as f64),
        );
        table.push(&row);
        self.samples.clear();
        let (up, down) = ways(record, self.params.points as usize);
        let up = crossing(&up, self.params.threshold);
        let down = crossing(&down, self.params.threshold);
        let complete = leg + 1 == self.legs();
        let n = leg + 1;
        record.set(Scalar::new("up", "width at which the school becomes parallel on the way up", up, n));
        let down = down.filter(|_| complete);
        record.set(Scalar::new("down", "width at which it ceases to be on the way down", down, n));
        let gap = up.zip(down).map(|(u, d)| u - d);
        record.set(Scalar::new("gap", "hysteresis: way up minus way down", gap, n));
    }
}

/// (width, P), in ascending order of width.
type Way = Vec<(f64, f64)>;

/// (width, P) on the way up and on the way down, both in ascending order of width.
fn ways(record: &Record, points: usize) -> (Way, Way) {
    let Some(table) = record.table("way") else { return (Vec::new(), Vec::new()) };
    let all: Way =
        table.numbers("orientation_width").iter().copied().zip(table.numbers("polarization").iter().copied()).collect();
    let up = all.iter().take(points).copied().collect();
    let down = all.iter().skip(points).rev().copied().collect();
    (up, down)
}

/// The width at which P rises through `threshold` for good, between points linearly; `None` where it does not.
fn crossing(way: &[(f64, f64)], threshold: f64) -> Option<f64> {
    let pair = way.windows(2).rev().find(|pair| pair[0].1 < threshold && pair[1].1 >= threshold)?;
    let [(x0, p0), (x1, p1)] = [pair[0], pair[1]];
    Some(x0 + (x1 - x0) * (threshold - p0) / (p1 - p0))
}

impl Experiment for Hysteresis {
    type Params = Params;

    const ABOUT: About = About {
        id: "fish-hysteresis",
        title: "A school remembers the way it came",
        claim: "The width at which a school becomes parallel on the way up is larger than the width at which it ceases to be on the way down.",
        how: "The zone of orientation is widened in steps and then narrowed through the same widths, and the school is \
              carried over from each to the next: between the two crossings its state depends on where it comes from.",
        equation: "gap = Δr_o(P crosses the threshold upwards) − Δr_o(on the way down)",
        tex: &[
            r"\mathrm{gap} = \Delta r_o^{\uparrow} - \Delta r_o^{\downarrow}",
            r"\text{where } P \text{ crosses the threshold upwards and on the way down}",
        ],
        source: "Couzin et al. 2002, J. Theor. Biol. 218:1–11, collective memory, figure 5",
        paper: "fish-schooling",
    };

    const CLAIMS: &'static [Claim] = &[Claim {
        id: "gap",
        statement: "The school becomes parallel at a width that is larger by at least 1 than the one at which it ceases to be.",
        scalar: "gap",
        comparison: Comparison::Above { value: 1.0 },
        settings: &[],
        seeds: 5,
        afterwards: None,
        source: "Couzin et al. 2002, collective memory; P crosses 0.8, Δr_a = 14, N = 100, steps of 0.5, 1000 steps each",
    }];

    fn start(params: Params, compute: &dyn Compute) -> Doing<'_, Self> {
        Box::pin(async move {
            let setup = open_water(params.count, 0.0, params.attraction_width, params.seed, 0);
            let swarm = compute.swarm(vec![setup]).await?;
            Ok(Self { params, swarm, done: 0, samples: Vec::new() })
        })
    }

    fn total(&self) -> u64 {
        self.legs() * u64::from(self.params.steps_each)
    }

    fn done(&self) -> u64 {
        self.done
    }

    fn advance<'a>(&'a mut self, steps: u32, record: &'a mut Record, pace: &'a dyn Pace) -> Doing<'a, ()> {
        Box::pin(async move {
            record.ran(self.swarm.ran());
            let each = u64::from(self.params.steps_each);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a u32")]
            let window = ((f64::from(self.params.steps_each) * self.params.late) as u64).clamp(1, each);
            let every = (window / u64::from(SAMPLES)).max(1);
            let end = self.total().min(self.done + u64::from(steps));
            while self.done < end {
                let (leg, within) = (self.done / each, self.done % each);
                if within == 0 {
                    let p = &self.params;
                    let setup = open_water(p.count, self.width(leg), p.attraction_width, p.seed, 0);
                    self.swarm.change(0, setup)?;
                }
                let first = each - window;
                let next = if within < first { first } else { within + every };
                let now = u32::try_from((next.min(each) - within).min(end - self.done)).unwrap_or(u32::MAX);
                self.swarm.advance(now, pace).await?;
                self.done += u64::from(now);
                pace.tick(self.done, self.total()).await?;
                let within = within + u64::from(now);
                if within == each || (within > first && (within - first).is_multiple_of(every)) {
                    let order = self.swarm.order().await?.first().copied().unwrap_or_default();
                    let measured = Metrics::of(&mut *self.swarm, 0, order, pace).await?;
                    self.samples.push(measured.noted(record));
                }
                if within == each {
                    self.finish(leg, record);
                }
            }
            Ok(())
        })
    }

    fn figures(record: &Record) -> Vec<Figure> {
        let points = record.parameters.get("points").and_then(serde_json::Value::as_u64).unwrap_or(0);
        let Some(table) = record.table("way") else { return Vec::new() };
        let points = usize::try_from(points).unwrap_or(0);
        let panel = |name: &str, title: &str| {
            let all: Vec<(f64, f64)> =
                table.numbers("orientation_width").iter().copied().zip(table.numbers(name).iter().copied()).collect();
            let (up, down) = all.split_at(points.min(all.len()));
            let line = |way: Vec<(f64, f64)>, name: &str, colour| {
                let (x, y) = way.into_iter().unzip();
                Mark::Line { name: name.to_owned(), x, y, colour }
            };
            let mut marks = vec![line(up.to_vec(), "up", Colour::First)];
            if !down.is_empty() {
                marks.push(line(down.iter().rev().copied().collect(), "down", Colour::Second));
            }
            Panel {
                x: Axis::new("width of the zone of orientation Δr_o"),
                y: Axis::new(title).within(0.0, 1.0),
                marks,
                weight: 1.0,
            }
        };
        vec![Figure {
            id: "way".to_owned(),
            title: "The way up and the way down".to_owned(),
            description:
                "Polarization, rotation and the corrected index against the width of the zone of orientation, \
                          widened and then narrowed with the school carried over."
                    .to_owned(),
            panels: vec![panel("polarization", "P"), panel("rotation", "M"), panel("corrected.index", "index")],
        }]
    }

    fn seen(record: &Record) -> String {
        match (record.value("up"), record.value("down"), record.value("gap")) {
            (Some(up), Some(down), Some(gap)) => format!(
                "The school became parallel at a width of {} and ceased to be at {}: a gap of {}.",
                number(up),
                number(down),
                number(gap)
            ),
            (Some(up), ..) => {
                format!("The school became parallel at a width of {}; the way down is to come.", number(up))
            }
            _ => "The school is not parallel yet.".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::crossing;

    #[test]
    fn a_crossing_lies_between_its_points() {
        let way = [(0.0, 0.1), (1.0, 0.3), (2.0, 0.9), (3.0, 1.0)];
        assert!((crossing(&way, 0.6).unwrap() - 1.5).abs() < 1e-12);
        assert_eq!(crossing(&way[..2], 0.6), None);
    }
}
