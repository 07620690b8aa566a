//! Which measures of which columns a setup asks for.

use serde_json::json;
use surprisal_core::{
    data::ColumnType,
    measure::{self, Accepts},
    report,
};

use crate::{
    protocol::{ColumnView, Job},
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

/// Names in the setup that the file does not have.
pub(crate) fn absent<'a>(setup: &'a Setup, columns: &[ColumnView]) -> Vec<&'a str> {
    let names = setup.columns.iter().flatten();
    names.filter(|name| !columns.iter().any(|c| c.name == **name)).map(String::as_str).collect()
}

/// The ids of the chosen measures in the order of the choice, or those suggested for any of the columns in the
/// order of the suggestions.
pub(crate) fn measures(setup: &Setup, columns: &[ColumnView], chosen: &[usize]) -> Vec<&'static str> {
    let wanted: Vec<&String> = match &setup.measures {
        Some(list) => list.iter().collect(),
        None => chosen.iter().flat_map(|&i| &columns[i].suggested).collect(),
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

/// Whether a measure can be asked of any of the columns.
pub(crate) fn offered(accepts: Accepts, columns: &[ColumnView], chosen: &[usize]) -> bool {
    accepts == Accepts::Nothing || chosen.iter().any(|&i| report::offers(accepts, columns[i].ty))
}

/// All jobs, column by column.
pub(crate) fn jobs(setup: &Setup, columns: &[ColumnView]) -> Vec<Job> {
    let chosen = self::columns(setup, columns);
    let ids = measures(setup, columns, &chosen);
    let mut jobs = Vec::new();
    for &i in &chosen {
        let column = &columns[i];
        for id in &ids {
            let Ok(entry) = measure::find(id) else { continue };
            let accepts = entry.about.accepts;
            let wanted = if setup.measures.is_none() {
                column.suggested.iter().any(|m| m == id)
            } else {
                // A measure of symbols counts equal reals only where that is the only thing it could mean.
                accepts.suits(column.ty)
                    || (report::offers(accepts, column.ty) && !chosen.iter().any(|&k| accepts.suits(columns[k].ty)))
            };
            if wanted {
                jobs.push(job(setup, id, Some(i)));
            }
        }
    }
    for id in &ids {
        if measure::find(id).is_ok_and(|entry| entry.about.accepts == Accepts::Nothing) {
            jobs.push(job(setup, id, None));
        }
    }
    jobs
}

/// One job. Its key is everything that its numbers depend on, so that equal keys need no second computation.
fn job(setup: &Setup, id: &str, column: Option<usize>) -> Job {
    let column = column.and_then(|i| u32::try_from(i).ok());
    let parameters = setup.parameters(id);
    let key = json!([id, column, parameters, setup.information, setup.resamples(), setup.seed, setup.wish]).to_string();
    Job { key, measure: id.to_owned(), column, parameters }
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
        let jobs = jobs(&Setup::default(), &file);
        let found: Vec<_> = jobs.iter().map(|j| (j.measure.as_str(), j.column)).collect();
        assert_eq!(found, [("perm", Some(1)), ("hist.entropy", Some(1)), ("shannon.plugin", Some(2))]);
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
        assert_eq!(jobs(&both, &file).iter().map(|j| j.column).collect::<Vec<_>>(), [Some(1)]);
        let real = Setup::parse("measure=shannon.plugin&column=x");
        assert_eq!(jobs(&real, &file).iter().map(|j| j.column).collect::<Vec<_>>(), [Some(0)]);
    }

    #[test]
    fn a_key_changes_with_everything_the_number_depends_on() {
        let file = [column("x", ColumnType::Real, 9)];
        let key = |query: &str| {
            let jobs = jobs(&Setup::parse(query), &file);
            jobs.iter().find(|job| job.measure == "perm").map(|job| job.key.clone()).unwrap()
        };
        let keys = ["measure=perm", "perm.order=4", "unit=nat", "missing=omit", "seed=1", "backend=cpu"];
        let mut keys: Vec<_> = keys.into_iter().map(key).collect();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), 6);
    }
}
