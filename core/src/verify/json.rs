//! JSON as Python writes it.

use serde_json::Value as Json;

/// Parses JSON in which the bare words `NaN`, `Infinity` and `-Infinity` may stand for numbers, as Python's `json` writes
/// them. They become the strings `nan`, `inf` and `-inf`.
///
/// # Errors
/// What is wrong, with line and column.
pub fn parse(text: &str) -> Result<Json, serde_json::Error> {
    // The usual file has none of them, and keeps its columns in the message.
    serde_json::from_str(text).or_else(|error| {
        let quoted = quote(text);
        if quoted == text { Err(error) } else { serde_json::from_str(&quoted) }
    })
}

/// The bare words outside strings, quoted.
fn quote(text: &str) -> String {
    const WORDS: [(&str, &str); 3] = [("NaN", "\"nan\""), ("-Infinity", "\"-inf\""), ("Infinity", "\"inf\"")];
    let mut quoted = String::with_capacity(text.len() + 64);
    let mut rest = text;
    'text: while let Some(first) = rest.chars().next() {
        for (word, string) in WORDS {
            if let Some(after) = rest.strip_prefix(word) {
                quoted.push_str(string);
                rest = after;
                continue 'text;
            }
        }
        let length = if first == '"' { string_length(rest) } else { first.len_utf8() };
        quoted.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    quoted
}

/// The bytes of the string literal that `text` begins with; all of it if it does not end.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// A number with the infinities and NaN in words.
pub(super) fn number(x: f64) -> Json {
    match x {
        f64::INFINITY => Json::from("inf"),
        f64::NEG_INFINITY => Json::from("-inf"),
        x if x.is_nan() => Json::from("nan"),
        x => Json::from(x),
    }
}

/// The reverse of [`number`].
pub(super) fn as_number(json: &Json) -> Option<f64> {
    match json.as_str() {
        Some("inf") => Some(f64::INFINITY),
        Some("-inf") => Some(f64::NEG_INFINITY),
        Some("nan") => Some(f64::NAN),
        Some(_) => None,
        None => json.as_f64(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bare_words_are_numbers_and_strings_stay_as_they_are() {
        let json = parse(r#"{"a": [NaN, -Infinity, Infinity, 1.5], "NaN \" NaN": "Infinity é"}"#).unwrap();
        let a: Vec<f64> = json["a"].as_array().unwrap().iter().filter_map(as_number).collect();
        assert!(a[0].is_nan());
        assert_eq!(a[1..], [f64::NEG_INFINITY, f64::INFINITY, 1.5]);
        assert_eq!(json["NaN \" NaN"], "Infinity é");
        assert!(parse("{\"a\": NaN").is_err());
        assert!(parse("[1, nan]").is_err());
    }
}
