//! Files written by reference programs (see `files/README.md`) are read to the values they were made of.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "small literals; a test that cannot read its input has failed"
)]

use surprisal_core::{
    data::{Column, ColumnType, DataError, Kind, Memory, OpenFile, Options, Values, open},
    pace::Unhurried,
};

fn load(name: &str) -> Vec<u8> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files").join(name);
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn try_read(name: &str) -> Result<OpenFile, DataError> {
    pollster::block_on(open(Box::new(Memory::new(name, load(name))), Options::default(), &Unhurried))
}

fn read(name: &str) -> OpenFile {
    try_read(name).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// The same file with nothing kept in memory: every column is read again.
fn read_deferred(name: &str) -> OpenFile {
    let options = Options { resident_limit: 0, ..Options::default() };
    let file = pollster::block_on(open(Box::new(Memory::new(name, load(name))), options, &Unhurried));
    file.unwrap_or_else(|e| panic!("{name}: {e}"))
}

fn numbers(column: &Column) -> Vec<f64> {
    match column.values.as_ref().expect("in memory") {
        Values::Real(v) | Values::Time(v) => v.clone(),
        Values::Integer(v) => v.iter().map(|&x| x as f64).collect(),
        Values::Bytes(v) => v.iter().map(|&x| f64::from(x)).collect(),
        Values::Symbols(s) => s.codes.iter().map(|&x| f64::from(x)).collect(),
    }
}

fn names(file: &OpenFile) -> Vec<&str> {
    file.dataset.columns.iter().map(|c| c.name.as_str()).collect()
}

fn element(i: u32, dtype: &str) -> f64 {
    match dtype.as_bytes() {
        [b'b', ..] => f64::from(u8::from(i.is_multiple_of(3))),
        [b'u', ..] => f64::from((i * 7) % 50),
        [b'f', ..] => (f64::from((i * 7) % 50) - 20.0) / 4.0,
        _ => f64::from((i * 7) % 50) - 20.0,
    }
}

#[test]
fn numpy_of_every_dtype_and_byte_order() {
    for dtype in ["b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"] {
        for order in ["le", "be"] {
            if order == "be" && dtype.ends_with('1') {
                continue;
            }
            let name = format!("{dtype}{order}.npy");
            let file = read(&name);
            let column = &file.dataset.columns[0];
            let ty = match dtype {
                "u1" => ColumnType::Bytes,
                "f2" | "f4" | "f8" => ColumnType::Real,
                _ => ColumnType::Integer,
            };
            assert_eq!((column.ty, column.len, column.name.as_str()), (ty, 12, "values"), "{name}");
            let expected: Vec<f64> = (0..12).map(|i| element(i, dtype)).collect();
            assert_eq!(numbers(column), expected, "{name}");
            assert!(file.dataset.matrices.is_empty());
        }
    }
}

#[test]
fn numpy_tables_in_both_orders() {
    for dtype in ["f8", "i2"] {
        for (endian, order) in [("le", "c"), ("le", "f"), ("be", "c"), ("be", "f")] {
            let name = format!("{dtype}{endian}_{order}.npy");
            let file = read(&name);
            assert_eq!(names(&file), ["column 1", "column 2", "column 3"], "{name}");
            for (c, column) in file.dataset.columns.iter().enumerate() {
                let expected: Vec<f64> = (0..4).map(|r| element(r * 3 + c as u32, dtype)).collect();
                assert_eq!(numbers(column), expected, "{name}");
            }
            let matrix = &file.dataset.matrices[0].values;
            assert_eq!(matrix.shape(), [4, 3]);
            assert_eq!(matrix[[2, 1]], element(7, dtype));
        }
    }
}

#[test]
fn numpy_arrays_of_more_axes_are_row_major() {
    for order in ["C", "F"] {
        for (name, n, shape) in [
            ("three", 24_u32, &[2, 3, 4][..]),
            ("four", 16, &[2, 2, 2, 2]),
            ("wide", 140, &[2, 70]),
            ("pixels", 80, &[8, 10]),
        ] {
            let name_ = format!("{name}_{order}.npy");
            for file in [read(&name_), read_deferred(&name_)] {
                assert_eq!(names(&file), [if name == "pixels" { "pixels" } else { "values" }]);
                let column = pollster::block_on(file.column(0, &Unhurried)).unwrap();
                assert_eq!(numbers(&column), (0..n).map(f64::from).collect::<Vec<_>>(), "{name_}");
                if let Some(matrix) = file.dataset.matrices.first() {
                    assert_eq!(matrix.values.shape(), shape);
                    assert_eq!(
                        matrix.values.iter().copied().collect::<Vec<_>>(),
                        (0..n).map(f64::from).collect::<Vec<_>>()
                    );
                }
                let mut streamed = 0;
                pollster::block_on(file.stream(
                    0,
                    &mut |c| {
                        streamed += c.len();
                        Ok(())
                    },
                    &Unhurried,
                ))
                .unwrap();
                assert_eq!(streamed as u64, u64::from(n));
            }
        }
    }
}

#[test]
fn numpy_corners() {
    let half = read("half_special.npy");
    let expected =
        [0.0, -0.0, 1.0, 65504.0, 5.960_464_477_539_063e-8, 6.097_555_160_522_461e-5, f64::INFINITY, f64::NEG_INFINITY];
    let found = numbers(&half.dataset.columns[0]);
    assert_eq!(found[..8], expected);
    assert!(found[1].is_sign_negative() && found[8].is_nan());
    assert_eq!(found[9], 0.333_007_812_5);
    assert_eq!(half.dataset.columns[0].missing, 1);

    assert_eq!(numbers(&read("scalar.npy").dataset.columns[0]), [2.5]);
    assert_eq!(numbers(&read("version2.npy").dataset.columns[0]), [0.0, 1.0, 2.0, 3.0, 4.0]);
    assert_eq!(numbers(&read("version3.npy").dataset.columns[0]), [0.0, 1.0, 2.0, 3.0, 4.0]);

    let big = read("big_u8.npy");
    assert_eq!(big.dataset.columns[0].ty, ColumnType::Real);
    assert!(big.dataset.notes.iter().any(|n| n.contains("2^63")));
    let big = read("big_i8.npy");
    assert_eq!(big.dataset.columns[0].values, Some(Values::Integer(vec![(1 << 62) + 1, -3])));
    assert!(big.dataset.matrices.is_empty() && big.dataset.notes.iter().any(|n| n.contains("2^53")));
}

#[test]
fn numpy_arrays_of_no_numbers_are_refused_by_name() {
    for (name, words) in [
        ("refused_complex.npy", "<c16"),
        ("refused_object.npy", "|O"),
        ("refused_record.npy", "('a', '<f8')"),
        ("refused_string.npy", "<U2"),
        ("refused_five.npy", "5 axes"),
        ("empty.npy", "no element"),
    ] {
        let message = try_read(name).unwrap_err().to_string();
        assert!(message.contains(words), "{name}: {message}");
    }
}

#[test]
fn archives() {
    let stored = read("stored.npz");
    assert_eq!(stored.dataset.provenance.kind, Kind::Npz);
    assert_eq!(names(&stored), ["x", "table column 1", "table column 2"]);
    assert_eq!(numbers(&stored.dataset.columns[2]), [1.0, 3.0, 5.0]);
    assert_eq!(stored.dataset.matrices[0].name, "table");

    for packed in [read("packed.npz"), read_deferred("packed.npz")] {
        assert_eq!(names(&packed), ["x", "bytes"]);
        let x = pollster::block_on(packed.column(0, &Unhurried)).unwrap();
        assert_eq!(numbers(&x), (0..600).map(f64::from).collect::<Vec<_>>());
    }

    let one = read("plain.csv.zip");
    assert_eq!(one.dataset.provenance.kind, Kind::Csv);
    assert_eq!(names(&one), ["when", "temp", "count", "label"]);
    assert!(one.dataset.provenance.read_as.ends_with("inside zip"));

    let several = read("several.zip");
    assert_eq!(names(&several), ["one a", "one b", "two"]);
    assert_eq!(numbers(&several.dataset.columns[1]), [2.0, 4.0]);
    assert!(several.dataset.notes.iter().any(|n| n == "not read: readme.txt"));

    let message = try_read("texts.zip").unwrap_err().to_string();
    assert!(message.contains("a.txt, b.txt"), "{message}");
}

#[test]
fn sounds() {
    let shape = |i: u32, c: u32| (f64::from((i * 5 + c * 3) % 17) - 8.0) / 10.0;
    for (name, channels, full, rate) in [
        ("u8.wav", &["sound"][..], 128.0, "8000 Hz"),
        ("i16_stereo.wav", &["left", "right"], 32768.0, "44100 Hz"),
        ("i24.wav", &["left", "right"], 8_388_608.0, "22050 Hz"),
        ("i32.wav", &["sound"], 2_147_483_648.0, "48000 Hz"),
        ("f32_three.wav", &["channel 1", "channel 2", "channel 3"], 0.0, "96000 Hz"),
    ] {
        for file in [read(name), read_deferred(name)] {
            assert_eq!(names(&file), channels);
            assert!(file.dataset.notes[0].contains(rate), "{:?}", file.dataset.notes);
            for c in 0..channels.len() {
                let column = pollster::block_on(file.column(c, &Unhurried)).unwrap();
                assert_eq!(column.unit.as_deref(), Some("1"));
                // NumPy rounds halves to even.
                let sample = |i| {
                    let x = shape(i, c as u32);
                    if full > 0.0 { (x * full).round_ties_even() / full } else { f64::from(x as f32) }
                };
                assert_eq!(numbers(&column), (0..20).map(sample).collect::<Vec<_>>(), "{name}");
            }
        }
    }
}

#[test]
fn images() {
    let value = |y: usize, x: usize, c: usize| ((40 * y + 9 * x + 60 * c) % 256) as f64;
    let plane = |c: usize| (0..4).flat_map(|y| (0..5).map(move |x| value(y, x, c))).collect::<Vec<f64>>();
    for (name, channels, scale) in [
        ("grey8.png", &["grey"][..], 1.0),
        ("grey8.tif", &["grey"], 1.0),
        ("grey16.png", &["grey"], 257.0),
        ("grey16_be.tif", &["grey"], 257.0),
        ("rgb.png", &["red", "green", "blue", "grey"], 1.0),
        ("rgb.tif", &["red", "green", "blue", "grey"], 1.0),
        ("rgba.png", &["red", "green", "blue", "alpha", "grey"], 1.0),
        ("palette.png", &["red", "green", "blue", "grey"], 1.0),
    ] {
        let file = read(name);
        assert_eq!(names(&file), channels, "{name}");
        assert!(file.dataset.provenance.read_as.contains("5 x 4"));
        for (c, channel) in channels.iter().enumerate() {
            let expected = match *channel {
                "grey" if channels.len() > 1 => {
                    let luma = |((r, g), b): ((f64, f64), f64)| (0.299 * r + 0.587 * g + 0.114 * b).round();
                    plane(0).into_iter().zip(plane(1)).zip(plane(2)).map(luma).collect()
                }
                _ => plane(c).into_iter().map(|v| v * scale).collect::<Vec<f64>>(),
            };
            if name != "palette.png" {
                assert_eq!(numbers(&file.dataset.columns[c]), expected, "{name} {channel}");
            }
        }
        let matrix = &file.dataset.matrices[0];
        assert_eq!((matrix.name.as_str(), matrix.values.shape()), ("grey", &[4, 5][..]));
    }
    let bits = read("one_bit.png");
    let expected: Vec<f64> = plane(0).into_iter().map(|v| if v > 100.0 { 255.0 } else { 0.0 }).collect();
    assert_eq!(numbers(&bits.dataset.columns[0]), expected);
    let flat = read("flat.jpg");
    assert!(numbers(&flat.dataset.columns[0]).iter().all(|v| (v - 200.0).abs() <= 3.0));
}

#[test]
fn tables() {
    for name in
        ["plain.csv", "semicolon.csv", "tabs.tsv", "bom.csv", "latin1.csv", "utf16.csv", "crlf.csv", "plain.csv.gz"]
    {
        for file in [read(name), read_deferred(name)] {
            let columns = pollster::block_on(file.columns(&[0, 1, 2, 3], &Unhurried)).unwrap();
            assert_eq!(names(&file), ["when", "temp", "count", "label"], "{name}");
            assert_eq!(columns[1].unit.as_deref(), Some("°C"), "{name}");
            let days: Vec<f64> = (0..4).map(|d| 1_709_078_400.0 + 86_400.0 * f64::from(d)).collect();
            assert_eq!(columns[0].values, Some(Values::Time(days)), "{name}");
            let temp = numbers(&columns[1]);
            assert_eq!((temp[0], temp[2], temp[3]), (1.5, -2.25, 1e-3), "{name}");
            assert!(temp[1].is_nan() && columns[1].missing == 1);
            assert_eq!(columns[2].values, Some(Values::Integer(vec![3, 1, 4, 1])));
            let Some(Values::Symbols(labels)) = &columns[3].values else { panic!("{name}: {:?}", columns[3]) };
            assert_eq!(labels.labels, ["a", "b, c", "d \"e\""]);
            assert_eq!(labels.codes, [0, 1, 2, u32::MAX]);
            assert_eq!(file.preview().columns[3], ["a", "b, c", "d \"e\"", ""]);
            assert_eq!(file.preview().columns[2], ["3", "1", "4", "1"]);
        }
    }
    assert!(read("plain.csv.gz").dataset.provenance.read_as.ends_with("inside gzip"));
    assert!(read("utf16.csv").dataset.provenance.read_as.ends_with("UTF-16"));

    let saved = read("savetxt.dat");
    assert_eq!(names(&saved), ["time", "flux", "error"]);
    assert_eq!(numbers(&saved.dataset.columns[2]), [0.25, 0.625, 1.0, 1.375]);

    let members = read("members.csv.gz");
    assert_eq!(numbers(&members.dataset.columns[1]), [2.0, 4.0]);
}

#[test]
fn provenance_is_of_the_raw_file() {
    use sha2::Digest;
    for name in ["plain.csv.gz", "stored.npz", "grey8.png", "u8.wav"] {
        let (file, bytes) = (read(name), load(name));
        let hex: String = sha2::Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(file.dataset.provenance.sha256, hex);
        assert_eq!(file.dataset.provenance.size, bytes.len() as u64);
    }
}
