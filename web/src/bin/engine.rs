//! What runs in the worker.

fn main() {
    #[cfg(target_arch = "wasm32")]
    surprisal_web::start_engine();
    #[cfg(not(target_arch = "wasm32"))]
    eprintln!("surprisal-web runs in a browser: cargo xtask serve");
}
