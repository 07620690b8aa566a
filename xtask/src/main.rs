//! `cargo xtask`: everything about this project that plain cargo does not do.
//!
//! Set up what is missing, build and serve the page, run every test, measure.

mod bench;
mod doctor;
mod embed;
mod serve;
mod shell;
mod site;
mod sizes;
mod test;
mod tools;
mod wasm_tests;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", version, about = "Set up, serve, test, build and bench Surprisal")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build the page (only what changed) and serve it on this machine
    Serve(serve::Args),
    /// Run every test there is; `--fast` for the inner loop
    Test(test::Args),
    /// Build the folder that goes on a static host, under any sub-path
    Dist(DistArgs),
    /// Speed against antropy, natively and in the browser, and sizes
    Bench(bench::Args),
    /// What is installed here, and which GPU adapters exist
    Doctor,
}

#[derive(clap::Args)]
struct DistArgs {
    /// Where to put the page [default: dist; under trunk its staging folder]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Make the sizes of this build the ones that `cargo xtask test` compares with
    #[arg(long)]
    accept_sizes: bool,
}

fn main() {
    let result = match Cli::parse().task {
        Task::Serve(args) => serve::main(&args),
        Task::Test(args) => test::main(&args),
        Task::Dist(args) => dist(&args),
        Task::Bench(args) => bench::main(&args),
        Task::Doctor => doctor::main(),
    };
    if let Err(error) = result {
        eprintln!("error: {error:#}");
        std::process::exit(1);
    }
}

fn dist(args: &DistArgs) -> Result<()> {
    let staging = std::env::var_os("TRUNK_STAGING_DIR").map(PathBuf::from);
    let out = args.out.clone().or(staging).unwrap_or_else(|| shell::root().join("dist"));
    // Under `trunk serve` the quick build is wanted, as trunk itself would do.
    let quick = std::env::var("TRUNK_PROFILE").is_ok_and(|profile| profile == "debug");
    site::build(if quick { site::Build::Quick } else { site::Build::Dist }, &out)?;
    if quick {
        return Ok(());
    }
    let sizes = shell::step("compress the files of the first view", || sizes::measure(&out))?;
    println!("{}", sizes::table(&sizes));
    if args.accept_sizes {
        sizes::accept(&sizes)?;
        println!("{} holds these sizes now", sizes::BASELINE);
    }
    println!("the page is in {}", out.display());
    Ok(())
}
