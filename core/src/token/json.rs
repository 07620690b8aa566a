//! `tokenizer.json`, the format of Hugging Face's `tokenizers`, so that what is learned here serves elsewhere.
//!
//! BPE is their BPE, the unigram model their Unigram, words of one length their `WordLevel` behind a split into blocks, and
//! greedy dictionaries (LZW) their `WordPiece` without a prefix, which takes the longest word too. A boundary symbol is
//! their split that merges with what follows. Read is what could have been written, from any program: no normaliser, no
//! bytes in disguise, no special tokens.

use serde_json::{Map, Value as Json, json};

use super::{Alphabet, Cut, Learned, Merge, Merges, TokenError, Tokenizer, Trie, Unigram, all_words};

/// A tokenizer and the characters of its symbols.
#[derive(Clone, Debug, PartialEq)]
pub struct Described {
    /// The characters.
    pub alphabet: Alphabet,
    /// The tokenizer.
    pub tokenizer: Tokenizer,
}

/// No text is longer, for WordPiece's limit on words.
const ANY_LENGTH: u64 = 1 << 32;

/// The document of `tokenizer`, whose symbols are the characters of `alphabet`.
#[must_use]
pub fn to_json(tokenizer: &Tokenizer, alphabet: &Alphabet) -> String {
    let name = |word: &[u8]| alphabet.text(word);
    let vocabulary = || -> Map<String, Json> {
        tokenizer.words.iter().enumerate().map(|(i, word)| (name(word), Json::from(i))).collect()
    };
    let mut split = Json::Null;
    let model = match &tokenizer.cut {
        Cut::Blocks(length) => {
            // A last block that is too short is symbols, not one word.
            let pattern = if *length > 1 { format!("(?s).{{{length}}}|.") } else { "(?s).".to_owned() };
            split = json!({"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": false});
            json!({"type": "WordLevel", "vocab": vocabulary(), "unk_token": "[UNK]"})
        }
        Cut::Merges(merges) => {
            if let Some(boundary) = merges.boundary() {
                split = json!({"type": "Split", "pattern": {"String": name(&[boundary])},
                               "behavior": "MergedWithNext", "invert": false});
            }
            let word = |token: u32| name(&tokenizer.words[token as usize]);
            let list: Vec<Json> = merges.list().iter().map(|m| json!([word(m.pair.0), word(m.pair.1)])).collect();
            json!({"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
                   "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
                   "vocab": vocabulary(), "merges": list})
        }
        Cut::Greedy(_) => json!({"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "",
                                 "max_input_chars_per_word": ANY_LENGTH, "vocab": vocabulary()}),
        Cut::Likeliest(model) => {
            // A score of a word that nothing uses is -inf, which JSON lacks.
            let pair = |(word, score): (&Vec<u8>, &f64)| json!([name(word), score.max(-1e30)]);
            let list: Vec<Json> = model.words().iter().zip(model.scores()).map(pair).collect();
            json!({"type": "Unigram", "unk_id": null, "vocab": list, "byte_fallback": false})
        }
    };
    let document = json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
        "pre_tokenizer": split, "post_processor": null, "decoder": {"type": "Fuse"}, "model": model,
    });
    format!("{document:#}")
}

/// The tokenizer of a document.
///
/// # Errors
/// [`TokenError::Json`], which says what this program does not know.
pub fn from_json(text: &str) -> Result<Described, TokenError> {
    let document: Json = serde_json::from_str(text).map_err(|e| wrong(format!("it is no JSON: {e}")))?;
    if !document["normalizer"].is_null() {
        return Err(wrong(format!(
            "it has a normaliser, {}; texts are taken as they are here",
            document["normalizer"]
        )));
    }
    if document["added_tokens"].as_array().is_some_and(|list| !list.is_empty()) {
        return Err(wrong("it has special tokens; here are none".to_owned()));
    }
    let (model, split) = (&document["model"], &document["pre_tokenizer"]);
    match model["type"].as_str() {
        Some("BPE") => merges(model, split),
        Some("Unigram") if split.is_null() => likeliest(model),
        Some("WordPiece") if split.is_null() && model["continuing_subword_prefix"] == "" => {
            let (alphabet, words) = vocabulary(&model["vocab"])?;
            let cut = Cut::Greedy(Trie::new(&words));
            Ok(Described { tokenizer: Tokenizer { alphabet: alphabet.size(), words, cut }, alphabet })
        }
        Some("WordLevel") => {
            let (alphabet, words) = vocabulary(&model["vocab"])?;
            let length = words.last().map_or(1, Vec::len);
            if words != all_words(alphabet.size(), length) {
                let text = format!(
                    "a word-level dictionary must hold all words of one length, in order; this one has {}",
                    words.len()
                );
                return Err(wrong(text));
            }
            Ok(Described {
                tokenizer: Tokenizer { alphabet: alphabet.size(), words, cut: Cut::Blocks(length) },
                alphabet,
            })
        }
        other => {
            let found = other.unwrap_or("none");
            let expected = "BPE, or Unigram, WordPiece without prefix or WordLevel of blocks without a pre-tokenizer";
            Err(wrong(format!("its model is {found} with the pre-tokenizer {split}; expected {expected}")))
        }
    }
}

fn wrong(text: String) -> TokenError {
    TokenError::Json(text)
}

/// The words in the order of their ids, single characters first.
fn vocabulary(vocab: &Json) -> Result<(Alphabet, Vec<Vec<u8>>), TokenError> {
    let map = vocab.as_object().ok_or_else(|| wrong("its vocabulary is no map".to_owned()))?;
    let mut list: Vec<Option<&str>> = vec![None; map.len()];
    for (word, id) in map {
        let place = id.as_u64().and_then(|i| usize::try_from(i).ok()).and_then(|i| list.get_mut(i));
        let outside = || wrong(format!("the id of {word:?} is {id}; ids are 0 to {}", map.len() - 1));
        *place.ok_or_else(outside)? = Some(word);
    }
    let list: Option<Vec<&str>> = list.into_iter().collect();
    let list = list.ok_or_else(|| wrong("two of its words have one id".to_owned()))?;
    let single = |word: &&str| word.chars().count() == 1;
    let alphabet = list.iter().take_while(|w| single(w)).flat_map(|w| w.chars()).collect();
    let alphabet = Alphabet::new(alphabet)?;
    if list[alphabet.size()..].iter().any(single) {
        return Err(wrong("its single characters are not the first ids".to_owned()));
    }
    let words = list.iter().map(|w| alphabet.symbols(w)).collect::<Result<_, _>>()?;
    Ok((alphabet, words))
}

fn merges(model: &Json, split: &Json) -> Result<Described, TokenError> {
    if model["byte_fallback"] == true {
        return Err(wrong("it falls back to bytes; here every symbol is in the alphabet".to_owned()));
    }
    for part in ["continuing_subword_prefix", "end_of_word_suffix"] {
        if model[part].as_str().is_some_and(|s| !s.is_empty()) {
            return Err(wrong(format!("it has a {part}, {}", model[part])));
        }
    }
    let (alphabet, words) = vocabulary(&model["vocab"])?;
    let boundary = match (split["type"].as_str(), split["pattern"]["String"].as_str()) {
        (None, _) => None,
        (Some("Split"), Some(pattern)) if split["behavior"] == "MergedWithNext" && split["invert"] == false => {
            let mut characters = pattern.chars();
            let one = characters.next().filter(|_| characters.next().is_none());
            let symbol = one.and_then(|c| alphabet.symbol(c));
            Some(symbol.ok_or_else(|| wrong(format!("it splits at {pattern:?}, which is not one of its characters")))?)
        }
        _ => {
            return Err(wrong(format!(
                "its pre-tokenizer is {split}; expected none, or a Split at one character that is MergedWithNext"
            )));
        }
    };
    let token = |word: &str| -> Result<u32, TokenError> {
        let unknown = || wrong(format!("the merges name {word:?}, which is not in the vocabulary"));
        let id = model["vocab"].get(word).and_then(Json::as_u64).ok_or_else(unknown)?;
        u32::try_from(id).map_err(|_| unknown())
    };
    let mut list = Vec::new();
    for merge in model["merges"].as_array().unwrap_or(&Vec::new()) {
        let pair = match merge {
            Json::Array(pair) => pair.iter().filter_map(Json::as_str).collect::<Vec<_>>(),
            other => other.as_str().unwrap_or_default().splitn(2, ' ').collect(),
        };
        let [left, right] = pair[..] else { return Err(wrong(format!("{merge} is no merge of two tokens"))) };
        let joined = format!("{left}{right}");
        list.push(Merge { pair: (token(left)?, token(right)?), token: token(&joined)?, count: 0 });
    }
    let learned = Learned { words, merges: Merges::new(list, boundary) };
    Ok(Described { tokenizer: Tokenizer::from_merges(alphabet.size(), learned), alphabet })
}

fn likeliest(model: &Json) -> Result<Described, TokenError> {
    let list = model["vocab"].as_array().ok_or_else(|| wrong("its vocabulary is no list".to_owned()))?;
    let mut pairs = Vec::new();
    for entry in list {
        let (word, score) = (entry[0].as_str(), entry[1].as_f64());
        let none = || wrong(format!("{entry} is no word with a score"));
        pairs.push(word.zip(score).ok_or_else(none)?);
    }
    let mut characters: Vec<char> = pairs
        .iter()
        .filter_map(|(w, _)| {
            let mut c = w.chars();
            c.next().filter(|_| c.next().is_none())
        })
        .collect();
    characters.sort_unstable();
    characters.dedup();
    let alphabet = Alphabet::new(characters)?;
    let words = pairs.iter().map(|(w, _)| alphabet.symbols(w)).collect::<Result<_, _>>()?;
    let model = Unigram::new(words, pairs.iter().map(|(_, s)| *s).collect());
    Ok(Described { tokenizer: Tokenizer::from_unigram(alphabet.size(), model), alphabet })
}
