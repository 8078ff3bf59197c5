//! The skeleton of a finished rig, and its correction.

use autorig_core::task::{Correction, JointHint as CoreHint, TaskRig};
use poem_openapi::{
    Object, OpenApi,
    param::{Path, Query},
    payload::Json,
};

use super::{
    Ctx, Group,
    schema::{JointHint, Symmetry},
    task_id,
    wire::TaskView,
};
use crate::{json_body::JsonBody, problem::Problem};

pub(crate) struct RigApi;

/// A joint of a finished rig.
#[derive(Debug, Clone, PartialEq, Object)]
#[oai(rename = "RigJoint")]
pub(crate) struct JointView {
    /// Its canonical name.
    pub name: String,
    /// Its parent's name; null for the first.
    pub parent: Option<String>,
    /// Where it is: x, y and z in the input's frame and unit.
    pub position: Vec<f64>,
    /// How sure the engine is, 0 to 1.
    pub confidence: f32,
}

/// The skeleton of a finished rig.
#[derive(Debug, Clone, PartialEq, Object)]
#[oai(rename = "Rig")]
pub(crate) struct RigView {
    /// Of which result: 1, and one more after each correction.
    pub revision: u32,
    /// What the character is, `humanoid`.
    pub class: String,
    /// The joints, parents first.
    pub joints: Vec<JointView>,
    /// Whether the sides are made alike.
    pub symmetry: Symmetry,
}

impl From<TaskRig> for RigView {
    fn from(rig: TaskRig) -> Self {
        let joints = rig.joints.into_iter().map(|joint| JointView {
            name: joint.name,
            parent: joint.parent,
            position: joint.position.to_vec(),
            confidence: joint.confidence,
        });
        Self {
            revision: rig.revision,
            class: rig.class,
            joints: joints.collect(),
            symmetry: rig.symmetry.into(),
        }
    }
}

/// A joint that is elsewhere.
#[derive(Debug, Clone, PartialEq, Object)]
pub(crate) struct MovedJoint {
    /// Its name.
    pub name: String,
    /// Where it is: x, y and z in the input's frame and unit.
    #[oai(validator(min_items = 3, max_items = 3))]
    pub position: Vec<f64>,
}

/// What is wrong with a skeleton. All that is not named stays where it is.
#[derive(Debug, Clone, PartialEq, Object)]
#[oai(deny_unknown_fields, skip_serializing_if_is_none)]
pub(crate) struct RigCorrection {
    /// Joints that are elsewhere.
    #[oai(default, validator(max_items = 512))]
    pub moved: Vec<MovedJoint>,
    /// Joints that are missing; each names its parent, which may be another of these before it. Humanoids only.
    #[oai(default, validator(max_items = 512))]
    pub added: Vec<JointHint>,
    /// Names of joints that there are not; their children go to their parents. Humanoids only.
    #[oai(default, validator(max_items = 512))]
    pub removed: Vec<String>,
    /// Whether the sides are to be made alike; as before when left out.
    pub symmetry: Option<Symmetry>,
}

#[OpenApi(tag = "Group::Tasks")]
impl RigApi {
    /// Look at a rig's joints
    #[oai(path = "/api/task/:id/rig", method = "get", operation_id = "get_rig")]
    async fn get(
        &self,
        state: Ctx<'_>,
        /// The task's id.
        id: Path<String>,
        /// Of this result instead of the newest.
        revision: Query<Option<u32>>,
    ) -> Result<Json<RigView>, Problem> {
        let task = state.task(task_id(&id)?).await?;
        let rig = state.tasks.rig(&task, revision.0).await?;
        Ok(Json(rig.ok_or_else(|| Problem::no_such_file("report_json"))?.into()))
    }

    /// Correct a rig
    ///
    /// The skin and all files are made again from the joints as they are now, as the next revision of the same task: it
    /// waits for a worker, is processed and is done again. The files of the revision before stay, `?revision=1`.
    #[oai(path = "/api/task/:id/rig", method = "put", operation_id = "correct_rig")]
    async fn correct(
        &self,
        state: Ctx<'_>,
        /// The task's id.
        id: Path<String>,
        correction: JsonBody<RigCorrection>,
    ) -> Result<Json<TaskView>, Problem> {
        let id = task_id(&id)?;
        let RigCorrection { moved, added, removed, symmetry } = correction.0;
        let correction = Correction {
            moved: moved
                .into_iter()
                .map(|joint| Ok((joint.name, triple(&joint.position)?)))
                .collect::<Result<_, Problem>>()?,
            added: added
                .into_iter()
                .map(|joint| {
                    let position = triple(&joint.position)?;
                    Ok(CoreHint { name: joint.name, parent: joint.parent, position })
                })
                .collect::<Result<_, Problem>>()?,
            removed,
            symmetry: symmetry.map(Into::into),
        };
        let task = state.tasks.correct(id, &correction).await?;
        let task = task.ok_or_else(|| Problem::no_such_task(&id.to_string()))?;
        tracing::info!(revision = task.revision, "rig corrected");
        Ok(Json(state.view(&task).await?.0))
    }
}

fn triple(position: &[f64]) -> Result<[f64; 3], Problem> {
    position.try_into().map_err(|_| Problem::bad_option("position", "a position has three numbers"))
}
