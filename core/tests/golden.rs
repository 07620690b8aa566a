//! Every golden record that this build covers agrees, and the ones that it should cover it does cover.

#![allow(clippy::unwrap_used, reason = "a test that cannot read its input has failed")]

use std::{collections::BTreeMap, fs, path::Path};

use surprisal_core::{
    compute::Cpu,
    data::{self, Column, Kind, Memory},
    measure::Context,
    pace::Unhurried,
    verify::{Record, Status},
};

fn read(path: &Path) -> Column {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let raw = name.ends_with(".bin") || name.ends_with(".txt");
    let options = data::Options { kind: raw.then_some(Kind::Bytes), ..data::Options::default() };
    let source = Memory::new(name, fs::read(path).unwrap());
    let file = pollster::block_on(data::open(Box::new(source), options, &Unhurried)).unwrap();
    pollster::block_on(file.column(0, &Unhurried)).unwrap()
}

/// Records in which the package overflows where the definition has a value: infomeasure 0.6.3 weighs every factor of ρ by
/// its count and scales by ρ at another β than that of its maximum, so that its integrals are infinity over infinity. The
/// values of this build are checked against an integral at 30 digits in `single.rs`.
const OVERFLOWN: [&str; 5] = ["discrete-005", "discrete-021", "discrete-037", "discrete-053", "discrete-069"];

#[test]
fn golden_records_agree() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/measures");
    let context = Context::new(&Cpu, &Unhurried);
    let mut inputs: BTreeMap<String, Column> = BTreeMap::new();
    let (mut agree, mut overflown, mut wrong) = (0, 0, Vec::new());
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
            let column = match &record.input {
                None => &Column::real("none", vec![]),
                Some(input) => inputs.entry(input.clone()).or_insert_with(|| read(&folder.join(input))),
            };
            let verdict = pollster::block_on(record.run(column, &context)).unwrap();
            match verdict.status {
                Status::Agree => agree += 1,
                // Only a number where the package has none: nothing else is let pass.
                Status::Disagree
                    if OVERFLOWN.contains(&&*verdict.id) && verdict.expected == "nan" && verdict.got.is_f64() =>
                {
                    overflown += 1;
                }
                _ => wrong.push(verdict),
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    // All records of the measures in the catalogue; a smaller number means that some were not run.
    assert_eq!((agree, overflown), (544, OVERFLOWN.len()));
}
