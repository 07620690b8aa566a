//! The header of a NumPy array of f64: what follows are the numbers, little endian, the last axis running fastest.
//!
//! A trajectory is written frame by frame behind it, so that it never sits in memory.

/// The header of version 1.0 for an array of this shape.
#[must_use]
pub fn header(shape: &[u64]) -> Vec<u8> {
    let lengths: Vec<String> = shape.iter().map(|n| format!("{n},")).collect();
    let mut text = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({}), }}", lengths.join(" "));
    // Ten bytes stand before the text, one line end after it, and the numbers begin at a multiple of 64.
    let length = (10 + text.len() + 1).next_multiple_of(64) - 10;
    while text.len() + 1 < length {
        text.push(' ');
    }
    text.push('\n');
    let mut bytes = b"\x93NUMPY\x01\0".to_vec();
    bytes.extend(u16::try_from(text.len()).unwrap_or(u16::MAX).to_le_bytes());
    bytes.extend(text.as_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use ndarray::{Array3, arr3};
    use ndarray_npy::ReadNpyExt;

    #[test]
    fn another_reader_takes_it() {
        let mut bytes = super::header(&[2, 1, 3]);
        assert!(bytes.len().is_multiple_of(64));
        (0..6).for_each(|k| bytes.extend(f64::from(k).to_le_bytes()));
        let array = Array3::<f64>::read_npy(&bytes[..]).unwrap();
        assert_eq!(array, arr3(&[[[0.0, 1.0, 2.0]], [[3.0, 4.0, 5.0]]]));
    }
}
