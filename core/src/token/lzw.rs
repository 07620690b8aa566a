//! The dictionary of Lempel, Ziv and Welch.

use super::{TokenError, check, id, singles, trie::Trie};

/// Scans `text` once: the longest word w of the dictionary that begins the rest, followed by the next symbol, becomes a
/// word, and the scan goes on behind w. Ends with `size` words or with the text. Welch, IEEE Computer 17(6), 8 (1984).
///
/// # Errors
/// [`TokenError`]: a symbol outside the alphabet, a text that is too long.
pub fn train(text: &[u8], alphabet: usize, size: usize) -> Result<Vec<Vec<u8>>, TokenError> {
    check(text, alphabet)?;
    let mut words = singles(alphabet);
    let mut trie = Trie::new(&words);
    let mut rest = text;
    while words.len() < size {
        let Some((_, length)) = trie.longest(rest) else { break };
        if length == rest.len() {
            break;
        }
        let word = rest[..=length].to_vec();
        trie.insert(&word, id(words.len()));
        words.push(word);
        rest = &rest[length..];
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sheets_vector_comes_out() {
        let text: Vec<u8> = "001100111001100110001100110011011001".bytes().map(|b| b - b'0').collect();
        let words = train(&text, 2, 8).unwrap();
        let shown: Vec<String> = words.iter().map(|w| w.iter().map(u8::to_string).collect()).collect();
        assert_eq!(shown, ["0", "1", "00", "01", "11", "10", "001", "111"]);
        assert_eq!(Trie::new(&words).encode(&text), [6, 5, 3, 4, 6, 5, 3, 5, 6, 5, 3, 5, 3, 5, 4, 6]);
        assert_eq!(train(&[], 2, 9).unwrap().len(), 2);
    }
}
