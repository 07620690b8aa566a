//! Squares of 4 × 4 numbers, turned.

/// The transpose.
#[inline(always)]
pub(super) fn turned<T: Copy>(rows: [[T; 4]; 4]) -> [[T; 4]; 4] {
    let [a, b, c, d] = rows;
    [[a[0], b[0], c[0], d[0]], [a[1], b[1], c[1], d[1]], [a[2], b[2], c[2], d[2]], [a[3], b[3], c[3], d[3]]]
}

/// The transpose, in vector registers: LLVM, left alone, moves one number at a time.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(super) fn turned_single([a, b, c, d]: [[f32; 4]; 4]) -> [[f32; 4]; 4] {
    use safe_arch::{m128, transpose_four_m128};
    let [mut a, mut b, mut c, mut d] =
        [m128::from_array(a), m128::from_array(b), m128::from_array(c), m128::from_array(d)];
    transpose_four_m128(&mut a, &mut b, &mut c, &mut d);
    [a.to_array(), b.to_array(), c.to_array(), d.to_array()]
}

#[cfg(not(target_arch = "x86_64"))]
pub(super) use turned as turned_single;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_columns() {
        let square =
            [[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0], [9.0, 10.0, 11.0, 12.0], [13.0, 14.0, 15.0, 16.0_f32]];
        let expected = [[1.0, 5.0, 9.0, 13.0], [2.0, 6.0, 10.0, 14.0], [3.0, 7.0, 11.0, 15.0], [4.0, 8.0, 12.0, 16.0]];
        assert_eq!(turned(square), expected);
        assert_eq!(turned_single(square), expected);
    }
}
