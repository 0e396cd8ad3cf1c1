//! Mesh policies as plain types (`security.istio.io/v1`).

use kubestride_manifest::{LabelSelector, Manifests, Object};
use kubestride_source::Span;
use kubestride_yaml::Value;

/// What a PeerAuthentication asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Plain text is refused.
    Strict,
    /// Plain text is accepted too.
    Permissive,
    /// Mutual TLS is off.
    Disable,
    /// The wider policy holds.
    Unset,
}

/// A PeerAuthentication.
#[derive(Debug, Clone)]
pub struct PeerAuthentication<'a> {
    /// Its identity.
    pub identity: String,
    /// Its name.
    pub name: &'a str,
    /// Its namespace; that of the mesh root holds for all.
    pub namespace: String,
    /// The pods it selects; none: all of its namespace.
    pub selector: Option<LabelSelector>,
    /// What it asks for.
    pub mode: Mode,
    /// What it asks for on single ports.
    pub ports: Vec<(u16, Mode)>,
    /// Where the mode stands.
    pub span: Span,
}

/// An AuthorizationPolicy.
#[derive(Debug, Clone)]
pub struct AuthorizationPolicy<'a> {
    /// Its identity.
    pub identity: String,
    /// Its name.
    pub name: &'a str,
    /// Its namespace.
    pub namespace: String,
    /// The pods it selects; none: all of its namespace.
    pub selector: Option<LabelSelector>,
    /// `ALLOW`, `DENY`, `AUDIT` or `CUSTOM`.
    pub action: &'a str,
    /// A rule that everybody meets.
    pub admits_everyone: Option<Span>,
    /// Where it is named.
    pub span: Span,
}

/// All mesh policies of the input.
#[derive(Debug, Default)]
pub struct MeshPolicies<'a> {
    pub(crate) peers: Vec<PeerAuthentication<'a>>,
    pub(crate) authorizations: Vec<AuthorizationPolicy<'a>>,
}

const GROUP: &str = "security.istio.io";

fn mode(value: Option<Value<'_>>) -> Mode {
    match value.and_then(|m| m.get("mode")).and_then(|m| m.as_str()) {
        Some("STRICT") => Mode::Strict,
        Some("PERMISSIVE") => Mode::Permissive,
        Some("DISABLE") => Mode::Disable,
        _ => Mode::Unset,
    }
}

fn selector(object: Object<'_>) -> Option<LabelSelector> {
    object.spec()?.get("selector").map(LabelSelector::read).filter(|s| !s.is_everything())
}

impl<'a> MeshPolicies<'a> {
    /// Reads all policies.
    pub fn read(manifests: &'a Manifests, default_namespace: &str) -> Self {
        let ours = |kind| manifests.by_custom_kind(GROUP, kind);
        let peer = |object: Object<'a>| {
            let mtls = object.spec().and_then(|s| s.get("mtls"));
            let ports = object.spec().and_then(|s| s.get("portLevelMtls")).into_iter().flat_map(|p| p.entries());
            PeerAuthentication {
                identity: object.identity(default_namespace),
                name: object.name(),
                namespace: object.effective_namespace(default_namespace).unwrap_or_default().to_owned(),
                selector: selector(object),
                mode: mode(mtls),
                ports: ports.filter_map(|e| Some((e.key.parse().ok()?, mode(Some(e.value))))).collect(),
                span: mtls.map_or(object.span(), |m| m.span()),
            }
        };
        let authorization = |object: Object<'a>| {
            let spec = object.spec();
            let rules = spec.and_then(|s| s.get("rules")).into_iter().flat_map(|r| r.items());
            // A rule without `from` and `when` is met by every caller.
            let open = rules.into_iter().find(|r| r.get("from").is_none() && r.get("when").is_none());
            AuthorizationPolicy {
                identity: object.identity(default_namespace),
                name: object.name(),
                namespace: object.effective_namespace(default_namespace).unwrap_or_default().to_owned(),
                selector: selector(object),
                action: spec.and_then(|s| s.get("action")).and_then(|a| a.as_str()).unwrap_or("ALLOW"),
                admits_everyone: open.map(|r| r.span()),
                span: object.span(),
            }
        };
        let mut peers: Vec<_> = ours("PeerAuthentication").map(peer).collect();
        peers.sort_by(|a, b| a.identity.cmp(&b.identity));
        let mut authorizations: Vec<_> = ours("AuthorizationPolicy").map(authorization).collect();
        authorizations.sort_by(|a, b| a.identity.cmp(&b.identity));
        Self { peers, authorizations }
    }

    /// All PeerAuthentications, sorted by identity.
    pub fn peers(&self) -> &[PeerAuthentication<'a>] {
        &self.peers
    }

    /// All AuthorizationPolicies, sorted by identity.
    pub fn authorizations(&self) -> &[AuthorizationPolicy<'a>] {
        &self.authorizations
    }
}
