//! `surprisal track`: the measures of a school on a recording of real animals.

use std::{path::PathBuf, process::ExitCode, time::Instant};

use clap::Args;
use serde_json::{Map, Value as Json};
use surprisal_core::{
    data::{
        ByteSource,
        trajectory::{self, TrajectoryOptions},
    },
    experiment::real,
    params::parse_pairs,
};

use crate::{
    BackendChoice, Failure, TableOrJson, backend, output,
    progress::Progress,
    run::{folder, results},
    source::FileSource,
};

#[derive(Args)]
pub(crate) struct TrackArgs {
    /// The files of one recording: one, or several where the tracker writes one a fish or attributes beside.
    #[arg(required = true)]
    files: Vec<String>,
    /// A parameter: frame_rate, scale, every, fill, steps, seed; may be repeated.
    #[arg(long, value_name = "key=value")]
    set: Vec<String>,
    /// The body part that is the animal's place, where poses have several.
    #[arg(long, value_name = "NAME")]
    body_part: Option<String>,
    /// Body parts trusted less than this are missing.
    #[arg(long, value_name = "P", default_value_t = TrajectoryOptions::default().likelihood)]
    likelihood: f64,
    /// What simulates the schools that the recording is compared with.
    #[arg(long, value_enum, default_value_t = BackendChoice::Auto)]
    backend: BackendChoice,
    /// Write the record, tables and pictures into this folder.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// How results are printed.
    #[arg(long, value_enum, default_value_t = TableOrJson::Table)]
    format: TableOrJson,
}

/// Frames between two looks at Ctrl-C.
const SLICE: usize = 64;

pub(crate) fn run(args: &TrackArgs) -> Result<ExitCode, Failure> {
    let given: Map<String, Json> =
        parse_pairs(real::ID, &real::parameters(), &args.set).map_err(|e| Failure::Usage(e.to_string()))?;
    let progress = Progress::new();
    let mut sources: Vec<Box<dyn ByteSource>> = Vec::new();
    for file in &args.files {
        sources.push(Box::new(FileSource::open(file)?));
    }
    let options = TrajectoryOptions {
        likelihood: args.likelihood,
        body_part: args.body_part.clone(),
        ..TrajectoryOptions::default()
    };
    progress.begin("reading");
    let trajectories = pollster::block_on(trajectory::open(sources, options, &progress));
    progress.end();
    let trajectories = trajectories?;
    let title = format!(
        "{}: {}, {} animals, {} frames",
        args.files.join(", "),
        trajectories.source.title(),
        trajectories.animals.len(),
        trajectories.frames
    );
    let compute = backend::choose(args.backend, u64::MAX)?;
    let began = Instant::now();
    let mut watch = real::Watch::new(trajectories, &Json::Object(given))?;
    progress.begin("measuring");
    while !watch.is_done() {
        pollster::block_on(watch.advance(SLICE, &progress))?;
    }
    progress.begin("comparing with simulated schools");
    pollster::block_on(watch.compare(&*compute, &progress))?;
    progress.end();
    watch.record_mut().seconds = began.elapsed().as_secs_f64();
    let record = watch.record();
    let shown = results::Shown {
        title,
        record,
        seen: real::seen(record),
        verdicts: Vec::new(),
        figures: real::figures(record),
    };
    let mut text = match args.format {
        TableOrJson::Json => results::json(&shown)?,
        TableOrJson::Table => results::table(&shown, &[]),
    };
    if let Some(dir) = &args.out {
        folder::make(dir)?;
        let files = results::write(dir, &shown)?;
        if matches!(args.format, TableOrJson::Table) {
            text.push_str(&format!("{}: {}\n", dir.display(), files.join(", ")));
        }
    }
    output::write(&text)?;
    Ok(ExitCode::SUCCESS)
}
