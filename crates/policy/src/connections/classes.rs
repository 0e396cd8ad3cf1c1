//! Workloads that are alike to all policies of a network: what holds for one of a class holds for all of it, so each pair
//! of classes is asked about once.

use std::collections::BTreeMap;

use super::{Network, Workload};
use crate::network::asked::{Asked, Traits};
use crate::network::{End, NetworkPolicies, PortSet, Range, Verdict};

/// How many answers are kept at most. With more of them, some are asked for again.
const MOST_KEPT: usize = 1 << 24;

/// Ports that are allowed, and ports of which that is not known.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Answer {
    pub(super) ports: PortSet,
    pub(super) unknown: PortSet,
}

/// The place of an answer among all different ones.
type Place = u32;

/// Workloads of one network, by class.
pub(super) struct Classes<'c> {
    policies: &'c NetworkPolicies,
    /// All workloads by the names that they have here, each with its class.
    pub(super) ends: Vec<(String, usize)>,
    classes: Vec<Class<'c>>,
    rows: Vec<Option<Row>>,
    kept: usize,
    answers: Vec<Answer>,
    places: BTreeMap<Answer, Place>,
}

/// Workloads that are alike.
struct Class<'c> {
    /// One of them.
    workload: &'c Workload<'c>,
    /// Its primary network among all of them, if that decides who sees whom.
    network: usize,
    /// Whether one of them is wanted as the target of connections.
    is_target: bool,
    /// Places of all of them among the ends.
    members: Vec<usize>,
}

/// What a class may send: to each class, and to addresses outside.
struct Row {
    to: Vec<Place>,
    outside: Vec<(Range, Place)>,
}

impl<'c> Classes<'c> {
    /// Workloads under the names that they have in the network. Connections are asked for to those that `is_target` is
    /// true of. With `apart`, those with different primary networks do not see each other.
    pub(super) fn new(
        policies: &'c NetworkPolicies,
        workloads: impl IntoIterator<Item = (String, &'c Workload<'c>)>,
        is_target: impl Fn(&str) -> bool,
        apart: bool,
    ) -> Self {
        let mut named: Vec<(String, &Workload<'_>)> = workloads.into_iter().collect();
        named.sort_by(|a, b| a.0.cmp(&b.0));
        let asked = Asked::by(policies);
        let mut networks: Vec<Option<&Network>> = Vec::new();
        let mut known: BTreeMap<(usize, Traits<'_>), usize> = BTreeMap::new();
        let (mut classes, mut ends): (Vec<Class<'_>>, Vec<(String, usize)>) = (Vec::new(), Vec::new());
        for (name, workload) in named {
            let own = workload.network.as_ref().filter(|_| apart);
            let network = networks.iter().position(|network| *network == own).unwrap_or_else(|| {
                networks.push(own);
                networks.len() - 1
            });
            let at = *known.entry((network, asked.of(&workload.pod()))).or_insert(classes.len());
            if at == classes.len() {
                classes.push(Class { workload, network, is_target: false, members: Vec::new() });
            }
            if let Some(class) = classes.get_mut(at) {
                class.is_target |= is_target(&name);
                class.members.push(ends.len());
            }
            ends.push((name, at));
        }
        let rows = classes.iter().map(|_| None).collect();
        let none = Answer::default();
        let places = BTreeMap::from([(none.clone(), 0)]);
        Self { policies, ends, classes, rows, kept: 0, answers: vec![none], places }
    }

    /// Names of the members of a class.
    pub(super) fn members(&self, class: usize) -> impl Iterator<Item = &str> {
        let members = self.classes.get(class).map(|class| class.members.as_slice()).unwrap_or_default();
        members.iter().filter_map(|at| self.ends.get(*at)).map(|(name, _)| name.as_str())
    }

    /// Classes of the workloads of a name.
    pub(super) fn called(&self, name: &str) -> impl Iterator<Item = usize> + use<'_, 'c> {
        let first = self.ends.partition_point(|(other, _)| other.as_str() < name);
        let next = self.ends.partition_point(|(other, _)| other.as_str() <= name);
        self.ends.get(first..next).unwrap_or_default().iter().map(|(_, class)| *class)
    }

    /// Finds out what some classes may send, and what of that to these addresses outside.
    pub(super) fn ask(&mut self, classes: &[usize], ranges: &[Range]) {
        for at in classes {
            if self.rows.get(*at).is_none_or(Option::is_some) {
                continue;
            }
            let row = self.row(*at, ranges);
            let size = row.to.len() + row.outside.len();
            if self.kept + size > MOST_KEPT {
                self.kept = 0;
                let others = self.rows.iter_mut().enumerate().filter(|(other, _)| !classes.contains(other));
                others.for_each(|(_, row)| *row = None);
            }
            self.kept += size;
            if let Some(place) = self.rows.get_mut(*at) {
                *place = Some(row);
            }
        }
    }

    fn row(&mut self, source: usize, ranges: &[Range]) -> Row {
        let policies = self.policies;
        let to = (0..self.classes.len()).map(|target| self.between(source, target)).collect();
        let pod = self.classes.get(source).map(|class| class.workload.pod());
        let outside = pod.map(|pod| self.outside(ranges, |range| policies.unexplained(End::Pod(pod), range)));
        Row { to, outside: outside.unwrap_or_default() }
    }

    /// What one of the classes that were asked about may send to another; none if nothing.
    pub(super) fn answer(&self, source: usize, target: usize) -> Option<&Answer> {
        let place = self.rows.get(source)?.as_ref()?.to.get(target)?;
        self.answer_at(*place)
    }

    /// What it may send to addresses outside.
    pub(super) fn to_outside(&self, source: usize) -> impl Iterator<Item = (Range, &Answer)> {
        let row = self.rows.get(source).and_then(Option::as_ref);
        let found = row.map(|row| row.outside.as_slice()).unwrap_or_default();
        found.iter().filter_map(|(range, place)| Some((*range, self.answer_at(*place)?)))
    }

    /// From which of these addresses outside each class may be called, by the text of the addresses.
    pub(super) fn callers_outside(&mut self, ranges: &[Range]) -> BTreeMap<String, Vec<(usize, Place)>> {
        let policies = self.policies;
        let mut found: BTreeMap<Range, Vec<(usize, Place)>> = BTreeMap::new();
        for at in 0..self.classes.len() {
            let target = self.classes.get(at).filter(|class| class.is_target);
            let Some(pod) = target.map(|class| class.workload.pod()) else { continue };
            for (range, place) in self.outside(ranges, |range| policies.unexplained(range, End::Pod(pod))) {
                found.entry(range).or_default().push((at, place));
            }
        }
        found.into_iter().map(|(range, classes)| (range.to_string(), classes)).collect()
    }

    /// The answer at a place; none if nothing may be sent.
    pub(super) fn answer_at(&self, place: Place) -> Option<&Answer> {
        self.answers.get(place as usize).filter(|_| place != 0)
    }

    fn between(&mut self, source: usize, target: usize) -> Place {
        let (Some(source), Some(target)) = (self.classes.get(source), self.classes.get(target)) else { return 0 };
        if !target.is_target || source.network != target.network {
            return 0;
        }
        let ends = (End::Pod(source.workload.pod()), End::Pod(target.workload.pod()));
        let verdict = self.policies.unexplained(ends.0, ends.1);
        self.place(&verdict)
    }

    fn outside(&mut self, ranges: &[Range], verdict: impl Fn(End<'_>) -> Verdict) -> Vec<(Range, Place)> {
        let answers = merged(ranges.iter().map(|range| (*range, verdict(End::Outside(*range)))));
        let placed = answers.into_iter().map(|(range, verdict)| (range, self.place(&verdict)));
        placed.filter(|(_, place)| *place != 0).collect()
    }

    fn place(&mut self, verdict: &Verdict) -> Place {
        let answer = Answer { ports: verdict.ports(), unknown: verdict.unknown() };
        if let Some(place) = self.places.get(&answer) {
            return *place;
        }
        let place = self.answers.len() as Place;
        self.answers.push(answer.clone());
        self.places.insert(answer, place);
        place
    }
}

/// Ranges beside each other with the same answer, as one.
fn merged(parts: impl Iterator<Item = (Range, Verdict)>) -> Vec<(Range, Verdict)> {
    let mut out: Vec<(Range, Verdict)> = Vec::new();
    for (range, verdict) in parts {
        match out.last_mut() {
            Some((last, same)) if *same == verdict && last.touches(&range) => last.1 = range.1,
            _ => out.push((range, verdict)),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use kubestride_manifest::Manifests;
    use kubestride_source::FileId;
    use kubestride_yaml::{Limits, read};

    use super::super::Connections;
    use super::Classes;

    /// Labels that no policy asks for, and values that none asks for, make no classes.
    #[test]
    fn only_what_policies_ask_makes_classes() {
        let pod = |at: usize| {
            format!(
                "{{apiVersion: v1, kind: Pod, metadata: {{name: p{at}, namespace: n{}, labels: {{app: a{at}, other: o{at}}}}}, \
                 spec: {{serviceAccountName: s{at}, containers: [{{name: c, image: i, ports: [{{name: w{at}, containerPort: \
                 80}}]}}]}}}}",
                at % 7
            )
        };
        let policy = "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: n1}, spec: \
                      {podSelector: {matchLabels: {app: a8}}, ingress: [{ports: [{port: w8}]}]}}";
        let mut all: Vec<String> = (0..70).map(pod).collect();
        all.push(policy.to_owned());
        let mut manifests = Manifests::new();
        for document in read(FileId(0), &Arc::from(all.join("\n---\n")), &Limits::default()) {
            manifests.add(document.tree.expect("a document"), 0);
        }
        manifests.finish("default");
        let connections = Connections::read(&manifests, "default");
        let workloads = connections.workloads.iter().map(|workload| (workload.name.clone(), workload));
        let classes = Classes::new(&connections.policies, workloads, |_| true, true);
        // Pods of n1, pods of others, and one that the policy is for.
        assert_eq!((classes.ends.len(), classes.classes.len()), (70, 3));
    }

    /// Rows that are dropped are asked for again.
    #[test]
    fn answers_that_are_not_kept_are_found_again() {
        let text = "{apiVersion: v1, kind: Pod, metadata: {name: a, labels: {app: a}}, spec: {}}\n---\n\
                    {apiVersion: v1, kind: Pod, metadata: {name: b, labels: {app: b}}, spec: {}}\n---\n\
                    {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p}, spec: {podSelector: \
                    {matchLabels: {app: a}}}}";
        let mut manifests = Manifests::new();
        for document in read(FileId(0), &Arc::from(text), &Limits::default()) {
            manifests.add(document.tree.expect("a document"), 0);
        }
        manifests.finish("default");
        let connections = Connections::read(&manifests, "default");
        let workloads = connections.workloads.iter().map(|workload| (workload.name.clone(), workload));
        let mut classes = Classes::new(&connections.policies, workloads, |_| true, true);
        classes.ask(&[0], &[]);
        classes.kept = super::MOST_KEPT;
        classes.ask(&[1], &[]);
        assert!(classes.rows[0].is_none() && classes.answer(1, 0).is_none(), "nothing may be sent to it");
        classes.ask(&[0], &[]);
        assert!(classes.answer(0, 1).is_some_and(|answer| answer.ports.is_all()));
    }
}
