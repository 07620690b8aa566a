//! Tokenizers: dictionaries of words over a small alphabet, learned from a text, and the encodings that use them.
//!
//! Symbols are bytes 0 to A − 1 ([`Alphabet`] maps them to characters); tokens are `u32` ids. Every dictionary holds the
//! single symbols, so every text can be encoded, and decoding gives it back. What is learned depends on the text alone:
//! ties are broken by the smallest ids, as in Hugging Face's `tokenizers`, with whose BPE merges and encodings agree.
//!
//! ```
//! use surprisal_core::token::{Encoder, Kind, Tokenizer};
//!
//! let text: Vec<u8> = "001100111001100110001100110011011001".bytes().map(|b| b - b'0').collect();
//! let bpe = Tokenizer::train(Kind::Bpe, &text, 2, 6, Encoder::Own).unwrap();
//! assert_eq!(bpe.encode(&text).unwrap(), [5, 1, 5, 2, 0, 3, 5, 0, 3, 2, 1]);
//! assert_eq!(bpe.decode(&[5, 1]).unwrap(), [0, 0, 1, 1, 0, 0, 1, 1, 1]);
//! ```

mod alphabet;
mod bpe;
pub(crate) mod hash;
mod json;
mod lzw;
mod merges;
mod ngram;
mod trie;
mod unigram;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use alphabet::Alphabet;
pub use bpe::{Learned, sequential, train as train_bpe};
pub use json::{Described, from_json, to_json};
pub use lzw::train as train_lzw;
pub use merges::{Merge, Merges};
pub use ngram::{Ngram, spans};
pub use trie::Trie;
pub use unigram::{Unigram, train as train_unigram};

/// The most tokens of a dictionary.
pub const MOST_TOKENS: usize = 65_536;

/// How a dictionary is learned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The single symbols.
    Characters,
    /// All words of one length, as many as fit; encoding cuts the text into blocks.
    Words,
    /// Byte-pair encoding: the most frequent pair of tokens becomes a token, again and again.
    #[default]
    Bpe,
    /// Byte-pair encoding of the theory: one merge for each chunk of the text, so that every merge sees fresh data.
    SequentialBpe,
    /// Lempel, Ziv & Welch: the longest known word and its next symbol become a word; the dictionary is frozen when full.
    Lzw,
    /// Unigram language model: the likeliest dictionary by expectation-maximisation, pruned.
    Unigram,
}

/// How a text is cut into tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Encoder {
    /// The dictionary's own: merges replayed, the likeliest path, blocks; greedy where there is no other.
    #[default]
    Own,
    /// The longest word that begins the rest of the text, again and again.
    Greedy,
}

/// What is wrong with a text, a dictionary or a file.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// Too many symbols, or none.
    #[error("an alphabet of {found} symbols; expected 1 to 256")]
    Alphabet {
        /// How many.
        found: usize,
    },
    /// A symbol that is not in the alphabet.
    #[error("symbol {symbol} at position {position}; the alphabet has {alphabet} symbols, 0 to {}", alphabet.saturating_sub(1))]
    Symbol {
        /// The symbol.
        symbol: u8,
        /// Where.
        position: usize,
        /// The size of the alphabet.
        alphabet: usize,
    },
    /// A character that the alphabet lacks.
    #[error("the character {character:?} at position {position} is not in the alphabet")]
    Character {
        /// The character.
        character: char,
        /// Where, in characters.
        position: usize,
    },
    /// A size that makes no sense.
    #[error("a dictionary of {asked} tokens; expected {low} (the alphabet) to {high}")]
    Size {
        /// What was asked for.
        asked: usize,
        /// The size of the alphabet.
        low: usize,
        /// The largest size.
        high: usize,
    },
    /// The text is too short or too regular for so many tokens.
    #[error(
        "a dictionary of {asked} tokens is larger than this text of {symbols} symbols supports: {found} can be learned"
    )]
    Unsupported {
        /// What was asked for.
        asked: usize,
        /// What can be learned.
        found: usize,
        /// The length of the text.
        symbols: usize,
    },
    /// A token that the dictionary lacks.
    #[error("token {token}; the dictionary has {size}, from 0")]
    Token {
        /// The token.
        token: u32,
        /// The size of the dictionary.
        size: usize,
    },
    /// A text that is too long for 32-bit positions.
    #[error("a text of {symbols} symbols; at most {limit} can be used")]
    TooLong {
        /// The length of the text.
        symbols: usize,
        /// The limit.
        limit: usize,
    },
    /// A `tokenizer.json` that cannot be used.
    #[error("this tokenizer.json cannot be used: {0}")]
    Json(String),
}

/// How a tokenizer cuts.
#[derive(Clone, Debug, PartialEq)]
enum Cut {
    /// Symbol by symbol, or in blocks of words that are numbered in order behind the single symbols.
    Blocks(usize),
    Merges(Merges),
    Greedy(Trie),
    Likeliest(Unigram),
}

/// A dictionary with its encoding.
#[derive(Clone, Debug, PartialEq)]
pub struct Tokenizer {
    alphabet: usize,
    words: Vec<Vec<u8>>,
    cut: Cut,
}

impl Tokenizer {
    /// Learns a dictionary of `size` tokens, the `alphabet` counted, from `text`. For [`Kind::Words`] the length of the
    /// words is the largest whose A^m words fit into `size`; there and for [`Kind::Characters`] the dictionary may be
    /// smaller than asked.
    ///
    /// # Errors
    /// [`TokenError`]: a symbol outside the alphabet, a size below it, or more tokens than the text supports.
    pub fn train(kind: Kind, text: &[u8], alphabet: usize, size: usize, encoder: Encoder) -> Result<Self, TokenError> {
        check(text, alphabet)?;
        if !(alphabet..=MOST_TOKENS).contains(&size) {
            return Err(TokenError::Size { asked: size, low: alphabet, high: MOST_TOKENS });
        }
        let (words, cut) = match kind {
            Kind::Characters => (singles(alphabet), Cut::Blocks(1)),
            Kind::Words => {
                let length = (1..).take_while(|m| alphabet.pow(*m) <= size && (alphabet > 1 || *m < 2)).last();
                let length = length.unwrap_or(1) as usize;
                (all_words(alphabet, length), Cut::Blocks(length))
            }
            Kind::Bpe => learned(bpe::train(text, alphabet, size, None)?),
            Kind::SequentialBpe => learned(bpe::sequential(text, alphabet, size)?),
            Kind::Lzw => {
                let words = lzw::train(text, alphabet, size)?;
                let trie = Trie::new(&words);
                (words, Cut::Greedy(trie))
            }
            Kind::Unigram => {
                let model = unigram::train(text, alphabet, size, 16)?;
                (model.words().to_vec(), Cut::Likeliest(model))
            }
        };
        if words.len() < size && !matches!(kind, Kind::Characters | Kind::Words) {
            return Err(TokenError::Unsupported { asked: size, found: words.len(), symbols: text.len() });
        }
        let cut = match (encoder, cut) {
            // All words have one length, or are of two: blocks already are the longest words.
            (Encoder::Own, cut) | (_, cut @ Cut::Blocks(_)) => cut,
            (Encoder::Greedy, _) => Cut::Greedy(Trie::new(&words)),
        };
        Ok(Self { alphabet, words, cut })
    }

    /// Tokens by merges, which are replayed.
    #[must_use]
    pub fn from_merges(alphabet: usize, learned: Learned) -> Self {
        let (words, cut) = self::learned(learned);
        Self { alphabet, words, cut }
    }

    /// Any words, encoded greedily; they must hold the single symbols.
    ///
    /// # Errors
    /// [`TokenError::Alphabet`] where a single symbol is missing.
    pub fn greedy(alphabet: usize, words: Vec<Vec<u8>>) -> Result<Self, TokenError> {
        if (0..alphabet).any(|x| !words.iter().any(|w| w.len() == 1 && usize::from(w[0]) == x)) {
            return Err(TokenError::Alphabet { found: words.iter().filter(|w| w.len() == 1).count() });
        }
        Ok(Self { alphabet, cut: Cut::Greedy(Trie::new(&words)), words })
    }

    /// The dictionary of a unigram language model.
    #[must_use]
    pub fn from_unigram(alphabet: usize, model: Unigram) -> Self {
        Self { alphabet, words: model.words().to_vec(), cut: Cut::Likeliest(model) }
    }

    /// The same dictionary, cut in another way. Blocks already are the longest words, and what a greedy dictionary was learned
    /// by is not known any more, so that its own way is the greedy one.
    #[must_use]
    pub fn with_encoder(self, encoder: Encoder) -> Self {
        let cut = match (encoder, self.cut) {
            (Encoder::Own, cut) | (_, cut @ Cut::Blocks(_)) => cut,
            (Encoder::Greedy, _) => Cut::Greedy(Trie::new(&self.words)),
        };
        Self { cut, ..self }
    }

    /// The size of the alphabet.
    #[must_use]
    pub const fn alphabet(&self) -> usize {
        self.alphabet
    }

    /// Tokens there are.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.words.len()
    }

    /// What each token stands for.
    #[must_use]
    pub fn words(&self) -> &[Vec<u8>] {
        &self.words
    }

    /// The merges in the order in which they were learned, where it has any.
    #[must_use]
    pub fn merges(&self) -> &[Merge] {
        match &self.cut {
            Cut::Merges(merges) => merges.list(),
            _ => &[],
        }
    }

    /// How many symbols each token stands for.
    #[must_use]
    pub fn lengths(&self) -> Vec<u32> {
        self.words.iter().map(|w| u32::try_from(w.len()).unwrap_or(u32::MAX)).collect()
    }

    /// Cuts `text` into tokens.
    ///
    /// # Errors
    /// [`TokenError::Symbol`], [`TokenError::TooLong`].
    pub fn encode(&self, text: &[u8]) -> Result<Vec<u32>, TokenError> {
        check(text, self.alphabet)?;
        Ok(match &self.cut {
            Cut::Blocks(1) => text.iter().map(|x| u32::from(*x)).collect(),
            Cut::Blocks(length) => {
                let (blocks, rest) = text.split_at(text.len() / length * length);
                // Words lie behind the single symbols in the order of their digits.
                let digits = |block: &[u8]| block.iter().fold(0, |n, x| n * self.alphabet + usize::from(*x));
                let blocks = blocks.chunks_exact(*length).map(|block| id(self.alphabet + digits(block)));
                blocks.chain(rest.iter().map(|x| u32::from(*x))).collect()
            }
            Cut::Merges(merges) => merges.encode(text),
            Cut::Greedy(trie) => trie.encode(text),
            Cut::Likeliest(model) => model.encode(text),
        })
    }

    /// The text of `tokens`.
    ///
    /// # Errors
    /// [`TokenError::Token`].
    pub fn decode(&self, tokens: &[u32]) -> Result<Vec<u8>, TokenError> {
        let mut text = Vec::new();
        for &token in tokens {
            let size = self.words.len();
            text.extend(self.words.get(token as usize).ok_or(TokenError::Token { token, size })?);
        }
        Ok(text)
    }
}

fn learned(learned: Learned) -> (Vec<Vec<u8>>, Cut) {
    (learned.words, Cut::Merges(learned.merges))
}

/// The single symbols.
fn singles(alphabet: usize) -> Vec<Vec<u8>> {
    (0..=u8::MAX).take(alphabet).map(|x| vec![x]).collect()
}

/// The single symbols, then all words of `length` > 1 in order.
fn all_words(alphabet: usize, length: usize) -> Vec<Vec<u8>> {
    let mut words = singles(alphabet);
    if length > 1 {
        let mut long = vec![Vec::new()];
        for _ in 0..length {
            long = long
                .into_iter()
                .flat_map(|word: Vec<u8>| singles(alphabet).into_iter().map(move |x| [&word[..], &x].concat()))
                .collect();
        }
        words.extend(long);
    }
    words
}

fn check(text: &[u8], alphabet: usize) -> Result<(), TokenError> {
    if !(1..=256).contains(&alphabet) {
        return Err(TokenError::Alphabet { found: alphabet });
    }
    let limit = u32::MAX as usize - 1;
    if text.len() > limit {
        return Err(TokenError::TooLong { symbols: text.len(), limit });
    }
    match text.iter().position(|x| usize::from(*x) >= alphabet) {
        Some(position) => Err(TokenError::Symbol { symbol: text[position], position, alphabet }),
        None => Ok(()),
    }
}

/// A token's number; dictionaries and texts are below 2^32.
fn id(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
const fn as_f64(n: u64) -> f64 {
    n as f64
}
