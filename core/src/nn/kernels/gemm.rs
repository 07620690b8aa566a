//! The matrix product, tiled for registers and caches.
//!
//! The right factor is packed into panels of NR columns, so that the innermost loop reads both factors in order and keeps
//! MR × NR sums in registers (Goto & van de Geijn, ACM Trans. Math. Softw. 34, 12 (2008)). A left factor that lies row by
//! row is read where it is; a transposed one is turned block by block. Factors may be transposed and strided views, so all three
//! products of a layer, and those of attention heads inside a wider matrix, are this one.

use crate::nn::Float;

/// Steps of the inner dimension for which a panel stays in the first cache.
const DEPTH: usize = 256;
/// Rows of the left factor that stay in the second cache, a multiple of all MR.
const BLOCK: usize = 96;

/// Rows and columns that are turned at once.
const SQUARE: usize = 4;

/// A matrix in memory: element (i, j) is `data[i stride + j]`, or `data[j stride + i]` where it is transposed.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a, T> {
    pub data: &'a [T],
    pub stride: usize,
    pub transposed: bool,
}

impl<'a, T> Matrix<'a, T> {
    /// Row by row.
    #[must_use]
    pub const fn rows(data: &'a [T], stride: usize) -> Self {
        Self { data, stride, transposed: false }
    }

    /// The transpose of what lies row by row.
    #[must_use]
    pub const fn transpose(data: &'a [T], stride: usize) -> Self {
        Self { data, stride, transposed: true }
    }
}

/// Room for packed factors; it grows with the first uses and then stays.
#[doc(hidden)]
#[derive(Clone, Debug, Default)]
pub struct Packing<T> {
    a: Vec<T>,
    b: Vec<T>,
}

/// The body of [`super::Kernels::gemm`].
#[inline(always)]
pub(super) fn gemm<T: Float, const MR: usize, const NR: usize, const FMA: bool>(
    [m, n, k]: [usize; 3],
    a: Matrix<'_, T>,
    b: Matrix<'_, T>,
    (c, stride): (&mut [T], usize),
    add: bool,
    packing: &mut Packing<T>,
) {
    if m == 0 || n == 0 {
        return;
    }
    if k == 0 && !add {
        (0..m).for_each(|i| c[i * stride..][..n].fill(T::ZERO));
    }
    let panels = n.div_ceil(NR);
    let mut sums = [[T::ZERO; NR]; MR];
    for k0 in (0..k).step_by(DEPTH) {
        let depth = DEPTH.min(k - k0);
        let add = add || k0 > 0;
        grow(&mut packing.b, panels * depth * NR);
        for panel in 0..panels {
            let to = packing.b[panel * depth * NR..][..depth * NR].as_chunks_mut::<NR>().0;
            pack::<T, NR>(b, k0, panel * NR, n, to);
        }
        for m0 in (0..m).step_by(BLOCK) {
            let block = BLOCK.min(m - m0);
            let tiles = block.div_ceil(MR);
            if a.transposed {
                grow(&mut packing.a, block * depth);
                turn(a, [m0, k0], [block, depth], &mut packing.a);
            }
            let left = if a.transposed { Matrix::rows(&packing.a, depth) } else { a };
            // Where the block begins in it.
            let [row, column] = if a.transposed { [0, 0] } else { [m0, k0] };
            for panel in 0..panels {
                let n0 = panel * NR;
                let columns = packing.b[panel * depth * NR..][..depth * NR].as_chunks::<NR>().0;
                for tile in 0..tiles {
                    let first = m0 + tile * MR;
                    let rows = [row + tile * MR, row + block];
                    let width = NR.min(n - n0);
                    let valid = MR.min(m - first);
                    if width == NR && valid == MR {
                        let to = (&mut c[first * stride + n0..], stride);
                        tile_sums::<T, MR, NR, FMA>(left, rows, column, columns, |sums| whole(sums, to, add));
                        continue;
                    }
                    tile_sums::<T, MR, NR, FMA>(left, rows, column, columns, |made| sums = *made);
                    for (i, sums) in sums.iter().enumerate().take(valid) {
                        store(sums, &mut c[(first + i) * stride + n0..][..width], add);
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn store<T: Float, const NR: usize>(sums: &[T; NR], row: &mut [T], add: bool) {
    if let Ok(row) = <&mut [T; NR]>::try_from(&mut *row) {
        if add {
            for j in 0..NR {
                row[j] += sums[j];
            }
        } else {
            *row = *sums;
        }
    } else {
        for (to, sum) in row.iter_mut().zip(sums) {
            *to = if add { *to + *sum } else { *sum };
        }
    }
}

#[inline(always)]
fn multiply_add<T: Float, const FMA: bool>(x: T, y: T, sum: T) -> T {
    if FMA { x.fused(y, sum) } else { x * y + sum }
}

/// Hands on the sums of a tile: rows `first`.. of the left factor; those from `end` on repeat the last, and their sums are not
/// kept. Written for LLVM: the loop over NR is one or a few vectors, the loop over MR unrolls, and the sums stay in
/// registers. (With the left factor packed by MR it makes vectors along MR, and shuffles.)
#[inline(always)]
fn tile_sums<T: Float, const MR: usize, const NR: usize, const FMA: bool>(
    a: Matrix<'_, T>,
    [first, end]: [usize; 2],
    column: usize,
    b: &[[T; NR]],
    with: impl FnOnce(&[[T; NR]; MR]),
) {
    let depth = b.len();
    let mut rows = [&a.data[..0]; MR];
    for (i, row) in rows.iter_mut().enumerate() {
        *row = &a.data[(first + i).min(end - 1) * a.stride + column..][..depth];
    }
    // Said here, where all is in one function, it spares a check for each element.
    for row in &rows {
        assert!(row.len() == depth);
    }
    let mut sums = [[T::ZERO; NR]; MR];
    for k in 0..depth {
        let b = &b[k];
        for i in 0..MR {
            let x = rows[i][k];
            for j in 0..NR {
                sums[i][j] = multiply_add::<T, FMA>(x, b[j], sums[i][j]);
            }
        }
    }
    with(&sums);
}

/// Stores a whole tile straight from the registers.
#[inline(always)]
fn whole<T: Float, const MR: usize, const NR: usize>(sums: &[[T; NR]; MR], (c, stride): (&mut [T], usize), add: bool) {
    for i in 0..MR {
        store(&sums[i], &mut c[i * stride..][..NR], add);
    }
}

/// Copies a block of a transposed left factor row by row.
#[inline(always)]
fn turn<T: Float>(a: Matrix<'_, T>, [m0, k0]: [usize; 2], [block, depth]: [usize; 2], to: &mut [T]) {
    let (rows, steps) = (block / SQUARE * SQUARE, depth / SQUARE * SQUARE);
    // Four rows of the result at a time, each written in order: many rows at once would be in each other's way in the cache.
    for (first, to) in (0..rows).step_by(SQUARE).zip(to.chunks_exact_mut(SQUARE * depth)) {
        let [p, q, r, s] = quarters(to, depth, steps);
        let from = a.data[k0 * a.stride..].chunks(a.stride).map(|row| &row[m0 + first..][..SQUARE]);
        let mut from = from.map(fixed);
        for (((p, q), r), s) in p.iter_mut().zip(q).zip(r).zip(s) {
            let mut next = || from.next().unwrap_or([T::ZERO; SQUARE]);
            [*p, *q, *r, *s] = T::turned([next(), next(), next(), next()]);
        }
    }
    let mut one = |i: usize, k: usize| to[i * depth + k] = a.data[(k0 + k) * a.stride + m0 + i];
    (rows..block).for_each(|i| (0..steps).for_each(|k| one(i, k)));
    (steps..depth).for_each(|k| (0..block).for_each(|i| one(i, k)));
}

/// Four rows, as far as they are whole squares.
#[inline(always)]
fn quarters<T>(block: &mut [T], depth: usize, steps: usize) -> [&mut [[T; SQUARE]]; SQUARE] {
    let (ab, cd) = block.split_at_mut(2 * depth);
    let ((a, b), (c, d)) = (ab.split_at_mut(depth), cd.split_at_mut(depth));
    [a, b, c, d].map(|row| row[..steps].as_chunks_mut().0)
}

#[inline(always)]
fn fixed<T: Copy>(slice: &[T]) -> [T; SQUARE] {
    let slice = &slice[..SQUARE];
    [slice[0], slice[1], slice[2], slice[3]]
}

/// Copies rows k0.. and columns n0..n0 + W of `from` (which has n columns) to `to`, with zeros behind the last column.
#[inline(always)]
fn pack<T: Float, const W: usize>(from: Matrix<'_, T>, k0: usize, n0: usize, n: usize, to: &mut [[T; W]]) {
    let width = W.min(n - n0);
    if from.transposed {
        if width < W {
            to.fill([T::ZERO; W]);
        }
        let (whole, deep) = (width / SQUARE * SQUARE, to.len() / SQUARE * SQUARE);
        for j in (0..whole).step_by(SQUARE) {
            let columns: [&[T]; SQUARE] =
                std::array::from_fn(|i| &from.data[(n0 + j + i) * from.stride + k0..][..to.len()]);
            for k in (0..deep).step_by(SQUARE) {
                let [p, q, r, s] = columns;
                let square = T::turned([fixed(&p[k..]), fixed(&q[k..]), fixed(&r[k..]), fixed(&s[k..])]);
                for (to, row) in to[k..k + SQUARE].iter_mut().zip(&square) {
                    to[j..j + SQUARE].copy_from_slice(row);
                }
            }
        }
        for j in 0..width {
            let first = if j < whole { deep } else { 0 };
            let column = &from.data[(n0 + j) * from.stride + k0..][..to.len()];
            for (to, x) in to[first..].iter_mut().zip(&column[first..]) {
                to[j] = *x;
            }
        }
    } else if width == W {
        for (i, to) in to.iter_mut().enumerate() {
            to.copy_from_slice(&from.data[(k0 + i) * from.stride + n0..][..W]);
        }
    } else {
        for (i, to) in to.iter_mut().enumerate() {
            *to = [T::ZERO; W];
            to[..width].copy_from_slice(&from.data[(k0 + i) * from.stride + n0..][..width]);
        }
    }
}

fn grow<T: Float>(room: &mut Vec<T>, len: usize) {
    if room.len() < len {
        room.resize(len, T::ZERO);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Philox;

    type Product<T> = fn([usize; 3], Matrix<'_, T>, Matrix<'_, T>, (&mut [T], usize), bool, &mut Packing<T>);

    /// Every product of two views, at sizes that are awkward for tiles, panels and blocks, against the definition.
    fn products<T: Float>(tolerance: f64) {
        let mut rng = Philox::new(3, 0);
        let mut packing = Packing::default();
        for [m, n, k] in
            [[1, 1, 1], [7, 33, 5], [8, 32, 64], [97, 17, 300], [12, 6, 257], [200, 65, 31], [5, 3, 0], [0, 4, 4]]
        {
            for (ta, tb, add) in (0..8).map(|i| (i & 1 > 0, i & 2 > 0, i & 4 > 0)) {
                let (sa, sb, sc) = (if ta { m } else { k } + 3, if tb { k } else { n } + 1, n + 2);
                let mut random = |len: usize| (0..len).map(|_| T::of(rng.uniform() - 0.5)).collect::<Vec<T>>();
                let a = random(sa * if ta { k } else { m } + 3);
                let b = random(sb * if tb { n } else { k } + 3);
                let before = random(sc * m + 2);
                let mut c = before.clone();
                let (av, bv) =
                    (Matrix { data: &a, stride: sa, transposed: ta }, Matrix { data: &b, stride: sb, transposed: tb });
                let run: Product<T> = T::gemm;
                for run in [run, gemm::<T, 4, 8, false>] {
                    c.copy_from_slice(&before);
                    run([m, n, k], av, bv, (&mut c, sc), add, &mut packing);
                    let at = |v: &Matrix<'_, T>, i: usize, j: usize| {
                        v.data[if v.transposed { j * v.stride + i } else { i * v.stride + j }].wide()
                    };
                    for (place, (x, was)) in c.iter().zip(&before).enumerate() {
                        let (i, j) = (place / sc, place % sc);
                        let expected = if i < m && j < n {
                            let start = if add { was.wide() } else { 0.0 };
                            (0..k).map(|l| at(&av, i, l) * at(&bv, l, j)).sum::<f64>() + start
                        } else {
                            was.wide()
                        };
                        assert!((x.wide() - expected).abs() < tolerance, "{m} {n} {k} {ta} {tb} {add}");
                    }
                }
            }
        }
    }

    #[test]
    fn products_are_those_of_the_definition() {
        // 300 products of numbers below 1/2: rounding is far below 300 u / 4.
        products::<f64>(1e-13);
        products::<f32>(1e-5);
    }
}
