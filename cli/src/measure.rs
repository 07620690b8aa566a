//! `surprisal measure`.

use std::{collections::BTreeMap, process::ExitCode, time::Instant};

use serde_json::{Map, Value as Json};
use surprisal_core::{
    data::{self, Column, Kind, OpenFile},
    measure::{self, Accepts, Context, Entry, MeasureError, parse_setting},
    report::{Report, ResultRecord, suggested, to_csv},
};

use crate::{
    Failure, Format, KindChoice, MeasureArgs, MissingChoice, backend, output, plot, progress::Progress,
    source::FileSource,
};

/// The parameters that were set, by measure.
type Settings = BTreeMap<&'static str, Map<String, Json>>;

pub(crate) fn run(args: &MeasureArgs) -> Result<ExitCode, Failure> {
    let chosen = entries(&args.measure)?;
    let settings = settings(args, &chosen)?;
    let progress = Progress::new();
    let source = FileSource::open(&args.file)?;
    let options = data::Options { kind: args.kind.map(Kind::from), ..data::Options::default() };
    progress.begin("reading");
    let file = pollster::block_on(data::open(Box::new(source), options, &progress));
    progress.end();
    let file = file?;
    let columns = columns(&file, &args.column)?;

    let longest = columns.iter().map(|&i| file.dataset.columns[i].len).max().unwrap_or(0);
    let compute = backend::choose(args.backend, longest)?;
    let context = Context::new(&*compute, &progress).with_resamples(args.resamples, args.seed);
    let mut report = Report::new(&file.dataset);
    for index in columns {
        let described = &file.dataset.columns[index];
        let wanted =
            if chosen.is_empty() { suggestions(described, file.dataset.provenance.kind)? } else { chosen.clone() };
        measure_column(&file, index, &wanted, &settings, args, &context, &progress, &mut report)?;
    }
    progress.end();

    let text = match args.format {
        Format::Json => format!("{}\n", serde_json::to_string_pretty(&report)?),
        Format::Csv => to_csv(&report.results),
        Format::Table => output::table(&report, &file.dataset.notes),
    };
    output::write(&text)?;
    let nothing = !report.results.is_empty() && report.results.iter().all(|r| r.value.is_null());
    Ok(if nothing { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

fn entries(ids: &[String]) -> Result<Vec<&'static Entry>, Failure> {
    ids.iter().map(|id| measure::find(id).map_err(|e| Failure::Usage(e.to_string()))).collect()
}

fn suggestions(column: &Column, kind: Kind) -> Result<Vec<&'static Entry>, Failure> {
    suggested(column, kind).into_iter().map(|id| Ok(measure::find(id)?)).collect()
}

/// Reads `--set` and `--missing`, and checks them before any data is read.
fn settings(args: &MeasureArgs, chosen: &[&'static Entry]) -> Result<Settings, Failure> {
    let usage = |e: &dyn std::fmt::Display| Failure::Usage(e.to_string());
    let mut settings = Settings::new();
    for text in &args.set {
        let (id, key, value) = parse_setting(text).map_err(|e| usage(&e))?;
        let entry = measure::find(id).map_err(|e| usage(&e))?;
        let about = entry.about;
        if !chosen.is_empty() && !chosen.iter().any(|c| c.about.id == about.id) {
            return Err(Failure::Usage(format!("--set {text}: {id} is not among the measures that are asked for")));
        }
        let parameter = entry.parameters().iter().find(|p| p.name == key);
        let value = parameter.map_or_else(|| Json::from(value), |p| p.parse(value));
        settings.entry(about.id).or_default().insert(key.to_owned(), value);
    }
    for (id, given) in &settings {
        let entry = measure::find(id).map_err(|e| usage(&e))?;
        entry.complete(&Json::Object(given.clone())).map_err(|e| usage(&e))?;
    }
    Ok(settings)
}

/// The columns by name or number from 1; all of them if none is named.
fn columns(file: &OpenFile, names: &[String]) -> Result<Vec<usize>, Failure> {
    let all = &file.dataset.columns;
    if names.is_empty() {
        return Ok((0..all.len()).collect());
    }
    let find = |name: &String| {
        let by_number = || name.parse::<usize>().ok().filter(|n| (1..=all.len()).contains(n)).map(|n| n - 1);
        all.iter().position(|c| c.name == *name).or_else(by_number).ok_or_else(|| {
            let known = all.iter().map(|c| format!("'{}'", c.name)).collect::<Vec<_>>().join(", ");
            Failure::Usage(format!("no column is called '{name}'; the file has {known}"))
        })
    };
    names.iter().map(find).collect()
}

#[expect(clippy::too_many_arguments, reason = "one call, from the loop over columns")]
fn measure_column(
    file: &OpenFile,
    index: usize,
    wanted: &[&'static Entry],
    settings: &Settings,
    args: &MeasureArgs,
    context: &Context<'_>,
    progress: &Progress,
    report: &mut Report,
) -> Result<(), Failure> {
    let described = &file.dataset.columns[index];
    let mut resident = None;
    for entry in wanted {
        let id = entry.about.id;
        let mut given = settings.get(id).cloned().unwrap_or_default();
        if let Some(missing) = args.missing {
            let word = match missing {
                MissingChoice::Error => "error",
                MissingChoice::Omit => "omit",
            };
            given.entry("missing").or_insert_with(|| Json::from(word));
        }
        progress.begin(format!("{id} of {}", described.name));
        let started = Instant::now();
        let params = Json::Object(given.clone());
        let computed = if let Some(mut accumulator) = streamed(entry, described, &params)? {
            let passed = pollster::block_on(file.stream(index, &mut |chunk| accumulator.push(chunk), progress));
            match passed {
                Ok(_labels) => pollster::block_on(measure::stream::finish(accumulator, context)),
                Err(e) => return Err(e.into()),
            }
        } else {
            if resident.is_none() && described.values.is_none() && entry.about.accepts != Accepts::Nothing {
                resident = Some(pollster::block_on(file.column(index, progress))?);
            }
            let column = resident.as_ref().unwrap_or(described);
            pollster::block_on(entry.run(&params, column, context))
        };
        let seconds = started.elapsed().as_secs_f64();
        progress.end();
        let computed = match computed {
            Err(cancelled @ MeasureError::Cancelled(_)) => return Err(cancelled.into()),
            other => other,
        };
        if let (Some(dir), Ok(outcome)) = (&args.plot, &computed) {
            for figure in &outcome.figures {
                plot::write(dir, &plot::file_name(&[&described.name, id, &figure.id]), figure)?;
            }
        }
        let information = args.unit.map(Into::into).unwrap_or_default();
        let name = (entry.about.accepts != Accepts::Nothing).then_some(described.name.as_str());
        report.results.push(ResultRecord::new(id, name, &given, computed, information, seconds));
    }
    Ok(())
}

/// An accumulator, where the column is still in its file and the measure has one: such a column is never loaded.
fn streamed(
    entry: &'static Entry,
    column: &Column,
    params: &Json,
) -> Result<Option<Box<dyn measure::Accumulator>>, Failure> {
    if column.is_resident() {
        return Ok(None);
    }
    Ok(entry.accumulator(params, column)?)
}

impl From<KindChoice> for Kind {
    fn from(choice: KindChoice) -> Self {
        match choice {
            KindChoice::Bytes => Self::Bytes,
            KindChoice::Text => Self::Text,
            KindChoice::Csv => Self::Csv,
            KindChoice::Npy => Self::Npy,
            KindChoice::Npz => Self::Npz,
            KindChoice::Safetensors => Self::Safetensors,
            KindChoice::Json => Self::Json,
            KindChoice::Fasta => Self::Fasta,
            KindChoice::Fastq => Self::Fastq,
            KindChoice::Hdf5 => Self::Hdf5,
            KindChoice::Netcdf => Self::NetCdf,
            KindChoice::Mat => Self::Mat,
            KindChoice::Parquet => Self::Parquet,
            KindChoice::Arrow => Self::Arrow,
            KindChoice::Wav => Self::Wav,
            KindChoice::Image => Self::Image,
        }
    }
}
