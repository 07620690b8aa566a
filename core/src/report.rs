//! The record of measuring one file: the document that the command line prints, the page exports, and either reads.
//!
//! ```json
//! {"surprisal": "0.1.0",
//!  "input": {"name": "…", "sha256": "…", "size": 1, "kind": "csv", "read_as": "…",
//!            "columns": [{"name": "…", "unit": null, "type": "real", "len": 9, "missing": 0}]},
//!  "results": [{"measure": "perm", "column": "…", "parameters": {}, "value": 1.5, "unit": "bits",
//!               "uncertainty": {"low": 1.4, "high": 1.6, "method": "…"}, "backend": "cpu", "adapter": null,
//!               "seconds": 0.01}]}
//! ```
//! A result that was compared with surrogate data says so: `"surrogates": {"kind": "iaaft", "count": 99, "mean": [1.2], "low": [1.1],
//! "high": [1.3], "p_value": [0.01], …}`, one entry of a list for each value.
//! A measure of several columns names the others as `"with": ["…"]`, and one of an array has its name as the column.
//! A measure that cannot be computed for a column has `"value": null` and says `"why"`.

mod compare;

pub use compare::{Comparison, pair_grid, planes};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::{
    compute::{Backend, Ran},
    data::{Column, ColumnType, Dataset, Kind, Matrix, Provenance},
    figure::number,
    measure::{self, Accepts, MeasureError, Outcome, Warning, surrogate::Surrogates},
    quantity::{Information, Uncertainty, Unit},
};

/// Everything that was measured of one file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The version that made it.
    pub surprisal: String,
    /// The file.
    pub input: InputRecord,
    /// One for each measure and column, in the order that was asked for.
    pub results: Vec<ResultRecord>,
}

/// The measured file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InputRecord {
    /// Where it comes from.
    #[serde(flatten)]
    pub provenance: Provenance,
    /// Its columns.
    pub columns: Vec<ColumnRecord>,
}

/// One column of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnRecord {
    /// Its name.
    pub name: String,
    /// Its unit where known.
    pub unit: Option<String>,
    /// Its type.
    #[serde(rename = "type")]
    pub ty: ColumnType,
    /// Values, missing ones included.
    pub len: u64,
    /// Missing values.
    pub missing: u64,
}

/// One measure of one column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResultRecord {
    /// The measure's id.
    pub measure: String,
    /// The column's name, or the matrix's; null for a measure that takes no data.
    pub column: Option<String>,
    /// The columns that were measured together with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub with: Vec<String>,
    /// All parameters, defaults included.
    pub parameters: Map<String, Json>,
    /// A number, an array, or null.
    pub value: Json,
    /// Why there is no value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The value's unit.
    pub unit: Option<Unit>,
    /// How sure the value is.
    pub uncertainty: Option<Uncertainty>,
    /// Where it lies among surrogates, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub surrogates: Option<Surrogates>,
    /// The estimator's name.
    pub estimator: Option<String>,
    /// How many values were used.
    pub n: Option<u64>,
    /// What the reader should know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
    /// What was chosen on the way.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub details: Map<String, Json>,
    /// Where the counting ran; null where nothing ran.
    pub backend: Option<Backend>,
    /// The adapter's name for a GPU.
    pub adapter: Option<String>,
    /// Wall-clock time of the computation.
    pub seconds: f64,
}

impl Report {
    /// An empty report of `dataset`.
    #[must_use]
    pub fn new(dataset: &Dataset) -> Self {
        Self {
            surprisal: env!("CARGO_PKG_VERSION").to_owned(),
            input: InputRecord {
                provenance: dataset.provenance.clone(),
                columns: dataset.columns.iter().map(ColumnRecord::new).collect(),
            },
            results: Vec::new(),
        }
    }
}

impl ColumnRecord {
    /// The description of `column`.
    #[must_use]
    pub fn new(column: &Column) -> Self {
        Self {
            name: column.name.clone(),
            unit: column.unit.clone(),
            ty: column.ty,
            len: column.len,
            missing: column.missing,
        }
    }
}

impl ResultRecord {
    /// The record of a computation that took `seconds`. `given` are the parameters that were asked for; an outcome
    /// knows them in full.
    #[must_use]
    pub fn new(
        measure: &str,
        column: Option<&str>,
        given: &Map<String, Json>,
        computed: Result<Outcome, MeasureError>,
        information: Information,
        seconds: f64,
    ) -> Self {
        let mut record = Self {
            measure: measure.to_owned(),
            column: column.map(str::to_owned),
            with: Vec::new(),
            parameters: given.clone(),
            value: Json::Null,
            why: None,
            unit: None,
            uncertainty: None,
            surrogates: None,
            estimator: None,
            n: None,
            warnings: Vec::new(),
            details: Map::new(),
            backend: None,
            adapter: None,
            seconds,
        };
        match computed {
            Ok(outcome) => record.fill(outcome.in_unit(information)),
            Err(error) => record.why = Some(error.to_string()),
        }
        record
    }

    /// The same record, of a column beside others.
    #[must_use]
    pub fn with(mut self, columns: Vec<String>) -> Self {
        self.with = columns;
        self
    }

    /// What was measured, in words: `x`, or `x with y, z`.
    #[must_use]
    pub fn subject(&self) -> Option<String> {
        let column = self.column.as_ref()?;
        Some(if self.with.is_empty() { column.clone() } else { format!("{column} with {}", self.with.join(", ")) })
    }

    /// The value with what each of its numbers is, where they are few and different: `H 0.9, C 0.1`.
    #[must_use]
    pub fn named_parts(&self) -> Option<String> {
        let parts = measure::find(&self.measure).ok()?.parts;
        let values: Vec<f64> = self.value.as_array()?.iter().filter_map(Json::as_f64).collect();
        let named = parts.iter().zip(&values).map(|(part, value)| format!("{part} {}", number(*value)));
        (!parts.is_empty() && parts.len() == values.len()).then(|| named.collect::<Vec<_>>().join(", "))
    }

    /// What was done, as the methods section of a paper says it: measure, parameters, estimator, interval, definition,
    /// source, program.
    #[must_use]
    pub fn methods(&self) -> String {
        let about = measure::find(&self.measure).ok().map(|entry| entry.about);
        let title = about.map_or(self.measure.as_str(), |about| about.title);
        let mut text = title.to_owned();
        if let Some(subject) = self.subject() {
            text.push_str(&format!(" of {subject}"));
        }
        if let Some(n) = self.n.filter(|n| *n > 0) {
            text.push_str(&format!(" (n = {n})"));
        }
        text.push_str(" was computed");
        if let Some(estimator) = &self.estimator {
            text.push_str(&format!(" with the estimator \u{201c}{estimator}\u{201d}"));
        }
        let given = self.parameters.iter().filter(|(_, value)| !value.is_null());
        let given: Vec<String> = given
            .map(|(name, value)| {
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                format!("{} = {value}", name.replace('_', " "))
            })
            .collect();
        if !given.is_empty() {
            text.push_str(&format!(" ({})", given.join(", ")));
        }
        text.push('.');
        let unit = self.unit.map(|u| u.symbol()).filter(|s| *s != "1").map(|s| format!(" {s}")).unwrap_or_default();
        if let Some(value) = self.value.as_f64() {
            text.push_str(&format!(" The value is {}{unit}", number(value)));
            if let Some(u) = &self.uncertainty {
                text.push_str(&format!(" (95 % interval {} to {}; {})", number(u.low), number(u.high), u.method));
            }
            text.push('.');
        } else if let Some(parts) = self.named_parts() {
            text.push_str(&format!(" The values are {parts}{unit}."));
        }
        if let Some(s) = &self.surrogates {
            let p = s.smallest_p().map_or_else(|| "unknown".to_owned(), number);
            let which = if s.p_value.len() > 1 { "smallest of the two-sided p-values" } else { "two-sided p" };
            let (count, title, seed, source) = (s.count, s.kind.title(), s.seed, s.kind.source());
            text.push_str(&format!(" Among {count} {title} surrogates (seed {seed}; {source}): {which} = {p}."));
        }
        if let Some(about) = about {
            text.push_str(&format!(" Definition: {}. Source: {}.", about.equation, about.source));
        }
        text.push_str(&format!(" Software: Surprisal {}.", env!("CARGO_PKG_VERSION")));
        text
    }

    fn fill(&mut self, outcome: Outcome) {
        self.why = outcome.why();
        let Ran { backend, adapter } = outcome.ran;
        self.value = outcome.value.to_json();
        self.parameters = outcome.parameters;
        self.unit = Some(outcome.unit);
        self.uncertainty = outcome.uncertainty;
        self.surrogates = outcome.surrogates;
        self.estimator = Some(outcome.estimator.to_owned());
        self.n = Some(outcome.n);
        // What `why` says already.
        self.warnings = outcome.warnings.into_iter().filter(|w| w.code != "infinite").collect();
        self.details = outcome.details;
        self.backend = Some(backend);
        self.adapter = adapter;
    }
}

/// Above this length the quadratic measures are not suggested: they are offered, with their cost.
const MOST_SUGGESTED_PAIRS: u64 = 200_000;

/// The measures that a report shows for a column before anybody has chosen: ids of the catalogue.
#[must_use]
pub fn suggested(column: &Column, kind: Kind) -> Vec<&'static str> {
    let mut ids: Vec<&'static str> = match column.ty {
        ColumnType::Time => vec![],
        ColumnType::Bytes if kind == Kind::Image => vec!["shannon.plugin", "bytes.entropy"],
        ColumnType::Bytes => vec!["bytes.entropy", "bytes.profile", "ngram.conditional"],
        ColumnType::Symbols => {
            vec![
                "shannon.plugin",
                "shannon.miller_madow",
                "shannon.grassberger",
                "block_entropy",
                "entropy_rate",
                "lz76.rate",
            ]
        }
        ColumnType::Real | ColumnType::Integer => vec![
            "series.profile",
            "hist.entropy",
            "perm",
            "perm.weighted",
            "perm.complexity_plane",
            "sampen",
            "spectral",
        ],
    };
    if column.len > MOST_SUGGESTED_PAIRS {
        ids.retain(|id| *id != "sampen");
    }
    ids
}

/// Above this many values along the shorter axis the spectrum of an array is offered, with its cost, and not suggested.
const MOST_SUGGESTED_AXIS: usize = 2048;

/// The measures that a report shows for an array before anybody has chosen: ids of the catalogue.
#[must_use]
pub fn suggested_for_array(matrix: &Matrix, kind: Kind) -> Vec<&'static str> {
    let shape = matrix.values.shape();
    match *shape {
        [_, _] if kind == Kind::Image => vec!["image.grey"],
        [n, d] if n.min(d) > 1 && n.min(d) <= MOST_SUGGESTED_AXIS => {
            let mut ids = vec!["matrix.entropy", "matrix.condition"];
            if is_attention(matrix) {
                ids.push("attention.entropy");
            }
            ids
        }
        [_, _, _, ..] if is_attention(matrix) => vec!["attention.entropy"],
        _ => vec![],
    }
}

/// Whether the last axis holds distributions: nothing negative, and every row sums to 1 within the rounding of half
/// precision.
fn is_attention(matrix: &Matrix) -> bool {
    let rows = matrix.values.rows();
    let law = |row: ndarray::ArrayView1<'_, f64>| {
        row.iter().all(|p| *p >= 0.0) && (row.iter().sum::<f64>() - 1.0).abs() < 0.01
    };
    matrix.values.shape().last().is_some_and(|keys| *keys > 1) && rows.into_iter().all(law)
}

/// Whether a measure can be asked of one column of this type at all.
#[must_use]
pub const fn offers(accepts: Accepts, ty: ColumnType) -> bool {
    match accepts {
        // Counting equal reals is possible on request, though not suggested.
        Accepts::Symbols => !matches!(ty, ColumnType::Time),
        // One column is not enough, so that nobody who has only one is to be asked.
        other => other.is_of_one_column() && other.suits(ty),
    }
}

/// The results as CSV, one row each, values at full precision; arrays are written as JSON.
#[must_use]
pub fn to_csv(results: &[ResultRecord]) -> String {
    let mut text =
        "measure,column,value,unit,low,high,method,estimator,n,backend,adapter,seconds,why,warnings,parameters,surrogates\n"
            .to_owned();
    let optional = |x: Option<f64>| x.map(|x| x.to_string()).unwrap_or_default();
    for r in results {
        let u = r.uncertainty.as_ref();
        let backend = match r.backend {
            Some(Backend::Cpu) => "cpu",
            Some(Backend::Gpu) => "gpu",
            None => "",
        };
        let warnings = r.warnings.iter().map(|w| w.text.as_str()).collect::<Vec<_>>().join("; ");
        let fields = [
            r.measure.clone(),
            r.subject().unwrap_or_default(),
            if r.value.is_null() { String::new() } else { r.value.to_string() },
            r.unit.map(|u| u.symbol().to_owned()).unwrap_or_default(),
            optional(u.map(|u| u.low)),
            optional(u.map(|u| u.high)),
            u.map(|u| u.method.clone()).unwrap_or_default(),
            r.estimator.clone().unwrap_or_default(),
            r.n.map(|n| n.to_string()).unwrap_or_default(),
            backend.to_owned(),
            r.adapter.clone().unwrap_or_default(),
            r.seconds.to_string(),
            r.why.clone().unwrap_or_default(),
            warnings,
            Json::Object(r.parameters.clone()).to_string(),
            r.surrogates.as_ref().and_then(|s| serde_json::to_string(s).ok()).unwrap_or_default(),
        ];
        text.push_str(&fields.map(quoted).join(","));
        text.push('\n');
    }
    text
}

fn quoted(field: String) -> String {
    if field.contains([',', '"', '\n', '\r']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Value;

    fn record(measure: &str, column: &str, with: &str, value: f64) -> ResultRecord {
        let outcome = Outcome::new(Value::Scalar(value), Unit::Nats, "test", 10);
        ResultRecord::new(measure, Some(column), &Map::new(), Ok(outcome), Information::Native, 0.0)
            .with(vec![with.to_owned()])
    }

    #[test]
    fn a_methods_text_says_what_was_done() {
        let text = record("mi.ksg1", "x", "y", 0.25).methods();
        for part in ["Mutual information", "of x with y", "n = 10", "0.25 nats", "Definition:", "Source:", "Surprisal"]
        {
            assert!(text.contains(part), "{part} in {text}");
        }
        let plane = Outcome::new(Value::Vector(vec![0.9, 0.1]), Unit::One, "plug-in", 9);
        let plane =
            ResultRecord::new("perm.complexity_plane", Some("x"), &Map::new(), Ok(plane), Information::Native, 0.0);
        assert_eq!(plane.named_parts().as_deref(), Some("H 0.9, C 0.1"));
    }
}
