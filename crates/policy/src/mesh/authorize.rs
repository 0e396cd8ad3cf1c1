//! What the mesh does with one connection.

use super::dataplane::{self, Dataplane};
use super::destination::ClientTls;
use super::rule::{Identity, Request};
use super::{Action, AuthorizationPolicy, AuthorizationRule, Mesh, MutualTls, Test};
use crate::meshed::{Admits, Call, Caller, MeshAnswer, MeshPod, MeshVerdict, Named, Protection};
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
        let enforced = enforced(call.target, call.port, plane);
        if enforced != Match::Yes {
            // Proxies enforce policies; without one there is none.
            answers.push(MeshAnswer::new(MeshVerdict::Unrestricted, Vec::new()));
        }
        if enforced != Match::No {
            for (mode, set_by) in self.modes(&call.target.pod, call.port) {
                for (identity, because) in self.identities(call, plane, mode) {
                    let refused = set_by.iter().chain(&because).cloned().collect();
                    let decide = || self.decide_at(&policies, call, identity);
                    answers.extend(decide_in(mode, refused, identity, decide));
                }
            }
        }
        let mut answer = MeshAnswer::agreed(answers);
        if answer.verdict == MeshVerdict::Undetermined && answer.by.is_empty() {
            answer.by.extend(policies.iter().map(|(policy, _)| policy.cited.clone()));
        }
        if answer.lets_through() {
            let is_stopped =
                |caller: Caller<'_>| self.of_caller(&policies, call, caller).verdict == MeshVerdict::Denied;
            answer.named = Named::against_others(call.source.pod.namespace, is_stopped);
        }
        Some(answer)
    }

    /// Whom the policies let through to a workload on all of these ports, and what says so; none if that is not known, or if
    /// nothing says that it is part of the mesh.
    ///
    /// What is sent to the address of a pod does not pass the waypoint, so only what the workload's own proxy enforces counts.
    pub fn admits(&self, target: &MeshPod<'_>, ports: &[u16]) -> Option<(Admits, Vec<Cited>)> {
        let plane = Dataplane::of(target);
        let policies: Vec<_> = self.for_target(target).filter(|(_, place)| *place == Place::Workload).collect();
        match plane.membership() {
            Match::No => return Some((Admits::Everybody, Vec::new())),
            Match::Unknown => return None,
            Match::Yes => {}
        }
        let ask = |caller: Caller<'_>, port: Option<u16>| {
            let modes = self.modes(&target.pod, port).into_iter();
            let identity = identity(caller);
            let directly = || vec![self.decide_directly(&policies, port, plane, identity)];
            match enforced(target, port, plane) {
                Match::Yes => MeshAnswer::agreed(
                    modes.flat_map(|(mode, set_by)| decide_in(mode, Vec::from_iter(set_by), identity, directly)),
                ),
                Match::No => MeshAnswer::new(MeshVerdict::Unrestricted, Vec::new()),
                Match::Unknown => MeshAnswer::new(MeshVerdict::Undetermined, Vec::new()),
            }
        };
        Admits::of(ask, ports)
    }

    /// Whether a connection goes around the proxy that serves its target, by annotations of the target.
    pub fn goes_around(&self, call: &Call<'_, '_>) -> Match {
        match Dataplane::of(call.target) {
            Dataplane::Outside => Match::No,
            plane => dataplane::inbound_around(call.target, plane, call.port),
        }
    }

    /// The answer for somebody else in place of the caller.
    fn of_caller(
        &self,
        policies: &[(&AuthorizationPolicy, Place)],
        call: &Call<'_, '_>,
        caller: Caller<'_>,
    ) -> MeshAnswer {
        let modes = self.modes(&call.target.pod, call.port).into_iter();
        MeshAnswer::agreed(modes.flat_map(|(mode, set_by)| {
            decide_in(mode, Vec::from_iter(set_by), identity(caller), || {
                self.decide_at(policies, call, identity(caller))
            })
        }))
    }

    /// How a connection is protected on its way: between members of the mesh by mutual TLS, whether or not the target insists
    /// on it. "Client sidecars send mTLS to workloads with sidecars and plaintext to workloads without", unless a
    /// DestinationRule says otherwise. Two members that ztunnels serve always use it: "ztunnel and HBONE implies the use of
    /// mTLS".
    pub fn protection(&self, call: &Call<'_, '_>) -> Protection {
        let plane = Dataplane::of(call.target);
        let (mode, set_by) = self.mutual_tls(&call.target.pod, call.port);
        let members = enforced(call.target, call.port, plane).min(sends(call)) == Match::Yes;
        let strict = mode == MutualTls::Strict;
        let of_source = Dataplane::of(call.source);
        let tunnelled = plane == Dataplane::Ambient && of_source == Dataplane::Ambient;
        // What is addressed to a pod and no Service is sent on as it is.
        let has_service = call.service.is_some() || !call.target.services.is_empty();
        let by_themselves = plane == Dataplane::Sidecar && of_source == Dataplane::Sidecar && has_service;
        let certified = self
            .modes(&call.target.pod, call.port)
            .into_iter()
            .flat_map(|(mode, _)| self.identities(call, plane, mode))
            .all(|(identity, _)| matches!(identity, Identity::Account(..)));
        Protection {
            encrypted: members && certified && (strict || tunnelled || by_themselves),
            proves_identity: members && certified && strict,
            by: set_by.into_iter().filter(|_| strict).collect(),
        }
    }

    /// Who the caller may be to the proxy of the target, with what says so.
    fn identities<'c>(
        &self,
        call: &Call<'c, '_>,
        plane: Dataplane,
        mode: MutualTls,
    ) -> Vec<(Identity<'c>, Option<Cited>)> {
        let account = Identity::Account(call.source.pod.namespace, call.source.pod.service_account);
        let of_source = Dataplane::of(call.source);
        let sends = sends(call);
        let mut found: Vec<(Identity<'c>, Option<Cited>)> = Vec::new();
        if sends != Match::Yes {
            found.push((Identity::None, None));
        }
        if sends == Match::No {
            return found;
        }
        if plane == Dataplane::Ambient && of_source == Dataplane::Ambient {
            found.push((account, None));
            return found;
        }
        // Ztunnels do not look at DestinationRules. Whether it is a ztunnel may not be known.
        let by_ztunnel = (ClientTls::Auto, None, Match::Yes);
        let by_sidecar = || {
            let choices = self.destinations.choices(call, &self.config.roots).into_iter();
            choices.map(|(tls, rule)| (tls, rule, self.config.auto))
        };
        let choices: Vec<_> = match of_source {
            Dataplane::Ambient => vec![by_ztunnel],
            Dataplane::Unknown => by_sidecar().chain([by_ztunnel]).collect(),
            Dataplane::Sidecar | Dataplane::Outside => by_sidecar().collect(),
        };
        for (tls, rule, auto) in choices {
            let sides: &[Identity<'c>] = match (tls, mode) {
                // "It is not possible to use the DISABLE mode in a policy" for ztunnels: "Such policies will be ignored."
                (_, MutualTls::Disabled) if plane != Dataplane::Ambient => &[Identity::None],
                (ClientTls::Auto, _) if auto == Match::No => &[Identity::None],
                (ClientTls::Auto, _) if auto == Match::Unknown => &[Identity::None, account],
                (ClientTls::Auto | ClientTls::Mesh, MutualTls::Undetermined) => &[Identity::None, account],
                (ClientTls::Auto | ClientTls::Mesh, _) => &[account],
                // Whether a certificate that is not of the mesh is accepted depends on who issued it.
                (ClientTls::Own, MutualTls::Strict | MutualTls::Undetermined) => &[Identity::None, Identity::Unknown],
                (ClientTls::Disabled | ClientTls::Simple | ClientTls::Own, _) => &[Identity::None],
                (ClientTls::Unknown, _) => &[Identity::None, account],
            };
            found.extend(sides.iter().map(|identity| (*identity, rule.clone())));
        }
        found
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

/// Whether what comes in on a port of a target passes the proxy that serves it.
fn enforced(target: &MeshPod<'_>, port: Option<u16>, plane: Dataplane) -> Match {
    plane.membership().min(dataplane::inbound_around(target, plane, port).negated())
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

fn identity(caller: Caller<'_>) -> Identity<'_> {
    caller.map_or(Identity::None, |(namespace, account)| Identity::Account(namespace, account))
}

/// The answers where a mode of mutual TLS applies: what is refused for it, and what policies say about the rest.
fn decide_in(
    mode: MutualTls,
    refused_by: Vec<Cited>,
    identity: Identity<'_>,
    decide: impl Fn() -> Vec<MeshAnswer>,
) -> Vec<MeshAnswer> {
    let refused = if identity == Identity::None { refuses_plain_text(mode) } else { Match::No };
    let mut answers = Vec::new();
    if refused != Match::No {
        answers.push(MeshAnswer::new(MeshVerdict::Denied, refused_by));
    }
    if refused != Match::Yes {
        answers.extend(decide());
    }
    answers
}

impl Mesh {
    /// The answers for one caller, from the proxy of the workload and from the waypoint if there is one: two, if it is not
    /// known whether the waypoint is passed.
    fn decide_at(
        &self,
        policies: &[(&AuthorizationPolicy, Place)],
        call: &Call<'_, '_>,
        identity: Identity<'_>,
    ) -> Vec<MeshAnswer> {
        let plane = Dataplane::of(call.target);
        let directly = || self.decide_directly(policies, call.port, plane, identity);
        // "The destination ztunnel will see traffic with the waypoint's identity, not the source identity."
        let through = || {
            let at_workload = self.decide_directly(policies, call.port, plane, Identity::Unknown);
            let request =
                Request { identity, port: call.port, ztunnel: false, trust: &self.config.trust, of_requests: None };
            at_workload.both(decide(at(policies, Place::Waypoint), &request))
        };
        match self.passes_waypoint(call, plane) {
            Match::No => vec![directly()],
            Match::Unknown => vec![directly(), through()],
            Match::Yes => vec![through()],
        }
    }

    /// The answer of the proxy of the workload.
    fn decide_directly(
        &self,
        policies: &[(&AuthorizationPolicy, Place)],
        port: Option<u16>,
        plane: Dataplane,
        identity: Identity<'_>,
    ) -> MeshAnswer {
        let ztunnel = plane == Dataplane::Ambient;
        let request = Request { identity, port, ztunnel, trust: &self.config.trust, of_requests: None };
        decide(at(policies, Place::Workload), &request)
    }

    /// Whether a connection passes the waypoint of its target. "By default, a waypoint will only handle traffic destined for
    /// services", and "the original addressing of the traffic is used": what is sent to the address of a pod goes around it.
    fn passes_waypoint(&self, call: &Call<'_, '_>, plane: Dataplane) -> Match {
        let Some(name) = waypoint(call.target).filter(|_| plane == Dataplane::Ambient) else { return Match::No };
        let key = "istio.io/use-waypoint-namespace";
        let stated = call.target.pod.labels.get(key).or(call.target.pod.namespace_labels.get(key));
        let namespace = stated.unwrap_or(call.target.pod.namespace).to_owned();
        let kinds = self.waypoints.get(&(namespace, name.to_owned())).map_or("service", String::as_str);
        let handled = |kind: &str| Match::from(kinds == "all" || kinds == kind);
        let by_address = match call.service {
            Some(_) => handled("service"),
            None if handled("service") == handled("workload") => handled("service"),
            None => Match::Unknown,
        };
        // It is the ztunnel of the caller that sends to the waypoint.
        let by_source = match Dataplane::of(call.source) {
            Dataplane::Ambient => Match::Yes,
            Dataplane::Outside => Match::No,
            Dataplane::Sidecar | Dataplane::Unknown => Match::Unknown,
        };
        by_address.min(by_source)
    }
}

/// The policies that are enforced at a place.
fn at<'p>(
    policies: &[(&'p AuthorizationPolicy, Place)],
    place: Place,
) -> impl Iterator<Item = &'p AuthorizationPolicy> {
    policies.iter().filter(move |(_, own)| *own == place).map(|(policy, _)| *policy)
}

/// CUSTOM is asked first, then DENY, then ALLOW: "If there are no ALLOW policies for the workload, allow the request. If any
/// of the ALLOW policies match the request, allow the request. Deny the request."
///
/// "Ztunnel does not support the CUSTOM action": such policies are not handed to it.
fn decide<'p>(policies: impl Iterator<Item = &'p AuthorizationPolicy>, request: &Request<'_>) -> MeshAnswer {
    let handed = |policy: &&AuthorizationPolicy| {
        policy.limits() && !(request.ztunnel && policy.action == Action::Custom && !policy.is_unclear)
    };
    let policies: Vec<_> = policies.filter(handed).collect();
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
        (_, true) => allowed.clone(),
        _ => policies.iter().map(|policy| policy.cited.clone()).collect(),
    };
    // A request for something else, or with a token, gets past the rules that deny.
    let past = Request { of_requests: Some(Match::No), ..*request };
    let avoidable = denying.iter().all(|(policy, rule, _)| rule.fit(&past, &policy.namespace, false) == Match::No);
    let fitting_one = Request { of_requests: Some(Match::Yes), ..*request };
    let attainable =
        allowing.iter().any(|(policy, rule, _)| rule.fit(&fitting_one, &policy.namespace, true) == Match::Yes);
    let is_enough = match (denying.is_empty(), !is_list || !allowed.is_empty()) {
        (false, true) => avoidable,
        (true, false) => attainable,
        // Whether one request is right for both is not worked out.
        _ => false,
    };
    MeshAnswer {
        verdict,
        some_pass: verdict == MeshVerdict::Undetermined && unclear.is_empty() && custom.is_empty() && is_enough,
        named: Named::Not,
        needs_token: all(&|policy, rule| rule.needs_token(request, &policy.namespace))
            || denying.iter().any(|(_, rule, _)| denies_without_token(rule)),
        by,
    }
}

/// Whether a rule that denies fits every request without a token: `notRequestPrincipals: ["*"]` and nothing else.
fn denies_without_token(rule: &AuthorizationRule) -> bool {
    let none = |tests: &Vec<Test>| match tests.as_slice() {
        [test] => test.is_no_token(),
        _ => false,
    };
    rule.to.is_empty() && rule.when.is_empty() && rule.from.iter().any(none)
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
                "GatewayClass" if waypoint.is_some() && self.is_everywhere => Some(Place::Waypoint),
                "Service" if waypoint.is_some() && target.services.iter().any(|s| Some(s.name) == name) => {
                    Some(Place::Waypoint)
                }
                _ => None,
            }
        })
    }
}
