//! ISO 8601 dates and times as seconds since 1970-01-01T00:00:00Z, and back.
//!
//! Read are `YYYY-MM-DD` and `YYYY/MM/DD`, optionally followed by `T` or a space, `HH:MM`, `:SS`, a
//! fraction of seconds, and `Z`, `±hh`, `±hhmm` or `±hh:mm`; and `YYYY-MM`, the first of that month.
//! A time without a zone is taken as UTC.

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar.
pub(super) const fn days(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March, so that the leap day is the last one.
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let of_era = y.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The date of a day since 1970-01-01: the inverse of [`days`].
const fn date_of(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + shifted.div_euclid(146_097) * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

/// Seconds since the epoch as [`parse`] reads them, to the millisecond: `2026-11-23`, or `2026-11-23T05:57:23.500`.
/// `None` for what is no time between the years 1 and 9999.
#[expect(clippy::cast_possible_truncation, reason = "checked to be below 2^49 milliseconds")]
pub(super) fn iso(seconds: f64) -> Option<String> {
    const DAY: i64 = 86_400_000;
    const FIRST: i64 = days(1, 1, 1) * DAY;
    const LAST: i64 = days(10_000, 1, 1) * DAY;
    let milliseconds = (seconds * 1000.0).round();
    if !(FIRST as f64..LAST as f64).contains(&milliseconds) {
        return None;
    }
    let milliseconds = milliseconds as i64;
    let (year, month, day) = date_of(milliseconds.div_euclid(DAY));
    let of_day = milliseconds.rem_euclid(DAY);
    let date = format!("{year:04}-{month:02}-{day:02}");
    if of_day == 0 {
        return Some(date);
    }
    let (second, fraction) = (of_day / 1000, of_day % 1000);
    let fraction = if fraction == 0 { String::new() } else { format!(".{fraction:03}") };
    Some(format!("{date}T{:02}:{:02}:{:02}{fraction}", second / 3600, second / 60 % 60, second % 60))
}

const fn month_length(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Takes exactly `n` digits off the front.
fn digits(text: &mut &[u8], n: usize) -> Option<i64> {
    let (head, tail) = text.split_at_checked(n)?;
    let mut value = 0;
    for &b in head {
        if !b.is_ascii_digit() {
            return None;
        }
        value = value * 10 + i64::from(b - b'0');
    }
    *text = tail;
    Some(value)
}

/// Takes `byte` off the front if it is there.
fn take(text: &mut &[u8], byte: u8) -> bool {
    match text.split_first() {
        Some((&b, tail)) if b == byte => {
            *text = tail;
            true
        }
        _ => false,
    }
}

/// Seconds since the epoch, or `None` when `text` is not a date. Nothing may surround it.
pub(super) fn parse(mut text: &[u8]) -> Option<f64> {
    // Cheap refusal: most fields that are no numbers are no dates either.
    if text.len() < 7 || !matches!(text[4], b'-' | b'/') {
        return None;
    }
    let year = digits(&mut text, 4)?;
    let mark = text[0];
    text = &text[1..];
    let month = digits(&mut text, 2)?;
    if !(1..=12).contains(&month) {
        return None;
    }
    let seconds_of = |days: i64| {
        let seconds = days * 86_400;
        seconds as f64 // below 2^39: exact
    };
    if text.is_empty() {
        return (mark == b'-').then(|| seconds_of(days(year, month, 1)));
    }
    if !take(&mut text, mark) {
        return None;
    }
    let day = digits(&mut text, 2)?;
    if !(1..=month_length(year, month)).contains(&day) {
        return None;
    }
    let midnight = seconds_of(days(year, month, day));
    if text.is_empty() {
        return Some(midnight);
    }
    if !(take(&mut text, b'T') || take(&mut text, b' ') || take(&mut text, b't')) {
        return None;
    }
    Some(midnight + time_of_day(text)?)
}

/// Seconds since midnight UTC of `HH:MM[:SS[.fff]][zone]`.
fn time_of_day(mut text: &[u8]) -> Option<f64> {
    let hour = digits(&mut text, 2)?;
    if !take(&mut text, b':') {
        return None;
    }
    let minute = digits(&mut text, 2)?;
    let mut second = 0;
    let mut fraction = 0.0;
    if take(&mut text, b':') {
        second = digits(&mut text, 2)?;
        if take(&mut text, b'.') {
            let n = text.iter().take_while(|b| b.is_ascii_digit()).count();
            if n == 0 || n > 18 {
                return None;
            }
            let numerator = digits(&mut text, n)?;
            fraction = numerator as f64 / 10_f64.powi(i32::try_from(n).ok()?);
        }
    }
    if hour > 24 || minute > 59 || second > 60 || (hour == 24 && (minute, second) != (0, 0)) {
        return None;
    }
    let mut offset = 0;
    if !take(&mut text, b'Z') && !take(&mut text, b'z') && !text.is_empty() {
        let sign = match text.split_first()? {
            (b'+', _) => 1,
            (b'-', _) => -1,
            _ => return None,
        };
        text = &text[1..];
        let hours = digits(&mut text, 2)?;
        let minutes = if take(&mut text, b':') || !text.is_empty() { digits(&mut text, 2)? } else { 0 };
        if hours > 23 || minutes > 59 {
            return None;
        }
        offset = sign * (hours * 3600 + minutes * 60);
    }
    let whole = hour * 3600 + minute * 60 + second - offset;
    text.is_empty().then_some(whole as f64 + fraction)
}

#[cfg(test)]
mod tests {
    use super::{iso, parse};

    #[test]
    fn dates_and_times() {
        for (text, seconds) in [
            ("1970-01-01", 0.0),
            ("1969-12-31", -86_400.0),
            ("2000-02-29", 951_782_400.0),
            ("2000/03/01", 951_868_800.0),
            ("1700-01", -8_520_336_000.0),
            ("2026-11-23T05:57:23Z", 1_795_413_443.0),
            ("2026-11-23 05:57:23.5", 1_795_413_443.5),
            ("2026-11-23T06:57+01:00", 1_795_413_420.0),
            ("2026-11-23T06:57+0100", 1_795_413_420.0),
            ("1970-01-01T00:00:00-01", 3600.0),
            ("9999-12-31", 253_402_214_400.0),
            ("0001-01-01", -62_135_596_800.0),
        ] {
            assert_eq!(parse(text.as_bytes()), Some(seconds), "{text}");
        }
        for text in [
            "",
            "2026",
            "2026-13",
            "2026-02-29",
            "1900-02-29",
            "2026-1-1",
            "2026-01-01x",
            "2026-01-01T",
            "2026/01",
            "2026-01-01T25:00",
            "2026-01-01T10:61",
            "2026-01/01",
            "2026-01-01T10:00:00.",
            "2026-01-01T10:00+1",
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }
    #[test]
    fn times_are_written_as_they_are_read() {
        for (seconds, text) in [
            (0.0, "1970-01-01"),
            (-86_400.0, "1969-12-31"),
            (951_782_400.0, "2000-02-29"),
            (1_795_413_443.0, "2026-11-23T05:57:23"),
            (1_795_413_443.5, "2026-11-23T05:57:23.500"),
            (253_402_214_400.0, "9999-12-31"),
            (-62_135_596_800.0, "0001-01-01"),
        ] {
            assert_eq!(iso(seconds).as_deref(), Some(text));
            assert_eq!(parse(text.as_bytes()), Some(seconds));
        }
        for day in (-700_000..2_900_000).step_by(13) {
            let seconds = f64::from(day) * 86_400.0;
            assert_eq!(iso(seconds).and_then(|text| parse(text.as_bytes())), Some(seconds));
        }
        for seconds in [f64::NAN, f64::INFINITY, 253_402_300_800.0, -62_135_596_801.0] {
            assert_eq!(iso(seconds), None);
        }
    }
}
