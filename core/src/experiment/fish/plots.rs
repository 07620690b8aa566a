//! Tables, pictures and words that the fish experiments share.

use super::{METRICS, Metrics, school::SERIES};
use crate::{
    experiment::{Column, Record, Table},
    figure::{self, Axis, Colour, Figure, Panel, number},
    measure::school::State,
};

/// Buckets of a long series: more than a chart has pixels.
const BUCKETS: usize = 1200;

/// A table of every metric against `first`.
pub(super) fn table(title: &str, first: Column) -> Table {
    let metrics = METRICS.iter().map(|(name, title)| Column::numbers(*name, *title, "1"));
    Table::new(title, std::iter::once(first).chain(metrics).collect())
}

/// Adds the mean over replicates to the series `name`.
#[expect(clippy::cast_precision_loss, reason = "a count of replicates")]
pub(super) fn push(record: &mut Record, name: &str, time: f64, rows: &[Metrics]) {
    let mean = |k: usize| rows.iter().map(|m| m.0[k]).sum::<f64>() / rows.len() as f64;
    let mut row = vec![time];
    row.extend((0..METRICS.len()).map(mean));
    record.table_mut(name, || table("Measures over time", Column::numbers("time", "time", "1"))).push(&row);
}

/// Adds the standard errors over replicates.
#[expect(clippy::cast_precision_loss, reason = "a count of replicates")]
pub(super) fn push_errors(record: &mut Record, time: f64, rows: &[Metrics]) {
    let n = rows.len() as f64;
    let error = |k: usize| {
        let mean = rows.iter().map(|m| m.0[k]).sum::<f64>() / n;
        (rows.iter().map(|m| (m.0[k] - mean).powi(2)).sum::<f64>() / (n - 1.0) / n).sqrt()
    };
    let mut row = vec![time];
    row.extend((0..METRICS.len()).map(error));
    let make = || table("Standard errors over replicates", Column::numbers("time", "time", "1"));
    record.table_mut("standard_errors", make).push(&row);
}

/// The values of `name` from the time `from` on.
pub(in crate::experiment) fn late(table: &Table, name: &str, from: f64) -> Vec<f64> {
    let time = table.columns.first().map_or(&[][..], Column::as_numbers);
    time.iter().zip(table.numbers(name)).filter(|(t, _)| **t >= from - 1e-9).map(|(_, x)| *x).collect()
}

/// One panel of lines over the first column of `table`.
pub(in crate::experiment) fn series(table: &Table, title: &str, names: &[(&str, &str)]) -> Panel {
    let x = table.columns.first().map_or(&[][..], Column::as_numbers);
    let label = table.columns.first().map_or_else(String::new, |c| c.title.clone());
    let marks = names
        .iter()
        .enumerate()
        .filter(|(_, (name, _))| table.numbers(name).iter().any(|y| y.is_finite()))
        .map(|(k, (name, label))| figure::line(x, table.numbers(name), BUCKETS, label, Colour::nth(k)))
        .collect();
    // A corrected entropy may be a little above that of no order at all.
    let above = names.iter().any(|(name, _)| table.numbers(name).iter().any(|y| *y > 1.0));
    Panel { x: Axis::new(label), y: Axis::new(title).within(0.0, if above { 1.2 } else { 1.0 }), marks, weight: 1.0 }
}

/// The pictures of a live school.
pub(in crate::experiment) fn school(record: &Record) -> Vec<Figure> {
    let Some(table) = record.table(SERIES) else { return Vec::new() };
    let order = series(table, "order", &[("polarization", "P"), ("rotation", "M")]);
    let corrected = [
        ("corrected.cohesion_entropy", "cohesion"),
        ("corrected.heading_entropy", "heading"),
        ("corrected.depth_entropy", "depth"),
        ("corrected.angular_momentum_entropy", "momentum"),
        ("corrected.neighbour_entropy", "neighbours"),
        ("corrected.velocity_correlation_entropy", "velocity"),
        ("corrected.shape_entropy", "shape"),
    ];
    let library = [
        ("library.school_cohesion_entropy", "cohesion"),
        ("library.polarization_entropy", "polarization"),
        ("library.depth_stratification_entropy", "depth"),
        ("library.angular_momentum_entropy", "momentum"),
        ("library.nearest_neighbor_entropy", "neighbours"),
        ("library.velocity_correlation_entropy", "velocity"),
        ("library.school_shape_entropy", "shape"),
    ];
    let mut figures = vec![
        Figure {
            id: "order".to_owned(),
            title: "Order of the school".to_owned(),
            description: "Polarization P and rotation M over time; below, the index of the seven entropies in both families."
                .to_owned(),
            panels: vec![
                order,
                series(
                    table,
                    "index",
                    &[("corrected.index", "corrected"), ("library.oceanic_schooling_index", "library OSI")],
                ),
            ],
        },
        Figure {
            id: "entropies".to_owned(),
            title: "Seven entropies, corrected".to_owned(),
            description:
                "1 is what fish without any order would have, 0 perfect order; independent of direction, box and number of fish."
                    .to_owned(),
            panels: vec![series(table, "entropy (1 = no order)", &corrected)],
        },
    ];
    let panel = series(table, "entropy, library's definition", &library);
    if !panel.marks.is_empty() {
        figures.push(Figure {
            id: "library".to_owned(),
            title: "Seven entropies, as the library defines them".to_owned(),
            description: "dewi-kadita 0.0.4 to the last bin, with its dependence on direction, box and number of fish."
                .to_owned(),
            panels: vec![panel],
        });
    }
    figures
}

/// What a live school does, in numbers.
pub(in crate::experiment) fn seen(record: &Record) -> String {
    let value = |name| record.value(name);
    let (Some(p), Some(m)) = (value("polarization"), value("rotation")) else {
        let latest = record
            .table(SERIES)
            .and_then(|t| Some((*t.numbers("polarization").last()?, *t.numbers("rotation").last()?)));
        return latest.map_or_else(
            || "Nothing has been measured yet.".to_owned(),
            |(p, m)| format!("Now P = {} and M = {}: {}.", number(p), number(m), words(State::of(p, m))),
        );
    };
    let index =
        value("corrected.index").map(|x| format!(" The index of its entropies is {}.", number(x))).unwrap_or_default();
    format!("In the late part of the run P = {} and M = {}: {}.{index}", number(p), number(m), words(State::of(p, m)),)
}

/// A state in plain words.
pub(super) const fn words(state: State) -> &'static str {
    match state {
        State::HighlyParallel => "a highly parallel school",
        State::DynamicParallel => "a dynamic parallel school",
        State::Milling => "a mill",
        State::Transitional => "between states",
        State::Swarm => "a swarm",
    }
}
