//! Files that appear whole or not at all.

use std::{
    fs,
    io::{BufWriter, Write as _},
    path::Path,
};

use anyhow::Context as _;
use tempfile::NamedTempFile;

/// Makes the folder with all above it.
pub(crate) fn make(dir: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(dir).with_context(|| format!("cannot make the folder {}", dir.display()))
}

/// Writes `DIR/NAME` by `fill`, into a temporary file that gets its name at the end.
pub(crate) fn put<T>(
    dir: &Path,
    name: &str,
    fill: impl FnOnce(&mut BufWriter<NamedTempFile>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let path = dir.join(name);
    let write = || -> anyhow::Result<T> {
        let mut out = BufWriter::new(NamedTempFile::new_in(dir)?);
        let value = fill(&mut out)?;
        out.flush()?;
        let file = out.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        readable(&file)?;
        file.persist(&path)?;
        Ok(value)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

/// A temporary file is its owner's alone; a result is for whoever may read the folder.
#[cfg(unix)]
fn readable(file: &NamedTempFile) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.as_file().set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable(_: &NamedTempFile) -> std::io::Result<()> {
    Ok(())
}
