//! What a measure is asked of, among the columns and arrays that somebody chose: the one set of rules for every door, so
//! that the same choice gives the same numbers on each.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::{Accepts, Entry};
use crate::data::{ColumnType, Dataset};

/// The subject of one measurement, by places in a [`Dataset`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Of {
    /// Nothing: a constant of the theory.
    Nothing,
    /// One column by itself.
    Column(usize),
    /// Columns together, and those that are with them: the second group of a pair, or the labels of a table's rows.
    Columns(Vec<usize>, Vec<usize>),
    /// An array, and the columns that are with it.
    Array(usize, Vec<usize>),
}

impl Of {
    /// Whether it takes more than one column, or an array.
    #[must_use]
    pub const fn is_of_several(&self) -> bool {
        matches!(self, Self::Columns(..) | Self::Array(..))
    }

    /// The columns that are measured, without those that are with them.
    #[must_use]
    pub fn own(&self) -> &[usize] {
        match self {
            Self::Column(i) => std::slice::from_ref(i),
            Self::Columns(own, _) => own,
            Self::Nothing | Self::Array(..) => &[],
        }
    }

    /// The columns that are with them.
    #[must_use]
    pub fn with(&self) -> &[usize] {
        match self {
            Self::Columns(_, with) | Self::Array(_, with) => with,
            Self::Nothing | Self::Column(_) => &[],
        }
    }

    /// All columns.
    pub fn columns(&self) -> impl Iterator<Item = usize> {
        self.own().iter().chain(self.with()).copied()
    }

    /// The array.
    #[must_use]
    pub const fn array(&self) -> Option<usize> {
        if let Self::Array(i, _) = self { Some(*i) } else { None }
    }

    /// The two columns, where it is one beside another.
    #[must_use]
    pub fn pair(&self) -> Option<(usize, usize)> {
        match self {
            Self::Columns(own, with) => match (own.as_slice(), with.as_slice()) {
                ([i], [j]) => Some((*i, *j)),
                _ => None,
            },
            _ => None,
        }
    }
}

/// What somebody chose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chosen {
    /// Columns: place and type.
    pub columns: Vec<(usize, ColumnType)>,
    /// Columns that are with them.
    pub with: Vec<usize>,
    /// Arrays: place and number of axes.
    pub arrays: Vec<(usize, usize)>,
    /// Whether they were named one by one: then what does not suit is measured too, so that the reason is told.
    pub named: bool,
}

impl Chosen {
    /// Columns and arrays of a dataset by their places.
    #[must_use]
    pub fn of(dataset: &Dataset, columns: &[usize], arrays: &[usize]) -> Self {
        let ty = |&i: &usize| Some((i, dataset.columns.get(i)?.ty));
        let axes = |&i: &usize| Some((i, dataset.matrices.get(i)?.values.ndim()));
        Self {
            columns: columns.iter().filter_map(ty).collect(),
            arrays: arrays.iter().filter_map(axes).collect(),
            ..Self::default()
        }
    }
}

/// Whether a law is given as probabilities, so that one column is enough.
#[must_use]
pub fn has_law(given: &Map<String, Json>) -> bool {
    given.get("q").is_some_and(|q| !q.is_null() && q.as_str() != Some(""))
}

impl Entry {
    /// What this measure is asked of, where it takes several columns or an array: every pair of the columns once, or both
    /// ways round where that matters; all columns side by side where no array suits; every array that does. Nothing for
    /// a measure of one column.
    #[must_use]
    pub fn asked_together(&self, chosen: &Chosen, given: &Map<String, Json>) -> Vec<Of> {
        let accepts = self.about.accepts;
        let with = || chosen.with.clone();
        let suits = |(i, ty): &(usize, ColumnType)| (chosen.named || accepts.suits(*ty)).then_some(*i);
        let suited: Vec<usize> = chosen.columns.iter().filter_map(suits).collect();
        let axes = |(i, axes): &(usize, usize)| {
            (chosen.named || accepts.suits_array(*axes)).then(|| Of::Array(*i, chosen.with.clone()))
        };
        let arrays = || chosen.arrays.iter().filter_map(axes).collect::<Vec<_>>();
        let together = |own: Vec<usize>| if own.is_empty() { vec![] } else { vec![Of::Columns(own, with())] };
        let apart = |own: Vec<usize>| own.into_iter().filter(|i| !chosen.with.contains(i)).collect::<Vec<_>>();
        match accepts {
            Accepts::Pair | Accepts::SymbolPair if !has_law(given) => {
                if chosen.with.is_empty() {
                    // Of real numbers each distinct value is a symbol, where nothing else could be meant.
                    let all = chosen.columns.iter().filter(|(_, ty)| *ty != ColumnType::Time).map(|(i, _)| *i);
                    let few = accepts == Accepts::SymbolPair && suited.len() < 2;
                    let pairs = self.pairs_among(&if few { all.collect() } else { suited }).into_iter();
                    pairs.map(|(i, j)| Of::Columns(vec![i], vec![j])).collect()
                } else if chosen.named {
                    together(suited)
                } else {
                    apart(suited).into_iter().map(|i| Of::Columns(vec![i], with())).collect()
                }
            }
            Accepts::Table => {
                let found = arrays();
                if found.is_empty() { together(apart(suited)) } else { found }
            }
            Accepts::Points if !chosen.with.is_empty() => together(chosen.columns.iter().map(|(i, _)| *i).collect()),
            Accepts::Points | Accepts::Image | Accepts::Attention => arrays(),
            _ => vec![],
        }
    }

    /// The pairs among columns at these places: each once, or both ways round where that matters.
    fn pairs_among(&self, places: &[usize]) -> Vec<(usize, usize)> {
        let rest = |at: usize| places.get(at + 1..).unwrap_or_default();
        let each = places.iter().enumerate().flat_map(|(at, &i)| rest(at).iter().map(move |&j| (i, j)));
        each.flat_map(|(i, j)| std::iter::once((i, j)).chain(self.directed.then_some((j, i)))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::find;

    fn chosen(types: &[ColumnType], axes: &[usize]) -> Chosen {
        Chosen {
            columns: types.iter().copied().enumerate().collect(),
            arrays: axes.iter().copied().enumerate().collect(),
            ..Chosen::default()
        }
    }

    fn asked(id: &str, chosen: &Chosen) -> Vec<Of> {
        find(id).unwrap().asked_together(chosen, &Map::new())
    }

    fn pairs(list: &[(usize, usize)]) -> Vec<Of> {
        list.iter().map(|(i, j)| Of::Columns(vec![*i], vec![*j])).collect()
    }

    #[test]
    fn pairs_are_taken_once_and_both_ways_round_where_that_matters() {
        use ColumnType::{Integer, Real, Symbols, Time};
        let all = chosen(&[Time, Real, Real, Integer, Symbols], &[]);
        assert_eq!(asked("mi.ksg1", &all), pairs(&[(1, 2), (1, 3), (2, 3)]));
        assert_eq!(asked("te.ksg", &all), pairs(&[(1, 2), (2, 1), (1, 3), (3, 1), (2, 3), (3, 2)]));
        assert_eq!(asked("nmi", &all), pairs(&[(3, 4)]));
        assert_eq!(asked("mi.ksg1", &chosen(&[Real, Symbols], &[])), []);
        // One column of labels among numbers has nobody to be compared with but them.
        assert_eq!(asked("nmi", &chosen(&[Time, Real, Symbols], &[])), pairs(&[(1, 2)]));
        // Named, what cannot be measured says why.
        let named = Chosen { named: true, ..chosen(&[Real, Symbols], &[]) };
        assert_eq!(asked("mi.ksg1", &named), pairs(&[(0, 1)]));
    }

    #[test]
    fn what_is_with_columns_is_their_second_group() {
        use ColumnType::{Real, Symbols};
        let with = Chosen { with: vec![2], ..chosen(&[Real, Real, Real], &[]) };
        assert_eq!(asked("mi.ksg1", &with), pairs(&[(0, 2), (1, 2)]));
        let named = Chosen { named: true, columns: vec![(0, Real), (1, Real)], ..with.clone() };
        assert_eq!(asked("mi.ksg1", &named), [Of::Columns(vec![0, 1], vec![2])]);
        assert_eq!(asked("diff.kl", &named), [Of::Columns(vec![0, 1], vec![2])]);
        let labels = Chosen { with: vec![2], ..chosen(&[Real, Real, Symbols], &[]) };
        assert_eq!(asked("dsmi", &labels), [Of::Columns(vec![0, 1], vec![2])]);
    }

    #[test]
    fn tables_are_arrays_or_the_columns_side_by_side() {
        use ColumnType::Real;
        assert_eq!(asked("matrix.entropy", &chosen(&[Real, Real], &[])), [Of::Columns(vec![0, 1], vec![])]);
        let arrays = chosen(&[Real, Real], &[2, 3]);
        assert_eq!(asked("matrix.entropy", &arrays), [Of::Array(0, vec![])]);
        assert_eq!(asked("attention.entropy", &arrays), [Of::Array(0, vec![]), Of::Array(1, vec![])]);
        assert_eq!(asked("perm", &arrays), []);
    }

    #[test]
    fn a_law_makes_one_column_enough() {
        let law = Map::from_iter([("q".to_owned(), Json::from("0.5,0.5"))]);
        let both = chosen(&[ColumnType::Symbols, ColumnType::Symbols], &[]);
        assert_eq!(find("kl.plugin").unwrap().asked_together(&both, &law), []);
        assert_eq!(asked("kl.plugin", &both), pairs(&[(0, 1), (1, 0)]));
    }
}
