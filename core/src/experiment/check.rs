//! Which runs it takes to decide the claims of an experiment, and what they decide.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value as Json};

use super::{Claim, Entry, Record, Standing, Verdict, judge};

/// Claims about one setting of the parameters: they share their runs.
#[derive(Clone, Debug)]
pub struct Group {
    /// The experiment.
    pub entry: &'static Entry,
    /// The parameters that differ from the defaults.
    pub settings: Map<String, Json>,
    /// The claims.
    pub claims: Vec<&'static Claim>,
    /// Seeds that the most demanding claim takes.
    pub seeds: u32,
}

impl Group {
    /// The parameters of the run with this seed.
    #[must_use]
    pub fn parameters(&self, seed: u64) -> Json {
        let mut parameters = self.settings.clone();
        parameters.insert("seed".to_owned(), Json::from(seed));
        Json::Object(parameters)
    }

    /// The verdicts on all its claims from one record a seed; a scalar that a record lacks counts as no run.
    pub fn verdicts<'a>(&self, records: impl Iterator<Item = &'a Record> + Clone) -> Vec<Verdict> {
        let values = |claim: &Claim| records.clone().filter_map(|r| r.value(claim.scalar)).collect::<Vec<_>>();
        self.claims.iter().map(|claim| judge(self.entry.about.id, claim, &values(claim))).collect()
    }
}

/// The claims of `entries` that `wanted` takes, grouped by the parameters that they are about, in their order.
pub fn groups(entries: &[&'static Entry], wanted: impl Fn(&Entry, &Claim) -> bool) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for entry in entries.iter().copied() {
        let mut known = BTreeMap::new();
        for claim in entry.claims().iter().filter(|c| wanted(entry, c)) {
            let settings = entry.settings(claim);
            // What is spelled out at its default is the same run. A complete map writes its keys in one order.
            let full = entry.complete(&Json::Object(settings.clone())).unwrap_or_else(|_| settings.clone());
            let place = *known.entry(Json::Object(full).to_string()).or_insert_with(|| {
                groups.push(Group { entry, settings, claims: Vec::new(), seeds: 0 });
                groups.len() - 1
            });
            groups[place].claims.push(claim);
            groups[place].seeds = groups[place].seeds.max(claim.seeds);
        }
    }
    groups
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Checked {
    /// What was asked for: an experiment's id or a paper's.
    pub experiment: String,
    /// The largest number of seeds that was run.
    pub seeds: u32,
    /// One for each claim.
    pub claims: Vec<Verdict>,
    /// Claims that are reproduced.
    pub reproduced: usize,
    /// Claims that are not.
    pub not_reproduced: usize,
}

impl Checked {
    /// Counts the verdicts.
    #[must_use]
    pub fn new(experiment: &str, seeds: u32, claims: Vec<Verdict>) -> Self {
        let count = |standing| claims.iter().filter(|v| v.standing == standing).count();
        let (reproduced, not_reproduced) = (count(Standing::Reproduced), count(Standing::NotReproduced));
        Self { experiment: experiment.to_owned(), seeds, claims, reproduced, not_reproduced }
    }

    /// Whether every claim is reproduced.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.reproduced == self.claims.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::{Scalar, registry};

    #[test]
    fn every_claim_is_in_one_group_and_equal_settings_share_it() {
        let entries: Vec<_> = registry().iter().collect();
        let groups = groups(&entries, |_, _| true);
        let claims: usize = entries.iter().map(|e| e.claims().len()).sum();
        assert_eq!(groups.iter().map(|g| g.claims.len()).sum::<usize>(), claims);
        for group in &groups {
            let full = group.entry.complete(&group.parameters(3)).unwrap();
            assert_eq!(full["seed"], 3);
            assert!(group.claims.iter().all(|c| group.entry.concerns(c, &full) && c.seeds <= group.seeds));
        }
        assert!(groups.iter().any(|g| g.claims.len() > 1));
    }

    #[test]
    fn verdicts_come_from_one_value_a_record() {
        let entry = registry().iter().find(|e| !e.claims().is_empty()).unwrap();
        let only = &entry.claims()[0];
        let group = &groups(&[entry], |_, claim| claim.id == only.id)[0];
        let record = |value: Option<f64>| {
            let mut record = Record::new(entry.about.id, Map::new());
            record.set(Scalar::new(only.scalar, "", value, 1));
            record
        };
        let records = [record(Some(1.0)), record(None), record(Some(3.0))];
        let verdicts = group.verdicts(records.iter());
        assert_eq!(verdicts[0].values, [1.0, 3.0]);
        let checked = Checked::new("x", 3, verdicts);
        assert!(!checked.holds() || checked.reproduced == 1);
    }
}
