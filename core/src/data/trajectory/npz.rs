//! NumPy arrays, whole, in row-major order.

use super::{TrajectoryError, error::part};
use crate::data::npy_header::{self, Sort};

/// An array as reals.
pub(super) struct Array {
    pub(super) shape: Vec<usize>,
    /// Row-major.
    pub(super) values: Vec<f64>,
}

/// The array in the NPY file `bytes`; `name` and `array` are for messages.
pub(super) fn array(name: &str, array: &str, bytes: &[u8], max_bytes: u64) -> Result<Array, TrajectoryError> {
    let wrong = |why: String| part(name, array, why);
    let header = npy_header::parse(bytes).map_err(|e| wrong(e.to_string()))?;
    let size = header.element.size as u64;
    let have = (bytes.len() as u64).saturating_sub(header.start);
    if header.count.checked_mul(size).is_none_or(|needed| needed > have) {
        let why =
            format!("shape {:?} and dtype {} need more than the {have} bytes there are", header.shape, header.dtype);
        return Err(wrong(why));
    }
    if header.count.saturating_mul(8) > max_bytes {
        return Err(wrong(format!("{} values as reals are more than the limit of {max_bytes} bytes", header.count)));
    }
    let start = usize::try_from(header.start).unwrap_or(usize::MAX);
    let elements = bytes.get(start..).unwrap_or(&[]);
    let count = usize::try_from(header.count).unwrap_or(0);
    let element = header.element;
    let real = |e: &[u8]| if element.sort == Sort::Bool { f64::from(u8::from(e[0] != 0)) } else { element.real(e) };
    let values: Vec<f64> = elements.chunks_exact(element.size).take(count).map(real).collect();
    let values =
        crate::data::npy::row_major(&header.shape, header.fortran, values).map_err(|e| wrong(e.to_string()))?;
    let shape = values.shape().to_vec();
    Ok(Array { shape, values: values.into_iter().collect() })
}
