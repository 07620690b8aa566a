//! Measures of several columns, and of arrays.

use std::time::Instant;

use serde_json::Value as Json;
use surprisal_core::{
    data::{Column, OpenFile},
    measure::{self, Accepts, Chosen, Entry, Of, Subject, has_law, surrogate},
    report::{Report, suggested_for_array},
};

use super::Run;
use crate::Failure;

/// Whether `--with` means something to a measure.
pub(super) fn takes_more(entry: &Entry) -> bool {
    matches!(entry.about.accepts, Accepts::Points | Accepts::Pair | Accepts::SymbolPair | Accepts::Table)
}

/// Whether there is anything among these columns and arrays that a measure could be asked of.
pub(super) fn suits(entry: &Entry, file: &OpenFile, columns: &[usize], arrays: &[usize]) -> bool {
    let accepts = entry.about.accepts;
    let chosen = Chosen::of(&file.dataset, columns, arrays);
    let one = || chosen.columns.iter().any(|(_, ty)| accepts.is_of_one_column() && accepts.suits(*ty));
    accepts == Accepts::Nothing || one() || !entry.asked_together(&chosen, &serde_json::Map::new()).is_empty()
}

/// Columns by their places, each read once.
struct Loaded {
    places: Vec<usize>,
    columns: Vec<Column>,
}

impl Loaded {
    fn all(&self, places: &[usize]) -> Vec<&Column> {
        let place = |i: &usize| self.columns.get(self.places.iter().position(|p| p == i)?);
        places.iter().filter_map(place).collect()
    }
}

impl Run<'_> {
    /// Whether a measure is to be asked of one column by itself.
    pub(super) fn is_of_one(&self, entry: &'static Entry, column: &Column, with: &[usize]) -> bool {
        let accepts = entry.about.accepts;
        match accepts {
            Accepts::Points => with.is_empty() && (!self.call.args.column.is_empty() || accepts.suits(column.ty)),
            Accepts::SymbolPair => has_law(&self.call.given(entry.about.id)),
            Accepts::Nothing => true,
            _ => accepts.is_of_one_column(),
        }
    }

    /// The measures that were named, on what they take of the choice; without a name each array gets what is suggested
    /// for it.
    pub(super) fn measure_together(
        &self,
        chosen: &Chosen,
        named: &[&'static Entry],
        report: &mut Report,
    ) -> Result<(), Failure> {
        let mut all: Vec<(&'static Entry, Of)> = Vec::new();
        for &entry in named {
            let asked = entry.asked_together(chosen, &self.call.given(entry.about.id));
            if asked.is_empty() {
                self.refuse_nothing(entry, chosen)?;
            }
            all.extend(asked.into_iter().map(|of| (entry, of)));
        }
        if named.is_empty() {
            for (i, _) in &chosen.arrays {
                for id in suggested_for_array(&self.file.dataset.matrices[*i], self.file.kind_of_array(*i)) {
                    all.push((measure::find(id)?, Of::Array(*i, Vec::new())));
                }
            }
        }
        let mut places: Vec<usize> = all.iter().flat_map(|(_, of)| of.columns()).collect();
        places.sort_unstable();
        places.dedup();
        let columns = pollster::block_on(self.file.columns(&places, self.call.progress))?;
        let loaded = Loaded { places, columns };
        all.into_iter().try_for_each(|(entry, of)| self.measure(entry, &of, &loaded, report))
    }

    /// Says what a measure of several takes that was not there; one that had its turn column by column is content.
    fn refuse_nothing(&self, entry: &Entry, chosen: &Chosen) -> Result<(), Failure> {
        let accepts = entry.about.accepts;
        let one = chosen.columns.iter().any(|(_, ty)| accepts.suits(*ty));
        let id = entry.about.id;
        Err(Failure::Usage(match accepts {
            Accepts::Pair | Accepts::SymbolPair if !has_law(&self.call.given(id)) => {
                let words = if accepts == Accepts::Pair { "numbers" } else { "discrete values" };
                let count = if one { "one" } else { "none" };
                format!(
                    "{id} takes two columns of {words}, and {count} was chosen; name another with --column or --with"
                )
            }
            Accepts::Table => format!("{id} takes columns of numbers, and none was chosen"),
            Accepts::Image | Accepts::Attention => {
                let what = if accepts == Accepts::Image {
                    "an image or an array of two axes"
                } else {
                    "an array (…, queries, keys)"
                };
                let among = if chosen.named { " among what was named" } else { "" };
                format!("{id} takes {what}, and this file has none{among}")
            }
            _ => return Ok(()),
        }))
    }

    fn measure(&self, entry: &'static Entry, of: &Of, loaded: &Loaded, report: &mut Report) -> Result<(), Failure> {
        let (own, with) = (loaded.all(of.own()), loaded.all(of.with()));
        let matrix = of.array().and_then(|i| self.file.dataset.matrices.get(i));
        let subject = matrix.map_or_else(|| Subject::from(own.as_slice()), Subject::from).with(&with);
        let mut names = own.iter().chain(&with).map(|c| c.name.clone());
        let name = matrix.map(|m| m.name.clone()).or_else(|| names.next()).unwrap_or_default();
        let beside: Vec<String> = names.collect();
        let words = if beside.is_empty() { String::new() } else { format!(" with {}", beside.join(", ")) };
        let id = entry.about.id;
        let given = self.call.given(id);
        self.call.progress.begin(format!("{id} of {name}{words}"));
        let started = Instant::now();
        let mut computed = pollster::block_on(entry.run(&Json::Object(given.clone()), subject, self.call.context));
        if self.call.args.surrogates.is_some()
            && let Some(why) = surrogate::refusal(entry, of)
        {
            computed = computed.map(|outcome| surrogate::not_compared(outcome, why));
        }
        self.call.record(entry, Some(&name), beside, &given, computed, started, report)
    }
}
