//! What the mesh does with one connection.

use super::dataplane::{self, Dataplane};
use super::rule::{Identity, Request};
use super::{About, Action, AuthorizationPolicy, AuthorizationRule, Mesh, MutualTls, ROOT_NAMESPACE};
use crate::meshed::{Call, MeshAnswer, MeshPod, MeshVerdict, Protection};
use crate::{Cited, Match};

impl Mesh {
    /// Whether a connection is authorized; none if the target is not part of the mesh, or if nothing says that it is and no
    /// policy is for it.
    ///
    /// Where it is not known whether an end is part of the mesh, or which policy applies, all that may be is asked, and there
    /// is an answer only if all agree.
    pub fn answer(&self, call: &Call<'_, '_>) -> Option<MeshAnswer> {
        let plane = Dataplane::of(call.target);
        let policies: Vec<_> = self.for_target(call.target).collect();
        match plane.membership() {
            Match::No => return None,
            Match::Unknown if policies.is_empty() => return None,
            _ => {}
        }
        let mut answers = Vec::new();
        let enforced = enforced(call, plane);
        if enforced != Match::Yes {
            // Proxies enforce policies; without one there is none.
            answers.push(MeshAnswer::new(MeshVerdict::Unrestricted, Vec::new()));
        }
        if enforced != Match::No {
            for (mode, set_by) in self.modes(&call.target.pod, call.port) {
                let refused = refuses_plain_text(mode);
                for identity in self.identities(call, plane, mode) {
                    if identity == Identity::None && refused != Match::No {
                        answers.push(MeshAnswer::new(MeshVerdict::Denied, set_by.iter().cloned().collect()));
                    }
                    if identity != Identity::None || refused != Match::Yes {
                        answers.push(decide_at(plane, &policies, call, identity));
                    }
                }
            }
        }
        let mut answer = MeshAnswer::agreed(answers);
        if answer.verdict == MeshVerdict::Undetermined && answer.by.is_empty() {
            answer.by.extend(policies.iter().map(|(policy, _)| policy.cited.clone()));
        }
        Some(answer)
    }

    /// How a connection is protected on its way: mutual TLS that the target insists on, between two members of the mesh.
    /// Two members that ztunnels serve always use it: "ztunnel and HBONE implies the use of mTLS".
    pub fn protection(&self, call: &Call<'_, '_>) -> Protection {
        let plane = Dataplane::of(call.target);
        let (mode, set_by) = self.mutual_tls(&call.target.pod, call.port);
        let members = enforced(call, plane).min(sends(call)) == Match::Yes;
        let strict = mode == MutualTls::Strict;
        let tunnelled = plane == Dataplane::Ambient && Dataplane::of(call.source) == Dataplane::Ambient;
        Protection {
            encrypted: members && (strict || tunnelled),
            proves_identity: members && strict,
            by: set_by.into_iter().filter(|_| strict).collect(),
        }
    }

    /// Who the caller may be to the proxy of the target.
    fn identities<'c>(&self, call: &Call<'c, '_>, plane: Dataplane, mode: MutualTls) -> Vec<Identity<'c>> {
        let account = Identity::Account(call.source.pod.namespace, call.source.pod.service_account);
        // "A client sidecar sends mTLS to workloads with sidecars", unless a DestinationRule says otherwise, or the target
        // has switched it off.
        let certificate = match mode {
            _ if plane == Dataplane::Ambient && Dataplane::of(call.source) == Dataplane::Ambient => Match::Yes,
            MutualTls::Strict => Match::Yes,
            // "It is not possible to use the DISABLE mode in a policy" for ztunnels: "Such policies will be ignored."
            MutualTls::Disabled if plane != Dataplane::Ambient => Match::No,
            MutualTls::Undetermined => Match::Unknown,
            _ => Match::known((!self.callers_are_configured).then_some(true)),
        };
        match sends(call).min(certificate) {
            Match::Yes => vec![account],
            Match::Unknown => vec![Identity::None, account],
            Match::No => vec![Identity::None],
        }
    }

    /// The policies that are, or may be, for a target, with where they are enforced.
    fn for_target<'m>(
        &'m self,
        target: &'m MeshPod<'_>,
    ) -> impl Iterator<Item = (&'m AuthorizationPolicy, Place)> + use<'m> {
        let enforced = |policy: &&AuthorizationPolicy| !policy.dry_run && policy.action != Action::Audit;
        self.authorizations_for(target.pod.namespace).filter(enforced).filter_map(|policy| {
            let place = match policy.targets.is_empty() {
                true => policy.may_select(&target.pod).then_some(Place::Workload)?,
                false => policy.place(target)?,
            };
            Some((policy, place))
        })
    }
}

/// Where a policy is enforced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// By the proxy of the workload.
    Workload,
    /// By the waypoint in front of it.
    Waypoint,
}

/// Whether a connection passes the proxy of its target.
fn enforced(call: &Call<'_, '_>, plane: Dataplane) -> Match {
    let around = match plane {
        Dataplane::Ambient => Match::No,
        _ => dataplane::inbound_around(call.target, call.port),
    };
    plane.membership().min(around.negated())
}

/// Whether a connection passes a proxy of its source.
fn sends(call: &Call<'_, '_>) -> Match {
    let plane = Dataplane::of(call.source);
    let around = match plane {
        Dataplane::Ambient => Match::No,
        _ => dataplane::outbound_around(call.source, call.dialled),
    };
    plane.membership().min(around.negated())
}

fn refuses_plain_text(mode: MutualTls) -> Match {
    match mode {
        MutualTls::Strict => Match::Yes,
        MutualTls::Undetermined => Match::Unknown,
        MutualTls::Permissive | MutualTls::Disabled | MutualTls::None => Match::No,
    }
}

/// The answer for one caller, from the proxy of the workload and from the waypoint if there is one.
fn decide_at(
    plane: Dataplane,
    policies: &[(&AuthorizationPolicy, Place)],
    call: &Call<'_, '_>,
    identity: Identity<'_>,
) -> MeshAnswer {
    let at = |place| policies.iter().filter(move |(_, p)| *p == place).map(|(policy, _)| *policy);
    let waypoint = plane == Dataplane::Ambient && waypoint(call.target).is_some();
    // "The destination ztunnel will see traffic with the waypoint's identity, not the source identity."
    let seen = if waypoint { Identity::Unknown } else { identity };
    let request = |identity, ztunnel| Request { identity, port: call.port, ztunnel };
    let ztunnel = plane == Dataplane::Ambient;
    let at_workload = decide(at(Place::Workload), &request(seen, ztunnel), ztunnel);
    match waypoint {
        true => at_workload.both(decide(at(Place::Waypoint), &request(identity, false), false)),
        false => at_workload,
    }
}

/// CUSTOM is asked first, then DENY, then ALLOW: "If there are no ALLOW policies for the workload, allow the request. If any
/// of the ALLOW policies match the request, allow the request. Deny the request."
fn decide<'p>(
    policies: impl Iterator<Item = &'p AuthorizationPolicy>,
    request: &Request<'_>,
    ztunnel: bool,
) -> MeshAnswer {
    let policies: Vec<_> = policies.filter(|policy| policy.limits()).collect();
    let (unclear, known): (Vec<_>, Vec<_>) = policies.iter().copied().partition(|policy| policy.is_not_understood());
    let with = |action: Action| known.iter().copied().filter(move |policy| policy.action == action);
    let fitting = |action: Action| {
        let allows = action == Action::Allow;
        let rules = with(action).flat_map(|policy| policy.rules.iter().map(move |rule| (policy, rule)));
        let fits = rules.map(move |(policy, rule)| (policy, rule, rule.fit(request, &policy.namespace, allows)));
        fits.filter(|(.., fit)| *fit != Match::No).collect::<Vec<_>>()
    };
    let cite = |rules: &[(&AuthorizationPolicy, &AuthorizationRule, Match)], least: Match| -> Vec<Cited> {
        rules.iter().filter(|(.., fit)| *fit >= least).map(|(policy, rule, _)| policy.cite_at(rule.span)).collect()
    };
    let denying = fitting(Action::Deny);
    let denied = cite(&denying, Match::Yes);
    if !denied.is_empty() {
        return MeshAnswer::new(MeshVerdict::Denied, denied);
    }
    if policies.is_empty() {
        return MeshAnswer::new(MeshVerdict::Unrestricted, Vec::new());
    }
    let allowing = fitting(Action::Allow);
    let is_list = with(Action::Allow).next().is_some();
    if is_list && allowing.is_empty() && unclear.is_empty() {
        return MeshAnswer::new(MeshVerdict::Denied, with(Action::Allow).map(|policy| policy.cited.clone()).collect());
    }
    let mut doubts: Vec<Cited> = unclear.iter().map(|policy| policy.cited.clone()).collect();
    doubts.extend(cite(&denying, Match::Unknown));
    let custom = fitting(Action::Custom);
    doubts.extend(cite(&custom, Match::Unknown));
    // A ztunnel cannot ask another service; what becomes of such a policy is not said.
    doubts.extend(with(Action::Custom).filter(|_| ztunnel).map(|policy| policy.cited.clone()));
    let allowed = cite(&allowing, Match::Yes);
    if is_list && allowed.is_empty() {
        doubts.extend(cite(&allowing, Match::Unknown));
    }
    let all = |holds: &dyn Fn(&AuthorizationPolicy, &AuthorizationRule) -> bool| {
        !allowing.is_empty() && allowing.iter().all(|(policy, rule, _)| holds(policy, rule))
    };
    let verdict = if doubts.is_empty() { MeshVerdict::Allowed } else { MeshVerdict::Undetermined };
    let by = match (verdict, is_list) {
        (MeshVerdict::Undetermined, _) => doubts,
        (_, true) => allowed,
        _ => policies.iter().map(|policy| policy.cited.clone()).collect(),
    };
    MeshAnswer {
        verdict,
        names_caller: all(&|policy, rule| rule.names_account(request, &policy.namespace)),
        needs_token: all(&|policy, rule| rule.needs_token(request, &policy.namespace))
            || denying.iter().any(|(_, rule, _)| denies_without_token(rule)),
        by,
    }
}

/// Whether a rule that denies fits every request without a token: `notRequestPrincipals: ["*"]` and nothing else.
fn denies_without_token(rule: &AuthorizationRule) -> bool {
    let none = |tests: &Vec<_>| match tests.as_slice() {
        [test] => is_no_token(test),
        _ => false,
    };
    rule.to.is_empty() && rule.when.is_empty() && rule.from.iter().any(none)
}

fn is_no_token(test: &super::Test) -> bool {
    test.negated && test.about == About::Token && test.values.iter().any(|(value, _)| value == "*")
}

/// The waypoint in front of a pod that a ztunnel serves: a label of its Services, its own, or its namespace's.
fn waypoint<'a>(target: &MeshPod<'a>) -> Option<&'a str> {
    let label = "istio.io/use-waypoint";
    let of_services = target.services.iter().find_map(|service| service.waypoint);
    let stated = of_services.or(target.pod.labels.get(label)).or(target.pod.namespace_labels.get(label));
    stated.filter(|name| *name != "none")
}

impl AuthorizationPolicy {
    /// Whether it can stop anything. "If not set, the match will never occur", so rules are needed, but for ALLOW.
    fn limits(&self) -> bool {
        !self.rules.is_empty() || matches!(self.action, Action::Allow | Action::Unknown) || self.is_unclear
    }

    fn is_not_understood(&self) -> bool {
        self.is_unclear || self.action == Action::Unknown
    }

    /// Where a policy with `targetRefs` is enforced, if it is for the target.
    fn place(&self, target: &MeshPod<'_>) -> Option<Place> {
        let gateway = target.pod.labels.get("gateway.networking.k8s.io/gateway-name");
        let waypoint = waypoint(target);
        self.targets.iter().find_map(|(kind, name)| {
            let name = Some(name.as_str());
            match kind.as_str() {
                "Gateway" if gateway.is_some() && gateway == name => Some(Place::Workload),
                "Gateway" if waypoint.is_some() && waypoint == name => Some(Place::Waypoint),
                // For all waypoints of the mesh.
                "GatewayClass" if waypoint.is_some() && self.namespace == ROOT_NAMESPACE => Some(Place::Waypoint),
                "Service" if waypoint.is_some() && target.services.iter().any(|s| Some(s.name) == name) => {
                    Some(Place::Waypoint)
                }
                _ => None,
            }
        })
    }
}
