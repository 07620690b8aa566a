//! Choices of measures for kinds of data.

/// Measures that answer the usual questions about one kind of data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preset {
    /// Its name on the command line and in URLs.
    pub id: &'static str,
    /// The kind of data.
    pub title: &'static str,
    /// What the measures tell about it.
    pub summary: &'static str,
    /// Their ids.
    pub measures: &'static [&'static str],
}

/// All presets.
pub const PRESETS: [Preset; 9] = [
    Preset {
        id: "physiology",
        title: "Physiology",
        summary: "Regularity and order of heartbeats, ECG, EEG or breath, over several scales.",
        measures: &[
            "perm",
            "perm.weighted",
            "perm.complexity_plane",
            "sampen",
            "fuzzen",
            "mse",
            "dispersion",
            "bubble",
            "spectral",
        ],
    },
    Preset {
        id: "telemetry",
        title: "Telemetry",
        summary: "How much each channel varies, how predictable it is, and what the channels tell about each other.",
        measures: &["series.profile", "hist.entropy", "perm", "spectral", "mi.ksg1"],
    },
    Preset {
        id: "coupling",
        title: "Coupling of channels",
        summary: "What two channels share, and in which direction it flows.",
        measures: &["mi.ksg1", "te.ksg"],
    },
    Preset {
        id: "sequences",
        title: "Sequences of symbols",
        summary: "Uncertainty of a symbol, and of the next one given those before: states, genes, behaviours.",
        measures: &[
            "shannon.plugin",
            "shannon.miller_madow",
            "block_entropy",
            "entropy_rate",
            "excess_entropy",
            "lz76.rate",
            "lzmatch.rate",
        ],
    },
    Preset {
        id: "estimators",
        title: "Few data: estimators side by side",
        summary: "Shannon entropy by every estimator there is: where they part, the data are too few.",
        measures: &[
            "shannon.plugin",
            "shannon.miller_madow",
            "shannon.grassberger",
            "shannon.chao_shen",
            "shannon.nsb",
        ],
    },
    Preset {
        id: "text",
        title: "Text",
        summary: "Entropy of letters and words, and how well the text predicts itself.",
        measures: &[
            "bytes.entropy",
            "ngram.conditional",
            "word.entropy",
            "token.window_entropy",
            "cross_entropy.ngram",
        ],
    },
    Preset {
        id: "programs",
        title: "Bytes of a program",
        summary: "Where code, tables, and packed or encrypted parts lie.",
        measures: &["bytes.entropy", "bytes.profile", "ngram.entropy", "ngram.conditional", "lz76.rate"],
    },
    Preset {
        id: "images",
        title: "Images",
        summary: "Grey levels, their local variety, and regularity in two dimensions.",
        measures: &["image.grey", "image.local_map", "image.sampen2d", "image.perm2d"],
    },
    Preset {
        id: "activations",
        title: "Weights and activations",
        summary: "Over how many directions a matrix is spread: spectrum, condition, diffusion, attention.",
        measures: &["matrix.entropy", "matrix.condition", "matrix.renyi_gaussian", "dse", "attention.entropy"],
    },
];

/// The preset called `id`.
#[must_use]
pub fn preset(id: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::find;

    #[test]
    fn every_measure_of_a_preset_is_in_the_catalogue() {
        for preset in &PRESETS {
            for id in preset.measures {
                assert!(find(id).is_ok(), "{}: {id}", preset.id);
            }
        }
        assert_eq!(preset("estimators").map(|p| p.measures.len()), Some(5));
        assert_eq!(preset("no-such"), None);
    }
}
