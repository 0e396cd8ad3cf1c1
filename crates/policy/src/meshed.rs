//! What meshes are asked, and what they answer.

use kubestride_manifest::Labels;

use crate::{Cited, Match, Pod};

/// The pods of a workload, as meshes see them.
#[derive(Debug, Clone, Copy)]
pub struct MeshPod<'a> {
    /// Labels, namespace, ports and service account.
    pub pod: Pod<'a>,
    /// Their annotations.
    pub annotations: &'a Labels<'a>,
    /// The annotations of their namespace.
    pub namespace_annotations: &'a Labels<'a>,
    /// The names of their containers: a proxy may be written into the manifest.
    pub containers: &'a [&'a str],
    /// The Services of their namespace that select them.
    pub services: &'a [MeshService<'a>],
}

/// A Service in front of pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MeshService<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its label `istio.io/use-waypoint`.
    pub waypoint: Option<&'a str>,
}

/// A connection that is asked about.
#[derive(Debug, Clone, Copy)]
pub struct Call<'c, 'a> {
    /// Who calls.
    pub source: &'c MeshPod<'a>,
    /// Who is called.
    pub target: &'c MeshPod<'a>,
    /// The port that the caller uses, which may be that of a Service.
    pub dialled: Option<u16>,
    /// The port of the target's pods.
    pub port: Option<u16>,
    /// The Service by which the caller reaches the target, if that is known.
    pub service: Option<&'a str>,
}

/// Whether a connection is authorized.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MeshVerdict {
    /// Rules let it through.
    Allowed,
    /// Policies stop it.
    Denied,
    /// No policy is about it, or it goes around the proxy of the target.
    Unrestricted,
    /// It depends on the request, or on what manifests do not tell.
    Undetermined,
}

/// How closely policies name a caller that they let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Named {
    /// Others get through as well, or nobody does.
    Not,
    /// Callers from other namespaces are stopped.
    Namespace,
    /// Callers with another service account are stopped.
    Account,
}

/// Whom the policies of a mesh let through to a workload, whoever calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Admits {
    /// Callers outside of the mesh, and all members.
    Everybody,
    /// All members of the mesh.
    Members,
    /// Those that policies name, or nobody.
    Named,
}

/// Who calls, to the proxy of a target: nobody in particular, or a namespace and a service account.
pub(crate) type Caller<'a> = Option<(&'a str, &'a str)>;

/// A name that no policy can mean, for callers that no policy has heard of.
pub(crate) const UNHEARD_OF: &str = "\u{1}";

impl Named {
    /// How closely a caller of a namespace is named, given what becomes of others in its place.
    pub(crate) fn against_others(namespace: &str, is_stopped: impl Fn(Caller<'_>) -> bool) -> Self {
        let others = [None, Some((UNHEARD_OF, UNHEARD_OF))];
        match others.into_iter().all(&is_stopped) {
            false => Named::Not,
            true if is_stopped(Some((namespace, UNHEARD_OF))) => Named::Account,
            true => Named::Namespace,
        }
    }
}

impl Admits {
    /// Who is let through, given the answers for nobody in particular and for a member that no policy has heard of, on each
    /// port. None if they are not known.
    pub(crate) fn of(ask: impl Fn(Caller<'_>, Option<u16>) -> MeshAnswer, ports: &[u16]) -> Option<(Self, Vec<Cited>)> {
        let any = [None];
        let ports: Vec<Option<u16>> = ports.iter().copied().map(Some).collect();
        let ports = if ports.is_empty() { &any[..] } else { &ports };
        let all = |caller: Caller<'_>| {
            let answers = ports.iter().map(|port| ask(caller, *port));
            let passes =
                |answer: &MeshAnswer| matches!(answer.verdict, MeshVerdict::Allowed | MeshVerdict::Unrestricted);
            let answers: Vec<MeshAnswer> = answers.collect();
            match answers.iter().all(|answer| answer.verdict == MeshVerdict::Denied) {
                // One open port is enough.
                false if answers.iter().any(passes) => Some((false, Vec::new())),
                false => None,
                true => Some((true, MeshAnswer::agreed(answers).by)),
            }
        };
        let (nobody, by_identity) = all(None)?;
        if !nobody {
            return Some((Admits::Everybody, Vec::new()));
        }
        match all(Some((UNHEARD_OF, UNHEARD_OF))) {
            Some((true, by)) => Some((Admits::Named, by)),
            _ => Some((Admits::Members, by_identity)),
        }
    }
}

/// What the policies of a mesh say about a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeshAnswer {
    /// What they say.
    pub verdict: MeshVerdict,
    /// How closely what lets it through names the caller.
    pub named: Named,
    /// Every request that gets through carries a token that was checked.
    pub needs_token: bool,
    /// Only what a request looks like decides, or its token, and some get through.
    pub some_pass: bool,
    /// The rules or policies that say so.
    pub by: Vec<Cited>,
}

/// How a mesh protects a connection on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Protection {
    /// The proxies on both sides encrypt it.
    pub encrypted: bool,
    /// The target accepts nobody who does not prove who he is.
    pub proves_identity: bool,
    /// What says so; nothing where being part of the mesh is enough.
    pub by: Vec<Cited>,
}

impl MeshAnswer {
    pub(crate) fn new(verdict: MeshVerdict, by: Vec<Cited>) -> Self {
        Self { verdict, named: Named::Not, needs_token: false, some_pass: false, by }
    }

    /// Whether it lets something through.
    pub(crate) fn lets_through(&self) -> bool {
        self.verdict == MeshVerdict::Allowed || self.some_pass
    }

    /// One answer where it is not known which of several holds: the one on which all agree.
    pub(crate) fn agreed(answers: impl IntoIterator<Item = Self>) -> Self {
        let joined = answers.into_iter().reduce(|mut all, next| {
            if all.verdict != next.verdict {
                all.verdict = MeshVerdict::Undetermined;
            }
            all.named = all.named.min(next.named);
            all.needs_token &= next.needs_token;
            all.some_pass &= next.some_pass;
            all.by.extend(next.by);
            all
        });
        joined.map_or_else(|| Self::new(MeshVerdict::Undetermined, Vec::new()), Self::tidy)
    }

    /// One answer where two proxies are passed, one after the other.
    pub(crate) fn both(self, other: Self) -> Self {
        use MeshVerdict::{Allowed, Denied, Undetermined, Unrestricted};
        let verdict = match (self.verdict, other.verdict) {
            (Denied, _) | (_, Denied) => Denied,
            (Undetermined, _) | (_, Undetermined) => Undetermined,
            (Unrestricted, Unrestricted) => Unrestricted,
            _ => Allowed,
        };
        let decides = |answer: &Self| answer.verdict == verdict;
        // One request may not get through both, if each looks at requests.
        let some_pass = match (self.verdict, other.verdict) {
            (Undetermined, Allowed | Unrestricted) => self.some_pass,
            (Allowed | Unrestricted, Undetermined) => other.some_pass,
            _ => false,
        };
        let mut by = Vec::new();
        let (named, needs_token) = (self.named.max(other.named), self.needs_token || other.needs_token);
        for answer in [self, other].into_iter().filter(decides) {
            by.extend(answer.by);
        }
        Self { verdict, named, needs_token, some_pass, by }.tidy()
    }

    fn tidy(mut self) -> Self {
        if !self.lets_through() {
            self.named = Named::Not;
        }
        self.by.sort();
        self.by.dedup();
        self
    }
}

/// Whether a port is in a list such as `80, 8000-8010`, as annotations have it. Sometimes if the port is not known, or if
/// a part of the list is not understood.
pub(crate) fn port_in(list: &str, port: Option<u16>) -> Match {
    Match::any(list.split(',').map(str::trim).filter(|part| !part.is_empty()).map(|part| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        match (first.trim().parse::<u16>(), last.trim().parse::<u16>(), port) {
            (Ok(first), Ok(last), Some(port)) => Match::from((first..=last).contains(&port)),
            _ => Match::Unknown,
        }
    }))
}
