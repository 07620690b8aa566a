//! The attributes by which NetCDF files say what their numbers mean.
//!
//! Source: CF Conventions 1.11, sections 2.5.1 (missing data), 4.4 (time), 8.1 (packed data).

use super::{Values, time};

/// The attributes of one variable, as far as they are there.
#[derive(Clone, Debug, Default)]
pub(super) struct Attributes {
    pub(super) units: Option<String>,
    pub(super) calendar: Option<String>,
    pub(super) scale_factor: Option<f64>,
    pub(super) add_offset: Option<f64>,
    /// `_FillValue` and `missing_value`: stored values that stand for none.
    pub(super) fills: Vec<f64>,
    /// A NetCDF file's own fill value of floats, 9.97e36, stands for none too.
    pub(super) netcdf: bool,
}

impl Attributes {
    /// The values that are meant by the stored ones, and their unit.
    pub(super) fn apply(&self, stored: Values) -> (Values, Option<&str>) {
        let unit = self.units.as_deref().map(str::trim).filter(|u| !u.is_empty());
        let since = unit.and_then(|u| self.epoch(u));
        let fill = |x: f64| self.fills.contains(&x) || (self.netcdf && x.abs() > 9e36);
        let packed = self.scale_factor.is_some() || self.add_offset.is_some();
        let (scale, offset) = (self.scale_factor.unwrap_or(1.0), self.add_offset.unwrap_or(0.0));
        let meant = |x: f64| if fill(x) { f64::NAN } else { x * scale + offset };
        let reals = match stored {
            Values::Real(mut v) => {
                v.iter_mut().for_each(|x| *x = meant(*x));
                v
            }
            Values::Integer(v) if packed || since.is_some() || v.iter().any(|&x| fill(x as f64)) => {
                v.into_iter().map(|x| meant(x as f64)).collect()
            }
            Values::Bytes(v) if packed || since.is_some() || v.iter().any(|&x| fill(f64::from(x))) => {
                v.into_iter().map(|x| meant(f64::from(x))).collect()
            }
            other => return (other, unit),
        };
        match since {
            Some((start, seconds)) => (Values::Time(reals.into_iter().map(|x| start + x * seconds).collect()), None),
            None => (Values::Real(reals), unit),
        }
    }

    /// `days since 2024-02-28` as the start and the length of the unit in seconds. Calendars other than the
    /// Gregorian one, months and years stay numbers.
    fn epoch(&self, unit: &str) -> Option<(f64, f64)> {
        let gregorian =
            |c: &str| matches!(&c.to_ascii_lowercase()[..], "standard" | "gregorian" | "proleptic_gregorian");
        if self.calendar.as_deref().is_some_and(|c| !gregorian(c)) {
            return None;
        }
        let (word, date) = unit.split_once(" since ")?;
        let seconds = match word.trim() {
            "day" | "days" | "d" => 86_400.0,
            "hour" | "hours" | "hr" | "h" => 3600.0,
            "minute" | "minutes" | "min" => 60.0,
            "second" | "seconds" | "sec" | "s" => 1.0,
            "millisecond" | "milliseconds" | "msec" | "ms" => 1e-3,
            "microsecond" | "microseconds" => 1e-6,
            _ => return None,
        };
        let date = date.trim();
        let date = date.strip_suffix(" UTC").or_else(|| date.strip_suffix(" +00:00")).unwrap_or(date);
        Some((time::parse(date.as_bytes())?, seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_mean_what_cf_says() {
        let packed = Attributes {
            units: Some("degC".to_owned()),
            scale_factor: Some(0.5),
            add_offset: Some(10.0),
            fills: vec![-999.0],
            ..Attributes::default()
        };
        let (Values::Real(v), unit) = packed.apply(Values::Integer(vec![2, -999])) else { panic!() };
        assert!(v[0] == 11.0 && v[1].is_nan() && unit == Some("degC"));
        let time = |units: &str, calendar: Option<&str>| {
            let a = Attributes {
                units: Some(units.to_owned()),
                calendar: calendar.map(str::to_owned),
                ..Attributes::default()
            };
            a.apply(Values::Integer(vec![1])).0
        };
        assert_eq!(time("hours since 1970-01-01 00:00:00", None), Values::Time(vec![3600.0]));
        assert_eq!(time("days since 1970-01-02", Some("standard")), Values::Time(vec![172_800.0]));
        assert_eq!(time("days since 1970-01-02", Some("noleap")), Values::Integer(vec![1]));
        assert_eq!(time("days", None), Values::Integer(vec![1]));
    }
}
