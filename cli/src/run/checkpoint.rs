//! What lets an interrupted run go on: a folder with `record.json`, the states of that moment, networks as safetensors
//! (`state-STEP-NUMBER.safetensors`), and the trajectory so far (see [`super::frames`]). The record is renamed into place
//! last, so a folder always holds one whole checkpoint.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow, ensure};
use surprisal_core::{
    experiment::{Record, Saved},
    nn::Checkpoint,
    sim::swarm::State,
};

use super::folder;

const RECORD: &str = "record.json";
const FOLDER: &str = "checkpoint";
const MAGIC: &[u8; 8] = b"SWCK\x01\0\0\0";

/// The checkpoint folder of an output folder.
pub(crate) fn below(out: &Path) -> PathBuf {
    out.join(FOLDER)
}

/// The checkpoint folder that `--resume DIR` means, and the output folder around it, if it lies in one.
pub(crate) fn locate(dir: &Path) -> anyhow::Result<(PathBuf, Option<PathBuf>)> {
    let inner = below(dir);
    if inner.join(RECORD).exists() {
        return Ok((inner, Some(dir.to_owned())));
    }
    let found = dir.join(RECORD).exists() && states_file(dir).is_some();
    ensure!(found, "{} holds no checkpoint; expected record.json and state-*.bin", dir.display());
    let out = dir.parent().filter(|_| dir.file_name().is_some_and(|n| n == FOLDER)).map(Path::to_owned);
    Ok((dir.to_owned(), out))
}

/// Whether `dir` holds one.
pub(crate) fn exists(dir: &Path) -> bool {
    dir.join(RECORD).exists()
}

/// Writes a checkpoint over the one that is there.
pub(crate) fn write(dir: &Path, record: &Record, saved: &Saved) -> anyhow::Result<()> {
    folder::make(dir)?;
    let mut names = vec![format!("state-{}.bin", record.steps)];
    for (number, network) in saved.networks.iter().enumerate() {
        let name = network_name(record.steps, number);
        let bytes = network.to_bytes()?;
        folder::put(dir, &name, |out| Ok(out.write_all(&bytes)?))?;
        names.push(name);
    }
    folder::put(dir, &names[0], |out| {
        out.write_all(MAGIC)?;
        out.write_all(&(saved.swarms.len() as u64).to_le_bytes())?;
        for state in &saved.swarms {
            let bytes = state.to_bytes()?;
            out.write_all(&(bytes.len() as u64).to_le_bytes())?;
            out.write_all(&bytes)?;
        }
        Ok(())
    })?;
    folder::put(dir, RECORD, |out| Ok(writeln!(out, "{}", serde_json::to_string_pretty(record)?)?))?;
    let kept = |path: &PathBuf| path.file_name().is_some_and(|n| names.iter().any(|name| n == name.as_str()));
    for old in state_files(dir).filter(|path| !kept(path)) {
        let _ = fs::remove_file(old);
    }
    Ok(())
}

/// Reads a checkpoint.
pub(crate) fn read(dir: &Path) -> anyhow::Result<(Record, Saved)> {
    let path = dir.join(RECORD);
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let record = Record::parse(&text).map_err(|e| anyhow!("{}: {e}", path.display()))?;
    let path = dir.join(format!("state-{}.bin", record.steps));
    let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let swarms = states(&bytes).with_context(|| format!("{} is damaged", path.display()))?;
    let mut networks = Vec::new();
    loop {
        let path = dir.join(network_name(record.steps, networks.len()));
        if !path.exists() {
            break;
        }
        let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        networks.push(Checkpoint::from_bytes(&bytes).with_context(|| format!("{} is damaged", path.display()))?);
    }
    Ok((record, Saved { swarms, networks }))
}

fn network_name(step: u64, number: usize) -> String {
    format!("state-{step}-{number}.safetensors")
}

fn states(bytes: &[u8]) -> anyhow::Result<Vec<State>> {
    let mut rest = bytes.strip_prefix(MAGIC).context("it does not begin with SWCK")?;
    let word = |rest: &mut &[u8]| -> anyhow::Result<u64> {
        let (head, behind) = rest.split_first_chunk::<8>().context("it ends too soon")?;
        *rest = behind;
        Ok(u64::from_le_bytes(*head))
    };
    let count = word(&mut rest)?;
    let mut states = Vec::new();
    for _ in 0..count {
        let length = usize::try_from(word(&mut rest)?)?;
        let (state, behind) = rest.split_at_checked(length).context("it ends too soon")?;
        states.push(State::from_bytes(state)?);
        rest = behind;
    }
    ensure!(rest.is_empty(), "{} bytes are left over", rest.len());
    Ok(states)
}

/// The checkpoint has served; nothing else in the folder is touched.
pub(crate) fn remove(dir: &Path) {
    let _ = fs::remove_file(dir.join(RECORD));
    for path in state_files(dir) {
        let _ = fs::remove_file(path);
    }
    let _ = fs::remove_dir(dir);
}

fn states_file(dir: &Path) -> Option<PathBuf> {
    state_files(dir).next()
}

fn state_files(dir: &Path) -> impl Iterator<Item = PathBuf> {
    let files = fs::read_dir(dir).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    files.filter(|path| {
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        name.starts_with("state-") && [".bin", ".safetensors"].iter().any(|ending| name.ends_with(ending))
    })
}
