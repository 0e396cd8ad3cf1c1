//! One threat type: a rule, its text and its tests.

use kubestride_model::Vocabulary;
use kubestride_source::FileId;

use crate::filter::Filter;
use crate::{Mapping, TemplateError, TextTemplate, frontmatter};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$vdoc])* $variant),*
        }

        impl $name {
            /// The word in front matter and outputs.
            pub fn as_str(self) -> &'static str {
                match self {
                    $($name::$variant => $word),*
                }
            }

            pub(crate) const WORDS: &'static [&'static str] = &[$($word),*];

            pub(crate) fn parse(word: &str) -> Option<Self> {
                match word {
                    $($word => Some($name::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

words! {
    /// The six categories of STRIDE.
    Category {
        /// Somebody claims to be somebody else.
        Spoofing = "spoofing",
        /// Somebody changes what he should not.
        Tampering = "tampering",
        /// Somebody denies what he did, and nobody can show it.
        Repudiation = "repudiation",
        /// Somebody reads what he should not.
        InformationDisclosure = "information-disclosure",
        /// Somebody keeps others from using it.
        DenialOfService = "denial-of-service",
        /// Somebody gains rights.
        ElevationOfPrivilege = "elevation-of-privilege",
        /// A category of a template of its own.
        Other = "other",
    }
}

impl Category {
    /// The six of STRIDE, in the order of its letters.
    pub const STRIDE: [Self; 6] = [
        Self::Spoofing,
        Self::Tampering,
        Self::Repudiation,
        Self::InformationDisclosure,
        Self::DenialOfService,
        Self::ElevationOfPrivilege,
    ];

    /// The name in Microsoft's Threat Modeling Tool.
    pub fn title(self) -> &'static str {
        match self {
            Category::Spoofing => "Spoofing",
            Category::Tampering => "Tampering",
            Category::Repudiation => "Repudiation",
            Category::InformationDisclosure => "Information Disclosure",
            Category::DenialOfService => "Denial Of Service",
            Category::ElevationOfPrivilege => "Elevation Of Privilege",
            Category::Other => "Other",
        }
    }
}

words! {
    /// What a threat type is about.
    SubjectKind {
        /// An element.
        Element = "element",
        /// A flow.
        Flow = "flow",
        /// A trust boundary.
        Boundary = "boundary",
        /// A container.
        Container = "container",
        /// A control.
        Control = "control",
        /// A name in front of workloads.
        Name = "name",
    }
}

words! {
    /// Who would do it.
    Actor {
        /// Anybody outside.
        Internet = "internet",
        /// Code that an attacker runs in a workload.
        CompromisedWorkload = "compromised-workload",
        /// Another user of the cluster.
        Tenant = "tenant",
        /// Somebody with legitimate access.
        Insider = "insider",
        /// Somebody who controls a node or the network.
        Node = "node",
        /// Whoever delivers images or manifests.
        SupplyChain = "supply-chain",
    }
}

words! {
    /// How bad it would be.
    Impact {
        /// Little.
        Low = "low",
        /// A part of one application.
        Medium = "medium",
        /// An application or its data.
        High = "high",
        /// A node, a namespace of others, or the cluster.
        Critical = "critical",
    }
}

words! {
    /// How easily it happens, before exposure is taken into account.
    Likelihood {
        /// Needs a chain of other steps.
        Low = "low",
        /// Needs one other step.
        Medium = "medium",
        /// Needs nothing else.
        High = "high",
    }
}

words! {
    /// What a control does to a threat.
    Effect {
        /// The threat is answered.
        Mitigates = "mitigates",
        /// The threat is less likely.
        Lowers = "lowers",
    }
}

/// A control that answers or lowers a threat where it is in place.
#[derive(Debug, Clone, PartialEq)]
pub struct Mitigation {
    /// The control in a few words.
    pub control: String,
    /// When it is in place.
    pub when: Filter,
    /// What it does.
    pub effect: Effect,
}

/// The text of a threat type, in Markdown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sections {
    /// Why it matters.
    pub why: String,
    /// What to do, with something to paste.
    pub mitigation: String,
    /// How to see that it is done.
    pub verify: String,
    /// Manifests with expected threats.
    pub tests: String,
    /// Where to read more.
    pub references: String,
}

/// A rule with its text.
#[derive(Debug, Clone, PartialEq)]
pub struct ThreatType {
    /// Kebab-case name, the name of the file.
    pub id: String,
    /// One line for one subject.
    pub title: TextTemplate,
    /// The title as it stands in the file.
    pub title_text: String,
    /// STRIDE category.
    pub category: Category,
    /// The name of the category in the template that the type is from, if that has names of its own.
    pub category_name: Option<String>,
    /// What it is about.
    pub subject: SubjectKind,
    /// Who would do it.
    pub actor: Actor,
    /// When it applies.
    pub when: Filter,
    /// What answers or lowers it.
    pub mitigated_by: Vec<Mitigation>,
    /// Ids of less precise types that this one replaces on the same subject.
    pub folds: Vec<String>,
    /// How bad it would be.
    pub impact: Impact,
    /// How easily it happens.
    pub likelihood: Likelihood,
    /// Published lists that it belongs to.
    pub mappings: Vec<Mapping>,
    /// What can happen, for one subject.
    pub description: TextTemplate,
    /// The rest of the text.
    pub sections: Sections,
}

impl ThreatType {
    /// The name of its category for people.
    pub fn category_title(&self) -> &str {
        self.category_name.as_deref().unwrap_or(self.category.title())
    }

    /// Whether it is from another tool's template, which numbers its types and names its own categories.
    pub fn is_foreign(&self) -> bool {
        self.category_name.is_some()
    }

    /// Parses and checks the text of one file.
    ///
    /// # Errors
    /// Everything found wrong, each with its place in `file`.
    pub fn parse(file: FileId, text: &str, vocabulary: &Vocabulary) -> Result<Self, Vec<TemplateError>> {
        frontmatter::parse(file, text, vocabulary)
    }
}
