//! `surprisal run`.

mod animate;
mod checkpoint;
mod drive;
pub(crate) mod folder;
mod frames;
mod given;
pub(crate) mod results;
mod scene;
mod tables;
mod trajectory;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, ValueEnum};
use serde_json::Value as Json;
use surprisal_core::{
    compute::{Backend, Compute},
    experiment::{self, Record, Run},
};

use crate::{BackendChoice, Failure, TableOrJson, backend, output, progress::Progress};

use drive::Session;

#[derive(Args)]
pub(crate) struct RunArgs {
    /// An experiment's id, a FILE.toml, a RECORD.json, or a link to a page.
    #[arg(value_name = "ID|FILE|LINK", required_unless_present = "resume")]
    target: Option<String>,
    /// A parameter; may be repeated. `surprisal list experiments` shows all.
    #[arg(long, value_name = "key=value")]
    set: Vec<String>,
    /// Steps of the run: short for --set steps=N.
    #[arg(long, value_name = "N")]
    steps: Option<u64>,
    /// What computes: the CPU, the GPU, or whichever suits the size; a resumed run stays where it was.
    #[arg(long, value_enum)]
    backend: Option<BackendChoice>,
    /// Write the record, tables, pictures and trajectory into this folder.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// How results are printed.
    #[arg(long, value_enum, default_value_t = TableOrJson::Table)]
    format: TableOrJson,
    /// Steps between frames of the trajectory; by default up to 1000 frames or 256 MiB.
    #[arg(long, value_name = "K", requires = "out", value_parser = clap::value_parser!(u64).range(1..))]
    every: Option<u64>,
    /// Draw the trajectory as a moving picture too: GIF or animated PNG.
    #[arg(long, value_enum)]
    animate: Option<Animation>,
    /// Write a checkpoint every N steps; Ctrl-C always writes one.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    checkpoint_every: Option<u64>,
    /// A text to be learned from, in place of a source that is drawn: short for --set source=text with its contents as
    /// text. With --column the symbols are the values of a column of a table.
    #[arg(long, value_name = "FILE")]
    text: Option<String>,
    /// A column by its name or by its number from 1, whose different values become symbols.
    #[arg(long, value_name = "C", requires = "text")]
    column: Option<String>,
    /// Go on with the interrupted run in this folder; with --set, under other parameters.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["target", "steps", "every", "text"])]
    resume: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Animation {
    /// GIF.
    Gif,
    /// Animated PNG.
    Png,
}

pub(crate) fn run(args: &RunArgs) -> Result<ExitCode, Failure> {
    let progress = Progress::new();
    let mut notes = Vec::new();
    let mut session = match (&args.resume, &args.target) {
        (Some(dir), _) => resume(args, dir, &progress)?,
        (None, Some(target)) => begin(args, target, &progress, &mut notes)?,
        (None, None) => return Err(Failure::Usage("nothing to run".to_owned())),
    };
    if args.animate.is_some() && session.out.is_none() {
        return Err(Failure::Usage("--animate needs a folder: add --out DIR".to_owned()));
    }
    session.checkpoint_every = args.checkpoint_every;
    session.drive()?;
    let files = session.finish(args.animate)?;
    match args.format {
        TableOrJson::Json => {
            notes.iter().for_each(|note| eprintln!("note: {note}"));
            output::write(&results::json(&results::Shown::from(&session.run))?)?;
        }
        TableOrJson::Table => {
            let mut text = results::table(&results::Shown::from(&session.run), &notes);
            if let Some(dir) = &session.out {
                text.push_str(&format!("{}: {}\n", dir.display(), files.join(", ")));
            }
            output::write(&text)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A run from its beginning.
fn begin<'a>(
    args: &RunArgs,
    target: &str,
    progress: &'a Progress,
    notes: &mut Vec<String>,
) -> Result<Session<'a>, Failure> {
    let mut given = given::read(target)?;
    given::set(&mut given, &args.set)?;
    if let Some(file) = &args.text {
        given::text(&mut given, file, args.column.as_deref(), progress)?;
    }
    if let Some(steps) = args.steps {
        given::set(&mut given, &[format!("steps={steps}")])?;
    }
    notes.append(&mut given.notes);
    let checkpoint = match &args.out {
        Some(out) => checkpoint::below(out),
        None => PathBuf::from(format!("surprisal-{}-checkpoint", given.entry.about.id)),
    };
    if checkpoint::exists(&checkpoint) {
        let dir = args.out.as_ref().unwrap_or(&checkpoint).display();
        let inner = checkpoint.display();
        return Err(Failure::Usage(format!(
            "{dir} holds an interrupted run: go on with `surprisal run --resume {dir}`, or remove {inner}"
        )));
    }
    let compute = backend::choose(args.backend.or(given.backend).unwrap_or(BackendChoice::Auto), u64::MAX)?;
    let run = start(given.entry, Json::Object(given.parameters), &*compute)?;
    let mut session = Session::new(run, progress, args.out.clone(), checkpoint)?;
    session.begin_trajectory(args.every)?;
    Ok(session)
}

/// An interrupted run.
fn resume<'a>(args: &RunArgs, dir: &std::path::Path, progress: &'a Progress) -> Result<Session<'a>, Failure> {
    let (checkpoint, around) = checkpoint::locate(dir)?;
    let (record, saved) = checkpoint::read(&checkpoint)?;
    let entry = experiment::find(&record.experiment)?;
    let before = match record.backend {
        Some(Backend::Gpu) => BackendChoice::Gpu,
        Some(Backend::Cpu) => BackendChoice::Cpu,
        None => BackendChoice::Auto,
    };
    let compute = backend::choose(args.backend.unwrap_or(before), u64::MAX)?;
    let mut run = start(entry, Json::Object(record.parameters.clone()), &*compute)?;
    run.resume(&record, &saved)?;
    if !args.set.is_empty() {
        change(&mut run, &args.set, &record)?;
    }
    let mut session = Session::new(run, progress, args.out.clone().or(around), checkpoint)?;
    session.continue_trajectory()?;
    Ok(session)
}

/// Puts other parameters in force, where that needs no new beginning.
fn change(run: &mut Run, settings: &[String], record: &Record) -> Result<(), Failure> {
    let mut given =
        given::Given { entry: run.entry(), parameters: serde_json::Map::new(), backend: None, notes: Vec::new() };
    given::set(&mut given, settings)?;
    if !run.change(&given.parameters)? {
        let keys = given.parameters.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        return Err(Failure::Usage(format!("{keys} cannot change in the middle of a run: begin another one")));
    }
    let step = record.steps;
    for (key, value) in &given.parameters {
        // A longer run is the same run, and so is one that is looked at otherwise.
        if key != "steps" && !run.entry().shows(key) {
            run.record_mut().note(format!("At step {step} {key} was set to {value}."));
        }
    }
    Ok(())
}

fn start(entry: &'static experiment::Entry, parameters: Json, compute: &dyn Compute) -> Result<Run, Failure> {
    Ok(pollster::block_on(entry.start(&parameters, compute))?)
}
