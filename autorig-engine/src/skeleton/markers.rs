//! Markers: joints the user has placed, which the engine keeps exactly.

use glam::{DMat3, DVec3};

use super::names::canonical;
use crate::{Code, Error, Result};

/// A joint the user has placed; the name in any known convention.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct JointHint {
    /// Its name.
    pub name: String,
    /// Its parent's name; informative.
    #[serde(default)]
    pub parent: Option<String>,
    /// Position in the input's frame and unit.
    pub position: [f64; 3],
}

/// Hints by canonical name, in the file's frame.
pub(super) fn resolve(hints: &[JointHint]) -> Result<Vec<(&'static str, DVec3)>> {
    let mut known: Vec<(&'static str, DVec3)> = Vec::with_capacity(hints.len());
    for hint in hints {
        let name = canonical(&hint.name).ok_or_else(|| {
            Error::new(Code::InvalidOption, format!("joint '{}' is in no convention we know", hint.name))
                .with_remedy(
                    "use VRM 1.0 names such as leftLowerArm, or those of Mixamo, Unity, Unreal or Rigify",
                )
        })?;
        if known.iter().any(|(n, _)| *n == name) {
            return Err(Error::new(Code::InvalidOption, format!("joint '{name}' is given twice"))
                .with_remedy("give each joint once"));
        }
        let position = DVec3::from(hint.position);
        if !position.is_finite() {
            return Err(Error::new(
                Code::InvalidOption,
                format!("the position of joint '{name}' is not a number"),
            )
            .with_remedy("give three finite coordinates in the input's own unit"));
        }
        known.push((name, position));
    }
    Ok(known)
}

/// The file's orientation as the user's joints tell it: up from hips to head, left from the right hip or shoulder to the
/// left. `None` when they do not tell both.
///
/// # Errors
/// `invalid_option` for a joint whose name is unknown or given twice.
pub fn orientation_of(hints: &[JointHint]) -> Result<Option<DMat3>> {
    let known = resolve(hints)?;
    let at = |name: &str| known.iter().find(|(n, _)| *n == name).map(|(_, p)| *p);
    let up =
        ["head", "neck", "upperChest"].into_iter().find_map(at).zip(at("hips")).map(|(top, hips)| top - hips);
    let left = ["UpperLeg", "UpperArm", "Shoulder", "LowerLeg"]
        .into_iter()
        .find_map(|n| at(&format!("left{n}")).zip(at(&format!("right{n}"))))
        .map(|(l, r)| l - r);
    let (Some(up), Some(left)) = (up, left) else { return Ok(None) };
    let turns = crate::analyse::orientation::cube_rotations();
    let score = |t: &DMat3| t.row(1).dot(up.normalize_or_zero()) + t.row(0).dot(left.normalize_or_zero());
    Ok(turns.into_iter().fold(None, |best: Option<DMat3>, t| match best {
        Some(b) if score(&b) >= score(&t) => best,
        _ => Some(t),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint(name: &str, position: [f64; 3]) -> JointHint {
        JointHint { name: name.to_owned(), parent: None, position }
    }

    #[test]
    fn joints_in_foreign_names_tell_the_orientation() {
        // Z up, facing −Y: the character's left is +X.
        let hints = [
            hint("mixamorig:Hips", [0.0, 0.0, 1.0]),
            hint("mixamorig:Head", [0.0, 0.05, 1.7]),
            hint("mixamorig:LeftUpLeg", [0.1, 0.0, 0.9]),
            hint("mixamorig:RightUpLeg", [-0.1, 0.0, 0.9]),
        ];
        let rotation = orientation_of(&hints).unwrap().unwrap();
        assert_eq!(rotation.row(1), DVec3::Z);
        assert_eq!(rotation.row(0), DVec3::X);
        assert_eq!(rotation.row(2), DVec3::NEG_Y);
    }

    #[test]
    fn an_unknown_or_repeated_joint_is_refused_by_name() {
        let error = resolve(&[hint("banana", [0.0; 3])]).unwrap_err();
        assert!(error.code == Code::InvalidOption && error.message.contains("banana"));
        let error = resolve(&[hint("head", [0.0; 3]), hint("Head", [0.0; 3])]).unwrap_err();
        assert!(error.message.contains("twice"));
        assert!(resolve(&[hint("head", [f64::NAN; 3])]).is_err());
    }
}
