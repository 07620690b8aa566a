//! What a measure of several columns, of a table, of an image or of attention is given.

use std::{borrow::Cow, ops::Range};

use super::{Input, MeasureError, Missing, Sequence, input::rank_reals};
use crate::data::{Column, Matrix, Symbols, Values};

/// The data of one measurement: a column, several columns, two groups of columns, or a matrix.
///
/// A measure of pairs compares the columns with those that are [`Subject::with`] them, or the first column with the
/// rest. A measure of tables puts all columns side by side.
#[derive(Clone, Copy, Debug, Default)]
pub struct Subject<'a> {
    first: Option<&'a Column>,
    more: &'a [&'a Column],
    with: &'a [&'a Column],
    matrix: Option<&'a Matrix>,
}

impl<'a> From<&'a Column> for Subject<'a> {
    fn from(column: &'a Column) -> Self {
        Self { first: Some(column), ..Self::default() }
    }
}

impl<'a> From<&'a [&'a Column]> for Subject<'a> {
    fn from(columns: &'a [&'a Column]) -> Self {
        Self { first: columns.first().copied(), more: columns.get(1..).unwrap_or_default(), ..Self::default() }
    }
}

impl<'a> From<&'a Matrix> for Subject<'a> {
    fn from(matrix: &'a Matrix) -> Self {
        Self { matrix: Some(matrix), ..Self::default() }
    }
}

impl<'a> Subject<'a> {
    /// The same subject beside `columns`: the second group of a pair, or the labels of a table's rows.
    #[must_use]
    pub const fn with(self, columns: &'a [&'a Column]) -> Self {
        Self { with: columns, ..self }
    }

    /// The first column.
    #[must_use]
    pub const fn column(&self) -> Option<&'a Column> {
        self.first
    }

    /// The matrix.
    #[must_use]
    pub const fn matrix(&self) -> Option<&'a Matrix> {
        self.matrix
    }

    /// The first of the columns that are with it.
    pub(super) fn with_first(&self) -> Option<&'a Column> {
        self.with.first().copied()
    }

    /// The columns without those that are with them.
    fn own(&self) -> impl Iterator<Item = &'a Column> + use<'a> {
        self.first.into_iter().chain(self.more.iter().copied())
    }

    /// All columns.
    pub(super) fn columns(&self) -> impl Iterator<Item = &'a Column> + use<'a> {
        self.own().chain(self.with.iter().copied())
    }

    /// The two groups of a pair.
    fn groups(&self) -> Option<(Vec<&'a Column>, Vec<&'a Column>)> {
        let own: Vec<&Column> = self.own().collect();
        match (own.as_slice(), self.with) {
            ([first, rest @ ..], []) if !rest.is_empty() => Some((vec![first], rest.to_vec())),
            ([], _) | (_, []) => None,
            (own, with) => Some((own.to_vec(), with.to_vec())),
        }
    }

    fn describe(&self) -> String {
        match (self.matrix, self.columns().count()) {
            (Some(m), 0) => format!("an array of shape {:?}", m.values.shape()),
            (Some(m), _) => format!("an array of shape {:?} beside columns", m.values.shape()),
            (None, 1) => "one column".to_owned(),
            (None, n) => format!("{n} columns"),
        }
    }
}

/// Observations in rows, all finite.
#[derive(Clone, Debug)]
pub struct Table<'a> {
    /// Row-major: `n` times `d` values.
    pub values: Cow<'a, [f64]>,
    /// Observations.
    pub n: usize,
    /// Values of one observation.
    pub d: usize,
    /// Rows that were left out.
    pub omitted: u64,
}

impl Table<'_> {
    /// Row `i`.
    #[must_use]
    pub fn row(&self, i: usize) -> &[f64] {
        &self.values[i * self.d..(i + 1) * self.d]
    }
}

/// Two groups of columns of equal length, all finite.
#[derive(Clone, Debug)]
pub struct Pair {
    /// Row-major: `n` times `dx + dy` values, the first group's before the second's.
    pub values: Vec<f64>,
    /// Observations.
    pub n: usize,
    /// Columns of the first group.
    pub dx: usize,
    /// Columns of the second group.
    pub dy: usize,
    /// The gap-free stretches in time, as ranges of rows.
    pub stretches: Vec<Range<usize>>,
    /// Rows that were left out.
    pub omitted: u64,
}

impl Pair {
    /// Some of the rows, as a pair without gaps.
    pub(super) fn rows(&self, rows: &[usize]) -> Self {
        let d = self.dx + self.dy;
        let values = rows.iter().flat_map(|&i| &self.values[i * d..(i + 1) * d]).copied().collect();
        let stretches = std::iter::once(0..rows.len()).collect();
        Self { values, n: rows.len(), dx: self.dx, dy: self.dy, stretches, omitted: 0 }
    }

    /// The columns in `range` as rows of their own.
    #[must_use]
    pub fn part(&self, range: Range<usize>) -> Vec<f64> {
        self.values.chunks_exact((self.dx + self.dy).max(1)).flat_map(|row| &row[range.clone()]).copied().collect()
    }
}

/// Two sequences of symbols of equal length. A group of several columns is one sequence of their combinations.
#[derive(Clone, Debug, Default)]
pub struct SymbolPair {
    /// The first group's symbols, below `kx`.
    pub x: Vec<u32>,
    /// One more than the largest code that can occur in `x`.
    pub kx: u32,
    /// The second group's symbols, below `ky`.
    pub y: Vec<u32>,
    /// One more than the largest code that can occur in `y`.
    pub ky: u32,
    /// The gap-free stretches in time, as ranges of rows.
    pub stretches: Vec<Range<usize>>,
    /// Rows that were left out.
    pub omitted: u64,
}

/// Grey levels, row by row from the top left, all finite.
#[derive(Clone, Debug)]
pub struct Image<'a> {
    /// `rows` times `columns` values.
    pub values: Cow<'a, [f64]>,
    /// Height.
    pub rows: usize,
    /// Width.
    pub columns: usize,
}

/// Attention weights: for every head a table of queries by keys.
#[derive(Clone, Debug)]
pub struct Attention<'a> {
    /// `heads` times `queries` times `keys` values.
    pub values: Cow<'a, [f64]>,
    /// The product of all axes before the last two.
    pub heads: usize,
    /// The axis before the last.
    pub queries: usize,
    /// The last axis.
    pub keys: usize,
}

/// The rows that are there.
pub(super) struct Kept {
    /// `None` for all of them.
    pub(super) rows: Option<Vec<usize>>,
    /// The runs of rows without a gap between them, in the numbers of the kept ones.
    pub(super) stretches: Vec<Range<usize>>,
    /// How many are not there.
    pub(super) omitted: u64,
}

impl<'a> Input<'a> {
    fn unfit(&self, wanted: &'static str, hint: &'static str) -> MeasureError {
        MeasureError::Subject { measure: self.about.id, wanted, given: self.subject.describe(), hint }
    }

    /// The columns, checked to be equally long, and their length within the limit.
    fn aligned(&self, columns: &[&'a Column]) -> Result<usize, MeasureError> {
        let Some(first) = columns.first() else { return Ok(0) };
        if let Some(other) = columns.iter().find(|c| c.len != first.len) {
            return Err(MeasureError::Lengths {
                first: first.name.clone(),
                len: first.len,
                other: other.name.clone(),
                other_len: other.len,
            });
        }
        let len = first.values.as_ref().map_or(0, Values::len);
        Ok(self.take(len))
    }

    /// Which of `n` rows are there, by the policy for missing values.
    pub(super) fn keep(&self, n: usize, is_missing: impl Fn(usize) -> bool) -> Result<Kept, MeasureError> {
        let gaps: Vec<usize> = (0..n).filter(|&i| is_missing(i)).collect();
        if gaps.is_empty() {
            return Ok(Kept { rows: None, stretches: std::iter::once(0..n).collect(), omitted: 0 });
        }
        if self.common.missing == Missing::Error {
            let first = gaps.iter().take(MeasureError::NON_FINITE_SHOWN).map(|&i| i as u64).collect();
            return Err(MeasureError::NonFinite { first, count: gaps.len() as u64, n: n as u64 });
        }
        let (mut rows, mut stretches, mut from) = (Vec::with_capacity(n - gaps.len()), Vec::new(), 0);
        for gap in gaps.iter().copied().chain(std::iter::once(n)) {
            if gap > from {
                stretches.push(rows.len()..rows.len() + gap - from);
                rows.extend(from..gap);
            }
            from = gap + 1;
        }
        Ok(Kept { rows: Some(rows), stretches, omitted: gaps.len() as u64 })
    }

    /// `columns` side by side, rows with a missing value left out or refused; `also` marks further rows as missing.
    fn side_by_side(
        &self,
        columns: &[&'a Column],
        also: impl Fn(usize) -> bool,
    ) -> Result<(Vec<f64>, usize, Kept), MeasureError> {
        let n = self.aligned(columns)?;
        let reals = columns.iter().map(|c| self.reals(c)).collect::<Result<Vec<_>, _>>()?;
        let kept = self.keep(n, |i| also(i) || reals.iter().any(|v| !v[i].is_finite()))?;
        let count = kept.rows.as_ref().map_or(n, Vec::len);
        let d = reals.len();
        let mut values = vec![0.0; count * d];
        for (j, column) in reals.iter().enumerate() {
            let places = values.get_mut(j..).unwrap_or_default().iter_mut().step_by(d);
            match &kept.rows {
                None => places.zip(column.iter()).for_each(|(place, v)| *place = *v),
                Some(rows) => places.zip(rows).for_each(|(place, &i)| *place = column[i]),
            }
        }
        Ok((values, count, kept))
    }

    /// Two groups of real columns.
    ///
    /// # Errors
    /// [`MeasureError::Subject`] for fewer than two columns, [`MeasureError::Lengths`],
    /// [`MeasureError::WrongInput`] for labels, [`MeasureError::NonFinite`].
    pub fn pair(&self) -> Result<Pair, MeasureError> {
        let groups = self.subject.groups();
        let (x, y) = groups.ok_or_else(|| self.unfit("two columns of numbers", "; name the second one as well"))?;
        let all: Vec<&Column> = x.iter().chain(&y).copied().collect();
        let (values, n, kept) = self.side_by_side(&all, |_| false)?;
        Ok(Pair { values, n, dx: x.len(), dy: y.len(), stretches: kept.stretches, omitted: kept.omitted })
    }

    /// A column as codes; [`Symbols::MISSING`] where there is no value.
    fn coded(&self, column: &'a Column) -> (Cow<'a, [u32]>, u32) {
        let sequence = match &column.values {
            Some(Values::Symbols(s)) => {
                let alphabet = u32::try_from(s.labels.len()).unwrap_or(u32::MAX);
                return (Cow::Borrowed(&s.codes[..self.take(s.codes.len())]), alphabet);
            }
            Some(Values::Bytes(v)) => Sequence::of_bytes(&v[..self.take(v.len())]),
            Some(Values::Integer(v)) => Sequence::of_integers(&v[..self.take(v.len())]),
            Some(Values::Real(v) | Values::Time(v)) => return rank_reals(&v[..self.take(v.len())]),
            None => Sequence::default(),
        };
        (sequence.codes, sequence.alphabet)
    }

    /// Two groups of columns of symbols. Of real numbers each distinct value is a symbol.
    ///
    /// # Errors
    /// [`MeasureError::Subject`] for fewer than two columns, [`MeasureError::Lengths`], [`MeasureError::NonFinite`],
    /// [`MeasureError::TooLarge`] where the combinations of a group are too many to be numbered.
    pub fn symbol_pair(&self) -> Result<SymbolPair, MeasureError> {
        let groups = self.subject.groups();
        let (x, y) = groups.ok_or_else(|| self.unfit("two columns of symbols", "; name the second one as well"))?;
        let all: Vec<&Column> = x.iter().chain(&y).copied().collect();
        let n = self.aligned(&all)?;
        let coded: Vec<_> = all.iter().map(|c| self.coded(c)).collect();
        let kept = self.keep(n, |i| coded.iter().any(|(codes, _)| codes[i] == Symbols::MISSING))?;
        let join = |group: &[(Cow<'_, [u32]>, u32)]| {
            let present = |codes: &[u32]| match &kept.rows {
                None => codes.to_vec(),
                Some(rows) => rows.iter().map(|&i| codes[i]).collect(),
            };
            let mut group = group.iter();
            let (codes, k) = group.next().map_or((Vec::new(), 1), |(codes, k)| (present(codes), (*k).max(1)));
            group.fold((codes, k), |(a, ka), (b, kb)| pack(&a, ka, &present(b), (*kb).max(1)))
        };
        let ((first, kx), (second, ky)) = (join(&coded[..x.len()]), join(&coded[x.len()..]));
        Ok(SymbolPair { x: first, kx, y: second, ky, stretches: kept.stretches, omitted: kept.omitted })
    }

    /// The matrix, or all columns side by side, as observations in rows.
    ///
    /// # Errors
    /// [`MeasureError::Subject`] for an array that has not two axes, [`MeasureError::Lengths`],
    /// [`MeasureError::WrongInput`] for labels, [`MeasureError::NonFinite`].
    pub fn table(&self) -> Result<Table<'a>, MeasureError> {
        let columns: Vec<&Column> = self.subject.columns().collect();
        let Some(matrix) = self.subject.matrix() else {
            if columns.is_empty() {
                return Err(self.unfit("columns of numbers, or an array of two axes", ""));
            }
            let (values, n, kept) = self.side_by_side(&columns, |_| false)?;
            return Ok(Table { values: Cow::Owned(values), n, d: columns.len(), omitted: kept.omitted });
        };
        if !columns.is_empty() {
            return Err(self.unfit("one table", ""));
        }
        Ok(self.rows_of(matrix, |_| false)?.0)
    }

    /// The rows of a matrix that are there.
    fn rows_of(&self, matrix: &'a Matrix, also: impl Fn(usize) -> bool) -> Result<(Table<'a>, Kept), MeasureError> {
        let unfit = || self.unfit("a table of observations in rows", "; an array of two axes is one");
        let [n, d] = *matrix.values.shape() else { return Err(unfit()) };
        if d == 0 {
            return Err(unfit());
        }
        let n = self.take(n);
        let all = whole(matrix);
        let row = |i: usize| &all[i * d..(i + 1) * d];
        let kept = self.keep(n, |i| also(i) || !row(i).iter().fold(true, |ok, v| ok & v.is_finite()))?;
        let (values, count) = match (&kept.rows, &all) {
            (Some(rows), _) => (rows.iter().flat_map(|&i| row(i)).copied().collect(), rows.len()),
            (None, Cow::Borrowed(v)) => (Cow::Borrowed(&v[..n * d]), n),
            (None, Cow::Owned(v)) => (Cow::Owned(v[..n * d].to_vec()), n),
        };
        Ok((Table { values, n: count, d, omitted: kept.omitted }, kept))
    }

    /// A table and, for each of its rows, the label of the column that is with it.
    ///
    /// # Errors
    /// As [`Input::table`]; [`MeasureError::Subject`] without exactly one column of labels.
    pub fn labelled_table(&self) -> Result<(Table<'a>, Sequence<'static>), MeasureError> {
        let [labels] = *self.subject.with else {
            return Err(self.unfit("a table and one column of labels", "; name the labels as the second column"));
        };
        let (codes, alphabet) = self.coded(labels);
        let own: Vec<&Column> = self.subject.own().collect();
        let unlabelled = |i: usize| codes.get(i).is_none_or(|c| *c == Symbols::MISSING);
        let lengths = |first: &str, len: usize| {
            (len as u64 != labels.len).then(|| MeasureError::Lengths {
                first: first.to_owned(),
                len: len as u64,
                other: labels.name.clone(),
                other_len: labels.len,
            })
        };
        let (table, kept) = if let Some(matrix) = self.subject.matrix() {
            if let Some(error) = lengths(&matrix.name, matrix.values.shape().first().copied().unwrap_or(0)) {
                return Err(error);
            }
            self.rows_of(matrix, unlabelled)?
        } else {
            let len = own.first().map_or(0, |c| usize::try_from(c.len).unwrap_or(usize::MAX));
            if let Some(error) = own.first().and_then(|c| lengths(&c.name, len)) {
                return Err(error);
            }
            let (values, n, kept) = self.side_by_side(&own, unlabelled)?;
            (Table { values: Cow::Owned(values), n, d: own.len(), omitted: kept.omitted }, kept)
        };
        let codes = match &kept.rows {
            Some(rows) => rows.iter().map(|&i| codes[i]).collect(),
            None => codes[..table.n].to_vec(),
        };
        Ok((table, Sequence { codes: Cow::Owned(codes), alphabet, omitted: kept.omitted }))
    }

    fn all_finite(&self, values: &[f64]) -> Result<(), MeasureError> {
        let kept = self.keep(values.len(), |i| !values[i].is_finite())?;
        // A pixel or a weight cannot be left out: what surrounds it would no longer lie side by side.
        if kept.omitted > 0 { Err(MeasureError::Gaps { count: kept.omitted }) } else { Ok(()) }
    }

    /// A grey image; `first` takes so many rows of it.
    ///
    /// # Errors
    /// [`MeasureError::Subject`] for anything but an array of two axes, [`MeasureError::NonFinite`],
    /// [`MeasureError::Gaps`].
    pub fn image(&self) -> Result<Image<'a>, MeasureError> {
        let unfit = || self.unfit("a grey image", "; an array of two axes is one, and so is an image file");
        let matrix = self.subject.matrix().ok_or_else(unfit)?;
        let [rows, columns] = *matrix.values.shape() else { return Err(unfit()) };
        let rows = self.take(rows);
        let values = match whole(matrix) {
            Cow::Borrowed(v) => Cow::Borrowed(&v[..rows * columns]),
            Cow::Owned(v) => Cow::Owned(v[..rows * columns].to_vec()),
        };
        self.all_finite(&values)?;
        Ok(Image { values, rows, columns })
    }

    /// Attention weights over the last axis of an array; `first` takes so many of its heads.
    ///
    /// # Errors
    /// [`MeasureError::Subject`] for anything but an array, [`MeasureError::NonFinite`], [`MeasureError::Gaps`].
    pub fn attention(&self) -> Result<Attention<'a>, MeasureError> {
        let unfit = || self.unfit("attention weights", "; an array (…, queries, keys) holds them");
        let matrix = self.subject.matrix().ok_or_else(unfit)?;
        let [leading @ .., queries, keys] = matrix.values.shape() else { return Err(unfit()) };
        let (queries, keys) = (*queries, *keys);
        let heads = self.take(leading.iter().product());
        let len = heads * queries * keys;
        let values = match whole(matrix) {
            Cow::Borrowed(v) => Cow::Borrowed(&v[..len]),
            Cow::Owned(v) => Cow::Owned(v[..len].to_vec()),
        };
        self.all_finite(&values)?;
        Ok(Attention { values, heads, queries, keys })
    }
}

/// The values in row-major order.
fn whole(matrix: &Matrix) -> Cow<'_, [f64]> {
    matrix.values.as_slice().map_or_else(|| matrix.values.iter().copied().collect(), Cow::Borrowed)
}

/// Pairs of symbols as symbols: a·kb + b where that fits, else their ranks among the pairs that occur.
#[must_use]
pub(super) fn pack(a: &[u32], ka: u32, b: &[u32], kb: u32) -> (Vec<u32>, u32) {
    if let Some(k) = ka.checked_mul(kb) {
        return (a.iter().zip(b).map(|(&a, &b)| a * kb + b).collect(), k);
    }
    let keys: Vec<u64> = a.iter().zip(b).map(|(&a, &b)| (u64::from(a) << 32) | u64::from(b)).collect();
    let ranked = Sequence::of_ordered(&keys);
    (ranked.codes.into_owned(), ranked.alphabet.max(1))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        compute::Cpu,
        measure::{Context, Outcome, find},
        pace::Unhurried,
    };

    fn run<'a>(id: &str, subject: impl Into<Subject<'a>>, params: &serde_json::Value) -> Result<Outcome, MeasureError> {
        let context = Context::new(&Cpu, &Unhurried);
        pollster::block_on(find(id).unwrap().run(params, subject, &context))
    }

    #[test]
    fn a_pair_says_what_is_wrong_with_its_columns() {
        let (a, b) = (Column::integer("a", vec![0, 1, 0, 1, 1]), Column::integer("b", vec![0, 1, 0]));
        let error = run("mi.plugin", [&a, &b].as_slice(), &json!({})).unwrap_err().to_string();
        assert!(error.contains("'a' has 5") && error.contains("'b' has 3"), "{error}");
        let error = run("mi.plugin", &a, &json!({})).unwrap_err().to_string();
        assert!(error.contains("mi.plugin takes two columns of symbols; it was given one column"), "{error}");
        let labels = Column::new("s", Values::Symbols(Symbols { codes: vec![0; 5], labels: vec!["x".into()] }));
        let error = run("mi.ksg1", [&a, &labels].as_slice(), &json!({})).unwrap_err().to_string();
        assert!(error.contains("takes numbers, and this column holds labels"), "{error}");
    }

    #[test]
    fn rows_with_a_gap_in_any_column_are_refused_or_left_out() {
        let a = Column::real("a", vec![1.0, 2.0, f64::NAN, 1.0, 2.0, 1.0]);
        let b = Column::real("b", vec![1.0, 2.0, 1.0, 1.0, f64::INFINITY, 2.0]);
        let error = run("mi.plugin", [&a, &b].as_slice(), &json!({})).unwrap_err().to_string();
        assert!(error.contains("index 2, 4 (2 of 6)"), "{error}");
        let omitted = run("joint.plugin", [&a, &b].as_slice(), &json!({"missing": "omit"})).unwrap();
        assert_eq!(omitted.n, 4);
        // (1,1) twice, (2,2) and (1,2) once
        assert_eq!(omitted.value.scalar(), Some(1.5));
    }

    #[test]
    fn combinations_of_symbols_are_numbered_even_where_the_product_does_not_fit() {
        let (a, b) = ([0, u32::MAX - 2, 0, 7], [3, 5, 3, 3]);
        let (codes, k) = pack(&a, u32::MAX - 1, &b, 70_000);
        assert_eq!((codes, k), (vec![0, 2, 0, 1], 3));
        assert_eq!(pack(&[1, 2], 3, &[4, 0], 5), (vec![9, 10], 15));
    }
}
