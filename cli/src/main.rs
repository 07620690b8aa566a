//! `surprisal`: entropy measures of files, on the CPU or the GPU.
//!
//! Exit codes: 0 done, 1 the data cannot be read or measured (or a verified value disagrees), 2 the command line is
//! wrong, 130 interrupted.

mod adapters;
mod backend;
mod list;
mod measure;
mod output;
mod plot;
mod progress;
mod source;
mod verify;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand, ValueEnum};
use surprisal_core::{measure::Context, quantity::Information};

/// An entropy laboratory: measures of files, on the CPU or the GPU.
#[derive(Parser)]
#[command(name = "surprisal", version, about, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measure the columns of a file.
    ///
    /// Without --measure each column gets the measures that suit its type. Missing values are refused unless
    /// --missing omit leaves them out.
    #[command(after_help = "Examples:\n  surprisal measure sunspots.csv --column count\n  \
        surprisal measure sunspots.csv --column count --measure perm --set perm.order=4 --format json\n  \
        zcat eeg.csv.gz | surprisal measure - --measure sampen --missing omit\n  \
        surprisal measure firmware.bin --plot pictures/")]
    Measure(MeasureArgs),
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
    /// All measures with their parameters.
    Measures {
        /// As a table or as JSON.
        #[arg(long, value_enum, default_value_t = TableOrJson::Table)]
        format: TableOrJson,
    },
}

#[derive(Args)]
struct MeasureArgs {
    /// The file, or - for standard input.
    file: String,
    /// A column by its name or by its number from 1; may be repeated. All columns by default.
    #[arg(long, short, value_name = "C")]
    column: Vec<String>,
    /// A measure by its id; may be repeated. `surprisal list measures` shows all.
    #[arg(long, short, value_name = "ID")]
    measure: Vec<String>,
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
        let cancelled = error.chain().any(|cause| {
            cause.is::<surprisal_core::pace::Cancelled>()
                || matches!(
                    cause.downcast_ref::<surprisal_core::measure::MeasureError>(),
                    Some(surprisal_core::measure::MeasureError::Cancelled(_))
                )
                || matches!(
                    cause.downcast_ref::<surprisal_core::data::DataError>(),
                    Some(surprisal_core::data::DataError::Cancelled(_))
                )
        });
        if cancelled { Self::Interrupted } else { Self::Data(error) }
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command {
        Command::Measure(args) => measure::run(&args),
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
