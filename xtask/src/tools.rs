//! What the tasks need from the machine. Each thing is looked for first and installed only when it is absent.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::shell::{self, loud_step, output, program, root, run, step};

/// The only target of the page.
pub(crate) const WASM: &str = "wasm32-unknown-unknown";

/// The first file of this name on the `PATH`.
pub(crate) fn which(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .flat_map(|folder| [folder.join(name), folder.join(format!("{name}.exe"))])
        .find(|file| file.is_file())
}

/// Whether this toolchain can build for the browser.
pub(crate) fn has_wasm_target() -> bool {
    output(program("rustc").args(["--print", "target-libdir", "--target", WASM]))
        .is_ok_and(|dir| Path::new(dir.trim()).is_dir())
}

/// Adds the wasm target to the toolchain when it lacks it.
pub(crate) fn wasm_target() -> Result<()> {
    if has_wasm_target() {
        return Ok(());
    }
    if which("rustup").is_none() {
        bail!(
            "this Rust toolchain has no standard library for {WASM}, and there is no rustup to add it.\n\
             Install rustup (https://rustup.rs), or your distribution's package: Debian and Ubuntu call it \
             libstd-rust-dev-wasm32, Fedora rust-std-static-{WASM}."
        );
    }
    loud_step(&format!("add the target {WASM}"), || run(program("rustup").args(["target", "add", WASM])))?;
    if has_wasm_target() {
        return Ok(());
    }
    bail!(
        "`rustup target add {WASM}` worked, but the rustc on the PATH still lacks the target: it is not rustup's. \
         Put rustup's folder (usually ~/.cargo/bin) first on the PATH."
    )
}

/// The folder of the browser tests.
pub(crate) fn e2e() -> PathBuf {
    root().join("e2e")
}

/// npm packages of `e2e`, exactly as locked.
pub(crate) fn npm_packages() -> Result<()> {
    npm_ci("e2e")
}

/// The packages that training in the browser is compared with. Only the bench needs them.
pub(crate) fn peers() -> Result<()> {
    npm_ci("e2e/peers")
}

fn npm_ci(name: &str) -> Result<()> {
    let folder = root().join(name);
    let lock =
        std::fs::read(folder.join("package-lock.json")).with_context(|| format!("reading {name}/package-lock.json"))?;
    let wanted = hex(&Sha256::digest(&lock));
    let stamp = folder.join("node_modules/.locked");
    if std::fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    if which("npm").is_none() {
        bail!(
            "npm is not installed: the browser tests and the wasm optimiser come from it. Node 20 or newer brings it."
        );
    }
    step(&format!("npm packages of {name}"), || {
        let mut npm = program("npm");
        npm.args(["ci", "--ignore-scripts"]).current_dir(&folder);
        output(npm.env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1"))?;
        std::fs::write(&stamp, &wanted).with_context(|| format!("writing {name}/node_modules/.locked"))
    })
}

/// binaryen's optimiser: the npm package's, of a known version, else one on the `PATH`.
pub(crate) fn wasm_opt() -> Option<Command> {
    let packaged = e2e().join("node_modules/binaryen/bin/wasm-opt");
    if packaged.is_file() && which("node").is_some() {
        let mut command = program("node");
        command.arg(packaged);
        return Some(command);
    }
    which("wasm-opt").map(program)
}

/// A Chromium: the one named by `SURPRISAL_CHROMIUM`, else the system's.
pub(crate) fn chromium() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("SURPRISAL_CHROMIUM") {
        return Some(named.into());
    }
    let found =
        ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"].into_iter().find_map(which)?;
    // Ubuntu's package is a script that starts a snap, which sees no files outside the home folder.
    let stub = std::fs::read(&found)
        .is_ok_and(|text| text.starts_with(b"#!") && String::from_utf8_lossy(&text).contains("/snap/bin"));
    if stub { None } else { Some(found) }
}

/// Playwright's own browser, if it has been downloaded.
fn playwright_chromium() -> Option<PathBuf> {
    let script = "import('@playwright/test').then(p => console.log(p.chromium.executablePath()))";
    let path = output(program("node").current_dir(e2e()).args(["-e", script])).ok()?;
    let path = PathBuf::from(path.trim());
    path.is_file().then_some(path)
}

/// A browser for the tests, installed if need be.
pub(crate) fn browser() -> Result<PathBuf> {
    if let Some(found) = chromium() {
        return Ok(found);
    }
    npm_packages()?;
    if let Some(found) = playwright_chromium() {
        return Ok(found);
    }
    if distribution().is_some_and(|id| id == "debian") {
        apt(&["chromium"])?;
        if let Some(found) = chromium() {
            return Ok(found);
        }
    }
    loud_step("Playwright's own Chromium", || {
        let mut npx = program("npx");
        npx.args(["playwright", "install"]).current_dir(e2e());
        if is_root() {
            npx.arg("--with-deps");
        }
        run(npx.arg("chromium"))
    })?;
    playwright_chromium()
        .context("no Chromium found, and Playwright could not install its own: set SURPRISAL_CHROMIUM to one")
}

/// The description of Mesa's software Vulkan driver, where the loader looks for it.
pub(crate) fn software_vulkan() -> Option<PathBuf> {
    ["/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d", "/usr/local/share/vulkan/icd.d"]
        .iter()
        .filter_map(|folder| std::fs::read_dir(folder).ok())
        .flatten()
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("lvp_icd")))
}

/// Mesa's software Vulkan driver and the loader, by apt where that is possible.
pub(crate) fn vulkan() -> Result<()> {
    if !cfg!(target_os = "linux") || software_vulkan().is_some() {
        return Ok(());
    }
    if distribution().is_some_and(|id| id == "debian" || id == "ubuntu") {
        return apt(&["mesa-vulkan-drivers", "libvulkan1"]);
    }
    println!("  no software Vulkan driver (Mesa's lavapipe) found: GPU tests use the adapters there are");
    Ok(())
}

fn apt(packages: &[&str]) -> Result<()> {
    // Another installation may be under way: it is waited for.
    let wait = "--option DPkg::Lock::Timeout=300";
    let line = format!("apt-get install --yes --no-install-recommends {wait} {}", packages.join(" "));
    if !is_root() {
        println!("  not installed, and this is not root. Please run: sudo {line}");
        return Ok(());
    }
    loud_step(&line, || {
        output(program("apt-get").arg("update"))?;
        output(program("sh").args(["-c", &line]).env("DEBIAN_FRONTEND", "noninteractive"))?;
        Ok(())
    })
}

/// `debian`, `ubuntu` or another `ID` of os-release.
fn distribution() -> Option<String> {
    let text = std::fs::read_to_string("/etc/os-release").ok()?;
    let id = text.lines().find_map(|line| line.strip_prefix("ID="))?;
    Some(id.trim_matches('"').to_owned())
}

fn is_root() -> bool {
    cfg!(unix) && output(program("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

/// What a program answers to `--version`, first line.
pub(crate) fn version(command: &mut Command) -> Option<String> {
    let text = shell::output(command).ok()?;
    text.lines().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned)
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
