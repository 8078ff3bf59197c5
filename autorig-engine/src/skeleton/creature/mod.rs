//! Bodies that are not human: what they are, how they stand, and a skeleton for them.
//!
//! | module | what |
//! | --- | --- |
//! | `grid` | the filled cells as a graph |
//! | `branches` | the curve skeleton: a tree of branches with centre lines |
//! | `symmetry` | the mirror plane |
//! | `limbs` | free ends, in pairs |
//! | `orientation` | up and forward |
//! | `shape` | all of that together |
//! | `kind` | what kind of body it is |
//! | `generic` | chains along the branches |
//! | `template` | joints of a kind of body, as data |
//! | `quadruped`, `bird` | the rules of the templates |
//! | `build` | joints as they are put together |

use glam::{DMat3, DVec3};

use super::{Joint, Skeleton, class::CharacterClass};
use crate::analyse::{Body, orientation::cube_rotations, solid::Solid};

mod bird;
mod branches;
mod build;
mod generic;
mod grid;
mod kind;
mod limbs;
mod moments;
mod orientation;
mod quadruped;
mod shape;
mod symmetry;
mod template;

use build::Builder;
pub use shape::Shape;

/// A skeleton and how the body stands.
pub struct Creature {
    /// In the file's frame.
    pub skeleton: Skeleton,
    /// Rows are the body's left, up and forward in the file's frame.
    pub rotation: DMat3,
    /// How sure that is, 0 to 1.
    pub orientation_confidence: f32,
}

/// The shape of a body, looked at upright: a first look along the file's axes finds how it stands, and where that is not how
/// it lies there a second one starts from there. So the cells, and what they show, do not depend on how the file lies.
///
/// The network's way to stand, which the body's frame follows, is made for humanoids: of an animal only the nearest of
/// the file's axes is taken from it.
pub fn shape(body: &Body) -> Shape {
    /// A turn this small is none.
    const STRAIGHT: f64 = 1e-6;
    let rotation = body.frame.rotation;
    let start = nearest_cube(rotation) * rotation.transpose();
    let look = |turn: DMat3| {
        let vertices: Vec<DVec3> = body.vertices.iter().map(|v| turn * *v).collect();
        let solid = Solid::new(&vertices, &body.welded.character_triangles());
        Shape::new(&solid, &vertices, turn * rotation * DVec3::Y)
    };
    let first = look(start);
    let turn = first.rotation();
    if turn.abs_diff_eq(DMat3::IDENTITY, STRAIGHT) {
        return first.after(start);
    }
    look(turn * start).after(turn * start)
}

/// The rotation of the cube that is nearest to another.
fn nearest_cube(rotation: DMat3) -> DMat3 {
    let likeness = |t: &DMat3| (0..3).map(|i| t.row(i).dot(rotation.row(i))).sum::<f64>();
    cube_rotations()
        .into_iter()
        .reduce(|best, t| if likeness(&t) > likeness(&best) { t } else { best })
        .unwrap_or(rotation)
}

/// Fits the skeleton of a class to a shape; where the limbs do not fit it, the generic one.
pub fn fit(body: &Body, shape: &Shape, class: CharacterClass) -> Creature {
    let builder = joints(shape, class);
    Creature {
        skeleton: in_file(body, shape, builder),
        rotation: shape.rotation() * body.frame.rotation,
        orientation_confidence: shape.orientation_confidence(),
    }
}

/// The joints of a class in the shape's frame.
fn joints(shape: &Shape, class: CharacterClass) -> Builder {
    let sure = shape.orientation_confidence().max(0.3);
    match class {
        CharacterClass::Quadruped => shape.four_legs().map(|four| quadruped::skeleton(shape, &four, sure)),
        CharacterClass::Bird => shape.winged().map(|winged| bird::skeleton(shape, &winged, sure)),
        _ => None,
    }
    .unwrap_or_else(|| generic::skeleton(shape))
}

/// A thing that does not move by itself: a root and one joint in its middle. It stands as the file has it.
pub fn prop(body: &Body) -> Creature {
    let (lo, hi) = body
        .welded
        .character_triangles()
        .iter()
        .flatten()
        .map(|v| body.welded.vertices[*v as usize])
        .fold((DVec3::INFINITY, DVec3::NEG_INFINITY), |(lo, hi), p| (lo.min(p), hi.max(p)));
    let middle = (lo + hi) / 2.0;
    let joint =
        |name: &str, parent, position| Joint { name: name.to_owned(), parent, position, confidence: 1.0 };
    let joints = vec![joint("root", None, middle.with_y(lo.y)), joint("body", Some(0), middle)];
    Creature { skeleton: Skeleton { joints }, rotation: DMat3::IDENTITY, orientation_confidence: 1.0 }
}

/// A free end of a solid: a limb, a tail, an ear.
pub(super) struct FreeEnd {
    /// Its centre line from base to tip, at least two points.
    pub(super) line: Vec<DVec3>,
    /// Half widths along the line.
    pub(super) widths: Vec<f64>,
    /// The one on the other side.
    pub(super) pair: Option<usize>,
    /// Wide and thin.
    pub(super) sheet: bool,
}

/// The free ends of a solid that mirrors itself, as far as it does, across the X of a point.
pub(super) fn free_ends(solid: &Solid, middle: DVec3) -> Vec<FreeEnd> {
    let tree = branches::grow(&grid::Grid::new(solid));
    let mirror = symmetry::Mirror { normal: DVec3::X, point: middle, score: 1.0 };
    let found = limbs::limbs(&tree, &mirror);
    // Lines of one point are no lines; pairs keep their places.
    found
        .into_iter()
        .map(|limb| FreeEnd {
            sheet: limb.is_sheet(),
            line: if limb.line.len() < 2 { vec![limb.base(), limb.base()] } else { limb.line },
            widths: limb.widths.iter().map(|w| w.0).collect(),
            pair: limb.pair,
        })
        .collect()
}

fn in_file(body: &Body, shape: &Shape, builder: Builder) -> Skeleton {
    let back = shape.rotation().transpose();
    let joints = builder
        .joints
        .into_iter()
        .map(|j| Joint {
            name: j.name,
            parent: j.parent,
            position: body.frame.to_file(back * j.at),
            confidence: j.confidence,
        })
        .collect();
    Skeleton { joints }
}
