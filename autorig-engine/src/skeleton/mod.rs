//! Joints: what they are called, where they are, how sure we are.
//!
//! | module | what |
//! | --- | --- |
//! | [`names`] | joint names of other conventions |
//! | [`predictor`] | the learned predictor |
//! | [`markers`] | joints the user has placed |
//! | `given` | a whole skeleton of the user's own |
//! | [`class`] | what a body is |
//! | [`creature`] | from a body that is not human to a skeleton |
//! | [`fit`](mod@fit) | from a body to a skeleton of its class |
//! | [`humanoid`] | from a prediction to a humanoid skeleton |
//! | [`convention`] | where riggers put knees, clavicles, neck and head |
//! | [`hand`] | fingers |
//! | [`chains`] | tails, ears, hair, capes, skirts, eyes |
//! | [`pieces`] | where the limbs of figures made of pieces turn |
//! | [`symmetry`] | joints that mirror each other |

use glam::DVec3;

pub mod chains;
pub mod class;
pub mod convention;
pub mod creature;
pub mod fit;
pub(crate) mod given;
pub mod hand;
pub mod humanoid;
pub mod markers;
pub mod names;
pub mod pieces;
pub mod predictor;
pub mod symmetry;

/// The joints of a rig, parents before children; joint 0 is the root.
#[derive(Debug, Clone, Default)]
pub struct Skeleton {
    /// The joints in order.
    pub joints: Vec<Joint>,
}

/// One joint in bind pose, in the file's own frame and unit. Joint frames are parallel to the file's axes.
#[derive(Debug, Clone)]
pub struct Joint {
    /// Canonical name: `root`, a VRM 1.0 humanoid bone in camelCase, or a name of a creature's template.
    pub name: String,
    /// Index of the parent, always smaller than its own.
    pub parent: Option<usize>,
    /// Position in the world of the input.
    pub position: DVec3,
    /// How sure the engine is, 0 to 1.
    pub confidence: f32,
}

impl Skeleton {
    /// Index of the joint with this canonical name.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.joints.iter().position(|j| j.name == name)
    }
}
