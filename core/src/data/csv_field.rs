//! One field of a table: what it could be, and its number.

use super::time;

/// What a field looks like. Which type a column has is decided over all of its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Nothing, or one of [`MISSING`].
    Missing,
    /// An integer that fits 64 bits.
    Integer,
    /// A number without a decimal mark that is no such integer: `1e5`, `inf`.
    Number,
    /// A number with a decimal point.
    Point,
    /// A number with a decimal comma.
    Comma,
    /// A date.
    Time,
    /// Anything else.
    Text,
}

/// The ways in which a missing value is written, besides nothing.
pub(super) const MISSING: [&[u8]; 11] =
    [b"NA", b"N/A", b"NaN", b"nan", b"null", b"NULL", b"None", b"-", b"?", b".", b"NAN"];

/// Without white space around it.
pub(super) fn trim(field: &[u8]) -> &[u8] {
    match field {
        [first, .., last] if !first.is_ascii_whitespace() && !last.is_ascii_whitespace() => field,
        _ => field.trim_ascii(),
    }
}

/// Whether a trimmed field stands for a missing value.
pub(super) fn is_missing(field: &[u8]) -> bool {
    field.is_empty() || (field.len() <= 4 && MISSING.contains(&field))
}

/// Classifies a trimmed field.
pub(super) fn classify(field: &[u8]) -> Class {
    let Some((&first, tail)) = field.split_first() else {
        return Class::Missing;
    };
    let digits = if matches!(first, b'+' | b'-') { tail } else { field };
    match number(digits) {
        Some(class) => class,
        None if is_missing(field) => Class::Missing,
        None if is_infinite(digits) => Class::Number,
        None if time::parse(field).is_some() => Class::Time,
        None => Class::Text,
    }
}

fn is_infinite(unsigned: &[u8]) -> bool {
    unsigned.eq_ignore_ascii_case(b"inf") || unsigned.eq_ignore_ascii_case(b"infinity")
}

/// The class of an unsigned number.
fn number(text: &[u8]) -> Option<Class> {
    let whole = text.iter().take_while(|b| b.is_ascii_digit()).count();
    let mut rest = &text[whole..];
    if rest.is_empty() {
        return match whole {
            0 => None,
            1..=18 => Some(Class::Integer),
            _ if std::str::from_utf8(text).is_ok_and(|t| t.parse::<i64>().is_ok()) => Some(Class::Integer),
            _ => Some(Class::Number),
        };
    }
    let mut class = Class::Number;
    let mut count = whole;
    if let [mark @ (b'.' | b','), tail @ ..] = rest {
        let fraction = tail.iter().take_while(|b| b.is_ascii_digit()).count();
        // `1,` is a list that was cut, `1.` is how some programs write whole numbers.
        if *mark == b',' && (fraction == 0 || whole == 0) {
            return None;
        }
        class = if *mark == b'.' { Class::Point } else { Class::Comma };
        count += fraction;
        rest = &tail[fraction..];
    }
    if count == 0 {
        return None;
    }
    if let [b'e' | b'E', tail @ ..] = rest {
        let tail = if let [b'+' | b'-', t @ ..] = tail { t } else { tail };
        if tail.is_empty() || !tail.iter().all(u8::is_ascii_digit) {
            return None;
        }
        rest = &[];
    }
    rest.is_empty().then_some(class)
}

/// Powers of ten that a double holds exactly.
const TENS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// The number that a trimmed field holds, correctly rounded.
pub(super) fn real(field: &[u8], mark: u8) -> Option<f64> {
    short(field, mark).or_else(|| long(field, mark))
}

/// The common case: at most 15 digits and a small scale. Digits and power of ten are exact doubles,
/// so that the one rounding of the division is the right one (Clinger 1990).
fn short(field: &[u8], mark: u8) -> Option<f64> {
    let (negative, text) = match field {
        [b'-', t @ ..] => (true, t),
        [b'+', t @ ..] => (false, t),
        t => (false, t),
    };
    if text.is_empty() || text.len() > 16 {
        return None;
    }
    let mut mantissa = 0_u64;
    let mut scale: Option<usize> = None;
    let mut count = 0;
    for &b in text {
        if b.is_ascii_digit() {
            mantissa = mantissa * 10 + u64::from(b - b'0');
            count += 1;
            scale = scale.map(|s| s + 1);
        } else if b == mark && scale.is_none() {
            scale = Some(0);
        } else {
            return None;
        }
    }
    if count == 0 || mantissa > 1 << 53 {
        return None;
    }
    let value = mantissa as f64 / TENS[scale.unwrap_or(0)];
    Some(if negative { -value } else { value })
}

fn long(field: &[u8], mark: u8) -> Option<f64> {
    let text = std::str::from_utf8(field).ok()?;
    if mark == b'.' {
        return text.parse().ok();
    }
    if text.contains('.') {
        return None;
    }
    text.replacen(char::from(mark), ".", 1).parse().ok()
}

/// The integer that a trimmed field holds.
pub(super) fn integer(field: &[u8]) -> Option<i64> {
    std::str::from_utf8(field).ok()?.parse().ok()
}

/// A field as it is shown in messages and previews: whole if short, with an ellipsis otherwise.
pub(super) fn shorten(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// The text of a field: UTF-8, or Latin-1, in which every byte is the code point of its number.
pub(super) fn text(field: &[u8], latin1: bool) -> String {
    if latin1 { field.iter().copied().map(char::from).collect() } else { String::from_utf8_lossy(field).into_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn classes() {
        for (text, class) in [
            ("", Class::Missing),
            ("-", Class::Missing),
            (".", Class::Missing),
            ("N/A", Class::Missing),
            ("12", Class::Integer),
            ("+12", Class::Integer),
            ("9223372036854775807", Class::Integer),
            ("9223372036854775808", Class::Number),
            ("1.5", Class::Point),
            ("1.", Class::Point),
            (".5", Class::Point),
            ("1,5", Class::Comma),
            ("1,5e3", Class::Comma),
            ("1,", Class::Text),
            ("1e5", Class::Number),
            ("1e", Class::Text),
            ("-Infinity", Class::Number),
            ("2020-01-05", Class::Time),
            ("1.2.3", Class::Text),
            ("abc", Class::Text),
            ("--5", Class::Text),
            ("é", Class::Text),
        ] {
            assert_eq!(classify(text.as_bytes()), class, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_number_is_read_as_the_standard_library_does(text in "[-+]?[0-9]{1,20}(\\.[0-9]{0,20})?(e[-+]?[0-9]{1,3})?") {
            let expected: f64 = text.parse().unwrap();
            prop_assert_eq!(real(text.as_bytes(), b'.').map(f64::to_bits), Some(expected.to_bits()));
            prop_assert!(!matches!(classify(text.as_bytes()), Class::Text | Class::Missing));
            let comma = text.replace('.', ",");
            prop_assert_eq!(real(comma.as_bytes(), b',').map(f64::to_bits), Some(expected.to_bits()));
        }

        #[test]
        fn numbers_are_exactly_what_parses(text in "[-+0-9.,eEinfa]{0,8}") {
            let class = classify(text.as_bytes());
            let parses = text.parse::<f64>().is_ok_and(|x| !x.is_nan());
            let numeric = matches!(class, Class::Integer | Class::Number | Class::Point);
            prop_assert_eq!(numeric, parses, "{:?} {:?}", text, class);
            if class == Class::Integer {
                prop_assert!(integer(text.as_bytes()).is_some());
            }
        }
    }
}
