//! Parameters as data: what a control on a page, a flag on a command line and a validation need,
//! all read from the JSON Schema that `schemars` derives from a parameter struct.

use schemars::{JsonSchema, Schema};
use serde::Serialize;
use serde_json::{Map, Value as Json};

/// What is wrong with a parameter.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ParameterError {
    /// There is no such parameter.
    #[error("{of} has no parameter '{key}'; it has {known}")]
    Unknown {
        /// The id of the measure or the experiment.
        of: String,
        /// The name that was given.
        key: String,
        /// The names there are.
        known: String,
    },
    /// The value is of another type or out of range.
    #[error("{of}.{key} = {given}: {expected}")]
    Invalid {
        /// The id of the measure or the experiment.
        of: String,
        /// The parameter.
        key: String,
        /// The value that was given.
        given: String,
        /// What would be right.
        expected: String,
    },
}

/// One parameter of a measure or an experiment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Parameter {
    /// Its name on the command line, in JSON and in URLs.
    pub name: String,
    /// What it does, from the struct's doc comment.
    pub help: String,
    /// What it holds.
    pub kind: ParameterKind,
    /// Its default (null where it is optional and absent).
    pub default: Json,
}

/// What a parameter holds.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum ParameterKind {
    /// A whole number.
    Integer(Bounds),
    /// A real number.
    Number(Bounds),
    /// Yes or no.
    Boolean,
    /// One of a few words.
    Choice {
        /// The words.
        options: Vec<String>,
    },
    /// Text that may stand for a number (`0.2 sd`): its own parser decides.
    Text,
    /// Free text, taken as it is: digits stay digits, and spaces stay.
    Free,
}

/// The inclusive range of a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Bounds {
    /// The smallest allowed value.
    pub minimum: Option<f64>,
    /// The largest allowed value.
    pub maximum: Option<f64>,
}

/// The parameters of `P` in the order of its fields.
pub(crate) fn describe<P: JsonSchema + Default + Serialize>() -> Vec<Parameter> {
    let schema = schemars::generate::SchemaSettings::draft2020_12()
        .with(|s| s.inline_subschemas = true)
        .into_generator()
        .into_root_schema_for::<P>();
    let defaults = serde_json::to_value(P::default()).unwrap_or(Json::Null);
    let Some(properties) = schema.get("properties").and_then(Json::as_object) else {
        return Vec::new();
    };
    let mut list: Vec<Parameter> = properties
        .iter()
        .map(|(name, property)| Parameter {
            name: name.clone(),
            help: help_of(property),
            kind: kind_of(property),
            default: defaults.get(name).cloned().unwrap_or(Json::Null),
        })
        .collect();
    // A JSON object sorts its keys; written out as text, a struct keeps the order of its fields.
    let written = serde_json::to_string(&P::default()).unwrap_or_default();
    list.sort_by_key(|p| written.find(&format!("\"{}\":", p.name)));
    list
}

/// The JSON Schema of `P`, for machines.
pub(crate) fn schema<P: JsonSchema>() -> Schema {
    schemars::schema_for!(P)
}

fn help_of(property: &Json) -> String {
    let text = property.get("description").and_then(Json::as_str).unwrap_or_default();
    text.split('\n').map(str::trim).collect::<Vec<_>>().join(" ")
}

fn kind_of(property: &Json) -> ParameterKind {
    let bound = |key| property.get(key).and_then(Json::as_f64);
    let bounds = Bounds { minimum: bound("minimum"), maximum: bound("maximum") };
    if let Some(options) = options_of(property) {
        return ParameterKind::Choice { options };
    }
    match primary_type(property) {
        Some("integer") => ParameterKind::Integer(bounds),
        Some("number") => ParameterKind::Number(bounds),
        Some("boolean") => ParameterKind::Boolean,
        Some("string") => ParameterKind::Free,
        _ => ParameterKind::Text,
    }
}

/// The words of an enumeration: `enum: [...]` or `oneOf: [{const: ...}, ...]`.
fn options_of(property: &Json) -> Option<Vec<String>> {
    let words = |list: &[Json]| list.iter().map(|v| v.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>();
    if let Some(list) = property.get("enum").and_then(Json::as_array) {
        return words(list);
    }
    let list = property.get("oneOf").and_then(Json::as_array)?;
    list.iter().map(|v| v.get("const").and_then(Json::as_str).map(str::to_owned)).collect()
}

/// The type, looking through `["integer", "null"]`.
fn primary_type(property: &Json) -> Option<&str> {
    match property.get("type")? {
        Json::String(s) => Some(s),
        Json::Array(list) => list.iter().filter_map(Json::as_str).find(|s| *s != "null"),
        _ => None,
    }
}

/// All of `parameters` at their defaults, with `given` put over them.
///
/// # Errors
/// [`ParameterError`] for an unknown name or a value that does not fit.
pub(crate) fn complete(of: &str, parameters: &[Parameter], given: &Json) -> Result<Map<String, Json>, ParameterError> {
    let empty = Map::new();
    let given = match given {
        Json::Object(map) => map,
        Json::Null => &empty,
        other => {
            return Err(ParameterError::Invalid {
                of: of.to_owned(),
                key: "parameters".to_owned(),
                given: other.to_string(),
                expected: "expected a JSON object".to_owned(),
            });
        }
    };
    validate(of, parameters, given)?;
    let mut full: Map<String, Json> = parameters.iter().map(|p| (p.name.clone(), p.default.clone())).collect();
    full.extend(given.iter().map(|(k, v)| (k.clone(), v.clone())));
    Ok(full)
}

/// Checks every key of `given` against `parameters`.
pub(crate) fn validate(of: &str, parameters: &[Parameter], given: &Map<String, Json>) -> Result<(), ParameterError> {
    for (key, value) in given {
        let Some(parameter) = parameters.iter().find(|p| p.name == *key) else {
            let known = parameters.iter().map(|p| p.name.as_str()).collect::<Vec<_>>().join(", ");
            return Err(ParameterError::Unknown { of: of.to_owned(), key: key.clone(), known });
        };
        if !parameter.accepts(value) {
            return Err(ParameterError::Invalid {
                of: of.to_owned(),
                key: key.clone(),
                given: value.to_string(),
                expected: parameter.expectation(),
            });
        }
    }
    Ok(())
}

impl Parameter {
    /// Whether `value` is of the right type and within the range.
    #[must_use]
    pub fn accepts(&self, value: &Json) -> bool {
        if value.is_null() {
            return self.default.is_null();
        }
        let within = |b: &Bounds, x: f64| b.minimum.is_none_or(|m| x >= m) && b.maximum.is_none_or(|m| x <= m);
        match &self.kind {
            ParameterKind::Integer(b) => {
                (value.is_i64() || value.is_u64()) && value.as_f64().is_some_and(|x| within(b, x))
            }
            ParameterKind::Number(b) => value.as_f64().is_some_and(|x| within(b, x)),
            ParameterKind::Boolean => value.is_boolean(),
            ParameterKind::Choice { options } => value.as_str().is_some_and(|s| options.iter().any(|o| o == s)),
            ParameterKind::Text => true,
            ParameterKind::Free => value.is_string(),
        }
    }

    /// What would be right, in words: `a whole number from 2 to 8`.
    #[must_use]
    pub fn expectation(&self) -> String {
        let range = |b: &Bounds| match (b.minimum, b.maximum) {
            (Some(a), Some(z)) => format!(" from {a} to {z}"),
            (Some(a), None) => format!(" of at least {a}"),
            (None, Some(z)) => format!(" of at most {z}"),
            (None, None) => String::new(),
        };
        match &self.kind {
            ParameterKind::Integer(b) => format!("expected a whole number{}", range(b)),
            ParameterKind::Number(b) => format!("expected a number{}", range(b)),
            ParameterKind::Boolean => "expected true or false".to_owned(),
            ParameterKind::Choice { options } => format!("expected one of {}", options.join(", ")),
            ParameterKind::Text | ParameterKind::Free => self.help.clone(),
        }
    }

    /// Reads `text` (from a command line, a URL or a control) as a value of this parameter. Text that
    /// does not fit is returned as a JSON string, so that validation can name it.
    #[must_use]
    pub fn parse(&self, text: &str) -> Json {
        if self.kind == ParameterKind::Free {
            return Json::from(text);
        }
        let text = text.trim();
        if text.is_empty() && self.default.is_null() {
            return Json::Null;
        }
        let parsed = match self.kind {
            ParameterKind::Integer(_) => text.parse::<i64>().ok().map(Json::from),
            ParameterKind::Number(_) => text.parse::<f64>().ok().filter(|x| x.is_finite()).map(Json::from),
            ParameterKind::Boolean => text.parse::<bool>().ok().map(Json::from),
            ParameterKind::Choice { .. } | ParameterKind::Free => None,
            ParameterKind::Text => text.parse::<f64>().ok().filter(|x| x.is_finite()).map(Json::from),
        };
        parsed.unwrap_or_else(|| Json::from(text))
    }
}

/// Splits `ID.key=value` at the last dot before the equals sign: ids contain dots themselves.
///
/// # Errors
/// A sentence that says what is missing.
pub fn parse_setting(text: &str) -> Result<(&str, &str, &str), String> {
    let explain = || format!("'{text}' is not of the form MEASURE.parameter=value, for example perm.order=5");
    let (path, value) = text.split_once('=').ok_or_else(explain)?;
    let (measure, key) = path.rsplit_once('.').ok_or_else(explain)?;
    if measure.is_empty() || key.is_empty() {
        return Err(explain());
    }
    Ok((measure, key, value))
}

/// Reads texts of the form `key=value` as parameters of `of`, validated.
///
/// # Errors
/// [`ParameterError`]: no equals sign, an unknown name, or a value that does not fit.
pub fn parse_pairs(of: &str, parameters: &[Parameter], pairs: &[String]) -> Result<Map<String, Json>, ParameterError> {
    let mut given = Map::new();
    for pair in pairs {
        let (key, text) = pair.split_once('=').ok_or_else(|| ParameterError::Invalid {
            of: of.to_owned(),
            key: pair.clone(),
            given: "nothing".to_owned(),
            expected: "expected key=value, for example seed=7".to_owned(),
        })?;
        let key = key.trim();
        let value = parameters.iter().find(|p| p.name == key).map_or_else(|| Json::from(text), |p| p.parse(text));
        given.insert(key.to_owned(), value);
    }
    validate(of, parameters, &given)?;
    Ok(given)
}

/// The id with the smallest edit distance, if it is close enough to be a slip of the pen.
pub(crate) fn nearest<'a>(id: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    known
        .map(|other| (edit_distance(id, other), other))
        .min()
        .filter(|(distance, _)| *distance <= id.len().div_ceil(3))
        .map(|(_, id)| id.to_owned())
}

fn edit_distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let substitution = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substitution.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
