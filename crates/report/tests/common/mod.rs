//! A small application, made by hand: exposed, partly encrypted, with a privileged container and a name that is an
//! attack on whoever prints it.

#![allow(dead_code, reason = "each test file uses a part")]

use kubestride_analysis::{Analysis, analyse};
use kubestride_model::{
    Access, BoundaryKind, Builder, Confidence, ElementKind, Evidence, FlowDraft, FlowKind, Model, Origin, SubjectRef,
};
use kubestride_report::{Input, Report};
use kubestride_source::{Diagnostic, FileId, FileOrigin, SourceMap, Span};
use kubestride_stencils::values::{Encryption, YesNo};
use kubestride_stencils::{attributes, stencil, vocabulary};
use kubestride_template::{ThreatType, filter::Lists};

/// A name that tries everything.
pub(crate) const HOSTILE: &str =
    "=cmd|'x'!A1\",</script><img src=x onerror=alert(1)>[x](https://evil.example) @team `*_\n# h";

const TEXT: &str = "kind: Deployment # web: privileged
kind: StatefulSet # db
kind: Deployment # cache
kind: Secret # ü login
url: postgres://db
url: redis://cache
";

/// What a report is made from.
#[derive(Debug)]
pub(crate) struct Fixture {
    sources: SourceMap,
    model: Model,
    types: Vec<ThreatType>,
    analysis: Analysis,
    diagnostics: Vec<Diagnostic>,
    inputs: Vec<Input>,
}

fn evidence(builder: &mut Builder, file: FileId, what: &str) -> Evidence {
    let start = TEXT.find(what).expect("the text holds it") as u32;
    builder.evidence(Origin::Stated, Some(Span::new(file, start, start + what.len() as u32)), what)
}

impl Fixture {
    /// Builds the model and analyses it with the built-in threat types.
    pub(crate) fn new() -> Self {
        let mut sources = SourceMap::new();
        let file = sources.add("deploy/my shop.yaml", TEXT, FileOrigin::Stated);
        let model = model(file);
        let types = kubestride_catalogue::threats(model.vocabulary());
        let analysis = analyse(&model, &types, &Lists::default());
        let broken = Diagnostic::error("syntax", "the document is not read: @team").at(Span::new(file, 0, 4));
        let diagnostics =
            vec![broken.with_help("close the quote"), Diagnostic::note("passed-over", "1 file passed over")];
        let inputs =
            vec![Input { name: "deploy".into(), kind: "directory".into(), files: 1, documents: 5, objects: 4 }];
        Self { sources, model, types, analysis, diagnostics, inputs }
    }

    /// The report about it.
    pub(crate) fn report(&self) -> Report<'_> {
        Report {
            version: "1.2.3",
            scope: "application",
            date: "2026-01-31",
            inputs: &self.inputs,
            sources: &self.sources,
            model: &self.model,
            types: &self.types,
            analysis: &self.analysis,
            diagnostics: &self.diagnostics,
            focus: None,
            about: &[],
            drawn: &[],
        }
    }

    /// What a format writes.
    pub(crate) fn write(&self, format: &str) -> String {
        let format = kubestride_report::by_name(format).expect("the format is known");
        let mut out = Vec::new();
        format.write(&self.report(), &mut out).expect("writing to memory");
        String::from_utf8(out).expect("formats are UTF-8")
    }
}

fn model(file: FileId) -> Model {
    let mut b = Builder::new(vocabulary());
    let nothing = b.evidence(Origin::Merged, None, "outside");
    let internet =
        b.boundary("internet", "Internet", BoundaryKind::Internet, stencil::INTERNET_BOUNDARY, None, nothing);
    let cluster = b.boundary("cluster", "Cluster", BoundaryKind::Cluster, stencil::CLUSTER_BOUNDARY, None, nothing);
    let kind = BoundaryKind::Namespace;
    let shop = b.boundary("Namespace/shop", "shop", kind, stencil::NAMESPACE_BOUNDARY, Some(cluster), nothing);

    let at_web = evidence(&mut b, file, "kind: Deployment # web");
    let at_db = evidence(&mut b, file, "kind: StatefulSet # db");
    let at_cache = evidence(&mut b, file, "kind: Deployment # cache");
    let at_secret = evidence(&mut b, file, "# ü login");
    let outside =
        b.element("external/internet", "Internet", ElementKind::External, stencil::INTERNET, internet, nothing);
    let process = ElementKind::Process;
    let web = b.element("Deployment/shop/web", "web", process, stencil::DEPLOYMENT, shop, at_web);
    let db = b.element("StatefulSet/shop/db", "db", process, stencil::STATEFUL_SET, shop, at_db);
    let cache = b.element("Deployment/shop/cache", HOSTILE, process, stencil::DEPLOYMENT, shop, at_cache);
    let secret = b.element("Secret/shop/login", "login", ElementKind::Store, stencil::SECRET, shop, at_secret);

    let privileged = evidence(&mut b, file, "privileged");
    for (workload, name) in [(web, "server"), (cache, HOSTILE)] {
        let container = SubjectRef::Container(b.container(workload, name, stencil::CONTAINER, at_web));
        b.set(container, attributes::PRIVILEGED.id, attributes::PRIVILEGED.value(YesNo::Yes), privileged);
    }
    let draft = |source, target, kind, stencil| FlowDraft {
        identity: None,
        source,
        target,
        kind,
        stencil,
        access: None,
        port: None,
        protocol: "-",
        via: None,
        confidence: Confidence::Likely,
        implicit: false,
    };
    let plain = attributes::ENCRYPTION.value(Encryption::Plain);
    let traffic = |target| draft(web, target, FlowKind::Traffic, stencil::TRAFFIC);
    for (target, port, what) in
        [(db, 5432, "postgres://db"), (db, 5433, "postgres://db"), (cache, 6379, "redis://cache")]
    {
        let said = evidence(&mut b, file, what);
        let via = Some("Service/shop/db").filter(|_| target == db);
        let flow = b.flow(FlowDraft { port: Some(port), protocol: "TCP", via, ..traffic(target) }, said);
        b.set(SubjectRef::Flow(flow), attributes::ENCRYPTION.id, plain, said);
        if target == cache {
            let by_mesh = attributes::ENCRYPTION.value(Encryption::Mesh);
            b.set(SubjectRef::Flow(flow), attributes::ENCRYPTION.id, by_mesh, at_cache);
        }
    }
    b.flow(draft(outside, web, FlowKind::Exposure, stencil::EXPOSURE), at_web);
    let reads = draft(web, secret, FlowKind::Store, stencil::STORE_ACCESS);
    b.flow(FlowDraft { access: Some(Access::Read), confidence: Confidence::Certain, ..reads }, at_web);
    b.flow(FlowDraft { implicit: true, ..draft(web, outside, FlowKind::Supply, stencil::SUPPLY) }, at_web);

    b.name("Service/shop/db", "db", stencil::SERVICE, shop, vec![db], at_db);
    b.control("NetworkPolicy/shop/deny", "deny", stencil::NETWORK_POLICY, shop, vec![web, db], at_web);
    b.finish()
}
