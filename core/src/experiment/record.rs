//! What a run found, and what reproduces it: the document that the command line writes, the page exports, and both read.
//!
//! ```json
//! {"surprisal": "0.1.0", "experiment": "fish-schooling", "parameters": {"count": 100, "seed": 1},
//!  "steps": 5000, "backend": "cpu", "adapter": null, "seconds": 3.2, "seen": "…",
//!  "scalars": [{"name": "polarization", "title": "Polarization", "value": 0.12, "unit": "1",
//!               "uncertainty": null, "n": 100}],
//!  "tables": [{"name": "series", "title": "…", "columns": [{"name": "time", "title": "time", "unit": "s",
//!              "values": [0, 1]}]}]}
//! ```
//! A value that does not exist is null.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::{
    compute::{Backend, Ran},
    quantity::{Uncertainty, Unit},
};

/// What a run found, and what reproduces it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The version that made it.
    pub surprisal: String,
    /// The experiment's id.
    pub experiment: String,
    /// All parameters, defaults and the seed included.
    pub parameters: Map<String, Json>,
    /// Steps behind.
    pub steps: u64,
    /// Where it ran.
    pub backend: Option<Backend>,
    /// The adapter's name for a GPU.
    pub adapter: Option<String>,
    /// Wall-clock time of the computation, filled by the door.
    pub seconds: f64,
    /// Final numbers.
    pub scalars: Vec<Scalar>,
    /// Series and other tables.
    pub tables: Vec<Table>,
    /// What the reader should know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// One number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scalar {
    /// Unique within the record; what claims are about.
    pub name: String,
    /// For people.
    pub title: String,
    /// `None` where it does not exist (yet).
    pub value: Option<f64>,
    /// Its unit.
    pub unit: Unit,
    /// How sure it is.
    pub uncertainty: Option<Uncertainty>,
    /// From how many values it was computed.
    pub n: u64,
}

/// Columns of equal length.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// Unique within the record: `series`, `map`, …
    pub name: String,
    /// For people.
    pub title: String,
    /// The first is the independent one.
    pub columns: Vec<Column>,
}

/// One column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// Unique within the table.
    pub name: String,
    /// For people.
    pub title: String,
    /// Its unit; `1` for none.
    pub unit: String,
    /// The values.
    pub values: Values,
}

/// The values of a column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Values {
    /// Numbers; NaN (null in JSON) where there is none.
    Numbers(#[serde(with = "nullable")] Vec<f64>),
    /// Words.
    Words(Vec<String>),
}

mod nullable {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(values: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
        let optional: Vec<Option<f64>> = values.iter().map(|x| x.is_finite().then_some(*x)).collect();
        optional.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
        let optional = Vec::<Option<f64>>::deserialize(deserializer)?;
        Ok(optional.into_iter().map(|x| x.unwrap_or(f64::NAN)).collect())
    }
}

impl Record {
    /// An empty record.
    #[must_use]
    pub fn new(experiment: &str, parameters: Map<String, Json>) -> Self {
        Self {
            surprisal: env!("CARGO_PKG_VERSION").to_owned(),
            experiment: experiment.to_owned(),
            parameters,
            steps: 0,
            backend: None,
            adapter: None,
            seconds: 0.0,
            scalars: Vec::new(),
            tables: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Reads a record.
    ///
    /// # Errors
    /// A sentence that says what is missing, for a document that is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|e| format!("this is no record of an experiment: {e}"))
    }

    /// Notes where it ran.
    pub fn ran(&mut self, ran: Ran) {
        self.backend = Some(ran.backend);
        self.adapter = ran.adapter;
    }

    /// Sets the scalar `name`.
    pub fn set(&mut self, scalar: Scalar) {
        match self.scalars.iter_mut().find(|s| s.name == scalar.name) {
            Some(old) => *old = scalar,
            None => self.scalars.push(scalar),
        }
    }

    /// A scalar's value, where it exists.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<f64> {
        self.scalars.iter().find(|s| s.name == name)?.value
    }

    /// The table `name`.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|t| t.name == name)
    }

    /// The table `name`, made by `make` where there is none yet.
    pub fn table_mut(&mut self, name: &str, make: impl FnOnce() -> Table) -> &mut Table {
        let place = match self.tables.iter().position(|t| t.name == name) {
            Some(place) => place,
            None => {
                self.tables.push(Table { name: name.to_owned(), ..make() });
                self.tables.len() - 1
            }
        };
        &mut self.tables[place]
    }

    /// Puts `table` in the place of the one called `name`.
    pub fn put(&mut self, name: &str, table: Table) {
        let place = self.table_mut(name, Table::default);
        *place = Table { name: name.to_owned(), ..table };
    }

    /// Adds a note once.
    pub fn note(&mut self, text: impl Into<String>) {
        let text = text.into();
        if !self.notes.contains(&text) {
            self.notes.push(text);
        }
    }
}

impl Scalar {
    /// A number without an uncertainty.
    #[must_use]
    pub fn new(name: impl Into<String>, title: impl Into<String>, value: Option<f64>, n: u64) -> Self {
        let value = value.filter(|x| x.is_finite());
        Self { name: name.into(), title: title.into(), value, unit: Unit::One, uncertainty: None, n }
    }

    /// The mean of `values` with a 95 % interval of ±1.96 standard errors, which are taken over `blocks` contiguous
    /// blocks, since neighbours in time are correlated.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts of samples")]
    pub fn mean(name: impl Into<String>, title: impl Into<String>, values: &[f64], blocks: usize) -> Self {
        let kept: Vec<f64> = values.iter().copied().filter(|x| x.is_finite()).collect();
        let average = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
        let mut scalar = Self::new(name, title, (!kept.is_empty()).then(|| average(&kept)), kept.len() as u64);
        if blocks > 1
            && kept.len() >= 2 * blocks
            && let Some(mean) = scalar.value
        {
            let means: Vec<f64> = kept.chunks_exact(kept.len() / blocks).take(blocks).map(average).collect();
            let square = means.iter().map(|m| (m - mean).powi(2)).sum::<f64>();
            let error = (square / (blocks * (blocks - 1)) as f64).sqrt();
            scalar.uncertainty = Some(Uncertainty {
                low: mean - 1.96 * error,
                high: mean + 1.96 * error,
                method: format!("{blocks} contiguous blocks in time"),
            });
        }
        scalar
    }
}

impl Column {
    /// An empty column of numbers.
    #[must_use]
    pub fn numbers(name: impl Into<String>, title: impl Into<String>, unit: &str) -> Self {
        Self { name: name.into(), title: title.into(), unit: unit.to_owned(), values: Values::Numbers(Vec::new()) }
    }

    /// An empty column of words.
    #[must_use]
    pub fn words(name: impl Into<String>, title: impl Into<String>) -> Self {
        Self { name: name.into(), title: title.into(), unit: "1".to_owned(), values: Values::Words(Vec::new()) }
    }

    /// The numbers; nothing for words.
    #[must_use]
    pub fn as_numbers(&self) -> &[f64] {
        match &self.values {
            Values::Numbers(values) => values,
            Values::Words(_) => &[],
        }
    }

    /// The words; nothing for numbers.
    #[must_use]
    pub fn as_words(&self) -> &[String] {
        match &self.values {
            Values::Words(words) => words,
            Values::Numbers(_) => &[],
        }
    }

    /// How many values it has.
    #[must_use]
    pub const fn len(&self) -> usize {
        match &self.values {
            Values::Numbers(values) => values.len(),
            Values::Words(words) => words.len(),
        }
    }

    /// Whether it has no value yet.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Table {
    /// A table without rows.
    #[must_use]
    pub fn new(title: impl Into<String>, columns: Vec<Column>) -> Self {
        Self { name: String::new(), title: title.into(), columns }
    }

    /// Adds a number to each column, in their order; columns without one get NaN.
    pub fn push(&mut self, numbers: &[f64]) {
        let mut numbers = numbers.iter();
        for column in &mut self.columns {
            match &mut column.values {
                Values::Numbers(values) => values.push(numbers.next().copied().unwrap_or(f64::NAN)),
                Values::Words(words) => words.push(String::new()),
            }
        }
    }

    /// The numbers of the column `name`.
    #[must_use]
    pub fn numbers(&self, name: &str) -> &[f64] {
        self.columns.iter().find(|c| c.name == name).map_or(&[], Column::as_numbers)
    }

    /// Rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.columns.first().map_or(0, Column::len)
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// As CSV, with full precision; what does not exist is empty.
    #[must_use]
    pub fn to_csv(&self) -> String {
        let quoted = |text: &str| {
            if text.contains([',', '"', '\n', '\r']) {
                format!("\"{}\"", text.replace('"', "\"\""))
            } else {
                text.to_owned()
            }
        };
        let mut text = self.columns.iter().map(|c| quoted(&c.name)).collect::<Vec<_>>().join(",") + "\n";
        for row in 0..self.len() {
            let cells = self.columns.iter().map(|c| match &c.values {
                Values::Numbers(values) => {
                    values.get(row).filter(|x| x.is_finite()).map(f64::to_string).unwrap_or_default()
                }
                Values::Words(words) => words.get(row).map(|w| quoted(w)).unwrap_or_default(),
            });
            text.push_str(&cells.collect::<Vec<_>>().join(","));
            text.push('\n');
        }
        text
    }
}
