//! What number formats say of a number: whether it is a date, a time of day or a duration; and the times that serial
//! numbers mean.
//!
//! Sources: ISO/IEC 29500-1, 18.8.30 (number formats) and 18.17.4.1 (dates).

use super::xml::{Item, Xml};
use crate::data::{DataError, time::days};
use std::collections::HashMap;

/// What a number in a cell is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A number.
    Plain,
    /// Days since the workbook's first.
    Date,
    /// As a date, of which only the time of day is shown; below 1 it is of no day at all.
    Clock,
    /// A duration in days.
    Elapsed,
}

/// The forms of the styles that cells refer to, from `xl/styles.xml`.
pub(super) fn styles(bytes: &[u8]) -> Result<Vec<Form>, DataError> {
    let mut xml = Xml::new(bytes);
    let mut codes: HashMap<u32, Form> = HashMap::new();
    let (mut forms, mut in_cells) = (Vec::new(), false);
    while let Some(item) = xml.next()? {
        match item {
            Item::Start(start) => match start.local_name().as_ref() {
                "numFmt" => {
                    let [id, code] = xml.attributes(&start, ["numFmtId", "formatCode"])?;
                    if let (Some(Ok(id)), Some(code)) = (id.map(|id| id.parse()), code) {
                        codes.insert(id, form_of(&code));
                    }
                }
                "cellXfs" => in_cells = true,
                "xf" if in_cells => {
                    let [id] = xml.attributes(&start, ["numFmtId"])?;
                    let id = id.and_then(|id| id.parse().ok()).unwrap_or(0);
                    forms.push(codes.get(&id).copied().unwrap_or_else(|| built_in(id)));
                }
                _ => {}
            },
            Item::End(end) if end.local_name().as_ref() == "cellXfs" => in_cells = false,
            _ => {}
        }
    }
    Ok(forms)
}

/// The formats that have a number and no text; 27 to 36 and 50 to 58 are those of East Asia.
const fn built_in(id: u32) -> Form {
    match id {
        18..=21 | 32..=35 | 45 | 47 | 55 | 56 => Form::Clock,
        14..=17 | 22 | 27..=31 | 36 | 50..=54 | 57 | 58 => Form::Date,
        46 => Form::Elapsed,
        _ => Form::Plain,
    }
}

/// What the first section of a format code says.
fn form_of(code: &str) -> Form {
    if code.eq_ignore_ascii_case("general") {
        return Form::Plain;
    }
    let (mut date, mut month, mut clock) = (false, false, false);
    let mut letters = code.chars();
    while let Some(letter) = letters.next() {
        match letter {
            ';' => break,
            '"' => while letters.next().is_some_and(|c| c != '"') {},
            // A character as it is, a space as wide as one, and one that fills the cell.
            '\\' | '_' | '*' => _ = letters.next(),
            '[' => {
                let inside: String = letters.by_ref().take_while(|&c| c != ']').collect();
                let first = inside.chars().next().map(|c| c.to_ascii_lowercase());
                if let Some(unit @ ('h' | 'm' | 's')) = first
                    && inside.chars().all(|c| c.eq_ignore_ascii_case(&unit))
                {
                    return Form::Elapsed;
                }
            }
            'd' | 'D' | 'y' | 'Y' | 'b' | 'B' => date = true,
            'm' | 'M' => month = true,
            'h' | 'H' | 's' | 'S' => clock = true,
            _ => {}
        }
    }
    match (date, clock, month) {
        (true, ..) => Form::Date,
        // Beside hours or seconds, m is minutes.
        (_, true, _) => Form::Clock,
        (.., true) => Form::Date,
        _ => Form::Plain,
    }
}

/// Milliseconds of a day.
const DAY: f64 = 86_400_000.0;

/// A serial number's seconds: rounded to the millisecond, because a double of days does not hold seconds exactly.
pub(super) fn seconds(serial: f64) -> f64 {
    (serial * DAY).round() / 1000.0
}

/// Seconds since 1970-01-01 of a serial number; `None` where it is no date up to the year 9999.
///
/// The 1900 system counts a 29 February 1900 that there was not: day 60, which is read as the 28th.
pub(super) fn date(serial: f64, from_1904: bool) -> Option<f64> {
    const LEAP_BUG: f64 = 60.0 * DAY;
    let milliseconds = (serial * DAY).round();
    let first = match (from_1904, milliseconds < LEAP_BUG) {
        (true, _) => const { days(1904, 1, 1) },
        (false, true) => const { days(1899, 12, 31) },
        (false, false) => const { days(1899, 12, 30) },
    };
    let beyond = days(10_000, 1, 1) - first;
    let exact = |days: i64| days as f64 * DAY; // below 2^53
    (0.0..exact(beyond)).contains(&milliseconds).then(|| (milliseconds + exact(first)) / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn format_codes() {
        for (code, form) in [
            ("General", Form::Plain),
            ("0.00E+00", Form::Plain),
            ("#,##0.00 \"days\"", Form::Plain),
            ("[Red]0.0;[Blue]-0.0", Form::Plain),
            ("0\\d", Form::Plain),
            ("0_d", Form::Plain),
            ("[$-409]0.0", Form::Plain),
            ("[>=100]0;0.0", Form::Plain),
            ("yyyy-mm-dd", Form::Date),
            ("YYYY\\-MM", Form::Date),
            ("mmm", Form::Date),
            ("[$-F800]dddd, mmmm dd, yyyy", Form::Date),
            ("d/m/yy h:mm", Form::Date),
            ("hh:mm:ss.000", Form::Clock),
            ("h:mm AM/PM", Form::Clock),
            ("mm:ss", Form::Clock),
            ("[h]:mm:ss", Form::Elapsed),
            ("[mm]:ss", Form::Elapsed),
            ("[SS].0", Form::Elapsed),
            ("0;yyyy", Form::Plain),
            ("\"", Form::Plain),
            ("[", Form::Plain),
        ] {
            assert_eq!(form_of(code), form, "{code}");
        }
        assert_eq!(
            [14, 20, 46, 49, 164].map(built_in),
            [Form::Date, Form::Clock, Form::Elapsed, Form::Plain, Form::Plain]
        );
    }

    #[test]
    fn serial_numbers() {
        let day = |y, m, d| (days(y, m, d) * 86_400) as f64;
        for (serial, from_1904, seconds) in [
            (1.0, false, day(1900, 1, 1)),
            (59.0, false, day(1900, 2, 28)),
            (60.0, false, day(1900, 2, 28)),
            (61.0, false, day(1900, 3, 1)),
            (25_569.0, false, 0.0),
            (45_351.5, false, day(2024, 2, 29) + 43_200.0),
            (2_958_465.0, false, day(9999, 12, 31)),
            (0.0, true, day(1904, 1, 1)),
            (24_107.0, true, 0.0),
        ] {
            assert_eq!(date(serial, from_1904), Some(seconds), "{serial}");
        }
        // 12:00:00.001 on a day, as a program computes it.
        assert_eq!(date(45_351.0 + 43_200.001 / 86_400.0, false), Some(day(2024, 2, 29) + 43_200.001));
        for serial in [-1.0, 2_958_466.0, f64::NAN, f64::INFINITY] {
            assert_eq!(date(serial, false), None);
        }
        assert_eq!(seconds(1.5 / 24.0), 5400.0);
        assert_eq!(seconds(-0.1 / 86_400.0), -0.1);
    }
}
