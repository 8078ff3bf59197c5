//! Rigging one character again and again while a user moves its joints.
//!
//! What depends on the mesh alone (the body, the predicted joints, the part of the skin that no joint enters) is found
//! once and kept; a moved joint re-runs the rest. The result is that of a fresh rig with the same joints, to the byte.

use glam::DMat3;

use crate::{
    Code, Error, Progress, Result, Stage,
    analyse::{Body, analyse},
    existing::{Existing, ExistingReport},
    pose::rest,
    quality::{Known, assess},
    report,
    rig::{Class, ExistingRig, Fingers, Options, RestPose, Rig},
    scene::Scene,
    skeleton::{
        class::CharacterClass,
        fit::{Fit, Stance, fit},
        markers::{self, JointHint, Missing},
    },
    skin::{Skin, SkinOptions, Skinner},
};

/// How sure the class is of a skeleton that is kept and that no convention knows.
const UNKNOWN_CLASS: f32 = 0.5;

/// One character being rigged.
///
/// ```
/// use autorig_engine::{Options, Session, Silent, sample};
///
/// let character = sample::generate(sample::Sample::Human, Some(2_000))?;
/// let mut session = Session::new(character, &Options::default(), &mut Silent)?;
/// let first = session.rig(&mut Silent)?;
/// session.move_joint("leftLowerArm", [0.45, 1.40, -0.03])?;
/// let second = session.rig(&mut Silent)?;
/// let elbow = second.skeleton.find("leftLowerArm").expect("a humanoid has one");
/// assert_eq!(second.skeleton.joints[elbow].position.to_array(), [0.45, 1.40, -0.03]);
/// # Ok::<(), autorig_engine::Error>(())
/// ```
pub struct Session {
    options: Options,
    pool: Option<rayon::ThreadPool>,
    was_rigged: Option<ExistingReport>,
    /// The file's own skeleton, where it is kept.
    existing: Option<Existing>,
    scene: Scene,
    /// The orientation that `body` was told, if any.
    known: Option<DMat3>,
    body: Body,
    /// The body as it stands where it is no humanoid.
    turned: Option<(Stance, Body)>,
    /// The engine's own skeletons, without the user's joints: as the options ask, and as a humanoid.
    fits: [Option<Result<Fit>>; 2],
    /// What the skin needs whatever the joints, of the body that stands like this.
    skinner: Option<(Option<Stance>, Skinner)>,
}

impl Session {
    /// Prepares a scene: everything up to the joints.
    ///
    /// # Errors
    /// As [`rig_scene`](crate::rig_scene).
    pub fn new(scene: Scene, options: &Options, progress: &mut dyn Progress) -> Result<Self> {
        if !(1..=8).contains(&options.influences) {
            return Err(Error::new(Code::InvalidOption, format!("influences is {}", options.influences))
                .with_remedy("choose 1 to 8 influences"));
        }
        markers::check(&options.joints)?;
        let pool = options.threads.map(pool).transpose()?;
        let (scene, was_rigged, existing) = Existing::take(scene, options.existing, &options.limits)?;
        let told = markers::orientation_of(&options.joints);
        let known = told.or(existing.as_ref().and_then(|e| e.rotation));
        let treatment = was_rigged.as_ref().map(|r| r.treatment);
        let (scene, body) = install(pool.as_ref(), || prepare(scene, options, treatment, known, progress))?;
        Ok(Self {
            options: options.clone(),
            pool,
            was_rigged,
            existing,
            scene,
            known,
            body,
            turned: None,
            fits: [None, None],
            skinner: None,
        })
    }

    /// The joints the user has placed.
    pub fn joints(&self) -> &[JointHint] {
        &self.options.joints
    }

    /// Replaces all joints the user has placed.
    ///
    /// # Errors
    /// `invalid_option` for a position that is not finite or a joint given twice; nothing changes then.
    pub fn set_joints(&mut self, joints: Vec<JointHint>) -> Result<()> {
        markers::check(&joints)?;
        self.options.joints = joints;
        Ok(())
    }

    /// Places one more joint, or one of those placed elsewhere; `position` in the input's frame and unit.
    ///
    /// # Errors
    /// `invalid_option` for a position that is not finite; nothing changes then.
    pub fn move_joint(&mut self, name: &str, position: [f64; 3]) -> Result<()> {
        let mut joints = self.options.joints.clone();
        match joints.iter_mut().find(|hint| markers::same_joint(&hint.name, name)) {
            Some(hint) => hint.position = position,
            None => joints.push(JointHint { name: name.to_owned(), parent: None, position }),
        }
        self.set_joints(joints)
    }

    /// The rig with the joints as they are now.
    ///
    /// # Errors
    /// As [`rig_scene`](crate::rig_scene). The session stays usable.
    pub fn rig(&mut self, progress: &mut dyn Progress) -> Result<Rig> {
        let pool = self.pool.take();
        let rigged = install(pool.as_ref(), || {
            let (fit, skin) = self.bind(progress)?;
            self.finish(self.scene.clone(), fit, skin, progress)
        });
        self.pool = pool;
        rigged
    }

    /// The rig with the joints as they are now, and the end of the session, which saves a copy of the scene.
    ///
    /// # Errors
    /// As [`rig_scene`](crate::rig_scene).
    pub fn into_rig(mut self, progress: &mut dyn Progress) -> Result<Rig> {
        let pool = self.pool.take();
        install(pool.as_ref(), || {
            let (fit, skin) = self.bind(progress)?;
            let scene = std::mem::take(&mut self.scene);
            self.finish(scene, fit, skin, progress)
        })
    }

    fn bind(&mut self, progress: &mut dyn Progress) -> Result<(Fit, Skin)> {
        self.orient(progress)?;
        let fit = self.fit(progress)?;
        begin(progress, Stage::Skin)?;
        self.stand(fit.stance);
        let body = standing(&self.body, &self.turned, fit.stance);
        let options = SkinOptions { influences: self.options.influences, symmetry: self.options.symmetry };
        if let Some(existing) = &self.existing {
            let skinner = || Skinner::new(body);
            let skin = existing.skin(skinner, &self.scene, body, &fit.skeleton, &options, progress)?;
            return Ok((fit, skin));
        }
        let (_, skinner) = self.skinner.get_or_insert_with(|| (fit.stance, Skinner::new(body)));
        let skin = skinner.skin(&self.scene, body, &fit.skeleton, &fit.extras, &options, progress)?;
        Ok((fit, skin))
    }

    /// Joints that tell another orientation than before turn the body, and nothing found in the old one holds.
    fn orient(&mut self, progress: &mut dyn Progress) -> Result<()> {
        let told = markers::orientation_of(&self.options.joints);
        let known = told.or(self.existing.as_ref().and_then(|e| e.rotation));
        let same = known.map_or(self.known.is_none(), |known| self.body.stands_as(known));
        if !same {
            begin(progress, Stage::Analyse)?;
            self.body = analyse(&self.scene, known)?;
            (self.known, self.fits) = (known, [None, None]);
            (self.turned, self.skinner) = (None, None);
        }
        Ok(())
    }

    /// Has the body ready as it stands, and drops what the skin kept of another stance.
    fn stand(&mut self, stance: Option<Stance>) {
        if let Some(to) = stance
            && self.turned.as_ref().is_none_or(|(from, _)| *from != to)
        {
            self.turned = Some((to, self.body.reframed(to.rotation, to.confidence)));
        }
        if self.skinner.as_ref().is_some_and(|(from, _)| *from != stance) {
            self.skinner = None;
        }
    }

    fn fit(&mut self, progress: &mut dyn Progress) -> Result<Fit> {
        begin(progress, Stage::Skeleton)?;
        let hints = std::mem::take(&mut self.options.joints);
        let fitted = self.fit_to(&hints);
        self.options.joints = hints;
        fitted
    }

    fn fit_to(&mut self, hints: &[JointHint]) -> Result<Fit> {
        if let Some(existing) = &self.existing {
            let mut fit = own_fit(existing, self.options.class);
            if !hints.is_empty() {
                let height = self.body.height / self.body.frame.scale;
                markers::place(&mut fit.skeleton, hints, height, Missing::Refuse)?;
            }
            return Ok(fit);
        }
        let class = self.class_for(hints);
        let mut fit = self.bare(class)?;
        if hints.is_empty() {
            return Ok(fit);
        }
        let missing = match (fit.class, self.options.fingers) {
            (CharacterClass::Humanoid, Fingers::Auto) => Missing::Add,
            (CharacterClass::Humanoid, Fingers::None) => Missing::AddButFingers,
            _ => Missing::Refuse,
        };
        markers::place(&mut fit.skeleton, hints, self.body.height / self.body.frame.scale, missing)?;
        // Whoever places joints has seen what it is.
        fit.class_confidence = 1.0;
        Ok(fit)
    }

    /// A user who places the joints of a humanoid on what looks like none insists on one.
    fn class_for(&mut self, hints: &[JointHint]) -> Class {
        let class = self.options.class;
        if hints.is_empty() || class != Class::Auto || !markers::all_humanoid(hints) {
            return class;
        }
        match self.bare(class) {
            Ok(fit) if fit.class == CharacterClass::Humanoid || markers::all_known(&fit.skeleton, hints) => {
                class
            }
            _ => Class::Humanoid,
        }
    }

    /// The engine's own skeleton for a class, without the user's joints.
    fn bare(&mut self, class: Class) -> Result<Fit> {
        let slot = usize::from(class != self.options.class);
        if self.fits[slot].is_none() {
            let options = Options { class, joints: Vec::new(), ..self.options.clone() };
            self.fits[slot] = Some(fit(&self.body, &options));
        }
        self.fits[slot].clone().unwrap_or_else(|| Err(Error::new(Code::Internal, "no skeleton was fitted")))
    }

    fn finish(&self, mut scene: Scene, fit: Fit, skin: Skin, progress: &mut dyn Progress) -> Result<Rig> {
        begin(progress, Stage::Export)?;
        let influences = self.options.influences;
        let body = standing(&self.body, &self.turned, fit.stance);
        let known = Known {
            class_confidence: fit.class_confidence,
            orientation_confidence: body.orientation_confidence,
        };
        let quality = assess(&scene, body, &fit.skeleton, &skin, known);
        let report =
            report::build(&mut scene, body, &fit, &skin, quality, influences, self.was_rigged.clone());
        let mut rig = Rig {
            scene,
            own_bones: self.existing.as_ref().map(|e| e.bones(&fit.skeleton)),
            skeleton: fit.skeleton,
            influences: skin.influences,
            clips: self.existing.as_ref().map(|e| e.clips.clone()).unwrap_or_default(),
            report,
        };
        match (self.options.rest_pose, &rig.own_bones) {
            (RestPose::AsIs, _) => {}
            (RestPose::TPose, None) => rest::deliver_in_t_pose(&mut rig, body),
            (RestPose::TPose, Some(_)) => {
                let message = "the file's own skeleton was kept in its own rest pose";
                rig.scene.warn("rest_pose_not_applied", message);
                rig.report.warnings.clone_from(&rig.scene.warnings);
            }
        }
        Ok(rig)
    }
}

/// The file's own skeleton as a fit.
fn own_fit(existing: &Existing, class: Class) -> Fit {
    let (class, class_confidence) = match (existing.humanoid, class) {
        (_, Class::Quadruped) => (CharacterClass::Quadruped, 1.0),
        (_, Class::Bird) => (CharacterClass::Bird, 1.0),
        (_, Class::Creature) => (CharacterClass::Creature, 1.0),
        (_, Class::Prop) => (CharacterClass::Prop, 1.0),
        (_, Class::Humanoid) => (CharacterClass::Humanoid, 1.0),
        (Some(sure), Class::Auto) => (CharacterClass::Humanoid, sure),
        (None, Class::Auto) => (CharacterClass::Creature, UNKNOWN_CLASS),
    };
    Fit { skeleton: existing.skeleton(), class, class_confidence, stance: None, extras: Vec::new() }
}

/// The body as it stands.
fn standing<'a>(found: &'a Body, turned: &'a Option<(Stance, Body)>, stance: Option<Stance>) -> &'a Body {
    match (stance, turned) {
        (Some(_), Some((_, body))) => body,
        _ => found,
    }
}

fn prepare(
    scene: Scene,
    options: &Options,
    treatment: Option<ExistingRig>,
    known: Option<DMat3>,
    progress: &mut dyn Progress,
) -> Result<(Scene, Body)> {
    let mut scene = scene.flatten(&options.limits)?;
    match treatment {
        Some(ExistingRig::ReRig) => {
            scene.warn("was_rigged", "the model already had a skeleton and skin weights; both were replaced");
        }
        Some(ExistingRig::ReSkin) => {
            scene.warn("rig_reskinned", "the model's own skeleton was kept; its skin weights were replaced");
        }
        Some(ExistingRig::Keep) => {
            scene.warn("rig_kept", "the model's own skeleton and skin weights were kept");
        }
        None => {}
    }
    progress.prepared(&scene)?;
    begin(progress, Stage::Analyse)?;
    let body = analyse(&scene, known)?;
    Ok((scene, body))
}

pub(crate) fn begin(progress: &mut dyn Progress, stage: Stage) -> Result<()> {
    if progress.cancelled() {
        return Err(Error::cancelled());
    }
    progress.report(stage, stage.overall(0.0));
    Ok(())
}

pub(crate) fn pool(threads: usize) -> Result<rayon::ThreadPool> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads.max(1))
        .build()
        .map_err(|e| Error::new(Code::Internal, format!("{threads} threads could not be started: {e}")))
}

pub(crate) fn install<T: Send>(pool: Option<&rayon::ThreadPool>, work: impl FnOnce() -> T + Send) -> T {
    match pool {
        Some(pool) => pool.install(work),
        None => work(),
    }
}
