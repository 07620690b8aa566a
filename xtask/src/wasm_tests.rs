//! `#[wasm_bindgen_test]`s in a real browser, with the browser and the flags of the page's tests.
//!
//! wasm-bindgen's own runner would have to be installed, with a driver that matches the browser to the version.
//! What it does is little: bind the test binary, and call each export that is a test from a page or a worker.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::serve::Server;
use crate::shell::{self, cargo, program, root, tee};
use crate::test::{Outcome, count};
use crate::tools;

/// Builds and runs the tests of those of these packages that have any.
pub(crate) fn run(packages: &[&str], target: &Path) -> Result<Outcome> {
    let with_tests: Vec<&str> = packages.iter().copied().filter(|name| has_tests(name)).collect();
    if with_tests.is_empty() {
        return Ok(Outcome::NotChecked("no package has wasm tests".into()));
    }
    // The profile of the page: its dependencies are built already, and it is what users get.
    let mut command = cargo();
    command.args(["test", "--no-run", "--quiet", "--target", tools::WASM, "--profile", "web"]);
    command.args(["--message-format", "json-render-diagnostics"]);
    for name in with_tests {
        command.args(["-p", name]);
    }
    // Warnings and errors go to the terminal, the list of what was built comes back.
    let built = command.stderr(std::process::Stdio::inherit()).output().context("building the wasm tests")?;
    if !built.status.success() {
        bail!("`{}` failed", shell::show(&command));
    }
    let folder = target.join("wasm-tests");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    let mut names = Vec::new();
    for (name, file) in binaries(&String::from_utf8_lossy(&built.stdout)) {
        prepare(&file, &folder.join(&name)).with_context(|| format!("preparing the tests of {name}"))?;
        names.push(name);
    }
    let browser = tools::browser()?;
    let url = Server::new(&folder, "/", false).start()?;
    let mut command = program("node");
    command.current_dir(tools::e2e()).arg("wasm-tests.mjs").arg(url).args(&names).env("SURPRISAL_CHROMIUM", browser);
    let (ok, text) = tee(&mut command)?;
    let (passed, failed) = count(&text);
    if !ok && failed == 0 {
        bail!("`{}` failed", shell::show(&command));
    }
    if passed + failed == 0 {
        bail!("wasm tests exist, but none ran");
    }
    Ok(Outcome::Counted { passed, failed })
}

/// Whether a package depends on wasm-bindgen-test.
fn has_tests(package: &str) -> bool {
    let folder = package.trim_start_matches("surprisal-");
    std::fs::read_to_string(root().join(folder).join("Cargo.toml")).is_ok_and(|text| text.contains("wasm-bindgen-test"))
}

/// The test binaries in cargo's messages, each with a name of its own.
fn binaries(messages: &str) -> Vec<(String, PathBuf)> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["reason"] == "compiler-artifact" && message["profile"]["test"] == true)
        .filter_map(|message| {
            let file = PathBuf::from(message["executable"].as_str()?);
            Some((file.file_stem()?.to_string_lossy().into_owned(), file))
        })
        .collect()
}

/// A folder with a page that runs these tests.
fn prepare(wasm: &Path, folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    let bytes = std::fs::read(wasm)?;
    // wasm_bindgen_test_configure!(run_in_dedicated_worker) leaves a 2 there, run_in_browser a 1.
    let in_worker = custom_section(&bytes, "__wasm_bindgen_test_unstable").is_some_and(|data| data.contains(&2));
    wasm_bindgen_cli_support::Bindgen::new()
        .input_bytes("tests", bytes)
        .web(true)?
        .typescript(false)
        .omit_default_module_path(false)
        .debug(true)
        .export_wasm(true)
        .emit_start(false)
        .generate(folder)?;
    for name in ["index.html", "run.js", "worker.js"] {
        std::fs::copy(tools::e2e().join("wasm-tests").join(name), folder.join(name))
            .with_context(|| format!("copying {name}"))?;
    }
    std::fs::write(folder.join("mode.json"), serde_json::json!({ "worker": in_worker }).to_string())?;
    Ok(())
}

/// The data of a custom section of a wasm module.
fn custom_section<'a>(wasm: &'a [u8], wanted: &str) -> Option<&'a [u8]> {
    fn number(bytes: &mut &[u8]) -> Option<usize> {
        let mut value = 0;
        for shift in (0..35).step_by(7) {
            let (&byte, rest) = bytes.split_first()?;
            *bytes = rest;
            value |= usize::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }
    let mut rest = wasm.strip_prefix(b"\0asm\x01\0\0\0")?;
    while let Some((&id, after)) = rest.split_first() {
        rest = after;
        let length = number(&mut rest)?;
        let (mut section, after) = rest.split_at_checked(length)?;
        rest = after;
        if id == 0 {
            let length = number(&mut section)?;
            let (name, data) = section.split_at_checked(length)?;
            if name == wanted.as_bytes() {
                return Some(data);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn custom_sections_are_found() {
        let wasm = b"\0asm\x01\0\0\0\x01\x01\0\0\x05\x03abcx\0\x03\x01ay";
        assert_eq!(custom_section(wasm, "abc"), Some(&b"x"[..]));
        assert_eq!(custom_section(wasm, "a"), Some(&b"y"[..]));
        assert_eq!(custom_section(wasm, "b"), None);
        assert_eq!(custom_section(&wasm[..11], "abc"), None);
        assert_eq!(custom_section(b"text", "abc"), None);
    }

    #[test]
    fn test_binaries_are_found_among_the_messages() {
        let messages = concat!(
            r#"{"reason":"compiler-artifact","profile":{"test":false},"executable":"/t/a.wasm"}"#,
            "\n",
            r#"{"reason":"compiler-artifact","profile":{"test":true},"executable":"/t/web-12.wasm"}"#,
            "\nnoise\n",
            r#"{"reason":"build-finished","success":true}"#,
        );
        assert_eq!(binaries(messages), [("web-12".to_owned(), PathBuf::from("/t/web-12.wasm"))]);
    }
}
