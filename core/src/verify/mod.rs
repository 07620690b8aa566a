//! Conformance: golden data, made by other packages, against this build.
//!
//! A folder is verified by what its JSON files are: lists of [`Record`]s, each a measure of one file; or states of schools of
//! fish ([`school`]). Either way every value becomes a [`Verdict`], and nothing is skipped in silence: what this build cannot
//! check is *not covered*, with the reason.

pub mod school;

mod json;
mod records;

use serde::Serialize;
use serde_json::Value as Json;

pub use json::parse;
pub use records::Record;

/// How a record came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The value is within the tolerance, or the policy holds.
    Agree,
    /// It is not.
    Disagree,
    /// This build has no such measure or parameter, or the record holds no reference value.
    NotCovered,
}

/// One verified record.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verdict {
    /// The record's id.
    pub id: String,
    /// The measure's id as the record gives it.
    pub measure: String,
    /// How it came out.
    pub status: Status,
    /// The expected value or sentence.
    pub expected: Json,
    /// What this build gives.
    pub got: Json,
    /// Why it is not covered, or where the first difference is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// How many records came out how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Total {
    /// Within the tolerance.
    pub agree: u64,
    /// Outside.
    pub disagree: u64,
    /// No such measure or parameter, or no reference value in the record.
    pub not_covered: u64,
}

impl Total {
    /// Counts one more.
    pub fn add(&mut self, status: Status) {
        match status {
            Status::Agree => self.agree += 1,
            Status::Disagree => self.disagree += 1,
            Status::NotCovered => self.not_covered += 1,
        }
    }
}
