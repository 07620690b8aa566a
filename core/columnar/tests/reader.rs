//! A file is read step by step, within its limit. What the values are is tested where they become columns, in
//! `core/tests/data_formats.rs`.

#![allow(clippy::unwrap_used, reason = "a test that cannot read its input has failed")]

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_ipc::writer::StreamWriter;
use surprisal_columnar::{Error, Format, MOST_BYTES, MOST_LABELS, Reader, Table, Values};

fn load(name: &str) -> Vec<u8> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/files").join(name);
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn read(format: Format, name: &str, limit: u64) -> Result<(Table, usize), Error> {
    let mut reader = Reader::new(format, load(name), limit)?;
    let mut steps = 0;
    while reader.advance()? {
        steps += 1;
    }
    Ok((reader.finish()?, steps))
}

#[test]
fn rows_come_in_steps() {
    // Two record batches, of three rows and of one.
    let (table, steps) = read(Format::Arrow, "columnar/stream.arrows", 1 << 20).unwrap();
    assert_eq!((table.rows, steps), (4, 2));
    let count = table.columns.iter().find(|c| c.name == "count").unwrap();
    assert_eq!((&count.values, count.width), (&Values::Integer(vec![3, 1, 4, 1]), 1));
    let vector = table.columns.iter().find(|c| c.name == "vector").unwrap();
    assert_eq!((&vector.values, vector.width), (&Values::Real((1..=8).map(f64::from).collect()), 2));
    assert!(table.skipped.iter().any(|(name, why)| name == "list" && why.starts_with("of type List")));
}

#[test]
fn values_stay_within_their_limit() {
    // 24 bytes for each of four times three values.
    let (table, _) = read(Format::Parquet, "columnar/none.parquet", 288).unwrap();
    assert_eq!(table.rows, 4);
    let refused = read(Format::Parquet, "columnar/none.parquet", 287).unwrap_err();
    assert_eq!(refused, Error::TooLarge { what: "\"label\" with 4 values".to_owned(), needed: 96, limit: 287 });
    // Vectors among them: each number counts once.
    let (table, _) = read(Format::Arrow, "columnar/stream.arrows", 1 << 20).unwrap();
    let needed = table.columns.iter().map(|column| 24 * table.rows * column.width).sum();
    assert_eq!(read(Format::Arrow, "columnar/stream.arrows", needed).unwrap().0.rows, table.rows);
    assert!(matches!(read(Format::Arrow, "columnar/stream.arrows", needed - 1), Err(Error::TooLarge { .. })));
    let Err(Error::TooLarge { what, .. }) = read(Format::Arrow, "columnar/lz4.feather", 16) else {
        panic!("compressed buffers were believed");
    };
    assert!(what.contains("unpacked"), "{what}");
}

#[test]
fn damage_is_told() {
    assert_eq!(read(Format::Parquet, "hostile/panics.parquet", 64 << 20).unwrap_err(), Error::Panicked);
    // The upper half of the offset of a buffer, all that is wrong in this file, is lost where addresses have 32 bits.
    let error = read(Format::Arrow, "hostile/panics.arrow", 64 << 20).unwrap_err();
    assert_eq!(error, Error::Malformed("a buffer lies outside of its message".to_owned()));
    assert_eq!(read(Format::Parquet, "columnar/zstd.parquet", 1 << 20).unwrap_err(), Error::Zstd);
    let mut cut = load("columnar/plain.feather");
    cut.truncate(cut.len() - 1);
    let len = cut.len() as u64;
    assert_eq!(Reader::new(Format::Arrow, cut, 1 << 20).unwrap_err(), Error::NoEnd { len });
}

#[test]
fn too_many_distinct_texts_are_too_large_and_not_damage() {
    let texts: ArrayRef = Arc::new(StringArray::from_iter_values((0..=MOST_LABELS).map(|i| i.to_string())));
    let batch = RecordBatch::try_from_iter([("id", texts)]).unwrap();
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    let mut reader = Reader::new(Format::Arrow, writer.into_inner().unwrap(), 1 << 30).unwrap();
    let Err(Error::TooLarge { what, limit: MOST_BYTES, .. }) = reader.advance() else { panic!("taken") };
    assert!(what.starts_with("column \"id\" has more than 1048576 distinct labels"), "{what}");
}
