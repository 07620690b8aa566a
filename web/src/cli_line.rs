//! The command line that computes the same numbers.

use surprisal_core::{data::ColumnType, experiment::Entry, measure::Context, quantity::Information};

use crate::{
    plan,
    protocol::{ColumnView, Wish},
    setup::{Setup, information_word, plain},
    trial::Trial,
};

/// `surprisal measure FILE …` for a POSIX shell.
pub(crate) fn command(setup: &Setup, file: &str, columns: &[ColumnView]) -> String {
    let mut words = vec!["surprisal".to_owned(), "measure".to_owned(), quote(file)];
    let chosen = plan::columns(setup, columns);
    let measurable = columns.iter().filter(|c| c.ty != ColumnType::Time).count();
    if chosen.len() < measurable || setup.columns.is_some() {
        for &i in &chosen {
            words.extend(["--column".to_owned(), quote(&columns[i].name)]);
        }
    }
    if setup.measures.is_some() {
        for id in plan::measures(setup, columns, &chosen) {
            words.extend(["--measure".to_owned(), id.to_owned()]);
        }
    }
    let used = plan::jobs(setup, columns);
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
        assert_eq!(command(&Setup::default(), "a.csv", &columns()), "surprisal measure a.csv");
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
            "column=it%27s+y&measure=perm&perm.order=5&missing=omit&unit=nat&resamples=0&seed=3&backend=cpu",
        );
        assert_eq!(
            command(&setup, "my file.csv", &columns()),
            r"surprisal measure 'my file.csv' --column 'it'\''s y' --measure perm --set perm.order=5 --missing omit --unit nat --resamples 0 --seed 3 --backend cpu"
        );
    }
}
