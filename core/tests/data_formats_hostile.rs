//! The files of `files/formats.py` cut, changed, and with headers that lie: an error that says so, never a
//! panic, never an allocation of what they claim.

#![allow(clippy::unwrap_used, reason = "small literals; a test that cannot read its input has failed")]

use std::io::Write;
use surprisal_core::{
    data::{DataError, Memory, OpenFile, Options, open},
    pace::Unhurried,
};

const FOLDERS: &[&str] = &["safetensors", "json", "fasta", "packed", "dates", "hdf5", "netcdf", "mat", "columnar"];

fn try_open(name: &str, bytes: &[u8], resident_limit: u64) -> Result<OpenFile, DataError> {
    let options = Options { resident_limit, decoded_limit: 1 << 24, column_limit: 1 << 24, ..Options::default() };
    pollster::block_on(open(Box::new(Memory::new(name, bytes.to_vec())), options, &Unhurried))
}

fn message(name: &str, bytes: &[u8]) -> String {
    try_open(name, bytes, 1 << 20).expect_err(name).to_string()
}

/// Files of up to so many bytes, with their folder's name.
fn samples(most: usize) -> Vec<(String, String, Vec<u8>)> {
    let base = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files");
    let mut files = Vec::new();
    for folder in FOLDERS {
        for entry in std::fs::read_dir(base.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let bytes = std::fs::read(&path).unwrap();
            if bytes.len() <= most {
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                files.push(((*folder).to_owned(), name, bytes));
            }
        }
    }
    files.sort();
    files
}

/// Reads whatever can be read, so that a lie in the header would come to light.
fn exhaust(file: &OpenFile) {
    for (i, column) in file.dataset.columns.iter().enumerate() {
        let mut streamed = 0;
        let sink = &mut |c: surprisal_core::data::Chunk<'_>| {
            streamed += c.len() as u64;
            Ok(())
        };
        if pollster::block_on(file.stream(i, sink, &Unhurried)).is_ok() {
            assert_eq!(streamed, column.len, "column {i}");
        }
    }
}

#[test]
fn files_cut_at_every_byte() {
    for (folder, name, bytes) in samples(20_000) {
        // Every byte of small files, and one in 31 of large ones.
        let step = if bytes.len() > 3000 { 31 } else { 1 };
        for cut in (0..bytes.len()).step_by(step) {
            for resident_limit in [0, 1 << 20] {
                if let Ok(file) = try_open(&name, &bytes[..cut], resident_limit) {
                    exhaust(&file);
                    // Files that may end after any line, record, variable or frame; of a cut HDF5 file some datasets
                    // may still be whole.
                    let open_ended = folder != "safetensors" && folder != "columnar" || name.ends_with("arrows");
                    assert!(open_ended, "{folder}/{name} cut at {cut}: {:?}", file.dataset.provenance.read_as);
                }
            }
        }
    }
}

#[test]
fn files_with_every_byte_changed() {
    for (_, name, bytes) in samples(20_000) {
        let step = match bytes.len() {
            0..700 => 1,
            700..3000 => 5,
            _ => 29,
        };
        for at in (0..bytes.len()).step_by(step) {
            for flip in [0x01, 0x80, 0xFF] {
                let mut changed = bytes.clone();
                changed[at] ^= flip;
                if let Ok(file) = try_open(&name, &changed, 1 << 20) {
                    exhaust(&file);
                }
            }
        }
    }
}

fn safetensors(length: u64, header: &str, data: &[u8]) -> Vec<u8> {
    [&length.to_le_bytes()[..], header.as_bytes(), data].concat()
}

#[test]
fn safetensors_that_lie() {
    let lie = |header: &str| message("x.safetensors", &safetensors(header.len() as u64, header, &[0; 16]));
    let text = message("x.safetensors", &safetensors(1 << 24, r#"{"a":{}}"#, &[0; 16]));
    assert!(text.contains("16777216") && text.contains("24"), "{text}");
    let text = message("x.safetensors", &safetensors(u64::MAX, "{}", &[]));
    assert!(text.contains("safetensors"), "{text}");
    let text = lie(r#"{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,16]}}"#);
    assert!(text.contains("\"a\"") && text.contains("16 bytes"), "{text}");
    let text = lie(r#"{"a":{"dtype":"F64","shape":[134217728],"data_offsets":[0,1073741824]}}"#);
    assert!(text.contains("1073741824") && text.contains("16"), "{text}");
    let text = lie(r#"{"a":{"dtype":"F64","shape":[3],"data_offsets":[0,24]}}"#);
    assert!(text.contains("cut off"), "{text}");
    let text = lie(r#"{"a":{"dtype":"F64","shape":[1],"data_offsets":[8,16]}}"#);
    assert!(text.contains("byte 0 must come next"), "{text}");
    let text = lie(
        r#"{"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},"b":{"dtype":"F64","shape":[1],"data_offsets":[4,12]}}"#,
    );
    assert!(text.contains("\"b\""), "{text}");
    let text = lie(r#"{"a":{"dtype":"F65","shape":[1],"data_offsets":[0,8]}}"#);
    assert!(text.contains("no dtype"), "{text}");
    let last = format!(r#"{{"a":{{"dtype":"U8","shape":[{0}],"data_offsets":[0,{0}]}}}}"#, u64::MAX);
    assert!(lie(&last).contains("any file"));
    assert!(lie(&"[".repeat(4000)).contains("safetensors"));
    assert!(lie("{}").contains("no tensor"));
}

#[test]
fn json_that_is_wrong_is_named_by_place() {
    for (name, text, words) in [
        ("x.json", "[1, 2, }", "byte 7"),
        ("x.json", "[1, tru, 2]", "at byte 6"),
        ("x.json", "[[1, 2], [3]]", "record 2 has 1 elements, the first one has 2"),
        ("x.json", "[[1, 2], {\"a\": 1}]", "object among arrays"),
        ("x.json", "[1, [2]]", "array"),
        ("x.json", "[{\"a\": 1, \"a\": 2}]", "\"a\" is there twice"),
        ("x.json", "[1, Infinity]", "JSON has no Infinity"),
        ("x.json", "[1, 2] 3", "follows the end of the array"),
        ("x.json", "[]", "no value"),
        ("x.json", "{}", "without an array"),
        ("x.json", "{\"a\": 1, \"b\" 2}", "colon"),
        ("x.json", "[{\"a\": [1]}]", "without a number"),
        ("x.json", "", "empty"),
        ("x.jsonl", "{\"a\": 1}\n{\"a\": \n", "cut off"),
        ("x.jsonl", "{\"a\": 1}\n{\"a\": 2]\n", "at byte 16"),
    ] {
        let text = message(name, text.as_bytes());
        assert!(text.contains(words), "{words}: {text}");
    }
    for deep in ["[".repeat(100_000), "{\"a\":".repeat(100_000), "[{\"a\":".repeat(50_000)] {
        message("x.json", deep.as_bytes());
    }
    let many: Vec<String> = (0..5000).map(|i| format!("\"k{i}\":{i}")).collect();
    let text = message("x.json", format!("[{{{}}}]", many.join(",")).as_bytes());
    assert!(text.contains("4096"), "{text}");
    // What only resembles JSON stays text.
    for text in ["[1] Shannon, C. E. (1948)\n[2] Jaynes\n", "{curly, brackets}\n"] {
        let file = try_open("x.txt", text.as_bytes(), 1 << 20).unwrap();
        assert_ne!(file.dataset.provenance.kind, surprisal_core::data::Kind::Json, "{text}");
    }
}

#[test]
fn sequences_that_are_none_are_named_by_place() {
    for (name, text, words) in [
        ("x.fasta", "ACGT\n>a\nAC\n", "before the first line"),
        ("x.fasta", ">a\nAC1GT\n", "byte 5"),
        ("x.fasta", ">a\n>b\n", "no letter"),
        ("x.fastq", "@a\nACGT\n+\nIII\n", "4 quality characters, it has 3"),
        ("x.fastq", "@a\nACGT\nACGT\n+\n", "several lines"),
        ("x.fastq", "@a\nACGT\n+\nIIII\n@b\nAC\n", "cut off"),
        ("x.fastq", "a\nACGT\n+\nIIII\n", "line 1 must begin with @"),
    ] {
        let text = message(name, text.as_bytes());
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[test]
fn packed_bombs_are_refused() {
    // One block of RLE after the other: four bytes become 128 KiB.
    let mut zstd = vec![0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x58];
    (0..4000).for_each(|_| zstd.extend([0x02, 0x00, 0x10, b'1']));
    zstd.extend([0x01, 0, 0]);
    let options = Options::default();
    let bomb = |name: &str, bytes: &[u8]| {
        pollster::block_on(open(Box::new(Memory::new(name, bytes.to_vec())), options.clone(), &Unhurried))
    };
    let Err(DataError::Bomb { unpacked, .. }) = bomb("x.zst", &zstd) else {
        panic!("{:?}", bomb("x.zst", &zstd).err())
    };
    assert!(unpacked < 80 << 20, "{unpacked}");
    // A window of 2 GiB is refused before it is allocated.
    let text = message("x.zst", &[0x28, 0xB5, 0x2F, 0xFD, 0x00, 0xA8, 0x01, 0, 0]);
    assert!(text.contains("zstd"), "{text}");
    let text = message("x.zst", &[0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x58, 0xFF, 0xFF, 0xFF]);
    assert!(text.contains("128 KiB"), "{text}");
    let text = message("x.lz4", &[0x04, 0x22, 0x4D, 0x18, 0x60, 0x40, 0x82, 0xFF, 0xFF, 0xFF, 0x7F]);
    assert!(text.contains("LZ4") && text.contains("2147483647"), "{text}");
    for name in ["x.zst", "x.lz4"] {
        assert!(message(name, b"1,2\n").contains("does not begin with"));
    }
}

#[test]
fn damaged_packing_is_named() {
    for (_, name, bytes) in samples(20_000).into_iter().filter(|(folder, ..)| folder == "packed") {
        let cut = message(&name, &bytes[..bytes.len() - 1]);
        assert!(cut.contains("in the middle of a frame"), "{name}: {cut}");
    }
    let table = format!("a,b\n{}", "1,2\n".repeat(300));
    let units = table.encode_utf16().chain([0xD800, 10]);
    let bytes: Vec<u8> = [0xFF, 0xFE].into_iter().chain(units.flat_map(u16::to_le_bytes)).collect();
    let text = message("x.csv", &bytes);
    assert!(text.contains("half a character") && text.contains("0xd800"), "{text}");
    let text = message("x.csv", &bytes[..bytes.len() - 5]);
    assert!(text.contains("in the middle of a character"), "{text}");
}

/// A MAT-file of one element.
fn mat(element: &[u8]) -> Vec<u8> {
    let mut bytes = b"MATLAB 5.0 MAT-file".to_vec();
    bytes.resize(124, b' ');
    bytes.extend([0, 1, b'I', b'M']);
    bytes.extend(element);
    bytes
}

#[test]
fn mat_files_that_lie() {
    let words = |w: &[u32]| -> Vec<u8> { w.iter().flat_map(|w| w.to_le_bytes()).collect() };
    let text = message("x.mat", &mat(&words(&[14, 0x7FFF_FFFF])));
    assert!(text.contains("cut off") && text.contains("2147483655"), "{text}");
    // An array of 2^31 x 2^31 doubles, of which there are two.
    let lie = words(&[14, 64, 6, 8, 6, 0, 5, 8, 1 << 31, 1 << 31, 1, 1, u32::from(b'x'), 0, 9, 8, 0, 0]);
    let text = message("x.mat", &mat(&lie));
    assert!(text.contains("x of 4611686018427387904 values") && text.contains("8"), "{text}");
    // A variable that unpacks without end.
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    (0..80).for_each(|_| packed.write_all(&[0; 1 << 20]).unwrap());
    let packed = packed.finish().unwrap();
    let bomb = [&words(&[15, u32::try_from(packed.len()).unwrap()])[..], &packed].concat();
    assert!(matches!(try_open("x.mat", &mat(&bomb), 1 << 20), Err(DataError::Bomb { .. })));
    // Structures without end.
    let mut nested = words(&[14, 0]);
    for _ in 0..2000 {
        nested = [
            &words(&[14, u32::try_from(nested.len() + 72).unwrap(), 6, 8, 1, 0, 5, 8, 1, 1, 1, 0])[..],
            &nested,
            &[0; 24],
        ]
        .concat();
    }
    assert!(try_open("x.mat", &mat(&nested), 1 << 20).is_err());
    assert!(message("x.mat", b"nothing of the sort").contains("MATLAB 5.0"));
}

#[test]
fn binary_files_that_lie() {
    // A NetCDF-3 variable of 2^31 - 1 values in a hundred bytes.
    let mut cdf = b"CDF\x01\0\0\0\0".to_vec();
    let word = |v: u32| v.to_be_bytes();
    for w in [10, 1] {
        cdf.extend(word(w));
    }
    cdf.extend([word(1), *b"n\0\0\0", word(0x7FFF_FFFF), word(0), word(0), word(11), word(1)].concat());
    cdf.extend(
        [word(1), *b"v\0\0\0", word(1), word(0), word(0), word(0), word(6), word(0xFFFF_FFFC), word(100)].concat(),
    );
    let text = message("x.nc", &cdf);
    assert!(text.contains("2147483647"), "{text}");
    for (name, words) in [
        ("x.h5", "\\x89HDF"),
        ("x.nc", "CDF"),
        ("x.parquet", "PAR1"),
        ("x.arrow", "ARROW1"),
        ("x.feather", "ARROW1"),
        ("x.safetensors", "header"),
    ] {
        let text = message(name, b"plainly something else");
        assert!(text.contains(words), "{name}: {text}");
    }
    assert!(message("x.feather", b"FEA1....").contains("version 2"));
    assert!(message("x.parquet", b"PAR1\xff\xff\xff\x7fPAR1").contains("Parquet"));
    // A message that claims 2 GiB.
    assert!(message("x.arrow", b"ARROW1\0\0\xff\xff\xff\xff\xff\xff\xff\x7f").contains("cut off"));
}
