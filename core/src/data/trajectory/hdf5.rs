//! HDF5: the few questions that the readers ask.

use super::{
    TrajectoryError,
    error::{part, within},
    npz::Array,
};
use crate::data::DataError;
use hdf5_reader::{Dataset, Hdf5File, OpenOptions, messages::datatype::Datatype};

/// An open file.
pub(super) struct H5 {
    name: String,
    file: Hdf5File,
    max_bytes: u64,
}

impl H5 {
    /// Opens a file.
    pub(super) fn open(name: &str, bytes: Vec<u8>, max_bytes: u64) -> Result<Self, TrajectoryError> {
        let limit = usize::try_from(max_bytes).unwrap_or(usize::MAX);
        let options = OpenOptions::default().with_max_read_bytes(limit).with_max_chunk_bytes(limit.min(256 << 20));
        let wrong = |e: hdf5_reader::error::Error| {
            within(name)(DataError::Malformed { what: "HDF5 file", offset: 0, why: e.to_string() })
        };
        let file = Hdf5File::from_vec_with_options(bytes, options).map_err(wrong)?;
        file.root_group().and_then(|g| g.member_names()).map_err(wrong)?;
        Ok(Self { name: name.to_owned(), file, max_bytes })
    }

    /// The file's name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The names of the groups and datasets at the root.
    pub(super) fn members(&self) -> (Vec<String>, Vec<String>) {
        self.file.root_group().and_then(|g| g.member_names()).unwrap_or_default()
    }

    /// The names of what is in a group at the root.
    pub(super) fn names_in(&self, group: &str) -> Vec<String> {
        let members = self.file.root_group().and_then(|g| g.group(group)).and_then(|g| g.member_names());
        members.map(|(groups, datasets)| [groups, datasets].concat()).unwrap_or_default()
    }

    /// Whether there is such a dataset at the root.
    pub(super) fn has(&self, dataset: &str) -> bool {
        self.members().1.iter().any(|d| d == dataset)
    }

    fn dataset(&self, path: &str) -> Result<Dataset, TrajectoryError> {
        self.file.dataset(path).map_err(|e| self.wrong(path, e.to_string()))
    }

    /// An error about one of the file's datasets.
    pub(super) fn wrong(&self, dataset: &str, why: impl Into<String>) -> TrajectoryError {
        part(&self.name, format!("dataset {dataset}"), why)
    }

    /// The lengths of a dataset's axes.
    pub(super) fn shape(&self, path: &str) -> Result<Vec<u64>, TrajectoryError> {
        Ok(self.dataset(path)?.shape().to_vec())
    }

    /// A dataset of numbers, whole, as reals.
    pub(super) fn array(&self, path: &str) -> Result<Array, TrajectoryError> {
        let set = self.dataset(path)?;
        let shape = set.shape().to_vec();
        let needed = shape.iter().try_fold(8_u64, |n, &d| n.checked_mul(d)).unwrap_or(u64::MAX);
        if needed > self.max_bytes {
            let limit = self.max_bytes;
            return Err(self.wrong(path, format!("shape {shape:?} needs {needed} bytes, the limit is {limit} bytes")));
        }
        let wrong = |e: hdf5_reader::error::Error| self.wrong(path, e.to_string());
        macro_rules! read {
            ($t:ty) => {{
                let array = set.read_array::<$t>().map_err(wrong)?;
                (array.shape().to_vec(), array.iter().map(|&x| f64::from(x)).collect::<Vec<f64>>())
            }};
            ($t:ty, wide) => {{
                let array = set.read_array::<$t>().map_err(wrong)?;
                (array.shape().to_vec(), array.iter().map(|&x| x as f64).collect::<Vec<f64>>())
            }};
        }
        let (shape, values) = match set.dtype() {
            Datatype::FloatingPoint { size: 8, .. } => read!(f64),
            Datatype::FloatingPoint { size: 4, .. } => read!(f32),
            Datatype::FixedPoint { size: 1, signed: true, .. } => read!(i8),
            Datatype::FixedPoint { size: 1, .. } => read!(u8),
            Datatype::FixedPoint { size: 2, signed: true, .. } => read!(i16),
            Datatype::FixedPoint { size: 2, .. } => read!(u16),
            Datatype::FixedPoint { size: 4, signed: true, .. } => read!(i32),
            Datatype::FixedPoint { size: 4, .. } => read!(u32),
            Datatype::FixedPoint { size: 8, signed: true, .. } => read!(i64, wide),
            Datatype::FixedPoint { size: 8, .. } => read!(u64, wide),
            _ => return Err(self.wrong(path, "its type is not a number of 1, 2, 4 or 8 bytes")),
        };
        Ok(Array { shape, values })
    }

    /// Whether a table of so many numbers may be made of what is in the file.
    pub(super) fn fits(&self, path: &str, rows: usize, columns: usize) -> Result<(), TrajectoryError> {
        let needed = (rows as u64).saturating_mul(columns as u64).saturating_mul(8);
        if needed > self.max_bytes {
            let limit = self.max_bytes;
            let why = format!("{rows} rows of {columns} numbers need {needed} bytes, the limit is {limit} bytes");
            return Err(self.wrong(path, why));
        }
        Ok(())
    }

    /// A dataset of records, whole: their type, and their bytes with numbers in native order.
    pub(super) fn records(&self, path: &str) -> Result<(Datatype, Vec<u8>), TrajectoryError> {
        let set = self.dataset(path)?;
        let wrong = |e: hdf5_reader::error::Error| self.wrong(path, e.to_string());
        let needed = set.raw_byte_len().map_err(wrong)? as u64;
        if needed > self.max_bytes {
            return Err(self.wrong(path, format!("it has {needed} bytes, the limit is {} bytes", self.max_bytes)));
        }
        Ok((set.dtype().clone(), set.read_native_bytes().map_err(wrong)?))
    }

    /// A dataset of strings; none where there is no such dataset or it holds something else.
    pub(super) fn strings(&self, path: &str) -> Vec<String> {
        self.file.dataset(path).and_then(|d| d.read_strings()).unwrap_or_default()
    }

    /// A number among the attributes of the root, or a dataset of one number.
    pub(super) fn number(&self, name: &str) -> Option<f64> {
        let attribute = self.file.root_group().and_then(|g| g.attribute(name));
        attribute.ok().and_then(|a| a.read_as_f64().ok()).or_else(|| {
            let shape = self.shape(name).ok()?;
            shape.iter().all(|&d| d == 1).then(|| self.array(name).ok()?.values.first().copied()).flatten()
        })
    }

    /// Several strings among the attributes of the root.
    pub(super) fn texts(&self, name: &str) -> Vec<String> {
        let attribute = self.file.root_group().and_then(|g| g.attribute(name));
        attribute.ok().and_then(|a| a.read_strings().ok()).unwrap_or_default()
    }

    /// A string among the attributes of a dataset.
    pub(super) fn text_of(&self, path: &str, name: &str) -> Option<String> {
        self.file.dataset(path).and_then(|d| d.attribute(name)).ok()?.read_string().ok()
    }
}
