//! Parts that have nothing to do with a limb do not follow it.
//!
//! Heat knows distance and sight. A tunic reaches to the thighs and a sleeve into the torso, so each takes a little of
//! the other's bones near the seam, and when the leg is lifted the hem goes along. Of a part that is a shell of its own,
//! a limb that has hardly any of it, and that the part has hardly any of, is left out. A closed shell that is nearly all arm
//! or leg is a doll's: it turns whole at the shoulder or hip, its end hidden in the torso.

use super::{bones::Bone, proxy::Proxy, rigid::open_parts};
use crate::skeleton::Skeleton;

/// A limb that has less than this share of a part, as the mean of its weights by area, is left out there.
const SLIGHT: f64 = 0.06;
/// Unless this share of all that the limb moves is on the part.
const OWN: f64 = 0.25;
/// A closed part is an arm or a leg from this share of it on.
const WHOLE: f64 = 0.75;
/// A part with more of the area than this is the body itself.
const BODY_SHARE: f64 = 0.9;
/// The torso, head and neck, and two arms and legs.
const LIMBS: usize = 6;
/// The first that is an arm or a leg.
const FIRST_ARM: usize = 2;

/// Which limb a joint is of: 0 the torso, 1 the head, 2 and 3 the arms, 4 and 5 the legs. A finger is of its hand's arm; what
/// hangs on the torso and has no known name is of the torso.
fn limb(skeleton: &Skeleton, joint: usize) -> usize {
    let mut at = Some(joint);
    while let Some(j) = at {
        let name = skeleton.joints[j].name.as_str();
        let right = usize::from(name.starts_with("right"));
        match name.strip_prefix("left").or_else(|| name.strip_prefix("right")).unwrap_or(name) {
            "UpperArm" | "LowerArm" | "Hand" => return 2 + right,
            "UpperLeg" | "LowerLeg" | "Foot" | "Toes" => return 4 + right,
            "neck" | "head" => return 1,
            _ => at = skeleton.joints[j].parent,
        }
    }
    0
}

/// Takes from each part the weights of limbs that are not its own; rows of `weights` sum to 1 before and after. `area` is
/// that around each vertex of the proxy.
pub fn keep_own(proxy: &Proxy, area: &[f64], skeleton: &Skeleton, bones: &[Bone], weights: &mut [f64]) {
    let count = bones.len();
    let limbs: Vec<usize> = bones.iter().map(|b| limb(skeleton, b.joint)).collect();
    let mut means = vec![0.0; proxy.parts * count];
    for ((row, part), area) in weights.chunks_exact(count).zip(&proxy.part).zip(area) {
        let mean = &mut means[*part as usize * count..(*part as usize + 1) * count];
        mean.iter_mut().zip(row).for_each(|(mean, w)| *mean += w * area);
    }
    let mut closed = vec![true; proxy.parts];
    open_parts(&proxy.triangles, &proxy.part).into_iter().for_each(|part| closed[part as usize] = false);
    let kept = kept(&means, &limbs, &closed);
    for (mean, kept) in means.chunks_exact_mut(count).zip(&kept) {
        strip(mean, &limbs, kept);
    }
    for (row, part) in weights.chunks_exact_mut(count).zip(&proxy.part) {
        let part = *part as usize;
        if kept[part].contains(&false) && !strip(row, &limbs, &kept[part]) {
            // Nothing is left: as the part does on the whole.
            row.copy_from_slice(&means[part * count..(part + 1) * count]);
        }
    }
}

/// The limbs that each part follows, by the sums of its weights, parts × bones, and whether it is closed.
fn kept(sums: &[f64], limbs: &[usize], closed: &[bool]) -> Vec<[bool; LIMBS]> {
    let by_limb = |sums: &[f64]| {
        let mut shares = [0.0; LIMBS];
        sums.iter().zip(limbs).for_each(|(sum, limb)| shares[*limb] += sum);
        shares
    };
    let shares: Vec<[f64; LIMBS]> = sums.chunks_exact(limbs.len()).map(by_limb).collect();
    let of_limb: [f64; LIMBS] = std::array::from_fn(|limb| shares.iter().map(|s| s[limb]).sum());
    let total: f64 = of_limb.iter().sum();
    let of_part = |(share, closed): (&[f64; LIMBS], &bool)| {
        let part: f64 = share.iter().sum();
        if part >= BODY_SHARE * total {
            return [true; LIMBS];
        }
        let whole = (FIRST_ARM..LIMBS).find(|&l| *closed && part > 0.0 && share[l] >= WHOLE * part);
        std::array::from_fn(|l| {
            whole.map_or(share[l] >= SLIGHT * part || share[l] > OWN * of_limb[l], |only| l == only)
        })
    };
    shares.iter().zip(closed).map(of_part).collect()
}

/// Leaves the weights of kept limbs, summing to 1; whether any are left.
fn strip(row: &mut [f64], limbs: &[usize], kept: &[bool; LIMBS]) -> bool {
    /// A row with less than this left is better taken from its part.
    const NOTHING: f64 = 1e-6;
    for (w, limb) in row.iter_mut().zip(limbs) {
        if !kept[*limb] {
            *w = 0.0;
        }
    }
    let sum: f64 = row.iter().sum();
    if sum > NOTHING {
        row.iter_mut().for_each(|w| *w /= sum);
    }
    sum > NOTHING
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Weights of a torso and a leg, part by part: each is the sum over a part.
    fn kept_legs(sums: &[[f64; 2]]) -> Vec<bool> {
        kept(sums.as_flattened(), &[0, 4], &vec![false; sums.len()]).iter().map(|limbs| limbs[4]).collect()
    }

    #[test]
    fn a_tunic_does_not_follow_the_legs_below_it() {
        assert_eq!(kept_legs(&[[9.6, 0.4], [0.5, 9.5]]), [false, true]);
        assert_eq!(kept_legs(&[[8.0, 2.0], [0.5, 9.5]]), [true, true], "trousers do");
    }

    #[test]
    fn a_body_follows_its_short_legs() {
        assert_eq!(kept_legs(&[[9.6, 0.4], [1.0, 0.0]]), [true, false], "no other part has them");
        assert_eq!(kept_legs(&[[9.6, 0.4], [0.0, 0.9]]), [true, true], "nearly all is one part");
    }

    #[test]
    fn a_closed_arm_turns_whole_and_an_open_one_runs_into_the_torso() {
        let torso = |sums: [f64; 4], closed: bool| kept(&sums, &[0, 2], &[closed, true])[0][0];
        assert!(!torso([2.0, 8.0, 9.0, 1.0], true));
        assert!(torso([2.0, 8.0, 9.0, 1.0], false));
        assert!(torso([3.0, 7.0, 9.0, 1.0], true), "a shirt's sleeve with much of the shoulder");
    }

    #[test]
    fn what_is_left_of_a_row_sums_to_one() {
        let kept = [true, true, true, true, false, true];
        let mut row = [0.3, 0.2, 0.5];
        assert!(strip(&mut row, &[0, 2, 4], &kept));
        assert_eq!(row, [0.6, 0.4, 0.0]);
        assert!(!strip(&mut [0.0, 0.0, 1.0], &[0, 2, 4], &kept));
    }

    #[test]
    fn fingers_are_of_their_arm_and_clavicles_of_the_torso() {
        let names =
            ["root", "hips", "leftShoulder", "rightHand", "rightThumbDistal", "head", "leftEye", "tail"];
        let parents = [None, Some(0), Some(1), Some(1), Some(3), Some(1), Some(5), Some(1)];
        let joint = |(name, parent): (&&str, Option<usize>)| crate::skeleton::Joint {
            name: (*name).to_owned(),
            parent,
            position: glam::DVec3::ZERO,
            confidence: 1.0,
        };
        let skeleton = Skeleton { joints: names.iter().zip(parents).map(joint).collect() };
        let limbs: Vec<usize> = (0..names.len()).map(|j| limb(&skeleton, j)).collect();
        assert_eq!(limbs, [0, 0, 0, 3, 3, 1, 1, 0]);
    }
}
