//! Which published lists a threat belongs to.

/// A published list of threats, weaknesses or checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// Microsoft's Threat Matrix for Kubernetes.
    ThreatMatrix,
    /// MITRE ATT&CK Enterprise, v19.
    Attack,
    /// OWASP Kubernetes Top Ten 2025.
    OwaspK8s2025,
    /// Pod Security Standards: the level that forbids it.
    Pss,
    /// CIS Kubernetes Benchmark 1.12.
    Cis112,
    /// NSA/CISA Kubernetes Hardening Guide 1.2, by chapter.
    Nsa,
}

impl Scheme {
    /// All schemes in the order of outputs.
    pub const ALL: [Scheme; 6] =
        [Scheme::ThreatMatrix, Scheme::Attack, Scheme::OwaspK8s2025, Scheme::Pss, Scheme::Cis112, Scheme::Nsa];

    /// The key in front matter and JSON.
    pub fn key(self) -> &'static str {
        match self {
            Scheme::ThreatMatrix => "threat-matrix",
            Scheme::Attack => "attack",
            Scheme::OwaspK8s2025 => "owasp-k8s-2025",
            Scheme::Pss => "pss",
            Scheme::Cis112 => "cis-1.12",
            Scheme::Nsa => "nsa",
        }
    }

    /// The name for people.
    pub fn title(self) -> &'static str {
        match self {
            Scheme::ThreatMatrix => "Threat Matrix for Kubernetes",
            Scheme::Attack => "MITRE ATT&CK",
            Scheme::OwaspK8s2025 => "OWASP Kubernetes Top Ten 2025",
            Scheme::Pss => "Pod Security Standards",
            Scheme::Cis112 => "CIS Kubernetes Benchmark 1.12",
            Scheme::Nsa => "NSA/CISA Hardening Guide",
        }
    }

    /// Where an id is described, if it has an address of its own.
    pub fn url(self, id: &str) -> Option<String> {
        match self {
            Scheme::Attack => Some(format!("https://attack.mitre.org/techniques/{}/", id.replace('.', "/"))),
            Scheme::ThreatMatrix => Some("https://microsoft.github.io/Threat-Matrix-for-Kubernetes/".to_owned()),
            Scheme::OwaspK8s2025 => Some("https://owasp.org/www-project-kubernetes-top-ten/".to_owned()),
            Scheme::Pss => Some("https://kubernetes.io/docs/concepts/security/pod-security-standards/".to_owned()),
            Scheme::Cis112 | Scheme::Nsa => None,
        }
    }
}

/// The entries of one list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// The list.
    pub scheme: Scheme,
    /// Its ids.
    pub ids: Vec<String>,
}
