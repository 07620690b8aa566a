//! The numbers behind a figure.

use super::{
    Axis, Figure, Mark,
    cells::{Grid, centre},
    locate::Quantity,
    number::plain,
};
use std::fmt::Write;

/// The numbers of one mark, as text with every digit; a value that is not a number is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// What it holds.
    pub caption: String,
    /// With units.
    pub columns: Vec<String>,
    /// Each as long as `columns`.
    pub rows: Vec<Vec<String>>,
}

/// A table for each mark of `figure`, in drawing order; references share one.
#[must_use]
pub fn tables(figure: &Figure) -> Vec<Table> {
    let mut out = Vec::new();
    for panel in &figure.panels {
        let (x, y) = (title(&panel.x, "x"), title(&panel.y, "value"));
        let against = format!("{y} against {x}");
        let mut references = Vec::new();
        for mark in &panel.marks {
            match mark {
                Mark::Line { name, x: xs, y: ys, .. } => {
                    let rows = xs.iter().zip(ys).map(|(a, b)| vec![place(&panel.x, *a), plain(*b)]);
                    let caption = if name.is_empty() { against.clone() } else { format!("{name}: {against}") };
                    out.push(Table { caption, columns: vec![x.clone(), y.clone()], rows: rows.collect() });
                }
                Mark::Band { x: xs, low, high, .. } => {
                    let rows =
                        xs.iter().zip(low).zip(high).map(|((a, l), h)| vec![place(&panel.x, *a), plain(*l), plain(*h)]);
                    let columns = vec![x.clone(), format!("lowest {y}"), format!("highest {y}")];
                    out.push(Table { caption: format!("range of {against}"), columns, rows: rows.collect() });
                }
                Mark::Bars { edges, heights, .. } => {
                    let bars = edges.windows(2).zip(heights);
                    let (columns, rows) = if panel.x.names.is_empty() {
                        let rows = bars.map(|(pair, h)| vec![plain(pair[0]), plain(pair[1]), plain(*h)]);
                        (vec![format!("{x}, from"), format!("{x}, to"), y.clone()], rows.collect())
                    } else {
                        let rows =
                            bars.map(|(pair, h)| vec![place(&panel.x, f64::midpoint(pair[0], pair[1])), plain(*h)]);
                        (vec![x.clone(), y.clone()], rows.collect())
                    };
                    out.push(Table { caption: against.clone(), columns, rows });
                }
                Mark::Points { x: xs, y: ys, labels, .. } => {
                    let label = |at: usize| labels.get(at).cloned().unwrap_or_default();
                    let rows = xs
                        .iter()
                        .zip(ys)
                        .enumerate()
                        .map(|(at, (a, b))| vec![label(at), place(&panel.x, *a), plain(*b)]);
                    let columns = vec!["point".to_owned(), x.clone(), y.clone()];
                    out.push(Table { caption: against.clone(), columns, rows: rows.collect() });
                }
                Mark::Cells { x: columns, y: rows, values, title, .. } => {
                    let grid = Grid { x: columns, y: rows, values };
                    let title = if title.is_empty() { "value" } else { title };
                    let middle = |axis: &Axis, pair: &[f64]| place(axis, centre(axis, pair[0], pair[1]));
                    let across: Vec<String> = columns.windows(2).map(|pair| middle(&panel.x, pair)).collect();
                    let cells = rows.windows(2).enumerate().flat_map(|(row, pair)| {
                        let up = middle(&panel.y, pair);
                        let cell = move |(column, across): (usize, &String)| {
                            vec![across.clone(), up.clone(), plain(grid.value(column, row))]
                        };
                        across.iter().enumerate().map(cell)
                    });
                    let caption = format!("{title} against {x} and {y}");
                    let rows = cells.collect();
                    out.push(Table { caption, columns: vec![x.clone(), y.clone(), title.to_owned()], rows });
                }
                Mark::Intervals { x: xs, low, high, .. } => {
                    let rows =
                        xs.iter().zip(low).zip(high).map(|((a, l), h)| vec![place(&panel.x, *a), plain(*l), plain(*h)]);
                    let columns = vec![x.clone(), format!("lower {y}"), format!("upper {y}")];
                    out.push(Table { caption: format!("intervals of {against}"), columns, rows: rows.collect() });
                }
                Mark::Spans { from, to, labels, .. } => {
                    let label = |at: usize| labels.get(at).cloned().unwrap_or_default();
                    let ends = from.iter().zip(to).enumerate();
                    let rows = ends.map(|(at, (from, to))| vec![label(at), plain(*from), plain(*to)]);
                    let columns = vec!["span".to_owned(), format!("{x}, from"), format!("{x}, to")];
                    out.push(Table { caption: format!("spans of {x}"), columns, rows: rows.collect() });
                }
                Mark::Boxes { from, to, low, high, labels, notes, shades, .. } => {
                    let word = |list: &[String], at: usize| list.get(at).cloned().unwrap_or_default();
                    let ends = from.iter().zip(to).zip(low.iter().zip(high)).enumerate();
                    let rows = ends.map(|(at, ((from, to), (low, high)))| {
                        let numbers = [*from, *to, *low, *high, shades.get(at).copied().unwrap_or(f64::NAN)];
                        [word(labels, at), word(notes, at)].into_iter().chain(numbers.map(plain)).collect()
                    });
                    let columns = ["box", "note", "left", "right", "lower", "upper", "shade"].map(str::to_owned);
                    out.push(Table { caption: "boxes".to_owned(), columns: columns.to_vec(), rows: rows.collect() });
                }
                Mark::Graph { names, from, to, weights, labels, .. } => {
                    let name = |node: u32| names.get(node as usize).cloned().unwrap_or_default();
                    let rows = from.iter().zip(to).enumerate().map(|(at, (from, to))| {
                        let weight = plain(weights.get(at).copied().unwrap_or(f64::NAN));
                        vec![name(*from), name(*to), weight, labels.get(at).cloned().unwrap_or_default()]
                    });
                    let columns = ["from", "to", "weight", "label"].map(str::to_owned).to_vec();
                    out.push(Table { caption: "arrows".to_owned(), columns, rows: rows.collect() });
                }
                Mark::Reference { y: value, label } => references.push(vec![label.clone(), plain(*value)]),
            }
        }
        if !references.is_empty() {
            let columns = vec!["reference".to_owned(), y.clone()];
            out.push(Table { caption: format!("references of {y}"), columns, rows: references });
        }
    }
    out
}

/// The numbers behind `figure`: its tables, each under its own header, with an empty line between.
///
/// A figure with one table is a plain CSV file; the caption of a table stands before it when there are
/// several.
#[must_use]
pub fn to_csv(figure: &Figure) -> String {
    let tables = tables(figure);
    let mut out = String::new();
    for (at, table) in tables.iter().enumerate() {
        if at > 0 {
            out.push_str("\r\n");
        }
        if tables.len() > 1 {
            record(&mut out, std::slice::from_ref(&table.caption));
        }
        record(&mut out, &table.columns);
        table.rows.iter().for_each(|row| record(&mut out, row));
    }
    out
}

fn record(out: &mut String, fields: &[String]) {
    for (at, field) in fields.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        if field.contains([',', '"', '\n', '\r']) {
            // Writing to a string cannot fail.
            let _ = write!(out, "\"{}\"", field.replace('"', "\"\""));
        } else {
            out.push_str(field);
        }
    }
    out.push_str("\r\n");
}

fn title(axis: &Axis, otherwise: &str) -> String {
    if axis.title.is_empty() { otherwise.to_owned() } else { axis.title.clone() }
}

fn place(axis: &Axis, value: f64) -> String {
    Quantity::of(axis, "x").category(value).map_or_else(|| plain(value), str::to_owned)
}
