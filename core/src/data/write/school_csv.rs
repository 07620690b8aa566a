//! The CSV files of dewi-kadita 0.0.4, with its names, columns and number format, so that scripts for them open ours.

use std::io::{self, Write};

use crate::{experiment::Table, measure::school::library::Library, sim::swarm::State};

/// Name of a column in the time series, and of the measure behind it.
const COLUMNS: [(&str, &str); 12] = [
    ("Polarization", "polarization"),
    ("Rotation", "rotation"),
    ("Spread", "spread"),
    ("Order_Index", "order_index"),
    ("School_Cohesion_Entropy", "school_cohesion_entropy"),
    ("Polarization_Entropy", "polarization_entropy"),
    ("Depth_Stratification_Entropy", "depth_stratification_entropy"),
    ("Angular_Momentum_Entropy", "angular_momentum_entropy"),
    ("Nearest_Neighbor_Entropy", "nearest_neighbor_entropy"),
    ("Velocity_Correlation_Entropy", "velocity_correlation_entropy"),
    ("School_Shape_Entropy", "school_shape_entropy"),
    ("Oceanic_Schooling_Index", "oceanic_schooling_index"),
];

/// The measure `name` of the library over time: the library's own definition where the series has it.
#[must_use]
pub fn series<'a>(table: &'a Table, name: &str) -> &'a [f64] {
    let own = table.numbers(&format!("library.{name}"));
    if own.iter().any(|x| x.is_finite()) { own } else { table.numbers(name) }
}

/// `*_order_parameters.csv`: Time, Polarization, Rotation.
///
/// # Errors
/// What `out` says.
pub fn order_parameters(table: &Table, out: &mut impl Write) -> io::Result<()> {
    over_time(table, &COLUMNS[..2], out)
}

/// `*_entropy_timeseries.csv`: Time and all twelve measures.
///
/// # Errors
/// What `out` says.
pub fn entropy_timeseries(table: &Table, out: &mut impl Write) -> io::Result<()> {
    over_time(table, &COLUMNS, out)
}

fn over_time(table: &Table, columns: &[(&str, &str)], out: &mut impl Write) -> io::Result<()> {
    let names: Vec<&str> = std::iter::once("Time").chain(columns.iter().map(|c| c.0)).collect();
    writeln!(out, "{}", names.join(","))?;
    let columns: Vec<&[f64]> = columns.iter().map(|(_, name)| series(table, name)).collect();
    for (row, time) in table.numbers("time").iter().enumerate() {
        let values = columns.iter().map(|c| c.get(row).copied().unwrap_or(f64::NAN));
        let cells: Vec<String> = std::iter::once(*time).chain(values).map(scientific).collect();
        writeln!(out, "{}", cells.join(","))?;
    }
    Ok(())
}

/// `*_entropy_summary.csv`: mean and population standard deviation of the second half, final value, least and largest.
///
/// # Errors
/// What `out` says.
pub fn entropy_summary(table: &Table, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "Metric,Mean_2nd_Half,Std_2nd_Half,Final_Value,Min,Max")?;
    for name in Library::NAMES {
        let values = series(table, name);
        let Summary { mean, deviation, last, low, high } = Summary::of(values);
        let cells = [mean, deviation, last, low, high].map(scientific);
        writeln!(out, "{name},{}", cells.join(","))?;
    }
    Ok(())
}

/// What the library reports of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// Mean of the second half.
    pub mean: f64,
    /// Population standard deviation of the second half.
    pub deviation: f64,
    /// The final value.
    pub last: f64,
    /// The least value.
    pub low: f64,
    /// The largest value.
    pub high: f64,
}

impl Summary {
    /// Of rows ⌊n/2⌋ to the end; all NaN for an empty series.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a number of rows")]
    pub fn of(values: &[f64]) -> Self {
        let late = &values[values.len() / 2..];
        let mean = late.iter().sum::<f64>() / late.len() as f64;
        let square = late.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / late.len() as f64;
        Self {
            mean,
            deviation: square.sqrt(),
            last: values.last().copied().unwrap_or(f64::NAN),
            low: values.iter().copied().fold(f64::NAN, f64::min),
            high: values.iter().copied().fold(f64::NAN, f64::max),
        }
    }
}

/// `*_final_state.csv`: Fish_ID, position and velocity.
///
/// # Errors
/// What `out` says.
pub fn final_state(state: &State, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "Fish_ID,x,y,z,vx,vy,vz")?;
    for (fish, (x, v)) in state.positions.iter().zip(state.velocities()).enumerate() {
        let cells: Vec<String> = x.iter().chain(&v).copied().map(scientific).collect();
        writeln!(out, "{fish},{}", cells.join(","))?;
    }
    Ok(())
}

/// C's `%.8e`; nothing for NaN, as pandas writes it.
fn scientific(x: f64) -> String {
    if x.is_nan() {
        return String::new();
    }
    if x.is_infinite() {
        return if x > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let text = format!("{x:.8e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    match exponent.strip_prefix('-') {
        Some(exponent) => format!("{digits}e-{exponent:0>2}"),
        None => format!("{digits}e+{exponent:0>2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Column;

    #[test]
    fn numbers_are_written_as_c_writes_them() {
        for (x, text) in [
            (0.0, "0.00000000e+00"),
            (-1.5, "-1.50000000e+00"),
            (0.123_456_789_6, "1.23456790e-01"),
            (1e100, "1.00000000e+100"),
            (f64::NAN, ""),
        ] {
            assert_eq!(scientific(x), text);
        }
    }

    #[test]
    fn files_have_the_librarys_columns() {
        let columns = ["time", "polarization", "library.rotation"].map(|n| Column::numbers(n, n, "1"));
        let mut table = Table::new("series", columns.to_vec());
        for row in [[0.0, 0.5, 0.1], [0.1, 0.25, 0.2], [0.2, 0.75, 0.4]] {
            table.push(&row);
        }
        let mut csv = Vec::new();
        order_parameters(&table, &mut csv).unwrap();
        let csv = String::from_utf8(csv).unwrap();
        assert!(csv.starts_with("Time,Polarization,Rotation\n0.00000000e+00,5.00000000e-01,1.00000000e-01\n"), "{csv}");
        let mut summary = Vec::new();
        entropy_summary(&table, &mut summary).unwrap();
        let summary = String::from_utf8(summary).unwrap();
        let wanted =
            "polarization,5.00000000e-01,2.50000000e-01,7.50000000e-01,2.50000000e-01,7.50000000e-01\nrotation,";
        assert!(summary.contains(wanted), "{summary}");
        assert!(summary.contains("\nspread,,,,,\n"), "{summary}");
    }
}
