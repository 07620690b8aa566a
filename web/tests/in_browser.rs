//! `core` as the page runs it: compiled to wasm with 128-bit SIMD, in a worker of a real browser, against golden records.
//! The native tests cover the same code compiled for another machine, with other vector widths.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, reason = "a test that cannot read its input has failed")]

use surprisal_core::{
    compute::Cpu,
    data::{self, Dataset, Kind, Memory},
    measure::Context,
    pace::Unhurried,
    rng::philox4x32,
    verify::{Record, Status},
};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_dedicated_worker);

macro_rules! golden {
    ($file:literal) => {
        include_bytes!(concat!("../../core/tests/golden/measures/", $file))
    };
}

/// A small input of each kind: noise, ties, gaps in range, chaos, a constant, symbols, bytes.
const INPUTS: [(&str, &[u8]); 9] = [
    ("inputs/white.npy", golden!("inputs/white.npy")),
    ("inputs/ties.npy", golden!("inputs/ties.npy")),
    ("inputs/zeroinf.npy", golden!("inputs/zeroinf.npy")),
    ("inputs/logistic_4p0.npy", golden!("inputs/logistic_4p0.npy")),
    ("inputs/constant.npy", golden!("inputs/constant.npy")),
    ("inputs/nan.npy", golden!("inputs/nan.npy")),
    ("inputs/uniform.npy", golden!("inputs/uniform.npy")),
    ("inputs/bern.npy", golden!("inputs/bern.npy")),
    ("inputs/text.txt", golden!("inputs/text.txt")),
];

async fn read(name: &str, bytes: &[u8]) -> Dataset {
    let options = data::Options { kind: name.ends_with(".txt").then_some(Kind::Bytes), ..data::Options::default() };
    let file = data::open(Box::new(Memory::new(name, bytes.to_vec())), options, &Unhurried).await.unwrap();
    file.into_dataset(&Unhurried).await.unwrap()
}

/// How many records of `json` on [`INPUTS`] agree; panics with those that do not.
async fn agreeing(json: &[u8]) -> usize {
    let context = Context::new(&Cpu, &Unhurried);
    let records: Vec<serde_json::Value> = serde_json::from_slice(json).unwrap();
    let mut agree = 0;
    for record in &records {
        let record = Record::parse(record).unwrap();
        let input = INPUTS.iter().find(|(name, _)| record.input.as_deref() == Some(name));
        let (Some((name, bytes)), true) = (input, record.is_covered()) else { continue };
        let verdict = record.run(&[&read(name, bytes).await], &context).await.unwrap();
        // Where the package overflows there is nothing to agree with.
        if verdict.status == Status::NotCovered && verdict.measure == "shannon.nsb" && verdict.expected == "nan" {
            continue;
        }
        assert!(verdict.status == Status::Agree, "{verdict:?}");
        agree += 1;
    }
    agree
}

#[wasm_bindgen_test]
async fn ordinal_measures_agree() {
    assert_eq!(agreeing(golden!("ordinal.json")).await, 69);
}

#[wasm_bindgen_test]
async fn regularity_agrees() {
    assert_eq!(agreeing(golden!("regularity.json")).await, 23);
}

#[wasm_bindgen_test]
async fn discrete_histogram_spectral_symbolic_and_byte_measures_agree() {
    let mut agree = 0;
    for json in [
        &golden!("discrete.json")[..],
        golden!("histogram.json"),
        golden!("spectral.json"),
        golden!("symbolic.json"),
        golden!("text.json"),
        golden!("edge.json"),
    ] {
        agree += agreeing(json).await;
    }
    assert_eq!(agree, 98);
}

#[wasm_bindgen_test]
fn random_numbers_are_the_same_integers() {
    let expected = [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1];
    let counter = [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344];
    assert_eq!(philox4x32(counter, [0xa409_3822, 0x299f_31d0]), expected);
}
