//! Apache Parquet and Arrow (IPC files and streams, Feather): tables of typed columns.
//!
//! Natively only: the two crates would double what the page downloads at first.

use super::{DataError, Symbols, Values, dictionary::Dictionary, hdf5::unsigned, whole::Table};
use crate::pace::Pace;
use arrow_array::{Array, RecordBatch, cast::AsArray, types as t};
use arrow_ipc::{MessageHeader, reader::StreamReader, root_as_message};
use arrow_schema::{DataType, Schema, TimeUnit};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::{
    cell::Cell,
    io::Cursor,
    panic::{self, AssertUnwindSafe, catch_unwind},
};

/// Rows decoded at a time.
const BATCH: usize = 8192;
/// Structures inside structures are followed so deep.
const DEEPEST: usize = 8;

/// Reads a Parquet file into `table`; its rows.
pub(super) async fn parquet(bytes: Vec<u8>, table: &mut Table, pace: &dyn Pace) -> Result<u64, DataError> {
    let len = bytes.len() as u64;
    let (reader, schema, rows) = guarded("Parquet file", || {
        let builder = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(bytes)).map_err(|e| e.to_string())?;
        let rows = u64::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or(0);
        let schema = builder.schema().clone();
        Ok((builder.with_batch_size(BATCH).build().map_err(|e| e.to_string())?, schema, rows))
    })?;
    gather("Parquet file", &schema, reader, len, table, pace).await.and_then(|found| {
        if found == rows {
            Ok(rows)
        } else {
            Err(malformed("Parquet file", format!("it has {found} rows instead of {rows}")))
        }
    })
}

/// Reads an Arrow file or stream into `table`; its rows.
pub(super) async fn arrow(bytes: &[u8], table: &mut Table, pace: &dyn Pace) -> Result<u64, DataError> {
    // A file is a stream between two marks, with an index after it.
    const MARK: &[u8] = b"ARROW1";
    let stream = match bytes.strip_prefix(b"ARROW1\0\0") {
        Some(_) if !bytes.ends_with(MARK) => {
            let (what, offset) = ("the Arrow file, which must end with ARROW1,", bytes.len() as u64);
            return Err(DataError::Truncated { what, offset, needed: MARK.len() as u64, have: 0 });
        }
        Some(stream) => stream,
        None => bytes,
    };
    check_claims(stream, table.left())?;
    let reader = guarded("Arrow file", || StreamReader::try_new(Cursor::new(stream), None).map_err(|e| e.to_string()))?;
    let schema = reader.schema();
    gather("Arrow file", &schema, reader, bytes.len() as u64, table, pace).await
}

fn malformed(what: &'static str, why: impl Into<String>) -> DataError {
    DataError::Malformed { what, offset: 0, why: why.into() }
}

thread_local! {
    /// A panic now is told as an error.
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Keeps panics out of standard error that become errors: the crates that read Parquet and Arrow meet some damage with a panic,
/// which is caught and said as [`DataError::Malformed`]. For a program to call once, at its start; all other panics are
/// reported as before.
pub fn hush_caught_panics() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !GUARDED.try_with(Cell::get).unwrap_or(false) {
            before(info);
        }
    }));
}

/// The crates promise errors for damaged files, and sometimes panic: then the file is malformed as well.
fn guarded<T>(what: &'static str, work: impl FnOnce() -> Result<T, String>) -> Result<T, DataError> {
    GUARDED.set(true);
    let outcome = catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(false);
    let why = match outcome {
        Ok(Ok(done)) => return Ok(done),
        Ok(Err(why)) => why,
        Err(_) => "its structure contradicts itself".to_owned(),
    };
    if why.to_lowercase().contains("zstd") {
        let instead =
            "snappy, gzip, lz4, brotli and uncompressed can, in Arrow files lz4 and uncompressed: write it again so";
        return Err(DataError::Unsupported { what: format!("the {what} with zstd inside"), instead });
    }
    Err(malformed(what, why))
}

/// Compressed buffers say how long they will be, and are believed: so that is checked first.
fn check_claims(stream: &[u8], limit: u64) -> Result<(), DataError> {
    let word = |at: usize| stream.get(at..).and_then(<[u8]>::first_chunk::<4>).map(|&b| u32::from_le_bytes(b));
    let mut at = 0_usize;
    let mut total = 0_u64;
    while let Some(first) = word(at) {
        let (length, start) = if first == u32::MAX { (word(at + 4).unwrap_or(0), at + 8) } else { (first, at + 4) };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length == 0 {
            break;
        }
        let end = start.checked_add(length).filter(|&end| end <= stream.len());
        let cut = || DataError::Truncated {
            what: "a message of the Arrow file",
            offset: start as u64,
            needed: length as u64,
            have: stream.len().saturating_sub(start) as u64,
        };
        let end = end.ok_or_else(cut)?;
        let message = root_as_message(&stream[start..end]).map_err(|e| malformed("Arrow file", e.to_string()))?;
        let batch = match message.header_type() {
            MessageHeader::RecordBatch => message.header_as_record_batch(),
            MessageHeader::DictionaryBatch => message.header_as_dictionary_batch().and_then(|d| d.data()),
            _ => None,
        };
        let body = usize::try_from(message.bodyLength()).ok().and_then(|n| end.checked_add(n));
        let body = body.filter(|&b| b <= stream.len()).ok_or_else(cut)?;
        if let Some(buffers) = batch.filter(|b| b.compression().is_some()).and_then(|b| b.buffers()) {
            for buffer in buffers {
                let from = usize::try_from(buffer.offset()).ok().and_then(|o| end.checked_add(o));
                let claim =
                    from.and_then(|f| stream.get(f..)?.first_chunk::<8>()).map_or(0, |&b| i64::from_le_bytes(b));
                // -1 says that it is not compressed.
                total = total.saturating_add(if buffer.length() > 0 { u64::try_from(claim).unwrap_or(0) } else { 0 });
                if total > limit {
                    let what = "the buffers of the Arrow file, unpacked,".to_owned();
                    return Err(DataError::TooLarge { what, needed: total, limit });
                }
            }
        }
        at = body;
    }
    Ok(())
}

/// Collects the batches that `reader` gives.
async fn gather<E: std::fmt::Display>(
    what: &'static str,
    schema: &Schema,
    mut reader: impl Iterator<Item = Result<RecordBatch, E>>,
    len: u64,
    table: &mut Table,
    pace: &dyn Pace,
) -> Result<u64, DataError> {
    let mut columns: Vec<Gathered> = Vec::new();
    for (i, field) in schema.fields().iter().enumerate() {
        flatten(field.name().clone(), field.data_type(), vec![i], &mut columns, table);
    }
    let mut rows = 0_u64;
    while let Some(batch) = guarded(what, || reader.next().transpose().map_err(|e| e.to_string()))? {
        pace.tick(len, len).await?;
        for column in &mut columns {
            let array = guarded(what, || column.find(&batch))?;
            let values = (array.len() as u64).saturating_mul(column.width);
            // The values, room to grow, and a matrix of them.
            table.claim(&column.name, values, 24)?;
            guarded(what, || column.values.append(array.as_ref(), &column.name))?;
        }
        rows += batch.num_rows() as u64;
    }
    for column in columns {
        let shape = if column.width > 1 { vec![rows, column.width] } else { vec![rows] };
        let (values, unit) = column.values.finish();
        table.array(&column.name, unit, &shape, values)?;
    }
    Ok(rows)
}

/// One column while it is read.
struct Gathered {
    name: String,
    /// The way to it through structures.
    way: Vec<usize>,
    /// Values a row.
    width: u64,
    values: Growing,
}

impl Gathered {
    fn find(&self, batch: &RecordBatch) -> Result<std::sync::Arc<dyn Array>, String> {
        let mut way = self.way.iter();
        let first = way.next().and_then(|&i| batch.columns().get(i));
        let mut array = first.ok_or("a batch without one of its columns")?.clone();
        for &i in way {
            let inner = array.as_struct_opt().and_then(|s| s.columns().get(i)).ok_or("a structure without a field")?;
            array = inner.clone();
        }
        if self.width > 1 {
            let list = array.as_fixed_size_list_opt().ok_or("a list of another sort")?;
            if list.null_count() > 0 {
                return Err(format!("{} has rows without a vector", self.name));
            }
            array = list.values().slice(0, list.len() * usize::try_from(list.value_length()).unwrap_or(0));
        }
        Ok(array)
    }
}

/// The columns that a field becomes.
fn flatten(name: String, ty: &DataType, way: Vec<usize>, columns: &mut Vec<Gathered>, table: &mut Table) {
    match ty {
        DataType::Struct(fields) if way.len() < DEEPEST => {
            for (i, field) in fields.iter().enumerate() {
                let way = [&way[..], &[i]].concat();
                flatten(format!("{name}.{}", field.name()), field.data_type(), way, columns, table);
            }
        }
        DataType::FixedSizeList(inner, n)
            if *n > 1 && Growing::new(inner.data_type()).is_some_and(|g| g.is_number()) =>
        {
            if let Some(values) = Growing::new(inner.data_type()) {
                columns.push(Gathered { name, way, width: u64::try_from(*n).unwrap_or(1), values });
            }
        }
        _ => match Growing::new(ty) {
            Some(values) => columns.push(Gathered { name, way, width: 1, values }),
            None => table.skip(&name, &format!("of type {ty}")),
        },
    }
}

/// Values that have come so far; a gap among integers is known by its place.
enum Growing {
    Integers(Vec<i64>, Vec<usize>),
    Unsigned(Vec<u64>, Vec<usize>),
    Bytes(Vec<u8>, Vec<usize>),
    /// With a unit.
    Reals(Vec<f64>, Option<&'static str>),
    Times(Vec<f64>),
    Texts(Vec<u32>, Dictionary),
}

impl Growing {
    fn new(ty: &DataType) -> Option<Self> {
        Some(match ty {
            DataType::Int8
            | DataType::Int16
            | DataType::Int32
            | DataType::Int64
            | DataType::UInt16
            | DataType::UInt32
            | DataType::Boolean => Self::Integers(Vec::new(), Vec::new()),
            DataType::UInt8 => Self::Bytes(Vec::new(), Vec::new()),
            DataType::UInt64 => Self::Unsigned(Vec::new(), Vec::new()),
            DataType::Float16 | DataType::Float32 | DataType::Float64 | DataType::Decimal128(..) => {
                Self::Reals(Vec::new(), None)
            }
            DataType::Duration(_) | DataType::Time32(_) | DataType::Time64(_) => Self::Reals(Vec::new(), Some("s")),
            DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) => Self::Times(Vec::new()),
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Self::Texts(Vec::new(), Dictionary::default()),
            DataType::Dictionary(_, inner)
                if matches!(**inner, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View) =>
            {
                Self::Texts(Vec::new(), Dictionary::default())
            }
            _ => return None,
        })
    }

    const fn is_number(&self) -> bool {
        matches!(self, Self::Integers(..) | Self::Unsigned(..) | Self::Bytes(..) | Self::Reals(..))
    }

    /// Appends an array of the type that this was made for.
    fn append(&mut self, array: &dyn Array, name: &str) -> Result<(), String> {
        let other = || format!("column {name:?} changes its type to {}", array.data_type());
        macro_rules! plain {
            ($v:expr, $gaps:expr, $t:ty, $each:expr) => {{
                let a = array.as_primitive_opt::<$t>().ok_or_else(other)?;
                let start = $v.len();
                $v.extend(a.values().iter().map(|&x| $each(x)));
                if a.null_count() > 0 {
                    $gaps.extend((0..a.len()).filter(|&i| a.is_null(i)).map(|i| start + i));
                }
            }};
        }
        macro_rules! reals {
            ($v:expr, $t:ty, $each:expr) => {{
                let a = array.as_primitive_opt::<$t>().ok_or_else(other)?;
                $v.extend(a.iter().map(|x| x.map_or(f64::NAN, $each)));
            }};
        }
        match (self, array.data_type()) {
            (Self::Integers(v, gaps), ty) => match ty {
                DataType::Int8 => plain!(v, gaps, t::Int8Type, i64::from),
                DataType::Int16 => plain!(v, gaps, t::Int16Type, i64::from),
                DataType::Int32 => plain!(v, gaps, t::Int32Type, i64::from),
                DataType::Int64 => plain!(v, gaps, t::Int64Type, i64::from),
                DataType::UInt16 => plain!(v, gaps, t::UInt16Type, i64::from),
                DataType::UInt32 => plain!(v, gaps, t::UInt32Type, i64::from),
                _ => {
                    let a = array.as_boolean_opt().ok_or_else(other)?;
                    let start = v.len();
                    v.extend(a.iter().map(|x| i64::from(x.unwrap_or(false))));
                    gaps.extend((0..a.len()).filter(|&i| a.is_null(i)).map(|i| start + i));
                }
            },
            (Self::Unsigned(v, gaps), _) => plain!(v, gaps, t::UInt64Type, u64::from),
            (Self::Bytes(v, gaps), _) => plain!(v, gaps, t::UInt8Type, u8::from),
            (Self::Reals(v, _), ty) => match ty {
                DataType::Float16 => reals!(v, t::Float16Type, |x| f64::from(x.to_f32())),
                DataType::Float32 => reals!(v, t::Float32Type, f64::from),
                DataType::Float64 => reals!(v, t::Float64Type, |x| x),
                DataType::Decimal128(_, scale) => {
                    let unit = 10_f64.powi(i32::from(*scale));
                    reals!(v, t::Decimal128Type, |x| x as f64 / unit);
                }
                DataType::Duration(TimeUnit::Second) => reals!(v, t::DurationSecondType, |x| x as f64),
                DataType::Duration(TimeUnit::Millisecond) => reals!(v, t::DurationMillisecondType, |x| x as f64 / 1e3),
                DataType::Duration(TimeUnit::Microsecond) => reals!(v, t::DurationMicrosecondType, |x| x as f64 / 1e6),
                DataType::Duration(TimeUnit::Nanosecond) => reals!(v, t::DurationNanosecondType, |x| x as f64 / 1e9),
                DataType::Time32(TimeUnit::Second) => reals!(v, t::Time32SecondType, f64::from),
                DataType::Time32(_) => reals!(v, t::Time32MillisecondType, |x| f64::from(x) / 1e3),
                DataType::Time64(TimeUnit::Microsecond) => reals!(v, t::Time64MicrosecondType, |x| x as f64 / 1e6),
                DataType::Time64(_) => reals!(v, t::Time64NanosecondType, |x| x as f64 / 1e9),
                _ => return Err(other()),
            },
            (Self::Times(v), ty) => match ty {
                DataType::Date32 => reals!(v, t::Date32Type, |x| f64::from(x) * 86_400.0),
                DataType::Date64 => reals!(v, t::Date64Type, |x| x as f64 / 1e3),
                DataType::Timestamp(TimeUnit::Second, _) => reals!(v, t::TimestampSecondType, |x| x as f64),
                DataType::Timestamp(TimeUnit::Millisecond, _) => {
                    reals!(v, t::TimestampMillisecondType, |x| x as f64 / 1e3)
                }
                DataType::Timestamp(TimeUnit::Microsecond, _) => {
                    reals!(v, t::TimestampMicrosecondType, |x| x as f64 / 1e6)
                }
                DataType::Timestamp(TimeUnit::Nanosecond, _) => {
                    reals!(v, t::TimestampNanosecondType, |x| x as f64 / 1e9)
                }
                _ => return Err(other()),
            },
            (Self::Texts(codes, dictionary), DataType::Dictionary(..)) => {
                let a = array.as_any_dictionary_opt().ok_or_else(other)?;
                let mut own = Vec::new();
                texts(a.values().as_ref(), &mut own, dictionary, name)?;
                let keys = a.normalized_keys();
                codes.extend(keys.into_iter().enumerate().map(|(i, k)| {
                    if a.is_null(i) { Symbols::MISSING } else { own.get(k).copied().unwrap_or(Symbols::MISSING) }
                }));
            }
            (Self::Texts(codes, dictionary), _) => texts(array, codes, dictionary, name)?,
        }
        Ok(())
    }

    /// The column's values, and their unit.
    fn finish(self) -> (Values, Option<&'static str>) {
        fn gapped<T: Copy>(v: &[T], gaps: &[usize], real: impl Fn(T) -> f64) -> Values {
            let mut reals: Vec<f64> = v.iter().map(|&x| real(x)).collect();
            gaps.iter().for_each(|&i| reals[i] = f64::NAN);
            Values::Real(reals)
        }
        match self {
            Self::Integers(v, gaps) if gaps.is_empty() => (Values::Integer(v), None),
            Self::Integers(v, gaps) => (gapped(&v, &gaps, |x| x as f64), None),
            Self::Unsigned(v, gaps) if gaps.is_empty() => (unsigned(v), None),
            Self::Unsigned(v, gaps) => (gapped(&v, &gaps, |x| x as f64), None),
            Self::Bytes(v, gaps) if gaps.is_empty() => (Values::Bytes(v), None),
            Self::Bytes(v, gaps) => (gapped(&v, &gaps, f64::from), None),
            Self::Reals(v, unit) => (Values::Real(v), unit),
            Self::Times(v) => (Values::Time(v), None),
            Self::Texts(codes, dictionary) => {
                let labels = dictionary.into_labels(|l| String::from_utf8_lossy(l).into_owned());
                (Values::Symbols(Symbols { codes, labels }), None)
            }
        }
    }
}

/// Codes of texts.
fn texts(array: &dyn Array, codes: &mut Vec<u32>, dictionary: &mut Dictionary, name: &str) -> Result<(), String> {
    let mut put = |text: Option<&str>| {
        let code = text.map_or(Ok(Symbols::MISSING), |x| dictionary.code(x.as_bytes(), name));
        codes.push(code.map_err(|e| e.to_string())?);
        Ok::<(), String>(())
    };
    match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().iter().try_for_each(&mut put),
        DataType::LargeUtf8 => array.as_string::<i64>().iter().try_for_each(&mut put),
        DataType::Utf8View => array.as_string_view().iter().try_for_each(&mut put),
        other => Err(format!("column {name:?} changes its type to {other}")),
    }
}
