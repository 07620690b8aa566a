//! `surprisal verify`: golden records against this build.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, anyhow};
use comfy_table::{Table, presets};
use serde_json::{Value as Json, json};
use surprisal_core::{
    data::{self, Column, Dataset, Kind, Values},
    measure::Context,
    verify::{
        self, Record, Status, Total, Verdict,
        school::{Folder as School, Measured, Place},
    },
};

use crate::{BackendChoice, Failure, TableOrJson, backend, output::write, progress::Progress, source::FileSource};

pub(crate) fn run(dir: &Path, choice: BackendChoice, format: TableOrJson) -> Result<ExitCode, Failure> {
    let Golden { records, school } = read_folder(dir)?;
    let progress = Progress::new();
    let compute = backend::choose(choice, u64::MAX)?;
    let context = Context::new(&*compute, &progress);
    let mut inputs = Inputs::default();
    let mut verdicts = Vec::with_capacity(records.len());
    for record in &records {
        verdicts.push(verify(dir, record, &context, &mut inputs, &progress)?);
    }
    verify_school(dir, school, &progress, &mut verdicts)?;
    progress.end();

    let mut total = Total::default();
    verdicts.iter().for_each(|v| total.add(v.status));
    match format {
        TableOrJson::Json => {
            write(&format!("{:#}\n", json!({ "total": total, "records": verdicts })))?;
        }
        TableOrJson::Table => write(&table(&verdicts, total))?,
    }
    Ok(if total.disagree > 0 { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

/// What the JSON files of a folder hold.
#[derive(Default)]
struct Golden {
    records: Vec<Record>,
    school: School,
}

/// All JSON files of `dir` that are lists of records or states of schools; others are passed over.
fn read_folder(dir: &Path) -> Result<Golden, Failure> {
    let mut files: Vec<PathBuf> = fs::read_dir(dir)
        .with_context(|| format!("cannot read the folder {}", dir.display()))?
        .filter_map(|entry| entry.ok().map(|e| e.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .collect();
    files.sort();
    let mut golden = Golden::default();
    for path in &files {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let json = verify::parse(&text).with_context(|| format!("{} is not JSON", path.display()))?;
        if School::recognises(&json) {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            golden.school.read(&stem, &json).map_err(|e| anyhow!("{}, {e}", path.display()))?;
        } else if let Json::Array(list) = json {
            for (i, item) in list.iter().enumerate() {
                let record = Record::parse(item).map_err(|e| anyhow!("{}, record {}: {e}", path.display(), i + 1))?;
                golden.records.push(record);
            }
        }
    }
    if golden.records.is_empty() && golden.school.states.is_empty() {
        let dir = dir.display();
        return Err(Failure::Data(anyhow!(
            "{dir} holds no golden records: expected *.json files that are lists of them, or that have \"snapshots\" or \"cases\" of schools"
        )));
    }
    Ok(golden)
}

/// Judges all states, and after them the series of their runs.
fn verify_school(dir: &Path, school: School, progress: &Progress, verdicts: &mut Vec<Verdict>) -> Result<(), Failure> {
    let mut measured = Measured::default();
    for state in &school.states {
        progress.begin(state.name.clone());
        let judged = match &state.place {
            Place::Inline { positions, velocities } => state.judge(positions, velocities, &mut measured),
            Place::Files { positions, velocities } => {
                let read =
                    |name: &str| vectors(&dir.join(name), progress).with_context(|| format!("snapshot {}", state.name));
                state.judge(&read(positions)?, &read(velocities)?, &mut measured)
            }
        };
        verdicts.extend(judged.map_err(|e| anyhow!("{e}"))?);
    }
    for series in &school.series {
        let path = dir.join(&series.file);
        if path.exists() {
            progress.begin(series.file.clone());
            let columns = numbers(&path, progress)?;
            verdicts.extend(series.judge(&columns, &measured).map_err(|e| anyhow!("{}: {e}", dir.display()))?);
        } else {
            verdicts.push(series.missing());
        }
    }
    verdicts.extend(school.not_covered);
    Ok(())
}

/// The N × 3 array of `path`, fish by fish.
fn vectors(path: &Path, progress: &Progress) -> anyhow::Result<Vec<[f64; 3]>> {
    let columns = numbers(path, progress)?;
    let [x, y, z] = &columns[..] else {
        anyhow::bail!("{} has {} columns, and three are expected: x, y, z", path.display(), columns.len());
    };
    Ok(x.iter().zip(y).zip(z).map(|((&x, &y), &z)| [x, y, z]).collect())
}

/// The columns of real numbers of `path`.
fn numbers(path: &Path, progress: &Progress) -> anyhow::Result<Vec<Vec<f64>>> {
    let read = || -> anyhow::Result<Vec<Vec<f64>>> {
        let source = FileSource::open(&path.to_string_lossy())?;
        let file = pollster::block_on(data::open(Box::new(source), data::Options::default(), progress))?;
        let all: Vec<usize> = (0..file.dataset.columns.len()).collect();
        let columns = pollster::block_on(file.columns(&all, progress))?;
        let real = |column: Column| match column.values {
            Some(Values::Real(values)) => Ok(values),
            _ => Err(anyhow!("the column '{}' does not hold real numbers", column.name)),
        };
        columns.into_iter().map(real).collect()
    };
    read().with_context(|| format!("cannot read {}", path.display()))
}

/// Input files that were read already; many records share one.
#[derive(Default)]
struct Inputs(BTreeMap<PathBuf, Dataset>);

impl Inputs {
    /// Reads `path`, if it was not read yet.
    fn read(&mut self, path: &Path, progress: &Progress) -> anyhow::Result<()> {
        if self.0.contains_key(path) {
            return Ok(());
        }
        let source = FileSource::open(&path.to_string_lossy())?;
        // What the records call bytes or text is not to be taken for a table.
        let raw = path.extension().is_some_and(|e| e == "bin" || e == "txt");
        let options = data::Options { kind: raw.then_some(Kind::Bytes), ..data::Options::default() };
        let file = pollster::block_on(data::open(Box::new(source), options, progress))?;
        let dataset = pollster::block_on(file.into_dataset(progress))?;
        anyhow::ensure!(!dataset.columns.is_empty(), "{} has no column", path.display());
        self.0.insert(path.to_owned(), dataset);
        Ok(())
    }
}

fn verify(
    dir: &Path,
    record: &Record,
    context: &Context<'_>,
    inputs: &mut Inputs,
    progress: &Progress,
) -> Result<Verdict, Failure> {
    if !record.is_covered() {
        return Ok(record.not_covered("no such measure in this build"));
    }
    progress.begin(format!("{} {}", record.id, record.measure));
    let paths: Vec<PathBuf> = record.files().into_iter().map(|file| dir.join(file)).collect();
    for path in &paths {
        inputs.read(path, progress).with_context(|| format!("record {}", record.id))?;
    }
    let files: Vec<&Dataset> = paths.iter().filter_map(|path| inputs.0.get(path)).collect();
    Ok(pollster::block_on(record.run(&files, context))?)
}

fn table(verdicts: &[Verdict], total: Total) -> String {
    let mut by_measure: BTreeMap<&str, Total> = BTreeMap::new();
    for v in verdicts {
        by_measure.entry(&v.measure).or_default().add(v.status);
    }
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_header(["measure", "agree", "disagree", "not covered"]);
    for (measure, t) in &by_measure {
        table.add_row([(*measure).to_owned(), t.agree.to_string(), t.disagree.to_string(), t.not_covered.to_string()]);
    }
    let mut text = format!("{}\n\n", table.trim_fmt());
    for v in verdicts.iter().filter(|v| v.status == Status::Disagree) {
        let why = v.why.as_deref().unwrap_or_default();
        text.push_str(&format!("disagree: {} {}: expected {}, got {} {why}\n", v.id, v.measure, v.expected, v.got));
    }
    for v in verdicts.iter().filter(|v| v.status == Status::NotCovered) {
        text.push_str(&format!("not covered: {} {}: {}\n", v.id, v.measure, v.why.as_deref().unwrap_or_default()));
    }
    let Total { agree, disagree, not_covered } = total;
    text.push_str(&format!("\n{agree} agree, {disagree} disagree, {not_covered} not covered\n"));
    text
}
