//! What the operator of a mesh chose for all of it.
//!
//! Sources: <https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/>,
//! <https://istio.io/latest/docs/reference/config/istio.operator.v1alpha1/>.

use std::collections::BTreeSet;
use std::sync::Arc;

use kubestride_manifest::{Field, Manifests, Object};
use kubestride_source::FileId;
use kubestride_yaml::{Kind, Limits, Tree, Value};

use super::pattern::{TRUST_DOMAIN, TrustDomain};
use super::{Problem, ROOT_NAMESPACE};
use crate::{Cited, Match};

/// Resources that operators of Istio make the configuration of a mesh from, by group and kind.
const INSTALLED: [(&str, &str); 3] =
    [("install.istio.io", "IstioOperator"), ("sailoperator.io", "Istio"), ("sailoperator.io", "IstioRevision")];

/// What is chosen for the whole mesh.
#[derive(Debug)]
pub(super) struct MeshConfig {
    /// The namespaces of which one is the root namespace: one, unless configurations disagree.
    pub(super) roots: Vec<String>,
    /// The beginning of the identities of the mesh.
    pub(super) trust: TrustDomain,
    /// Whether proxies use mutual TLS by themselves where the other side can.
    pub(super) auto: Match,
}

impl Default for MeshConfig {
    fn default() -> Self {
        Self { roots: vec![ROOT_NAMESPACE.to_owned()], trust: TrustDomain::Unknown, auto: Match::Yes }
    }
}

/// What one configuration says.
struct Stated {
    cited: Cited,
    root: Option<String>,
    domain: Option<String>,
    aliases: Option<BTreeSet<String>>,
    auto: Option<bool>,
    /// It is what the control plane reads, so that what is not said has its default.
    is_final: bool,
}

impl MeshConfig {
    /// Reads the ConfigMaps `istio` and `istio-<revision>`, and the resources of operators. Where two of them disagree, what
    /// they disagree about is not known.
    pub(super) fn read(manifests: &Manifests, default_namespace: &str, problems: &mut Vec<Problem>) -> Self {
        let cite = |object: Object<'_>| Cited { identity: object.identity(default_namespace), span: object.span() };
        let is_config = |object: &Object<'_>| object.name() == "istio" || object.name().starts_with("istio-");
        let mut all: Vec<Stated> = Vec::new();
        for object in manifests.by_kind("ConfigMap").filter(is_config) {
            if let Some(tree) = embedded(object) {
                all.push(Stated::read(cite(object), Some(tree.root()), None, true));
            }
        }
        for object in INSTALLED.into_iter().flat_map(|(group, kind)| manifests.by_custom_kind(group, kind)) {
            let spec = object.spec();
            let namespace = spec.text("namespace").filter(|_| object.kind() != "IstioOperator");
            for holder in [spec.field("meshConfig"), spec.path(&["values", "meshConfig"])].into_iter().flatten() {
                all.push(Stated::read(cite(object), Some(holder), spec.path(&["values", "global"]), false));
            }
            let mut own = Stated::read(cite(object), None, spec.path(&["values", "global"]), false);
            let said = all.iter().any(|stated| stated.cited == own.cited && stated.root.is_some());
            own.root = own.root.or_else(|| namespace.map(str::to_owned)).filter(|_| !said);
            all.push(own);
        }
        all.sort_by(|a, b| a.cited.cmp(&b.cited));
        let mut disagree = |differ: bool, text: &'static str| {
            if let Some(first) = all.first().filter(|_| differ) {
                problems.push(Problem { cited: first.cited.clone(), code: "mesh-configs-disagree", text });
            }
        };
        let mut roots: BTreeSet<&String> = all.iter().filter_map(|stated| stated.root.as_ref()).collect();
        let default = ROOT_NAMESPACE.to_owned();
        if roots.is_empty() {
            roots.insert(&default);
        }
        disagree(
            roots.len() > 1,
            "other configurations of the mesh choose another root namespace: for whom its policies are is not known",
        );
        let domains: BTreeSet<&String> = all.iter().filter_map(|stated| stated.domain.as_ref()).collect();
        let aliases: BTreeSet<&BTreeSet<String>> = all.iter().filter_map(|stated| stated.aliases.as_ref()).collect();
        disagree(
            domains.len() > 1 || aliases.len() > 1,
            "other configurations of the mesh choose other trust domains: which identities callers have is not known",
        );
        let trust = match domains.first() {
            _ if domains.len() > 1 || aliases.len() > 1 => TrustDomain::Unknown,
            Some(own) => TrustDomain::known(own, aliases.into_iter().flatten()),
            None if all.iter().any(|stated| stated.is_final) => {
                TrustDomain::known(TRUST_DOMAIN, aliases.into_iter().flatten())
            }
            None => TrustDomain::Unknown,
        };
        let autos: BTreeSet<bool> = all.iter().filter_map(|stated| stated.auto).collect();
        disagree(
            autos.len() > 1,
            "other configurations of the mesh say otherwise whether proxies use mutual TLS by themselves: whether callers do is \
             not known",
        );
        // "This flag is used to enable mutual TLS automatically for service to service communication within the mesh,
        // default true."
        let auto = match autos.len() {
            0 => Match::Yes,
            1 => Match::from(autos.contains(&true)),
            _ => Match::Unknown,
        };
        Self { roots: roots.into_iter().cloned().collect(), trust, auto }
    }
}

impl Stated {
    fn read(cited: Cited, mesh: Option<Value<'_>>, global: Option<Value<'_>>, is_final: bool) -> Self {
        let text = |key: &str| mesh.text(key).filter(|text| !text.is_empty()).map(str::to_owned);
        let of_installation = |key: &str| global.text(key).filter(|text| !text.is_empty()).map(str::to_owned);
        let aliases = mesh.field("trustDomainAliases").map(|list| {
            let names = list.items().filter_map(|alias| alias.scalar_text().map(str::to_owned));
            names.collect::<BTreeSet<_>>()
        });
        Self {
            cited,
            root: text("rootNamespace").or_else(|| of_installation("istioNamespace")),
            domain: text("trustDomain").or_else(|| of_installation("trustDomain")),
            aliases: aliases.filter(|aliases| !aliases.is_empty()),
            auto: mesh.flag("enableAutoMtls"),
            is_final,
        }
    }
}

/// The YAML in a ConfigMap's `mesh`.
fn embedded(object: Object<'_>) -> Option<Tree> {
    let text = object.root().path(&["data", "mesh"])?.as_str()?;
    let documents = kubestride_yaml::read(FileId(u32::MAX), &Arc::from(text), &Limits::default());
    documents.into_iter().find_map(|document| document.tree).filter(|tree| tree.root().kind() == Kind::Mapping)
}
