//! Which measures of which columns a setup asks for.

use serde_json::json;
use surprisal_core::{
    data::ColumnType,
    measure::{self, Accepts, Chosen, Entry, Of, has_law},
    report,
};

use crate::{
    protocol::{ArrayView, ColumnView, Job},
    setup::Setup,
};

/// Before anybody has chosen, at most so many columns are measured,
const COLUMNS: usize = 4;
/// and no further one once so many values are.
const VALUES: u64 = 2_000_000;

/// The chosen columns as indices, or the first ones that can be measured.
pub(crate) fn columns(setup: &Setup, columns: &[ColumnView]) -> Vec<usize> {
    if let Some(names) = &setup.columns {
        let chosen: Vec<usize> = (0..columns.len()).filter(|&i| names.contains(&columns[i].name)).collect();
        if !chosen.is_empty() || names.is_empty() {
            return chosen;
        }
    }
    let mut values = 0;
    let mut chosen = Vec::new();
    let several = columns.iter().filter(|c| c.ty != ColumnType::Time).count() > 1;
    let worth = |c: &ColumnView| c.ty != ColumnType::Time && !(several && counts_rows(c));
    for (i, column) in columns.iter().enumerate().filter(|(_, c)| worth(c)) {
        values += column.len;
        if !chosen.is_empty() && (chosen.len() == COLUMNS || values > VALUES) {
            break;
        }
        chosen.push(i);
    }
    chosen
}

/// Whether a column looks like a numbering of the rows (a year, an index): integers in equal steps.
fn counts_rows(column: &ColumnView) -> bool {
    let rows: Option<Vec<i64>> = column.rows.iter().map(|text| text.trim().parse().ok()).collect();
    let Some(rows) = rows.filter(|rows| column.ty == ColumnType::Integer && rows.len() > 2) else { return false };
    let step = rows[1].wrapping_sub(rows[0]);
    step != 0 && rows.windows(2).all(|pair| pair[1].wrapping_sub(pair[0]) == step)
}

/// Before anybody has chosen, at most so many arrays are measured.
const ARRAYS: usize = 8;

/// Of more columns than this not every pair is measured: a table of them would be endless.
const PAIRED: usize = 32;

/// The chosen arrays as indices, or the first ones.
pub(crate) fn arrays(setup: &Setup, arrays: &[ArrayView]) -> Vec<usize> {
    match &setup.arrays {
        Some(names) => (0..arrays.len()).filter(|&i| names.contains(&arrays[i].name)).collect(),
        None => (0..arrays.len().min(ARRAYS)).collect(),
    }
}

/// Whether a command line has to name columns and arrays: the page has chosen among what it would take unasked.
pub(crate) fn names_needed(setup: &Setup, columns: &[ColumnView], arrays: &[ArrayView]) -> bool {
    let measurable = columns.iter().filter(|c| c.ty != ColumnType::Time).count();
    let (chosen, all) = (self::columns(setup, columns).len(), self::arrays(setup, arrays).len());
    setup.columns.is_some() || setup.arrays.is_some() || chosen < measurable || all < arrays.len()
}

/// Names in the setup that the file does not have.
pub(crate) fn absent<'a>(setup: &'a Setup, columns: &[ColumnView], arrays: &[ArrayView]) -> Vec<&'a str> {
    let no_column = |name: &&String| !columns.iter().any(|c| c.name == **name);
    let no_array = |name: &&String| !arrays.iter().any(|a| a.name == **name);
    let absent = setup.columns.iter().flatten().filter(no_column);
    absent.chain(setup.arrays.iter().flatten().filter(no_array)).map(String::as_str).collect()
}

/// The ids of the chosen measures in the order of the choice, or those suggested for any of the columns and arrays in
/// the order of the suggestions.
pub(crate) fn measures(setup: &Setup, columns: &[ColumnView], arrays: &[ArrayView]) -> Vec<&'static str> {
    let wanted: Vec<&String> = match &setup.measures {
        Some(list) => list.iter().collect(),
        None => {
            let of_columns = self::columns(setup, columns).into_iter().flat_map(|i| &columns[i].suggested);
            let of_arrays = self::arrays(setup, arrays).into_iter().flat_map(|i| &arrays[i].suggested);
            of_columns.chain(of_arrays).collect()
        }
    };
    let mut ids = Vec::new();
    for id in wanted {
        if let Ok(entry) = measure::find(id)
            && !ids.contains(&entry.about.id)
        {
            ids.push(entry.about.id);
        }
    }
    ids
}

/// Whether a measure can be asked of any of what is chosen.
pub(crate) fn offered(entry: &Entry, setup: &Setup, columns: &[ColumnView], arrays: &[ArrayView]) -> bool {
    let accepts = entry.about.accepts;
    let one = |&i: &usize| report::offers(accepts, columns[i].ty);
    let axes = |&i: &usize| (i, arrays[i].shape.len());
    // A table of one column is measured where it is asked for, and not proposed: there is nothing beside it.
    let worth_it = |of: &Of| of.own().len() != 1 || accepts != Accepts::Table;
    accepts == Accepts::Nothing
        || self::columns(setup, columns).iter().any(one)
        || together(setup, entry, columns, self::arrays(setup, arrays).iter().map(axes).collect()).iter().any(worth_it)
}

/// How many columns are left out of the pairs, because there are too many of them.
pub(crate) fn unpaired(setup: &Setup, columns: &[ColumnView]) -> usize {
    self::columns(setup, columns).len().saturating_sub(PAIRED)
}

/// All jobs: column by column, then pairs, tables and arrays, then constants of the theory.
pub(crate) fn jobs(setup: &Setup, columns: &[ColumnView], arrays: &[ArrayView]) -> Vec<Job> {
    let chosen = self::columns(setup, columns);
    let entries: Vec<&Entry> =
        measures(setup, columns, arrays).into_iter().filter_map(|id| measure::find(id).ok()).collect();
    let mut jobs = Vec::new();
    for &i in &chosen {
        let column = &columns[i];
        for entry in &entries {
            let accepts = entry.about.accepts;
            let wanted = if setup.measures.is_none() {
                column.suggested.iter().any(|m| m == entry.about.id)
            } else {
                // A measure of symbols counts equal reals only where that is the only thing it could mean.
                accepts.is_of_one_column()
                    && (accepts.suits(column.ty)
                        || (report::offers(accepts, column.ty)
                            && !chosen.iter().any(|&k| accepts.suits(columns[k].ty))))
                    || accepts == Accepts::SymbolPair && has_law(&setup.parameters(entry.about.id))
            };
            if wanted {
                jobs.push(job(setup, entry, Of::Column(i)));
            }
        }
    }
    for entry in &entries {
        // Unasked, an array gets what is suggested for it.
        let wanted = |i: &usize| setup.measures.is_some() || arrays[*i].suggested.iter().any(|m| m == entry.about.id);
        let tensors = self::arrays(setup, arrays).into_iter().filter(wanted).map(|i| (i, arrays[i].shape.len()));
        let subjects = together(setup, entry, columns, tensors.collect());
        jobs.extend(subjects.into_iter().map(|of| job(setup, entry, of)));
    }
    for entry in entries.iter().filter(|entry| entry.about.accepts == Accepts::Nothing) {
        jobs.push(job(setup, entry, Of::Nothing));
    }
    jobs
}

/// What a measure of several columns, or of these arrays with so many axes, is asked of.
fn together(setup: &Setup, entry: &Entry, columns: &[ColumnView], arrays: Vec<(usize, usize)>) -> Vec<Of> {
    let mut chosen = self::columns(setup, columns);
    let is_labels = |i: &usize| columns[*i].ty == ColumnType::Symbols;
    let with: Vec<usize> = chosen.iter().copied().find(is_labels).filter(|_| entry.labelled).into_iter().collect();
    if matches!(entry.about.accepts, Accepts::Pair | Accepts::SymbolPair) {
        chosen.truncate(PAIRED);
    }
    let columns = chosen.into_iter().map(|i| (i, columns[i].ty)).collect();
    let chosen = Chosen { columns, with, arrays, named: false };
    entry.asked_together(&chosen, &setup.parameters(entry.about.id))
}

/// One job. Its key is everything that its numbers depend on, so that equal keys need no second computation.
fn job(setup: &Setup, entry: &Entry, of: Of) -> Job {
    let id = entry.about.id;
    let parameters = setup.parameters(id);
    // A constant of the theory is of no data that could be shuffled.
    let surrogates = setup.surrogates.filter(|_| entry.about.accepts != Accepts::Nothing);
    let (resamples, seed) = (setup.resamples(), setup.seed);
    let key = json!([id, of, parameters, setup.information, resamples, seed, setup.wish, surrogates]).to_string();
    Job { key, measure: id.to_owned(), of, parameters, surrogates }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, ty: ColumnType, len: u64) -> ColumnView {
        let suggested = match ty {
            ColumnType::Real => vec!["perm".to_owned(), "hist.entropy".to_owned()],
            ColumnType::Symbols => vec!["shannon.plugin".to_owned()],
            _ => vec![],
        };
        ColumnView { name: name.into(), unit: None, ty, len, missing: 0, resident: true, rows: vec![], suggested }
    }

    #[test]
    fn without_a_choice_each_column_gets_what_is_suggested_for_it() {
        let file =
            [column("t", ColumnType::Time, 9), column("x", ColumnType::Real, 9), column("s", ColumnType::Symbols, 9)];
        let jobs = jobs(&Setup::default(), &file, &[]);
        let found: Vec<_> = jobs.iter().map(|j| (j.measure.as_str(), &j.of)).collect();
        let expected = [("perm", &Of::Column(1)), ("hist.entropy", &Of::Column(1)), ("shannon.plugin", &Of::Column(2))];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_column_that_numbers_the_rows_is_not_measured_unasked() {
        let rows = |list: &[i64]| list.iter().map(i64::to_string).collect();
        let year = ColumnView { rows: rows(&[1700, 1701, 1702]), ..column("year", ColumnType::Integer, 3) };
        let count = ColumnView { rows: rows(&[5, 11, 16]), ..column("count", ColumnType::Integer, 3) };
        assert_eq!(columns(&Setup::default(), &[year.clone(), count]), [1]);
        assert_eq!(columns(&Setup::default(), &[year]), [0]);
    }

    #[test]
    fn large_columns_come_one_at_a_time() {
        let file = [column("a", ColumnType::Real, 3_000_000), column("b", ColumnType::Real, 3_000_000)];
        assert_eq!(columns(&Setup::default(), &file), [0]);
    }

    #[test]
    fn a_chosen_measure_is_asked_of_the_columns_it_suits() {
        let file = [column("x", ColumnType::Real, 9), column("s", ColumnType::Symbols, 9)];
        let both = Setup::parse("measure=shannon.plugin&column=x&column=s");
        assert_eq!(subjects(&both, &file, &[]), [Of::Column(1)]);
        let real = Setup::parse("measure=shannon.plugin&column=x");
        assert_eq!(subjects(&real, &file, &[]), [Of::Column(0)]);
    }

    fn subjects(setup: &Setup, columns: &[ColumnView], arrays: &[ArrayView]) -> Vec<Of> {
        jobs(setup, columns, arrays).into_iter().map(|job| job.of).collect()
    }

    #[test]
    fn what_needs_others_is_not_offered_to_one() {
        let offers =
            |id: &str, columns: &[ColumnView]| offered(measure::find(id).unwrap(), &Setup::default(), columns, &[]);
        let one = [column("t", ColumnType::Time, 9), column("x", ColumnType::Real, 9)];
        let two = [column("x", ColumnType::Real, 9), column("y", ColumnType::Real, 9)];
        for id in ["matrix.entropy", "mi.ksg1", "dse"] {
            assert!(!offers(id, &one) && offers(id, &two), "{id}");
        }
        assert!(offers("perm", &one));
    }

    #[test]
    fn every_pair_of_the_chosen_columns_is_asked_for() {
        let file = [
            column("t", ColumnType::Time, 9),
            column("x", ColumnType::Real, 9),
            column("y", ColumnType::Real, 9),
            column("z", ColumnType::Integer, 9),
        ];
        let pair = |i, j| Of::Columns(vec![i], vec![j]);
        assert_eq!(subjects(&Setup::parse("measure=mi.ksg1"), &file, &[]), [pair(1, 2), pair(1, 3), pair(2, 3)]);
        let both = [(1, 2), (2, 1), (1, 3), (3, 1), (2, 3), (3, 2)].map(|(i, j)| pair(i, j));
        assert_eq!(subjects(&Setup::parse("measure=te.ksg"), &file, &[]), both);
        // One integer among reals has nobody to be compared with but them.
        assert_eq!(subjects(&Setup::parse("measure=mi.plugin&column=x&column=z"), &file, &[]), [pair(1, 3)]);
        assert_eq!(subjects(&Setup::parse("measure=mi.ksg1&column=x"), &file, &[]), []);
    }

    #[test]
    fn tables_are_arrays_or_the_columns_side_by_side() {
        let array = |name: &str, shape: &[u32]| ArrayView {
            name: name.into(),
            shape: shape.to_vec(),
            suggested: if shape.len() == 2 { vec!["matrix.entropy".into()] } else { vec![] },
        };
        let file = [
            column("x", ColumnType::Real, 9),
            column("y", ColumnType::Real, 9),
            column("kind", ColumnType::Symbols, 9),
        ];
        let table = Setup::parse("measure=matrix.entropy");
        assert_eq!(subjects(&table, &file, &[]), [Of::Columns(vec![0, 1], vec![])]);
        let arrays = [array("w", &[4, 3]), array("cube", &[2, 2, 2])];
        assert_eq!(subjects(&table, &file, &arrays), [Of::Array(0, vec![])]);
        assert_eq!(subjects(&Setup::parse("measure=dsmi"), &file, &[]), [Of::Columns(vec![0, 1], vec![2])]);
        assert_eq!(subjects(&Setup::default(), &[], &arrays), [Of::Array(0, vec![])]);
        assert_eq!(subjects(&Setup::parse("array=cube"), &[], &arrays), []);
    }

    #[test]
    fn a_key_changes_with_everything_the_number_depends_on() {
        let file = [column("x", ColumnType::Real, 9)];
        let key = |query: &str| {
            let jobs = jobs(&Setup::parse(query), &file, &[]);
            jobs.iter().find(|job| job.measure == "perm").map(|job| job.key.clone()).unwrap()
        };
        let keys = [
            "measure=perm",
            "perm.order=4",
            "unit=nat",
            "missing=omit",
            "seed=1",
            "backend=cpu",
            "surrogates=iaaft=9",
            "surrogates=iaaft=19",
        ];
        let mut keys: Vec<_> = keys.into_iter().map(key).collect();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), 8);
        let job = |id: &str| jobs(&Setup::parse(&format!("measure={id}&surrogates=phase=9")), &file, &[]).remove(0);
        assert_eq!(job("perm").surrogates.map(|plan| plan.count), Some(9));
        assert_eq!(job("perm.hc_min_curve").surrogates, None);
    }
}
