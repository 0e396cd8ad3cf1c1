//! Models for tests: one by hand, and random ones from a seed.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part")]

use kubestride_model::{
    Access, BoundaryId, BoundaryKind, Builder, Confidence, ElementId, ElementKind, Evidence, FlowDraft, FlowKind,
    Model, Origin,
};
use kubestride_stencils::stencil;

/// A builder with short calls.
pub struct Sketch {
    pub builder: Builder,
    pub evidence: Evidence,
}

impl Sketch {
    pub fn new() -> Self {
        let mut builder = Builder::new(kubestride_stencils::vocabulary());
        let evidence = builder.evidence(Origin::Declared, None, "");
        Self { builder, evidence }
    }

    pub fn boundary(
        &mut self,
        identity: &str,
        name: &str,
        kind: BoundaryKind,
        parent: Option<BoundaryId>,
    ) -> BoundaryId {
        self.builder.boundary(identity, name, kind, stencil::BOUNDARY, parent, self.evidence)
    }

    pub fn element(&mut self, identity: &str, name: &str, kind: ElementKind, boundary: BoundaryId) -> ElementId {
        let stencil = match kind {
            ElementKind::Process => stencil::DEPLOYMENT,
            ElementKind::External => stencil::EXTERNAL_HOST,
            ElementKind::Store => stencil::SECRET,
        };
        self.builder.element(identity, name, kind, stencil, boundary, self.evidence)
    }

    pub fn flow(&mut self, source: ElementId, target: ElementId, kind: FlowKind, protocol: &str, port: Option<u16>) {
        let access = (kind == FlowKind::Store).then_some(Access::Read);
        let draft = FlowDraft {
            identity: None,
            source,
            target,
            kind,
            stencil: stencil::FLOW,
            access,
            port,
            protocol,
            via: None,
            confidence: if port == Some(1) { Confidence::Possible } else { Confidence::Certain },
            implicit: false,
        };
        self.builder.flow(draft, self.evidence);
    }
}

/// A shop of a dozen services.
pub fn shop() -> Model {
    let mut s = Sketch::new();
    let internet = s.boundary("internet", "Internet", BoundaryKind::Internet, None);
    let cluster = s.boundary("cluster", "Cluster", BoundaryKind::Cluster, None);
    let control = s.boundary("control-plane", "Control plane", BoundaryKind::ControlPlane, Some(cluster));
    let node = s.boundary("node", "Node", BoundaryKind::Node, Some(cluster));
    let shop = s.boundary("Namespace/shop", "shop", BoundaryKind::Namespace, Some(cluster));
    let data = s.boundary("Namespace/shop-data", "shop-data", BoundaryKind::Namespace, Some(cluster));
    s.boundary("Namespace/empty", "empty", BoundaryKind::Namespace, Some(cluster));
    let user = s.element("external/internet", "Internet", ElementKind::External, internet);
    let pay = s.element("external/api.payments.example", "api.payments.example", ElementKind::External, internet);
    let registry = s.element("external/registry.example", "registry.example", ElementKind::External, internet);
    let api = s.element("apiserver", "API server", ElementKind::Process, control);
    let logs = s.element("hostpath//var/log", "/var/log", ElementKind::Store, node);
    let _ = registry;
    let names = [
        "frontend",
        "ad",
        "recommendationservice",
        "productcatalogservice",
        "checkoutservice",
        "cartservice",
        "shippingservice",
        "currencyservice",
        "paymentservice",
        "emailservice",
        "loadgenerator",
        "preview-deployer",
    ];
    let e: Vec<ElementId> =
        names.iter().map(|n| s.element(&format!("Deployment/shop/{n}"), n, ElementKind::Process, shop)).collect();
    let cache = s.element("StatefulSet/shop-data/redis-cart", "redis-cart", ElementKind::Process, data);
    let db = s.element("StatefulSet/shop-data/orders-db", "orders-db", ElementKind::Process, data);
    let shipper = s.element("DaemonSet/shop-data/log-shipper", "log-shipper", ElementKind::Process, data);
    let traffic = FlowKind::Traffic;
    s.flow(user, e[0], FlowKind::Exposure, "HTTPS", Some(443));
    for (a, b, port) in [
        (0, 1, 9555),
        (0, 2, 8080),
        (0, 3, 3550),
        (0, 4, 5050),
        (0, 5, 7070),
        (0, 6, 50051),
        (0, 7, 7000),
        (4, 3, 3550),
        (4, 5, 7070),
        (4, 6, 50051),
        (4, 7, 7000),
        (4, 8, 50051),
        (4, 9, 5000),
        (2, 3, 3550),
    ] {
        s.flow(e[a], e[b], traffic, "gRPC", Some(port));
    }
    s.flow(e[10], e[0], traffic, "HTTP", Some(80));
    s.flow(e[5], cache, traffic, "Redis", Some(6379));
    s.flow(e[4], db, traffic, "PostgreSQL", Some(5432));
    s.flow(e[8], pay, traffic, "HTTPS", Some(443));
    s.flow(e[11], api, FlowKind::Api, "HTTPS", None);
    s.flow(shipper, api, FlowKind::Api, "HTTPS", None);
    s.flow(shipper, logs, FlowKind::Store, "-", None);
    s.flow(db, db, traffic, "PostgreSQL", Some(5432));
    s.flow(e[9], e[1], traffic, "TCP", Some(1));
    for (owner, identity, name) in [
        (db, "Secret/shop-data/orders-db", "orders-db"),
        (db, "PersistentVolumeClaim/shop-data/data", "data-orders-db"),
        (e[8], "Secret/shop/payment-key", "payment-key"),
    ] {
        let boundary = if owner == db { data } else { shop };
        let store = s.element(identity, name, ElementKind::Store, boundary);
        s.flow(owner, store, FlowKind::Store, "-", None);
    }
    let shared = s.element("ConfigMap/shop/flags", "feature-flags", ElementKind::Store, shop);
    s.flow(e[0], shared, FlowKind::Store, "-", None);
    s.flow(e[4], shared, FlowKind::Store, "-", None);
    s.builder.finish()
}

/// A small generator of numbers: the same everywhere, for the same seed.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % limit.max(1)
    }
}

/// A random nested model of at most `most` elements. `shuffle` changes the order in which it is built, not the model.
pub fn random(seed: u64, most: usize, shuffle: bool) -> Model {
    made(seed, most, shuffle, false)
}

/// The same with another name, of the same length, for the first element.
#[allow(dead_code, reason = "each test program has its own copy of this module")]
pub fn random_renamed(seed: u64, most: usize, renamed: bool) -> Model {
    made(seed, most, false, renamed)
}

fn made(seed: u64, most: usize, shuffle: bool, renamed: bool) -> Model {
    let mut dice = Dice::new(seed);
    let mut s = Sketch::new();
    let mut boundaries = vec![
        s.boundary("internet", "Internet", BoundaryKind::Internet, None),
        s.boundary("cluster", "Cluster", BoundaryKind::Cluster, None),
    ];
    for i in 0..dice.below(7) {
        let parent = boundaries[1 + dice.below(boundaries.len() - 1)];
        let name = format!("{}-{i}", ["team", "a", "data-services-of-the-whole-company"][dice.below(3)]);
        boundaries.push(s.boundary(&format!("Namespace/{name}"), &name, BoundaryKind::Namespace, Some(parent)));
    }
    let count = dice.below(most + 1);
    let words = ["cart", "order-history-service", "x", "recommendationservice", "the_quite_long_name_of_a_workload"];
    let mut elements: Vec<(String, String, ElementKind, BoundaryId)> = (0..count)
        .map(|i| {
            let kind =
                [ElementKind::Process, ElementKind::Process, ElementKind::External, ElementKind::Store][dice.below(4)];
            let mut name = format!("{}-{i}", words[dice.below(words.len())]);
            if renamed && i == 0 {
                name = name.chars().rev().skip(2).collect::<String>() + "-0";
            }
            (format!("Thing/{name}"), name, kind, boundaries[dice.below(boundaries.len())])
        })
        .collect();
    let protocols = [("HTTP", Some(80)), ("TCP", Some(1)), ("-", None), ("PostgreSQL", Some(5432))];
    let mut flows: Vec<(String, String, usize)> = (0..if count == 0 { 0 } else { dice.below(count * 2) })
        .map(|_| {
            let (a, b) = (dice.below(count), dice.below(count));
            (elements[a].0.clone(), elements[b].0.clone(), dice.below(protocols.len()))
        })
        .collect();
    if shuffle {
        elements.reverse();
        flows.reverse();
    }
    for (identity, name, kind, boundary) in &elements {
        s.element(identity, name, *kind, *boundary);
    }
    for (a, b, protocol) in &flows {
        let (a, b) = (s.builder.find_element(a).expect("added"), s.builder.find_element(b).expect("added"));
        s.flow(a, b, FlowKind::Traffic, protocols[*protocol].0, protocols[*protocol].1);
    }
    s.builder.finish()
}
