//! What is to be run: an id, or a file or link that names one with its parameters.

use std::{fs, path::Path};

use anyhow::{Context as _, anyhow};
use clap::ValueEnum as _;
use serde_json::{Map, Value as Json};
use surprisal_core::experiment::{self, Entry, ExperimentError, Record};

use crate::{BackendChoice, Failure, progress::Progress};

/// An experiment and the parameters that differ from the defaults.
pub(crate) struct Given {
    pub(crate) entry: &'static Entry,
    pub(crate) parameters: Map<String, Json>,
    /// What computes, where a link says so.
    pub(crate) backend: Option<BackendChoice>,
    /// What was left out, for people.
    pub(crate) notes: Vec<String>,
}

/// Reads an id, a `.toml` file, a `.json` record or a link to a page.
pub(crate) fn read(target: &str) -> Result<Given, Failure> {
    if target.contains("://") || target.contains('?') {
        return link(target);
    }
    let ending = Path::new(target).extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
    match ending.as_str() {
        "toml" => toml(target),
        "json" => record(target),
        _ => match experiment::find(target) {
            Ok(entry) => Ok(Given { entry, parameters: Map::new(), backend: None, notes: Vec::new() }),
            Err(error) => Err(Failure::Usage(format!(
                "{error}; `surprisal list experiments` shows all, and files end in .toml or .json"
            ))),
        },
    }
}

/// Puts `key=value` texts over the parameters.
pub(crate) fn set(given: &mut Given, settings: &[String]) -> Result<(), Failure> {
    for setting in settings {
        let (key, value) = setting.split_once('=').ok_or_else(|| {
            Failure::Usage(format!("'{setting}' is not of the form key=value, for example --set seed=7"))
        })?;
        let value = given.entry.parse(key.trim(), value)?;
        given.parameters.insert(key.trim().to_owned(), value);
    }
    Ok(())
}

/// Puts the text of a file, or of a column of a table, in the place of a source.
pub(crate) fn text(given: &mut Given, file: &str, column: Option<&str>, progress: &Progress) -> Result<(), Failure> {
    let id = given.entry.about.id;
    if given.entry.parameters().iter().all(|p| p.name != "text") {
        return Err(Failure::Usage(format!("{id} learns from no text; tokenization-markov and tokenization-sweep do")));
    }
    let text = match column {
        Some(column) => crate::text::column(file, column, &mut given.notes, progress)?,
        None => crate::text::read(file)?,
    };
    given.parameters.insert("source".to_owned(), Json::from("text"));
    given.parameters.insert("text".to_owned(), Json::from(text));
    Ok(())
}

/// `experiment = "fish-schooling"` with parameters as keys, at the top or below `[parameters]`.
fn toml(path: &str) -> Result<Given, Failure> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?;
    let mut table: Map<String, Json> = toml::from_str(&text).map_err(|e| anyhow!("{path} is not TOML: {e}"))?;
    let entry = match table.remove("experiment") {
        Some(Json::String(id)) => experiment::find(&id)?,
        _ => {
            return Err(Failure::Usage(format!(
                "{path} names no experiment; expected experiment = \"fish-schooling\""
            )));
        }
    };
    let mut parameters = match table.remove("parameters") {
        Some(Json::Object(inner)) => inner,
        None => Map::new(),
        Some(other) => {
            return Err(Failure::Usage(format!("{path}: parameters = {other}; expected a table [parameters]")));
        }
    };
    parameters.extend(table);
    checked(entry, parameters)
}

/// The parameters of a record.
fn record(path: &str) -> Result<Given, Failure> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {path}"))?;
    let record = Record::parse(&text).map_err(|e| anyhow!("{path}: {e}"))?;
    let mut given = checked(experiment::find(&record.experiment)?, record.parameters)?;
    let (theirs, ours) = (record.surprisal, env!("CARGO_PKG_VERSION"));
    if theirs != ours {
        given.notes.push(format!("{path} was made by surprisal {theirs}, this is {ours}: numbers may differ"));
    }
    Ok(given)
}

fn checked(entry: &'static Entry, parameters: Map<String, Json>) -> Result<Given, Failure> {
    entry.complete(&Json::Object(parameters.clone()))?;
    Ok(Given { entry, parameters, backend: None, notes: Vec::new() })
}

/// `…?experiment=ID&key=value` or `…/embed/ID.html?key=value`. Keys that are no parameter (how it is viewed) are the page's
/// own business; they are told and left out.
fn link(text: &str) -> Result<Given, Failure> {
    let (address, query) = text.split_once('?').unwrap_or((text, ""));
    let address = address.split('#').next().unwrap_or_default();
    let query = query.split('#').next().unwrap_or_default();
    let pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(key, value)| (decoded(key), decoded(value)))
        .collect();
    let named = pairs.iter().find(|(key, _)| key == "experiment").map(|(_, value)| value.clone());
    let page = address.rsplit_once("embed/").map(|(_, page)| decoded(page.trim_end_matches(".html")));
    let id = named.or(page).ok_or_else(|| {
        Failure::Usage(format!(
            "{text} names no experiment; expected …?experiment=ID&key=value or …/embed/ID.html?key=value"
        ))
    })?;
    let entry = experiment::find(&id)?;
    let mut given = Given { entry, parameters: Map::new(), backend: None, notes: Vec::new() };
    for (key, value) in pairs.iter().filter(|(key, _)| key != "experiment") {
        if key == "backend" {
            given.backend = BackendChoice::from_str(value, true).ok();
            continue;
        }
        match entry.parse(key, value) {
            Ok(value) => {
                given.parameters.insert(key.clone(), value);
            }
            Err(_) if entry.parameters().iter().all(|p| p.name != *key) => {
                given.notes.push(format!("'{key}' in the link is no parameter of {id} and is left out"));
            }
            Err(error) => return Err(ExperimentError::from(error).into()),
        }
    }
    Ok(given)
}

/// Undoes `%41` and `+`; what is not well formed stays as it is.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let escaped = (*first == b'%')
            .then(|| behind.get(..2).and_then(|hex| std::str::from_utf8(hex).ok()))
            .flatten()
            .filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        rest = match escaped {
            Some(byte) => {
                bytes.push(byte);
                &behind[2..]
            }
            None => {
                bytes.push(if *first == b'+' { b' ' } else { *first });
                behind
            }
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    #[test]
    fn links_are_decoded() {
        assert_eq!(super::decoded("a%20b+c%2"), "a b c%2");
        assert_eq!(super::decoded("%e2%82%ac"), "€");
    }

    #[test]
    fn links_name_an_experiment_by_query_or_by_page() {
        let by_query = super::link("https://x.org/?experiment=fish-schooling&seed=7&view.speed=most&backend=cpu#top");
        let Ok(given) = by_query else { panic!("a good link") };
        assert_eq!((given.entry.about.id, &given.parameters["seed"]), ("fish-schooling", &serde_json::json!(7)));
        assert!(given.notes.len() == 1 && given.backend == Some(crate::BackendChoice::Cpu));
        let Ok(given) = super::link("https://x.org/embed/vicsek.html?seed=8") else { panic!("a good link") };
        assert_eq!((given.entry.about.id, &given.parameters["seed"]), ("vicsek", &serde_json::json!(8)));
        assert!(super::link("https://x.org/?seed=7").is_err());
        assert!(super::link("https://x.org/?experiment=vicsek&seed=x").is_err());
    }
}
