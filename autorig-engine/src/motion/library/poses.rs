//! Poses that hold still, as other programs ask for them.

use super::Take;
use crate::motion::{
    figure::{Figure, Side},
    pose::{ArmAngles, Pose},
};

/// Seconds a pose is held: a clip without a length stumbles players.
const HELD: f64 = 1.0;

/// Arms straight out, palms down, fingers straight, legs straight down.
pub(super) fn t_pose(figure: &Figure) -> Take<'_> {
    Take::once(HELD, move |_| Pose::new(figure))
}

/// The same with the arms 45° down.
pub(super) fn a_pose(figure: &Figure) -> Take<'_> {
    Take::once(HELD, move |_| {
        let mut pose = Pose::new(figure);
        for side in Side::BOTH {
            let down = 45.0_f64.min(90.0 - figure.hang);
            pose.arm(side, ArmAngles { down, ..ArmAngles::default() });
        }
        pose
    })
}
