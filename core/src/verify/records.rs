//! Records: a measure, its parameters, and the value that another package gives for a file.
//!
//! A record names an input file, a measure, its parameters in the words of the package that made it, and either the
//! expected `value` with a relative tolerance or, for a policy, what is `expect`ed to be said
//! (`error: …`, `undefined: …`, `warning: …`).

use serde_json::{Map, Value as Json, json};

use super::{Status, Verdict, json::number};
use crate::{
    data::{Column, Dataset},
    measure::{self, Accepts, Context, MeasureError, Outcome, Subject, Value},
    quantity::Information,
};

/// The relative tolerance of a record that states none.
const TOLERANCE: f64 = 1e-9;
/// Values this close to zero are equal: what rounding leaves of a zero has no relative error.
const ABSOLUTE: f64 = 1e-12;

/// Where a package is known to fail: its name, the measure, and what goes wrong. A record in which it gives NaN for a
/// number that exists holds no reference value, and is listed as not covered with this reason.
const FAILURES: [(&str, &str, &str); 1] = [(
    "infomeasure",
    "shannon.nsb",
    "infomeasure weighs each factor of the prior by its count and scales by it away from its maximum, so that its \
     integrals overflow and it gives NaN",
)];

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
    library: String,
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
        let (unit, library) = (text("unit").unwrap_or_default(), text("library").unwrap_or_default());
        Ok(Self { id, input, measure, params, expected, unit, tolerance, library })
    }

    /// Whether this build has the record's measure at all; the input need not be read otherwise.
    #[must_use]
    pub fn is_covered(&self) -> bool {
        measure::find(canonical(&self.measure)).is_ok()
    }

    /// The files that [`Record::run`] wants, relative to the folder: the input, then the labels of its rows, where the
    /// record names them.
    #[must_use]
    pub fn files(&self) -> Vec<&str> {
        let labels = self.params.get("labels").and_then(Json::as_str);
        self.input.as_deref().into_iter().chain(labels).collect()
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

    /// Runs the record on its `files`, in the order of [`Record::files`], all columns in memory.
    ///
    /// # Errors
    /// [`MeasureError::Cancelled`]; every other failure is a verdict.
    pub async fn run(&self, files: &[&Dataset], context: &Context<'_>) -> Result<Verdict, MeasureError> {
        let Ok(entry) = measure::find(canonical(&self.measure)) else {
            return Ok(self.not_covered("no such measure in this build"));
        };
        let accepts = entry.about.accepts;
        let mut given = self.params.clone();
        let order = match take_order(&mut given) {
            Ok(order) => order,
            Err(why) => return Ok(self.not_covered(why)),
        };
        let params = match translate(entry.about.id, &given) {
            Ok(params) => params,
            Err(why) => return Ok(self.not_covered(why)),
        };
        if let Some(unknown) = params.keys().find(|k| !entry.parameters().iter().any(|p| p.name == **k)) {
            return Ok(self.not_covered(format!("no parameter '{unknown}' in this build")));
        }
        let input = files.first();
        let columns: Vec<&Column> = input.map(|d| d.columns.iter().collect()).unwrap_or_default();
        let matrix = input.and_then(|d| d.matrices.iter().find(|m| accepts.suits_array(m.values.ndim())));
        let labels: Vec<&Column> = files.get(1).and_then(|d| d.columns.first()).into_iter().collect();
        let chosen: Vec<&Column> = match accepts {
            Accepts::Pair | Accepts::SymbolPair => match (columns.get(order[0]), columns.get(order[1])) {
                (Some(first), Some(second)) => vec![first, second],
                _ => columns.into_iter().take(1).collect(),
            },
            Accepts::Table => columns,
            _ => columns.into_iter().take(1).collect(),
        };
        let subject = match matrix {
            Some(matrix) => Subject::from(matrix),
            None => Subject::from(chosen.as_slice()),
        };
        match entry.run(&Json::Object(params), subject.with(&labels), context).await {
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
                        Some(why) => match self.failure().filter(|_| got.is_number()) {
                            Some(failure) => self.verdict(Status::NotCovered, got, Some(failure.to_owned())),
                            None => self.verdict(Status::Disagree, got, Some(why)),
                        },
                    }
                }
            },
        }
    }

    /// Why the package gives NaN here, where that is known.
    fn failure(&self) -> Option<&'static str> {
        let nan = matches!(&self.expected, Expected::Value(value) if value == "nan");
        let of = |(library, measure, _): &&(&str, &str, &str)| *library == self.library && *measure == self.measure;
        FAILURES.iter().find(of).filter(|_| nan).map(|(_, _, why)| *why)
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
        "image.local_map_mean" | "image.local_map_at" => "image.local_map",
        other => other,
    }
}

/// Takes the columns of a pair out of the parameters: the one that the measure is of, then the other.
fn take_order(params: &mut Map<String, Json>) -> Result<[usize; 2], String> {
    let mut order = [0, 1];
    for (keys, place) in [(["of", "source"], 0), (["given", "target"], 1)] {
        for key in keys {
            if let Some(value) = params.remove(key) {
                let column = value.as_u64().and_then(|c| usize::try_from(c).ok());
                order[place] = column.ok_or_else(|| format!("{key} = {value} is no column"))?;
            }
        }
    }
    Ok(order)
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
            | ("kernel", Some("gaussian" | "exp(-d^2/(2 sigma^2))"))
            | ("window", Some("floor(sqrt(n)+0.5)" | "square, clipped at the border"))
            | ("gram", Some("X^T X trace-normalised")) => {}
            ("axis", None) if value == &json!(-1) => {}
            // A file of its own, see `Record::files`.
            ("labels", Some(_)) => {}
            ("reduce", Some("mean over query rows")) => {
                ours.insert("first_row".to_owned(), json!("keep"));
            }
            ("pixels", None) => {
                ours.insert("at".to_owned(), value.clone());
            }
            ("m", None) if value.is_array() => {
                for (place, name) in ["rows", "columns"].iter().enumerate() {
                    ours.insert((*name).to_owned(), value.get(place).cloned().unwrap_or(Json::Null));
                }
            }
            ("crop", Some(text)) => {
                ours.insert("crop".to_owned(), json!(translate_crop(text)));
            }
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

/// `rows 40:80, last 40 columns` as `40:80,-40:`; what is not of that form is left to the measure's own parser.
fn translate_crop(text: &str) -> String {
    let part = |part: &str, what: &str| {
        let words = part.trim();
        let last = words.strip_prefix("last ").and_then(|rest| rest.strip_suffix(what));
        let first = words.strip_prefix("first ").and_then(|rest| rest.strip_suffix(what));
        match (last, first, words.strip_prefix(what)) {
            (Some(n), _, _) => Some(format!("-{}:", n.trim())),
            (_, Some(n), _) => Some(format!(":{}", n.trim())),
            (_, _, Some(range)) => Some(range.trim().to_owned()),
            _ => None,
        }
    };
    let parts = text.split_once(',').and_then(|(a, b)| Some((part(a, "rows")?, part(b, "columns")?)));
    parts.map_or_else(|| text.to_owned(), |(rows, columns)| format!("{rows},{columns}"))
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
    use crate::{
        compute::Cpu,
        data::{Kind, Provenance},
        pace::Unhurried,
    };

    fn run(record: &Json, column: &Column) -> Verdict {
        let context = Context::new(&Cpu, &Unhurried);
        let provenance = Provenance {
            name: "x".into(),
            size: 0,
            sha256: String::new(),
            kind: Kind::Npy,
            read_as: String::new(),
            files: Vec::new(),
        };
        let file = Dataset { provenance, columns: vec![column.clone()], matrices: vec![], notes: vec![] };
        pollster::block_on(Record::parse(record).unwrap().run(&[&file], &context)).unwrap()
    }

    #[test]
    fn crops_in_words_become_ranges() {
        assert_eq!(translate_crop("rows 40:80, last 40 columns"), "40:80,-40:");
        assert_eq!(translate_crop("first 8 rows, columns 3:9"), ":8,3:9");
        assert_eq!(translate_crop("1:2,3:4"), "1:2,3:4");
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
