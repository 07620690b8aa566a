//! Numbers as text: a proper minus sign, thin-space groups, no binary dust.

/// Between groups of three digits; does not break a line.
const GROUP: char = '\u{202f}';

/// Around the multiplication sign of a power of ten.
const THIN: char = '\u{2009}';

/// Rounded to 4 significant digits: `0.3333`, `−12.5`, `200 000`, `1.6 × 10⁻⁷`. Whole numbers below
/// ten million keep all their digits.
#[must_use]
pub fn number(value: f64) -> String {
    let size = value.abs();
    if size < 1e7 && value.fract() == 0.0 {
        return fixed(value, 0);
    }
    rounded(value, 4)
}

/// Every digit that distinguishes the number from its neighbours.
#[must_use]
pub fn exact(value: f64) -> String {
    if let Some(word) = not_finite(value) {
        return word.to_owned();
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    if (1e-5..1e15).contains(&value.abs()) {
        return group(&format!("{value}"));
    }
    scientific(&format!("{value:e}"))
}

/// The largest of 1, 2 and 5 times a power of ten that is not above a positive `length`: for scale bars and grids.
#[must_use]
pub fn round_down(length: f64) -> f64 {
    let power = 10_f64.powf(length.max(1e-12).log10().floor());
    let lead = length / power;
    power
        * if lead >= 5.0 {
            5.0
        } else if lead >= 2.0 {
            2.0
        } else {
            1.0
        }
}

/// With `digits` significant digits at most, trailing zeros removed.
pub(super) fn rounded(value: f64, digits: usize) -> String {
    if let Some(word) = not_finite(value) {
        return word.to_owned();
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    let short = format!("{value:.*e}", digits.saturating_sub(1));
    let exponent: i32 = short.split_once('e').and_then(|(_, power)| power.parse().ok()).unwrap_or(0);
    if !(-4..7).contains(&exponent) {
        return scientific(&short);
    }
    // Through the rounded decimal, so that 9999.96 with 4 digits is 10 000 and not 9999.96 again.
    let value: f64 = short.parse().unwrap_or(value);
    group(&format!("{value}"))
}

/// With exactly `decimals` digits after the point: ticks of one axis line up.
pub(super) fn fixed(value: f64, decimals: usize) -> String {
    match not_finite(value) {
        Some(word) => word.to_owned(),
        None => group(&format!("{value:.decimals$}")),
    }
}

/// `10ⁿ`.
pub(super) fn power_of_ten(exponent: i32) -> String {
    format!("10{}", superscript(exponent))
}

/// `mantissa × 10ⁿ` with a given exponent, for the ticks of one axis.
pub(super) fn scaled(value: f64, exponent: i32, decimals: usize) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let mantissa = fixed(value / 10f64.powi(exponent), decimals);
    format!("{mantissa}{THIN}×{THIN}{}", power_of_ten(exponent))
}

/// The most digits of `value` that fit, without spaces: `1.2×10⁻⁷`.
pub(super) fn brief(value: f64, fits: impl Fn(&str) -> bool) -> String {
    let plain = (1..=3).rev().map(|digits| rounded(value, digits)).find(|text| fits(text));
    plain.unwrap_or_else(|| {
        let short = |digits: usize| scientific(&format!("{value:.digits$e}")).replace(THIN, "");
        let longer = short(1);
        if fits(&longer) { longer } else { short(0) }
    })
}

/// Numbers for files: point, no groups, shortest text that reads back as the same value.
pub(super) fn plain(value: f64) -> String {
    if !value.is_finite() {
        return String::new();
    }
    let text = format!("{value:?}");
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}

fn not_finite(value: f64) -> Option<&'static str> {
    if value.is_nan() {
        return Some("not a number");
    }
    match value {
        f64::INFINITY => Some("∞"),
        f64::NEG_INFINITY => Some("−∞"),
        _ => None,
    }
}

/// From Rust's `1.5e-7`.
fn scientific(text: &str) -> String {
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let mantissa = if mantissa.contains('.') { mantissa.trim_end_matches('0').trim_end_matches('.') } else { mantissa };
    let power = power_of_ten(exponent.parse().unwrap_or(0));
    format!("{}{THIN}×{THIN}{power}", group(mantissa))
}

fn superscript(exponent: i32) -> String {
    let digit = |character| match character {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        '4' => '⁴',
        '5' => '⁵',
        '6' => '⁶',
        '7' => '⁷',
        '8' => '⁸',
        '9' => '⁹',
        _ => '⁰',
    };
    exponent.to_string().chars().map(digit).collect()
}

/// A minus sign for the hyphen, and groups in whole parts of five digits and more.
fn group(text: &str) -> String {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = text.split_once('.').map_or((text, None), |(whole, fraction)| (whole, Some(fraction)));
    let mut out = String::with_capacity(text.len() + 8);
    let zero = whole.chars().chain(fraction.unwrap_or_default().chars()).all(|digit| digit == '0');
    if negative && !zero {
        out.push('−');
    }
    for (at, digit) in whole.chars().enumerate() {
        if whole.len() > 4 && at > 0 && (whole.len() - at).is_multiple_of(3) {
            out.push(GROUP);
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_rounded_down_to_one_two_or_five() {
        for (length, expected) in
            [(1.0, 1.0), (1.99, 1.0), (2.0, 2.0), (4.9, 2.0), (73.0, 50.0), (1000.0, 1000.0), (0.03, 0.02)]
        {
            assert!((round_down(length) / expected - 1.0).abs() < 1e-12, "{length}: {}", round_down(length));
        }
    }
}
