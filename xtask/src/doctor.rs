//! What is installed on this machine, and what the tasks would make of it.

use anyhow::Result;

use crate::shell::{cargo, columns, loud_step, program, run};
use crate::tools::{self, version, which};

pub(crate) fn main() -> Result<()> {
    let mut rows = vec![vec!["tool".to_owned(), "found".into(), "what for".into()]];
    let mut row = |name: &str, found: Option<String>, what: &str| {
        rows.push(vec![name.to_owned(), found.unwrap_or_else(|| "-".into()), what.to_owned()]);
    };
    let asked = |name: &str| {
        which(name)
            .and_then(|path| version(program(&path).arg("--version")).or_else(|| Some(path.display().to_string())))
    };
    let there = |name: &str| which(name).map(|path| path.display().to_string());

    row("rustc", asked("rustc"), "everything");
    row("cargo", asked("cargo"), "everything");
    row(tools::WASM, tools::has_wasm_target().then(|| "installed".into()), "the page; rustup adds it");
    row("wasm-bindgen", Some(format!("{} (in xtask)", bindgen_version())), "the page");
    row("node", asked("node"), "browser tests, wasm-opt");
    row("npm", asked("npm"), "browser tests, wasm-opt");
    row(
        "wasm-opt",
        tools::wasm_opt().and_then(|mut command| version(command.arg("--version"))),
        "dist; from the npm packages of e2e",
    );
    row(
        "chromium",
        tools::chromium().and_then(|path| version(program(path).arg("--version"))),
        "browser tests; apt or Playwright brings it",
    );
    row("cargo-nextest", asked("cargo-nextest"), "faster tests; else cargo test");
    row("cargo-deny", asked("cargo-deny"), "licences and sources; optional");
    row("trunk", asked("trunk"), "optional, cargo xtask serve does without");
    row("naga", asked("naga"), "shaders in files; optional, the tests have their own");
    row("tint", there("tint"), "Chrome's shader compiler; optional, the browser job has it");
    row(
        "software Vulkan",
        tools::software_vulkan().map(|path| path.display().to_string()),
        "GPU tests without a GPU; apt brings it",
    );
    row("vulkaninfo", there("vulkaninfo"), "to look at drivers; optional");
    row("python3", asked("python3"), "bench: the packages we compare with");
    print!("{}", columns(&rows));

    println!();
    let command_line = ["-p", "surprisal-cli", "--bin", "surprisal"];
    let shown = loud_step("GPU adapters, from the command line (minutes if it was never built)", || {
        run(cargo().args(["build", "--quiet"]).args(command_line))?;
        run(cargo().args(["run", "--quiet"]).args(command_line).args(["--", "adapters"]))
    });
    if let Err(error) = shown {
        println!("  not known: {error:#}");
    }
    Ok(())
}

/// The version in the lock file, which is the one this program was built with.
fn bindgen_version() -> String {
    let lock = std::fs::read_to_string(crate::shell::root().join("Cargo.lock")).unwrap_or_default();
    let after = lock.split("name = \"wasm-bindgen-cli-support\"\nversion = \"").nth(1);
    after.and_then(|text| text.split('"').next()).unwrap_or("?").to_owned()
}
