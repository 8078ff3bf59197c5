//! Names that no other one has.

use std::collections::{BTreeMap, BTreeSet};

/// Gives out names, each once.
#[derive(Debug, Default)]
pub(crate) struct Names {
    taken: BTreeSet<String>,
    /// The number last tried for a name, so that a thousand bones of one name take no million steps.
    tried: BTreeMap<String, usize>,
}

impl Names {
    /// The name itself where it is free, else with `_2`, `_3`, … behind it.
    pub(crate) fn unique(&mut self, name: &str) -> String {
        let mut out = name.to_owned();
        let mut number = self.tried.get(name).copied().unwrap_or(1);
        while !self.taken.insert(out.clone()) {
            number += 1;
            out = format!("{name}_{number}");
        }
        if number > 1 {
            self.tried.insert(name.to_owned(), number);
        }
        out
    }
}
