//! Columns while they are read, batch by batch.

use arrow_array::{Array, RecordBatch, cast::AsArray, types as t};
use arrow_schema::{DataType, TimeUnit};
use std::sync::Arc;

use crate::{Column, Error, MISSING, Values, dictionary::Dictionary};

/// Structures inside structures are followed so deep.
const DEEPEST: usize = 8;

/// One column while it is read.
pub(crate) struct Gathered {
    pub(crate) name: String,
    /// The way to it through structures.
    way: Vec<usize>,
    /// Values a row.
    pub(crate) width: u64,
    values: Growing,
}

impl Gathered {
    /// Its part of a batch.
    pub(crate) fn find(&self, batch: &RecordBatch) -> Result<Arc<dyn Array>, String> {
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

    /// Appends what [`Gathered::find`] has found.
    pub(crate) fn append(&mut self, array: &dyn Array) -> Result<(), Error> {
        self.values.append(array, &self.name)
    }

    pub(crate) fn finish(self) -> Column {
        let (values, unit) = self.values.finish();
        Column { name: self.name, unit, width: self.width, values }
    }
}

/// The columns that a field becomes.
pub(crate) fn flatten(
    name: String,
    ty: &DataType,
    way: Vec<usize>,
    columns: &mut Vec<Gathered>,
    skipped: &mut Vec<(String, String)>,
) {
    match ty {
        DataType::Struct(fields) if way.len() < DEEPEST => {
            for (i, field) in fields.iter().enumerate() {
                let way = [&way[..], &[i]].concat();
                flatten(format!("{name}.{}", field.name()), field.data_type(), way, columns, skipped);
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
            None => skipped.push((name, format!("of type {ty}"))),
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
    fn append(&mut self, array: &dyn Array, name: &str) -> Result<(), Error> {
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
                _ => return Err(other().into()),
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
                _ => return Err(other().into()),
            },
            (Self::Texts(codes, dictionary), DataType::Dictionary(..)) => {
                let a = array.as_any_dictionary_opt().ok_or_else(other)?;
                let mut own = Vec::new();
                texts(a.values().as_ref(), &mut own, dictionary, name)?;
                let keys = a.normalized_keys();
                codes.extend(
                    keys.into_iter()
                        .enumerate()
                        .map(|(i, k)| if a.is_null(i) { MISSING } else { own.get(k).copied().unwrap_or(MISSING) }),
                );
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
                let labels = dictionary.into_labels();
                (Values::Text { codes, labels }, None)
            }
        }
    }
}

/// Codes of texts.
fn texts(array: &dyn Array, codes: &mut Vec<u32>, dictionary: &mut Dictionary, name: &str) -> Result<(), Error> {
    let mut put = |text: Option<&str>| {
        codes.push(text.map_or(Ok(MISSING), |x| dictionary.code(x, name))?);
        Ok::<(), Error>(())
    };
    match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().iter().try_for_each(&mut put),
        DataType::LargeUtf8 => array.as_string::<i64>().iter().try_for_each(&mut put),
        DataType::Utf8View => array.as_string_view().iter().try_for_each(&mut put),
        other => Err(format!("column {name:?} changes its type to {other}").into()),
    }
}

/// Integers where all of them are small enough, else reals.
fn unsigned(values: Vec<u64>) -> Values {
    let signed: Option<Vec<i64>> = values.iter().map(|&x| i64::try_from(x).ok()).collect();
    signed.map_or_else(|| Values::Real(values.into_iter().map(|x| x as f64).collect()), Values::Integer)
}
