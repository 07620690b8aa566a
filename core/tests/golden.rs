//! Every golden record that this build covers agrees, and the ones that it should cover it does cover.

#![allow(clippy::unwrap_used, reason = "a test that cannot read its input has failed")]

use std::{collections::BTreeMap, fs, path::Path};

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

#[test]
fn golden_records_agree() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/measures");
    let context = Context::new(&Cpu, &Unhurried);
    let mut inputs: BTreeMap<String, Dataset> = BTreeMap::new();
    let (mut agree, mut without, mut wrong) = (0, 0, Vec::new());
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "json") {
            continue;
        }
        let list: Vec<serde_json::Value> = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        for record in &list {
            let record = Record::parse(record).unwrap();
            if !record.is_covered() {
                continue;
            }
            for file in record.files() {
                inputs.entry(file.to_owned()).or_insert_with(|| read(&folder.join(file)));
            }
            let files: Vec<&Dataset> = record.files().into_iter().map(|file| &inputs[file]).collect();
            let verdict = pollster::block_on(record.run(&files, &context)).unwrap();
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
}
