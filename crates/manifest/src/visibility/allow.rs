//! Which fields hold structure and no secrets, and which texts are harmless enough to be shown there.

/// Fields below which no value is shown at all, whatever its type.
const SENSITIVE: &[&str] = &[
    "args",
    "attributes",
    "caBundle",
    "command",
    "fieldsV1",
    "headers",
    "httpHeaders",
    "jwks",
    "options",
    "parameters",
    "volumeAttributes",
];

/// Fields that map names to contents: the names are shown, nothing below them.
const CONTENTS: &[&str] = &["annotations", "binaryData", "data", "stringData"];

/// Fields whose entries are labels.
const LABELS: &[&str] = &["labels", "matchLabels", "nodeSelector", "selector"];

/// Fields whose entries are amounts such as `500m` and `2Gi`.
const AMOUNTS: &[&str] = &["capacity", "default", "defaultRequest", "hard", "limits", "max", "min", "requests"];

/// Fields that hold structure in every known kind.
const STRUCTURE: &[&str] = &[
    "accessModes",
    "action",
    "add",
    "addressType",
    "admissionReviewVersions",
    "apiGroup",
    "apiGroups",
    "apiVersion",
    "apiVersions",
    "appProtocol",
    "cidr",
    "claimName",
    "clusterIP",
    "completions",
    "concurrencyPolicy",
    "containerPort",
    "dnsPolicy",
    "driver",
    "drop",
    "effect",
    "endPort",
    "except",
    "externalName",
    "externalTrafficPolicy",
    "failurePolicy",
    "fieldPath",
    "fsGroup",
    "gateway",
    "gateways",
    "group",
    "host",
    "hostIP",
    "hostPort",
    "hostname",
    "hostnames",
    "hosts",
    "imagePullPolicy",
    "ingressClassName",
    "internalTrafficPolicy",
    "ipBlocks",
    "key",
    "kind",
    "loadBalancerClass",
    "localhostProfile",
    "matchPolicy",
    "maxReplicas",
    "maxSkew",
    "medium",
    "method",
    "methods",
    "minReplicas",
    "mode",
    "mountPath",
    "mountPropagation",
    "name",
    "namespace",
    "namespaces",
    "nodeName",
    "nodePort",
    "notNamespaces",
    "notPorts",
    "notPrincipals",
    "number",
    "operations",
    "operator",
    "parallelism",
    "pathType",
    "paths",
    "persistentVolumeReclaimPolicy",
    "plural",
    "podManagementPolicy",
    "policyTypes",
    "port",
    "ports",
    "preemptionPolicy",
    "principals",
    "priorityClassName",
    "procMount",
    "protocol",
    "reinvocationPolicy",
    "replicas",
    "resource",
    "resourceNames",
    "resources",
    "restartPolicy",
    "runAsGroup",
    "runAsUser",
    "runtimeClassName",
    "schedule",
    "schedulerName",
    "scheme",
    "scope",
    "secretName",
    "server",
    "serviceAccount",
    "serviceAccountName",
    "serviceName",
    "sideEffects",
    "singular",
    "storageClassName",
    "subPath",
    "subdomain",
    "supplementalGroups",
    "targetPort",
    "timeoutSeconds",
    "topologyKey",
    "type",
    "verbs",
    "volumeBindingMode",
    "volumeMode",
    "volumeName",
    "whenUnsatisfiable",
    "sectionName",
];

/// Fields that hold structure only below certain others.
const STRUCTURE_BELOW: &[(&str, &[&str])] = &[
    ("exact", &["uri", "authority"]),
    ("path", &["hostPath", "httpGet", "items", "matches", "nfs", "paths", "serviceAccountToken", "service"]),
    ("prefix", &["uri", "authority"]),
    ("regex", &["uri", "authority"]),
    ("value", &["path"]),
    ("values", &["matchExpressions", "matchFields", "nodeSelectorTerms"]),
];

/// How values at a field are treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Nothing is shown, nor anything below.
    Sensitive,
    /// The keys below are shown, and nothing below them.
    Contents,
    /// Texts that could be labels are shown.
    Label,
    /// Amounts are shown.
    Amount,
    /// References to images are shown.
    Image,
    /// Harmless texts are shown.
    Structure,
    /// Booleans are shown and nothing else.
    Other,
}

/// How the values at the end of `path`, the keys from the object to the field, are treated.
pub(super) fn place(path: &[&str]) -> Place {
    let mut keys = path.iter().rev().copied();
    let Some(key) = keys.next() else { return Place::Other };
    if CONTENTS.contains(&key) {
        return Place::Contents;
    }
    let parent = keys.next().unwrap_or("");
    // `env` is a list of names with values; where it was written as a mapping, every entry is a value.
    let misplaced = parent == "env" && !matches!(key, "name" | "valueFrom");
    if SENSITIVE.contains(&key) || (key == "value" && parent != "path") || misplaced {
        return Place::Sensitive;
    }
    if LABELS.contains(&parent) {
        return Place::Label;
    }
    if AMOUNTS.contains(&parent) {
        return Place::Amount;
    }
    if key == "image" {
        return Place::Image;
    }
    let below = |fields: &[&str]| path.iter().rev().skip(1).any(|key| fields.contains(key));
    let structure = STRUCTURE.contains(&key) || STRUCTURE_BELOW.iter().any(|(k, fields)| *k == key && below(fields));
    if structure { Place::Structure } else { Place::Other }
}

/// Whether a text may be shown at such a place.
pub(super) fn is_harmless(place: Place, key: &str, text: &str) -> bool {
    match place {
        Place::Label => is_label(text),
        Place::Amount => is_amount(text),
        Place::Image => is_image(text),
        Place::Structure if key == "key" => is_name(text),
        // `*/5 * * * *` is the only structure with spaces.
        Place::Structure => {
            let allowed = |b| is_plain(b) || (b == b' ' && key == "schedule");
            text.len() <= 253 && text.bytes().all(allowed) && !has_token(text)
        }
        Place::Sensitive | Place::Contents | Place::Other => false,
    }
}

/// Whether a key can be a name of a field, an entry or a label.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= 80 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._/-".contains(&b))
}

/// Whether a text can be the name of an object; RBAC names may have colons.
pub(super) fn is_object_name(text: &str) -> bool {
    text.len() <= 253 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._:-".contains(&b))
}

/// Whether a text can be the value of a label.
pub(super) fn is_label(text: &str) -> bool {
    text.len() <= 63 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

/// A quantity of Kubernetes in its usual form: digits and a unit.
fn is_amount(text: &str) -> bool {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let units = ["", "m", "k", "K", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
    unit.len() < text.len() && text.len() <= 20 && units.contains(&unit)
}

/// Whether there is a long run of letters and digits, as in tokens that are part of a path.
fn has_token(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric()).any(|run| {
        run.len() >= 24 && run.bytes().any(|b| b.is_ascii_digit()) && run.bytes().any(|b| b.is_ascii_alphabetic())
    })
}

/// Without `@`, `?`, `=`, `&`, `%` and `#`, which is how credentials get into addresses.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._/:*,-^$()[]|+~{}\\".contains(&byte)
}

/// A reference to an image: `@` only before a digest.
fn is_image(text: &str) -> bool {
    let (name, digest) = text.split_once('@').map_or((text, None), |(name, digest)| (name, Some(digest)));
    let digest_fits = digest.is_none_or(|digest| {
        digest.split_once(':').is_some_and(|(algorithm, hex)| {
            matches!(algorithm, "sha256" | "sha384" | "sha512") && hex.bytes().all(|b| b.is_ascii_hexdigit())
        })
    });
    digest_fits && name.len() <= 400 && !name.contains("://") && name.bytes().all(is_plain)
}

/// Whether a word is the name of a field that is known here.
pub(super) fn is_field(word: &str) -> bool {
    [SENSITIVE, CONTENTS, LABELS, AMOUNTS, STRUCTURE].iter().any(|fields| fields.contains(&word))
}
