//! Rows of `Properties70`, the typed settings every object of an FBX file has.

use super::tree::Node;

/// The list of an object's settings.
pub(super) fn properties70(rows: impl IntoIterator<Item = Node>) -> Node {
    Node::new("Properties70").children(rows)
}

fn row(name: &str, kind: &str, label: &str, flags: &str) -> Node {
    Node::new("P").text(name).text(kind).text(label).text(flags)
}

pub(super) fn int(name: &str, value: i32) -> Node {
    row(name, "int", "Integer", "").i32(value)
}

pub(super) fn enumeration(name: &str, value: i32) -> Node {
    row(name, "enum", "", "").i32(value)
}

/// A truth value, which takes four bytes here.
pub(super) fn boolean(name: &str, value: bool) -> Node {
    row(name, "bool", "", "").i32(value.into())
}

pub(super) fn double(name: &str, value: f64) -> Node {
    row(name, "double", "Number", "").f64(value)
}

/// A number that a curve may drive.
pub(super) fn number(name: &str, value: f64) -> Node {
    row(name, "Number", "", "A").f64(value)
}

pub(super) fn time(name: &str, ticks: i64) -> Node {
    row(name, "KTime", "Time", "").i64(ticks)
}

pub(super) fn string(name: &str, value: &str) -> Node {
    row(name, "KString", "", "").text(value)
}

pub(super) fn url(name: &str, value: &str) -> Node {
    row(name, "KString", "Url", "").text(value)
}

/// A property of a user, which programs show as such.
pub(super) fn user_string(name: &str, value: &str) -> Node {
    row(name, "KString", "", "U").text(value)
}

/// A number of a user, between 0 and 1 by its meaning.
pub(super) fn user_double(name: &str, value: f64) -> Node {
    row(name, "double", "Number", "U").f64(value)
}

pub(super) fn color(name: &str, [r, g, b]: [f32; 3]) -> Node {
    row(name, "Color", "", "A").f64(r.into()).f64(g.into()).f64(b.into())
}

/// A colour that no curve drives.
pub(super) fn color_rgb(name: &str, [r, g, b]: [f32; 3]) -> Node {
    row(name, "ColorRGB", "Color", "").f64(r.into()).f64(g.into()).f64(b.into())
}

/// A plain vector.
pub(super) fn vector(name: &str, [x, y, z]: [f64; 3]) -> Node {
    row(name, "Vector3D", "Vector", "").f64(x).f64(y).f64(z)
}

/// `Lcl Translation`, `Lcl Rotation` or `Lcl Scaling`, whose type is called as the property.
pub(super) fn local(name: &str, [x, y, z]: [f64; 3]) -> Node {
    row(name, name, "", "A").f64(x).f64(y).f64(z)
}

/// A reference that this file leaves empty.
pub(super) fn object(name: &str) -> Node {
    row(name, "object", "", "")
}

/// The settings of anything that stands in the scene: unscaled, its rotation after `PreRotation`, in degrees.
pub(super) fn placed(translation: [f64; 3], pre_rotation: [f64; 3]) -> Vec<Node> {
    vec![
        boolean("RotationActive", true),
        enumeration("InheritType", 1),
        vector("PreRotation", pre_rotation),
        vector("ScalingMax", [0.0; 3]),
        int("DefaultAttributeIndex", 0),
        local("Lcl Translation", translation),
        local("Lcl Rotation", [0.0; 3]),
        local("Lcl Scaling", [1.0; 3]),
    ]
}
