//! Files that lie, that were cut, or that unfold without end: an error that says so, never a panic,
//! never an allocation of what they claim.

#![allow(clippy::unwrap_used, reason = "small literals; a test that cannot read its input has failed")]

use futures_util::future::LocalBoxFuture;
use std::io::Write;
use surprisal_core::{
    data::{ByteSource, ColumnType, CsvOptions, DataError, Kind, Memory, OpenFile, Options, Values, open},
    pace::{Cancelled, Pace, Unhurried},
};

fn try_open(name: &str, bytes: &[u8], options: Options) -> Result<OpenFile, DataError> {
    pollster::block_on(open(Box::new(Memory::new(name, bytes.to_vec())), options, &Unhurried))
}

fn read(name: &str, bytes: &[u8]) -> Result<OpenFile, DataError> {
    try_open(name, bytes, Options::default())
}

fn message(name: &str, bytes: &[u8]) -> String {
    read(name, bytes).expect_err(name).to_string()
}

fn samples() -> Vec<(String, Vec<u8>)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files");
    let mut files: Vec<(String, Vec<u8>)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&path).unwrap()))
        .filter(|(name, bytes)| bytes.len() < 6000 && !name.ends_with(".py") && !name.ends_with(".md"))
        .collect();
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
    for (name, bytes) in samples() {
        for cut in 0..bytes.len() {
            for resident_limit in [0, 1 << 20] {
                let options = Options { resident_limit, ..Options::default() };
                if let Ok(file) = try_open(&name, &bytes[..cut], options) {
                    exhaust(&file);
                    let inner = file.dataset.provenance.kind;
                    assert!(
                        matches!(inner, Kind::Csv | Kind::Text | Kind::Image | Kind::Wav),
                        "{name} cut at {cut}: {inner:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn files_with_every_byte_changed() {
    for (name, bytes) in samples() {
        for at in 0..bytes.len().min(400) {
            for flip in [0x01, 0x80, 0xFF] {
                let mut changed = bytes.clone();
                changed[at] ^= flip;
                let options = Options { decoded_limit: 1 << 24, ..Options::default() };
                if let Ok(file) = try_open(&name, &changed, options) {
                    exhaust(&file);
                }
            }
        }
    }
}

#[test]
fn nothing_is_empty() {
    assert!(matches!(read("x.csv", b""), Err(DataError::Empty { .. })));
    assert!(message("x.csv", b"\n\n").contains("no row"));
    assert!(message("x.csv", b"# only\n# comments\n").contains("no row"));
    assert!(message("x.csv.gz", &gzip(b"")).contains("empty"));
    assert!(message("x.zip", b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0").contains("no file"));
}

#[test]
fn ragged_rows_are_named_by_line() {
    let text = message("x.csv", b"# c\na,b,c\n1,2,3\n\"4\n4\",5\n7,8,9\n");
    assert!(text.contains("line 4") && text.contains("expected 3") && text.contains("found 2"), "{text}");
    let text = message("x.csv", b"a,b,c\n1,2,3\n4,5");
    assert!(text.contains("line 3") && text.contains("cut off"), "{text}");
}

#[test]
fn columns_that_are_almost_numbers_are_explained() {
    let mut table = String::from("t,x\n");
    for i in 0..200 {
        table += &format!("{i},{}\n", if i == 150 { "12.3x".to_owned() } else { format!("{i}.5") });
    }
    let file = read("x.csv", table.as_bytes()).unwrap();
    assert_eq!(file.dataset.columns[0].ty, ColumnType::Integer);
    assert_eq!(file.dataset.columns[1].ty, ColumnType::Symbols);
    let note = &file.dataset.notes[0];
    assert!(note.contains("\"x\" (field 2)") && note.contains("line 152") && note.contains("12.3x"), "{note}");
}

fn npy(header: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(u16::try_from(header.len()).unwrap().to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

#[test]
fn headers_that_claim_too_much() {
    let claim =
        |shape: &str| npy(&format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}\n"), &[0; 800]);
    let text = message("x.npy", &claim("(134217728,)"));
    assert!(text.contains("1073741824") && text.contains("800"), "{text}");
    for shape in
        ["(18446744073709551615, 18446744073709551615)", "(4294967296, 4294967296, 4294967296)", "(0x7fffffff,)"]
    {
        message("x.npy", &claim(shape));
    }
    // Inside gzip the size is not known before the end.
    let text = message("x.npy.gz", &gzip(&claim("(134217728,)")));
    assert!(text.contains("800"), "{text}");
    message("x.npy", &npy(&"(".repeat(20_000), &[]));
    message("x.npy", &npy(&format!("{{'descr': {}", "[('a', ".repeat(200)), &[]));
    message("x.npy", b"\x93NUMPY\x02\x00\xff\xff\xff\xff{}");
    let cut = npy("{'descr': '<f8', 'fortran_order': False, 'shape': (101,), }\n", &[0; 800]);
    assert!(matches!(read("x.npy", &cut), Err(DataError::Truncated { needed: 808, have: 800, .. })));
    // A picture of 4 gigapixels in 33 bytes of header.
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\x01\0\0\0\x01\0\0\x08\0\0\0\0".to_vec();
    let mut crc = flate2::Crc::new();
    crc.update(&png[12..]);
    png.extend(crc.sum().to_be_bytes());
    message("x.png", &png);
    let text = message(
        "x.wav",
        b"RIFF\xff\xff\xff\x7fWAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x40\x1f\0\0\x01\0\x08\0data\0\0\0\x40abc",
    );
    assert!(text.contains("1073741824") && text.contains("byte 44"), "{text}");
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn bombs_are_refused() {
    let zeros = vec![0_u8; 1 << 20];
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    (0..300).for_each(|_| encoder.write_all(&zeros).unwrap());
    let bomb = encoder.finish().unwrap();
    assert!(bomb.len() < 400_000);
    let started = std::time::Instant::now();
    for name in ["x.gz", "x.csv.gz"] {
        let Err(DataError::Bomb { packed, unpacked, .. }) = read(name, &bomb) else { panic!("{name}") };
        assert!(unpacked > 64 << 20 && unpacked < 80 << 20 && packed < 100_000, "{packed} {unpacked}");
    }
    // A bomb in a bomb: the inner one is never reached.
    assert!(read("x.gz", &gzip(&bomb)).is_err());

    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let deflated = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    writer.start_file("zeros.csv", deflated).unwrap();
    (0..300).for_each(|_| writer.write_all(&zeros).unwrap());
    let bomb = writer.finish().unwrap().into_inner();
    assert!(matches!(read("x.zip", &bomb), Err(DataError::Bomb { .. })));
    let options = Options { kind: Some(Kind::Text), ..Options::default() };
    let Err(DataError::Bomb { unpacked, .. }) = try_open("x.zip", &bomb, options) else { panic!() };
    assert!(unpacked < 80 << 20);
    assert!(started.elapsed().as_secs() < 60);

    // The plain limit, for data that is compressible but honest.
    let options = Options { decoded_limit: 10_000, ..Options::default() };
    let text = "1,2\n".repeat(10_000);
    assert!(matches!(try_open("x.csv.gz", &gzip(text.as_bytes()), options), Err(DataError::Bomb { .. })));
}

#[test]
fn damaged_packing_is_named() {
    let mut packed = gzip("1,2\n".repeat(100).as_bytes());
    let end = packed.len() - 6;
    packed[end] ^= 1;
    assert!(matches!(read("x.csv.gz", &packed), Err(DataError::Gzip { .. })));

    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    writer.start_file("a.csv", stored).unwrap();
    writer.write_all(b"a,b\n1,2\n").unwrap();
    let mut archive = writer.finish().unwrap().into_inner();
    let at = archive.windows(3).position(|w| w == b"1,2").unwrap();
    archive[at] = b'7';
    let text = message("x.zip", &archive);
    assert!(text.contains("checksum"), "{text}");
}

/// A source that gives only as many bytes at a time as it likes.
struct Stingy {
    name: &'static str,
    bytes: Vec<u8>,
    most: usize,
}

impl ByteSource for Stingy {
    fn name(&self) -> &str {
        self.name
    }

    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read<'a>(&'a self, offset: u64, len: usize) -> LocalBoxFuture<'a, Result<Vec<u8>, DataError>> {
        let start = usize::try_from(offset).unwrap();
        let end = (start + len.min(self.most)).min(self.bytes.len());
        Box::pin(std::future::ready(Ok(self.bytes[start..end].to_vec())))
    }
}

#[test]
fn any_portions_of_bytes_give_the_same_columns() {
    for (name, bytes) in samples() {
        let whole = read(&name, &bytes);
        for most in [1, 2, 3, 7, 61] {
            let source = Stingy { name: Box::leak(name.clone().into_boxed_str()), bytes: bytes.clone(), most };
            let parts = pollster::block_on(open(Box::new(source), Options::default(), &Unhurried));
            match (&whole, parts) {
                (Ok(a), Ok(b)) => {
                    assert_eq!(a.dataset.provenance, b.dataset.provenance);
                    assert_eq!(a.preview(), b.preview(), "{name}");
                    for (x, y) in a.dataset.columns.iter().zip(&b.dataset.columns) {
                        assert_eq!(format!("{x:?}"), format!("{y:?}"), "{name}");
                    }
                }
                (Err(a), Err(b)) => assert_eq!(a.to_string(), b.to_string(), "{name}"),
                (a, b) => panic!("{name}: {:?} {:?}", a.as_ref().err(), b.err()),
            }
        }
    }
}

/// Cancels at the k-th tick.
struct Impatient(std::cell::Cell<u32>);

impl Pace for Impatient {
    fn tick(&self, _done: u64, _total: u64) -> LocalBoxFuture<'_, Result<(), Cancelled>> {
        let left = self.0.get();
        self.0.set(left.saturating_sub(1));
        Box::pin(std::future::ready(if left == 0 { Err(Cancelled) } else { Ok(()) }))
    }
}

#[test]
fn work_is_cancelled_within_a_megabyte() {
    let table = "1,2\n".repeat(1 << 20);
    for k in 0..8 {
        let source = Box::new(Memory::new("x.csv", table.clone().into_bytes()));
        let result = pollster::block_on(open(source, Options::default(), &Impatient(std::cell::Cell::new(k))));
        assert!(matches!(result, Err(DataError::Cancelled(_))), "{k}");
    }
}

#[test]
fn what_is_not_kept_is_read_again() {
    let mut table = String::from("i,x,name\n");
    for i in 0..50_000 {
        table += &format!("{i},{}.25,{}\n", i % 97, ["a", "b", "c"][i % 3]);
    }
    let options = Options { resident_limit: 1000, ..Options::default() };
    let file = try_open("x.csv", table.as_bytes(), options).unwrap();
    assert!(file.dataset.columns.iter().all(|c| !c.is_resident() && c.len == 50_000));
    let found = pollster::block_on(file.columns(&[2, 0, 2], &Unhurried)).unwrap();
    assert_eq!(found[1].values, Some(Values::Integer((0..50_000).collect())));
    assert_eq!(found[0].values, found[2].values);
    let mut sum = 0.0;
    let sink = &mut |c: surprisal_core::data::Chunk<'_>| {
        let surprisal_core::data::Chunk::Real(v) = c else { panic!() };
        sum += v.iter().sum::<f64>();
        Ok(())
    };
    pollster::block_on(file.stream(1, sink, &Unhurried)).unwrap();
    assert_eq!(sum, (0..50_000).map(|i| f64::from(i % 97) + 0.25).sum::<f64>());
    let labels = pollster::block_on(file.stream(2, &mut |_| Ok(()), &Unhurried)).unwrap();
    assert_eq!(labels, ["a", "b", "c"]);
    assert!(matches!(pollster::block_on(file.column(3, &Unhurried)), Err(DataError::NoColumn { index: 3, count: 3 })));

    let options = Options { resident_limit: 0, column_limit: 1000, ..Options::default() };
    let file = try_open("x.csv", table.as_bytes(), options).unwrap();
    let text = pollster::block_on(file.column(1, &Unhurried)).unwrap_err().to_string();
    assert!(text.contains("400000 bytes") && text.contains("1000"), "{text}");
}

#[test]
fn users_may_decide() {
    let csv = |csv: CsvOptions| Options { csv, kind: Some(Kind::Csv), ..Options::default() };
    let file =
        try_open("x.txt", b"a;b\n1;2\n", csv(CsvOptions { header: Some(false), ..CsvOptions::default() })).unwrap();
    assert_eq!(file.dataset.columns[0].len, 2);
    let comma = CsvOptions { decimal: Some(b','), delimiter: Some(b'|'), ..CsvOptions::default() };
    let file = try_open("x", b"x|y\n1,5|1.5\n", csv(comma)).unwrap();
    assert_eq!(file.dataset.columns[0].values, Some(Values::Real(vec![1.5])));
    assert_eq!(file.dataset.columns[1].ty, ColumnType::Symbols);
    let bytes = try_open("x.gz", &gzip(b"abc"), Options { kind: Some(Kind::Bytes), ..Options::default() }).unwrap();
    assert_eq!(bytes.dataset.columns[0].len, gzip(b"abc").len() as u64);
    let text = try_open("x.csv", b"1,2\n", Options { kind: Some(Kind::Text), ..Options::default() }).unwrap();
    assert_eq!(text.dataset.columns[0].values, Some(Values::Bytes(b"1,2\n".to_vec())));
}

#[test]
fn what_files_are() {
    for (name, bytes, kind) in [
        ("a.txt", &b"It was the best of times, it was the worst\nof times."[..], Kind::Text),
        ("noise", b"\x00\x01\x02\xff", Kind::Bytes),
        ("data", b"1 2\n3 4\n", Kind::Csv),
        ("series.txt", b"1.5\n2.5\n3.5\n", Kind::Csv),
        ("x.bin", b"1.5\n2.5\n", Kind::Bytes),
        ("letters.csv", b"state\nA\nB\nA\n", Kind::Csv),
    ] {
        assert_eq!(read(name, bytes).unwrap().dataset.provenance.kind, kind, "{name}");
    }
    let letters = read("letters.csv", b"state\nA\nB\nA\n").unwrap();
    assert_eq!((letters.dataset.columns[0].name.as_str(), letters.dataset.columns[0].len), ("state", 3));
    let letters = read("letters.csv", b"A\nB\nA\n").unwrap();
    assert_eq!((letters.dataset.columns[0].name.as_str(), letters.dataset.columns[0].len), ("column 1", 3));
    let gaps = read("x.csv", b"a,b\n1,\n,\n3,4\n,\n,\n").unwrap();
    assert_eq!(
        (gaps.dataset.columns[0].len, gaps.dataset.columns[0].missing, gaps.dataset.columns[1].missing),
        (3, 1, 2)
    );
    let nan = read("x.csv", b"a,b\nNaN,1\nNaN,2\n").unwrap();
    assert_eq!((nan.dataset.columns[0].ty, nan.dataset.columns[0].missing), (ColumnType::Real, 2));
}
