//! Pictures of results as files.

use std::{fs, io::Write as _, path::Path};

use anyhow::Context as _;
use surprisal_core::figure::{self, Figure, Style, Theme};

const WIDTH: u32 = 860;

/// Writes `DIR/NAME.svg` and `DIR/NAME.png`. Each file appears whole or not at all.
pub(crate) fn write(dir: &Path, name: &str, figure: &Figure) -> anyhow::Result<()> {
    fs::create_dir_all(dir).with_context(|| format!("cannot make the folder {}", dir.display()))?;
    let style = Style::for_file(Theme::Print);
    let height = figure::preferred_height(figure, f64::from(WIDTH), &style);
    let svg = figure::to_svg(figure, WIDTH, height, &style)?;
    put(dir, &format!("{name}.svg"), svg.as_bytes())?;
    let png = figure::to_png(figure, WIDTH, height, &style)?;
    put(dir, &format!("{name}.png"), &png)
}

/// A figure as SVG.
pub(crate) fn svg(figure: &Figure) -> anyhow::Result<String> {
    let style = Style::for_file(Theme::Print);
    let height = figure::preferred_height(figure, f64::from(WIDTH), &style);
    Ok(figure::to_svg(figure, WIDTH, height, &style)?)
}

/// A name for a picture that is safe on every file system.
pub(crate) fn file_name(parts: &[&str]) -> String {
    let safe = |c: char| if c.is_alphanumeric() || ".-".contains(c) { c } else { '_' };
    parts.iter().map(|p| p.chars().map(safe).collect::<String>()).collect::<Vec<_>>().join("-")
}

fn put(dir: &Path, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
    let path = dir.join(name);
    let write = || -> anyhow::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(dir)?;
        file.write_all(bytes)?;
        file.persist(&path)?;
        Ok(())
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}
