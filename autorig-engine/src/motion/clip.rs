//! Motion of bones over time: keyframes, what lies between them, and fewer of them.

use glam::{DMat4, DQuat, DVec3};

/// Two keyframes nearer to each other than this, in seconds, are one.
const SAME_TIME: f32 = 1e-6;

/// A named motion: bones that turn or move at the given times.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Clip {
    /// Its name.
    pub name: String,
    /// Times of the keyframes in seconds, rising.
    pub times: Vec<f32>,
    /// What moves.
    pub tracks: Vec<Track>,
    /// Morph targets that change, with keyframes of their own.
    pub morphs: Vec<MorphTrack>,
}

/// Weights of the morph targets of one mesh over time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MorphTrack {
    /// Index of the mesh.
    pub mesh: usize,
    /// Times of the keyframes in seconds, rising.
    pub times: Vec<f32>,
    /// The weights of all the mesh's targets, keyframe by keyframe; between two they go straight.
    pub weights: Vec<f32>,
}

impl MorphTrack {
    /// How many targets it has weights for; 0 where the numbers do not fit together.
    pub fn targets(&self) -> usize {
        let count = self.weights.len() / self.times.len().max(1);
        if count * self.times.len() == self.weights.len() { count } else { 0 }
    }

    /// The weight of a target at a time; before the first keyframe and after the last it holds still.
    pub fn weight(&self, target: usize, time: f32) -> f32 {
        let count = self.targets();
        let at = |key: usize| self.weights.get(key * count + target).copied().unwrap_or(0.0);
        let after = self.times.partition_point(|t| *t <= time);
        let before = after.saturating_sub(1);
        match (self.times.get(before), self.times.get(after)) {
            (Some(a), Some(b)) if after > before => {
                at(before) + (at(after) - at(before)) * ((time - a) / (b - a)).clamp(0.0, 1.0)
            }
            _ => at(before),
        }
    }
}

/// One bone's motion, a value for each keyframe. Rotations are local, translations from the parent's place in the
/// parent's frame and the file's unit, as nodes of glTF have them: absolute values, the rest included.
#[derive(Debug, Clone, PartialEq)]
pub struct Track {
    /// Index of the bone.
    pub joint: usize,
    /// What of it changes.
    pub values: Values,
}

/// The values of a track.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Unit quaternions.
    Rotations(Vec<DQuat>),
    /// Offsets.
    Translations(Vec<DVec3>),
}

/// Where a bone stands in its parent's frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Local {
    /// Its rotation.
    pub rotation: DQuat,
    /// Its offset, in the file's unit.
    pub translation: DVec3,
}

impl Local {
    /// From a transform without scale.
    pub fn new(matrix: &DMat4) -> Self {
        let (_, rotation, translation) = matrix.to_scale_rotation_translation();
        Self { rotation: rotation.normalize(), translation }
    }

    /// As a matrix.
    pub fn matrix(&self) -> DMat4 {
        DMat4::from_rotation_translation(self.rotation, self.translation)
    }
}

impl Clip {
    /// The time of the last keyframe in seconds, 0 without any.
    pub fn duration(&self) -> f32 {
        let morphs = self.morphs.iter().filter_map(|m| m.times.last());
        self.times.last().into_iter().chain(morphs).fold(0.0, |longest, t| t.max(longest))
    }

    /// Where every bone stands at a time; bones without a track stay as in `rest`. Before the first keyframe and after the
    /// last the clip holds still.
    pub fn sample(&self, time: f32, rest: &[Local]) -> Vec<Local> {
        let mut all = rest.to_vec();
        let (before, share) = self.place(time);
        for track in &self.tracks {
            let Some(slot) = all.get_mut(track.joint) else { continue };
            match &track.values {
                Values::Rotations(q) => {
                    slot.rotation = turn_between(q, before, share).unwrap_or(slot.rotation);
                }
                Values::Translations(v) => {
                    slot.translation = between(v, before, share).unwrap_or(slot.translation);
                }
            }
        }
        all
    }

    /// As [`Clip::sample`], going round and round.
    pub fn sample_looping(&self, time: f32, rest: &[Local]) -> Vec<Local> {
        let first = self.times.first().copied().unwrap_or(0.0);
        let length = self.duration() - first;
        let time = if length > 0.0 { first + (time - first).rem_euclid(length) } else { first };
        self.sample(time, rest)
    }

    /// Keyframe before a time, and how far the time is on the way to the next.
    fn place(&self, time: f32) -> (usize, f64) {
        let after = self.times.partition_point(|t| *t <= time);
        let Some(before) = after.checked_sub(1) else { return (0, 0.0) };
        match (self.times.get(before), self.times.get(after)) {
            (Some(a), Some(b)) => (before, f64::from(time - a) / f64::from(b - a)),
            _ => (before, 0.0),
        }
    }

    /// The same motion with a keyframe every `1 / rate` seconds from the first one on, and one at the end.
    #[must_use]
    pub fn resampled(&self, rate: f32) -> Self {
        let (first, last) = (self.times.first().copied().unwrap_or(0.0), self.duration());
        let steps = libm::floorf((last - first) * rate + SAME_TIME) as usize;
        let mut times: Vec<f32> = (0..=steps).map(|i| first + i as f32 / rate).collect();
        if times.last().is_some_and(|t| last - t > SAME_TIME) {
            times.push(last);
        }
        let places: Vec<(usize, f64)> = times.iter().map(|t| self.place(*t)).collect();
        let tracks = self.tracks.iter().map(|track| track.at(&places)).collect();
        Self { name: self.name.clone(), times, tracks, morphs: self.morphs.clone() }
    }

    /// Makes every rotation the nearer one of its two quaternions, so that programs that mix the numbers go the short way.
    pub fn make_continuous(&mut self) {
        for track in &mut self.tracks {
            if let Values::Rotations(values) = &mut track.values {
                continuous(values);
            }
        }
    }

    /// The same motion without the keyframes that lie on the way between others: no rotation is off by more than `degrees`,
    /// no translation by more than `distance` in the file's unit. Tracks share their keyframes, so one goes only where
    /// every track can do without it. First and last stay.
    #[must_use]
    pub fn reduced(&self, degrees: f64, distance: f64) -> Self {
        let last = self.times.len().saturating_sub(1);
        let mut keep = vec![false; self.times.len()];
        for end in [0, last] {
            if let Some(slot) = keep.get_mut(end) {
                *slot = true;
            }
        }
        // Ramer, Douglas, Peucker: the worst keyframe of a span stays and splits it.
        let mut spans = vec![(0, last)];
        while let Some((a, b)) = spans.pop() {
            let worst = (a + 1..b).map(|k| (k, self.error(a, b, k, degrees, distance)));
            let worst = worst.fold((a, 1.0), |best, one| if one.1 > best.1 { one } else { best });
            if worst.0 > a {
                keep[worst.0] = true;
                spans.extend([(a, worst.0), (worst.0, b)]);
            }
        }
        let places: Vec<(usize, f64)> =
            keep.iter().enumerate().filter(|(_, k)| **k).map(|(i, _)| (i, 0.0)).collect();
        let times = places.iter().filter_map(|(i, _)| self.times.get(*i)).copied().collect();
        let tracks = self.tracks.iter().map(|track| track.at(&places)).collect();
        Self { name: self.name.clone(), times, tracks, morphs: self.morphs.clone() }
    }

    /// How far keyframe `k` lies from the way between `a` and `b`, in shares of what is allowed.
    fn error(&self, a: usize, b: usize, k: usize, degrees: f64, distance: f64) -> f64 {
        let share = match (self.times.get(a), self.times.get(b), self.times.get(k)) {
            (Some(a), Some(b), Some(k)) if b > a => f64::from(k - a) / f64::from(b - a),
            _ => return 0.0,
        };
        let of = |track: &Track| match &track.values {
            Values::Rotations(q) => match (q.get(a), q.get(b), q.get(k)) {
                (Some(a), Some(b), Some(k)) => apart(nearer(*a, *b, share), *k) / degrees,
                _ => 0.0,
            },
            Values::Translations(v) => match (v.get(a), v.get(b), v.get(k)) {
                (Some(a), Some(b), Some(k)) => a.lerp(*b, share).distance(*k) / distance,
                _ => 0.0,
            },
        };
        self.tracks.iter().map(of).fold(0.0, f64::max)
    }
}

impl Track {
    /// Its values at places between keyframes.
    fn at(&self, places: &[(usize, f64)]) -> Self {
        let values = match &self.values {
            Values::Rotations(q) => {
                let values = places.iter().map(|(i, s)| turn_between(q, *i, *s).unwrap_or(DQuat::IDENTITY));
                Values::Rotations(values.collect())
            }
            Values::Translations(v) => Values::Translations(
                places.iter().map(|(i, s)| between(v, *i, *s).unwrap_or_default()).collect(),
            ),
        };
        Self { joint: self.joint, values }
    }
}

/// Makes each rotation the nearer one of its two quaternions, seen from the one before.
pub(crate) fn continuous(values: &mut [DQuat]) {
    let mut before: Option<DQuat> = None;
    for q in values {
        if before.is_some_and(|b| b.dot(*q) < 0.0) {
            *q = -*q;
        }
        before = Some(*q);
    }
}

/// Angle between two rotations in degrees. By the chord, which is exact for small angles too.
pub(crate) fn apart(a: DQuat, b: DQuat) -> f64 {
    let chord = (a - b).length().min((a + b).length());
    4.0 * libm::asin((chord / 2.0).min(1.0)).to_degrees()
}

fn nearer(a: DQuat, b: DQuat, share: f64) -> DQuat {
    // glam's slerp takes the shorter arc.
    a.slerp(b, share).normalize()
}

fn turn_between(values: &[DQuat], before: usize, share: f64) -> Option<DQuat> {
    let a = *values.get(before).or(values.last())?;
    Some(values.get(before + 1).filter(|_| share > 0.0).map_or(a, |b| nearer(a, *b, share)))
}

fn between(values: &[DVec3], before: usize, share: f64) -> Option<DVec3> {
    let a = *values.get(before).or(values.last())?;
    Some(values.get(before + 1).filter(|_| share > 0.0).map_or(a, |b| a.lerp(*b, share)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turning(degrees: &[f64]) -> Clip {
        let turn = |d: &f64| DQuat::from_rotation_z(d.to_radians());
        Clip {
            name: "turning".to_owned(),
            times: (0..degrees.len()).map(|i| i as f32).collect(),
            tracks: vec![Track { joint: 0, values: Values::Rotations(degrees.iter().map(turn).collect()) }],
            morphs: Vec::new(),
        }
    }

    fn angle(clip: &Clip, time: f32) -> f64 {
        let rest = [Local { rotation: DQuat::IDENTITY, translation: DVec3::ZERO }];
        apart(clip.sample_looping(time, &rest)[0].rotation, DQuat::IDENTITY)
    }

    #[test]
    fn between_keyframes_a_bone_turns_evenly_and_a_loop_goes_round() {
        let clip = turning(&[0.0, 40.0, 0.0]);
        assert!((angle(&clip, 0.25) - 10.0).abs() < 1e-9);
        assert!((angle(&clip, 2.25) - 10.0).abs() < 1e-5);
        assert!((angle(&clip, -0.25) - 10.0).abs() < 1e-5);
        assert_eq!(clip.duration(), 2.0);
    }

    #[test]
    fn a_morph_goes_straight_between_its_own_keyframes_and_lengthens_the_clip() {
        let blink = MorphTrack { mesh: 0, times: vec![1.0, 3.0], weights: vec![0.0, 1.0, 1.0, 0.5] };
        assert_eq!(blink.targets(), 2);
        let at = |time: f32| [blink.weight(0, time), blink.weight(1, time)];
        assert_eq!([at(0.0), at(2.0), at(9.0)], [[0.0, 1.0], [0.5, 0.75], [1.0, 0.5]]);
        let clip = Clip { morphs: vec![blink], ..turning(&[0.0, 40.0]) };
        assert_eq!((clip.duration(), clip.resampled(30.0).morphs), (3.0, clip.morphs.clone()));
    }

    #[test]
    fn resampling_keeps_the_motion() {
        let clip = turning(&[0.0, 40.0, 10.0]);
        let fine = clip.resampled(30.0);
        assert_eq!(fine.times.len(), 61);
        for time in [0.0, 0.3, 1.0, 1.7] {
            assert!((angle(&clip, time) - angle(&fine, time)).abs() < 1e-4);
        }
    }

    #[test]
    fn keyframes_on_the_way_between_others_are_dropped_and_no_others() {
        let clip = turning(&[0.0, 10.0, 20.0, 30.05, 40.0, 20.0, 0.0]);
        let few = clip.reduced(0.1, 1e-4);
        assert_eq!(few.times, [0.0, 4.0, 6.0]);
        for time in 0..=60 {
            let time = time as f32 / 10.0;
            assert!((angle(&clip, time) - angle(&few, time)).abs() < 0.11);
        }
    }

    #[test]
    fn signs_of_quaternions_do_not_jump() {
        let mut clip = turning(&[0.0, 170.0, 190.0, 350.0]);
        if let Values::Rotations(q) = &mut clip.tracks[0].values {
            q[2] = -q[2];
        }
        clip.make_continuous();
        let Values::Rotations(q) = &clip.tracks[0].values else { panic!() };
        assert!(q.windows(2).all(|w| w[0].dot(w[1]) >= 0.0));
    }
}
