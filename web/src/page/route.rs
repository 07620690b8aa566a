//! Which page is shown, and its address.
//!
//! A report is `?sample=…&measure=…`, an experiment `?experiment=…&count=…`; the lists are `#/experiments` and
//! `#/measures`.

use leptos::prelude::*;

use super::{dom, model::Model};
use crate::{protocol::Wish, setup::Setup, trial::Trial};

/// Which page is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum View {
    /// Home without a file, the report with one.
    Measure,
    /// All measures, from this one on.
    Reference(Option<String>),
    /// All experiments.
    Experiments,
    /// One experiment.
    Lab,
}

impl View {
    /// The page at an address; with it the experiment that the address names.
    fn of(fragment: &str, query: &str) -> (Self, Option<Trial>) {
        let parts: Vec<&str> = fragment.trim_matches('/').split('/').collect();
        match parts[..] {
            ["measures"] => (Self::Reference(None), None),
            ["measures", id] => (Self::Reference(Some(id.to_owned())), None),
            ["experiments"] => (Self::Experiments, None),
            ["experiments", id] => (Self::Lab, Some(Trial::of(id, Wish::Auto))),
            _ => {
                let trial = Trial::parse(query);
                if trial.experiment.is_some() { (Self::Lab, Some(trial)) } else { (Self::Measure, None) }
            }
        }
    }

    /// The page at the browser's address.
    pub(super) fn here() -> (Self, Option<Trial>) {
        Self::of(&dom::fragment(), &dom::query())
    }
}

impl Model {
    /// Shows what the address says: the user went back, or followed a link.
    pub(super) fn come(self) {
        let (view, trial) = View::here();
        match trial {
            Some(trial) => self.load(trial),
            None => {
                if self.view.with_untracked(|v| *v != view) {
                    self.view.set(view);
                }
            }
        }
    }

    /// To the report, or home.
    pub(super) fn to_measure(self) {
        if self.view.with_untracked(|v| *v != View::Measure) {
            dom::push_query(&self.setup.with_untracked(Setup::to_query));
            self.view.set(View::Measure);
        }
    }
}
