//! GUIDs and ids.

use kubestride_model::{AttributeId, Role, StencilId, Vocabulary};
use kubestride_template::filter::ExportNames;
use sha2::{Digest, Sha256};

/// A GUID that is always the same for one kind of thing with one identity.
pub(crate) fn guid(kind: &str, identity: &str) -> String {
    let digest = Sha256::digest(format!("kubestride\0{kind}\0{identity}").as_bytes());
    let mut bytes = [0u8; 16];
    bytes.iter_mut().zip(digest.iter()).for_each(|(to, from)| *to = *from);
    // Version 8 (of one's own making) and the usual variant, RFC 9562.
    bytes[6] = (bytes[6] & 0x0f) | 0x80;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or("").to_owned();
    format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
}

/// The generic stencil of the tool for what a stencil is a type of; nothing for what it does not draw.
pub(crate) fn generic(role: Role) -> Option<&'static str> {
    match role {
        Role::Process => Some("GE.P"),
        Role::External => Some("GE.EI"),
        Role::Store => Some("GE.DS"),
        Role::Flow => Some("GE.DF"),
        Role::Boundary => Some("GE.TB.B"),
        Role::Container | Role::Control | Role::Name => None,
    }
}

/// The names of our stencils and attributes in our template.
pub(crate) struct Ours<'m>(pub(crate) &'m Vocabulary);

impl ExportNames for Ours<'_> {
    fn stencil(&self, id: StencilId) -> String {
        let Some(stencil) = self.0.stencil(id) else { return String::new() };
        // The stencils that all others of their kind inherit from are the tool's own.
        if stencil.parent.is_none()
            && let Some(generic) = generic(stencil.role)
        {
            return generic.to_owned();
        }
        format!("KS.{}", stencil.name.replace(' ', ""))
    }

    fn attribute(&self, id: AttributeId) -> String {
        self.0.attribute(id).map_or_else(String::new, |a| a.name.to_string())
    }
}
