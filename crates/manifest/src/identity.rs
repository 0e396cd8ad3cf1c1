//! The parts of what an object is known by.

/// An identity as [`crate::Object::identity`] writes it: `Kind/namespace/name`, `Kind/name` or `Kind.group/…`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity<'i>(pub &'i str);

impl<'i> Identity<'i> {
    /// The kind, without its group.
    pub fn kind(self) -> &'i str {
        self.typed().0
    }

    /// The group; empty where the kind is one of Kubernetes.
    pub fn group(self) -> &'i str {
        self.typed().1
    }

    /// The name, without a namespace.
    pub fn name(self) -> &'i str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    fn typed(self) -> (&'i str, &'i str) {
        let typed = self.0.split('/').next().unwrap_or_default();
        typed.split_once('.').unwrap_or((typed, ""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_have_kind_group_and_name() {
        let table = [
            ("Service/shop/web", ("Service", "", "web")),
            ("ClusterRole/system:node", ("ClusterRole", "", "system:node")),
            ("NetworkPolicy.crd.projectcalico.org/shop/a.b", ("NetworkPolicy", "crd.projectcalico.org", "a.b")),
            ("Namespace/a.b", ("Namespace", "", "a.b")),
            ("", ("", "", "")),
        ];
        for (text, expected) in table {
            let identity = Identity(text);
            assert_eq!((identity.kind(), identity.group(), identity.name()), expected, "{text}");
        }
    }
}
