//! Records: a measure, its parameters, and the value that another package gives for a column.
//!
//! A record names an input file, a measure, its parameters in the words of the package that made it, and either the
//! expected `value` with a relative tolerance or, for a policy, what is `expect`ed to be said
//! (`error: …`, `undefined: …`, `warning: …`).

use serde_json::{Map, Value as Json, json};

use super::{Status, Verdict, json::number};
use crate::{
    data::Column,
    measure::{self, Context, MeasureError, Outcome, Value},
    quantity::Information,
};

/// The relative tolerance of a record that states none.
const TOLERANCE: f64 = 1e-9;
/// Values this close to zero are equal: what rounding leaves of a zero has no relative error.
const ABSOLUTE: f64 = 1e-12;

/// A record as it is written in a golden file.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Its id.
    pub id: String,
    /// The input file relative to the folder; `None` where the measure takes no data.
    pub input: Option<String>,
    /// The measure.
    pub measure: String,
    params: Map<String, Json>,
    expected: Expected,
    unit: String,
    tolerance: f64,
}

#[derive(Clone, Debug, PartialEq)]
enum Expected {
    Value(Json),
    Said(String),
}

impl Record {
    /// Reads one record.
    ///
    /// # Errors
    /// A sentence that says what the record lacks.
    pub fn parse(json: &Json) -> Result<Self, String> {
        let text = |key: &str| json.get(key).and_then(Json::as_str).map(str::to_owned);
        let id = text("id").unwrap_or_else(|| "(no id)".to_owned());
        let measure = text("measure").ok_or_else(|| format!("record {id} has no measure"))?;
        let expected = match (json.get("value"), text("expect")) {
            (_, Some(said)) => Expected::Said(said),
            (Some(value), None) => Expected::Value(value.clone()),
            (None, None) => return Err(format!("record {id} has neither a value nor an expectation")),
        };
        let input = text("input").filter(|i| i != "-" && !i.ends_with("/-"));
        let params = match json.get("params") {
            None | Some(Json::Null) => Map::new(),
            Some(Json::Object(map)) => map.clone(),
            Some(other) => return Err(format!("record {id}: params is {other}, and should be an object")),
        };
        let tolerance = json.get("tol_rel").and_then(Json::as_f64).unwrap_or(TOLERANCE);
        Ok(Self { id, input, measure, params, expected, unit: text("unit").unwrap_or_default(), tolerance })
    }

    /// Whether this build has the record's measure at all; the input need not be read otherwise.
    #[must_use]
    pub fn is_covered(&self) -> bool {
        measure::find(canonical(&self.measure)).is_ok()
    }

    /// The verdict of a record that was not run.
    #[must_use]
    pub fn not_covered(&self, why: impl Into<String>) -> Verdict {
        self.verdict(Status::NotCovered, Json::Null, Some(why.into()))
    }

    fn verdict(&self, status: Status, got: Json, why: Option<String>) -> Verdict {
        let expected = match &self.expected {
            Expected::Value(value) => value.clone(),
            Expected::Said(said) => Json::from(said.clone()),
        };
        Verdict { id: self.id.clone(), measure: self.measure.clone(), status, expected, got, why }
    }

    /// Runs the record on `column`.
    ///
    /// # Errors
    /// [`MeasureError::Cancelled`]; every other failure is a verdict.
    pub async fn run(&self, column: &Column, context: &Context<'_>) -> Result<Verdict, MeasureError> {
        let Ok(entry) = measure::find(canonical(&self.measure)) else {
            return Ok(self.not_covered("no such measure in this build"));
        };
        let params = match translate(entry.about.id, &self.params) {
            Ok(params) => params,
            Err(why) => return Ok(self.not_covered(why)),
        };
        if let Some(unknown) = params.keys().find(|k| !entry.parameters().iter().any(|p| p.name == **k)) {
            return Ok(self.not_covered(format!("no parameter '{unknown}' in this build")));
        }
        match entry.run(&Json::Object(params), column, context).await {
            Err(MeasureError::Cancelled(cancelled)) => Err(cancelled.into()),
            computed => Ok(self.judge(computed)),
        }
    }

    fn judge(&self, computed: Result<Outcome, MeasureError>) -> Verdict {
        match &self.expected {
            Expected::Said(said) => self.judge_policy(said, &computed),
            Expected::Value(expected) => match computed {
                Err(error) => self.verdict(Status::Disagree, Json::from(format!("error: {error}")), None),
                Ok(outcome) => {
                    let got = json_of(&in_unit_of(outcome, &self.unit).value);
                    match difference(expected, &got, self.tolerance) {
                        None => self.verdict(Status::Agree, got, None),
                        Some(why) => self.verdict(Status::Disagree, got, Some(why)),
                    }
                }
            },
        }
    }

    /// A policy is `class: words`: something of that class must be said in those words.
    fn judge_policy(&self, said: &str, computed: &Result<Outcome, MeasureError>) -> Verdict {
        let (class, words) = said.split_once(':').map_or((said, ""), |(c, w)| (c.trim(), w.trim()));
        let ours: Vec<(&str, String)> = match computed {
            Err(error) => vec![("error", error.to_string())],
            Ok(outcome) => {
                let undefined = match outcome.value {
                    Value::Undefined(reason) => Some(("undefined", reason.to_string())),
                    _ => None,
                };
                let warnings = outcome.warnings.iter().map(|w| ("warning", w.text.clone()));
                undefined.into_iter().chain(warnings).collect()
            }
        };
        let holds = ours.iter().any(|(c, text)| *c == class && text.contains(words));
        let got = ours.iter().map(|(c, text)| format!("{c}: {text}")).collect::<Vec<_>>().join("; ");
        self.verdict(if holds { Status::Agree } else { Status::Disagree }, Json::from(got), None)
    }
}

/// Other names of our measures in golden records.
fn canonical(id: &str) -> &str {
    match id {
        "entropy_rate.block" => "entropy_rate",
        other => other,
    }
}

/// Parameters from the words of the records into those of the catalogue.
fn translate(id: &str, params: &Map<String, Json>) -> Result<Map<String, Json>, String> {
    let mut ours = Map::new();
    for (key, value) in params {
        let text = value.as_str();
        match (key.as_str(), text) {
            ("r", Some(text)) => {
                let factor = text.split("*std(ddof=0)").next().filter(|f| *f != text);
                let factor = factor.ok_or_else(|| format!("tolerance '{text}' is not known"))?;
                ours.insert("r".to_owned(), json!(format!("{factor} sd")));
            }
            ("binarize", Some(">= median")) => {
                ours.insert("binarize".to_owned(), json!("median"));
            }
            ("psd", Some(text)) => translate_psd(text, &mut ours)?,
            ("L" | "n" | "scales", Some(text)) if text.contains("..") => {
                let first = if key == "n" { "2" } else { "1" };
                let last = text.split_once("..").filter(|(from, _)| *from == first).map(|(_, to)| to);
                let last = last.and_then(|to| to.parse::<u32>().ok());
                ours.insert(key.clone(), json!(last.ok_or_else(|| format!("{key} = '{text}' is not known"))?));
            }
            ("K", _) => {
                ours.insert("alphabet".to_owned(), value.clone());
            }
            ("tokens", Some("latin-1, lower, whitespace split")) => {
                ours.insert("encoding".to_owned(), json!("latin-1"));
                ours.insert("lower".to_owned(), json!(true));
            }
            ("smoothing", Some("add-1 over 256 bytes")) => {
                ours.insert("alpha".to_owned(), json!(1.0));
            }
            ("train", Some("first half")) => {
                ours.insert("train".to_owned(), json!(0.5));
            }
            ("levels_deg", None) => {
                for (place, name) in ["delta", "gamma"].iter().enumerate() {
                    ours.insert((*name).to_owned(), value.get(place).cloned().unwrap_or(Json::Null));
                }
            }
            // What is always so here.
            ("test", Some("second half"))
            | ("map", Some("ncdf"))
            | ("kernel", Some("gaussian"))
            | ("window", Some("floor(sqrt(n)+0.5)")) => {}
            // Our byte measures take bytes and overlapping n-grams, and nothing else.
            ("symbols", Some("bytes")) => {}
            ("overlap", None) if value == &Json::Bool(true) && id.starts_with("ngram") => {}
            _ => {
                ours.insert(key.clone(), value.clone());
            }
        }
    }
    // Packages take slopes in the units of the values; ours divides by the standard deviation unless told otherwise.
    if id == "slope" {
        ours.entry("zscore").or_insert(Json::Bool(false));
    }
    Ok(ours)
}

fn translate_psd(text: &str, ours: &mut Map<String, Json>) -> Result<(), String> {
    let unknown = || format!("psd '{text}' is not known");
    if text.contains("periodogram") {
        ours.insert("psd".to_owned(), json!("periodogram"));
        return Ok(());
    }
    let nperseg = text.strip_prefix("welch nperseg=").and_then(|rest| rest.strip_suffix(" hann"));
    let nperseg = nperseg.and_then(|n| n.parse::<u32>().ok()).ok_or_else(unknown)?;
    ours.insert("psd".to_owned(), json!("welch"));
    ours.insert("nperseg".to_owned(), json!(nperseg));
    Ok(())
}

fn in_unit_of(outcome: Outcome, unit: &str) -> Outcome {
    if unit.starts_with("bit") {
        outcome.in_unit(Information::Bit)
    } else if unit.starts_with("nat") {
        outcome.in_unit(Information::Nat)
    } else {
        outcome
    }
}

/// The value with infinities and the undefined in the words of the records.
fn json_of(value: &Value) -> Json {
    match value {
        Value::Scalar(x) => number(*x),
        Value::Vector(v) => v.iter().map(|&x| number(x)).collect(),
        Value::Curves(c) => c.iter().map(|v| Json::from_iter(v.iter().map(|&x| number(x)))).collect(),
        Value::Undefined(reason) => Json::from(format!("undefined: {reason}")),
    }
}

/// Where `got` leaves the tolerance around `expected`; `None` if nowhere.
fn difference(expected: &Json, got: &Json, tolerance: f64) -> Option<String> {
    match (expected, got) {
        (Json::Array(e), Json::Array(g)) if e.len() == g.len() => e
            .iter()
            .zip(g)
            .enumerate()
            .find_map(|(i, (e, g))| difference(e, g, tolerance).map(|why| format!("[{i}] {why}"))),
        (Json::Array(e), Json::Array(g)) => Some(format!("{} values expected, {} given", e.len(), g.len())),
        // A package that answers NaN calls the quantity undefined.
        (Json::String(e), Json::String(g)) if e == "nan" && g.starts_with("undefined") => None,
        _ => match (expected.as_f64(), got.as_f64()) {
            (Some(e), Some(g)) => {
                let off = (e - g).abs();
                (off > tolerance * e.abs() + ABSOLUTE)
                    .then(|| format!("off by {off:.3e}, relative {:.3e}", off / e.abs()))
            }
            _ => (expected != got).then(|| "of another kind".to_owned()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{compute::Cpu, pace::Unhurried};

    fn run(record: &Json, column: &Column) -> Verdict {
        let context = Context::new(&Cpu, &Unhurried);
        pollster::block_on(Record::parse(record).unwrap().run(column, &context)).unwrap()
    }

    #[test]
    fn a_wrong_value_disagrees_and_an_unknown_measure_is_not_covered() {
        let column = Column::integer("x", vec![0, 1, 0, 1]);
        let record = |measure: &str, value: f64| json!({"id": "a", "measure": measure, "params": {}, "value": value, "unit": "bits"});
        assert_eq!(run(&record("shannon.plugin", 1.0), &column).status, Status::Agree);
        assert_eq!(run(&record("shannon.plugin", 1.0001), &column).status, Status::Disagree);
        assert_eq!(run(&record("no.such", 1.0), &column).status, Status::NotCovered);
    }

    #[test]
    fn policies_are_compared_by_class_and_words() {
        let column = Column::real("x", vec![1.0, f64::NAN, 2.0, f64::INFINITY, 3.0]);
        let record = |expect: &str| json!({"id": "a", "measure": "perm", "params": {"order": 3}, "expect": expect});
        assert_eq!(run(&record("error: non-finite values at index 1, 3"), &column).status, Status::Agree);
        assert_eq!(run(&record("error: non-finite values at index 2"), &column).status, Status::Disagree);
        assert_eq!(run(&record("undefined: zero variance"), &column).status, Status::Disagree);
    }

    #[test]
    fn nats_are_compared_with_nats() {
        let column = Column::integer("x", vec![0, 1, 0, 1]);
        let record = json!({"id": "a", "measure": "shannon.plugin", "params": {}, "value": std::f64::consts::LN_2, "unit": "nats"});
        assert_eq!(run(&record, &column).status, Status::Agree);
    }
}
