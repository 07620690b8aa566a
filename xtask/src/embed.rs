//! A page for every experiment that another page can put into a frame: the same module, no chrome.

use anyhow::{Context, Result};
use serde::Deserialize;

/// What the experiments say of themselves, which `core/tests/reference.rs` writes and compares with them.
const EXPERIMENTS: &str = include_str!("../experiments.json");

/// An experiment, as its page says it before the module has come.
#[derive(Deserialize)]
struct About {
    id: String,
    title: String,
    claim: String,
}

/// The folder of these pages in the site.
pub(crate) const FOLDER: &str = "embed";

/// Inside a sandbox that takes a page's origin away `'self'` may stand for nothing, so the policy of these pages says
/// no more than what they need: scripts and bytes of one host, a worker made of a line of script. Who may frame them is
/// the host's decision, in a header.
const POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval' blob:; style-src 'self'; img-src 'self' \
                      blob: data:; font-src 'self'; connect-src 'self'; worker-src 'self' blob:; object-src 'none'; \
                      base-uri 'none'; form-action 'none'";

/// The names of the pages in the site, and their text.
pub(crate) fn pages() -> Result<Vec<(String, String)>> {
    let list: Vec<About> = serde_json::from_str(EXPERIMENTS).context("reading xtask/experiments.json")?;
    Ok(list.iter().map(|about| (format!("{FOLDER}/{}.html", about.id), page(about))).collect())
}

fn page(about: &About) -> String {
    let (id, title, claim) = (escape(&about.id), escape(&about.title), escape(&about.claim));
    format!(
        r#"<!doctype html>
<html lang="en" class="embedded" data-embed="{id}" data-base="../">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<title>{title}</title>
<meta name="description" content="{claim}">
<meta name="color-scheme" content="light dark">
<link rel="canonical" href="../?experiment={id}">
<script src="../theme.js"></script>
<link rel="stylesheet" href="../style.css">
<link rel="icon" href="../icon.svg" type="image/svg+xml">
<link rel="modulepreload" href="../page.js">
<script type="module" src="../boot.js"></script>
</head>
<body>
<div id="app">
<main class="boot" aria-busy="true">
<p class="boot-line" id="boot-line">{title}</p>
<noscript><p>This figure computes on your own machine, and needs JavaScript and WebAssembly for that.</p></noscript>
</main>
</div>
</body>
</html>
"#
    )
}

/// Text inside HTML and its attributes.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_experiment_has_a_page_without_inline_script() {
        let pages = pages().unwrap();
        assert!(pages.iter().any(|(name, _)| name == "embed/fish-schooling.html"));
        for (name, text) in pages {
            assert!(name.starts_with("embed/") && name.ends_with(".html"));
            assert!(!text.contains("<script>") && !text.contains("style="), "{name}");
        }
        assert_eq!(escape("<a b=\"c\">&"), "&lt;a b=&quot;c&quot;&gt;&amp;");
    }
}
