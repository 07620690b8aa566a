//! Numbers and times as a reader wants them; all digits are kept elsewhere.

use serde_json::Value as Json;
use surprisal_core::{figure::number, measure::surrogate::Surrogates};

/// A value of a record in few characters: a number, a few numbers, or how many there are.
pub(crate) fn value(value: &Json) -> String {
    match value {
        Json::Number(n) => n.as_f64().map_or_else(String::new, number),
        Json::Array(list) if list.iter().all(Json::is_number) => match list.len() {
            0 => "no value".to_owned(),
            1..=3 => list.iter().map(self::value).collect::<Vec<_>>().join(", "),
            n => format!("{} values", count(n as u64)),
        },
        Json::Array(curves) => {
            let points = curves.first().and_then(Json::as_array).map_or(0, Vec::len);
            format!("{} curves of {} points", curves.len(), count(points as u64))
        }
        _ => "\u{2014}".to_owned(),
    }
}

/// A whole number with thin spaces between groups of three digits.
pub(crate) fn count(n: u64) -> String {
    let digits = n.to_string();
    if digits.len() <= 4 {
        return digits;
    }
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// A number of bytes: `1.4 MB`.
#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
pub(crate) fn bytes(n: u64) -> String {
    const STEPS: [(u64, &str); 3] = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1000, "kB")];
    match STEPS.iter().find(|(step, _)| n >= *step) {
        Some((step, name)) => {
            let x = n as f64 / *step as f64;
            if x < 9.995 {
                format!("{x:.2} {name}")
            } else if x < 99.95 {
                format!("{x:.1} {name}")
            } else {
                format!("{x:.0} {name}")
            }
        }
        None if n == 1 => "1 byte".to_owned(),
        None => format!("{n} bytes"),
    }
}

/// A number of bytes that is only nearly known.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "sizes are finite, and saturate")]
pub(crate) fn about_bytes(n: f64) -> String {
    bytes(n.max(0.0) as u64)
}

/// A time: `0.4 ms`, `12 ms`, `3.1 s`, `2 min 5 s`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "times are finite, and saturate")]
pub(crate) fn seconds(s: f64) -> String {
    if s < 0.000_95 {
        "< 1 ms".to_owned()
    } else if s < 0.9995 {
        format!("{:.0} ms", s * 1e3)
    } else if s < 59.95 {
        format!("{s:.1} s")
    } else {
        let whole = s.round() as u64;
        format!("{} min {} s", whole / 60, whole % 60)
    }
}

/// One thing or several: `1 row`, `3 rows`.
pub(crate) fn several(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(n), if n == 1 { one } else { many })
}

/// The same of a whole number that travelled as a float.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of steps, and saturates")]
pub(crate) fn several_about(n: f64, one: &str, many: &str) -> String {
    several(n.max(0.0) as u64, one, many)
}

/// Where values lie among surrogates, in two parts that stay whole: `p = 0.01` and `(99 IAAFT)`.
pub(crate) fn p_value(s: &Surrogates) -> (String, String) {
    let which = if s.p_value.len() > 1 { "smallest p" } else { "p" };
    let p = s.smallest_p().map_or_else(|| "p unknown".to_owned(), |p| format!("{which} = {}", number(p)));
    (p, format!("({} {})", count(u64::from(s.count)), s.kind.title()))
}

/// The ranges of the surrogates, each with its mean, every digit; of long vectors only how many there are.
pub(crate) fn ranges(s: &Surrogates, parts: &[&str]) -> String {
    const MOST: usize = 4;
    if s.mean.len() > MOST {
        return format!("one for each of {} values, in the JSON record", count(s.mean.len() as u64));
    }
    let digits = |x: &Option<f64>| x.map_or_else(|| "\u{2014}".to_owned(), |x| x.to_string());
    let ends = s.low.iter().zip(&s.high).zip(&s.mean).enumerate();
    let each = ends.map(|(place, ((low, high), mean))| {
        let part = parts.get(place).map(|part| format!("{part} ")).unwrap_or_default();
        format!("{part}{} to {}, mean {}", digits(low), digits(high), digits(mean))
    });
    each.collect::<Vec<_>>().join("; ")
}

/// The largest absolute difference between two values of records, where they have the same shape.
pub(crate) fn deviation(a: &Json, b: &Json) -> Option<f64> {
    match (a, b) {
        (Json::Null, Json::Null) => Some(0.0),
        (Json::Number(x), Json::Number(y)) => Some((x.as_f64()? - y.as_f64()?).abs()),
        (Json::Array(x), Json::Array(y)) if x.len() == y.len() => {
            x.iter().zip(y).map(|(x, y)| deviation(x, y)).try_fold(0.0_f64, |most, d| Some(most.max(d?)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use surprisal_core::measure::surrogate::Kind;

    #[test]
    fn counts_have_thin_spaces() {
        assert_eq!(count(999), "999");
        assert_eq!(count(3309), "3309");
        assert_eq!(count(12_345), "12\u{202f}345");
        assert_eq!(count(1_234_567), "1\u{202f}234\u{202f}567");
    }

    #[test]
    fn places_among_surrogates_are_short() {
        let one = Surrogates {
            kind: Kind::Iaaft,
            count: 99,
            seed: 0,
            mean: vec![Some(0.28)],
            low: vec![Some(0.21)],
            high: vec![None],
            p_value: vec![Some(0.01)],
            p_low: vec![Some(0.01)],
            p_high: vec![Some(1.0)],
            undefined: vec![0],
            spectrum_error: None,
        };
        assert_eq!(p_value(&one), ("p = 0.01".to_owned(), "(99 IAAFT)".to_owned()));
        assert_eq!(ranges(&one, &[]), "0.21 to \u{2014}, mean 0.28");
        let two = Surrogates { p_value: vec![Some(0.5), Some(0.04)], kind: Kind::Phase, ..one.clone() };
        assert_eq!(p_value(&two), ("smallest p = 0.04".to_owned(), "(99 phase-randomised)".to_owned()));
        assert_eq!(ranges(&two, &["H", "C"]), "H 0.21 to \u{2014}, mean 0.28");
        let none = Surrogates { p_value: vec![None], mean: vec![None; 9], ..one };
        assert_eq!(p_value(&none).0, "p unknown");
        assert!(ranges(&none, &[]).starts_with("one for each of 9"));
    }

    #[test]
    fn sizes_and_times_have_few_digits() {
        assert_eq!(bytes(1), "1 byte");
        assert_eq!(bytes(999), "999 bytes");
        assert_eq!(bytes(1_234_567), "1.23 MB");
        assert_eq!(bytes(209_715_200), "210 MB");
        assert_eq!(seconds(0.0123), "12 ms");
        assert_eq!(seconds(3.12), "3.1 s");
        assert_eq!(seconds(125.2), "2 min 5 s");
    }

    #[test]
    fn a_deviation_is_the_largest_difference() {
        assert_eq!(deviation(&json!([1.0, 2.0]), &json!([1.0, 2.5])), Some(0.5));
        assert_eq!(deviation(&json!(null), &json!(null)), Some(0.0));
        assert_eq!(deviation(&json!(1.0), &json!([1.0])), None);
    }
}
