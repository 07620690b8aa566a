//! Columns beside each other: pairs as a grid, one table of what several columns have in common, and one plane.

use serde_json::Value as Json;

use super::ResultRecord;
use crate::{
    figure::{Axis, ColourMap, Figure, Mark, Panel, number},
    measure::{self, ordinal::plane_of_several},
};

/// The measure whose two values are a point of the plane.
const PLANE: &str = "perm.complexity_plane";

/// One measure over pairs of columns as a grid: rows are the first column of a pair, columns the second. A measure
/// that is the same both ways round fills both halves. `None` for fewer than three columns.
#[must_use]
pub fn pair_grid(results: &[&ResultRecord]) -> Option<Figure> {
    let measure = results.first()?.measure.clone();
    let entry = measure::find(&measure).ok()?;
    let pairs = results.iter().filter_map(|r| match (&r.column, r.with.as_slice()) {
        (Some(a), [b]) if r.measure == measure => Some((a.as_str(), b.as_str(), r.value.as_f64())),
        _ => None,
    });
    let pairs: Vec<_> = pairs.collect();
    let mut names: Vec<&str> = Vec::new();
    for (a, b, _) in &pairs {
        for name in [a, b] {
            if !names.contains(name) {
                names.push(name);
            }
        }
    }
    let n = names.len();
    if n < 3 {
        return None;
    }
    let place = |name: &str| names.iter().position(|n| *n == name).unwrap_or(0);
    // Rows of cells go up, those of a table down.
    let mut values = vec![f64::NAN; n * n];
    for (a, b, value) in &pairs {
        let (i, j, value) = (place(a), place(b), value.unwrap_or(f64::NAN));
        values[(n - 1 - i) * n + j] = value;
        if !entry.directed {
            values[(n - 1 - j) * n + i] = value;
        }
    }
    let title = entry.about.title;
    let unit = results.iter().find_map(|r| r.unit).map(|u| u.symbol()).filter(|s| *s != "1");
    let largest = pairs.iter().filter_map(|(a, b, v)| Some((a, b, (*v)?))).max_by(|x, y| x.2.total_cmp(&y.2));
    let most = largest.map(|(a, b, v)| format!(" The largest is {} for {a} and {b}.", number(v))).unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "a number of columns")]
    let edges: Vec<f64> = (0..=n).map(|i| i as f64 - 0.5).collect();
    let axis = |title: &str, names: Vec<String>| Axis {
        title: title.to_owned(),
        names,
        range: edges.first().copied().zip(edges.last().copied()),
        ..Axis::default()
    };
    let (rows, columns) = if entry.directed { ("first column", "second column") } else { ("", "") };
    let across: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
    let down = across.iter().rev().cloned().collect();
    Some(Figure {
        id: "pairs".to_owned(),
        title: format!("{title}, every pair"),
        description: format!("A cell for each pair of {n} columns.{most}"),
        panels: vec![Panel {
            x: axis(columns, across),
            y: axis(rows, down),
            marks: vec![Mark::Cells {
                x: edges.clone(),
                y: edges.clone(),
                values,
                title: unit.map_or_else(|| title.to_owned(), |unit| format!("{title} ({unit})")),
                range: None,
                map: ColourMap::default(),
            }],
            weight: 1.0,
        }],
    })
}

/// The points of several columns in one complexity-entropy plane. `None` for fewer than two, or where they were not
/// measured with the same order and delay.
#[must_use]
pub fn planes(results: &[&ResultRecord]) -> Option<Figure> {
    let mine: Vec<&ResultRecord> = results.iter().copied().filter(|r| r.measure == PLANE).collect();
    let parameter = |r: &ResultRecord, key: &str| r.parameters.get(key)?.as_u64().and_then(|n| u32::try_from(n).ok());
    let scale = |r: &ResultRecord| Some((parameter(r, "order")?, parameter(r, "delay")?));
    let (order, delay) = scale(mine.first()?)?;
    let point = |r: &&ResultRecord| {
        let [h, c] = r.value.as_array()?.as_slice() else { return None };
        Some((r.column.as_deref()?.to_owned(), h.as_f64()?, c.as_f64()?))
    };
    let points: Vec<(String, f64, f64)> = mine.iter().filter_map(point).collect();
    let points: Vec<(&str, f64, f64)> = points.iter().map(|(name, h, c)| (name.as_str(), *h, *c)).collect();
    let alike = mine.iter().all(|r| scale(r) == Some((order, delay)));
    (points.len() > 1 && alike).then(|| plane_of_several(order, delay, &points))
}

/// What several columns (or arrays) have in common: one row each, one column a measure.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison<'a> {
    /// The measures that have a number for two rows at least: ids of the catalogue, in the order of the results.
    pub measures: Vec<&'a str>,
    /// The name of a column or array, and its result by each of `measures`, where there is one.
    pub rows: Vec<(&'a str, Vec<Option<&'a ResultRecord>>)>,
}

impl<'a> Comparison<'a> {
    /// `None` where nothing can be compared: fewer than two columns, or none that share a measure.
    #[must_use]
    pub fn of(results: &[&'a ResultRecord]) -> Option<Self> {
        let alone = |r: &&&ResultRecord| r.with.is_empty() && r.column.is_some() && is_small(&r.value);
        let mine: Vec<&'a ResultRecord> = results.iter().filter(alone).copied().collect();
        let mut measures: Vec<&'a str> = Vec::new();
        for r in &mine {
            let shared = mine.iter().filter(|other| other.measure == r.measure).count() > 1;
            if shared && !measures.contains(&r.measure.as_str()) {
                measures.push(&r.measure);
            }
        }
        let mut rows: Vec<(&'a str, Vec<Option<&'a ResultRecord>>)> = Vec::new();
        for r in &mine {
            let Some(place) = measures.iter().position(|id| *id == r.measure) else { continue };
            let name = r.column.as_deref().unwrap_or_default();
            let at = rows.iter().position(|(row, _)| *row == name).unwrap_or_else(|| {
                rows.push((name, vec![None; measures.len()]));
                rows.len() - 1
            });
            rows[at].1[place] = Some(*r);
        }
        (rows.len() > 1).then_some(Self { measures, rows })
    }
}

/// Whether a value fits into a cell: a number, or a few with names.
fn is_small(value: &Json) -> bool {
    value.is_number() || value.as_array().is_some_and(|a| (1..=3).contains(&a.len()) && a.iter().all(Json::is_number))
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;
    use crate::{
        measure::{Outcome, Value},
        quantity::{Information, Unit},
    };

    fn record(measure: &str, column: &str, with: &str, value: f64) -> ResultRecord {
        let outcome = Outcome::new(Value::Scalar(value), Unit::Nats, "plug-in", 10);
        ResultRecord::new(measure, Some(column), &Map::new(), Ok(outcome), Information::Native, 0.0)
            .with(vec![with.to_owned()])
    }

    fn cells(results: &[ResultRecord]) -> Option<(Figure, Vec<f64>)> {
        let figure = pair_grid(&results.iter().collect::<Vec<_>>())?;
        let Mark::Cells { values, .. } = figure.panels[0].marks[0].clone() else { panic!("cells") };
        Some((figure, values))
    }

    #[test]
    fn pairs_make_a_grid_whose_first_row_is_on_top() {
        let pairs = [("a", "b", 1.0), ("a", "c", 2.0), ("b", "c", 3.0)];
        let both = pairs.map(|(a, b, v)| record("mi.ksg1", a, b, v));
        let (figure, values) = cells(&both).unwrap();
        assert_eq!(figure.panels[0].x.names, ["a", "b", "c"]);
        assert_eq!(figure.panels[0].y.names, ["c", "b", "a"]);
        // The top row is the last one of the cells: a with b and c.
        assert_eq!(values[7..], [1.0, 2.0]);
        assert_eq!((values[0], values[1]), (2.0, 3.0));
        assert!(values[2].is_nan() && values[4].is_nan() && values[6].is_nan());
        let directed = pairs.map(|(a, b, v)| record("te.ksg", a, b, v));
        let (_, values) = cells(&directed).unwrap();
        assert!(values[0].is_nan() && values[7] == 1.0);
        assert!(cells(&both[..1]).is_none());
    }

    fn of_one(measure: &str, column: &str, value: Json, order: u32) -> ResultRecord {
        let outcome = Outcome::new(Value::Scalar(0.0), Unit::One, "plug-in", 10);
        let mut record = ResultRecord::new(measure, Some(column), &Map::new(), Ok(outcome), Information::Native, 0.0);
        record.value = value;
        record.parameters = Map::from_iter([("order".to_owned(), json!(order)), ("delay".to_owned(), json!(1))]);
        record
    }

    #[test]
    fn columns_that_share_a_measure_are_compared() {
        let all = [
            of_one("perm", "a", json!(0.5), 3),
            of_one("series.profile", "a", json!([1, 2, 3, 4, 5]), 3),
            of_one("sampen", "a", Json::Null, 3),
            of_one("spectral", "a", json!(0.1), 3),
            of_one("perm", "b", json!(0.6), 3),
            of_one("sampen", "b", json!(1.5), 3),
            record("mi.ksg1", "a", "b", 0.2),
        ];
        let found = Comparison::of(&all.iter().collect::<Vec<_>>()).unwrap();
        // A profile is no number, only one column has a spectrum and a sample entropy, a pair is no column.
        assert_eq!(found.measures, ["perm"]);
        let names: Vec<&str> = found.rows.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["a", "b"]);
        assert_eq!(found.rows[1].1[0].unwrap().value, json!(0.6));
        assert_eq!(Comparison::of(&all[..4].iter().collect::<Vec<_>>()), None);
        assert_eq!(Comparison::of(&[]), None);
    }

    #[test]
    fn one_plane_for_several_columns_of_one_order() {
        let [a, b, c] =
            [("a", 3), ("b", 3), ("c", 4)].map(|(name, order)| of_one(PLANE, name, json!([0.5, 0.25]), order));
        let figure = planes(&[&a, &b]).unwrap();
        let points = |m: &&Mark| matches!(m, Mark::Points { .. });
        assert_eq!(figure.panels[0].marks.iter().filter(points).count(), 2);
        assert!(figure.description.contains("b at H = 0.500, C = 0.250"), "{}", figure.description);
        assert!(planes(&[&a]).is_none() && planes(&[&a, &c]).is_none());
        let failed = of_one(PLANE, "d", Json::Null, 3);
        assert!(planes(&[&a, &failed]).is_none());
    }
}
