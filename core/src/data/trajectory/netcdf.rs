//! NetCDF-4 (which is HDF5) and NetCDF-3 as the school simulator dewi-kadita writes them: `positions` and
//! `velocities` (time, fish, spatial), or `x`, `y`, `z`, `vx`, `vy`, `vz` (time, fish), with `time`.

use super::{
    Format, Trajectories, TrajectoryError, TrajectoryOptions,
    error::{part, within},
    grid::{Plan, blank, rate_of},
    hdf5::H5,
    npz::Array,
    open::KNOWN,
};
use crate::data::DataError;
use netcdf_reader::NcFile;

/// Either container.
pub(super) enum Container {
    Hdf5(Box<H5>),
    Classic { name: String, file: Box<NcFile>, len: u64 },
}

impl Container {
    /// A NetCDF-3 file: classic, 64-bit offset or 64-bit data.
    pub(super) fn classic(name: &str, bytes: Vec<u8>) -> Result<Self, TrajectoryError> {
        let len = bytes.len() as u64;
        let wrong = |e: netcdf_reader::Error| {
            within(name)(DataError::Malformed { what: "NetCDF-3 file", offset: 0, why: e.to_string() })
        };
        let file = Box::new(NcFile::from_bytes(&bytes).map_err(wrong)?);
        Ok(Self::Classic { name: name.to_owned(), file, len })
    }

    fn name(&self) -> &str {
        match self {
            Self::Hdf5(h5) => h5.name(),
            Self::Classic { name, .. } => name,
        }
    }

    fn variables(&self) -> Vec<String> {
        match self {
            Self::Hdf5(h5) => h5.members().1,
            Self::Classic { file, .. } => {
                file.variables().map(|v| v.iter().map(|v| v.name().to_owned()).collect()).unwrap_or_default()
            }
        }
    }

    /// A variable, whole, with its fill value as NaN; `None` if there is no such variable.
    fn array(&self, variable: &str) -> Result<Option<Array>, TrajectoryError> {
        if !self.variables().iter().any(|v| v == variable) {
            return Ok(None);
        }
        let mut array = match self {
            Self::Hdf5(h5) => h5.array(variable)?,
            Self::Classic { name, file, len } => {
                let wrong = |why: String| part(name, format!("variable {variable}"), why);
                let shape = file.variable(variable).map_err(|e| wrong(e.to_string()))?.shape();
                // Nothing is packed: every value takes a byte at least.
                if shape.iter().try_fold(1_u64, |n, &d| n.checked_mul(d)).is_none_or(|n| n > *len) {
                    return Err(wrong(format!("its shape is {shape:?}, the whole file has {len} bytes")));
                }
                let read = file.read_variable_as_f64(variable).map_err(|e| wrong(e.to_string()))?;
                Array { shape: read.shape().to_vec(), values: read.iter().copied().collect() }
            }
        };
        // NC_FILL_DOUBLE and NC_FILL_FLOAT are 9.97e36.
        array.values.iter_mut().filter(|x| !x.is_finite() || x.abs() > 9e36).for_each(|x| *x = f64::NAN);
        Ok(Some(array))
    }

    fn units(&self, variable: &str) -> Option<String> {
        match self {
            Self::Hdf5(h5) => h5.text_of(variable, "units"),
            Self::Classic { file, .. } => file.variable(variable).ok()?.attribute("units")?.value.as_string(),
        }
    }

    fn number(&self, attribute: &str) -> Option<f64> {
        match self {
            Self::Hdf5(h5) => h5.number(attribute),
            Self::Classic { file, .. } => file.global_attribute(attribute).ok()?.value.as_f64(),
        }
    }

    /// (time, fish, spatial) from one variable, or from one per axis.
    fn vectors(&self, whole: &str, axes: [&str; 3]) -> Result<Option<Array>, TrajectoryError> {
        let wrong = |variable: &str, shape: &[usize], expected: &str| {
            part(self.name(), format!("variable {variable}"), format!("its shape is {shape:?}, not {expected}"))
        };
        if let Some(array) = self.array(whole)? {
            let fits = matches!(array.shape[..], [t, n, 2 | 3] if t > 0 && n > 0);
            let refused = || wrong(whole, &array.shape, "(time, fish, 2 or 3), with a time and a fish at least");
            return if fits { Ok(Some(array)) } else { Err(refused()) };
        }
        let mut parts = Vec::new();
        for axis in axes {
            if let Some(array) = self.array(axis)? {
                let first = parts.first().map_or(&array.shape, |a: &Array| &a.shape);
                if array.shape.len() != 2 || array.shape != *first || array.values.is_empty() {
                    return Err(wrong(axis, &array.shape, "(time, fish), alike for all axes and not empty"));
                }
                parts.push(array);
            }
        }
        if parts.len() < 2 {
            return Ok(None);
        }
        let shape = vec![parts[0].shape[0], parts[0].shape[1], parts.len()];
        let values = (0..parts[0].values.len()).flat_map(|i| parts.iter().map(move |p| p.values[i])).collect();
        Ok(Some(Array { shape, values }))
    }
}

/// Reads what the container holds.
pub(super) fn read(file: &Container, options: &TrajectoryOptions) -> Result<Trajectories, TrajectoryError> {
    let Some(positions) = file.vectors("positions", ["x", "y", "z"])? else {
        let found = file.variables().join(", ");
        let names = format!("{} (neither positions nor x and y among {found})", file.name());
        return Err(TrajectoryError::Unrecognised { names, instead: KNOWN });
    };
    let velocities = file.vectors("velocities", ["vx", "vy", "vz"])?;
    let (frames, n, dims) = (positions.shape[0], positions.shape[1], positions.shape[2]);
    if let Some(v) = velocities.as_ref().filter(|v| v.shape != positions.shape) {
        let why = format!("its shape is {:?}, that of the positions {:?}", v.shape, positions.shape);
        return Err(part(file.name(), "variable velocities", why));
    }
    let fish = file.array("fish")?.filter(|f| f.values.len() == n);
    let animals = match &fish {
        Some(f) => f.values.iter().map(f64::to_string).collect(),
        None => (0..n).map(|i| i.to_string()).collect(),
    };
    let plan = Plan {
        name: file.name(),
        source: Format::NetCdf,
        dims,
        animals,
        velocities: velocities.is_some(),
        headings: false,
        timed: false,
        max_bytes: options.max_bytes,
    };
    let (mut made, _) = blank(&plan, frames)?;
    made.positions = positions.values;
    made.velocities = velocities.map(|v| v.values);
    if let Some(time) = file.array("time")?.filter(|t| t.values.len() == frames) {
        let pairs = time.values.iter().copied().enumerate().map(|(i, t)| (i as f64, t));
        made.frame_rate = rate_of(pairs, &mut made.notes);
        made.times = Some(time.values);
    }
    if let Some(units) = file.units("time") {
        made.notes.push(format!("times are in {units}"));
    }
    made.length_unit = file.units("positions").or_else(|| file.units("x"));
    made.unit_per_length = Some(1.0);
    made.extent = file.number("box_size").filter(|l| l.is_finite() && *l > 0.0).map(|l| [l, l]);
    Ok(made)
}
