//! Rig correction (`spec.md` §4.5): a user moves, adds or removes joints of a finished rig, and the skin and all files are
//! made again from them, as the next revision of the same task.
//!
//! The joints come from the report of the result, and go back as joints placed by hand, all of them: what the user has
//! not touched stays where it was.

use autorig_engine::{
    JointHint,
    rig::Symmetry,
    skeleton::{class::CharacterClass, markers::same_joint},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    TaskService,
    lifecycle::Event,
    model::{Task, TaskFile, TaskId},
    service::input_gone,
};
use crate::{Error, Kind, Result, store::Applied};

/// A joint of a finished rig.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct RigJoint {
    /// Its canonical name.
    pub name: String,
    /// Its parent's name.
    #[serde(default)]
    pub parent: Option<String>,
    /// Where it is, in the input's frame and unit.
    pub position: [f64; 3],
    /// How sure the engine is, 0 to 1.
    pub confidence: f32,
}

/// The skeleton of a finished rig.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskRig {
    /// Of which result.
    pub revision: u32,
    /// What the character is.
    pub class: String,
    /// The joints, parents first.
    pub joints: Vec<RigJoint>,
    /// Whether the sides are made alike.
    pub symmetry: Symmetry,
}

/// What is wrong with a skeleton.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Correction {
    /// Joints that are elsewhere: name and position in the input's frame and unit.
    pub moved: Vec<(String, [f64; 3])>,
    /// Joints that are missing; each names its parent, which may be another of these before it.
    pub added: Vec<JointHint>,
    /// Joints that there are not; their children go to their parents.
    pub removed: Vec<String>,
    /// Whether the sides are to be made alike; as before when `None`.
    pub symmetry: Option<Symmetry>,
}

/// The parts of a report that are read here.
#[derive(Deserialize)]
struct Report {
    class: String,
    joints: Vec<RigJoint>,
}

impl TaskService {
    /// The skeleton of a task's result, of the newest or of an older revision. `None` when there is no such result, or
    /// it has no skeleton.
    ///
    /// # Errors
    /// `store_unavailable`, `io_error`; `internal` when the report's bytes are gone.
    pub async fn rig(&self, task: &Task, revision: Option<u32>) -> Result<Option<TaskRig>> {
        let Some(file) = self.file(task, "report_json", revision).await? else { return Ok(None) };
        let Some(bytes) = self.report_bytes(&file).await? else { return Ok(None) };
        let Ok(Report { class, joints }) = serde_json::from_slice(&bytes) else { return Ok(None) };
        let symmetry = serde_json::from_value(task.params["symmetry"].clone()).unwrap_or_default();
        let revision = revision.unwrap_or(task.revision);
        Ok((!joints.is_empty()).then_some(TaskRig { revision, class, joints, symmetry }))
    }

    /// A file of a task, of the newest or of an older revision.
    ///
    /// # Errors
    /// `store_unavailable`.
    pub async fn file(&self, task: &Task, key: &str, revision: Option<u32>) -> Result<Option<TaskFile>> {
        match revision {
            Some(old) if old != task.revision => {
                let files = self.inner.store.old_files(task.id, old).await?;
                Ok(files.into_iter().find(|file| file.key == key))
            }
            _ => Ok(task.file(key).cloned()),
        }
    }

    /// Makes a finished rig again with its joints corrected, as the next revision of the same task; what there is stays
    /// as the one before. `None` when there is no such task.
    ///
    /// # Errors
    /// `not_corrected` when the task has no finished rig or is being corrected already; `unknown_joint`,
    /// `invalid_correction`, `structure_fixed`, `invalid_option`; `input_gone`; `store_unavailable`.
    pub async fn correct(&self, id: TaskId, correction: &Correction) -> Result<Option<Task>> {
        let Some(task) = self.get(id).await? else { return Ok(None) };
        let rig = match self.rig(&task, None).await? {
            Some(rig) if task.finished_at.is_some() => rig,
            _ => return Err(not_correctable(&task)),
        };
        if self.inner.blobs.size(&task.input.blob).await?.is_none() {
            return Err(input_gone());
        }
        let joints = corrected(&rig, correction)?;
        let mut params = task.params.clone();
        if let Value::Object(params) = &mut params {
            params.insert("joints".to_owned(), json!(joints));
            params.insert("symmetry".to_owned(), json!(correction.symmetry.unwrap_or(rig.symmetry)));
        }
        let kind = self.inner.kind(&task.kind)?;
        let params = kind.check(params)?;
        let total_count = u32::try_from(kind.deliverables(&params).len()).unwrap_or(u32::MAX);
        match self.inner.apply(id, &Event::Correct { params, total_count }).await? {
            Applied::Done(outcome) => {
                self.inner.wake.notify_one();
                self.inner.hub.queue_moved();
                Ok(Some(outcome.task))
            }
            Applied::Missing => Ok(None),
            Applied::Refused(_) => Err(not_correctable(&task)),
        }
    }
}

fn not_correctable(task: &Task) -> Error {
    Error::conflict(
        "not_corrected",
        format!("the task is `{}`, and only a finished rig can be corrected", task.status),
        "wait until it is done; a conversion has no rig to correct",
    )
}

/// Every joint as it is to be.
fn corrected(rig: &TaskRig, correction: &Correction) -> Result<Vec<JointHint>> {
    let restructured = !correction.added.is_empty() || !correction.removed.is_empty();
    if restructured && rig.class != CharacterClass::Humanoid.name() {
        return Err(Error::usage(
            "structure_fixed",
            format!("joints of a {} can be moved, but not added or removed", rig.class),
            "move the joints there are",
        ));
    }
    let hint = |joint: &RigJoint| JointHint {
        name: joint.name.clone(),
        parent: joint.parent.clone(),
        position: joint.position,
    };
    let mut joints: Vec<JointHint> = rig.joints.iter().map(hint).collect();
    for (name, position) in &correction.moved {
        let at = find(&joints, name)?;
        if let Some(joint) = joints.get_mut(at) {
            joint.position = *position;
        }
    }
    for added in &correction.added {
        if joints.iter().any(|joint| same_joint(&joint.name, &added.name)) {
            return Err(wrong(format!("there is a joint `{}` already", short(&added.name))));
        }
        let parent = added
            .parent
            .as_deref()
            .ok_or_else(|| wrong(format!("the new joint `{}` says no parent", short(&added.name))))?;
        find(&joints, parent)?;
        joints.push(added.clone());
    }
    for name in &correction.removed {
        let at = find(&joints, name)?;
        let gone = joints.remove(at);
        // Without these the engine takes no skeleton for a whole one: it would put them back.
        if gone.parent.is_none()
            || autorig_engine::WHOLE_SKELETON.iter().any(|name| same_joint(name, &gone.name))
        {
            return Err(wrong(format!("`{}` cannot be removed: every humanoid has it", gone.name)));
        }
        for joint in joints.iter_mut().filter(|joint| joint.parent.as_ref() == Some(&gone.name)) {
            joint.parent.clone_from(&gone.parent);
        }
    }
    match joints.iter().find(|joint| !joint.position.iter().all(|c| c.is_finite())) {
        Some(joint) => Err(wrong(format!("the position of `{}` is not finite", short(&joint.name)))),
        None => Ok(joints),
    }
}

fn find(joints: &[JointHint], name: &str) -> Result<usize> {
    joints.iter().position(|joint| same_joint(&joint.name, name)).ok_or_else(|| {
        let message = format!("the rig has no joint `{}`", short(name));
        Error::new(
            crate::Class::UserViolation,
            Kind::Usage,
            "unknown_joint",
            message,
            "use the names that the rig has",
        )
    })
}

fn short(name: &str) -> String {
    name.chars().take(64).collect()
}

fn wrong(message: String) -> Error {
    Error::usage("invalid_correction", message, "see /docs for what a correction may say")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rig(class: &str) -> TaskRig {
        let joint = |name: &str, parent: Option<&str>, y: f64| RigJoint {
            name: name.to_owned(),
            parent: parent.map(str::to_owned),
            position: [0.0, y, 0.0],
            confidence: 0.9,
        };
        let joints = vec![
            joint("hips", None, 1.0),
            joint("spine", Some("hips"), 1.2),
            joint("chest", Some("spine"), 1.4),
        ];
        TaskRig { revision: 1, class: class.to_owned(), joints, symmetry: Symmetry::Auto }
    }

    fn new(name: &str, parent: Option<&str>) -> JointHint {
        JointHint { name: name.to_owned(), parent: parent.map(str::to_owned), position: [0.0, 1.5, 0.0] }
    }

    fn shape(joints: &[JointHint]) -> Vec<(&str, Option<&str>, f64)> {
        joints.iter().map(|j| (j.name.as_str(), j.parent.as_deref(), j.position[1])).collect()
    }

    #[test]
    fn joints_move_come_and_go_and_the_others_stay() {
        let correction = Correction {
            moved: vec![("chest".to_owned(), [0.0, 1.45, 0.0])],
            added: vec![new("neck", Some("chest")), new("head", Some("neck"))],
            removed: vec!["spine".to_owned()],
            symmetry: None,
        };
        let joints = corrected(&rig("humanoid"), &correction).unwrap();
        assert_eq!(
            shape(&joints),
            [
                ("hips", None, 1.0),
                ("chest", Some("hips"), 1.45),
                ("neck", Some("chest"), 1.5),
                ("head", Some("neck"), 1.5)
            ]
        );
    }

    #[test]
    fn a_correction_that_makes_no_sense_is_refused_by_the_joints_name() {
        let code =
            |class: &str, correction: Correction| corrected(&rig(class), &correction).unwrap_err().code;
        let removed = |name: &str| Correction { removed: vec![name.to_owned()], ..Correction::default() };
        let added = |joint| Correction { added: vec![joint], ..Correction::default() };
        let moved = |name: &str, y| Correction {
            moved: vec![(name.to_owned(), [0.0, y, 0.0])],
            ..Correction::default()
        };
        assert_eq!(code("humanoid", moved("tail", 1.0)), "unknown_joint");
        assert_eq!(code("humanoid", moved("chest", f64::NAN)), "invalid_correction");
        assert_eq!(code("humanoid", removed("tail")), "unknown_joint");
        assert_eq!(code("humanoid", removed("hips")), "invalid_correction");
        assert_eq!(code("humanoid", added(new("spine", Some("hips")))), "invalid_correction");
        assert_eq!(code("humanoid", added(new("neck", None))), "invalid_correction");
        assert_eq!(code("humanoid", added(new("neck", Some("tail")))), "unknown_joint");
        assert_eq!(code("quadruped", removed("spine")), "structure_fixed");
        assert!(corrected(&rig("quadruped"), &moved("spine", 1.1)).is_ok());
    }
}
