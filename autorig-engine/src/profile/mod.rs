//! What other programs want a character to be like, as data: names, axes, unit, extra bones, rest pose.
//!
//! A profile is a file in `assets/profiles`. [`apply`] makes of any character one in the profile's own space, which the
//! writer of its format then writes as it is. The geometry stays: a turn of a canonical joint about an axis of the world
//! takes every vertex where it took it before. Where joints merge, so do their weights; where a bone is cut into several,
//! its weights are shared out along it.
//!
//! | module | what |
//! | --- | --- |
//! | [`check`] | the rules of Unity's and Unreal's automatic mapping |
//! | `data` | the profile's file |
//! | `work` | a character whose bones are being changed |
//! | `stand` | the T-pose |
//! | `space` | axes and unit |
//! | `bones` | root, merged bones, cut bones, extra bones |
//! | `axes` | the directions of the bones' own axes |
//! | `finish` | names, weights, clips, order |
//! | `followers` | vertices for necessary bones that none follows |

use crate::{Character, Code, Error, Result};

mod axes;
mod bones;
pub mod check;
mod data;
mod finish;
mod followers;
mod space;
mod stand;
mod work;

pub use data::{
    Axes, Chain, ChainBone, Extra, Format, Leaf, Metacarpal, Naming, Profile, Rest, Space, Twist, Up,
};

use work::Work;

impl Profile {
    /// A profile by its name: `glb`, `unity`, `unreal`, `mixamo`, `vrm`, `blender`, `godot`, `roblox` or `maya`.
    ///
    /// # Errors
    /// `invalid_option` for any other name.
    pub fn named(name: &str) -> Result<&'static Self> {
        Self::all().iter().find(|p| p.name == name).ok_or_else(|| {
            let known: Vec<&str> = Self::all().iter().map(|p| p.name.as_str()).collect();
            let name: String = name.chars().take(40).collect();
            Error::new(Code::InvalidOption, format!("there is no export profile \"{name}\""))
                .with_remedy(format!("choose one of {}", known.join(", ")))
        })
    }
}

/// The character with a profile's names for its bones, and nothing else changed. Bones that the profile has no name for keep
/// their own.
#[must_use]
pub fn named(character: &Character, profile: &Profile) -> Character {
    let mut work = Work::new(character);
    finish::names(&mut work, profile);
    let mut named = character.clone();
    for (bone, name) in named.bones.iter_mut().zip(work.called) {
        bone.name = name.unwrap_or_else(|| std::mem::take(&mut bone.name));
    }
    finish::rename_meshes(&mut named.scene, &named.bones);
    named
}

/// The character as a profile wants it, in the profile's space.
///
/// Without a humanoid's bones only names, axes and unit apply.
///
/// # Errors
/// `needs_humanoid` for a profile that is made of a humanoid's bones, where the character has none.
pub fn apply(character: &Character, profile: &Profile) -> Result<Character> {
    let humanoid = character.is_humanoid();
    if profile.humanoid && !humanoid {
        return Err(Error::new(
            Code::NeedsHumanoid,
            format!("the {} profile needs a humanoid, which this character is not", profile.name),
        ));
    }
    let mut work = Work::new(character);
    if humanoid && profile.rest_pose == Rest::TPose {
        stand::t_pose(&mut work);
    }
    if let Some(space) = &profile.space {
        space::enter(&mut work, space);
    }
    if work.bones.is_empty() {
        return Ok(work.into_still());
    }
    if humanoid {
        bones::root(&mut work, profile);
        bones::merge(&mut work, profile);
        bones::chains(&mut work, profile);
        bones::metacarpals(&mut work, profile);
        bones::twists(&mut work, profile);
        bones::leaves(&mut work, profile);
    }
    axes::turn(&mut work, profile.axes);
    if humanoid {
        bones::extras(&mut work, profile);
    }
    finish::names(&mut work, profile);
    Ok(finish::finish(work, profile))
}
