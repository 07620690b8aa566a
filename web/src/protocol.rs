//! What the page and the engine say to each other.
//!
//! Messages are plain data. A file travels beside its [`Ask::Open`], because a `File` is a handle, not data;
//! a result travels as the JSON text of its record, so that the page shows and exports exactly those digits.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use surprisal_core::{
    data::{ColumnType, Provenance},
    figure::Figure,
    measure::{Of, surrogate},
    quantity::Information,
};

use crate::live;

/// From the page to the engine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Ask {
    /// The first message: say what there is to compute with.
    Hello {
        /// Which back end the user wants.
        wish: Wish,
    },
    /// Read the blobs that travel beside this message: as a recording of animals, where they are one, or beside each other.
    Open {
        /// Answers carry this number.
        file: u32,
        /// Their names.
        names: Vec<String>,
        /// Whether they are no recording, whatever they look like.
        table: bool,
    },
    /// Measure the open recording again.
    Watch {
        /// The file's number.
        file: u32,
        /// Parameters that differ from their defaults.
        parameters: Map<String, Json>,
        /// What simulates the schools it is compared with.
        wish: Wish,
    },
    /// Measure columns of the open file.
    Measure(Run),
    /// Compute again on the CPU reference.
    CrossCheck(Run),
    /// Measure a sample that travels beside this message, without opening it on the page.
    Example {
        /// The name of the sample.
        name: String,
        /// The measure whose figures are wanted.
        measure: String,
    },
    /// End what is running and forget what is waiting.
    Cancel,
    /// Compare every GPU kernel with the CPU reference.
    SelfTest,
    /// Something about the experiment that runs beside the open file.
    Live {
        /// The number of the run.
        run: u32,
        /// What is asked for.
        act: live::Act,
    },
}

/// Several jobs on the open file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Run {
    /// The file's number.
    pub(crate) file: u32,
    /// Answers carry this number.
    pub(crate) run: u32,
    /// In the order of the report.
    pub(crate) jobs: Vec<Job>,
    /// Resamples of an uncertainty; 0 for none.
    pub(crate) resamples: u32,
    /// The seed of all resampling.
    pub(crate) seed: u64,
    /// The unit of information.
    pub(crate) information: Information,
    /// The back end.
    pub(crate) wish: Wish,
}

/// One measure of one subject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Job {
    /// What identifies its result: measure, subject, parameters and options (see [`crate::plan`]).
    pub(crate) key: String,
    /// The id of the measure.
    pub(crate) measure: String,
    /// What it is asked of.
    pub(crate) of: Of,
    /// Parameters that differ from their defaults.
    pub(crate) parameters: Map<String, Json>,
    /// Surrogates that it is compared with, or is to say why not.
    pub(crate) surrogates: Option<surrogate::Plan>,
}

/// Which back end the user wants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Wish {
    /// The GPU where it is faster, else the CPU.
    #[default]
    Auto,
    /// The CPU only.
    Cpu,
    /// The GPU wherever there is a kernel; its failure is shown.
    Gpu,
}

impl Wish {
    /// The word in a URL and on the command line.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Cpu => "cpu",
            Self::Gpu => "gpu",
        }
    }

    /// The wish that a word stands for.
    pub(crate) fn of(word: &str) -> Option<Self> {
        [Self::Auto, Self::Cpu, Self::Gpu].into_iter().find(|wish| wish.word() == word)
    }
}

/// From the engine to the page.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Tell {
    /// The worker listens.
    Awake,
    /// What there is to compute with.
    Ready(Badge),
    /// How far the running work is.
    Progress(Progress),
    /// A file has been read.
    Opened(Box<Opened>),
    /// A recording of animals has been read and measured.
    Recorded(Box<Recorded>),
    /// One job is done.
    Measured {
        /// The run it belongs to.
        run: u32,
        /// The job's key.
        key: String,
        /// The JSON text of its [`surprisal_core::report::ResultRecord`].
        record: String,
        /// Its pictures.
        figures: Vec<Figure>,
    },
    /// One job was computed again by the CPU reference.
    Checked {
        /// The run it belongs to.
        run: u32,
        /// The job's key.
        key: String,
        /// The JSON text of the second record.
        record: String,
    },
    /// Figures of a sample.
    Example {
        /// The pictures.
        figures: Vec<Figure>,
    },
    /// A line of the self-test.
    Line(String),
    /// An ask has been answered in full.
    Done {
        /// What was asked.
        what: Errand,
        /// Bytes of the engine's memory.
        heap: f64,
    },
    /// An ask could not be answered.
    Failed {
        /// What was asked.
        what: Errand,
        /// Why, in words.
        message: String,
        /// Whether the user ended it.
        cancelled: bool,
        /// Bytes of the engine's memory.
        heap: f64,
    },
    /// Something about the experiment that runs.
    Live {
        /// The number of the run.
        run: u32,
        /// What there is to tell.
        news: live::News,
    },
    /// The engine has panicked; it answers no more.
    Crashed(String),
}

/// What an answer answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Errand {
    /// [`Ask::Open`] of this file, or [`Ask::Watch`] of this recording.
    Open(u32),
    /// [`Ask::Measure`] with this run.
    Measure(u32),
    /// [`Ask::CrossCheck`] with this run.
    CrossCheck(u32),
    /// [`Ask::Example`].
    Example,
    /// [`Ask::SelfTest`].
    SelfTest,
}

/// What there is to compute with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Badge {
    /// The adapter's name where a GPU is in use.
    pub(crate) gpu: Option<String>,
    /// More about it, or why there is none.
    pub(crate) detail: String,
    /// Whether a GPU could be asked for.
    pub(crate) available: bool,
}

/// How far work is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// What is being done.
    pub(crate) label: String,
    /// Finished jobs, or 0.
    pub(crate) finished: u32,
    /// All jobs of this run, or 0 for reading.
    pub(crate) jobs: u32,
    /// Steps or bytes behind.
    pub(crate) done: f64,
    /// Steps or bytes in all.
    pub(crate) total: f64,
    /// Steps or bytes a second.
    pub(crate) rate: f64,
    /// Whether steps are bytes.
    pub(crate) bytes: bool,
    /// Bytes of the engine's memory.
    pub(crate) heap: f64,
}

/// A recording that has been measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Recorded {
    /// The number from the ask.
    pub(crate) file: u32,
    /// The names of its files.
    pub(crate) names: Vec<String>,
    /// What wrote it.
    pub(crate) format: String,
    /// How many animals and frames.
    pub(crate) size: (u32, u32),
    /// Frames in a second, where known.
    pub(crate) frame_rate: Option<f64>,
    /// The parameters that ask for what the file does not say.
    pub(crate) unknown: Vec<String>,
    /// The JSON text of its record.
    pub(crate) record: String,
    /// What is seen, in words.
    pub(crate) seen: String,
    /// Its pictures.
    pub(crate) figures: Vec<Figure>,
}

/// A file that has been read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Opened {
    /// The number from the ask.
    pub(crate) file: u32,
    /// Name, size, hash, kind.
    pub(crate) provenance: Provenance,
    /// All columns.
    pub(crate) columns: Vec<ColumnView>,
    /// The arrays beside the columns.
    pub(crate) arrays: Vec<ArrayView>,
    /// What the reader noticed.
    pub(crate) notes: Vec<String>,
    /// Wall-clock time of reading.
    pub(crate) seconds: f64,
}

/// An array as the page shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ArrayView {
    /// Its name.
    pub(crate) name: String,
    /// Its extent along each axis.
    pub(crate) shape: Vec<u32>,
    /// Measures shown before anybody has chosen.
    pub(crate) suggested: Vec<String>,
}

impl ArrayView {
    /// `64 × 32`.
    pub(crate) fn extent(&self) -> String {
        self.shape.iter().map(u32::to_string).collect::<Vec<_>>().join(" × ")
    }
}

/// A column as the page shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ColumnView {
    /// Its name.
    pub(crate) name: String,
    /// Its unit where known.
    pub(crate) unit: Option<String>,
    /// Its type.
    pub(crate) ty: ColumnType,
    /// Values, missing ones included.
    pub(crate) len: u64,
    /// Missing values.
    pub(crate) missing: u64,
    /// Whether its values are in memory.
    pub(crate) resident: bool,
    /// The first values as text.
    pub(crate) rows: Vec<String>,
    /// Measures shown before anybody has chosen.
    pub(crate) suggested: Vec<String>,
}
