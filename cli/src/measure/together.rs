//! Measures of several columns, and of arrays.

use std::time::Instant;

use serde_json::{Map, Value as Json};
use surprisal_core::{
    data::{Column, Matrix, OpenFile},
    measure::{self, Accepts, Entry, Subject},
    report::{Report, suggested_for_array},
};

use super::Run;
use crate::Failure;

/// What the command line chose.
pub(super) struct Chosen {
    /// Columns by their places in the file.
    pub(super) columns: Vec<usize>,
    /// Arrays by their places.
    pub(super) matrices: Vec<usize>,
    /// The columns of `--with`.
    pub(super) with: Vec<usize>,
    /// Whether they were named.
    pub(super) explicit: bool,
    /// The measures that were named.
    pub(super) entries: Vec<&'static Entry>,
}

/// Whether `--with` means something to a measure.
pub(super) fn takes_more(entry: &Entry) -> bool {
    matches!(entry.about.accepts, Accepts::Points | Accepts::Pair | Accepts::SymbolPair | Accepts::Table)
}

/// Whether there is anything among these columns and arrays that a measure could be asked of.
pub(super) fn suits(entry: &Entry, file: &OpenFile, columns: &[usize], arrays: &[usize]) -> bool {
    let accepts = entry.about.accepts;
    let suited = columns.iter().filter(|&&i| accepts.suits(file.dataset.columns[i].ty)).count();
    let array = || arrays.iter().any(|&i| accepts.suits_array(file.dataset.matrices[i].values.ndim()));
    match accepts {
        Accepts::Nothing => true,
        Accepts::Pair | Accepts::SymbolPair => suited > 1,
        Accepts::Table => suited > 1 || array(),
        _ => suited > 0 || array(),
    }
}

/// Whether a law is given as probabilities, so that one column is enough.
fn has_law(given: &Map<String, Json>) -> bool {
    given.get("q").is_some_and(|q| !q.is_null() && q.as_str() != Some(""))
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

    pub(super) fn measure_together(&self, chosen: &Chosen, report: &mut Report) -> Result<(), Failure> {
        for &entry in &chosen.entries {
            let accepts = entry.about.accepts;
            match accepts {
                Accepts::Pair | Accepts::SymbolPair if !has_law(&self.call.given(entry.about.id)) => {
                    self.pairs(entry, chosen, report)?;
                }
                Accepts::Table => self.tables(entry, chosen, report)?,
                Accepts::Points if !chosen.with.is_empty() => {
                    self.columns(entry, &chosen.columns, &chosen.with, report)?;
                }
                Accepts::Points | Accepts::Image | Accepts::Attention => {
                    let before = report.results.len();
                    self.arrays(entry, chosen, report)?;
                    if accepts != Accepts::Points && report.results.len() == before {
                        return Err(Failure::Usage(format!(
                            "{} takes {}, and this file has none{}",
                            entry.about.id,
                            if accepts == Accepts::Image {
                                "an image or an array of two axes"
                            } else {
                                "an array (…, queries, keys)"
                            },
                            if chosen.explicit { " among what was named" } else { "" },
                        )));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Without a choice each array gets what is suggested for it.
    pub(super) fn measure_arrays_unasked(&self, arrays: &[usize], report: &mut Report) -> Result<(), Failure> {
        let kind = self.file.dataset.provenance.kind;
        for matrix in arrays.iter().map(|&i| &self.file.dataset.matrices[i]) {
            for id in suggested_for_array(matrix, kind) {
                self.measure(measure::find(id)?, &matrix.name, matrix.into(), &[], report)?;
            }
        }
        Ok(())
    }

    /// The chosen columns with those of `--with`; without it, every pair, and both ways round where that matters.
    fn pairs(&self, entry: &'static Entry, chosen: &Chosen, report: &mut Report) -> Result<(), Failure> {
        let suits = |&&i: &&usize| entry.about.accepts.suits(self.file.dataset.columns[i].ty);
        let suitable: Vec<usize> = chosen.columns.iter().filter(|i| chosen.explicit || suits(i)).copied().collect();
        if !chosen.with.is_empty() {
            if chosen.explicit {
                return self.columns(entry, &suitable, &chosen.with, report);
            }
            for &i in suitable.iter().filter(|i| !chosen.with.contains(i)) {
                self.columns(entry, &[i], &chosen.with, report)?;
            }
            return Ok(());
        }
        if suitable.len() < 2 {
            let words = if entry.about.accepts == Accepts::Pair { "numbers" } else { "discrete values" };
            return Err(Failure::Usage(format!(
                "{} takes two columns of {words}, and {} was chosen; name another with --column or --with",
                entry.about.id,
                if suitable.is_empty() { "none" } else { "one" },
            )));
        }
        entry.pairs_among(&suitable).into_iter().try_for_each(|(i, j)| self.columns(entry, &[i], &[j], report))
    }

    /// The arrays, or all chosen columns of numbers side by side where there is none or columns were named.
    fn tables(&self, entry: &'static Entry, chosen: &Chosen, report: &mut Report) -> Result<(), Failure> {
        let before = report.results.len();
        self.arrays(entry, chosen, report)?;
        if report.results.len() > before {
            return Ok(());
        }
        let suits = |i: &usize| entry.about.accepts.suits(self.file.dataset.columns[*i].ty);
        let suitable: Vec<usize> = chosen
            .columns
            .iter()
            .filter(|i| (chosen.explicit || suits(i)) && !chosen.with.contains(i))
            .copied()
            .collect();
        if suitable.is_empty() {
            return Err(Failure::Usage(format!("{} takes columns of numbers, and none was chosen", entry.about.id)));
        }
        self.columns(entry, &suitable, &chosen.with, report)
    }

    /// Every chosen array that has the right number of axes.
    fn arrays(&self, entry: &'static Entry, chosen: &Chosen, report: &mut Report) -> Result<(), Failure> {
        let with = self.loaded(&chosen.with)?;
        let with: Vec<&Column> = with.iter().collect();
        let arrays = chosen.matrices.iter().map(|&i| &self.file.dataset.matrices[i]);
        let suits = |m: &&Matrix| chosen.explicit || entry.about.accepts.suits_array(m.values.ndim());
        for matrix in arrays.filter(suits) {
            self.measure(entry, &matrix.name, Subject::from(matrix).with(&with), &with, report)?;
        }
        Ok(())
    }

    /// Columns, and those that are with them.
    fn columns(
        &self,
        entry: &'static Entry,
        columns: &[usize],
        with: &[usize],
        report: &mut Report,
    ) -> Result<(), Failure> {
        let (columns, with) = (self.loaded(columns)?, self.loaded(with)?);
        let (columns, with): (Vec<&Column>, Vec<&Column>) = (columns.iter().collect(), with.iter().collect());
        let Some((first, rest)) = columns.split_first() else { return Ok(()) };
        let beside: Vec<&Column> = rest.iter().chain(&with).copied().collect();
        self.measure(entry, &first.name, Subject::from(columns.as_slice()).with(&with), &beside, report)
    }

    fn measure(
        &self,
        entry: &'static Entry,
        name: &str,
        subject: Subject<'_>,
        beside: &[&Column],
        report: &mut Report,
    ) -> Result<(), Failure> {
        let id = entry.about.id;
        let given = self.call.given(id);
        let with: Vec<String> = beside.iter().map(|c| c.name.clone()).collect();
        let words = if with.is_empty() { String::new() } else { format!(" with {}", with.join(", ")) };
        self.call.progress.begin(format!("{id} of {name}{words}"));
        let started = Instant::now();
        let computed = pollster::block_on(entry.run(&Json::Object(given.clone()), subject, self.call.context));
        self.call.record(entry, Some(name), with, &given, computed, started, report)
    }

    /// The columns with their values.
    fn loaded(&self, places: &[usize]) -> Result<Vec<Column>, Failure> {
        Ok(pollster::block_on(self.file.columns(places, self.call.progress))?)
    }
}
