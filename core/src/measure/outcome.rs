//! What a measure answers.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::{Undefined, surrogate::Surrogates};
use crate::{
    compute::Ran,
    figure::Figure,
    quantity::{Information, Uncertainty, Unit},
};

/// Details in the unit of the value: those of a permutation null.
const NULL: [&str; 3] = ["null_mean", "null_low", "null_high"];

/// The value of a measure: most are one number, profiles and planes are several, and some inputs have none.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// One number; may be infinite, is never NaN.
    Scalar(f64),
    /// Several, in the order that the measure documents.
    Vector(Vec<f64>),
    /// Several curves of equal length.
    Curves(Vec<Vec<f64>>),
    /// The input is valid and the quantity does not exist for it.
    Undefined(Undefined),
}

impl Value {
    /// The number, where there is exactly one.
    #[must_use]
    pub const fn scalar(&self) -> Option<f64> {
        if let Self::Scalar(x) = self { Some(*x) } else { None }
    }

    /// As JSON: a number, an array, or null. An infinite scalar is null too; see [`Value::why`].
    #[must_use]
    pub fn to_json(&self) -> Json {
        match self {
            Self::Scalar(x) => Json::from(*x),
            Self::Vector(v) => Json::from(v.clone()),
            Self::Curves(c) => Json::from(c.clone()),
            Self::Undefined(_) => Json::Null,
        }
    }

    /// Why there is no finite number, where there is none.
    #[must_use]
    pub fn why(&self) -> Option<String> {
        match self {
            Self::Undefined(reason) => Some(format!("undefined: {reason}")),
            Self::Scalar(x) if x.is_infinite() => Some(format!(
                "{}infinite: no pair of templates matches over the longer length",
                if *x > 0.0 { "" } else { "minus " }
            )),
            _ => None,
        }
    }

    fn scale(&mut self, factor: f64) {
        match self {
            Self::Scalar(x) => *x *= factor,
            Self::Vector(v) => v.iter_mut().for_each(|x| *x *= factor),
            Self::Curves(c) => c.iter_mut().flatten().for_each(|x| *x *= factor),
            Self::Undefined(_) => {}
        }
    }
}

/// Something the reader of a value should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// `too_short`, `ties`, `saturated`, `few_samples`, `capped`, …
    pub code: String,
    /// In words: `fewer than 10**m samples`.
    pub text: String,
}

/// A value with everything that belongs to it.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The value.
    pub value: Value,
    /// Its unit.
    pub unit: Unit,
    /// The estimator's name: `plug-in`, `Grassberger 2003`, `Chebyshev, <= r`, …
    pub estimator: &'static str,
    /// The number of values that were used.
    pub n: u64,
    /// How sure the value is, where a method exists and was asked for.
    pub uncertainty: Option<Uncertainty>,
    /// Where the value lies among those of surrogate data, where that was asked for.
    pub surrogates: Option<Surrogates>,
    /// What the reader should know.
    pub warnings: Vec<Warning>,
    /// What was chosen on the way: bin count, r, K, … (names in the field's terms).
    pub details: Map<String, Json>,
    /// The parameters in full, defaults included (filled by [`super::run`]).
    pub parameters: Map<String, Json>,
    /// Where the counting ran.
    pub ran: Ran,
    /// Pictures of this value; a door draws them on demand.
    pub figures: Vec<Figure>,
}

impl Outcome {
    /// A value computed by the CPU reference, without uncertainty or warnings.
    #[must_use]
    pub fn new(value: Value, unit: Unit, estimator: &'static str, n: u64) -> Self {
        Self {
            value,
            unit,
            estimator,
            n,
            uncertainty: None,
            surrogates: None,
            warnings: Vec::new(),
            details: Map::new(),
            parameters: Map::new(),
            ran: Ran::cpu(),
            figures: Vec::new(),
        }
    }

    /// Adds a warning.
    #[must_use]
    pub fn warn(mut self, code: &str, text: impl Into<String>) -> Self {
        self.warnings.push(Warning { code: code.to_owned(), text: text.into() });
        self
    }

    /// Adds what was chosen on the way.
    #[must_use]
    pub fn detail(mut self, key: &str, value: impl Into<Json>) -> Self {
        self.details.insert(key.to_owned(), value.into());
        self
    }

    /// Why there is no finite number, where there is none: in the measure's own words (a warning with the code
    /// `infinite`), else as [`Value::why`] says.
    #[must_use]
    pub fn why(&self) -> Option<String> {
        let own = self.warnings.iter().find(|w| w.code == "infinite").filter(|_| self.value.scalar().is_some());
        own.map(|w| format!("infinite: {}", w.text)).or_else(|| self.value.why())
    }

    /// Notes where the counting ran.
    #[must_use]
    pub fn ran(mut self, ran: Ran) -> Self {
        self.ran = ran;
        self
    }

    /// Adds a picture.
    #[must_use]
    pub fn figure(mut self, figure: Figure) -> Self {
        self.figures.push(figure);
        self
    }

    /// The same outcome with information in another unit.
    #[must_use]
    pub fn in_unit(mut self, wish: Information) -> Self {
        let (unit, factor) = self.unit.convert(wish);
        self.unit = unit;
        self.value.scale(factor);
        if let Some(u) = &mut self.uncertainty {
            u.low *= factor;
            u.high *= factor;
        }
        if let Some(s) = &mut self.surrogates {
            s.scale(factor);
        }
        for key in NULL {
            if let Some(x) = self.details.get(key).and_then(Json::as_f64) {
                self.details.insert(key.to_owned(), Json::from(x * factor));
            }
        }
        self
    }
}
