//! Names.

/// The name, with the escapes of old exporters undone: `FBXASC046` is the character 46.
pub(super) fn name(text: &str) -> String {
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
