//! How a document that is made from the code is compared with what lies in `docs`, and written anew.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
};

/// Set to 1, the tests write the documents instead of comparing them.
const WRITE: &str = "SURPRISAL_WRITE_DOCS";

/// The folder of documents.
fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

/// Compares documents, by their paths within `docs`, with the files there. `folder`, if it is given, holds no others.
///
/// # Panics
/// When one differs, is missing, or is there without a reason.
pub(crate) fn check(documents: &BTreeMap<String, String>, folder: Option<&str>) {
    let extra = || -> Vec<String> {
        let Some(folder) = folder else { return Vec::new() };
        let Ok(list) = fs::read_dir(docs().join(folder)) else { return Vec::new() };
        let names = list.map(|e| format!("{folder}/{}", e.unwrap().file_name().to_string_lossy()));
        names.filter(|name| !documents.contains_key(name)).collect()
    };
    if env::var(WRITE).is_ok_and(|v| v == "1") {
        extra().iter().for_each(|name| fs::remove_file(docs().join(name)).unwrap());
        for (name, text) in documents {
            let path = docs().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        return;
    }
    let differs = |(name, text): &(&String, &String)| {
        // A checkout may turn line ends into two bytes.
        fs::read_to_string(docs().join(name)).map(|t| t.replace("\r\n", "\n")).ok().as_ref() != Some(*text)
    };
    let stale: Vec<&String> = documents.iter().filter(differs).map(|(name, _)| name).collect();
    assert!(
        stale.is_empty() && extra().is_empty(),
        "docs are not those of the code: {stale:?} differ, {:?} should not be there. `{WRITE}=1 cargo test -p surprisal-core --test reference --test golden` writes them.",
        extra()
    );
}
