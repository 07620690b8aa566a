//! The longest word that begins a text.

use super::{hash::Map, id};

/// Words by their symbols.
#[derive(Clone, Debug, PartialEq)]
pub struct Trie {
    /// From (node, symbol) to node; the root is 0.
    edges: Map<u64, u32>,
    /// The token that ends at each node; [`NONE`] for none.
    tokens: Vec<u32>,
}

const NONE: u32 = u32::MAX;

impl Trie {
    /// The trie of `words`, numbered in their order. They hold every single symbol of the texts to come.
    #[must_use]
    pub fn new(words: &[Vec<u8>]) -> Self {
        let mut trie = Self { edges: Map::default(), tokens: vec![NONE] };
        for (token, word) in (0..).zip(words) {
            trie.insert(word, token);
        }
        trie
    }

    pub(super) fn insert(&mut self, word: &[u8], token: u32) {
        let mut node = 0;
        for &x in word {
            let fresh = id(self.tokens.len());
            node = *self.edges.entry(edge(node, x)).or_insert(fresh);
            if node == fresh {
                self.tokens.push(NONE);
            }
        }
        let place = &mut self.tokens[node as usize];
        // Of equal words the first counts.
        if *place == NONE {
            *place = token;
        }
    }

    /// All words that begin `text`, from the shortest: token and length.
    pub(super) fn prefixes<'a>(&'a self, text: &'a [u8]) -> impl Iterator<Item = (u32, usize)> + 'a {
        let mut node = 0;
        let along = text.iter().enumerate().map_while(move |(i, &x)| {
            node = *self.edges.get(&edge(node, x))?;
            Some((self.tokens[node as usize], i + 1))
        });
        along.filter(|(token, _)| *token != NONE)
    }

    /// The longest word that begins `text`.
    pub(super) fn longest(&self, text: &[u8]) -> Option<(u32, usize)> {
        self.prefixes(text).last()
    }

    /// Cuts a text into the longest words, from left to right.
    #[must_use]
    pub fn encode(&self, text: &[u8]) -> Vec<u32> {
        let mut tokens = Vec::new();
        let mut rest = text;
        while let Some((token, length)) = self.longest(rest) {
            tokens.push(token);
            rest = &rest[length..];
        }
        tokens
    }
}

fn edge(node: u32, x: u8) -> u64 {
    (u64::from(node) << 8) | u64::from(x)
}
