//! Names that are unique and hold nothing the format uses itself.

use std::collections::BTreeMap;

/// Names in use, with the number that the next one of the same name may try.
#[derive(Default)]
pub(super) struct Names(BTreeMap<String, u32>);

impl Names {
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The name, or one made from it that nothing has yet; `default` where it is empty.
    pub(super) fn unique(&mut self, name: &str, default: &str) -> String {
        let clean: String = name.chars().filter(|c| !c.is_control()).collect();
        let base = if clean.is_empty() { default.to_owned() } else { clean };
        let mut number = self.0.get(&base).copied().unwrap_or(0);
        let mut unique = if number == 0 { base.clone() } else { format!("{base}_{number}") };
        while self.0.contains_key(&unique) {
            number += 1;
            unique = format!("{base}_{number}");
        }
        self.0.insert(base, number + 1);
        self.0.entry(unique.clone()).or_insert(1);
        unique
    }
}

/// A file name made from any text: no folders, no characters that some file system refuses.
pub(super) fn file_stem(name: &str) -> String {
    let stem = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let stem = stem.rsplit_once('.').map_or(stem, |(stem, _)| stem);
    let safe = |c: char| if c.is_alphanumeric() || matches!(c, '-' | '_' | ' ') { c } else { '_' };
    stem.chars().take(80).map(safe).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_names_are_numbered_and_never_meet_a_given_one() {
        let mut names = Names::default();
        let given = ["a", "a_1", "a", "a", "", "", "b\0\u{1}c"].map(|n| names.unique(n, "Mesh"));
        assert_eq!(given, ["a", "a_1", "a_2", "a_3", "Mesh", "Mesh_1", "bc"]);
    }

    #[test]
    fn a_file_name_keeps_its_letters_and_leaves_every_folder() {
        assert_eq!(file_stem("C:\\maps\\кожа*1.tga"), "кожа_1");
        assert_eq!(file_stem("../../x"), "x");
    }
}
