//! What signals say. Claims come in any order and may repeat each other; the merger makes one model of them.

use kubestride_model::{Access, AttributeId, Confidence, FlowKind, Origin, StencilId, Value};
use kubestride_source::{Diagnostic, Span};

/// A place and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Note {
    pub(crate) origin: Origin,
    pub(crate) span: Option<Span>,
    pub(crate) text: String,
}

impl Note {
    /// The manifest says so at `span`.
    pub(crate) fn stated(span: Span, text: impl Into<String>) -> Self {
        Self { origin: Origin::Stated, span: Some(span), text: text.into() }
    }

    /// It follows from several statements; `span` is the most telling one.
    pub(crate) fn merged(span: Span, text: impl Into<String>) -> Self {
        Self { origin: Origin::Merged, span: Some(span), text: text.into() }
    }

    /// Nothing sets it in the object at `span`.
    pub(crate) fn default(span: Span, text: impl Into<String>) -> Self {
        Self { origin: Origin::Default, span: Some(span), text: text.into() }
    }

    /// It was looked for and is not there.
    pub(crate) fn absent(span: Option<Span>, text: impl Into<String>) -> Self {
        Self { origin: Origin::Absent, span, text: text.into() }
    }
}

/// An attribute of a flow that policies, meshes or listeners give to it, with all that says so.
pub(crate) type Learned = (AttributeId, Value, Vec<Note>);

/// One end of a flow.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Party {
    /// By position in the world.
    Workload(usize),
    /// A Service with nothing behind it.
    UnresolvedService { namespace: String, name: String },
    /// Anybody outside.
    Internet,
    /// A host outside.
    Host(String),
    /// The Kubernetes API.
    ApiServer,
    /// The kubelet of a node.
    Kubelet,
    /// The name server of the cluster.
    ClusterDns,
    /// The metadata service of the cloud.
    Metadata,
    /// A registry, by host name.
    Registry(String),
    /// A user or group of the API, by identity such as `Group/system:authenticated`.
    ApiUser { identity: String, name: String, group: bool },
    /// A store.
    Store(StoreRef),
}

/// A store, by identity.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct StoreRef {
    pub(crate) identity: String,
    pub(crate) name: String,
    pub(crate) stencil: StencilId,
    /// Stores of the node and of other systems have none.
    pub(crate) namespace: Option<String>,
}

/// A value that may need interning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Raw {
    Value(Value),
    Text(String),
    /// The value that was claimed before; this is one more piece of evidence for it.
    Same,
}

/// What an attribute is set on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subject {
    Party(Party),
    /// Workload and name.
    Container(usize, String),
    Namespace(String),
    Cluster,
    /// By identity.
    Control(String),
    /// By identity.
    Name(String),
}

/// An attribute of a subject. Of several claims the first one holds.
#[derive(Debug, Clone)]
pub(crate) struct AttributeClaim {
    /// Position in [`Claims::subjects`].
    pub(crate) subject: u32,
    pub(crate) attribute: AttributeId,
    pub(crate) value: Raw,
    pub(crate) note: Note,
}

/// A flow.
#[derive(Debug, Clone)]
pub(crate) struct FlowClaim {
    pub(crate) source: Party,
    pub(crate) target: Party,
    pub(crate) kind: FlowKind,
    pub(crate) access: Option<Access>,
    /// The port that the caller uses.
    pub(crate) port: Option<u16>,
    /// The port of the container behind it, by which claims about one connection are recognised.
    pub(crate) target_port: Option<u16>,
    pub(crate) protocol: Option<String>,
    pub(crate) via: Option<String>,
    pub(crate) confidence: Confidence,
    pub(crate) implicit: bool,
    pub(crate) note: Note,
    pub(crate) attributes: Vec<(AttributeId, Value, Note)>,
}

impl FlowClaim {
    /// A certain flow without a port.
    pub(crate) fn new(source: Party, target: Party, kind: FlowKind, note: Note) -> Self {
        Self {
            source,
            target,
            kind,
            access: None,
            port: None,
            target_port: None,
            protocol: None,
            via: None,
            confidence: Confidence::Certain,
            implicit: false,
            note,
            attributes: Vec::new(),
        }
    }

    /// The same with an attribute.
    #[must_use]
    pub(crate) fn with(mut self, attribute: AttributeId, value: Value, note: Note) -> Self {
        self.attributes.push((attribute, value, note));
        self
    }
}

/// A control.
#[derive(Debug, Clone)]
pub(crate) struct ControlClaim {
    pub(crate) identity: String,
    pub(crate) name: String,
    pub(crate) stencil: StencilId,
    /// The namespace in which it applies; none for the cluster.
    pub(crate) namespace: Option<String>,
    pub(crate) workloads: Vec<usize>,
    pub(crate) note: Note,
}

/// A name in front of workloads.
#[derive(Debug, Clone)]
pub(crate) struct NameClaim {
    pub(crate) identity: String,
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) workloads: Vec<usize>,
    pub(crate) note: Note,
}

/// A store that is there whether or not something uses it.
#[derive(Debug, Clone)]
pub(crate) struct StoreClaim {
    pub(crate) store: StoreRef,
    pub(crate) note: Note,
}

/// Everything said by all signals.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    pub(crate) flows: Vec<FlowClaim>,
    pub(crate) attributes: Vec<AttributeClaim>,
    /// What attributes are set on. Claims about one subject mostly follow each other and share it.
    pub(crate) subjects: Vec<Subject>,
    pub(crate) controls: Vec<ControlClaim>,
    pub(crate) names: Vec<NameClaim>,
    pub(crate) stores: Vec<StoreClaim>,
    /// Parts of values that were read as an address and may be shown.
    pub(crate) reveals: Vec<Span>,
    /// What was not understood, and how that limits the answer.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl Claims {
    /// How many claims there are.
    pub(crate) fn count(&self) -> usize {
        self.flows.len() + self.attributes.len() + self.controls.len() + self.names.len() + self.stores.len()
    }

    /// Adds those of another signal behind these.
    pub(crate) fn append(&mut self, mut others: Self) {
        let known = self.subjects.len() as u32;
        for attribute in &mut others.attributes {
            attribute.subject += known;
        }
        self.flows.append(&mut others.flows);
        self.attributes.append(&mut others.attributes);
        self.subjects.append(&mut others.subjects);
        self.controls.append(&mut others.controls);
        self.names.append(&mut others.names);
        self.stores.append(&mut others.stores);
        self.reveals.append(&mut others.reveals);
        self.diagnostics.append(&mut others.diagnostics);
    }

    /// Sets an attribute.
    pub(crate) fn set(&mut self, subject: Subject, attribute: AttributeId, value: Value, note: Note) {
        self.push(subject, attribute, Raw::Value(value), note);
    }

    /// Adds evidence to an attribute that was set.
    pub(crate) fn also(&mut self, subject: Subject, attribute: AttributeId, note: Note) {
        self.push(subject, attribute, Raw::Same, note);
    }

    /// Sets a text attribute.
    pub(crate) fn set_text(&mut self, subject: Subject, attribute: AttributeId, text: &str, note: Note) {
        self.push(subject, attribute, Raw::Text(text.to_owned()), note);
    }

    fn push(&mut self, subject: Subject, attribute: AttributeId, value: Raw, note: Note) {
        if self.subjects.last() != Some(&subject) {
            self.subjects.push(subject);
        }
        let subject = (self.subjects.len() - 1) as u32;
        self.attributes.push(AttributeClaim { subject, attribute, value, note });
    }
}
