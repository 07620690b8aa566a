//! The page: cargo builds the wasm, wasm-bindgen (as a library) its JavaScript, binaryen shrinks it, `static` is copied.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::shell::{cargo, loud_step, output, root, seconds, step, target_dir};
use crate::{embed, tools};

/// How much work goes into the wasm.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Build {
    /// cargo's dev profile, with names and assertions.
    Debug,
    /// Nearly the speed of the real thing, sooner.
    Quick,
    /// Everything, for a static host.
    Dist,
}

impl Build {
    fn profile(self) -> &'static str {
        match self {
            Self::Debug => "dev",
            Self::Quick => "serve",
            Self::Dist => "web",
        }
    }

    fn folder(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Quick => "quick",
            Self::Dist => "dist",
        }
    }
}

/// What rustc 1.95 may use in its output; binaryen wants each feature named.
const WASM_OPT: &[&str] = &[
    "-Os",
    "--enable-simd",
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
    "--enable-extended-const",
];

/// What runs in the window, what runs in its worker, and what that loads for Parquet and Arrow.
const MODULES: [&str; 3] = ["page", "engine", "columns"];

/// The list of everything in the site, for the service worker.
const ASSETS: &str = "assets.json";

/// Builds the page into `out`, which may exist already.
pub(crate) fn build(how: Build, out: &Path) -> Result<()> {
    tools::wasm_target()?;
    let target = target_dir()?;
    let profile = how.profile();
    loud_step(&format!("wasm of the page, profile {profile}"), || {
        // Together, so that what they share is built once.
        let packages = ["-p", "surprisal-web", "-p", "surprisal-columnar", "--bins"];
        crate::shell::run(cargo().arg("build").args(packages).args(["--target", tools::WASM, "--profile", profile]))
    })?;
    let folder = if profile == "dev" { "debug" } else { profile };
    let (wasm, site) = (target.join(tools::WASM).join(folder), target.join("site").join(how.folder()).join("bound"));
    let bound = MODULES.map(|name| site.join(name));
    for (name, out) in MODULES.iter().zip(&bound) {
        bind(how, name, &wasm.join(format!("{name}.wasm")), out)?;
    }
    step("copy the page together", || assemble(&bound, out))
}

/// wasm-bindgen and the optimiser, skipped when their input is what it was.
pub(crate) fn bind(how: Build, name: &str, wasm: &Path, out: &Path) -> Result<()> {
    let bytes = std::fs::read(wasm).with_context(|| format!("reading {}", wasm.display()))?;
    let optimise = how == Build::Dist;
    if optimise {
        tools::npm_packages()?;
    }
    // This file holds the settings of both tools: when it changes, so may their output.
    let settings = tools::hex(&Sha256::digest(include_str!("site.rs")));
    let recipe = format!("{} {settings} {optimise}", tools::hex(&Sha256::digest(&bytes)));
    let stamp = out.with_extension("stamp");
    if std::fs::read_to_string(&stamp).is_ok_and(|found| found == recipe) {
        return Ok(());
    }
    if out.exists() {
        std::fs::remove_dir_all(out).with_context(|| format!("clearing {}", out.display()))?;
    }
    std::fs::create_dir_all(out)?;
    step(&format!("wasm-bindgen, {name}"), || {
        let debug = how == Build::Debug;
        wasm_bindgen_cli_support::Bindgen::new()
            .input_bytes(name, bytes)
            .web(true)?
            .typescript(false)
            .omit_default_module_path(false)
            .debug(debug)
            .keep_debug(debug)
            .remove_name_section(!debug)
            .remove_producers_section(true)
            .generate(out)
            .with_context(|| format!("wasm-bindgen over the wasm of the {name}"))
    })?;
    if optimise {
        let file = out.join(format!("{name}_bg.wasm"));
        let Some(mut wasm_opt) = tools::wasm_opt() else {
            bail!("no wasm-opt: it comes with the npm packages of e2e, which need Node");
        };
        let before = file_size(&file)?;
        step(&format!("wasm-opt, {name}"), || output(wasm_opt.args(WASM_OPT).arg(&file).arg("-o").arg(&file)))?;
        println!("  {before} bytes of wasm became {}", file_size(&file)?);
    }
    std::fs::write(&stamp, recipe).context("noting what was bound")
}

/// Copies `static`, what wasm-bindgen made and the pages for frames, and lists it all.
fn assemble(bound: &[PathBuf], out: &Path) -> Result<()> {
    let written = root().join("static");
    if !written.join("index.html").is_file() {
        bail!("{} has no index.html", written.display());
    }
    let mut sources = BTreeMap::new();
    for folder in std::iter::once(&written).chain(bound) {
        for path in files(folder)? {
            let name = relative(folder, &path)?;
            let bytes = std::fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
            if sources.insert(name.clone(), bytes).is_some() {
                bail!("a file of static and one made by wasm-bindgen are both called {name}");
            }
        }
    }
    sources.extend(embed::pages()?.into_iter().map(|(name, text)| (name, text.into_bytes())));
    // What an earlier build put here and this one does not have. Other files are none of our business.
    for old in listed(&out.join(ASSETS)) {
        if !sources.contains_key(&old) {
            let _ = std::fs::remove_file(out.join(old));
        }
    }
    let mut entries = Vec::new();
    let mut whole = Sha256::new();
    for (name, bytes) in &sources {
        let to = out.join(name);
        if std::fs::read(&to).ok().as_deref() != Some(bytes) {
            if let Some(parent) = to.parent() {
                std::fs::create_dir_all(parent)?;
            }
            std::fs::write(&to, bytes).with_context(|| format!("writing {}", to.display()))?;
        }
        let hash = tools::hex(&Sha256::digest(bytes));
        whole.update(format!("{name} {hash}\n"));
        entries.push(serde_json::json!({ "path": name, "bytes": bytes.len(), "sha256": &hash[..16] }));
    }
    let version = &tools::hex(&whole.finalize())[..16];
    let list = serde_json::json!({ "version": version, "files": entries });
    let text = serde_json::to_string_pretty(&list)? + "\n";
    let path = out.join(ASSETS);
    if std::fs::read_to_string(&path).is_ok_and(|found| found == text) {
        return Ok(());
    }
    std::fs::write(&path, text).context("writing assets.json")
}

/// The names in an `assets.json`; none if there is none.
fn listed(path: &Path) -> Vec<String> {
    let read = || -> Option<Vec<String>> {
        let list: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).ok()?).ok()?;
        let names = list["files"].as_array()?.iter().filter_map(|file| file["path"].as_str());
        // The file may have been edited: a name never leads out of the folder.
        Some(
            names
                .filter(|name| !name.split('/').any(|part| part.is_empty() || part == ".."))
                .map(str::to_owned)
                .collect(),
        )
    };
    read().unwrap_or_default()
}

/// All files below a folder, hidden ones excepted.
pub(crate) fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')) {
            continue;
        }
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// A path inside a folder, with slashes as in a URL.
pub(crate) fn relative(folder: &Path, path: &Path) -> Result<String> {
    let inside = path.strip_prefix(folder)?;
    Ok(inside.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/"))
}

fn file_size(path: &Path) -> Result<u64> {
    Ok(std::fs::metadata(path).with_context(|| format!("looking at {}", path.display()))?.len())
}

/// Builds for a task that prints its own time.
pub(crate) fn build_timed(how: Build, out: &Path) -> Result<String> {
    let start = std::time::Instant::now();
    build(how, out)?;
    Ok(seconds(start.elapsed()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_assets_never_leads_out_of_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(ASSETS);
        assert!(listed(&path).is_empty());
        std::fs::write(&path, r#"{"files":[{"path":"a/b.js"},{"path":"../c"},{"path":"/etc/d"}]}"#).unwrap();
        assert_eq!(listed(&path), ["a/b.js"]);
    }

    #[test]
    fn names_are_those_of_a_url() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("fonts")).unwrap();
        std::fs::write(folder.path().join("fonts/a.woff2"), "").unwrap();
        std::fs::write(folder.path().join(".hidden"), "").unwrap();
        let found = files(folder.path()).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(relative(folder.path(), &found[0]).unwrap(), "fonts/a.woff2");
    }
}
