//! Characters as symbols.

use super::TokenError;

/// The characters that symbols stand for, in ascending order of their code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alphabet {
    characters: Vec<char>,
}

impl Alphabet {
    /// The different characters of `text`.
    ///
    /// # Errors
    /// [`TokenError::Alphabet`] for none, or more than 256.
    pub fn of_text(text: &str) -> Result<Self, TokenError> {
        let set: std::collections::BTreeSet<char> = text.chars().collect();
        Self::new(set.into_iter().collect())
    }

    /// Symbols 0 to `size` − 1 as digits, letters, and characters behind them.
    ///
    /// # Errors
    /// [`TokenError::Alphabet`] where there are not 1 to 256.
    pub fn of_numbers(size: usize) -> Result<Self, TokenError> {
        let plain = ('0'..='9').chain('a'..='z').chain('A'..='Z');
        Self::new(plain.chain('\u{100}'..).take(size.min(1000)).collect())
    }

    /// These characters, in this order.
    ///
    /// # Errors
    /// [`TokenError::Alphabet`] for none, or more than 256.
    pub fn new(characters: Vec<char>) -> Result<Self, TokenError> {
        let found = characters.len();
        if (1..=256).contains(&found) { Ok(Self { characters }) } else { Err(TokenError::Alphabet { found }) }
    }

    /// The characters.
    #[must_use]
    pub fn characters(&self) -> &[char] {
        &self.characters
    }

    /// How many there are.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.characters.len()
    }

    /// The symbol of a character.
    #[must_use]
    pub fn symbol(&self, character: char) -> Option<u8> {
        let place = self.characters.iter().position(|c| *c == character)?;
        u8::try_from(place).ok()
    }

    /// A text as symbols.
    ///
    /// # Errors
    /// [`TokenError::Character`].
    pub fn symbols(&self, text: &str) -> Result<Vec<u8>, TokenError> {
        let known: super::hash::Map<u32, u8> =
            (0..=u8::MAX).zip(&self.characters).map(|(x, c)| (u32::from(*c), x)).collect();
        let symbol = |(position, character)| {
            let error = TokenError::Character { character, position };
            known.get(&u32::from(character)).copied().ok_or(error)
        };
        text.chars().enumerate().map(symbol).collect()
    }

    /// Symbols as text; what is not in the alphabet is U+FFFD.
    #[must_use]
    pub fn text(&self, symbols: &[u8]) -> String {
        symbols.iter().map(|x| self.characters.get(usize::from(*x)).copied().unwrap_or('\u{fffd}')).collect()
    }
}
