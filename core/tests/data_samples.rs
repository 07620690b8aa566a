//! The samples that the page and the command line offer are read to what their index says.

#![allow(clippy::unwrap_used, reason = "small literals; a test that cannot read its input has failed")]

use surprisal_core::{
    data::{Memory, OpenFile, Options, open},
    pace::Unhurried,
};

fn folder() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../static/samples")
}

fn read(name: &str) -> OpenFile {
    let bytes = std::fs::read(folder().join(name)).unwrap();
    pollster::block_on(open(Box::new(Memory::new(name, bytes)), Options::default(), &Unhurried)).unwrap()
}

#[test]
fn every_sample_is_read_as_its_index_says() {
    let index: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder().join("index.json")).unwrap()).unwrap();
    for entry in index.as_array().unwrap() {
        let text = |key: &str| entry[key].as_str().unwrap_or_else(|| panic!("{entry} has no {key}"));
        assert!(!text("title").is_empty() && !text("what").is_empty() && !text("source").is_empty());
        assert!(!text("licence").is_empty());
        let file = read(text("file"));
        let kind = serde_json::to_value(file.dataset.provenance.kind).unwrap();
        assert_eq!(kind, entry["kind"], "{entry}");
        assert!(file.dataset.columns.iter().all(|c| c.is_resident() && c.len > 200), "{entry}");
    }
}

#[test]
fn columns_that_the_documentation_names() {
    for (name, column, unit, len) in [
        ("sunspots.csv", "count", None, 2820),
        ("co2.csv", "co2", Some("ppm"), 2284),
        ("ecg.csv", "voltage", Some("mV"), 10_800),
        ("logistic.npy", "values", None, 10_000),
        ("markov.csv", "state", None, 10_000),
        ("hubble.png", "grey", None, 65_536),
    ] {
        let file = read(name);
        let found = file.dataset.columns.iter().find(|c| c.name == column).unwrap_or_else(|| panic!("{name}"));
        assert_eq!((found.unit.as_deref(), found.len), (unit, len), "{name}");
    }
}
