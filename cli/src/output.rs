//! Results on standard output.

use std::io::{self, Write as _};

use comfy_table::{Attribute, Cell, CellAlignment, Table, presets};
use serde_json::Value as Json;
use surprisal_core::{
    compute::Backend,
    data::Provenance,
    figure::number,
    report::{Report, ResultRecord},
};

/// Up to so many values of an array are shown one by one.
const SHOWN: usize = 4;

/// Writes to standard output; a closed pipe (`| head`) is no error.
pub(crate) fn write(text: &str) -> io::Result<()> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// The report as a table for people.
pub(crate) fn table(report: &Report, notes: &[String]) -> String {
    let p = &report.input.provenance;
    let line = |p: &Provenance| format!("{}  {} bytes, {}\n", p.name, p.size, p.read_as);
    let mut text = line(p);
    for file in &p.files {
        text.push_str(&format!("  {}", line(file)));
    }
    for note in notes {
        text.push_str(&format!("note: {note}\n"));
    }
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    let head = |t: &str| Cell::new(t).add_attribute(Attribute::Bold);
    table.set_header(["column", "measure", "value", "unit", "95 % interval", "n", "on", "seconds"].map(head));
    for r in &report.results {
        let right = |t: String| Cell::new(t).set_alignment(CellAlignment::Right);
        let interval =
            r.uncertainty.as_ref().map(|u| format!("{} … {}", number(u.low), number(u.high))).unwrap_or_default();
        table.add_row([
            Cell::new(r.subject().as_deref().unwrap_or("–")),
            Cell::new(&r.measure),
            right(value(r)),
            Cell::new(r.unit.map(|u| u.symbol()).unwrap_or_default()),
            right(interval),
            right(r.n.map(|n| n.to_string()).unwrap_or_default()),
            Cell::new(match r.backend {
                Some(Backend::Gpu) => "gpu",
                Some(Backend::Cpu) => "cpu",
                None => "",
            }),
            right(format!("{:.3}", r.seconds)),
        ]);
    }
    text.push_str(&table.trim_fmt());
    text.push('\n');
    for r in &report.results {
        let place = format!("{}{}", r.measure, r.subject().map(|c| format!(" of {c}")).unwrap_or_default());
        if let Some(s) = &r.surrogates {
            text.push_str(&format!("{place}: {}\n", s.sentence()));
        }
        if let Some(why) = &r.why {
            text.push_str(&format!("{place}: {why}\n"));
        }
        for warning in &r.warnings {
            text.push_str(&format!("warning: {place}: {}\n", warning.text));
        }
    }
    text
}

/// Four significant digits; long arrays show how many values they have and their range.
fn value(r: &ResultRecord) -> String {
    let one = |v: &Json| v.as_f64().map_or_else(|| "…".to_owned(), number);
    if let Some(named) = r.named_parts() {
        return named;
    }
    match &r.value {
        Json::Null => "–".to_owned(),
        Json::Array(list) if list.len() <= SHOWN => list.iter().map(one).collect::<Vec<_>>().join(", "),
        Json::Array(list) => {
            let (low, high) = list
                .iter()
                .filter_map(Json::as_f64)
                .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
            format!("{} values, {} to {}", list.len(), number(low), number(high))
        }
        v => one(v),
    }
}
