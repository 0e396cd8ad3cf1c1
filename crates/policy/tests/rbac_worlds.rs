//! Rights, against an authorizer that is written anew here and answers single requests.

mod common;
mod worlds;

use std::collections::{BTreeMap, BTreeSet};

use kubestride_policy::rbac::{Capability, Rbac, Scope, Subject, capabilities};
use worlds::Random;

const RBAC: &str = "rbac.authorization.k8s.io";
const CSR: &str = "certificates.k8s.io";
const ADMISSION: &str = "admissionregistration.k8s.io";

/// Where is asked. No binding is in `elsewhere`, so what holds there holds everywhere.
const NAMESPACES: [&str; 4] = ["east", "west", "kube-system", "elsewhere"];

/// The name of an object that no rule names.
const SOME: &str = "some";

/// Groups, resources and verbs that have something to do with each other.
const TOPICS: [(&str, &[&str], &[&str]); 14] = [
    ("", &["secrets", "*"], &["get", "list", "create", "*"]),
    ("", &["pods", "pods/exec", "pods/*", "*/exec", "pods/portforward"], &["get", "create", "delete", "patch", "*"]),
    ("apps", &["deployments", "*"], &["create", "update", "delete"]),
    ("*", &["*", "secrets", "*/*"], &["*", "get", "create", "delete"]),
    (
        RBAC,
        &["roles", "clusterroles", "rolebindings", "clusterrolebindings", "*"],
        &["bind", "escalate", "create", "*"],
    ),
    (RBAC, &["clusterroles", "rolebindings", "clusterrolebindings"], &["bind", "escalate", "create", "update"]),
    ("", &["users", "groups", "serviceaccounts"], &["impersonate", "*"]),
    ("", &["serviceaccounts/token", "nodes/proxy", "services/proxy", "services"], &["create", "get", "update"]),
    (CSR, &["certificatesigningrequests", "certificatesigningrequests/approval"], &["create", "update", "*"]),
    (CSR, &["signers"], &["approve", "sign", "*"]),
    (ADMISSION, &["mutatingwebhookconfigurations", "validatingadmissionpolicies"], &["create", "patch", "delete"]),
    ("", &["configmaps", "namespaces", "events", "endpoints"], &["create", "update", "delete"]),
    ("", &["nodes", "pods/eviction", "pods/binding", "pods"], &["create", "patch", "delete"]),
    ("", &["persistentvolumes", "persistentvolumeclaims", "pods"], &["create", "delete", "*"]),
];

/// Topics that together give something: a world is about one of these, so that conjunctions are not rare.
const THEMES: [&[usize]; 7] = [&[0, 1, 2, 7], &[4, 5], &[6], &[8, 8, 9], &[10, 11, 3], &[12, 1], &[13, 2]];

const NAMES: [&str; 6] =
    ["cluster-admin", "system:masters", "coredns", "kubernetes.io/kube-apiserver-client", "kubernetes.io/*", "mine"];

#[derive(Debug, Clone)]
struct Rule {
    groups: Vec<&'static str>,
    resources: Vec<&'static str>,
    verbs: Vec<&'static str>,
    names: Vec<&'static str>,
}

#[derive(Debug, Clone)]
struct Role {
    cluster: bool,
    /// For Roles.
    namespace: &'static str,
    name: String,
    label: &'static str,
    rules: Vec<Rule>,
    /// Labels that an aggregated role selects.
    selects: Vec<&'static str>,
}

#[derive(Debug, Clone)]
struct Binding {
    /// None for the cluster.
    namespace: Option<&'static str>,
    to_cluster_role: bool,
    role: String,
    subject: &'static str,
}

#[derive(Debug, Clone)]
struct World {
    roles: Vec<Role>,
    bindings: Vec<Binding>,
}

type Theme = &'static [usize];

impl Random {
    fn some(&mut self, of: &[&'static str]) -> Vec<&'static str> {
        (0..=self.below(2)).map(|_| self.one(of)).collect()
    }

    fn rule(&mut self, theme: Theme) -> Rule {
        let topic = if self.below(4) == 0 { self.below(TOPICS.len() as u32) as usize } else { self.one(theme) };
        let (group, resources, verbs) = TOPICS[topic];
        let names: &[&str] = match topic {
            6 => &["system:masters", "mine"],
            9 => &["kubernetes.io/kube-apiserver-client", "kubernetes.io/*", "mine"],
            _ => &NAMES,
        };
        let named = if matches!(topic, 6 | 9) { 2 } else { 4 };
        Rule {
            groups: vec![group],
            resources: self.some(resources),
            verbs: self.some(verbs),
            names: if self.below(named) == 0 { self.some(names) } else { Vec::new() },
        }
    }

    fn role(&mut self, theme: Theme, number: usize) -> Role {
        let cluster = self.below(3) > 0;
        let aggregated = cluster && self.below(3) == 0;
        Role {
            cluster,
            namespace: self.one(&["east", "west", "kube-system"]),
            name: format!("r{number}"),
            label: self.one(&["none", "one", "two"]),
            rules: if aggregated { Vec::new() } else { (0..self.below(5)).map(|_| self.rule(theme)).collect() },
            selects: if aggregated { self.some(&["one", "two"]) } else { Vec::new() },
        }
    }

    fn binding(&mut self, roles: u32) -> Binding {
        let namespace = self.one(&[None, Some("east"), Some("west"), Some("kube-system")]);
        Binding {
            namespace,
            to_cluster_role: namespace.is_none() || self.below(3) > 0,
            role: format!("r{}", self.below(roles + 1)),
            subject: self.one(&SUBJECTS).0,
        }
    }

    fn world(&mut self) -> World {
        let (count, theme) = (2 + self.below(5), self.one(&THEMES));
        World {
            roles: (0..count as usize).map(|number| self.role(theme, number)).collect(),
            bindings: (0..1 + self.below(5)).map(|_| self.binding(count)).collect(),
        }
    }
}

/// Subjects, and whether `me` of the namespace `east` is one of them.
const SUBJECTS: [(&str, bool); 9] = [
    ("{kind: ServiceAccount, name: me, namespace: east}", true),
    ("{kind: ServiceAccount, name: me, namespace: east}", true),
    ("{kind: User, name: 'system:serviceaccount:east:me'}", true),
    ("{kind: Group, name: 'system:serviceaccounts'}", true),
    ("{kind: Group, name: 'system:serviceaccounts:east'}", true),
    ("{kind: Group, name: 'system:authenticated'}", true),
    ("{kind: Group, name: 'system:serviceaccounts:west'}", false),
    ("{kind: ServiceAccount, name: me, namespace: west}", false),
    ("{kind: User, name: me}", false),
];

impl World {
    fn documents(&self) -> Vec<String> {
        let list = |texts: &[&str]| texts.iter().map(|text| format!("'{text}'")).collect::<Vec<_>>().join(", ");
        let rule = |rule: &Rule| {
            let (groups, resources) = (list(&rule.groups), list(&rule.resources));
            let (verbs, names) = (list(&rule.verbs), list(&rule.names));
            format!("{{apiGroups: [{groups}], resources: [{resources}], verbs: [{verbs}], resourceNames: [{names}]}}")
        };
        let role = |role: &Role| {
            let rules: Vec<String> = role.rules.iter().map(rule).collect();
            let (kind, place) = match role.cluster {
                true => ("ClusterRole", String::new()),
                false => ("Role", format!(", namespace: {}", role.namespace)),
            };
            let selector = |label: &&str| format!("{{matchLabels: {{part: {label}}}}}");
            let selectors: Vec<String> = role.selects.iter().map(selector).collect();
            let selects = match selectors.is_empty() {
                true => String::new(),
                false => format!(", aggregationRule: {{clusterRoleSelectors: [{}]}}", selectors.join(", ")),
            };
            format!(
                "{{apiVersion: {RBAC}/v1, kind: {kind}, metadata: {{name: {}{place}, labels: {{part: {}}}}}, rules: \
                 [{}]{selects}}}",
                role.name,
                role.label,
                rules.join(", ")
            )
        };
        let binding = |(number, binding): (usize, &Binding)| {
            let (kind, place) = match binding.namespace {
                None => ("ClusterRoleBinding", String::new()),
                Some(namespace) => ("RoleBinding", format!(", namespace: {namespace}")),
            };
            let of = if binding.to_cluster_role { "ClusterRole" } else { "Role" };
            format!(
                "{{apiVersion: {RBAC}/v1, kind: {kind}, metadata: {{name: b{number}{place}}}, roleRef: {{apiGroup: \
                 {RBAC}, kind: {of}, name: {}}}, subjects: [{}]}}",
                binding.role, binding.subject
            )
        };
        self.roles.iter().map(role).chain(self.bindings.iter().enumerate().map(binding)).collect()
    }

    /// Rules of ClusterRoles after the controller ran until nothing changes any more.
    fn cluster_rules(&self) -> BTreeMap<&str, Vec<Rule>> {
        let of_cluster: Vec<&Role> = self.roles.iter().filter(|role| role.cluster).collect();
        let mut parts: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for role in of_cluster.iter().filter(|role| role.selects.is_empty()) {
            parts.insert(&role.name, BTreeSet::from([role.name.as_str()]));
        }
        for _ in &of_cluster {
            for role in of_cluster.iter().filter(|role| !role.selects.is_empty()) {
                let selected = of_cluster.iter().filter(|r| r.name != role.name && role.selects.contains(&r.label));
                let all = selected.flat_map(|r| parts.get(r.name.as_str()).cloned().unwrap_or_default()).collect();
                parts.insert(&role.name, all);
            }
        }
        let rules = |names: &BTreeSet<&str>| {
            of_cluster.iter().filter(|r| names.contains(r.name.as_str())).flat_map(|r| r.rules.clone()).collect()
        };
        parts.iter().map(|(name, names)| (*name, rules(names))).collect()
    }
}

/// What `me` of `east` may ask for.
struct Authorizer {
    cluster: Vec<Rule>,
    namespaces: BTreeMap<&'static str, Vec<Rule>>,
}

impl Authorizer {
    fn new(world: &World) -> Self {
        let cluster_rules = world.cluster_rules();
        let mut authorizer = Self { cluster: Vec::new(), namespaces: BTreeMap::new() };
        let is_me = |binding: &&Binding| SUBJECTS.contains(&(binding.subject, true));
        for binding in world.bindings.iter().filter(is_me) {
            let rules = match (binding.to_cluster_role, binding.namespace) {
                (true, _) => cluster_rules.get(binding.role.as_str()).cloned().unwrap_or_default(),
                (false, namespace) => {
                    let here = |r: &&Role| !r.cluster && r.name == binding.role && Some(r.namespace) == namespace;
                    world.roles.iter().filter(here).flat_map(|r| r.rules.clone()).collect()
                }
            };
            match binding.namespace {
                None => authorizer.cluster.extend(rules),
                Some(namespace) => authorizer.namespaces.entry(namespace).or_default().extend(rules),
            }
        }
        authorizer
    }

    /// One request. What belongs to the cluster has no namespace; a request that creates has no name.
    fn may(&self, verb: &str, group: &str, resource: &str, namespace: Option<&str>, name: &str) -> bool {
        let (plain, sub) = resource.split_once('/').map_or((resource, None), |(plain, sub)| (plain, Some(sub)));
        let is = |list: &[&str], wanted: &str| list.contains(&"*") || list.contains(&wanted);
        let of_resource = |item: &&str| match (*item, sub) {
            ("*", _) => true,
            (item, None) => item == plain,
            (item, Some(sub)) => item == format!("{plain}/{sub}") || item == format!("*/{sub}"),
        };
        let nameless = sub.is_none() && matches!(verb, "create" | "deletecollection");
        let rules = self.cluster.iter().chain(namespace.and_then(|n| self.namespaces.get(n)).into_iter().flatten());
        let fits = |rule: &Rule| {
            is(&rule.verbs, verb)
                && is(&rule.groups, group)
                && rule.resources.iter().any(&of_resource)
                && (rule.names.is_empty() || (!nameless && rule.names.contains(&name)))
        };
        rules.into_iter().any(fits)
    }

    /// Any of the verbs on any of the resources, each `group/resource`, for an object that no rule names.
    fn any(&self, verbs: &[&str], resources: &[(&str, &str)], namespace: Option<&str>) -> bool {
        let all = resources.iter().flat_map(|resource| verbs.iter().map(move |verb| (*verb, *resource)));
        all.into_iter().any(|(verb, (group, resource))| self.may(verb, group, resource, namespace, SOME))
    }

    /// Whether the ability is there in a namespace, and for what belongs to the cluster as far as it needs that.
    fn can(&self, capability: Capability, namespace: &'static str) -> bool {
        let here = Some(namespace);
        let change = ["create", "update", "patch"];
        let modify = ["update", "patch"];
        let delete = ["delete", "deletecollection"];
        let pods = || {
            let core = [("", "pods"), ("", "replicationcontrollers")];
            let apps = ["deployments", "daemonsets", "statefulsets", "replicasets"].map(|r| ("apps", r));
            let batch = ["jobs", "cronjobs"].map(|r| ("batch", r));
            core.into_iter().chain(apps).chain(batch).collect::<Vec<_>>()
        };
        match capability {
            Capability::ReadSecrets => self.any(&["get", "list", "watch"], &[("", "secrets")], here),
            Capability::CreatePods => self.any(&["create"], &pods(), here),
            Capability::ChangeWorkloads => self.any(&modify, &pods(), here),
            Capability::Exec => {
                self.any(&["get", "create"], &[("", "pods/exec"), ("", "pods/attach")], here)
                    || self.any(&modify, &[("", "pods/ephemeralcontainers")], here)
            }
            Capability::MakeTokenSecrets => {
                self.any(&["create"], &[("", "secrets")], here)
                    && (self.can(Capability::ReadSecrets, namespace) || self.can(Capability::CreatePods, namespace))
            }
            Capability::IssueTokens => self.any(&["create"], &[("", "serviceaccounts/token")], here),
            Capability::Escalate => {
                let strong = |verb: &str, resource: &str, place: Option<&str>| {
                    [SOME, "cluster-admin"].iter().any(|name| self.may(verb, RBAC, resource, place, name))
                };
                let changes = |resource: &str, place: Option<&str>| self.any(&change, &[(RBAC, resource)], place);
                (strong("escalate", "roles", here) && changes("roles", here))
                    || (strong("bind", "clusterroles", here) && changes("rolebindings", here))
                    || (strong("escalate", "clusterroles", None) && changes("clusterroles", None))
                    || (strong("bind", "clusterroles", None) && changes("clusterrolebindings", None))
            }
            Capability::Impersonate => {
                let may = |resource: &str, place: Option<&str>, names: &[&str]| {
                    names.iter().any(|name| self.may("impersonate", "", resource, place, name))
                };
                let all: Vec<&str> = NAMES.into_iter().chain([SOME]).collect();
                let account = NAMESPACES.iter().any(|n| may("serviceaccounts", Some(n), &all));
                may("serviceaccounts", here, &[SOME])
                    || may("users", None, &[SOME])
                    || (may("groups", None, &[SOME, "system:masters"]) && (may("users", None, &all) || account))
            }
            Capability::IssueCertificates => {
                let all = NAMES.into_iter().chain([SOME]);
                let mut approvals = all.flat_map(|name| modify.map(|verb| (verb, name)));
                let approval = "certificatesigningrequests/approval";
                let signers = [SOME, "kubernetes.io/kube-apiserver-client", "kubernetes.io/*"];
                self.any(&["create"], &[(CSR, "certificatesigningrequests")], None)
                    && approvals.any(|(verb, name)| self.may(verb, CSR, approval, None, name))
                    && signers.iter().any(|name| self.may("approve", CSR, "signers", None, name))
            }
            Capability::ProxyNodes => self.any(&["get", "create"], &[("", "nodes/proxy")], None),
            Capability::ChangeAdmission => {
                let all = NAMES.into_iter().chain([SOME]);
                let hooks = ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"];
                let mut named = all.flat_map(|n| modify.into_iter().flat_map(move |v| hooks.map(|h| (v, h, n))));
                let policies = ["validatingadmissionpolicies", "mutatingadmissionpolicies"];
                let bindings = ["validatingadmissionpolicybindings", "mutatingadmissionpolicybindings"];
                let resources: Vec<_> =
                    hooks.into_iter().chain(policies).chain(bindings).map(|r| (ADMISSION, r)).collect();
                named.any(|(verb, hook, name)| self.may(verb, ADMISSION, hook, None, name))
                    || self.any(&change, &resources, None)
                    || self.any(&delete, &resources, None)
            }
            Capability::WriteConfigMaps => self.any(&change, &[("", "configmaps")], here),
            Capability::WriteSystemConfig => {
                let place = if namespace == "kube-system" { here } else { None };
                let may = |name: &str| modify.iter().any(|verb| self.may(verb, "", "configmaps", place, name));
                may(SOME) || may("coredns")
            }
            Capability::CreateVolumes => {
                self.any(&["create"], &[("", "persistentvolumes")], None)
                    && self.any(&["create"], &[("", "persistentvolumeclaims")], here)
                    && self.can(Capability::CreatePods, namespace)
            }
            Capability::MovePods => {
                let away =
                    self.any(&delete, &[("", "pods")], here) || self.any(&["create"], &[("", "pods/eviction")], here);
                let nodes = self.any(&modify, &[("", "nodes"), ("", "nodes/status")], None)
                    || self.any(&delete, &[("", "nodes")], None);
                (away && nodes) || self.any(&["create"], &[("", "pods/binding"), ("", "bindings")], here)
            }
            Capability::RedirectServices => {
                let resources = [("", "services"), ("", "endpoints"), ("discovery.k8s.io", "endpointslices")];
                self.any(&change, &resources, here) || self.any(&modify, &[("", "services/status")], here)
            }
            Capability::ReachPods => {
                let verbs = ["get", "create", "update", "patch", "delete"];
                self.any(&["get", "create"], &[("", "pods/portforward")], here)
                    || self.any(&verbs, &[("", "pods/proxy"), ("", "services/proxy")], here)
            }
            Capability::ChangeNamespaces => self.any(&modify, &[("", "namespaces")], here),
            Capability::DeleteEvents => self.any(&delete, &[("", "events"), ("events.k8s.io", "events")], here),
            Capability::DeleteData => {
                let apps = ["deployments", "daemonsets", "statefulsets"].map(|r| ("apps", r));
                self.any(&delete, &[("", "persistentvolumeclaims"), ("", "namespaces")], here)
                    || self.any(&delete, &apps, here)
                    || self.any(&delete, &[("", "persistentvolumes")], None)
            }
            Capability::Everything => self.any(&["never heard of"], &[("never.example", "heard")], here),
            Capability::ChangeApis => {
                let apis = ("apiregistration.k8s.io", "apiservices");
                self.any(&change, &[apis, ("apiextensions.k8s.io", "customresourcedefinitions")], None)
            }
            // Custom kinds are not among what these worlds are made of, so only `*` gives them.
            Capability::ChangeNetworkRules => {
                let of_namespace = [("networking.k8s.io", "networkpolicies"), ("cilium.io", "ciliumnetworkpolicies")];
                self.any(&change, &of_namespace, here) || self.any(&delete, &of_namespace, here)
            }
            Capability::ChangeRuntimeRules => {
                let of_namespace = [("security.kubearmor.com", "kubearmorpolicies")];
                self.any(&modify, &of_namespace, here) || self.any(&delete, &of_namespace, here)
            }
        }
    }
}

/// How far everything goes, and by which bindings and roles.
type Answer = BTreeMap<Capability, (Option<Scope>, BTreeSet<(String, String, String)>)>;

fn answer(documents: &[String]) -> Answer {
    let manifests = common::manifests(&documents.join("\n---\n"));
    let rbac = Rbac::read(&manifests, "default");
    let all = capabilities(&rbac.grants(&Subject::service_account("east", "me")));
    let one = |capability: &Capability| {
        let permission = all.get(*capability);
        let evidence = permission.evidence();
        let by = evidence.iter().map(|e| (e.binding.clone(), e.role.clone(), e.written_in.clone())).collect();
        (*capability, (permission.scope(), by))
    };
    Capability::ALL.iter().map(one).collect()
}

fn includes(scope: Option<&Scope>, namespace: &str) -> bool {
    scope.is_some_and(|scope| scope.includes(namespace))
}

#[test]
fn answers_agree_with_single_requests() {
    let mut random = Random(7);
    let mut seen: BTreeMap<(Capability, bool), usize> = BTreeMap::new();
    for round in 0..1_500 {
        let world = random.world();
        let mut documents = world.documents();
        let found = answer(&documents);
        let authorizer = Authorizer::new(&world);
        for (capability, (scope, evidence)) in &found {
            for namespace in NAMESPACES {
                let expected = authorizer.can(*capability, namespace);
                let own = includes(scope.as_ref(), namespace);
                assert_eq!(own, expected, "{capability:?} in {namespace}, round {round}\n{}", documents.join("\n"));
                *seen.entry((*capability, expected)).or_default() += 1;
            }
            assert_eq!(scope.is_some(), !evidence.is_empty(), "{capability:?}: evidence or silence");
        }
        documents.reverse();
        assert_eq!(found, answer(&documents), "the order of objects matters in round {round}");
    }
    let rare: Vec<_> = Capability::ALL.iter().filter(|c| seen.get(&(**c, true)).is_none_or(|n| *n < 10)).collect();
    assert_eq!(rare, [] as [&Capability; 0], "the worlds hardly ever give these");
}

/// Rules that are evidence are enough, with nothing else bound.
#[test]
fn evidence_is_enough_on_its_own() {
    let mut random = Random(41);
    let mut checked = 0;
    for _ in 0..600 {
        let world = random.world();
        let found = answer(&world.documents());
        for (capability, (scope, evidence)) in found.iter().filter(|(_, (scope, _))| scope.is_some()) {
            let name = |number: usize| {
                let place = world.bindings[number].namespace;
                place.map_or(format!("ClusterRoleBinding/b{number}"), |n| format!("RoleBinding/{n}/b{number}"))
            };
            let cited: BTreeSet<&str> = evidence.iter().map(|(binding, _, _)| binding.as_str()).collect();
            // A binding that is not cited gives nothing instead, so that the numbers of the others stay.
            let mut less = world.clone();
            for (number, binding) in less.bindings.iter_mut().enumerate() {
                if !cited.contains(name(number).as_str()) {
                    binding.subject = "{kind: User, name: nobody}";
                }
            }
            let again = &answer(&less.documents())[capability].0;
            assert_eq!(again, scope, "{capability:?} of {evidence:?}\n{}", world.documents().join("\n"));
            checked += 1;
        }
    }
    assert!(checked > 250, "{checked}");
}

#[test]
fn a_binding_takes_no_right_away() {
    let mut random = Random(23);
    let mut grew = 0;
    for _ in 0..800 {
        let mut world = random.world();
        let before = answer(&world.documents());
        let binding = random.binding(world.roles.len() as u32);
        world.bindings.push(binding);
        let after = answer(&world.documents());
        for (capability, (scope, _)) in &before {
            for namespace in NAMESPACES {
                let (was, is) =
                    (includes(scope.as_ref(), namespace), includes(after[capability].0.as_ref(), namespace));
                assert!(is || !was, "{capability:?} in {namespace}\n{}", world.documents().join("\n"));
                grew += usize::from(is && !was);
            }
        }
    }
    assert!(grew > 250, "{grew}: new bindings hardly ever give anything");
}
