//! NetCDF-3 (classic, 64-bit offset and 64-bit data): every variable, with its units.

use super::{DataError, Values, cf::Attributes, hdf5, whole::Table};
use crate::pace::Pace;
use netcdf_reader::{NcFile, NcType, NcVariable};

/// Whether a file begins as one.
pub(super) const fn looks_like(head: &[u8]) -> bool {
    matches!(head, [b'C', b'D', b'F', 1 | 2 | 5, ..])
}

/// Reads all variables into `table`; their number.
pub(super) async fn read(bytes: &[u8], table: &mut Table, pace: &dyn Pace) -> Result<usize, DataError> {
    let wrong = |e: netcdf_reader::Error| DataError::Malformed { what: "NetCDF-3 file", offset: 0, why: e.to_string() };
    let total = bytes.len() as u64;
    let file = NcFile::from_bytes(bytes).map_err(wrong)?;
    let variables = file.variables().map_err(wrong)?;
    for variable in variables {
        pace.tick(total, total).await?;
        one(&file, variable, total, table)?;
    }
    Ok(variables.len())
}

fn one(file: &NcFile, variable: &NcVariable, total: u64, table: &mut Table) -> Result<(), DataError> {
    let (name, mut shape) = (variable.name(), variable.shape());
    let count = shape.iter().try_fold(1_u64, |n, &d| n.checked_mul(d));
    // Nothing is packed: every value takes a byte at least.
    let Some(count) = count.filter(|&n| n <= total) else {
        let claimed = shape.iter().fold(1_u128, |n, &d| n.saturating_mul(u128::from(d)));
        return Err(DataError::Claim { what: format!("variable {name} of shape {shape:?}"), claimed, have: total });
    };
    table.claim(name, count, 24)?;
    macro_rules! read {
        ($t:ty, $to:ident, $each:expr) => {
            file.read_variable::<$t>(name).map(|a| Values::$to(a.iter().map($each).collect()))
        };
    }
    let read = match variable.dtype() {
        NcType::Byte => read!(i8, Integer, |&x| i64::from(x)),
        NcType::UByte => read!(u8, Bytes, |&x| x),
        NcType::Short => read!(i16, Integer, |&x| i64::from(x)),
        NcType::UShort => read!(u16, Integer, |&x| i64::from(x)),
        NcType::Int => read!(i32, Integer, |&x| i64::from(x)),
        NcType::UInt => read!(u32, Integer, |&x| i64::from(x)),
        NcType::Int64 => read!(i64, Integer, |&x| x),
        NcType::UInt64 => file.read_variable::<u64>(name).map(|a| hdf5::unsigned(a.into_iter().collect())),
        NcType::Float => read!(f32, Real, |&x| f64::from(x)),
        NcType::Double => read!(f64, Real, |&x| x),
        // The last axis is the characters of a text.
        NcType::Char => {
            shape.pop();
            file.read_variable_as_strings(name)
                .map(|s| hdf5::symbols(s).map_or(Values::Real(Vec::new()), Values::Symbols))
        }
        _ => {
            table.skip(name, "neither numbers nor texts");
            return Ok(());
        }
    };
    let stored = match read {
        Ok(values) => values,
        Err(e) => {
            return Err(DataError::Malformed {
                what: "NetCDF-3 file",
                offset: 0,
                why: format!("variable {name}: {e}"),
            });
        }
    };
    let text = |name: &str| variable.attribute(name).and_then(|a| a.value.as_string());
    let number = |name: &str| variable.attribute(name).and_then(|a| a.value.as_f64());
    let attributes = Attributes {
        units: text("units"),
        calendar: text("calendar"),
        scale_factor: number("scale_factor"),
        add_offset: number("add_offset"),
        fills: ["_FillValue", "missing_value"].into_iter().filter_map(number).collect(),
        netcdf: true,
    };
    let (values, unit) = attributes.apply(stored);
    table.array(name, unit, &shape, values)
}
