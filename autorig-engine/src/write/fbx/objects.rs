//! The objects of a file and what connects them.

use super::tree::Node;

/// The root of the scene, which is no object.
pub(super) const SCENE: i64 = 0;

/// Objects and connections under construction. Ids are counted, so that the same character gives the same bytes.
#[derive(Default)]
pub(super) struct Objects {
    last: i64,
    records: Vec<Node>,
    connections: Vec<Node>,
    counts: Vec<(&'static str, i32)>,
}

impl Objects {
    /// Begins an object: its record with id, name, class and kind; [`Self::add`] ends it.
    pub(super) fn begin(&mut self, record: &'static str, name: &str, class: &str, kind: &str) -> (i64, Node) {
        self.last += 1;
        // Ids of the usual size; small ones look like indices in other programs' messages.
        let id = 1_000_000 + self.last;
        (id, Node::new(record).i64(id).object_name(name, class).text(kind))
    }

    pub(super) fn add(&mut self, record: &'static str, node: Node) {
        match self.counts.iter_mut().find(|(name, _)| *name == record) {
            Some((_, count)) => *count += 1,
            None => self.counts.push((record, 1)),
        }
        self.records.push(node);
    }

    /// The child belongs to the parent.
    pub(super) fn connect(&mut self, child: i64, parent: i64) {
        self.connections.push(Node::new("C").text("OO").i64(child).i64(parent));
    }

    /// The child drives a property of the parent.
    pub(super) fn connect_property(&mut self, child: i64, parent: i64, property: &str) {
        self.connections.push(Node::new("C").text("OP").i64(child).i64(parent).text(property));
    }

    /// An id that no object has.
    pub(super) fn document_id(&self) -> i64 {
        1_000_000
    }

    /// How many objects of each kind there are, in the order of their first ones.
    pub(super) fn counts(&self) -> Vec<(&'static str, i32)> {
        self.counts.clone()
    }

    pub(super) fn into_records(self) -> (Vec<Node>, Vec<Node>) {
        (self.records, self.connections)
    }
}
