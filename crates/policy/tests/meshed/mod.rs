//! Pods as meshes see them, for the tests of both meshes.

#![allow(dead_code, reason = "each test file uses a part of it")]

pub(crate) mod istio;

use kubestride_manifest::Labels;
use kubestride_policy::{Call, MeshAnswer, MeshPod, MeshService, Named, Pod, PodPort};

/// A pod with the label `app`, which is also its service account and its Service, and the port `web` (8080).
#[derive(Clone)]
pub(crate) struct Member {
    namespace: &'static str,
    account: &'static str,
    labels: Labels<'static>,
    namespace_labels: Labels<'static>,
    annotations: Labels<'static>,
    namespace_annotations: Labels<'static>,
    containers: Vec<&'static str>,
    services: Vec<MeshService<'static>>,
    host_network: bool,
}

impl Member {
    pub(crate) fn new(namespace: &'static str, app: &'static str) -> Self {
        Self {
            namespace,
            account: app,
            labels: Labels::from_pairs([("app", app)]),
            namespace_labels: Labels::default(),
            annotations: Labels::default(),
            namespace_annotations: Labels::default(),
            containers: vec!["main"],
            services: vec![MeshService { name: app, waypoint: None }],
            host_network: false,
        }
    }

    pub(crate) fn label(mut self, key: &'static str, value: &'static str) -> Self {
        self.labels.set(key, value);
        self
    }

    pub(crate) fn namespace_label(mut self, key: &'static str, value: &'static str) -> Self {
        self.namespace_labels.set(key, value);
        self
    }

    pub(crate) fn annotation(mut self, key: &'static str, value: &'static str) -> Self {
        self.annotations.set(key, value);
        self
    }

    pub(crate) fn namespace_annotation(mut self, key: &'static str, value: &'static str) -> Self {
        self.namespace_annotations.set(key, value);
        self
    }

    pub(crate) fn container(mut self, name: &'static str) -> Self {
        self.containers.push(name);
        self
    }

    pub(crate) fn service(mut self, name: &'static str, waypoint: Option<&'static str>) -> Self {
        self.services.push(MeshService { name, waypoint });
        self
    }

    pub(crate) fn host_network(mut self) -> Self {
        self.host_network = true;
        self
    }

    pub(crate) fn get(&self) -> MeshPod<'_> {
        const PORTS: [PodPort<'static>; 1] = [PodPort { name: "web", number: 8080, protocol: "TCP" }];
        MeshPod {
            pod: Pod {
                namespace: self.namespace,
                labels: &self.labels,
                namespace_labels: &self.namespace_labels,
                ports: &PORTS,
                service_account: self.account,
                host_network: self.host_network,
            },
            annotations: &self.annotations,
            namespace_annotations: &self.namespace_annotations,
            containers: &self.containers,
            services: &self.services,
        }
    }

    /// The question whether this pod may call another.
    pub(crate) fn calls<T>(&self, target: &Self, port: Option<u16>, ask: impl Fn(&Call<'_, '_>) -> T) -> T {
        ask(&Call {
            source: &self.get(),
            target: &target.get(),
            dialled: port,
            port,
            service: target.services.first().map(|service| service.name),
        })
    }
}

/// `Allowed by p, q`, with the names of the policies only, `named` where the caller is; `-` without an answer.
pub(crate) fn shown(answer: Option<MeshAnswer>) -> String {
    let Some(answer) = answer else { return "-".to_owned() };
    let mut names: Vec<&str> = answer.by.iter().filter_map(|cited| cited.identity.rsplit('/').next()).collect();
    names.dedup();
    let by = if names.is_empty() { String::new() } else { format!(" by {}", names.join(", ")) };
    let named = match answer.named {
        Named::Not => "",
        Named::Namespace => " of namespace",
        Named::Account => " named",
    };
    let token = if answer.needs_token { " with token" } else { "" };
    format!("{:?}{by}{named}{token}", answer.verdict)
}
