//! Every test there is, in the order in which failures are cheapest to learn.
//!
//! A failed step does not end the run: the table at the end names all of them.

use std::io::IsTerminal;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::serve::Server;
use crate::shell::{self, cargo, columns, loud_step, output, program, root, seconds, tee};
use crate::tools::{self, which};
use crate::{site, sizes, wasm_tests};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Format, lints and native tests of core and the command line only
    #[arg(long)]
    fast: bool,
    /// Let GPU tests use any adapter of this machine, not only Mesa's software one
    #[arg(long)]
    any_gpu: bool,
    /// Install cargo-deny if it is absent (minutes)
    #[arg(long)]
    deny: bool,
    /// Only the steps whose name contains this
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
}

/// The crates that also run in the browser and may have tests there.
const IN_BROWSER: [&str; 3] = ["surprisal-core", "surprisal-gpu", "surprisal-web"];

/// Where the page lies during the tests: not at the root, as on many hosts.
const SUB_PATH: &str = "/sub/path/";

pub(crate) fn main(args: &Args) -> Result<()> {
    let mut report = Report { only: args.only.clone(), ..Report::default() };
    if args.fast {
        let packages = ["-p", "surprisal-core", "-p", "surprisal-columnar", "-p", "surprisal-cli"];
        report.step("format", format);
        report.step("lints", || clippy(&[&packages[..], &["--all-targets"]].concat()));
        report.step("native tests", || native_tests(&packages, args.any_gpu));
        return report.finish();
    }
    let runtime = Runtime::new()?;
    report.step("set-up", set_up);
    report.step("format", format);
    report.step("lints, native", || clippy(&["--workspace", "--all-targets"]));
    report.step("lints, wasm", || {
        let packages = IN_BROWSER.into_iter().chain(["surprisal-columnar"]).flat_map(|name| ["-p", name]);
        clippy(&packages.chain(["--target", tools::WASM]).collect::<Vec<_>>())
    });
    report.step("native tests", || native_tests(&["--workspace"], args.any_gpu));
    report.step("documentation tests", || counted(cargo().args(["test", "--quiet", "--doc", "--workspace"])));
    report.step("documentation", documentation);
    report.step("licences and sources", || deny(args.deny));
    report.step("shaders", || shaders(&runtime.shaders));
    let page = runtime.target.join("site/dist/page");
    report.step("page", || site::build(site::Build::Dist, &page).map(|()| Outcome::Passed(String::new())));
    report.step("sizes", || check_sizes(&page));
    report.step("wasm tests in the browser", || wasm_tests::run(&IN_BROWSER, &runtime.target));
    report.step("page in the browser", || page_in_browser(&page, &runtime));
    report.step("trunk", || trunk(&page, &runtime.target));
    report.finish()
}

/// Folders that several steps share.
struct Runtime {
    target: std::path::PathBuf,
    shaders: std::path::PathBuf,
}

impl Runtime {
    fn new() -> Result<Self> {
        let target = shell::target_dir()?;
        Ok(Self { shaders: target.join("wgsl"), target })
    }
}

/// What became of a step.
pub(crate) enum Outcome {
    /// With a word on what was seen.
    Passed(String),
    /// Tests ran: so many passed, so many did not.
    Counted { passed: u64, failed: u64 },
    /// Why not.
    NotChecked(String),
}

#[derive(Default)]
struct Report {
    only: Option<String>,
    rows: Vec<Vec<String>>,
    failures: Vec<String>,
    passed: u64,
    failed: u64,
    time: Duration,
}

impl Report {
    fn step(&mut self, name: &str, work: impl FnOnce() -> Result<Outcome>) {
        if self.only.as_ref().is_some_and(|only| !name.contains(only.as_str())) {
            return;
        }
        let start = Instant::now();
        let result = loud_step(name, work);
        let time = start.elapsed();
        self.time += time;
        let (state, detail) = match result {
            Ok(Outcome::Passed(detail)) => ("passed", detail),
            Ok(Outcome::Counted { passed, failed: 0 }) => {
                self.passed += passed;
                ("passed", format!("{passed} tests"))
            }
            Ok(Outcome::Counted { passed, failed }) => {
                self.passed += passed;
                self.failed += failed;
                self.failures.push(name.to_owned());
                ("FAILED", format!("{failed} of {} tests", passed + failed))
            }
            Ok(Outcome::NotChecked(why)) => {
                println!("  not checked: {why}");
                ("not checked", why)
            }
            Err(error) => {
                eprintln!("error: {error:#}");
                self.failures.push(name.to_owned());
                ("FAILED", String::new())
            }
        };
        self.rows.push(vec![name.to_owned(), state.to_owned(), seconds(time), detail]);
    }

    fn finish(mut self) -> Result<()> {
        self.rows.push(vec!["together".into(), String::new(), seconds(self.time), String::new()]);
        println!("\n{}", columns(&self.rows));
        if !self.failures.is_empty() {
            bail!("failed: {}; {} tests passed, {} failed", self.failures.join(", "), self.passed, self.failed);
        }
        println!("{} passed, 0 failed", self.passed);
        Ok(())
    }
}

fn passed() -> Result<Outcome> {
    Ok(Outcome::Passed(String::new()))
}

fn set_up() -> Result<Outcome> {
    tools::wasm_target()?;
    tools::npm_packages()?;
    tools::vulkan()?;
    let browser = tools::browser()?;
    Ok(Outcome::Passed(browser.display().to_string()))
}

fn format() -> Result<Outcome> {
    shell::run(cargo().args(["fmt", "--all", "--check"])).context("cargo fmt --all puts it right")?;
    passed()
}

fn clippy(what: &[&str]) -> Result<Outcome> {
    shell::run(cargo().args(["clippy", "--quiet"]).args(what).args(["--", "-D", "warnings"]))?;
    passed()
}

fn native_tests(what: &[&str], any_gpu: bool) -> Result<Outcome> {
    let mut command = cargo();
    if which("cargo-nextest").is_some() {
        command.args(["nextest", "run", "--no-fail-fast", "--no-tests=pass"]).args(what);
    } else {
        println!("  cargo-nextest is not installed: using cargo test, one test at a time for the GPU's sake");
        command.args(["test", "--no-fail-fast", "--lib", "--bins", "--tests"]).args(what);
        command.env("RUST_TEST_THREADS", "1");
    }
    // The Vulkan loader complains without such a folder.
    let folder = tempfile::tempdir()?;
    if std::env::var_os("XDG_RUNTIME_DIR").is_none() {
        command.env("XDG_RUNTIME_DIR", folder.path());
    }
    let chosen = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"].iter().any(|name| std::env::var_os(name).is_some());
    if let Some(driver) = tools::software_vulkan()
        && !any_gpu
        && !chosen
    {
        command.env("VK_DRIVER_FILES", &driver).env("VK_ICD_FILENAMES", &driver);
    }
    counted(&mut command)
}

/// Runs tests and believes their own summary, and their exit code more.
fn counted(command: &mut Command) -> Result<Outcome> {
    if std::io::stderr().is_terminal() {
        command.env("CARGO_TERM_COLOR", "always");
    }
    let (ok, text) = tee(command)?;
    let (passed, failed) = count(&text);
    if !ok && failed == 0 {
        bail!("`{}` failed", shell::show(command));
    }
    Ok(Outcome::Counted { passed, failed })
}

/// Tests passed and failed, from the summaries of nextest, libtest, wasm-bindgen-test and Playwright.
pub(crate) fn count(text: &str) -> (u64, u64) {
    let (mut passed, mut failed) = (0, 0);
    for line in without_colour(text).lines() {
        let line = line.trim();
        let words: Vec<&str> = line.split([' ', ',', ';', ':', '.']).filter(|word| !word.is_empty()).collect();
        let summary = line.starts_with("Summary [") || line.starts_with("test result:");
        // Playwright: a line of its own, `12 passed (3.4s)`.
        let alone = words.len() <= 4 && words.first().is_some_and(|word| word.parse::<u64>().is_ok());
        if !summary && !alone {
            continue;
        }
        for pair in words.windows(2) {
            let Ok(number) = pair[0].parse::<u64>() else { continue };
            match pair[1] {
                "passed" => passed += number,
                "failed" | "timed" | "interrupted" => failed += number,
                _ => {}
            }
        }
    }
    (passed, failed)
}

fn without_colour(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        plain.push_str(before);
        rest = after.split_once(|character: char| character.is_ascii_alphabetic()).map_or("", |(_, after)| after);
    }
    plain + rest
}

fn documentation() -> Result<Outcome> {
    let mut command = cargo();
    command.args(["doc", "--quiet", "--no-deps"]);
    command.args(["-p", "surprisal-core", "-p", "surprisal-columnar", "-p", "surprisal-gpu"]);
    shell::run(command.env("RUSTDOCFLAGS", "-D warnings"))?;
    passed()
}

fn deny(install: bool) -> Result<Outcome> {
    if which("cargo-deny").is_none() {
        if !install {
            return Ok(Outcome::NotChecked("cargo-deny is not installed (cargo xtask test --deny installs it)".into()));
        }
        let mut install = cargo();
        install.args(["install", "cargo-deny", "--version", "0.20.2", "--locked"]);
        // Its own release profile costs many minutes for seconds of work.
        install.env("CARGO_PROFILE_RELEASE_LTO", "off").env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1");
        shell::run(install.env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"))?;
    }
    // Advisories come from a git host: whoever has the network asks for them with `cargo deny check advisories`.
    shell::run(cargo().args(["deny", "--log-level", "error", "check", "bans", "licenses", "sources"]))?;
    Ok(Outcome::Passed("advisories not checked".into()))
}

/// Chrome's compiler over the composed text of every shader. naga's turn is among the native tests.
fn shaders(folder: &Path) -> Result<Outcome> {
    if !root().join("gpu/examples/shaders.rs").is_file() {
        return Ok(Outcome::NotChecked("gpu has no example that writes its shaders".into()));
    }
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    std::fs::create_dir_all(folder)?;
    // Built as the native tests build it: `cargo run -p` would choose other features, and core once more for them.
    output(cargo().args(["build", "--quiet", "--workspace", "--example", "shaders"]))?;
    let example = format!("debug/examples/shaders{}", std::env::consts::EXE_SUFFIX);
    output(program(shell::target_dir()?.join(example)).arg(folder))?;
    let files = site::files(folder)?;
    if files.is_empty() {
        bail!("the example wrote no shader");
    }
    if which("tint").is_none() {
        return Ok(Outcome::NotChecked(format!("{} shaders wait for the browser: tint is not installed", files.len())));
    }
    let mut complaints = Vec::new();
    for file in &files {
        if let Err(error) = output(program("tint").args(["--format", "wgsl"]).arg(file)) {
            complaints.push(format!("{error:#}"));
        }
    }
    if !complaints.is_empty() {
        bail!("tint rejects {} of {} shaders\n{}", complaints.len(), files.len(), complaints.join("\n"));
    }
    Ok(Outcome::Passed(format!("{} shaders", files.len())))
}

fn check_sizes(page: &Path) -> Result<Outcome> {
    let found = sizes::measure(page)?;
    println!("{}", sizes::table(&found));
    sizes::check(&found)?;
    passed()
}

fn page_in_browser(page: &Path, runtime: &Runtime) -> Result<Outcome> {
    let browser = tools::browser()?;
    // Nothing to do after the step before; with --only, the page of the sources as they are.
    site::build(site::Build::Dist, page)?;
    let url = Server::new(page, SUB_PATH, true).start()?;
    let mut command = program("node");
    command.current_dir(tools::e2e()).args(["node_modules/@playwright/test/cli.js", "test"]);
    command.env("BASE_URL", url).env("SURPRISAL_CHROMIUM", browser);
    if runtime.shaders.is_dir() {
        command.env("WGSL_DIR", &runtime.shaders);
    }
    // The journeys compare the page with the command line.
    loud_step("the command line, to compare with", || {
        shell::run(cargo().args(["build", "--quiet", "--workspace", "--bin", "surprisal"]))
    })?;
    command
        .env("SURPRISAL_CLI", runtime.target.join("debug").join(format!("surprisal{}", std::env::consts::EXE_SUFFIX)));
    counted(&mut command)
}

/// The same page from trunk, to the byte.
fn trunk(page: &Path, target: &Path) -> Result<Outcome> {
    if which("trunk").is_none() {
        return Ok(Outcome::NotChecked("trunk is not installed".into()));
    }
    site::build(site::Build::Dist, page)?;
    let dist = target.join("site/trunk");
    if dist.exists() {
        std::fs::remove_dir_all(&dist)?;
    }
    shell::run(program("trunk").args(["build", "--release", "--offline", "--dist"]).arg(&dist))?;
    let (ours, theirs) = (site::files(page)?, site::files(&dist)?);
    let names = |folder: &Path, files: &[std::path::PathBuf]| {
        files.iter().map(|file| site::relative(folder, file)).collect::<Result<Vec<_>>>()
    };
    let (ours_named, theirs_named) = (names(page, &ours)?, names(&dist, &theirs)?);
    if ours_named != theirs_named {
        bail!("trunk's page has other files: {theirs_named:?} instead of {ours_named:?}");
    }
    for ((mine, other), name) in ours.iter().zip(&theirs).zip(&ours_named) {
        if std::fs::read(mine)? != std::fs::read(other)? {
            bail!("{name} differs in trunk's page");
        }
    }
    Ok(Outcome::Passed(format!("{} files, the same", ours.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_are_counted() {
        let nextest = "\u{1b}[31;1m     Summary\u{1b}[0m [   0.512s] 12 tests run: 9 passed (1 slow), 2 failed, 1 timed out, 3 skipped\n";
        assert_eq!(count(nextest), (9, 3));
        assert_eq!(
            count(
                "test result: ok. 5 passed; 0 failed; 1 ignored; finished in 0.1s\ntest result: FAILED. 1 passed; 2 failed;"
            ),
            (6, 2)
        );
        assert_eq!(
            count("Running 3 tests using 1 worker\n  1 failed\n    [cpu] > a.spec.mjs\n  2 passed (3.4s)\n"),
            (2, 1)
        );
        assert_eq!(count("in 2019 we passed 3 failed bridges\n"), (0, 0));
    }
}
