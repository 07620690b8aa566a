//! What two columns tell about each other: joint and conditional entropy, mutual information, transfer entropy, and how far
//! two laws are apart.
//!
//! Discrete columns are counted (plug-in), real ones are measured by nearest neighbours (Kraskov, Stögbauer & Grassberger).
//! Every information is compared with its permutation null, because all of these estimators are biased where there is no
//! dependence at all.

mod counts;
mod ksg;
mod laws;
mod null;
mod transfer;

pub use counts::{Conditional, Joint, Mutual, Normalized, Rajski};
pub use ksg::{Ksg1, Ksg2};
pub use laws::{Cross, JensenShannon, KullbackLeibler};
pub use transfer::{TransferKsg, TransferPlugin};
