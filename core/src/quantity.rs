//! Numbers with a unit and an uncertainty.

use serde::{Deserialize, Serialize};

/// The unit of a value. Quantities of information convert between bit and nat; the others do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Unit {
    /// log2 units.
    #[serde(rename = "bits")]
    Bits,
    /// Natural-logarithm units.
    #[serde(rename = "nats")]
    Nats,
    /// Bits for each symbol of a sequence.
    #[serde(rename = "bits/symbol")]
    BitsPerSymbol,
    /// Nats for each symbol of a sequence.
    #[serde(rename = "nats/symbol")]
    NatsPerSymbol,
    /// Bits for each byte.
    #[serde(rename = "bits/byte")]
    BitsPerByte,
    /// Nats for each byte.
    #[serde(rename = "nats/byte")]
    NatsPerByte,
    /// Bits for each word or other token of a text.
    #[serde(rename = "bits/token")]
    BitsPerToken,
    /// Nats for each word or other token of a text.
    #[serde(rename = "nats/token")]
    NatsPerToken,
    /// Dimensionless.
    #[serde(rename = "1")]
    One,
    /// A whole number of things.
    #[serde(rename = "count")]
    Count,
}

/// The unit of information that a user asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Information {
    /// Each measure in the unit of its own literature (bits for Shannon, nats for sample entropy).
    #[default]
    Native,
    /// log2 everywhere.
    Bit,
    /// ln everywhere.
    Nat,
}

impl Unit {
    /// The word shown beside a number.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Bits => "bits",
            Self::Nats => "nats",
            Self::BitsPerSymbol => "bits/symbol",
            Self::NatsPerSymbol => "nats/symbol",
            Self::BitsPerByte => "bits/byte",
            Self::NatsPerByte => "nats/byte",
            Self::BitsPerToken => "bits/token",
            Self::NatsPerToken => "nats/token",
            Self::One => "1",
            Self::Count => "count",
        }
    }

    /// The unit that this one becomes when information is wanted in `wish`, and the factor.
    #[must_use]
    pub const fn convert(self, wish: Information) -> (Self, f64) {
        use std::f64::consts::{LN_2, LOG2_E};
        match (self, wish) {
            (Self::Bits, Information::Nat) => (Self::Nats, LN_2),
            (Self::BitsPerSymbol, Information::Nat) => (Self::NatsPerSymbol, LN_2),
            (Self::BitsPerByte, Information::Nat) => (Self::NatsPerByte, LN_2),
            (Self::BitsPerToken, Information::Nat) => (Self::NatsPerToken, LN_2),
            (Self::Nats, Information::Bit) => (Self::Bits, LOG2_E),
            (Self::NatsPerSymbol, Information::Bit) => (Self::BitsPerSymbol, LOG2_E),
            (Self::NatsPerByte, Information::Bit) => (Self::BitsPerByte, LOG2_E),
            (Self::NatsPerToken, Information::Bit) => (Self::BitsPerToken, LOG2_E),
            (unit, _) => (unit, 1.0),
        }
    }
}

impl std::fmt::Display for Unit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.symbol())
    }
}

/// How sure a value is: a 95 % interval and the name of the method that made it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Uncertainty {
    /// Lower end, in the unit of the value.
    pub low: f64,
    /// Upper end, in the unit of the value.
    pub high: f64,
    /// For example `moving-block bootstrap, 200 resamples of blocks of 22`.
    pub method: String,
}
