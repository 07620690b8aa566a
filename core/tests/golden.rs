//! Every golden record that this build covers agrees, and the ones that it should cover it does cover.

#![allow(clippy::unwrap_used, reason = "a test that cannot read its input has failed")]

#[path = "common/documents.rs"]
mod documents;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::Path,
};

use serde_json::Value as Json;

use surprisal_core::{
    compute::Cpu,
    data::{self, Dataset, Kind, Memory},
    measure::Context,
    pace::Unhurried,
    verify::{Record, Status},
};

fn read(path: &Path) -> Dataset {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let raw = name.ends_with(".bin") || name.ends_with(".txt");
    let options = data::Options { kind: raw.then_some(Kind::Bytes), ..data::Options::default() };
    let source = Memory::new(name, fs::read(path).unwrap());
    let file = pollster::block_on(data::open(Box::new(source), options, &Unhurried)).unwrap();
    pollster::block_on(file.into_dataset(&Unhurried)).unwrap()
}

/// How the values of one package compare with this build's.
#[derive(Default)]
struct Package {
    records: u32,
    agree: u32,
    disagree: u32,
    without: u32,
    /// The largest relative difference of a value that agrees.
    largest: f64,
    reasons: BTreeSet<String>,
}

/// The largest relative difference of two values; `None` where they are not comparable.
fn difference(expected: &Json, got: &Json) -> Option<f64> {
    match (expected, got) {
        (Json::Array(e), Json::Array(g)) if e.len() == g.len() => {
            e.iter().zip(g).try_fold(0.0, |most: f64, (e, g)| Some(most.max(difference(e, g)?)))
        }
        // A package that answers NaN calls the quantity undefined.
        (Json::String(e), Json::String(g)) => (e == g || e == "nan" && g.starts_with("undefined")).then_some(0.0),
        _ => {
            let (e, g) = (expected.as_f64()?, got.as_f64()?);
            let off = (e - g).abs();
            // What rounding leaves of a zero has no relative error.
            Some(if off <= 1e-12 { 0.0 } else { off / e.abs() })
        }
    }
}

impl Package {
    fn add(&mut self, theirs: Option<&Json>, got: &Json, tolerance: f64, reason: impl FnOnce() -> String) {
        self.records += 1;
        let Some(theirs) = theirs else {
            self.without += 1;
            return;
        };
        match difference(theirs, got) {
            Some(off) if off <= tolerance => {
                self.agree += 1;
                self.largest = self.largest.max(off);
            }
            _ => {
                self.disagree += 1;
                self.reasons.insert(reason());
            }
        }
    }
}

/// Up to the next power of ten, so that the last bits of a machine do not show.
fn rounded(largest: f64) -> String {
    let power = (-12..=0).find(|&p| largest <= 10_f64.powi(p)).unwrap_or(0);
    format!("1e{power}")
}

fn agreement(packages: &BTreeMap<(String, String), Package>) -> String {
    let mut text = "# Agreement with other packages\n\nWritten by `core/tests/golden.rs` from the golden records, on the CPU. A record agrees where the package's value is within\nthe record's tolerance of this build's; the largest relative difference among those is rounded up to a power of ten, 1e-12 at\nthe least. *Definition* is the formula of the literature, evaluated in f64 by the script that made the records. A record without\nreference holds no number of the package.\n\n| package | version | records | agree | disagree | without reference | largest difference |\n|---|---|---|---|---|---|---|\n".to_owned();
    for ((name, version), p) in packages {
        let largest = if p.agree > 0 { rounded(p.largest) } else { "–".to_owned() };
        writeln!(
            text,
            "| {name} | {version} | {} | {} | {} | {} | {largest} |",
            p.records, p.agree, p.disagree, p.without
        )
        .unwrap();
    }
    text.push_str("\n## Where and why they disagree\n\n");
    for ((name, version), p) in packages.iter().filter(|(_, p)| !p.reasons.is_empty()) {
        for reason in &p.reasons {
            writeln!(text, "- {name} {version}, {reason}").unwrap();
        }
    }
    text
}

#[test]
fn golden_records_agree() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/measures");
    let context = Context::new(&Cpu, &Unhurried);
    let mut inputs: BTreeMap<String, Dataset> = BTreeMap::new();
    let (mut agree, mut without, mut wrong) = (0, 0, Vec::new());
    let mut packages: BTreeMap<(String, String), Package> = BTreeMap::new();
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "json") {
            continue;
        }
        let list: Vec<serde_json::Value> = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        for json in &list {
            let record = Record::parse(json).unwrap();
            if !record.is_covered() {
                continue;
            }
            for file in record.files() {
                inputs.entry(file.to_owned()).or_insert_with(|| read(&folder.join(file)));
            }
            let files: Vec<&Dataset> = record.files().into_iter().map(|file| &inputs[file]).collect();
            let verdict = pollster::block_on(record.run(&files, &context)).unwrap();
            let text = |of: &Json, key: &str| of.get(key).and_then(Json::as_str).unwrap_or_default().to_owned();
            let tolerance = json.get("tol_rel").and_then(Json::as_f64).unwrap_or(1e-9);
            let others = json.get("others").and_then(Json::as_array).cloned().unwrap_or_default();
            for source in std::iter::once(json).chain(&others).filter(|s| s.get("library").is_some()) {
                // Versions of the definition name the script.
                let version = text(source, "version").split(' ').take(2).collect::<Vec<_>>().join(" ");
                let package = packages.entry((text(source, "library"), version)).or_default();
                let value = source.get("value").filter(|_| verdict.status != Status::NotCovered || source != json);
                let reason = || format!("`{}`: {}", verdict.measure, text(source, "why"));
                package.add(value, &verdict.got, tolerance, reason);
            }
            match verdict.status {
                Status::Agree => agree += 1,
                // NSB, where the package overflows; `single.rs` checks these values against integrals at 30 digits.
                Status::NotCovered if verdict.measure == "shannon.nsb" && verdict.got.is_f64() => without += 1,
                _ => wrong.push(verdict),
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    // All records of the measures in the catalogue; a smaller number means that some were not run.
    assert_eq!((agree, without), (617, 5));
    let document = [("AGREEMENT.md".to_owned(), agreement(&packages))].into();
    documents::check(&document, None);
}
