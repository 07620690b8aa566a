//! From values to pixels, and where the ticks are.

use super::{Axis, metrics::text_width, number};

/// One axis of a panel, placed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Scale {
    /// The value at `from`.
    pub(super) low: f64,
    /// The value at `to`; always above `low`.
    pub(super) high: f64,
    /// Base-10 logarithmic; then `low` is positive.
    pub(super) logarithmic: bool,
    /// CSS pixels.
    pub(super) from: f64,
    /// CSS pixels; above `from` for x, below it for y.
    pub(super) to: f64,
}

/// A mark on an axis.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    /// CSS pixels.
    pub(super) at: f64,
    /// Empty for a minor tick.
    pub(super) text: String,
}

impl Scale {
    /// Where `value` is, also outside of the plot; `None` for what has no place.
    pub(super) fn at(&self, value: f64) -> Option<f64> {
        let share = self.share(value).filter(|share| !share.is_nan())?;
        // Far outside is as good as very far outside, and stays within an i32.
        Some((self.from + share.clamp(-1e3, 1e3) * (self.to - self.from)).clamp(-1e6, 1e6))
    }

    fn share(&self, value: f64) -> Option<f64> {
        if !value.is_finite() {
            return None;
        }
        if self.logarithmic {
            if value <= 0.0 {
                return None;
            }
            return Some((value.log10() - self.low.log10()) / (self.high.log10() - self.low.log10()));
        }
        // Halves keep the differences of extreme values finite.
        Some((value / 2.0 - self.low / 2.0) / (self.high / 2.0 - self.low / 2.0))
    }

    /// The value at a share of the axis.
    pub(super) fn value(&self, share: f64) -> f64 {
        let between = |low: f64, high: f64| low * (1.0 - share) + high * share;
        if self.logarithmic {
            10f64.powf(between(self.low.log10(), self.high.log10()))
        } else {
            between(self.low, self.high)
        }
    }

    /// The length in CSS pixels.
    pub(super) fn length(&self) -> f64 {
        (self.to - self.from).abs()
    }

    /// Ticks at round values, at least `apart` CSS pixels from each other.
    pub(super) fn ticks(&self, apart: f64) -> Vec<Tick> {
        let most = (self.length() / apart.max(1.0)).floor().max(1.0);
        if self.logarithmic { self.logarithmic_ticks(most) } else { self.linear_ticks(most) }
    }

    /// As [`Scale::ticks`], but closer if there would be fewer than three and there is room.
    pub(super) fn ticks_up(&self, apart: f64, least: f64) -> Vec<Tick> {
        let named = |ticks: &[Tick]| ticks.iter().filter(|tick| !tick.text.is_empty()).count();
        let ticks = self.ticks(apart);
        if named(&ticks) >= 3 {
            return ticks;
        }
        let closer = self.ticks(least);
        if named(&closer) > named(&ticks) { closer } else { ticks }
    }

    /// Ticks whose texts keep `gap` CSS pixels between each other along the axis.
    pub(super) fn ticks_across(&self, apart: f64, font: f64, gap: f64) -> Vec<Tick> {
        let mut apart = apart;
        loop {
            let ticks = self.ticks(apart);
            let named: Vec<&Tick> = ticks.iter().filter(|tick| !tick.text.is_empty()).collect();
            let fits = named.windows(2).all(|pair| {
                let widths = text_width(&pair[0].text, font) + text_width(&pair[1].text, font);
                (pair[1].at - pair[0].at).abs() >= widths / 2.0 + gap
            });
            if fits || apart > self.length() {
                return ticks;
            }
            apart *= 1.3;
        }
    }

    fn tick(&self, value: f64, text: String) -> Option<Tick> {
        Some(Tick { at: self.at(value)?, text })
    }

    fn linear_ticks(&self, most: f64) -> Vec<Tick> {
        let raw = (self.high / most - self.low / most).max(f64::MIN_POSITIVE);
        let exponent = raw.log10().floor();
        let base = 10f64.powf(exponent);
        let factor =
            [1.0, 2.0, 5.0, 10.0].into_iter().find(|factor| factor * base >= raw * (1.0 - 1e-9)).unwrap_or(10.0);
        let step = base * factor;
        let first = (self.low / step - 1e-6).ceil();
        let last = (self.high / step + 1e-6).floor();
        // A range so narrow that its numbers cannot be told apart has no round values in it.
        if !step.is_normal() || !(0.0..=60.0).contains(&(last - first)) || first.abs() > 1e15 {
            return [self.low, self.high]
                .into_iter()
                .filter_map(|value| self.tick(value, number::rounded(value, 4)))
                .collect();
        }
        let power = if factor >= 10.0 { exponent + 1.0 } else { exponent };
        let largest = (first * step).abs().max((last * step).abs());
        let text = label_for(largest, power);
        let mut index = first;
        let mut ticks = Vec::new();
        while index <= last {
            let value = index * step;
            ticks.extend(self.tick(value, text(value)));
            index += 1.0;
        }
        ticks
    }

    fn logarithmic_ticks(&self, most: f64) -> Vec<Tick> {
        let (low, high) = (self.low.log10(), self.high.log10());
        let (first, last) = ((low - 1e-9).ceil(), (high + 1e-9).floor());
        if last - first < 1.0 {
            return self.within_a_decade(most);
        }
        let stride = ((last - first + 1.0) / most).ceil().max(1.0);
        let words = first >= -3.0 && last <= 6.0;
        let mut ticks = Vec::new();
        let mut decade = first - 1.0;
        while decade <= last {
            let value = 10f64.powf(decade);
            if decade >= first && (decade / stride).fract() == 0.0 {
                let text = if words { number::rounded(value, 4) } else { number::power_of_ten(whole(decade)) };
                ticks.extend(self.tick(value, text));
            } else if decade >= first {
                ticks.extend(self.tick(value, String::new()));
            }
            if stride == 1.0 && self.length() / (high - low) >= 80.0 {
                let minor = (2..10).map(|digit| f64::from(digit) * value);
                let inside = minor.filter(|value| (self.low..=self.high).contains(value));
                ticks.extend(inside.filter_map(|value| self.tick(value, String::new())));
            }
            decade += 1.0;
        }
        ticks
    }

    /// Fewer than two powers of ten in sight: 1, 2 and 5 times them, or plain round values.
    fn within_a_decade(&self, most: f64) -> Vec<Tick> {
        let start = self.low.log10().floor();
        let values =
            (0..4).flat_map(|decade| [1.0, 2.0, 5.0].map(|digit| digit * 10f64.powf(start + f64::from(decade))));
        let inside: Vec<f64> = values.filter(|value| (self.low..=self.high).contains(value)).collect();
        if (2.0..=most.max(3.0)).contains(&count(inside.len())) {
            return inside.into_iter().filter_map(|value| self.tick(value, number::rounded(value, 4))).collect();
        }
        let linear = Self { logarithmic: false, ..self.clone() };
        let raw = linear.linear_ticks(most.min(5.0));
        // The same values at their logarithmic places.
        raw.into_iter()
            .filter_map(|tick| {
                let share = (tick.at - self.from) / (self.to - self.from);
                self.tick(self.low + share * (self.high - self.low), tick.text)
            })
            .collect()
    }
}

/// How the ticks of an axis with steps of 10^`power` are written.
fn label_for(largest: f64, power: f64) -> impl Fn(f64) -> String {
    let top = if largest > 0.0 { (largest.log10() + 1e-9).floor() } else { 0.0 };
    let wide = top >= 9.0 || (top < -3.0 && largest > 0.0) || power < -6.0;
    let decimals = whole((-power).clamp(0.0, 15.0)).unsigned_abs() as usize;
    let digits = whole((top - power).clamp(0.0, 15.0)).unsigned_abs() as usize;
    move |value| {
        if wide { number::scaled(value, whole(top), digits) } else { number::fixed(value, decimals) }
    }
}

/// A float that holds a small whole number.
#[expect(clippy::cast_possible_truncation, reason = "exponents of f64 are within a few hundred; the cast saturates")]
pub(super) fn whole(value: f64) -> i32 {
    value.round() as i32
}

/// A length as a float.
pub(super) fn count(length: usize) -> f64 {
    f64::from(u32::try_from(length).unwrap_or(u32::MAX))
}

/// The ends of an axis that shows `low..=high` of its marks (infinite ends: nothing to show).
pub(super) fn domain(axis: &Axis, low: f64, high: f64, margin: (f64, f64)) -> (f64, f64) {
    let fixed = axis.range.filter(|(a, b)| a.is_finite() && b.is_finite());
    let fixed = fixed.filter(|(a, b)| !axis.logarithmic || (*a > 0.0 && *b > 0.0));
    let (low, high, margin) = match fixed {
        Some((a, b)) => (a.min(b), a.max(b), (0.0, 0.0)),
        None if low <= high => (low, high, margin),
        None if axis.logarithmic => (1.0, 10.0, (0.0, 0.0)),
        None => (0.0, 1.0, (0.0, 0.0)),
    };
    if axis.logarithmic {
        let (a, b) = (low.log10(), high.log10());
        if b - a < 1e-9 {
            return ((low / 2.0).max(f64::MIN_POSITIVE), (high * 2.0).min(f64::MAX));
        }
        let at = |exponent: f64| 10f64.powf(exponent).clamp(f64::MIN_POSITIVE, f64::MAX);
        let span = b - a;
        return (
            if margin.0 > 0.0 { at(a - margin.0 * span) } else { low },
            if margin.1 > 0.0 { at(b + margin.1 * span) } else { high },
        );
    }
    let size = low.abs().max(high.abs());
    if high - low <= size * 1e-12 {
        let half = if size == 0.0 { 1.0 } else { (size * 0.05).max(f64::MIN_POSITIVE * 1e6) };
        return ((low - half).max(f64::MIN / 2.0), (high + half).min(f64::MAX / 2.0));
    }
    let span = (high / 2.0 - low / 2.0).min(f64::MAX / 16.0) * 2.0;
    ((low - margin.0 * span).max(f64::MIN / 2.0), (high + margin.1 * span).min(f64::MAX / 2.0))
}
