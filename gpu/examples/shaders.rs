//! Writes every shader, as a compiler sees it, into a folder: `cargo run -p surprisal-gpu --example shaders -- DIR`.
//!
//! The tests use it to run compilers other than the one in wgpu, such as Google's Tint.

use std::{env, fs, path::Path, process::ExitCode};

fn main() -> ExitCode {
    let Some(folder) = env::args().nth(1) else {
        eprintln!("usage: shaders DIR");
        return ExitCode::from(2);
    };
    match write(Path::new(&folder)) {
        Ok(count) => {
            println!("{count} shaders in {folder}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{folder}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn write(folder: &Path) -> std::io::Result<usize> {
    fs::create_dir_all(folder)?;
    let shaders = surprisal_gpu::shaders();
    for (name, text) in &shaders {
        fs::write(folder.join(name).with_extension("wgsl"), text)?;
    }
    Ok(shaders.len())
}
