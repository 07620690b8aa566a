//! Byte-pair encoding: learning the merges.
//!
//! Sennrich, Haddow, Birch, "Neural machine translation of rare words with subword units", ACL 2016. The text is a linked
//! list; an index knows where every pair may stand and how often it does, so a merge costs what it changes and training is
//! near-linear in the text, not a scan for each merge.

use std::{cmp::Reverse, collections::BinaryHeap};

use super::{Merge, Merges, TokenError, check, hash::Map, id, singles};

/// A pair that stands only once is not worth a token.
const LEAST: u64 = 2;
/// No neighbour.
const NONE: u32 = u32::MAX;

/// What was learned: the words, single symbols first, and the merges that make them.
#[derive(Clone, Debug, PartialEq)]
pub struct Learned {
    /// What each token stands for.
    pub words: Vec<Vec<u8>>,
    /// The merges, in order.
    pub merges: Merges,
}

/// Learns until there are `size` tokens or no pair stands twice. Where `boundary` is given, a piece of text begins at each
/// of that symbol, and no token reaches over its beginning (a space: words with the space before them).
///
/// Pairs are counted at all adjacent positions, overlapping ones too, and replaced from left to right without overlap;
/// among the most frequent the pair with the smallest first, then second id is taken. A word that two merges make is one
/// token.
///
/// # Errors
/// [`TokenError`]: a symbol outside the alphabet, a text that is too long.
pub fn train(text: &[u8], alphabet: usize, size: usize, boundary: Option<u8>) -> Result<Learned, TokenError> {
    check(text, alphabet)?;
    let mut words = singles(alphabet);
    let mut known: Map<Vec<u8>, u32> = (0..).zip(&words).map(|(i, w)| (w.clone(), i)).collect();
    let mut index = Index::new(text, alphabet, boundary);
    let mut merges = Vec::new();
    while words.len() < size {
        let Some((pair, count)) = index.most_frequent() else { break };
        let word = [&words[pair.0 as usize][..], &words[pair.1 as usize]].concat();
        let new = *known.entry(word.clone()).or_insert_with(|| {
            words.push(word);
            id(words.len() - 1)
        });
        merges.push(Merge { pair, token: new, count });
        index.merge(pair, new);
    }
    Ok(Learned { words, merges: Merges::new(merges, boundary) })
}

type Pair = (u32, u32);

fn key((a, b): Pair) -> u64 {
    (u64::from(a) << 32) | u64::from(b)
}

#[derive(Debug, Default)]
struct Place {
    count: u64,
    /// Where it may stand: some have changed since.
    positions: Vec<u32>,
}

/// The text as a linked list of tokens, and where the pairs are.
struct Index {
    ids: Vec<u32>,
    next: Vec<u32>,
    before: Vec<u32>,
    /// How often the piece of each position stands in the text; nothing where all stand once.
    weights: Vec<u32>,
    pairs: Map<u64, Place>,
    /// (count, pair) at some earlier time; counts only fall while a pair waits here, but for those that `touched` adds.
    queue: BinaryHeap<(u64, Reverse<Pair>)>,
    touched: Vec<Pair>,
}

impl Index {
    fn new(text: &[u8], alphabet: usize, boundary: Option<u8>) -> Self {
        let (ids, ends, weights) = pieces(text, boundary);
        let n = ids.len();
        let (mut next, mut before) = (Vec::with_capacity(n), Vec::with_capacity(n));
        for i in 0..n {
            next.push(if ends[i] { NONE } else { id(i + 1) });
            before.push(if i == 0 || ends[i - 1] { NONE } else { id(i - 1) });
        }
        // Single symbols have few pairs: counted in a table first, so that each list is made at its size.
        let mut counts = vec![(0_u64, 0_usize); alphabet * alphabet];
        let weight = |i: usize| u64::from(weights.get(i).copied().unwrap_or(1));
        for i in (0..n).filter(|i| !ends[*i]) {
            let cell = &mut counts[ids[i] as usize * alphabet + ids[i + 1] as usize];
            cell.0 += weight(i);
            cell.1 += 1;
        }
        let mut pairs = Map::default();
        for (i, (count, positions)) in counts.iter().enumerate().filter(|(_, (_, n))| *n > 0) {
            let place = Place { count: *count, positions: Vec::with_capacity(*positions) };
            pairs.insert(key((id(i / alphabet), id(i % alphabet))), place);
        }
        let mut lists: Vec<Vec<u32>> = counts.iter().map(|(_, n)| Vec::with_capacity(*n)).collect();
        for i in (0..n).filter(|i| !ends[*i]) {
            lists[ids[i] as usize * alphabet + ids[i + 1] as usize].push(id(i));
        }
        let mut queue = BinaryHeap::new();
        for (i, list) in lists.into_iter().enumerate().filter(|(_, list)| !list.is_empty()) {
            let pair = (id(i / alphabet), id(i % alphabet));
            if let Some(place) = pairs.get_mut(&key(pair)) {
                place.positions = list;
                queue.push((place.count, Reverse(pair)));
            }
        }
        Self { ids, next, before, weights, pairs, queue, touched: Vec::new() }
    }

    fn most_frequent(&mut self) -> Option<(Pair, u64)> {
        while let Some((count, Reverse(pair))) = self.queue.pop() {
            let now = self.pairs.get(&key(pair)).map_or(0, |p| p.count);
            if now == count {
                return (count >= LEAST).then_some((pair, count));
            }
            // It has become rarer since it was queued; a pair that became more frequent was queued again.
            if now >= LEAST && now < count {
                self.queue.push((now, Reverse(pair)));
            }
        }
        None
    }

    fn count(&mut self, pair: Pair, weight: u64, position: Option<u32>) {
        let place = self.pairs.entry(key(pair)).or_default();
        if let Some(position) = position {
            place.count += weight;
            // A pair's places come in order, but for a token that is made a second time.
            if place.positions.is_empty() || self.touched.last() != Some(&pair) {
                self.touched.push(pair);
            }
            place.positions.push(position);
        } else {
            place.count = place.count.saturating_sub(weight);
        }
    }

    fn merge(&mut self, pair: Pair, new: u32) {
        let (a, b) = pair;
        let mut positions = self.pairs.remove(&key(pair)).map(|p| p.positions).unwrap_or_default();
        if !positions.is_sorted() {
            positions.sort_unstable();
        }
        for left in positions {
            let i = left as usize;
            // The place may have been merged into something else.
            let right = self.next[i];
            if self.ids[i] != a || right == NONE || self.ids[right as usize] != b {
                continue;
            }
            let weight = u64::from(self.weights.get(i).copied().unwrap_or(1));
            let (before, after) = (self.before[i], self.next[right as usize]);
            self.ids[i] = new;
            self.ids[right as usize] = NONE;
            self.next[i] = after;
            if before != NONE {
                let other = self.ids[before as usize];
                self.lose((other, a), pair, weight);
                self.count((other, new), weight, Some(before));
            }
            if after != NONE {
                self.before[after as usize] = left;
                let other = self.ids[after as usize];
                self.lose((b, other), pair, weight);
                self.count((new, other), weight, Some(left));
            }
        }
        // All of its places are merged: only overlaps, which never are places of their own, have counted it again.
        self.pairs.remove(&key(pair));
        for pair in std::mem::take(&mut self.touched) {
            let count = self.pairs.get(&key(pair)).map_or(0, |p| p.count);
            if count >= LEAST {
                self.queue.push((count, Reverse(pair)));
            }
        }
    }

    fn lose(&mut self, pair: Pair, merged: Pair, weight: u64) {
        if pair != merged {
            self.count(pair, weight, None);
        }
    }
}

/// The pieces of a text, each different one once: ids, whether a piece ends there, and how often its piece stands in the
/// text.
fn pieces(text: &[u8], boundary: Option<u8>) -> (Vec<u32>, Vec<bool>, Vec<u32>) {
    let Some(boundary) = boundary else {
        let mut ends = vec![false; text.len()];
        if let Some(last) = ends.last_mut() {
            *last = true;
        }
        return (text.iter().map(|x| u32::from(*x)).collect(), ends, Vec::new());
    };
    let mut order: Vec<(&[u8], u32)> = Vec::new();
    let mut known: std::collections::HashMap<&[u8], usize> = std::collections::HashMap::new();
    for piece in cut(text, boundary) {
        let place = *known.entry(piece).or_insert_with(|| {
            order.push((piece, 0));
            order.len() - 1
        });
        order[place].1 += 1;
    }
    let total = order.iter().map(|(piece, _)| piece.len()).sum();
    let (mut ids, mut ends, mut weights) =
        (Vec::with_capacity(total), Vec::with_capacity(total), Vec::with_capacity(total));
    for (piece, count) in order {
        ids.extend(piece.iter().map(|x| u32::from(*x)));
        ends.extend((1..=piece.len()).map(|i| i == piece.len()));
        weights.extend(std::iter::repeat_n(count, piece.len()));
    }
    (ids, ends, weights)
}

/// The pieces of `text`, of which each but perhaps the first begins with `boundary`.
pub(super) fn cut(text: &[u8], boundary: u8) -> impl Iterator<Item = &[u8]> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (_, tail) = rest.split_first()?;
        let length = 1 + tail.iter().position(|x| *x == boundary).unwrap_or(tail.len());
        let (piece, after) = rest.split_at(length);
        rest = after;
        Some(piece)
    })
}

/// The variant of the theory (Rajaraman et al. 2024, algorithm 1): the text is cut into as many chunks as merges are
/// asked for; each is encoded with the merges so far and gives at most one, its most frequent pair, if that stands twice.
///
/// # Errors
/// As [`train`].
pub fn sequential(text: &[u8], alphabet: usize, size: usize) -> Result<Learned, TokenError> {
    check(text, alphabet)?;
    let mut words = singles(alphabet);
    let mut merges: Vec<Merge> = Vec::new();
    let wanted = size.saturating_sub(alphabet);
    for chunk in text.chunks(text.len().div_ceil(wanted.max(1)).max(1)).take(wanted) {
        let tokens = Merges::new(merges.clone(), None).encode(chunk);
        let mut counts: Map<u64, u64> = Map::default();
        for pair in tokens.windows(2) {
            *counts.entry(key((pair[0], pair[1]))).or_default() += 1;
        }
        let most = counts.iter().map(|(key, count)| (*count, Reverse(*key))).max();
        let Some((count, Reverse(key))) = most.filter(|(count, _)| *count >= LEAST) else { continue };
        let pair = (id(usize::try_from(key >> 32).unwrap_or(0)), id(usize::try_from(key & 0xffff_ffff).unwrap_or(0)));
        let word = [&words[pair.0 as usize][..], &words[pair.1 as usize]].concat();
        let token = words.iter().position(|w| *w == word).map_or_else(|| id(words.len()), id);
        if token as usize == words.len() {
            words.push(word);
        }
        merges.push(Merge { pair, token, count });
    }
    Ok(Learned { words, merges: Merges::new(merges, None) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{sim::markov::Switching, token::Encoder, token::Kind, token::Tokenizer};

    /// The definition: count all pairs, take the most frequent, replace, again.
    fn plainly(text: &[u8], alphabet: usize, size: usize) -> (Vec<Vec<u8>>, Vec<Merge>, Vec<u32>) {
        let mut ids: Vec<u32> = text.iter().map(|x| u32::from(*x)).collect();
        let mut words = singles(alphabet);
        let mut merges = Vec::new();
        while words.len() < size {
            let mut counts = std::collections::BTreeMap::new();
            for pair in ids.windows(2) {
                *counts.entry((pair[0], pair[1])).or_insert(0_u64) += 1;
            }
            let most = counts.iter().map(|(pair, count)| (*count, Reverse(*pair))).max();
            let Some((count, Reverse(pair))) = most.filter(|(count, _)| *count >= 2) else { break };
            let word = [&words[pair.0 as usize][..], &words[pair.1 as usize]].concat();
            let token = words.iter().position(|w| *w == word).map_or_else(|| id(words.len()), id);
            if token as usize == words.len() {
                words.push(word);
            }
            merges.push(Merge { pair, token, count });
            let mut merged = Vec::new();
            let mut i = 0;
            while i < ids.len() {
                if i + 1 < ids.len() && (ids[i], ids[i + 1]) == pair {
                    merged.push(token);
                    i += 2;
                } else {
                    merged.push(ids[i]);
                    i += 1;
                }
            }
            ids = merged;
        }
        (words, merges, ids)
    }

    #[test]
    fn the_index_learns_what_the_definition_learns() {
        let mut texts: Vec<(Vec<u8>, usize)> = vec![
            (vec![0; 100], 1),
            ([0, 1].repeat(50), 2),
            ([vec![0; 7], vec![1; 5]].concat().repeat(9), 2),
            (Vec::new(), 2),
            (vec![1], 2),
        ];
        for (order, p) in [(1, 0.8), (2, 0.8), (3, 0.2), (2, 0.97)] {
            texts.push((Switching { order, p, q: 0.8 }.chain().unwrap().text(3000, 1, 0), 2));
        }
        let chain = crate::sim::markov::Chain::random(7, 1, 0.3, 2).unwrap();
        texts.push((chain.text(4000, 3, 0), 7));
        for (text, alphabet) in texts {
            for size in [alphabet + 1, 10, 60] {
                let (words, merges, ids) = plainly(&text, alphabet, size);
                let learned = train(&text, alphabet, size, None).unwrap();
                assert_eq!(learned.words, words);
                assert_eq!(learned.merges.list(), merges);
                // Replayed, they give the text as training left it, unless a word was made twice.
                if words.len() == alphabet + merges.len() {
                    assert_eq!(learned.merges.encode(&text), ids);
                }
            }
        }
    }

    #[test]
    fn pieces_are_counted_once_and_never_merged_over() {
        let text: Vec<u8> = [0, 1, 2, 1, 2, 0, 1, 2, 0, 0, 1, 2].to_vec();
        assert_eq!(cut(&text, 0).collect::<Vec<_>>(), [&[0, 1, 2, 1, 2][..], &[0, 1, 2], &[0], &[0, 1, 2]]);
        let learned = train(&text, 3, 5, Some(0)).unwrap();
        assert_eq!(learned.merges.list()[0], Merge { pair: (1, 2), token: 3, count: 4 });
        assert_eq!(learned.merges.list()[1], Merge { pair: (0, 3), token: 4, count: 3 });
        assert_eq!(learned.merges.encode(&text), [4, 3, 4, 0, 4]);
    }

    #[test]
    fn the_sheets_vector_comes_out() {
        let text: Vec<u8> = "001100111001100110001100110011011001".bytes().map(|b| b - b'0').collect();
        let learned = train(&text, 2, 6, None).unwrap();
        let pairs: Vec<_> = learned.merges.list().iter().map(|m| m.pair).collect();
        assert_eq!(pairs, [(0, 0), (1, 1), (2, 3), (4, 4)]);
        let tokens = [5, 1, 5, 2, 0, 3, 5, 0, 3, 2, 1];
        assert_eq!(learned.merges.encode(&text), tokens);
        let greedy = Tokenizer::train(Kind::Bpe, &text, 2, 6, Encoder::Greedy).unwrap();
        assert_eq!(greedy.encode(&text).unwrap(), tokens);
    }

    #[test]
    fn the_sequential_variant_sees_each_chunk_once() {
        let text = Switching { order: 2, p: 0.8, q: 0.8 }.chain().unwrap().text(40_000, 1, 0);
        let learned = sequential(&text, 2, 10).unwrap();
        assert_eq!((learned.words.len(), learned.merges.list().len()), (10, 8));
        let chunk = &text[..5000];
        let first = train(chunk, 2, 3, None).unwrap();
        assert_eq!(learned.merges.list()[0], first.merges.list()[0]);
    }
}
