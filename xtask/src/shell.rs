//! Running other programs: what is run is printed, how long it took, and a failure names its command line.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};

/// The folder with the workspace's `Cargo.toml`.
pub(crate) fn root() -> PathBuf {
    let manifest =
        std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    manifest.parent().map_or_else(|| manifest.clone(), Path::to_path_buf)
}

/// Where cargo puts what it builds: the settings of cargo decide, not this program.
pub(crate) fn target_dir() -> Result<PathBuf> {
    let text = output(cargo().args(["metadata", "--no-deps", "--format-version", "1"]))?;
    let metadata: serde_json::Value = serde_json::from_str(&text).context("reading `cargo metadata`")?;
    metadata["target_directory"]
        .as_str()
        .map(PathBuf::from)
        .ok_or_else(|| anyhow!("`cargo metadata` names no target directory"))
}

/// The cargo that started this program, run in the workspace's root.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// A program run in the workspace's root.
pub(crate) fn program(name: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(name);
    command.current_dir(root());
    command
}

/// The command line as one would type it.
pub(crate) fn show(command: &Command) -> String {
    let quote = |text: std::borrow::Cow<'_, str>| {
        if text.contains(char::is_whitespace) || text.is_empty() { format!("'{text}'") } else { text.into_owned() }
    };
    let mut line = quote(command.get_program().to_string_lossy());
    for argument in command.get_args() {
        line.push(' ');
        line.push_str(&quote(argument.to_string_lossy()));
    }
    line
}

/// Runs with the terminal's own input and output.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("could not start `{}`", show(command)))?;
    if !status.success() {
        bail!("`{}` failed ({status})", show(command));
    }
    Ok(())
}

/// Runs in silence and returns what was printed.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let done = command.output().with_context(|| format!("could not start `{}`", show(command)))?;
    if !done.status.success() {
        let said = String::from_utf8_lossy(&done.stderr);
        bail!("`{}` failed ({})\n{}", show(command), done.status, said.trim_end());
    }
    Ok(String::from_utf8_lossy(&done.stdout).into_owned())
}

/// Runs, passes the output on as it comes, and returns it together with whether the command succeeded.
pub(crate) fn tee(command: &mut Command) -> Result<(bool, String)> {
    fn forward(from: impl Read, mut to: impl Write) -> String {
        let mut from = BufReader::new(from);
        let mut text = String::new();
        let mut line = Vec::new();
        while from.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
            // A closed terminal must not end the tests.
            let _ = to.write_all(&line);
            let _ = to.flush();
            text.push_str(&String::from_utf8_lossy(&line));
            line.clear();
        }
        text
    }
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("could not start `{}`", show(command)))?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let errors = std::thread::spawn(move || stderr.map(|pipe| forward(pipe, std::io::stderr())).unwrap_or_default());
    let mut text = stdout.map(|pipe| forward(pipe, std::io::stdout())).unwrap_or_default();
    text.push_str(&errors.join().unwrap_or_default());
    let status = child.wait().with_context(|| format!("waiting for `{}`", show(command)))?;
    Ok((status.success(), text))
}

/// One line for a silent piece of work: what it is, then how long it took.
pub(crate) fn step<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    print!("» {what} … ");
    let _ = std::io::stdout().flush();
    let start = Instant::now();
    let result = work();
    match &result {
        Ok(_) => println!("{}", seconds(start.elapsed())),
        Err(_) => println!("failed after {}", seconds(start.elapsed())),
    }
    result
}

/// The same for work that prints: its name before, its time after.
pub(crate) fn loud_step<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    println!("» {what}");
    let start = Instant::now();
    let result = work().with_context(|| what.to_owned());
    println!("» {what} … {}{}", if result.is_ok() { "" } else { "failed after " }, seconds(start.elapsed()));
    result
}

/// `12.3 s`, or `2 min 05 s` from a minute on.
pub(crate) fn seconds(time: Duration) -> String {
    let total = time.as_secs();
    if total < 60 { format!("{:.1} s", time.as_secs_f64()) } else { format!("{} min {:02} s", total / 60, total % 60) }
}

/// Columns that line up, for a terminal.
pub(crate) fn columns(rows: &[Vec<String>]) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..count).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(&format!("  {cell:<width$}"));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_its_command_line() {
        let error = run(program("cargo").args(["no-such-command", "a b"])).unwrap_err();
        assert!(error.to_string().contains("cargo no-such-command 'a b'"), "{error}");
        assert!(output(&mut program("surely-no-such-program")).unwrap_err().to_string().contains("could not start"));
    }

    #[test]
    fn tee_returns_what_both_streams_said() {
        let (ok, text) = tee(program("cargo").arg("--version")).unwrap();
        assert!(ok && text.starts_with("cargo "));
    }

    #[test]
    fn times_read_well() {
        assert_eq!(seconds(Duration::from_millis(12_340)), "12.3 s");
        assert_eq!(seconds(Duration::from_secs(125)), "2 min 05 s");
    }

    #[test]
    fn columns_line_up_and_lines_end_with_text() {
        let rows = vec![vec!["a".into(), "long".into(), String::new()], vec!["wide".into(), "b".into()]];
        assert_eq!(columns(&rows), "  a     long\n  wide  b\n");
    }
}
