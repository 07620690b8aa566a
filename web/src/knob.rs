//! How a slider runs through a range: evenly, or fast at the far end where the range is wide.
//!
//! x = low + (high - low) t^k, with k such that a default in the lower part of a wide range has 40 % of the slider
//! below it. Values are rounded to three significant digits, since more are not in a hand.

/// The part of the slider below the default of a wide range.
const BELOW: f64 = 0.4;

/// A slider's range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Scale {
    pub(crate) low: f64,
    high: f64,
    power: f64,
    pub(crate) whole: bool,
}

impl Scale {
    /// From `low` to `high`; none where that is no range.
    pub(crate) fn new(low: f64, high: f64, default: Option<f64>, whole: bool) -> Option<Self> {
        if !(low.is_finite() && high.is_finite() && high > low) {
            return None;
        }
        let share = default.map_or(0.5, |d| (d - low) / (high - low));
        let power = if share > 0.0 && share < 0.15 {
            (share.ln() / BELOW.ln()).clamp(1.0, 20.0)
        } else if share <= 0.0 && high - low > 100.0 {
            3.0
        } else {
            1.0
        };
        Some(Self { low, high, power, whole })
    }

    /// The value at a place from 0 to 1.
    pub(crate) fn value(&self, place: f64) -> f64 {
        let place = place.clamp(0.0, 1.0);
        if place >= 1.0 {
            return self.high;
        }
        let x = self.low + (self.high - self.low) * place.powf(self.power);
        let x = if self.whole { x.round() } else { digits(x) };
        x.clamp(self.low, self.high)
    }

    /// The place of a value.
    pub(crate) fn place(&self, value: f64) -> f64 {
        ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0).powf(1.0 / self.power)
    }
}

/// Three significant digits.
fn digits(x: f64) -> f64 {
    if x == 0.0 { x } else { format!("{x:.2e}").parse().unwrap_or(x) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_are_the_ends_and_the_default_comes_back() {
        for (low, high, default, whole) in [
            (0.0, 50.0, 1.0, false),
            (1.0, 1_000_000.0, 100.0, true),
            (1.0, 360.0, 270.0, false),
            (2.0, 3.0, 3.0, true),
            (0.0, 9e15, 1.0, true),
            (0.0, 100_000.0, 0.0, true),
        ] {
            let scale = Scale::new(low, high, Some(default), whole).unwrap();
            assert_eq!(scale.value(0.0), low);
            assert_eq!(scale.value(1.0), high);
            let back = scale.value(scale.place(default));
            assert!((back - default).abs() <= 0.005 * default.abs().max(1.0), "{back} for {default}");
        }
    }

    #[test]
    fn a_wide_range_has_its_default_at_two_fifths() {
        let scale = Scale::new(1.0, 1_000_000.0, Some(100.0), true).unwrap();
        assert!((scale.place(100.0) - 0.4).abs() < 1e-9);
        assert_eq!(Scale::new(1.0, 1.0, None, false), None);
    }
}
