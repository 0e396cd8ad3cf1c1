//! From a model and threat types to threats, with states, severities and evidence.
//!
//! Texts are not part of an [`Analysis`]: titles, descriptions and reasons are rendered while writing, so that an
//! analysis of thousands of threats stays small.

mod cite;
mod fixes;
mod generate;
mod severity;
mod threat;
mod undetermined;

pub use cite::Cited;
pub use fixes::{Fix, fixes};
pub use generate::{Analysis, analyse};
pub use severity::{Rating, Severity};
pub use threat::{AppliedControl, Decision, State, Threat, Wording};
pub use undetermined::Undetermined;
