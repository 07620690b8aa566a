//! What is claimed of the comparison of characters and tokens: the sheet's numbers, fixed before any run.

use crate::experiment::{Claim, Comparison};

const DEFAULTS: &[(&str, &str)] = &[];
const SHEET: &str = "the default setting, measured before on three seeds";

pub(super) const CLAIMS: &[Claim] = &[
    Claim {
        id: "source-unigram",
        statement: "The text has the entropy of one symbol that the formula says, within 0.5 %.",
        scalar: "unigram_error",
        comparison: Comparison::Below { value: 0.005 },
        settings: DEFAULTS,
        seeds: 3,
        afterwards: None,
        source: "law of large numbers",
    },
    Claim {
        id: "source-rate",
        statement: "The text has the entropy rate that the formula says, within 0.5 %.",
        scalar: "rate_error",
        comparison: Comparison::Below { value: 0.005 },
        settings: DEFAULTS,
        seeds: 3,
        afterwards: None,
        source: "law of large numbers",
    },
    Claim {
        id: "tokens-early",
        statement: "With ten tokens the loss is within 8 % of the entropy rate after 50 steps.",
        scalar: "tokens_over_rate_at_50",
        comparison: Comparison::Below { value: 1.08 },
        settings: DEFAULTS,
        seeds: 3,
        afterwards: None,
        source: SHEET,
    },
    Claim {
        id: "tokens-late",
        statement: "And within 5 % after 150 steps.",
        scalar: "tokens_over_rate",
        comparison: Comparison::Below { value: 1.05 },
        settings: DEFAULTS,
        seeds: 3,
        afterwards: None,
        source: SHEET,
    },
    Claim {
        id: "characters-stay",
        statement: "On characters the loss never falls below 0.98 of the entropy of one symbol.",
        scalar: "characters_lowest_over_unigram",
        comparison: Comparison::Above { value: 0.98 },
        settings: DEFAULTS,
        seeds: 3,
        afterwards: None,
        source: SHEET,
    },
    Claim {
        id: "characters-excess",
        statement: "At the end characters keep at least nine tenths of what could be gained.",
        scalar: "characters_excess",
        comparison: Comparison::Above { value: 0.9 },
        settings: DEFAULTS,
        seeds: 3,
        afterwards: None,
        source: SHEET,
    },
    Claim {
        id: "tokens-excess",
        statement: "And tokens at most 0.12.",
        scalar: "tokens_excess",
        comparison: Comparison::Below { value: 0.12 },
        settings: DEFAULTS,
        seeds: 3,
        afterwards: None,
        source: SHEET,
    },
    Claim {
        id: "sane",
        statement: "No loss is below the entropy rate by more than the noise of the fresh text.",
        scalar: "lowest_over_rate",
        comparison: Comparison::Above { value: 0.995 },
        settings: DEFAULTS,
        seeds: 3,
        afterwards: None,
        source: "the entropy rate is the least loss there is",
    },
];
