//! Files of the folders that `files/formats.py` writes are read to the values they were made of.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "small literals; a test that cannot read its input has failed"
)]

use surprisal_core::{
    data::{ColumnType, DataError, Kind, Memory, OpenFile, Options, Values, open},
    pace::Unhurried,
};

#[path = "common/columns.rs"]
mod columns;

use columns::{column, names, numbers, words};

fn load(name: &str) -> Vec<u8> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files").join(name);
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn try_open(name: &str, bytes: Vec<u8>, resident_limit: u64) -> Result<OpenFile, DataError> {
    let options = Options { resident_limit, ..Options::default() };
    let name = name.rsplit('/').next().unwrap_or(name);
    pollster::block_on(open(Box::new(Memory::new(name, bytes)), options, &Unhurried))
}

fn read(name: &str) -> OpenFile {
    try_open(name, load(name), 1 << 20).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// In memory, and with nothing kept in memory.
fn both(name: &str) -> [OpenFile; 2] {
    [read(name), try_open(name, load(name), 0).unwrap_or_else(|e| panic!("{name}: {e}"))]
}

/// `formats.py`'s `ramp`.
fn ramp(n: u32, dtype: &str) -> Vec<f64> {
    let element = |i: u32| match dtype.as_bytes()[0] {
        b'b' if dtype != "bf16" => f64::from(u8::from(i.is_multiple_of(3))),
        b'u' => f64::from((i * 7) % 50),
        b'i' => f64::from((i * 7) % 50) - 20.0,
        _ => (f64::from((i * 7) % 50) - 20.0) / 4.0,
    };
    (0..n).map(element).collect()
}

/// NaN equals NaN here.
fn assert_same(found: &[f64], expected: &[f64], what: &str) {
    let same = |a: &f64, b: &f64| a == b || (a.is_nan() && b.is_nan());
    assert!(
        found.len() == expected.len() && found.iter().zip(expected).all(|(a, b)| same(a, b)),
        "{what}: {found:?}, expected {expected:?}"
    );
}

fn matrix<'a>(file: &'a OpenFile, name: &str) -> &'a ndarray::ArrayD<f64> {
    let found = file.dataset.matrices.iter().find(|m| m.name == name);
    &found.unwrap_or_else(|| panic!("no matrix {name:?}")).values
}

fn noted(file: &OpenFile, words: &str) {
    assert!(file.dataset.notes.iter().any(|n| n.contains(words)), "{words}: {:?}", file.dataset.notes);
}

#[test]
fn safetensors_of_every_dtype() {
    for file in both("safetensors/dtypes.safetensors") {
        assert_eq!(file.dataset.provenance.kind, Kind::Safetensors);
        for dtype in ["f8", "f4", "f2", "bf16", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"] {
            let column = column(&file, dtype);
            let ty = match dtype {
                "u1" => ColumnType::Bytes,
                "f8" | "f4" | "f2" | "bf16" => ColumnType::Real,
                _ => ColumnType::Integer,
            };
            assert_eq!(column.ty, ty, "{dtype}");
            assert_same(&numbers(&column), &ramp(12, dtype), dtype);
        }
    }
}

#[test]
fn safetensors_of_a_model() {
    for file in both("safetensors/layers.safetensors") {
        let mut expected = vec!["conv", "embed.weight", "layers.0.bias", "scale"];
        expected.extend(["layers.0.weight column 1", "layers.0.weight column 2", "layers.0.weight column 3"]);
        let mut found = names(&file);
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected);
        assert_same(&numbers(&column(&file, "embed.weight")), &ramp(420, "f4"), "embed");
        let second: Vec<f64> = ramp(12, "f4").into_iter().skip(1).step_by(3).collect();
        assert_same(&numbers(&column(&file, "layers.0.weight column 2")), &second, "weight");
        noted(&file, "deep (F32 [1, 1, 1, 1, 2])");
        noted(&file, "none (F32 [0, 4])");
        if file.dataset.columns[0].is_resident() {
            assert_eq!(matrix(&file, "embed.weight").shape(), [6, 70]);
            assert_eq!(matrix(&file, "conv").shape(), [1, 2, 3, 4]);
            assert_eq!(matrix(&file, "layers.0.weight")[[2, 1]], ramp(12, "f4")[7]);
        }
    }
}

#[test]
fn json_records() {
    for name in ["json/records.json", "json/pretty.json", "json/lines.jsonl", "json/columns.json"] {
        for file in both(name) {
            assert_eq!(file.dataset.provenance.kind, Kind::Json, "{name}");
            assert_eq!(names(&file), ["when", "temp", "count", "label", "flag"], "{name}");
            let days: Vec<f64> = (0..4).map(|d| 1_709_078_400.0 + 86_400.0 * f64::from(d)).collect();
            assert_eq!(column(&file, "when").values, Some(Values::Time(days)), "{name}");
            assert_same(&numbers(&column(&file, "temp")), &[1.5, f64::NAN, -2.25, 1e-3], name);
            assert_eq!(column(&file, "count").values, Some(Values::Integer(vec![3, 1, 4, 1])), "{name}");
            assert_eq!(words(&column(&file, "label")), ["a", "b, c", "d \"e\"\n", ""], "{name}");
            assert_eq!(column(&file, "flag").values, Some(Values::Integer(vec![1, 0, 1, 1])), "{name}");
        }
    }
    for file in both("json/nested.jsonl") {
        assert_eq!(names(&file), ["id", "pos.x", "pos.y", "late"]);
        assert_same(&numbers(&column(&file, "pos.y")), &[1.5, f64::NAN, 5.5], "pos.y");
        assert_same(&numbers(&column(&file, "late")), &[f64::NAN, 7.0, f64::NAN], "late");
        noted(&file, "arrays inside records are not read: tags");
    }
}

#[test]
fn json_arrays() {
    for file in both("json/numbers.json") {
        assert_same(&numbers(&column(&file, "values")), &ramp(12, "f8"), "numbers");
    }
    for file in both("json/nan.json") {
        assert_same(&numbers(&column(&file, "values")), &[1.5, f64::NAN, 2.5], "nan");
        noted(&file, "1 times NaN");
    }
    for file in both("json/matrix.json") {
        assert_eq!(names(&file), ["column 1", "column 2", "column 3"]);
        let second: Vec<f64> = ramp(12, "i8").into_iter().skip(1).step_by(3).collect();
        assert_same(&numbers(&column(&file, "column 2")), &second, "matrix");
    }
    let file = read("json/matrix.json");
    assert_eq!(matrix(&file, "values").shape(), [4, 3]);
    assert_same(matrix(&file, "values").as_slice().unwrap(), &ramp(12, "i8"), "matrix");
    for file in both("json/wide.json") {
        assert_same(&numbers(&column(&file, "values")), &ramp(140, "i8"), "wide");
    }
    assert_eq!(matrix(&read("json/wide.json"), "values").shape(), [2, 70]);
    for file in both("json/lists.json") {
        let columns =
            ["signal", "grid column 1", "grid column 2", "grid column 3", "meta.ids", "events.t", "events.code"];
        assert_eq!(names(&file), columns);
        assert_same(&numbers(&column(&file, "signal")), &ramp(12, "f8"), "signal");
        assert_same(&numbers(&column(&file, "events.t")), &[0.5, 1.5], "events");
        noted(&file, "rate = 250.0, unit = Hz, meta.who = x");
    }
    assert_eq!(matrix(&read("json/lists.json"), "grid").shape(), [4, 3]);
}

#[test]
fn sequences() {
    for file in both("fasta/two.fasta") {
        assert_eq!(file.dataset.provenance.kind, Kind::Fasta);
        assert_eq!(names(&file), ["chr1", "chr2"]);
        assert_eq!(words(&column(&file, "chr1")).concat(), "ACGTACGTNNACGTRY");
        assert_eq!(words(&column(&file, "chr2")).concat(), "TTTTGGGGCCCCAAAAT");
        noted(&file, "4 letters in lower case");
        assert!(file.dataset.provenance.read_as.contains("33 nucleotides"), "{}", file.dataset.provenance.read_as);
    }
    for file in both("fasta/protein.fa") {
        assert_eq!(names(&file), ["sp|P1|X", "gap"]);
        assert_eq!(words(&column(&file, "gap")).concat(), "MK--VLAX");
        assert!(file.dataset.provenance.read_as.contains("amino acids"));
    }
    for file in both("fasta/many.fna") {
        assert_eq!(names(&file), ["sequences"]);
        let expected: String = (0..70).map(|i| format!("ACGT{}", "A".repeat(i % 3))).collect();
        assert_eq!(words(&column(&file, "sequences")).concat(), expected);
        noted(&file, "70 records are one column");
    }
    for file in both("fasta/crlf.fasta") {
        assert_eq!(words(&column(&file, "one")).concat(), "ACGT");
    }
    for file in both("fasta/reads.fastq") {
        assert_eq!(file.dataset.provenance.kind, Kind::Fastq);
        assert_eq!(words(&column(&file, "bases")).concat(), "ACGTNAC");
        assert_same(&numbers(&column(&file, "quality")), &[40.0, 40.0, 40.0, 40.0, 0.0, 31.0, 41.0], "quality");
        assert_same(&numbers(&column(&file, "read length")), &[5.0, 2.0], "length");
    }
    // Without its name, by content.
    let file = try_open("genome.txt", load("fasta/two.fasta"), 1 << 20).unwrap();
    assert_eq!(file.dataset.provenance.kind, Kind::Fasta);
}

#[test]
fn packed_tables() {
    for name in ["packed/table.csv.zst", "packed/frames.csv.zst", "packed/table.csv.lz4", "packed/frames.csv.lz4"] {
        for file in both(name) {
            assert_eq!(names(&file), ["i", "x"], "{name}");
            assert_same(&numbers(&column(&file, "x")), &ramp(500, "i8"), name);
            let inside = if name.ends_with("zst") { "inside zstd" } else { "inside LZ4" };
            assert!(file.dataset.provenance.read_as.ends_with(inside));
        }
    }
}

#[test]
fn text_in_utf_16() {
    for name in ["dates/le.csv", "dates/be.csv"] {
        for file in both(name) {
            assert_same(&numbers(&column(&file, "temp")), &[1.5, -2.25], name);
            assert_eq!(words(&column(&file, "label")), ["ä", "b"]);
        }
    }
    let text = read("dates/le.txt");
    let expected = "It was the 𝄞 best of times.\n".as_bytes().to_vec();
    assert_eq!(text.dataset.columns[0].values, Some(Values::Bytes(expected)));
}

#[test]
fn dates_of_numpy() {
    let days: Vec<f64> = (0..4).map(|d| 1_709_078_400.0 + 86_400.0 * f64::from(d)).chain([f64::NAN]).collect();
    for unit in ["D", "h", "s", "ms", "us", "ns", "big"] {
        for file in both(&format!("dates/datetime_{unit}.npy")) {
            let column = column(&file, "values");
            assert_eq!(column.ty, ColumnType::Time, "{unit}");
            assert_same(&numbers(&column), &days, unit);
        }
    }
    // 2024-02-28 and -29 are in February, -03-01 and -02 in March.
    let months = [1_706_745_600.0, 1_706_745_600.0, 1_709_251_200.0, 1_709_251_200.0, f64::NAN];
    assert_same(&numbers(&column(&read("dates/datetime_M.npy"), "values")), &months, "months");
    let years = [1_704_067_200.0, 1_704_067_200.0, 1_704_067_200.0, 1_704_067_200.0, f64::NAN];
    assert_same(&numbers(&column(&read("dates/datetime_Y.npy"), "values")), &years, "years");
    let text = try_open("x.npy", load("dates/datetime_25s.npy"), 0).unwrap_err().to_string();
    assert!(text.contains("NPY file, at byte 10"), "{text}");
    for file in both("dates/timedelta_ms.npy") {
        let column = column(&file, "values");
        assert_eq!((column.ty, column.unit.as_deref()), (ColumnType::Real, Some("s")));
        assert_same(&numbers(&column), &[1.5, -0.25, 0.0], "timedelta");
    }
    let text = try_open("x.npy", load("dates/timedelta_Y.npy"), 0).unwrap_err().to_string();
    assert!(text.contains("m8[s]"), "{text}");
}

#[test]
fn hdf5_files() {
    let file = read("hdf5/many.h5");
    assert_eq!(file.dataset.provenance.kind, Kind::Hdf5);
    for dtype in ["f8", "f4", "i1", "i4", "i8", "u1", "u2", "u4", "u8"] {
        assert_same(&numbers(&column(&file, dtype)), &ramp(12, dtype), dtype);
    }
    assert_same(&numbers(&column(&file, "big_f8")), &ramp(12, "f8"), "big_f8");
    assert_same(&numbers(&column(&file, "big_i2")), &ramp(12, "i2"), "big_i2");
    assert_eq!(column(&file, "u1").ty, ColumnType::Bytes);
    assert_same(&numbers(&column(&file, "flags")), &ramp(12, "b1"), "flags");
    assert_eq!(words(&column(&file, "words")), ["a", "b", "a", "c"]);
    let second = column(&file, "session/signal column 2");
    assert_eq!(second.unit.as_deref(), Some("mV"));
    assert_same(&numbers(&second), &ramp(12, "f8").into_iter().skip(1).step_by(3).collect::<Vec<_>>(), "signal");
    assert_eq!(matrix(&file, "session/volume").shape(), [2, 3, 4]);
    assert_same(&numbers(&column(&file, "session/volume")), &ramp(24, "f4"), "volume");
    noted(&file, "session/rate = 250");
    noted(&file, "record (records of several fields");
    noted(&file, "five (5 axes");
    noted(&file, "none (empty)");
    assert_same(&numbers(&column(&read("hdf5/old.h5"), "x")), &ramp(12, "f8"), "old");
}

#[test]
fn netcdf_files() {
    for (name, title) in [
        ("netcdf/classic.nc", "NetCDF-3 (CDF-1)"),
        ("netcdf/offset64.nc", "NetCDF-3 (CDF-2)"),
        ("netcdf/four.nc", "NetCDF-4"),
    ] {
        let file = read(name);
        assert_eq!(file.dataset.provenance.kind, Kind::NetCdf, "{name}");
        assert!(file.dataset.provenance.read_as.starts_with(title), "{}", file.dataset.provenance.read_as);
        let time = column(&file, "time");
        let days: Vec<f64> = [0.0, 1.0, 2.5, 3.0].iter().map(|d| 1_709_078_400.0 + 86_400.0 * d).collect();
        assert_eq!((time.ty, time.unit.as_deref()), (ColumnType::Time, None), "{name}");
        assert_same(&numbers(&time), &days, name);
        for site in 0..3 {
            let column = column(&file, &format!("temperature column {}", site + 1));
            assert_eq!(column.unit.as_deref(), Some("degC"), "{name}");
            let mut expected: Vec<f64> = ramp(12, "i2").iter().map(|x| x * 0.25 + 10.0).collect();
            expected[5] = f64::NAN;
            let expected: Vec<f64> = expected.into_iter().skip(site).step_by(3).collect();
            assert_same(&numbers(&column), &expected, name);
        }
        let flux = column(&file, "flux");
        assert_eq!(flux.unit.as_deref(), Some("W m-2"));
        assert_same(&numbers(&flux), &[0.5, 1.5, f64::NAN, 2.5], name);
        assert_eq!(column(&file, "count").values, Some(Values::Integer(vec![3, 1, 4, 1])), "{name}");
    }
    assert_eq!(words(&column(&read("netcdf/classic.nc"), "code")), ["ab", "cd", "ef"]);
}

#[test]
fn mat_files() {
    for name in ["mat/plain.mat", "mat/packed.mat"] {
        let file = read(name);
        assert_eq!(file.dataset.provenance.kind, Kind::Mat, "{name}");
        assert_same(&numbers(&column(&file, "signal")), &ramp(12, "f8"), name);
        assert_same(&numbers(&column(&file, "small")), &ramp(12, "i2"), name);
        assert_same(&numbers(&column(&file, "bytes")), &ramp(12, "u1"), name);
        assert_same(&numbers(&column(&file, "flags")), &ramp(12, "b1"), name);
        let second: Vec<f64> = ramp(12, "f8").into_iter().skip(1).step_by(3).collect();
        assert_same(&numbers(&column(&file, "table column 2")), &second, name);
        assert_same(&numbers(&column(&file, "cube")), &ramp(24, "f4"), name);
        assert_eq!(matrix(&file, "cube").shape(), [2, 3, 4]);
        assert_eq!(column(&file, "big").values, Some(Values::Integer(vec![(1 << 53) + 1, -5, 7])), "{name}");
        assert_same(&numbers(&column(&file, "session.trace")), &ramp(5, "f8"), name);
        assert_same(&numbers(&column(&file, "cells{1}")), &ramp(3, "f8"), name);
        assert_same(&numbers(&column(&file, "cells{2}")), &ramp(4, "f8"), name);
        noted(&file, "rate = 250");
        noted(&file, "name = a word");
        noted(&file, "session.gain = 2");
        noted(&file, "z (complex");
    }
    let file = read("mat/hdf5.mat");
    assert!(file.dataset.provenance.read_as.starts_with("MAT-file of version 7.3"));
    // A 4 x 3 matrix in MATLAB: its first column is the first row of the stored 3 x 4 one.
    assert_same(&numbers(&column(&file, "x column 1")), &ramp(4, "f8"), "hdf5.mat");
    assert_eq!(matrix(&file, "x").shape(), [4, 3]);
    let text = try_open("four.mat", load("mat/four.mat"), 0).unwrap_err().to_string();
    assert!(text.contains("level 4"), "{text}");
}

#[test]
fn parquet_and_arrow_files() {
    let days: Vec<f64> = (0..4).map(|d| 1_709_078_400.0 + 86_400.0 * f64::from(d)).collect();
    for name in ["columnar/snappy.parquet", "columnar/lz4.feather", "columnar/plain.feather", "columnar/stream.arrows"]
    {
        let file = read(name);
        let parquet = name.ends_with("parquet");
        assert_eq!(file.dataset.provenance.kind, if parquet { Kind::Parquet } else { Kind::Arrow }, "{name}");
        assert_eq!(column(&file, "when").values, Some(Values::Time(days.clone())), "{name}");
        assert_same(&numbers(&column(&file, "day")), &[days[0], days[1], days[0], days[1]], name);
        assert_same(&numbers(&column(&file, "temp")), &[1.5, f64::NAN, -2.25, 1e-3], name);
        assert_same(&numbers(&column(&file, "single")), &ramp(4, "f4"), name);
        assert_eq!(column(&file, "count").values, Some(Values::Integer(vec![3, 1, 4, 1])), "{name}");
        assert_same(&numbers(&column(&file, "gaps")), &[3.0, f64::NAN, 4.0, 1.0], name);
        assert_eq!(column(&file, "byte").values, Some(Values::Bytes(vec![3, 1, 4, 255])), "{name}");
        assert_same(&numbers(&column(&file, "large")), &[1.0, 2.0, 3.0, 9_223_372_036_854_775_808.0], name);
        assert_eq!(words(&column(&file, "label")), ["a", "b, c", "d \"e\"", ""], "{name}");
        assert_eq!(words(&column(&file, "kind")), ["x", "y", "x", ""], "{name}");
        assert_same(&numbers(&column(&file, "flag")), &[1.0, 0.0, f64::NAN, 1.0], name);
        let wait = column(&file, "wait");
        assert_eq!(wait.unit.as_deref(), Some("s"), "{name}");
        assert_same(&numbers(&wait), &[0.001, 0.002, 0.003, 0.004], name);
        assert_same(&numbers(&column(&file, "price")), &[1.0, 2.0, f64::NAN, 4.0], name);
        assert_same(&numbers(&column(&file, "vector column 2")), &[2.0, 4.0, 6.0, 8.0], name);
        assert_eq!(matrix(&file, "vector").shape(), [4, 2]);
        assert_same(&numbers(&column(&file, "place.y")), &[2.0; 4], name);
        noted(&file, "list (of type List");
        if parquet {
            assert_same(&numbers(&column(&file, "half")), &ramp(4, "f2"), name);
        }
    }
    for codec in ["none", "gzip", "lz4", "brotli"] {
        let name = format!("columnar/{codec}.parquet");
        let file = read(&name);
        assert_eq!(names(&file), ["temp", "count", "label"]);
        assert_same(&numbers(&column(&file, "temp")), &[1.5, f64::NAN, -2.25, 1e-3], &name);
    }
    for name in ["columnar/zstd.parquet", "columnar/zstd.feather"] {
        let Err(DataError::Unsupported { what, instead }) = try_open(name, load(name), 0) else { panic!("{name}") };
        assert!(what.contains("zstd") && instead.contains("lz4"), "{what} {instead}");
    }
}
