//! What a run found, on standard output and as files.

use std::{io::Write as _, path::Path};

use comfy_table::{Attribute, Cell, CellAlignment, Table, presets};
use serde::Serialize;
use surprisal_core::{
    compute::Backend,
    data::write::school_csv,
    experiment::{Record, Run, Verdict},
    figure::{Figure, number},
    sim::swarm::State,
};

use super::{folder, tables};
use crate::plot;

/// The record with what is seen in it, as it is written and printed.
#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    record: &'a Record,
    seen: String,
}

/// What is shown of a run or a recording.
pub(crate) struct Shown<'a> {
    /// The heading.
    pub(crate) title: String,
    /// The numbers.
    pub(crate) record: &'a Record,
    /// In words.
    pub(crate) seen: String,
    /// What one run says of the claims that it is about.
    pub(crate) verdicts: Vec<Verdict>,
    /// The pictures.
    pub(crate) figures: Vec<Figure>,
}

impl<'a> From<&'a Run> for Shown<'a> {
    fn from(run: &'a Run) -> Self {
        let about = run.entry().about;
        Self {
            title: format!("{} ({})", about.title, about.id),
            record: run.record(),
            seen: run.seen(),
            verdicts: run.verdicts(),
            figures: run.figures(),
        }
    }
}

/// The record as JSON.
pub(crate) fn json(shown: &Shown<'_>) -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(&Document { record: shown.record, seen: shown.seen.clone() })? + "\n")
}

/// The numbers for people.
pub(crate) fn table(shown: &Shown<'_>, notes: &[String]) -> String {
    let record = shown.record;
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    let head = |t: &str| Cell::new(t).add_attribute(Attribute::Bold);
    table.set_header(["scalar", "value", "unit", "95 % interval", "n", "what it is"].map(head));
    for s in &record.scalars {
        let right = |t: String| Cell::new(t).set_alignment(CellAlignment::Right);
        let interval =
            s.uncertainty.as_ref().map(|u| format!("{} … {}", number(u.low), number(u.high))).unwrap_or_default();
        table.add_row([
            Cell::new(&s.name),
            right(s.value.map_or_else(|| "–".to_owned(), number)),
            Cell::new(s.unit.symbol()),
            right(interval),
            right(s.n.to_string()),
            Cell::new(&s.title),
        ]);
    }
    let mut text = format!("{}\n", shown.title);
    text.push_str(&format!("{}\n\n{}\n\n", table.trim_fmt(), shown.seen));
    for verdict in &shown.verdicts {
        if let [value] = verdict.values[..] {
            let holds = if verdict.holding == 1 { "holds" } else { "does not hold" };
            let (of, id) = (&verdict.experiment, verdict.claim);
            let (comparison, needed) = (verdict.comparison, verdict.needed);
            let value = number(value);
            text.push_str(&format!(
                "claim {id}: {} {comparison} {holds} for this seed ({value}); it takes {needed}: surprisal check {of} --claim {of}.{id}\n",
                verdict.scalar
            ));
        }
    }
    for note in notes.iter().chain(&record.notes) {
        text.push_str(&format!("note: {note}\n"));
    }
    let place = match (record.backend, &record.adapter) {
        (Some(Backend::Gpu), Some(adapter)) => format!(" on the GPU ({adapter})"),
        (Some(Backend::Gpu), None) => " on the GPU".to_owned(),
        (Some(Backend::Cpu), _) => " on the CPU".to_owned(),
        (None, _) => String::new(),
    };
    text.push_str(&format!("{} steps{place} in {:.2} s\n", record.steps, record.seconds));
    text
}

/// Writes the record, tables and pictures into `dir`; gives back the files' names.
pub(crate) fn write(dir: &Path, shown: &Shown<'_>) -> anyhow::Result<Vec<String>> {
    let record = shown.record;
    let mut files = vec!["record.json".to_owned()];
    let json = json(shown)?;
    folder::put(dir, "record.json", |out| Ok(out.write_all(json.as_bytes())?))?;
    for table in &record.tables {
        let name = plot::file_name(&[&table.name]);
        let (csv, parquet) = (format!("{name}.csv"), format!("{name}.parquet"));
        folder::put(dir, &csv, |out| Ok(out.write_all(table.to_csv().as_bytes())?))?;
        tables::parquet(dir, &parquet, table, record)?;
        files.extend([csv, parquet]);
    }
    for figure in &shown.figures {
        let name = format!("{}.svg", plot::file_name(&[&figure.id]));
        let svg = plot::svg(figure)?;
        folder::put(dir, &name, |out| Ok(out.write_all(svg.as_bytes())?))?;
        files.push(name);
    }
    Ok(files)
}

/// The CSV files of dewi-kadita, for a record that has its measures.
pub(crate) fn library(dir: &Path, record: &Record, last: Option<&State>) -> anyhow::Result<Vec<String>> {
    let Some(series) = record.table("series").filter(|t| !t.numbers("library.polarization").is_empty()) else {
        return Ok(Vec::new());
    };
    let name = |what: &str| format!("{}_{what}.csv", record.experiment);
    let mut files = ["order_parameters", "entropy_timeseries", "entropy_summary"].map(name).to_vec();
    folder::put(dir, &files[0], |out| Ok(school_csv::order_parameters(series, out)?))?;
    folder::put(dir, &files[1], |out| Ok(school_csv::entropy_timeseries(series, out)?))?;
    folder::put(dir, &files[2], |out| Ok(school_csv::entropy_summary(series, out)?))?;
    if let Some(state) = last {
        files.push(name("final_state"));
        folder::put(dir, &files[3], |out| Ok(school_csv::final_state(state, out)?))?;
    }
    Ok(files)
}
