//! Names.

use crate::scene::Scene;

/// Undoes the escapes of old exporters in every name of a scene.
pub(super) fn unescape(scene: &mut Scene) {
    let meshes = scene.meshes.iter_mut().flat_map(|m| std::iter::once(&mut m.name).chain(&mut m.morph_names));
    let names = meshes
        .chain(scene.nodes.iter_mut().map(|n| &mut n.name))
        .chain(scene.materials.iter_mut().map(|m| &mut m.name))
        .chain(scene.clips.iter_mut().map(|c| &mut c.name));
    for text in names {
        *text = name(text);
    }
}

/// The name, with the escapes of old exporters undone: `FBXASC046` is the character 46.
fn name(text: &str) -> String {
    const ESCAPE: &str = "FBXASC";
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(ESCAPE) {
        out.push_str(before);
        let code = after.get(..3).and_then(|digits| digits.parse::<u8>().ok());
        match code.filter(|c| (b' '..0x7F).contains(c)) {
            Some(code) => {
                out.push(char::from(code));
                rest = after.get(3..).unwrap_or_default();
            }
            None => {
                out.push_str(ESCAPE);
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn escapes_of_old_exporters_become_the_characters_they_stand_for() {
        assert_eq!(name("armFBXASC046L"), "arm.L");
        assert_eq!(name("FBXASC032aFBXASC0b"), " aFBXASC0b");
        assert_eq!(name("mixamorig:Hips"), "mixamorig:Hips");
    }
}
