//! A trajectory as NetCDF, with the variables and attributes of dewi-kadita 0.0.4 and ours beside them, and as NPY.

use std::{io::Write as _, path::Path};

use serde_json::{Value as Json, json};
use surprisal_core::{
    data::write::{
        netcdf::{Attribute, Dimension, Kind, Layout, Writer},
        npy,
        school_csv::{self, Summary},
    },
    experiment::{Record, Table},
    sim::{
        Boundary,
        swarm::{Rule, Setup, Start},
    },
};

use super::{folder, frames::Spool};

/// The measures over time: name, long name, unit, description. The last one is a length.
const MEASURES: [(&str, &str, &str, &str); 12] = [
    ("polarization", "school_polarization_order_parameter", "dimensionless", ""),
    ("rotation", "school_rotation_order_parameter", "dimensionless", ""),
    ("order_index", "order_index", "dimensionless", "Simple order index: max(P, M). High = ordered."),
    ("school_cohesion_entropy", "", "dimensionless", "School cohesion entropy (NND distribution)"),
    ("polarization_entropy", "", "dimensionless", "Polarization entropy (heading distribution)"),
    ("depth_stratification_entropy", "", "dimensionless", "Depth stratification entropy"),
    ("angular_momentum_entropy", "", "dimensionless", "Angular momentum entropy (milling)"),
    ("nearest_neighbor_entropy", "", "dimensionless", "k-NN distance entropy"),
    ("velocity_correlation_entropy", "", "dimensionless", "Velocity correlation entropy (pairwise alignment)"),
    ("school_shape_entropy", "", "dimensionless", "School shape entropy (PCA)"),
    ("oceanic_schooling_index", "", "dimensionless", "Composite Oceanic Schooling Index (high = disorder)"),
    ("spread", "school_spread_rms", "simulation_length_units", ""),
];

const LENGTH: &str = "simulation_length_units";
const VELOCITY: &str = "simulation_velocity_units";

/// Writes `DIR/<experiment>.nc`.
pub(crate) fn netcdf(dir: &Path, spool: &Spool, record: &Record, title: &str, setup: &Setup) -> anyhow::Result<String> {
    let name = format!("{}.nc", record.experiment);
    let empty = Table::default();
    let table = record.table("series").unwrap_or(&empty);
    let measures: Vec<_> = MEASURES.iter().filter(|m| !school_csv::series(table, m.0).is_empty()).collect();
    let mut layout = Layout::default();
    let time = layout.dimension("time", None);
    let fish = layout.dimension("fish", Some(spool.count()));
    let spatial = layout.dimension("spatial", Some(3));
    let t = layout.variable("time", Kind::Double, &[time]);
    t.attribute("units", "simulation_time_units").attribute("long_name", "simulation_time").attribute("axis", "T");
    let indices = (0..i32::try_from(spool.count())?).collect();
    let index = layout.variable("fish", Kind::Ints(indices), &[fish]);
    index.attribute("long_name", "fish_index").attribute("units", "1");
    let axes = layout.variable("spatial", Kind::Ints(vec![0, 1, 2]), &[spatial]);
    axes.attribute("long_name", "spatial_dimension").attribute("comment", "0=x, 1=y, 2=z (depth)");
    vectors(&mut layout, time, fish, spatial);
    for (name, long, unit, description) in &measures {
        let variable = layout.variable(name, Kind::Double, &[time]);
        variable.attribute("units", *unit).attribute("long_name", if long.is_empty() { *name } else { *long });
        if *unit == "dimensionless" {
            variable.attribute("valid_range", Attribute::Doubles(vec![0.0, 1.0]));
        }
        if !description.is_empty() {
            variable.attribute("description", *description);
        }
    }
    describe(&mut layout, spool, record, title, setup, table);

    folder::put(dir, &name, |out| {
        let mut writer = Writer::new(out, layout)?;
        let columns: Vec<&[f64]> = measures.iter().map(|m| school_csv::series(table, m.0)).collect();
        let times = table.numbers("time");
        let mut row = 0;
        let mut parts: [Vec<f64>; 6] = Default::default();
        spool.each(1, |frame| {
            let now = time_of(frame.step, setup);
            let near = setup.time_step * 1e-3;
            while times.get(row).is_some_and(|t| *t < now - near) {
                row += 1;
            }
            let measured = times.get(row).is_some_and(|t| (*t - now).abs() <= near);
            let values: Vec<[f64; 1]> =
                columns.iter().map(|c| [c.get(row).copied().filter(|_| measured).unwrap_or(f64::NAN)]).collect();
            for (k, part) in parts.iter_mut().enumerate() {
                let source = if k.is_multiple_of(2) { &frame.positions } else { &frame.velocities };
                part.clear();
                part.extend(source.iter().skip(k / 2).step_by(3));
            }
            let now = [now];
            let mut all: Vec<&[f64]> = vec![&now, &frame.positions, &frame.velocities];
            all.extend(parts.iter().map(Vec::as_slice));
            all.extend(values.iter().map(|v| &v[..]));
            Ok(writer.record(&all)?)
        })?;
        writer.finish()?;
        Ok(())
    })?;
    Ok(name)
}

/// Positions and velocities, whole and by component, in the order that records have.
fn vectors(layout: &mut Layout, time: Dimension, fish: Dimension, spatial: Dimension) {
    for (name, unit, long) in [("positions", LENGTH, "fish_positions"), ("velocities", VELOCITY, "fish_velocities")] {
        let variable = layout.variable(name, Kind::Double, &[time, fish, spatial]);
        variable.attribute("units", unit).attribute("long_name", long);
    }
    for axis in ["x", "y", "z"] {
        let variable = layout.variable(axis, Kind::Double, &[time, fish]);
        variable.attribute("units", LENGTH).attribute("long_name", format!("fish_{axis}_position"));
        let variable = layout.variable(&format!("v{axis}"), Kind::Double, &[time, fish]);
        variable.attribute("units", VELOCITY).attribute("long_name", format!("fish_{axis}_velocity"));
    }
}

/// The library's global attributes, then ours: with them the file says how it is made again. scipy's reader makes them
/// attributes of its own object, so none may be called `mode` or `dimensions`.
fn describe(layout: &mut Layout, spool: &Spool, record: &Record, title: &str, setup: &Setup, table: &Table) {
    let version = &record.surprisal;
    layout.attribute("title", title);
    layout.attribute("scenario_name", record.experiment.as_str());
    layout.attribute("institution", "surprisal");
    layout.attribute("source", format!("surprisal {version}"));
    layout.attribute("history", format!("surprisal {version} run {}", record.experiment));
    layout.attribute("Conventions", "CF-1.8");
    let whole = |n: u64| i32::try_from(n).map_or_else(|_| Attribute::from(n.to_string()), Attribute::from);
    layout.attribute("n_fish", whole(spool.count()));
    let side = match setup.space.boundary {
        Boundary::Periodic { side } | Boundary::Walls { side } => side,
        Boundary::Tank { radius, .. } => 2.0 * radius,
        Boundary::Open => f64::NAN,
    };
    layout.attribute("box_size", side);
    layout.attribute("speed", setup.speed);
    let zones = match setup.rule {
        Rule::Couzin2002(z) => {
            let blind = (360.0 - z.field_of_view.to_degrees()) / 2.0;
            Some((
                z.repulsion,
                z.orientation,
                z.attraction,
                z.turning_rate * setup.time_step,
                z.noise,
                blind,
                z.orientation_weight,
            ))
        }
        Rule::Dewi(d) => {
            let blind = d.blind.to_degrees();
            Some((d.repulsion, d.orientation, d.attraction, d.max_turn, d.noise, blind, d.orientation_weight))
        }
        Rule::Vicsek(_) | Rule::Boids(_) => None,
    };
    if let Some((repulsion, orientation, attraction, turn, noise, blind, weight)) = zones {
        let names =
            ["r_repulsion", "r_orientation", "r_attraction", "max_turn", "noise", "blind_angle", "orientation_weight"];
        for (name, value) in names.into_iter().zip([repulsion, orientation, attraction, turn, noise, blind, weight]) {
            layout.attribute(name, value);
        }
        layout.attribute("torus_init", i32::from(matches!(setup.start, Start::Ring { .. })));
    }
    layout.attribute("n_steps", whole(record.steps));
    layout.attribute("dt", setup.time_step);
    layout.attribute("save_interval", whole(spool.every()));
    for name in ["polarization", "rotation", "order_index", "oceanic_schooling_index"] {
        let values = school_csv::series(table, name);
        if !values.is_empty() {
            let summary = Summary::of(values);
            layout.attribute(&format!("final_{name}"), summary.last);
            layout.attribute(&format!("mean_{name}"), summary.mean);
        }
    }
    layout.attribute("experiment", record.experiment.as_str());
    layout.attribute("surprisal_version", version.as_str());
    layout.attribute("spatial_dimensions", i32::try_from(setup.space.dimensions).unwrap_or(3));
    layout.attribute("seed", whole(setup.seed));
    let mode = record.parameters.get("mode").and_then(Json::as_str);
    let rule = json!(setup.rule).get("rule").and_then(Json::as_str).map(str::to_owned).unwrap_or_default();
    layout.attribute("model_mode", mode.map_or(rule, str::to_owned));
    layout.attribute("parameters", Json::Object(record.parameters.clone()).to_string());
}

/// The time of a step.
#[expect(clippy::cast_precision_loss, reason = "steps are far below 2^53")]
fn time_of(step: u64, setup: &Setup) -> f64 {
    step as f64 * setup.time_step
}

/// Writes `DIR/positions.npy` and `DIR/velocities.npy`, frames × particles × 3.
pub(crate) fn arrays(dir: &Path, spool: &Spool) -> anyhow::Result<[String; 2]> {
    let names = ["positions.npy", "velocities.npy"];
    for name in names {
        folder::put(dir, name, |out| {
            out.write_all(&npy::header(&[spool.frames(), spool.count(), 3]))?;
            spool.each(1, |frame| {
                for value in if name == names[0] { &frame.positions } else { &frame.velocities } {
                    out.write_all(&value.to_le_bytes())?;
                }
                Ok(())
            })
        })?;
    }
    Ok(names.map(str::to_owned))
}
