//! `surprisal list`.

use std::process::ExitCode;

use serde_json::{Value as Json, json};
use surprisal_core::{
    experiment, latex,
    measure::{Entry, Family, PRESETS, Parameter, ParameterKind, catalogue},
};

use crate::{Failure, TableOrJson, output::write};

pub(crate) fn measures(format: TableOrJson) -> Result<ExitCode, Failure> {
    match format {
        TableOrJson::Json => {
            let list: Vec<Json> = catalogue().iter().map(describe).collect();
            write(&format!("{:#}\n", Json::from(list)))?;
        }
        TableOrJson::Table => write(&table())?,
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn experiments(format: TableOrJson) -> Result<ExitCode, Failure> {
    match format {
        TableOrJson::Json => {
            let list: Vec<Json> = experiment::registry().iter().map(describe_experiment).collect();
            write(&format!("{:#}\n", Json::from(list)))?;
        }
        TableOrJson::Table => {
            let mut text = String::new();
            for entry in experiment::registry() {
                let about = entry.about;
                text.push_str(&format!("{}\n  {}. {}\n", about.id, about.title, about.claim));
                for p in entry.parameters() {
                    text.push_str(&format!("    {}\n", line(p)));
                }
                text.push_str(&match entry.claims().len() {
                    0 => "\n".to_owned(),
                    n => format!("  {n} claims: surprisal check {}\n\n", about.id),
                });
            }
            write(&text)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn presets() -> Result<ExitCode, Failure> {
    for preset in &PRESETS {
        write(&format!("{}\n  {}. {}\n  {}\n\n", preset.id, preset.title, preset.summary, preset.measures.join(", ")))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn describe_experiment(entry: &experiment::Entry) -> Json {
    let about = entry.about;
    let claims = entry.claims().iter().map(|claim| {
        json!({
            "id": claim.id,
            "statement": claim.statement,
            "scalar": claim.scalar,
            "comparison": claim.comparison,
            "settings": entry.settings(claim),
            "seeds": claim.seeds,
            "source": claim.source,
            "afterwards": claim.afterwards,
        })
    });
    json!({
        "id": about.id,
        "title": about.title,
        "claim": about.claim,
        "how": about.how,
        "equation": about.equation,
        "tex": latex::display(about.tex),
        "source": about.source,
        "paper": about.paper,
        "parameters": entry.parameters(),
        "schema": entry.schema(),
        "claims": claims.collect::<Vec<_>>(),
    })
}

fn describe(entry: &Entry) -> Json {
    let about = entry.about;
    json!({
        "id": about.id,
        "title": about.title,
        "summary": about.summary,
        "equation": about.equation,
        "tex": latex::display(about.tex),
        "source": about.source,
        "family": about.family,
        "accepts": about.accepts,
        "cost": about.cost,
        "gpu": about.gpu,
        "unit": about.unit,
        "uncertainty": about.uncertainty,
        "bias": about.bias,
        "parameters": entry.parameters(),
        "schema": entry.schema(),
    })
}

fn table() -> String {
    let mut text = String::new();
    for family in Family::ALL {
        text.push_str(family.title());
        text.push('\n');
        for entry in catalogue().iter().filter(|e| e.about.family == family) {
            let about = entry.about;
            text.push_str(&format!("  {:24} {}\n{:27}{}\n", about.id, about.title, "", about.summary));
            for p in entry.parameters().iter().filter(|p| !["first", "missing"].contains(&p.name.as_str())) {
                text.push_str(&format!("{:27}{}\n", "", line(p)));
            }
        }
        text.push('\n');
    }
    text.push_str("Every measure also takes first=N (use only the first N values) and missing=error|omit.\n");
    text
}

/// `order=3  Embedding dimension … (2 to 8)`.
fn line(p: &Parameter) -> String {
    let default = match &p.default {
        Json::String(s) => s.clone(),
        Json::Null => String::new(),
        other => other.to_string(),
    };
    let range = match &p.kind {
        ParameterKind::Integer(b) | ParameterKind::Number(b) => match (b.minimum, b.maximum) {
            (Some(low), Some(high)) => format!(" ({low} to {high})"),
            (Some(low), None) => format!(" (at least {low})"),
            _ => String::new(),
        },
        ParameterKind::Choice { options } => format!(" ({})", options.join(", ")),
        ParameterKind::Boolean | ParameterKind::Text | ParameterKind::Free => String::new(),
    };
    format!("{}={default}  {}{range}", p.name, p.help)
}
