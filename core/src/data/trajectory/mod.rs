//! Trajectories of animals: what trackers and simulators write, read to one type.
//!
//! Every format is recognised by its content first and its name second. Positions stay as the file has
//! them (its unit, its y axis) until [`Trajectories::with_scale`] and [`Trajectories::y_up`] are asked
//! for; what a file does not say (frames per second, pixels per centimetre) is `None`, and the door asks.

mod arrays;
mod columns;
mod detect;
mod dlc;
mod error;
mod gaps;
mod grid;
mod hdf5;
mod idtracker;
mod load;
mod netcdf;
mod npz;
mod open;
mod pandas;
mod pickle;
mod plain;
mod pose;
mod process;
mod sheet;
mod shiners;
mod sleap;
mod trex;

pub use detect::detect;
pub use error::TrajectoryError;
pub use gaps::{Filled, Gaps};
pub use open::open;
pub use process::Snapshot;

use serde::{Deserialize, Serialize};

/// The formats that are read, and two that are recognised only to say what to use instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// idtracker.ai `trajectories.h5`: dataset `trajectories` (frames, animals, 2), scalars as root attributes.
    IdtrackerHdf5,
    /// idtracker.ai `trajectories.csv`: `time,x1,y1,x2,y2,…`, with `attributes.json` beside it.
    IdtrackerCsv,
    /// idtracker.ai `trajectories_tidy.csv`: `frame,time,individual,x,y,probability`, with `attributes_tidy.json`.
    IdtrackerTidy,
    /// A pickled dictionary (`trajectories.npy`, `.pickle`): recognised, never read.
    Pickled,
    /// Parquet: recognised, not read.
    Parquet,
    /// TRex: one `.npz` or `.csv` per animal, one-dimensional arrays of equal length, missing = +inf.
    Trex,
    /// SLEAP analysis HDF5: `tracks` (tracks, 2, nodes, frames) or as its attribute `dims` says.
    SleapHdf5,
    /// SLEAP CSV: `track,frame_idx,instance.score,<node>.x,<node>.y,<node>.score,…`.
    SleapCsv,
    /// DeepLabCut CSV: 3 or 4 header rows (scorer, individuals, bodyparts, coords).
    DeepLabCutCsv,
    /// DeepLabCut's pandas table in HDF5.
    DeepLabCutHdf5,
    /// One row per animal and frame: frame or time, id, x, y, and perhaps z and velocities.
    LongCsv,
    /// One row per frame: frame or time, x1, y1, x2, y2, ….
    WideCsv,
    /// NPY or NPZ of shape (frames, animals, 2 or 3).
    Numpy,
    /// NetCDF-3 or NetCDF-4 with `positions` (time, fish, spatial), perhaps `velocities` and `time`.
    NetCdf,
    /// One frame: `Fish_ID,x,y,z,vx,vy,vz`.
    FinalState,
    /// JSON with `px`, `py`, `vx`, `vy`, `onfish` per frame; identities retire and restart.
    Shiners,
    /// Some HDF5 file: its datasets decide when it is opened.
    Hdf5,
}

impl Format {
    /// The name to show.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::IdtrackerHdf5 => "idtracker.ai HDF5",
            Self::IdtrackerCsv => "idtracker.ai CSV",
            Self::IdtrackerTidy => "idtracker.ai tidy CSV",
            Self::Pickled => "pickled Python objects",
            Self::Parquet => "Parquet",
            Self::Trex => "TRex",
            Self::SleapHdf5 => "SLEAP analysis HDF5",
            Self::SleapCsv => "SLEAP CSV",
            Self::DeepLabCutCsv => "DeepLabCut CSV",
            Self::DeepLabCutHdf5 => "DeepLabCut HDF5",
            Self::LongCsv => "CSV, one row per animal and frame",
            Self::WideCsv => "CSV, one row per frame",
            Self::Numpy => "NumPy array (frames, animals, coordinates)",
            Self::NetCdf => "NetCDF",
            Self::FinalState => "final state CSV",
            Self::Shiners => "golden shiners JSON",
            Self::Hdf5 => "HDF5",
        }
    }
}

/// What the caller knows better than the file, and the limits. All lengths are in the file's unit.
#[derive(Clone, Debug)]
pub struct TrajectoryOptions {
    /// What the files are; `None`: find out.
    pub format: Option<Format>,
    /// Frames per second; wins over the file's.
    pub frame_rate: Option<f64>,
    /// So many of the file's units make one unit of length (pixels per centimetre); positions are divided by it.
    pub scale: Option<f64>,
    /// The unit of length that `scale` leads to.
    pub length_unit: Option<String>,
    /// Whether y grows downwards in the file; `None`: as the format has it.
    pub y_down: Option<bool>,
    /// A body part whose likelihood or score is below this is not trusted (DeepLabCut). 0.6.
    pub likelihood: f64,
    /// The body part that stands for the animal (DeepLabCut, SLEAP); `None`: the mean of the trusted ones.
    pub body_part: Option<String>,
    /// Body parts from which to which the animal points: tail, head (DeepLabCut, SLEAP).
    pub heading: Option<(String, String)>,
    /// The most bytes that the decoded files, and that the positions, may take. 1 GiB.
    pub max_bytes: u64,
}

impl Default for TrajectoryOptions {
    fn default() -> Self {
        Self {
            format: None,
            frame_rate: None,
            scale: None,
            length_unit: None,
            y_down: None,
            likelihood: 0.6,
            body_part: None,
            heading: None,
            max_bytes: 1 << 30,
        }
    }
}

/// One of the files that trajectories were read from: enough to recognise the same bytes again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrajectoryFile {
    /// The file's name, without its folder.
    pub name: String,
    /// Its size in bytes as it lies on disk.
    pub size: u64,
    /// SHA-256 of those bytes, lower-case hexadecimal.
    pub sha256: String,
}

/// The paths of animals over equally numbered frames.
#[derive(Clone, Debug, PartialEq)]
pub struct Trajectories {
    /// 2 or 3.
    pub dims: usize,
    /// The number of frames.
    pub frames: usize,
    /// The animals' names, in the file's order.
    pub animals: Vec<String>,
    /// `[frame][animal][dim]`, row-major; NaN where the animal was not seen.
    pub positions: Vec<f64>,
    /// The same shape, units of length per second; NaN where unknown.
    pub velocities: Option<Vec<f64>>,
    /// `[frame][animal]`: the angle of the body in radians, atan2(y, x) in the file's axes; NaN where unknown.
    pub headings: Option<Vec<f64>>,
    /// The file's number of every frame, where it has numbers.
    pub frame_numbers: Option<Vec<i64>>,
    /// Seconds (or the simulation's unit of time) of every frame, where the file has them.
    pub times: Option<Vec<f64>>,
    /// Frames per second; `None` where the file does not say.
    pub frame_rate: Option<f64>,
    /// So many of the units that the positions are in make one unit of length: pixels per centimetre, and 1
    /// once they are lengths. `None` where unknown.
    pub unit_per_length: Option<f64>,
    /// What the positions are in now: `px`, `cm`, …; `None` where unknown.
    pub length_unit: Option<String>,
    /// The median length of an animal, in the same unit.
    pub body_length: Option<f64>,
    /// Width and height of the arena or the video, in the same unit; of a periodic cube, its side twice.
    pub extent: Option<[f64; 2]>,
    /// y grows downwards, as in video pixels.
    pub y_down: bool,
    /// What the files were recognised as.
    pub source: Format,
    /// The files.
    pub provenance: Vec<TrajectoryFile>,
    /// What a reader noticed and the user should know.
    pub notes: Vec<String>,
    /// `[frame][animal]`: which identity a place holds, where several identities that never meet share one
    /// (golden shiners). Neither gaps are filled nor velocities taken across a change.
    pub identities: Option<Vec<u32>>,
}

impl Trajectories {
    /// The coordinates of `animal` in `frame`: two or three numbers, NaN where it was not seen; `None` beyond the ends.
    #[must_use]
    pub fn position(&self, frame: usize, animal: usize) -> Option<&[f64]> {
        if frame >= self.frames || animal >= self.animals.len() {
            return None;
        }
        let at = (frame * self.animals.len() + animal) * self.dims;
        self.positions.get(at..at + self.dims)
    }

    /// Whether `animal` was seen in `frame`.
    #[must_use]
    pub fn is_present(&self, frame: usize, animal: usize) -> bool {
        self.position(frame, animal).is_some_and(|p| p.iter().all(|x| x.is_finite()))
    }
}
