//! The rule of the bird template: where its lines run in a body with two wings.

use glam::DVec3;

use super::{
    build::Builder,
    generic::{remaining, spanned, spine_line},
    kind::Winged,
    limbs::{Limb, along},
    shape::Shape,
    template::{Lines, Template},
};

static TEMPLATE: &str = include_str!("../../../assets/templates/bird.json");

/// Where the head begins, as a share of the foremost branch.
const HEAD_AT: f64 = 0.4;
/// Wings begin inside the body: at this share of where they come out of it.
const WING_ROOT: f64 = 0.2;
/// Legs begin inside the body: so much of the way from where they come out of it to its middle.
const LEG_ROOT: f64 = 0.6;

/// The skeleton of a bird.
pub(super) fn skeleton(shape: &Shape, winged: &Winged, sure: f32) -> Builder {
    let limb = |i: usize| &shape.limbs[i];
    let axis = spine_line(shape, winged.tail, Some(winged.head));
    let height = |z: f64| {
        let nearest = |a: &&DVec3, b: &&DVec3| (a.z - z).abs().total_cmp(&(b.z - z).abs());
        axis.iter().min_by(nearest).map_or(0.0, |p| p.y)
    };
    let mut lines = Lines::default();
    let front = axis[axis.len() - 1];
    // Hips lie over the legs, or where the tail begins.
    let back = winged.legs.map_or(axis[0].z, |legs| (limb(legs[0]).base().z + limb(legs[1]).base().z) / 2.0);
    let hips = DVec3::new(axis[0].x, height(back), back.min(front.z - shape.tree.cell));
    lines.single.insert(
        "spine",
        (0..=8)
            .map(|i| {
                let z = hips.z + (front.z - hips.z) * f64::from(i) / 8.0;
                shape.on_mirror(DVec3::new(hips.x, height(z), z))
            })
            .collect(),
    );
    let neck = &limb(winged.head).line;
    let part =
        |from: f64, to: f64| (0..=8).map(|i| along(neck, from + (to - from) * f64::from(i) / 8.0)).collect();
    lines.single.insert("neck", part(0.0, HEAD_AT));
    lines.single.insert("head", part(HEAD_AT, 1.0));
    if let Some(tail) = winged.tail {
        lines.single.insert("tail", limb(tail).line.clone());
    }
    let into = |limb: &Limb, inner: DVec3| std::iter::once(inner).chain(limb.line.iter().copied()).collect();
    lines.paired.insert(
        "wing",
        winged.wings.map(|i| {
            let base = limb(i).base();
            into(limb(i), shape.on_mirror(base).lerp(base, WING_ROOT))
        }),
    );
    if let Some(legs) = winged.legs {
        lines.paired.insert(
            "leg",
            legs.map(|i| {
                let base = limb(i).base();
                into(limb(i), base.lerp(base.with_y(height(base.z)), LEG_ROOT))
            }),
        );
    }
    let mut builder = Builder::new(shape.ground());
    Template::read(TEMPLATE).fit(&mut builder, &lines, shape.tree.extent, sure);
    let mut done = vec![false; shape.limbs.len()];
    let used: Vec<usize> = winged
        .wings
        .into_iter()
        .chain(winged.legs.into_iter().flatten())
        .chain([winged.head])
        .chain(winged.tail)
        .collect();
    used.iter().for_each(|i| done[*i] = true);
    let used: Vec<Option<usize>> = used.into_iter().map(Some).collect();
    remaining(&mut builder, shape, &mut done, &spanned(shape, &used));
    builder
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_can_be_read() {
        let template: Result<Template, _> = serde_json::from_str(TEMPLATE);
        assert!(template.is_ok(), "{template:?}");
    }
}
