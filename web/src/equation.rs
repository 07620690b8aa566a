//! Equations as MathML, which every browser draws by itself.

use std::{collections::HashMap, sync::OnceLock};

/// Written by the test `reference` of core, which also compares it with the LaTeX of the catalogue and the experiments.
const TYPESET: &str = include_str!("equations.tsv");

/// The `<math>` of the measure or the experiment called `id`. A constant of this build, and so safe as HTML.
pub(crate) fn mathml(id: &str) -> Option<&'static str> {
    static ALL: OnceLock<HashMap<&str, &str>> = OnceLock::new();
    ALL.get_or_init(|| TYPESET.lines().filter_map(|line| line.split_once('\t')).collect()).get(id).copied()
}

#[cfg(test)]
mod tests {
    use surprisal_core::{experiment::registry, measure::catalogue};

    use super::mathml;

    #[test]
    fn every_equation_is_typeset() {
        for id in catalogue().iter().map(|e| e.about.id).chain(registry().iter().map(|e| e.about.id)) {
            let math = mathml(id).unwrap_or_else(|| panic!("{id} is not typeset"));
            assert!(math.starts_with("<math display=\"block\" alttext=") && math.ends_with("</math>"), "{id}: {math}");
        }
    }
}
