//! Which flows leave and reach each element, as offsets and targets.

use crate::{ElementId, FlowId};

/// Flows by element. Look-ups cost nothing; building costs one pass over the flows.
#[derive(Debug, Clone, Default)]
pub struct Adjacency {
    offsets: Vec<u32>,
    flows: Vec<FlowId>,
}

impl Adjacency {
    /// The flows of each of `elements` elements, where `end` says to which element a flow belongs.
    pub(crate) fn new(elements: usize, ends: impl Iterator<Item = ElementId> + Clone) -> Self {
        let mut offsets = vec![0u32; elements + 1];
        for end in ends.clone() {
            if let Some(count) = offsets.get_mut(end.index() + 1) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for offset in &mut offsets {
            sum += *offset;
            *offset = sum;
        }
        let mut next = offsets.clone();
        let mut flows = vec![FlowId(0); sum as usize];
        for (flow, end) in ends.enumerate() {
            if let Some(slot) = next.get_mut(end.index()) {
                if let Some(entry) = flows.get_mut(*slot as usize) {
                    *entry = FlowId(flow as u32);
                }
                *slot += 1;
            }
        }
        Self { offsets, flows }
    }

    /// The flows of one element, in order of their ids.
    pub fn of(&self, element: ElementId) -> &[FlowId] {
        let start = self.offsets.get(element.index()).copied().unwrap_or(0) as usize;
        let end = self.offsets.get(element.index() + 1).copied().unwrap_or(0) as usize;
        self.flows.get(start..end).unwrap_or(&[])
    }
}
