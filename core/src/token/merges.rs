//! Merges, replayed on new text.

use std::{cmp::Reverse, collections::BinaryHeap};

use super::{bpe, hash::Map, id};

/// One merge: the pair, the token that it becomes, and how often it stood in the text that it was learned from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Merge {
    /// The two tokens.
    pub pair: (u32, u32),
    /// What they become.
    pub token: u32,
    /// How often the pair stood there.
    pub count: u64,
}

/// Merges in the order in which they were learned. Encoding applies the earliest merge that a text allows, at its leftmost
/// place, again and again.
#[derive(Clone, Debug, PartialEq)]
pub struct Merges {
    list: Vec<Merge>,
    /// The rank and the token of each pair.
    ranks: Map<u64, (u32, u32)>,
    boundary: Option<u8>,
    /// Whether each merge makes a token of its own: then one pass a merge does the same.
    plain: bool,
}

/// Up to this many merges a pass for each is faster than a queue.
const FEW: usize = 64;
const GONE: u32 = u32::MAX;

impl Merges {
    /// These merges; pieces begin at each `boundary`, if there is one.
    #[must_use]
    pub fn new(list: Vec<Merge>, boundary: Option<u8>) -> Self {
        let ranks = (0..).zip(&list).map(|(rank, m)| (key(m.pair), (rank, m.token))).collect();
        let mut tokens: Vec<u32> = list.iter().map(|m| m.token).collect();
        tokens.sort_unstable();
        let plain = tokens.windows(2).all(|pair| pair[0] != pair[1]);
        Self { list, ranks, boundary, plain }
    }

    /// The merges.
    #[must_use]
    pub fn list(&self) -> &[Merge] {
        &self.list
    }

    /// The symbol at which pieces begin.
    #[must_use]
    pub const fn boundary(&self) -> Option<u8> {
        self.boundary
    }

    /// Cuts a text into tokens.
    #[must_use]
    pub fn encode(&self, text: &[u8]) -> Vec<u32> {
        let Some(boundary) = self.boundary else {
            return if self.plain && self.list.len() <= FEW { self.by_passes(text) } else { self.by_queue(text) };
        };
        let mut tokens = Vec::new();
        let mut known: std::collections::HashMap<&[u8], (usize, usize)> = std::collections::HashMap::new();
        for piece in bpe::cut(text, boundary) {
            if let Some(&(start, end)) = known.get(piece) {
                tokens.extend_from_within(start..end);
            } else {
                let start = tokens.len();
                tokens.extend(self.by_queue(piece));
                known.insert(piece, (start, tokens.len()));
            }
        }
        tokens
    }

    fn by_passes(&self, text: &[u8]) -> Vec<u32> {
        let mut ids: Vec<u32> = text.iter().map(|x| u32::from(*x)).collect();
        for Merge { pair, token, .. } in &self.list {
            let (mut from, mut to) = (0, 0);
            while from < ids.len() {
                let here = ids[from] == pair.0 && ids.get(from + 1) == Some(&pair.1);
                ids[to] = if here { *token } else { ids[from] };
                from += 1 + usize::from(here);
                to += 1;
            }
            ids.truncate(to);
        }
        ids
    }

    fn by_queue(&self, text: &[u8]) -> Vec<u32> {
        let mut ids: Vec<u32> = text.iter().map(|x| u32::from(*x)).collect();
        let n = ids.len();
        let mut next: Vec<u32> = (1..=n).map(|i| if i == n { GONE } else { id(i) }).collect();
        let mut before: Vec<u32> = (0..n).map(|i| if i == 0 { GONE } else { id(i - 1) }).collect();
        let mut queue = BinaryHeap::new();
        let rank = |a: u32, b: u32| self.ranks.get(&key((a, b))).copied();
        for (i, pair) in ids.windows(2).enumerate() {
            if let Some((rank, _)) = rank(pair[0], pair[1]) {
                queue.push(Reverse((rank, id(i))));
            }
        }
        while let Some(Reverse((wanted, left))) = queue.pop() {
            let right = next[left as usize];
            if ids[left as usize] == GONE || right == GONE {
                continue;
            }
            // The pair may have changed since it was queued.
            let Some((found, token)) = rank(ids[left as usize], ids[right as usize]) else { continue };
            if found != wanted {
                continue;
            }
            let after = next[right as usize];
            ids[left as usize] = token;
            ids[right as usize] = GONE;
            next[left as usize] = after;
            if after != GONE {
                before[after as usize] = left;
                if let Some((rank, _)) = rank(token, ids[after as usize]) {
                    queue.push(Reverse((rank, left)));
                }
            }
            let previous = before[left as usize];
            if previous != GONE
                && let Some((rank, _)) = rank(ids[previous as usize], token)
            {
                queue.push(Reverse((rank, previous)));
            }
        }
        ids.retain(|x| *x != GONE);
        ids
    }
}

fn key((a, b): (u32, u32)) -> u64 {
    (u64::from(a) << 32) | u64::from(b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::markov::Chain;

    #[test]
    fn passes_and_queue_agree() {
        let chain = Chain::random(4, 2, 0.4, 5).unwrap();
        let learned = bpe::train(&chain.text(20_000, 1, 0), 4, 60, None).unwrap();
        assert!(learned.merges.plain);
        for stream in 1..5 {
            let text = chain.text(3000, 1, stream);
            assert_eq!(learned.merges.by_passes(&text), learned.merges.by_queue(&text));
        }
    }
}
