//! Which surrogates, and how many of them.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// What a surrogate keeps of the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The values.
    Shuffle,
    /// Mean and power spectrum: all phases are random.
    Phase,
    /// The values and, nearly, the power spectrum.
    Iaaft,
}

impl Kind {
    /// All kinds, those that keep least first.
    pub const ALL: [Self; 3] = [Self::Shuffle, Self::Phase, Self::Iaaft];

    /// The word on the command line, in URLs and in records.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Shuffle => "shuffle",
            Self::Phase => "phase",
            Self::Iaaft => "iaaft",
        }
    }

    /// Before the noun: `99 phase-randomised surrogates`.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Shuffle => "shuffled",
            Self::Phase => "phase-randomised",
            Self::Iaaft => "IAAFT",
        }
    }

    /// What such surrogates keep, and what a small p-value speaks against.
    #[must_use]
    pub const fn help(self) -> &'static str {
        match self {
            Self::Shuffle => "Keeps the values and not their order: tests for independent values.",
            Self::Phase => "Keeps mean and power spectrum: tests for a linear Gaussian process.",
            Self::Iaaft => {
                "Keeps the values and nearly the power spectrum: tests for a linear Gaussian process seen through a monotone function."
            }
        }
    }

    /// Where it is from: authors, journal, year.
    #[must_use]
    pub const fn source(self) -> &'static str {
        match self {
            Self::Shuffle | Self::Phase => "Theiler, Eubank, Longtin, Galdrikian & Farmer, Physica D 58, 77 (1992)",
            Self::Iaaft => "Schreiber & Schmitz, Phys. Rev. Lett. 77, 635 (1996)",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// How many surrogates of which kind: `iaaft=99`, as text and in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Plan {
    /// What they keep.
    pub kind: Kind,
    /// How many there are.
    pub count: u32,
}

impl Plan {
    /// How many there are unless somebody says so: enough for p = 0.01.
    pub const COUNT: u32 = 99;
    /// The most there can be.
    pub const MOST: u32 = 100_000;
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.kind, self.count)
    }
}

impl FromStr for Plan {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (word, count) = text.split_once('=').map_or((text, None), |(word, count)| (word, Some(count)));
        let kind = Kind::ALL.into_iter().find(|kind| kind.word() == word.trim());
        let kind = kind.ok_or_else(|| format!("'{word}': expected shuffle, phase or iaaft, such as iaaft=99"))?;
        let Some(count) = count else { return Ok(Self { kind, count: Self::COUNT }) };
        let count = count.trim().parse().ok().filter(|n| (1..=Self::MOST).contains(n));
        let expected = || format!("'{text}': expected a whole number of surrogates from 1 to {}", Self::MOST);
        Ok(Self { kind, count: count.ok_or_else(expected)? })
    }
}

impl TryFrom<String> for Plan {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Plan> for String {
    fn from(plan: Plan) -> Self {
        plan.to_string()
    }
}
