//! `surprisal measure`.

mod together;

use std::{collections::BTreeMap, process::ExitCode, time::Instant};

use serde_json::{Map, Value as Json};
use surprisal_core::{
    data::{self, Column, Kind, OpenFile},
    measure::{self, Accepts, Context, Entry, MeasureError, Outcome, PRESETS, Preset, parse_setting},
    report::{Report, ResultRecord, pair_grid, suggested, to_csv},
};

use crate::{
    Failure, Format, KindChoice, MeasureArgs, MissingChoice, backend, output, plot, progress::Progress,
    source::FileSource,
};

/// The parameters that were set, by measure.
type Settings = BTreeMap<&'static str, Map<String, Json>>;

pub(crate) fn run(args: &MeasureArgs) -> Result<ExitCode, Failure> {
    let mut chosen = entries(&args.measure)?;
    let preset = args.preset.as_deref().map(preset).transpose()?;
    let wanted = preset.iter().flat_map(|p| p.measures).map(|id| measure::find(id)).collect::<Result<Vec<_>, _>>()?;
    let settings = settings(args, &chosen.iter().chain(&wanted).copied().collect::<Vec<_>>())?;
    let progress = Progress::new();
    let source = FileSource::open(&args.file)?;
    let options = data::Options { kind: args.kind.map(Kind::from), ..data::Options::default() };
    progress.begin("reading");
    let file = pollster::block_on(data::open(Box::new(source), options, &progress));
    progress.end();
    let file = file?;
    let Named { columns, matrices } = named(&file, &args.column)?;
    let with = Named::columns_only(named_again(&file, &args.with)?, &args.with)?;
    for entry in wanted {
        // A preset is for many files: what has nothing to measure in this one is left out, and said so.
        let suited = together::suits(entry, &file, &columns, &matrices);
        if !suited {
            eprintln!("note: {}: nothing in {} that it could be asked of", entry.about.id, args.file);
        } else if !chosen.iter().any(|e| e.about.id == entry.about.id) {
            chosen.push(entry);
        }
    }
    if preset.is_some() && chosen.is_empty() {
        return Err(Failure::Usage(format!("no measure of this preset suits {}", args.file)));
    }
    if !args.with.is_empty() && !chosen.iter().any(|e| together::takes_more(e)) {
        return Err(Failure::Usage(
            "--with names a further column for a measure of several: name the measure too, for example --measure mi.ksg1"
                .to_owned(),
        ));
    }

    let longest = columns.iter().map(|&i| file.dataset.columns[i].len).max().unwrap_or(0);
    let compute = backend::choose(args.backend, longest)?;
    let context = Context::new(&*compute, &progress).with_resamples(args.resamples, args.seed);
    let mut report = Report::new(&file.dataset);
    let run = Run { file: &file, settings: &settings, args, context: &context, progress: &progress };
    for &index in &columns {
        let described = &file.dataset.columns[index];
        let wanted =
            if chosen.is_empty() { suggestions(described, file.dataset.provenance.kind)? } else { chosen.clone() };
        let wanted: Vec<_> = wanted.into_iter().filter(|e| run.is_of_one(e, described, &with)).collect();
        run.measure_column(index, &wanted, &mut report)?;
    }
    if chosen.is_empty() {
        run.measure_arrays_unasked(&matrices, &mut report)?;
    }
    let chosen = together::Chosen { columns, matrices, with, explicit: !args.column.is_empty(), entries: chosen };
    run.measure_together(&chosen, &mut report)?;
    progress.end();
    if let Some(dir) = &args.plot {
        for results in report.results.chunk_by(|a, b| a.measure == b.measure) {
            if let Some(figure) = pair_grid(&results.iter().collect::<Vec<_>>()) {
                plot::write(dir, &plot::file_name(&[results[0].measure.as_str(), figure.id.as_str()]), &figure)?;
            }
        }
    }

    let text = match args.format {
        Format::Json => format!("{}\n", serde_json::to_string_pretty(&report)?),
        Format::Csv => to_csv(&report.results),
        Format::Table => output::table(&report, &file.dataset.notes),
    };
    output::write(&text)?;
    let nothing = !report.results.is_empty() && report.results.iter().all(|r| r.value.is_null());
    Ok(if nothing { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

fn preset(name: &str) -> Result<&'static Preset, Failure> {
    measure::preset(name).ok_or_else(|| {
        let known = PRESETS.iter().map(|p| p.id).collect::<Vec<_>>().join(", ");
        Failure::Usage(format!("--preset {name}: there are {known}"))
    })
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

/// Columns and matrices by their places.
struct Named {
    columns: Vec<usize>,
    matrices: Vec<usize>,
}

impl Named {
    /// The columns, where nothing was named that is an array only.
    fn columns_only(self, names: &[String]) -> Result<Vec<usize>, Failure> {
        if self.columns.len() == names.len() {
            return Ok(self.columns);
        }
        Err(Failure::Usage(format!("--with takes columns, and {} names an array", names.join(", "))))
    }
}

/// The columns by name or number from 1, and the arrays by name; all of them if none is named.
fn named(file: &OpenFile, names: &[String]) -> Result<Named, Failure> {
    if names.is_empty() {
        let all = |len: usize| (0..len).collect();
        return Ok(Named { columns: all(file.dataset.columns.len()), matrices: all(file.dataset.matrices.len()) });
    }
    named_again(file, names)
}

/// The same, and nothing if none is named. A name that a column and an array share stands for both.
fn named_again(file: &OpenFile, names: &[String]) -> Result<Named, Failure> {
    let (all, arrays) = (&file.dataset.columns, &file.dataset.matrices);
    let mut found = Named { columns: Vec::new(), matrices: Vec::new() };
    for name in names {
        let by_number = || name.parse::<usize>().ok().filter(|n| (1..=all.len()).contains(n)).map(|n| n - 1);
        let column = all.iter().position(|c| c.name == *name);
        let matrix = arrays.iter().position(|m| m.name == *name);
        if column.is_some() || matrix.is_some() {
            found.columns.extend(column);
            found.matrices.extend(matrix);
        } else if let Some(column) = by_number() {
            found.columns.push(column);
        } else {
            let known = all.iter().map(|c| format!("'{}'", c.name)).collect::<Vec<_>>().join(", ");
            let arrays = arrays.iter().map(|m| format!("'{}'", m.name)).collect::<Vec<_>>().join(", ");
            let arrays = if arrays.is_empty() { arrays } else { format!(" and the arrays {arrays}") };
            return Err(Failure::Usage(format!("no column is called '{name}'; the file has {known}{arrays}")));
        }
    }
    Ok(found)
}

/// What every measurement of one call shares.
struct Run<'a> {
    file: &'a OpenFile,
    settings: &'a Settings,
    args: &'a MeasureArgs,
    context: &'a Context<'a>,
    progress: &'a Progress,
}

impl Run<'_> {
    /// The parameters that were set for a measure.
    fn given(&self, id: &str) -> Map<String, Json> {
        let mut given = self.settings.get(id).cloned().unwrap_or_default();
        if let Some(missing) = self.args.missing {
            let word = match missing {
                MissingChoice::Error => "error",
                MissingChoice::Omit => "omit",
            };
            given.entry("missing").or_insert_with(|| Json::from(word));
        }
        given
    }

    fn measure_column(&self, index: usize, wanted: &[&'static Entry], report: &mut Report) -> Result<(), Failure> {
        let described = &self.file.dataset.columns[index];
        let mut resident = None;
        for entry in wanted {
            let id = entry.about.id;
            let given = self.given(id);
            self.progress.begin(format!("{id} of {}", described.name));
            let started = Instant::now();
            let params = Json::Object(given.clone());
            let computed = if let Some(mut accumulator) = streamed(entry, described, &params)? {
                let passed =
                    pollster::block_on(self.file.stream(index, &mut |chunk| accumulator.push(chunk), self.progress));
                match passed {
                    Ok(_labels) => pollster::block_on(measure::stream::finish(accumulator, self.context)),
                    Err(e) => return Err(e.into()),
                }
            } else {
                if resident.is_none() && described.values.is_none() && entry.about.accepts != Accepts::Nothing {
                    resident = Some(pollster::block_on(self.file.column(index, self.progress))?);
                }
                let column = resident.as_ref().unwrap_or(described);
                pollster::block_on(entry.run(&params, column, self.context))
            };
            let name = (entry.about.accepts != Accepts::Nothing).then_some(described.name.as_str());
            self.record(entry, name, Vec::new(), &given, computed, started, report)?;
        }
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "what a record is made of")]
    fn record(
        &self,
        entry: &'static Entry,
        name: Option<&str>,
        with: Vec<String>,
        given: &Map<String, Json>,
        computed: Result<Outcome, MeasureError>,
        started: Instant,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let seconds = started.elapsed().as_secs_f64();
        self.progress.end();
        let computed = match computed {
            Err(cancelled @ MeasureError::Cancelled(_)) => return Err(cancelled.into()),
            other => other,
        };
        let id = entry.about.id;
        if let (Some(dir), Ok(outcome)) = (&self.args.plot, &computed) {
            for figure in &outcome.figures {
                let named = name.unwrap_or_default();
                let parts: Vec<&str> = std::iter::once(named)
                    .chain(with.iter().map(String::as_str))
                    .chain([id, figure.id.as_str()])
                    .filter(|part| !part.is_empty())
                    .collect();
                plot::write(dir, &plot::file_name(&parts), figure)?;
            }
        }
        let information = self.args.unit.map(Into::into).unwrap_or_default();
        report.results.push(ResultRecord::new(id, name, given, computed, information, seconds).with(with));
        Ok(())
    }
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
