//! The module that reads Parquet and Arrow files for the page, in a worker of its own (`static/columns-worker.js`).

#[cfg(target_arch = "wasm32")]
mod page;

fn main() {
    #[cfg(target_arch = "wasm32")]
    page::start();
    #[cfg(not(target_arch = "wasm32"))]
    eprintln!("columns runs in a browser: cargo xtask serve");
}
