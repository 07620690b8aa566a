//! The command line that computes the same numbers.

use surprisal_core::{
    experiment::Entry,
    measure::{self, Context, surrogate},
    quantity::Information,
};

use crate::{
    plan,
    protocol::{ArrayView, ColumnView, Wish},
    setup::{Setup, information_word, plain},
    trial::Trial,
};

/// `surprisal measure FILE …` for a POSIX shell.
pub(crate) fn command(setup: &Setup, files: &[&str], columns: &[ColumnView], arrays: &[ArrayView]) -> String {
    let mut words = vec!["surprisal".to_owned(), "measure".to_owned()];
    words.extend(files.iter().map(|file| quote(file)));
    let used = plan::jobs(setup, columns, arrays);
    // The labels of a table's rows.
    let with = used.iter().filter(|job| job.of.pair().is_none()).find_map(|job| job.of.with().first().copied());
    if plan::names_needed(setup, columns, arrays) || with.is_some() {
        let columns = plan::columns(setup, columns).into_iter().filter(|i| Some(*i) != with).map(|i| &columns[i].name);
        let arrays = plan::arrays(setup, arrays).into_iter().map(|i| &arrays[i].name);
        let mut named = Vec::new();
        for name in columns.chain(arrays).filter(|name| !name.is_empty()) {
            // What is a column and an array is named once.
            if !named.contains(&name) {
                words.extend(["--column".to_owned(), quote(name)]);
                named.push(name);
            }
        }
    }
    if let Some(labels) = with.and_then(|i| columns.get(i)) {
        words.extend(["--with".to_owned(), quote(&labels.name)]);
    }
    if setup.measures.is_some() {
        // What nothing was asked of would be an error there.
        let asked = |id: &&str| used.iter().any(|job| job.measure == **id);
        for id in plan::measures(setup, columns, arrays).into_iter().filter(asked) {
            words.extend(["--measure".to_owned(), id.to_owned()]);
        }
    }
    let mut seen = Vec::new();
    for job in &used {
        if seen.contains(&&job.measure) {
            continue;
        }
        seen.push(&job.measure);
        for (name, value) in job.parameters.iter().filter(|(name, _)| !(setup.omit && *name == "missing")) {
            words.extend(["--set".to_owned(), quote(&format!("{}.{name}={}", job.measure, plain(value)))]);
        }
    }
    if setup.omit {
        words.extend(["--missing".to_owned(), "omit".to_owned()]);
    }
    if setup.information != Information::Native {
        words.extend(["--unit".to_owned(), information_word(setup.information).to_owned()]);
    }
    if setup.resamples() != Context::RESAMPLES {
        words.extend(["--resamples".to_owned(), setup.resamples().to_string()]);
    }
    if setup.seed != 0 {
        words.extend(["--seed".to_owned(), setup.seed.to_string()]);
    }
    // Where nothing could be compared the option would be an error there.
    let compared = |id: &str| measure::find(id).is_ok_and(surrogate::applies);
    if let Some(plan) = setup.surrogates.filter(|_| used.iter().any(|job| compared(&job.measure))) {
        words.extend(["--surrogates".to_owned(), plan.to_string()]);
    }
    if setup.wish != Wish::Auto {
        words.extend(["--backend".to_owned(), setup.wish.word().to_owned()]);
    }
    words.join(" ")
}

/// `surprisal run ID …` for a POSIX shell.
pub(crate) fn run(trial: &Trial) -> String {
    let id = trial.experiment.clone().unwrap_or_default();
    let mut words = vec!["surprisal".to_owned(), "run".to_owned(), quote(&id)];
    let parameters = trial.entry().map(Entry::parameters).unwrap_or_default();
    for parameter in parameters {
        if let Some(value) = trial.given.get(&parameter.name) {
            words.extend(["--set".to_owned(), quote(&format!("{}={}", parameter.name, plain(value)))]);
        }
    }
    if trial.wish != Wish::Auto {
        words.extend(["--backend".to_owned(), trial.wish.word().to_owned()]);
    }
    words.join(" ")
}

/// A word that a POSIX shell reads as it is.
fn quote(text: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || "._-+=:,@%/".contains(c);
    // A name that begins with a dash would be read as an option.
    let text = if text.starts_with('-') && text.len() > 1 && !text.contains('=') {
        format!("./{text}")
    } else {
        text.to_owned()
    };
    if !text.is_empty() && text.chars().all(safe) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use surprisal_core::data::ColumnType;

    use super::*;

    fn columns() -> Vec<ColumnView> {
        ["x", "it's y"]
            .map(|name| ColumnView {
                name: name.into(),
                unit: None,
                ty: ColumnType::Real,
                len: 10,
                missing: 0,
                resident: true,
                rows: vec![],
                suggested: vec!["perm".into()],
            })
            .to_vec()
    }

    #[test]
    fn defaults_need_no_option() {
        assert_eq!(command(&Setup::default(), &["a.csv"], &columns(), &[]), "surprisal measure a.csv");
    }

    #[test]
    fn arrays_are_named_beside_columns_and_labels_as_what_is_with_them() {
        let array = |name: &str| ArrayView { name: name.into(), shape: vec![4, 3], suggested: vec![] };
        let setup = Setup::parse("array=w&column=x&measure=matrix.entropy");
        assert_eq!(
            command(&setup, &["a.npz"], &columns(), &[array("w"), array("v")]),
            "surprisal measure a.npz --column x --column w --measure matrix.entropy"
        );
        let mut labelled = columns();
        labelled.push(ColumnView { name: "kind".into(), ty: ColumnType::Symbols, ..labelled[0].clone() });
        assert_eq!(
            command(&Setup::parse("measure=dsmi"), &["a.csv"], &labelled, &[]),
            r"surprisal measure a.csv --column x --column 'it'\''s y' --with kind --measure dsmi"
        );
    }

    #[test]
    fn a_run_names_what_differs() {
        let trial = Trial::parse("experiment=vicsek&noise=2&count=50&backend=cpu");
        assert_eq!(run(&trial), "surprisal run vicsek --set count=50 --set noise=2 --backend cpu");
        assert_eq!(run(&Trial::parse("experiment=vicsek")), "surprisal run vicsek");
    }

    #[test]
    fn every_choice_has_its_option_and_names_are_quoted() {
        let setup = Setup::parse(
            "column=it%27s+y&measure=perm&perm.order=5&missing=omit&unit=nat&resamples=0&seed=3&surrogates=iaaft=19&backend=cpu",
        );
        assert_eq!(
            command(&setup, &["my file.csv", "b.csv"], &columns(), &[]),
            r"surprisal measure 'my file.csv' b.csv --column 'it'\''s y' --measure perm --set perm.order=5 --missing omit --unit nat --resamples 0 --seed 3 --surrogates iaaft=19 --backend cpu"
        );
        assert_eq!(
            command(&Setup::parse("measure=mi.ksg1&surrogates=iaaft=19"), &["a.csv"], &columns(), &[]),
            "surprisal measure a.csv --measure mi.ksg1"
        );
    }
}
