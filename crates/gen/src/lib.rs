//! Clusters of any size for benchmarks: applications of twelve workloads, each in a namespace of its own, wired as
//! densely as Google's Online Boutique is, with Services, accounts, roles, policies, routes and configuration.
//!
//! The same size and seed give the same bytes. Images and hosts are made up.

use std::io::{self, Write};

/// Workloads of one application.
pub const WORKLOADS: usize = 12;

/// What to generate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Whole applications are written until there are at least so many objects.
    pub objects: usize,
    /// Another seed gives other applications.
    pub seed: u64,
}

/// What the parts of an application are called; the last one is its store.
const ROLES: [&str; WORKLOADS] = [
    "web", "catalog", "basket", "checkout", "payment", "shipping", "email", "prices", "search", "offers", "traffic",
    "store",
];

/// Deterministic numbers: SplitMix64, <https://prng.di.unimi.it/splitmix64.c>.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }
}

/// Counts objects as they are written.
struct Objects<W> {
    out: W,
    count: usize,
}

impl<W: Write> Objects<W> {
    fn put(&mut self, object: &str) -> io::Result<()> {
        self.count += 1;
        writeln!(self.out, "---\n{}", object.trim())
    }
}

/// Writes manifests; says how many objects they hold.
///
/// # Errors
/// What writing to `out` says.
pub fn write(size: Size, out: impl Write) -> io::Result<usize> {
    let mut objects = Objects { out, count: 0 };
    let mut dice = Dice(size.seed);
    let mut number = 0;
    while objects.count < size.objects {
        application(&mut objects, &mut dice, number)?;
        number += 1;
    }
    Ok(objects.count)
}

fn application(objects: &mut Objects<impl Write>, dice: &mut Dice, number: usize) -> io::Result<()> {
    let namespace = format!("app-{number}");
    let team = dice.below(40);
    objects.put(&format!(
        "apiVersion: v1\nkind: Namespace\nmetadata: {{name: {namespace}, labels: {{team: team-{team}}}}}"
    ))?;
    for (index, role) in ROLES.iter().enumerate() {
        let called = calls(dice, index);
        workload(objects, &namespace, role, port(number, index), &called, number)?;
    }
    configuration(objects, &namespace, number)?;
    way_in(objects, &namespace, number)?;
    policy(objects, &namespace)?;
    rights(objects, &namespace)
}

/// The port of a workload, other ones in each application.
fn port(application: usize, index: usize) -> usize {
    3000 + (application * 17 + index * 101) % 2000
}

fn port_of(application: usize, role: &str) -> usize {
    port(application, ROLES.iter().position(|r| *r == role).unwrap_or(0))
}

/// Whom a workload calls: each only later ones, so that there are no circles. As many as in Online Boutique: seven from
/// the first, six from the one that checks out, one from most others that call at all.
fn calls(dice: &mut Dice, index: usize) -> Vec<&'static str> {
    let count = match ROLES.get(index) {
        Some(&"web") => 6 + dice.below(3),
        Some(&"checkout") => 5 + dice.below(3),
        Some(&"traffic") => return vec!["web"],
        Some(&"basket") => return Vec::new(),
        _ => u64::from(dice.below(8) == 0),
    };
    // The store is called by its one client, and nobody calls who makes the traffic.
    let mut later: Vec<&str> = ROLES.iter().skip(index + 1).take_while(|r| **r != "traffic").copied().collect();
    let mut chosen = Vec::new();
    for _ in 0..count {
        if later.is_empty() {
            // Who checks out calls earlier ones too.
            later.extend(["catalog", "basket"].into_iter().filter(|r| index > 2 && !chosen.contains(r)));
        }
        if !later.is_empty() {
            let at = dice.below(later.len() as u64) as usize;
            chosen.push(later.swap_remove(at));
        }
    }
    chosen
}

fn workload(
    objects: &mut Objects<impl Write>,
    namespace: &str,
    role: &str,
    port: usize,
    called: &[&str],
    application: usize,
) -> io::Result<()> {
    let env: String = called
        .iter()
        .map(|name| {
            let key = name.to_uppercase();
            let at = port_of(application, name);
            format!("\n        - {{name: {key}_SERVICE_ADDR, value: \"{name}:{at}\"}}")
        })
        .collect();
    let files = match role {
        // One that finds its store in a file, as many do.
        "basket" => {
            "\n        volumeMounts: [{name: config, mountPath: /etc/basket}]\n      \
             volumes: [{name: config, configMap: {name: basket}}]"
        }
        _ => "",
    };
    let image = if role == "store" { "redis".to_owned() } else { format!("registry.example.com/shop/{role}") };
    objects.put(&format!(
        "
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {role}, namespace: {namespace}, labels: {{app: {role}}}}}
spec:
  selector: {{matchLabels: {{app: {role}}}}}
  template:
    metadata: {{labels: {{app: {role}}}}}
    spec:
      serviceAccountName: {role}
      securityContext: {{fsGroup: 1000, runAsGroup: 1000, runAsNonRoot: true, runAsUser: 1000}}
      containers:
      - name: server
        image: {image}:1.{port}.0
        securityContext:
          allowPrivilegeEscalation: false
          capabilities: {{drop: [ALL]}}
          privileged: false
          readOnlyRootFilesystem: true
        ports: [{{containerPort: {port}}}]
        readinessProbe: {{httpGet: {{path: /healthz, port: {port}}}}}
        resources: {{requests: {{cpu: 100m, memory: 64Mi}}, limits: {{cpu: 200m, memory: 128Mi}}}}
        env:
        - {{name: PORT, value: \"{port}\"}}{env}{files}"
    ))?;
    objects.put(&format!(
        "apiVersion: v1\nkind: Service\nmetadata: {{name: {role}, namespace: {namespace}}}\n\
         spec: {{selector: {{app: {role}}}, ports: [{{name: grpc, port: {port}}}]}}"
    ))?;
    objects.put(&format!("apiVersion: v1\nkind: ServiceAccount\nmetadata: {{name: {role}, namespace: {namespace}}}"))
}

fn configuration(objects: &mut Objects<impl Write>, namespace: &str, number: usize) -> io::Result<()> {
    let port = port_of(number, "store");
    objects.put(&format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: basket, namespace: {namespace}}}\n\
         data:\n  basket.properties: |\n    store.address=store.{namespace}.svc.cluster.local:{port}\n    cache.seconds=60"
    ))
}

fn way_in(objects: &mut Objects<impl Write>, namespace: &str, number: usize) -> io::Result<()> {
    let port = port_of(number, "web");
    objects.put(&format!(
        "
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: web, namespace: {namespace}}}
spec:
  tls: [{{hosts: [shop-{number}.example.com], secretName: web-tls}}]
  rules:
  - host: shop-{number}.example.com
    http: {{paths: [{{path: /, pathType: Prefix, backend: {{service: {{name: web, port: {{number: {port}}}}}}}}}]}}"
    ))
}

/// One policy for the store.
fn policy(objects: &mut Objects<impl Write>, namespace: &str) -> io::Result<()> {
    objects.put(&format!(
        "
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: store, namespace: {namespace}}}
spec:
  podSelector: {{matchLabels: {{app: store}}}}
  policyTypes: [Ingress]
  ingress: [{{from: [{{podSelector: {{matchLabels: {{app: basket}}}}}}]}}]"
    ))
}

/// One workload that reads objects of its namespace.
fn rights(objects: &mut Objects<impl Write>, namespace: &str) -> io::Result<()> {
    objects.put(&format!(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {{name: read, namespace: {namespace}}}\n\
         rules: [{{apiGroups: [\"\"], resources: [endpoints], verbs: [get, list, watch]}}]"
    ))?;
    objects.put(&format!(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {{name: read, namespace: {namespace}}}\n\
         roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: read}}\n\
         subjects: [{{kind: ServiceAccount, name: search, namespace: {namespace}}}]"
    ))
}

#[cfg(test)]
mod tests {
    use super::{Size, write};

    fn text(objects: usize, seed: u64) -> String {
        let mut out = Vec::new();
        let count = write(Size { objects, seed }, &mut out).expect("written");
        let text = String::from_utf8(out).expect("text");
        assert_eq!(text.matches("\nkind: ").count(), count);
        assert!((objects..objects + 60).contains(&count), "{count}");
        text
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes() {
        assert_eq!(text(100, 7), text(100, 7));
        assert_ne!(text(100, 7), text(100, 8));
        assert!(text(1000, 7).starts_with(&text(100, 7)), "a larger cluster begins like a smaller one");
    }
}
