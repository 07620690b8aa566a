//! What a first visit downloads, compressed as a host would, against what was accepted last. The first view waits for the
//! page; the engine comes while it is looked at, a reader with the first file that needs it, and both are held to their
//! accepted sizes alone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::shell::{self, columns, root};
use crate::{site, tools};

/// The accepted sizes, in the repository.
pub(crate) const BASELINE: &str = "xtask/sizes.toml";

/// For everything of the first view together, compressed.
const LIMIT: u64 = 1_500_000;

/// Five per cent, and a few bytes for files that are small anyway.
fn allowed(accepted: u64) -> u64 {
    accepted + accepted / 20 + 256
}

/// What comes after the first view without being asked for.
const LATER: [&str; 3] = ["engine.js", "engine_bg.wasm", "worker.js"];

/// What comes when it is first needed.
const NEEDED: [&str; 3] = ["columns.js", "columns_bg.wasm", "columns-worker.js"];

/// Whether a file is part of the first view.
fn is_first(path: &str) -> bool {
    !LATER.contains(&path) && !NEEDED.contains(&path)
}

/// A file of the page.
pub(crate) struct Size {
    path: String,
    raw: u64,
    brotli: u64,
}

impl Size {
    fn is_first(&self) -> bool {
        is_first(&self.path)
    }
}

/// Compresses every file of a first visit, and what may be needed later.
pub(crate) fn measure(site: &Path) -> Result<Vec<Size>> {
    let mut names = first_view(site)?;
    names.extend(LATER.into_iter().chain(NEEDED).filter(|name| site.join(name).is_file()).map(str::to_owned));
    // Best compression takes its time: what was compressed once is remembered by its hash.
    let cache = shell::target_dir()?.join("site/brotli");
    std::fs::create_dir_all(&cache)?;
    let work: Vec<_> = names
        .into_iter()
        .map(|name| {
            let path = site.join(&name);
            let cache = cache.clone();
            std::thread::spawn(move || -> Result<Size> {
                let bytes = std::fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
                Ok(Size { path: name, raw: bytes.len() as u64, brotli: compressed(&bytes, &cache)? })
            })
        })
        .collect();
    work.into_iter().map(|thread| thread.join().unwrap_or_else(|_| bail!("the compressor panicked"))).collect()
}

fn compressed(bytes: &[u8], cache: &Path) -> Result<u64> {
    let known = cache.join(tools::hex(&Sha256::digest(bytes)));
    if let Some(size) = std::fs::read_to_string(&known).ok().and_then(|text| text.parse().ok()) {
        return Ok(size);
    }
    let mut packed = Vec::new();
    let settings = brotli::enc::BrotliEncoderParams { quality: 11, lgwin: 22, ..Default::default() };
    brotli::BrotliCompress(&mut &*bytes, &mut packed, &settings).context("compressing")?;
    std::fs::write(&known, packed.len().to_string())?;
    Ok(packed.len() as u64)
}

/// The page, its modules, what its HTML names, and what its style sheets name (the fonts).
fn first_view(site: &Path) -> Result<BTreeSet<String>> {
    let mut names: BTreeSet<String> = ["index.html", "boot.js", "style.css", "page.js", "page_bg.wasm"]
        .into_iter()
        .filter(|name| site.join(name).is_file())
        .map(str::to_owned)
        .collect();
    let html = std::fs::read_to_string(site.join("index.html")).context("reading index.html")?;
    for name in quoted(&html, &["src=\"", "href=\""]) {
        // A picture for search engines or a manifest is not part of the first view.
        let wanted =
            name.ends_with(".js") || name.ends_with(".css") || name.ends_with(".wasm") || name.ends_with(".woff2");
        if wanted && site.join(&name).is_file() {
            names.insert(name);
        }
    }
    let sheets: Vec<String> = names.iter().filter(|name| name.ends_with(".css")).cloned().collect();
    for sheet in sheets {
        let css = std::fs::read_to_string(site.join(&sheet))?;
        names.extend(quoted(&css, &["url(\"", "url('", "url("]).into_iter().filter(|name| site.join(name).is_file()));
    }
    // Modules that wasm-bindgen puts beside its own.
    for path in site::files(site)? {
        let name = site::relative(site, &path)?;
        if name.starts_with("snippets/") {
            names.insert(name);
        }
    }
    Ok(names)
}

/// Relative URLs after one of these openings.
fn quoted(text: &str, openings: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for opening in openings {
        for rest in text.split(opening).skip(1) {
            let value = rest.split(['"', '\'', ')', '?', '#']).next().unwrap_or_default();
            let value = value.trim_start_matches("./");
            if !value.is_empty() && !value.contains(':') && !value.starts_with('/') {
                found.push(value.to_owned());
            }
        }
    }
    found
}

/// For a terminal.
pub(crate) fn table(sizes: &[Size]) -> String {
    let accepted = baseline().unwrap_or_default();
    let mut rows = vec![vec!["file".to_owned(), "bytes".into(), "brotli".into(), "accepted".into()]];
    for size in sizes {
        let before = accepted.get(&size.path).map_or_else(|| "-".to_owned(), u64::to_string);
        rows.push(vec![size.path.clone(), size.raw.to_string(), size.brotli.to_string(), before]);
    }
    let first = || sizes.iter().filter(|size| size.is_first());
    let (raw, packed): (u64, u64) = (first().map(|size| size.raw).sum(), first().map(|size| size.brotli).sum());
    rows.push(vec![
        format!("the first view (at most {LIMIT} brotli)"),
        raw.to_string(),
        packed.to_string(),
        accepted_first(&accepted).to_string(),
    ]);
    columns(&rows)
}

/// Fails with words when the page has grown.
pub(crate) fn check(sizes: &[Size]) -> Result<()> {
    let complaints = complaints(sizes, &baseline()?);
    if complaints.is_empty() {
        return Ok(());
    }
    bail!("{}\nIf this is meant: cargo xtask dist --accept-sizes", complaints.join("\n"))
}

fn complaints(sizes: &[Size], accepted: &BTreeMap<String, u64>) -> Vec<String> {
    let mut complaints = Vec::new();
    for size in sizes {
        if let Some(&before) = accepted.get(&size.path)
            && size.brotli > allowed(before)
        {
            complaints
                .push(format!("{} grew from {before} to {} bytes (brotli), more than 5 %", size.path, size.brotli));
        }
    }
    let first = || sizes.iter().filter(|size| size.is_first());
    let (now, before): (u64, u64) = (first().map(|size| size.brotli).sum(), accepted_first(accepted));
    if now > allowed(before) {
        let new: Vec<&str> =
            first().map(|size| size.path.as_str()).filter(|path| !accepted.contains_key(*path)).collect();
        let new = if new.is_empty() { String::new() } else { format!("; new since then: {}", new.join(", ")) };
        complaints.push(format!("the first view grew from {before} to {now} bytes (brotli), more than 5 %{new}"));
    }
    if now > LIMIT {
        complaints.push(format!("the first view takes {now} bytes (brotli), the limit is {LIMIT}"));
    }
    complaints
}

/// What was accepted for the first view.
fn accepted_first(accepted: &BTreeMap<String, u64>) -> u64 {
    accepted.iter().filter(|(path, _)| is_first(path)).map(|(_, size)| size).sum()
}

/// Makes these sizes the accepted ones.
pub(crate) fn accept(sizes: &[Size]) -> Result<()> {
    let mut text = String::from(
        "# Bytes of a first visit and of what comes when first needed, each file compressed with brotli (quality 11, window 22).\n\
         # cargo xtask test allows 5 % more; cargo xtask dist --accept-sizes writes this file.\n\n[brotli]\n",
    );
    for size in sizes {
        text.push_str(&format!("\"{}\" = {}\n", size.path, size.brotli));
    }
    std::fs::write(root().join(BASELINE), text).context(BASELINE)
}

fn baseline() -> Result<BTreeMap<String, u64>> {
    let text = std::fs::read_to_string(root().join(BASELINE))
        .with_context(|| format!("reading {BASELINE}; cargo xtask dist --accept-sizes makes it"))?;
    Ok(parse(&text))
}

/// The lines `"name" = number`, which is all there is in the file.
fn parse(text: &str) -> BTreeMap<String, u64> {
    let line = |line: &str| {
        let (name, value) = line.split_once('=')?;
        Some((name.trim().trim_matches('"').to_owned(), value.trim().parse().ok()?))
    };
    text.lines().filter(|text| !text.starts_with('#')).filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(path: &str, brotli: u64) -> Size {
        Size { path: path.to_owned(), raw: 3 * brotli, brotli }
    }

    #[test]
    fn growth_is_named() {
        let accepted = parse("# a comment = 1\n[brotli]\n\"a.wasm\" = 100000\n\"b.js\" = 100\n");
        assert_eq!(accepted.len(), 2);
        assert!(complaints(&[size("a.wasm", 105_000), size("b.js", 300)], &accepted).is_empty());
        let grown = complaints(&[size("a.wasm", 110_000), size("b.js", 100)], &accepted).join("\n");
        assert!(
            grown.contains("a.wasm grew from 100000 to 110000") && grown.contains("the first view grew"),
            "{grown}"
        );
        let new = complaints(&[size("a.wasm", 100_000), size("c.js", 9_000)], &accepted).join("\n");
        assert!(new.contains("new since then: c.js"), "{new}");
        let huge = complaints(&[size("a.wasm", 1_500_001)], &parse("a.wasm = 1500001")).join("\n");
        assert!(huge.contains("the limit is 1500000"), "{huge}");
        let engine = parse("a.wasm = 100\nengine_bg.wasm = 2000000");
        assert!(complaints(&[size("a.wasm", 100), size("engine_bg.wasm", 2_000_000)], &engine).is_empty());
        let grown = complaints(&[size("engine_bg.wasm", 2_200_000)], &engine).join("\n");
        assert!(grown.contains("engine_bg.wasm grew") && !grown.contains("first view"), "{grown}");
        let reader = parse("a.wasm = 100\ncolumns_bg.wasm = 500000");
        assert_eq!(accepted_first(&reader), 100);
        let grown = complaints(&[size("a.wasm", 100), size("columns_bg.wasm", 600_000)], &reader).join("\n");
        assert!(grown.contains("columns_bg.wasm grew") && !grown.contains("first view"), "{grown}");
    }

    #[test]
    fn the_first_view_is_what_html_and_css_name() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write(
            "index.html",
            r#"<link rel="stylesheet" href="./style.css"><script src="theme.js"></script><a href="https://a.b/c.js">"#,
        );
        write(
            "style.css",
            r#"@font-face{src:url("fonts/Inter.woff2") format("woff2")} a{background:url(data:image/png;base64,x)}"#,
        );
        for name in
            ["theme.js", "boot.js", "fonts/Inter.woff2", "fonts/unused.woff2", "samples/a.csv", "snippets/x/inline0.js"]
        {
            write(name, "x");
        }
        let names: Vec<String> = first_view(folder.path()).unwrap().into_iter().collect();
        assert_eq!(
            names,
            ["boot.js", "fonts/Inter.woff2", "index.html", "snippets/x/inline0.js", "style.css", "theme.js"]
        );
        assert_eq!(measure(folder.path()).unwrap().len(), 6);
    }
}
