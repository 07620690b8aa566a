//! `surprisal`: entropy measures of files and experiments, on the CPU or the GPU.
//!
//! Exit codes: 0 done, 1 the data cannot be read or measured (or a verified value disagrees, or a claim is not
//! reproduced), 2 the command line is wrong, 130 interrupted.

mod adapters;
mod backend;
mod check;
mod eval;
mod list;
mod measure;
mod output;
mod plot;
mod progress;
mod run;
mod source;
mod text;
mod tokenize;
mod track;
mod verify;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand, ValueEnum};
use surprisal_core::{
    data::{DataError, trajectory::TrajectoryError},
    experiment::ExperimentError,
    measure::{Context, MeasureError, surrogate},
    pace::Cancelled,
    params::ParameterError,
    quantity::Information,
    sim::swarm::SwarmError,
};

/// An entropy laboratory: measures of files and experiments, on the CPU or the GPU.
#[derive(Parser)]
#[command(name = "surprisal", version, about, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measure the columns of a file, pairs of them, or its arrays.
    ///
    /// Without --measure each column gets the measures that suit its type; measures of pairs, tables, images and attention
    /// are for the asking. Missing values are refused unless --missing omit leaves them out.
    #[command(after_help = "Examples:\n  surprisal measure sunspots.csv --column count\n  \
        surprisal measure sunspots.csv --column count --measure perm --set perm.order=4 --format json\n  \
        zcat eeg.csv.gz | surprisal measure - --measure sampen --missing omit\n  \
        surprisal measure weather.csv --column rain --with pressure --with wind --measure mi.ksg1\n  \
        surprisal measure weather.csv --measure te.ksg\n  \
        surprisal measure states.npz --column z --with labels --measure dsmi\n  \
        surprisal measure sunspots.csv --column count --measure sampen --surrogates iaaft=99 --seed 1\n  \
        surprisal measure survey.csv --column answer --preset estimators\n  \
        surprisal measure firmware.bin --plot pictures/")]
    Measure(MeasureArgs),
    /// Run an experiment.
    ///
    /// Takes an experiment's id, a FILE.toml (`experiment = "fish-schooling"` and parameters as keys), a RECORD.json of an
    /// earlier run, or a link to a page. Ctrl-C writes a checkpoint; --resume goes on with it.
    #[command(after_help = "Examples:\n  surprisal run fish-schooling --set orientation_width=6 --steps 2000\n  \
        surprisal run fish-schooling --set mode=dewi --set water=periodic --out school/ --animate gif\n  \
        surprisal run school.toml --set seed=2 --format json\n  \
        surprisal run 'https://example.org/?experiment=vicsek&noise=0.5'\n  \
        surprisal run tokenization-markov --text book.txt --set dictionary=256 --out model/\n  \
        surprisal run school/record.json\n  surprisal run --resume school/")]
    Run(run::RunArgs),
    /// Check the claims of an experiment or a paper by running them.
    ///
    /// Every claim compares a scalar with a threshold that was fixed before any run, or says that it was not; the mean over
    /// the seeds decides. Exits with 0 if all claims are reproduced, else with 1.
    #[command(after_help = "Examples:\n  surprisal check fish-schooling\n  \
        surprisal check fish-schooling --claim fish-schooling.torus-rotation --seeds 10\n  \
        surprisal check vicsek --format json")]
    Check(check::CheckArgs),
    /// Learn dictionaries from a text, cut texts into tokens, put tokens together.
    #[command(subcommand)]
    Tokenize(tokenize::Tokenize),
    /// Tell how well a trained transformer predicts a text: its loss a character, or every token's surprisal as CSV.
    ///
    /// Each token is predicted from those before it in its window; windows as long as the context lie side by side.
    #[command(
        after_help = "Examples:\n  surprisal run tokenization-markov --text book.txt --set dictionary=256 --out model/\n  \
        surprisal eval model/tokens book.txt\n  surprisal eval model/tokens book.txt --format csv > surprisal.csv"
    )]
    Eval(eval::EvalArgs),
    /// Measure a recording of real fish or other animals over its frames.
    ///
    /// Reads idtracker.ai, TRex, SLEAP, DeepLabCut, plain tables, NumPy, NetCDF and golden-shiner JSON, and compares the
    /// group with simulated schools of as many fish, from swarm to parallel school.
    #[command(after_help = "Examples:\n  surprisal track session/trajectories/trajectories.h5\n  \
        surprisal track data/video_id*.npz --set frame_rate=30 --set scale=35.5\n  \
        surprisal track pose.analysis.h5 --body-part head --set frame_rate=25 --out group/")]
    Track(track::TrackArgs),
    /// List what there is.
    List {
        #[command(subcommand)]
        what: List,
    },
    /// List the GPU adapters that can compute.
    Adapters {
        /// As a table or as JSON.
        #[arg(long, value_enum, default_value_t = TableOrJson::Table)]
        format: TableOrJson,
    },
    /// Check this build against a folder of golden records.
    ///
    /// Every *.json file of the folder is a list of records with input, measure, params, value and tolerance, or holds
    /// states of schools of fish ("snapshots" that name NumPy arrays, or "cases") with the values expected of them. Prints
    /// how many agree, disagree (with both values) and are not covered. Exits with 1 on any disagreement.
    Verify {
        /// The folder.
        dir: PathBuf,
        /// What computes.
        #[arg(long, value_enum, default_value_t = BackendChoice::Cpu)]
        backend: BackendChoice,
        /// As a table or as JSON.
        #[arg(long, value_enum, default_value_t = TableOrJson::Table)]
        format: TableOrJson,
    },
}

#[derive(Subcommand)]
enum List {
    /// All experiments with their parameters.
    Experiments {
        /// As a table or as JSON.
        #[arg(long, value_enum, default_value_t = TableOrJson::Table)]
        format: TableOrJson,
    },
    /// Choices of measures for kinds of data.
    Presets,
    /// All measures with their parameters.
    Measures {
        /// As a table or as JSON.
        #[arg(long, value_enum, default_value_t = TableOrJson::Table)]
        format: TableOrJson,
    },
}

#[derive(Args)]
struct MeasureArgs {
    /// The file, or - for standard input. Several are compared: their columns stand beside each other, each named after its
    /// file.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<String>,
    /// A column by its name or by its number from 1, or an array by its name; may be repeated. All by default.
    #[arg(long, short, value_name = "C")]
    column: Vec<String>,
    /// A further column for a measure of several: the second of a pair, or the labels of rows; may be repeated. Without it
    /// a measure of pairs takes every pair of the columns.
    #[arg(long, short, value_name = "C")]
    with: Vec<String>,
    /// A measure by its id; may be repeated. `surprisal list measures` shows all.
    #[arg(long, short, value_name = "ID")]
    measure: Vec<String>,
    /// Measures for a kind of data, beside those that are named. `surprisal list presets` shows all.
    #[arg(long, value_name = "NAME")]
    preset: Option<String>,
    /// A parameter of a measure; may be repeated.
    #[arg(long, value_name = "ID.key=value")]
    set: Vec<String>,
    /// What computes: the CPU, the GPU, or whichever suits the size.
    #[arg(long, value_enum, default_value_t = BackendChoice::Auto)]
    backend: BackendChoice,
    /// Information in bits or nats; by default each measure in the unit of its literature.
    #[arg(long, value_enum)]
    unit: Option<UnitChoice>,
    /// How results are printed.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Draw the pictures of every result into this folder, as SVG and PNG.
    #[arg(long, value_name = "DIR")]
    plot: Option<PathBuf>,
    /// NaN, infinite and missing values: refuse them, or leave them out.
    #[arg(long, value_enum)]
    missing: Option<MissingChoice>,
    /// Resamples for the uncertainty; 0 computes none.
    #[arg(long, default_value_t = Context::RESAMPLES, value_name = "N")]
    resamples: u32,
    /// Seed of all resampling.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Compare each measure of one column with the same measure of so many surrogates of the column: shuffle keeps its
    /// values, phase its spectrum, iaaft both. Such as iaaft=99.
    #[arg(long, value_name = "KIND=N")]
    surrogates: Option<surrogate::Plan>,
    /// Read the file as this kind, whatever it looks like.
    #[arg(long, value_enum)]
    kind: Option<KindChoice>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum BackendChoice {
    Cpu,
    Gpu,
    Auto,
}

#[derive(Clone, Copy, ValueEnum)]
enum UnitChoice {
    Bit,
    Nat,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Table,
    Json,
    Csv,
}

#[derive(Clone, Copy, ValueEnum)]
enum TableOrJson {
    Table,
    Json,
}

#[derive(Clone, Copy, ValueEnum)]
enum MissingChoice {
    Error,
    Omit,
}

#[derive(Clone, Copy, ValueEnum)]
enum KindChoice {
    Bytes,
    Text,
    Csv,
    Npy,
    Npz,
    Safetensors,
    Json,
    Fasta,
    Fastq,
    Hdf5,
    Netcdf,
    Mat,
    Xlsx,
    Parquet,
    Arrow,
    Wav,
    Image,
}

impl From<UnitChoice> for Information {
    fn from(choice: UnitChoice) -> Self {
        match choice {
            UnitChoice::Bit => Self::Bit,
            UnitChoice::Nat => Self::Nat,
        }
    }
}

/// Why the program ends early.
#[derive(Debug)]
enum Failure {
    /// The command line asks for something that does not exist.
    Usage(String),
    /// The data cannot be read or measured, or a device failed.
    Data(anyhow::Error),
    /// Ctrl-C.
    Interrupted,
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        let error = error.into();
        if error.chain().any(is_cancel) {
            Self::Interrupted
        } else if error.is::<ParameterError>()
            || matches!(
                error.downcast_ref(),
                Some(
                    ExperimentError::Unknown { .. }
                        | ExperimentError::Parameter(_)
                        | ExperimentError::Swarm(SwarmError::Parameter { .. })
                )
            )
        {
            Self::Usage(error.to_string())
        } else {
            Self::Data(error)
        }
    }
}

/// Whether an error is a cancel, under the name of whoever was asked.
fn is_cancel(cause: &(dyn std::error::Error + 'static)) -> bool {
    cause.is::<Cancelled>()
        || matches!(cause.downcast_ref(), Some(MeasureError::Cancelled(_)))
        || matches!(cause.downcast_ref(), Some(DataError::Cancelled(_)))
        || matches!(cause.downcast_ref(), Some(ExperimentError::Cancelled(_)))
        || matches!(cause.downcast_ref(), Some(TrajectoryError::Cancelled(_)))
        || matches!(cause.downcast_ref(), Some(SwarmError::Cancelled(_)))
}

fn main() -> ExitCode {
    surprisal_core::data::hush_caught_panics();
    let cli = Cli::parse();
    let done = match cli.command {
        Command::Measure(args) => measure::run(&args),
        Command::Run(args) => run::run(&args),
        Command::Tokenize(what) => tokenize::run(&what),
        Command::Eval(args) => eval::run(&args),
        Command::Track(args) => track::run(&args),
        Command::Check(args) => check::run(&args),
        Command::List { what: List::Experiments { format } } => list::experiments(format),
        Command::List { what: List::Presets } => list::presets(),
        Command::List { what: List::Measures { format } } => list::measures(format),
        Command::Adapters { format } => adapters::run(format),
        Command::Verify { dir, backend, format } => verify::run(&dir, backend, format),
    };
    match done {
        Ok(code) => code,
        Err(Failure::Usage(text)) => {
            eprintln!("error: {text}");
            ExitCode::from(2)
        }
        Err(Failure::Data(error)) => {
            eprintln!("error: {error:#}");
            ExitCode::from(1)
        }
        Err(Failure::Interrupted) => {
            eprintln!("interrupted");
            ExitCode::from(130)
        }
    }
}
