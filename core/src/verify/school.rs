//! States of a school of fish, with the twelve values that the package which made them gives.
//!
//! Two sorts of JSON file, recognised by their keys:
//!
//! * `snapshots`: each names `pos` and `vel`, NumPy arrays of N × 3 beside the file, `box_size`, and `metrics` by their
//!   names in the package. `metrics_if_input_rounded_to_f32`, where present, are checked as well. The file may declare
//!   `series_columns` and `series_stride`: then `<case>_s<seed>_series_f32.npy` holds a row for every `series_stride`-th
//!   step of the run, and the rows at the steps of a snapshot are compared with what the snapshot gives here.
//! * `cases`: each with its `positions` and `velocities` inline, and either `metrics` or the error that it `raises`.
//!
//! A verdict is one value: `<name>/<metric>`, measured by `school.<metric>`.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use super::{
    Status, Verdict,
    json::{as_number, number},
};
use crate::measure::school::{
    SchoolError,
    library::{self, Centre, Library},
};

/// Relative tolerance of a value of a state.
const RELATIVE: f64 = 1e-6;
/// What rounding leaves of a 0.
const ABSOLUTE: f64 = 1e-9;
/// Relative tolerance of a value in a series: an f32 is within 2^-24 = 6e-8 of what was rounded.
const SERIES_RELATIVE: f64 = 1e-6;

type Vectors = Vec<[f64; 3]>;

/// What the files of a folder hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Folder {
    /// States with their expected values.
    pub states: Vec<State>,
    /// Time series of runs.
    pub series: Vec<Series>,
    /// What was recognised and cannot be checked.
    pub not_covered: Vec<Verdict>,
}

/// Where the positions and velocities of a state are.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// NumPy arrays of N × 3 beside the JSON file.
    Files {
        /// The positions.
        positions: String,
        /// The velocities.
        velocities: String,
    },
    /// In the JSON file.
    Inline {
        /// The positions.
        positions: Vectors,
        /// The velocities.
        velocities: Vectors,
    },
}

/// One state and what is expected of it.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub place: Place,
    box_size: f64,
    fish: Option<u64>,
    /// The run and the step that it is of.
    run: Option<(String, u64)>,
    expected: Expected,
    rounded: Option<Map<String, Json>>,
}

#[derive(Clone, Debug, PartialEq)]
enum Expected {
    Metrics(Map<String, Json>),
    Raises(String),
}

/// The series of one run: rows of values, one for every `stride`-th step.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// The NumPy array of rows × columns.
    pub file: String,
    /// Its columns.
    pub columns: Vec<String>,
    run: String,
    stride: u64,
}

/// Values of states that belong to runs, by run and step.
#[derive(Clone, Debug, Default)]
pub struct Measured(BTreeMap<(String, u64), Library>);

impl Folder {
    /// Whether `json` is a file of this format.
    #[must_use]
    pub fn recognises(json: &Json) -> bool {
        let list = |key: &str| json.get(key).and_then(Json::as_array);
        let placed = |item: &Json| item.get("positions").is_some() || item.get("velocities").is_some();
        list("snapshots").is_some() || list("cases").is_some_and(|cases| cases.iter().any(placed))
    }

    /// Adds what `json` holds; `stem` is the file's name without its ending.
    ///
    /// # Errors
    /// A sentence that says which entry lacks what.
    pub fn read(&mut self, stem: &str, json: &Json) -> Result<(), String> {
        let list = |key: &str| json.get(key).and_then(Json::as_array).into_iter().flatten().enumerate();
        for (i, item) in list("snapshots") {
            let state = State::snapshot(stem, item).map_err(|e| format!("snapshot {}: {e}", i + 1))?;
            self.states.push(state);
        }
        for (i, item) in list("cases") {
            self.states.push(State::case(item).map_err(|e| format!("case {}: {e}", i + 1))?);
        }
        self.read_series(stem, json)?;
        for key in ["runs", "targets"].into_iter().filter(|key| json.get(key).is_some()) {
            let why = "statistics over a run of the other package; no state is given from which to compute them";
            self.not_covered.push(Verdict {
                id: format!("{stem}/{key}"),
                measure: "school.run_statistics".to_owned(),
                status: Status::NotCovered,
                expected: Json::Null,
                got: Json::Null,
                why: Some(why.to_owned()),
            });
        }
        Ok(())
    }

    fn read_series(&mut self, stem: &str, json: &Json) -> Result<(), String> {
        let Some(columns) = json.get("series_columns") else { return Ok(()) };
        let columns: Option<Vec<String>> =
            columns.as_array().and_then(|c| c.iter().map(|c| c.as_str().map(str::to_owned)).collect());
        let columns = columns.ok_or("series_columns should be a list of names")?;
        let stride = json.get("series_stride").map_or(Some(1), Json::as_u64).filter(|&s| s > 0);
        let stride = stride.ok_or("series_stride should be a whole number of at least 1")?;
        let list = |key: &str| json.get(key).and_then(Json::as_array).into_iter().flatten();
        let runs = list("snapshots").filter_map(|s| run_of(stem, s));
        let runs = runs.chain(list("runs").filter_map(|r| run_of(stem, r)));
        let mut runs: Vec<String> = runs.collect();
        runs.sort();
        runs.dedup();
        self.series.extend(runs.into_iter().map(|run| Series {
            file: format!("{run}_series_f32.npy"),
            columns: columns.clone(),
            run,
            stride,
        }));
        Ok(())
    }
}

/// `case1_swarm_s42`: the run that an entry belongs to, if it says its seed.
fn run_of(stem: &str, json: &Json) -> Option<String> {
    let case = json.get("case").and_then(Json::as_str).unwrap_or(stem);
    json.get("seed").and_then(Json::as_i64).map(|seed| format!("{case}_s{seed}"))
}

impl State {
    fn snapshot(stem: &str, json: &Json) -> Result<Self, String> {
        let name = text(json, "name")?;
        let file = |key: &str| text(json, key).map_err(|e| format!("'{name}': {e}"));
        let place = Place::Files { positions: file("pos")?, velocities: file("vel")? };
        let run = run_of(stem, json).zip(json.get("step").and_then(Json::as_u64));
        Self::new(name, place, run, json)
    }

    fn case(json: &Json) -> Result<Self, String> {
        let name = text(json, "name")?;
        let array = |key: &str| {
            let value = json.get(key).ok_or_else(|| format!("'{name}' has no {key}"))?;
            vectors(value).map_err(|e| format!("'{name}': {key}{e}"))
        };
        let place = Place::Inline { positions: array("positions")?, velocities: array("velocities")? };
        Self::new(name, place, None, json)
    }

    fn new(name: String, place: Place, run: Option<(String, u64)>, json: &Json) -> Result<Self, String> {
        let box_size = json.get("box_size").and_then(Json::as_f64);
        let box_size = box_size.ok_or_else(|| format!("'{name}' has no box_size, or it is not a number"))?;
        let object = |key: &str| json.get(key).and_then(Json::as_object).cloned();
        let expected = match (object("metrics"), json.get("raises").and_then(Json::as_str)) {
            (_, Some(raises)) => Expected::Raises(raises.to_owned()),
            (Some(metrics), None) => Expected::Metrics(metrics),
            (None, None) => return Err(format!("'{name}' has neither metrics nor an error that it raises")),
        };
        let fish = json.get("n_fish").and_then(Json::as_u64);
        let rounded = object("metrics_if_input_rounded_to_f32");
        Ok(Self { name, place, box_size, fish, run, expected, rounded })
    }

    /// The verdicts of this state, which is at `positions` and `velocities`; its values are noted in `measured`.
    ///
    /// # Errors
    /// A sentence, when the state is not the one that its description says.
    pub fn judge(
        &self,
        positions: &[[f64; 3]],
        velocities: &[[f64; 3]],
        measured: &mut Measured,
    ) -> Result<Vec<Verdict>, String> {
        if let Some(fish) = self.fish.filter(|&fish| fish != positions.len() as u64) {
            return Err(format!("'{}' should have {fish} fish, and has {} positions", self.name, positions.len()));
        }
        let computed = library::measure(positions, velocities, self.box_size, Centre::Plain);
        if let (Some(run), Ok(values)) = (&self.run, &computed) {
            measured.0.insert(run.clone(), *values);
        }
        let mut verdicts = match &self.expected {
            Expected::Metrics(metrics) => compare_all(&self.name, metrics, &computed),
            Expected::Raises(raises) => vec![self.judge_error(raises, &computed)],
        };
        if let Some(metrics) = &self.rounded {
            let rounded = library::measure(&to_f32(positions), &to_f32(velocities), self.box_size, Centre::Plain);
            verdicts.extend(compare_all(&format!("{}/f32_input", self.name), metrics, &rounded));
        }
        Ok(verdicts)
    }

    /// An error agrees with one for the same reason.
    fn judge_error(&self, raises: &str, computed: &Result<Library, SchoolError>) -> Verdict {
        let (got, same) = match computed {
            Ok(_) => ("no error".to_owned(), false),
            Err(error) => {
                let reason = match error {
                    SchoolError::NotFinite { .. } => "finite",
                    SchoolError::AboveBox { .. } => "greater than",
                    SchoolError::BelowBox { .. } => "Negative",
                    _ => "",
                };
                (format!("error: {error}"), !reason.is_empty() && raises.contains(reason))
            }
        };
        let status = if same { Status::Agree } else { Status::Disagree };
        verdict(&self.name, "error", status, Json::from(format!("error: {raises}")), Json::from(got), None)
    }
}

impl Series {
    /// The verdict when the file is not there.
    #[must_use]
    pub fn missing(&self) -> Verdict {
        let why = format!("there is no file {}", self.file);
        verdict(&self.run, "series", Status::NotCovered, Json::Null, Json::Null, Some(why))
    }

    /// The verdicts of its `columns` of values: rows at the steps of a state in `measured` are compared with it.
    ///
    /// # Errors
    /// A sentence, when the array is not the one that its description says.
    pub fn judge(&self, columns: &[Vec<f64>], measured: &Measured) -> Result<Vec<Verdict>, String> {
        let file = &self.file;
        if columns.len() != self.columns.len() {
            return Err(format!("{file} has {} columns, and {} are named", columns.len(), self.columns.len()));
        }
        let rows = columns.first().map_or(0, Vec::len) as u64;
        let (mut verdicts, mut compared) = (Vec::new(), 0);
        let states = measured.0.iter().filter(|((run, step), _)| *run == self.run && step % self.stride == 0);
        for ((_, step), values) in states {
            let row = usize::try_from(step / self.stride).unwrap_or(usize::MAX);
            compared += 1;
            for (name, column) in self.columns.iter().zip(columns) {
                let Some(&expected) = column.get(row) else {
                    return Err(format!("{file} has {rows} rows, and step {step} would be row {row}"));
                };
                let id = format!("{}/series/step_{step}", self.run);
                let got = value_of(values, name);
                verdicts.push(compare(&id, name, &number(expected), got, SERIES_RELATIVE));
            }
        }
        if compared < rows {
            let why = format!(
                "{} of {rows} rows of {file} are of steps without a snapshot: there is nothing to compute them from",
                rows - compared
            );
            verdicts.push(verdict(&self.run, "series", Status::NotCovered, Json::Null, Json::Null, Some(why)));
        }
        Ok(verdicts)
    }
}

fn compare_all(name: &str, metrics: &Map<String, Json>, computed: &Result<Library, SchoolError>) -> Vec<Verdict> {
    let one = |(metric, expected): (&String, &Json)| match computed {
        Ok(values) => compare(name, metric, expected, value_of(values, metric), RELATIVE),
        Err(error) => {
            let got = Json::from(format!("error: {error}"));
            verdict(name, metric, Status::Disagree, expected.clone(), got, None)
        }
    };
    metrics.iter().map(one).collect()
}

fn value_of(values: &Library, metric: &str) -> Option<f64> {
    values.values().into_iter().find(|(name, _)| *name == metric).map(|(_, value)| value)
}

/// One value; `got` is `None` where this build has no such metric.
fn compare(name: &str, metric: &str, expected: &Json, got: Option<f64>, relative: f64) -> Verdict {
    let Some(got) = got else {
        let why = format!("no metric '{metric}' in this build");
        return verdict(name, metric, Status::NotCovered, expected.clone(), Json::Null, Some(why));
    };
    let why = match as_number(expected) {
        None => Some("the expected value is not a number".to_owned()),
        Some(e) if e.is_nan() || e.is_infinite() => {
            let same = e == got || (e.is_nan() && got.is_nan());
            (!same).then(|| "of another kind".to_owned())
        }
        Some(e) => {
            let off = (e - got).abs();
            // NaN must not pass: it is not below anything.
            let near = off <= relative * e.abs() + ABSOLUTE;
            (!near).then(|| format!("off by {off:.3e}, relative {:.3e}", off / e.abs()))
        }
    };
    let status = if why.is_none() { Status::Agree } else { Status::Disagree };
    verdict(name, metric, status, expected.clone(), number(got), why)
}

fn verdict(name: &str, metric: &str, status: Status, expected: Json, got: Json, why: Option<String>) -> Verdict {
    Verdict { id: format!("{name}/{metric}"), measure: format!("school.{metric}"), status, expected, got, why }
}

fn text(json: &Json, key: &str) -> Result<String, String> {
    json.get(key)
        .and_then(Json::as_str)
        .map(str::to_owned)
        .ok_or_else(|| format!("there is no {key}, or it is not text"))
}

fn vectors(json: &Json) -> Result<Vectors, String> {
    let rows = json.as_array().ok_or(" should be a list of [x, y, z]")?;
    let vector = |row: &Json| {
        let row: Option<Vec<f64>> = row.as_array().and_then(|r| r.iter().map(as_number).collect());
        row.and_then(|r| <[f64; 3]>::try_from(r).ok())
    };
    let one = |(i, row)| vector(row).ok_or_else(|| format!("[{i}] should be three numbers"));
    rows.iter().enumerate().map(one).collect()
}

/// The nearest f32 of every coordinate.
fn to_f32(vectors: &[[f64; 3]]) -> Vectors {
    #[expect(clippy::cast_possible_truncation, reason = "rounding is what is asked for")]
    let round = |x: f64| f64::from(x as f32);
    vectors.iter().map(|v| v.map(round)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn two() -> Json {
        json!({"name": "two", "box_size": 10.0, "positions": [[1, 1, 1], [2, 1, 1]], "velocities": [[1, 0, 0], [1, 0, 0]]})
    }

    fn judge(mut case: Json, key: &str, value: Json) -> Result<Vec<Verdict>, String> {
        case[key] = value;
        let mut folder = Folder::default();
        folder.read("mine", &json!({ "cases": [case] }))?;
        let state = &folder.states[0];
        let Place::Inline { positions, velocities } = &state.place else { return Err("inline".to_owned()) };
        state.judge(positions, velocities, &mut Measured::default())
    }

    #[test]
    fn values_agree_or_not_and_unknown_metrics_are_not_covered() {
        let metrics = json!({"polarization": 1.0, "spread": 0.6, "mood": 1.0});
        let verdicts = judge(two(), "metrics", metrics).unwrap();
        let status = |m: &str| verdicts.iter().find(|v| v.measure == format!("school.{m}")).unwrap().status;
        assert_eq!(status("polarization"), Status::Agree);
        assert_eq!(status("spread"), Status::Disagree);
        assert_eq!(status("mood"), Status::NotCovered);
        assert_eq!(verdicts[0].id, "two/mood");
    }

    #[test]
    fn nan_agrees_with_nan_only() {
        let nan = judge(two(), "metrics", json!({"spread": "nan"})).unwrap();
        assert_eq!(nan[0].status, Status::Disagree);
        let mut broken = two();
        broken["velocities"][0][0] = json!("nan");
        let nan = judge(broken.clone(), "metrics", json!({"polarization": "nan"})).unwrap();
        assert_eq!(nan[0].status, Status::Agree);
        let nan = judge(broken, "metrics", json!({"polarization": 0.5})).unwrap();
        assert_eq!(nan[0].status, Status::Disagree);
    }

    #[test]
    fn an_error_must_be_for_the_same_reason() {
        let mut outside = two();
        outside["positions"][1][2] = json!(-0.5);
        let status = |raises: &str| judge(outside.clone(), "raises", json!(raises)).unwrap()[0].status;
        assert_eq!(status("ValueError: Negative input data are outside of the periodic box."), Status::Agree);
        assert_eq!(status("ValueError: data must be finite"), Status::Disagree);
        assert_eq!(judge(two(), "raises", json!("ValueError: Negative")).unwrap()[0].status, Status::Disagree);
    }

    #[test]
    fn what_is_missing_is_named() {
        let error = judge(two(), "comment", json!("")).unwrap_err();
        assert_eq!(error, "case 1: 'two' has neither metrics nor an error that it raises");
        let mut flat = two();
        flat["positions"][1] = json!([1, 2]);
        let error = judge(flat, "metrics", json!({})).unwrap_err();
        assert_eq!(error, "case 1: 'two': positions[1] should be three numbers");
    }
}
