//! A mesh as FBX geometry: polygons, and layers of what its corners carry.

use glam::DVec3;

use super::combine::{Combined, Part};
use super::objects::Objects;
use super::tree::{Node, Property};
use crate::scene::{Primitive, unit_or};

/// Adds the geometry; `slots` is the material slot of each part, if the mesh has materials.
pub(super) fn add(objects: &mut Objects, name: &str, mesh: &Combined<'_>, slots: Option<&[i32]>) -> i64 {
    let (id, record) = objects.begin("Geometry", name, "Geometry", "Mesh");
    let points = Property::F64s(control_points(mesh));
    let polygons = Property::I32s(polygons(mesh));
    let mut layers = vec![normals(mesh), smoothing(mesh)];
    let mut first_layer = vec!["LayerElementNormal", "LayerElementSmoothing"];
    if let Some((tangents, binormals)) = tangents(mesh) {
        layers.extend([tangents, binormals]);
        first_layer.extend(["LayerElementTangent", "LayerElementBinormal"]);
    }
    let uv_sets = sets(mesh, |p| p.uvs.len());
    let color_sets = sets(mesh, |p| p.colors.len());
    layers.extend((0..uv_sets).map(|set| uvs(mesh, set)));
    layers.extend((0..color_sets).map(|set| colors(mesh, set)));
    if let Some(slots) = slots {
        layers.push(materials(mesh, slots));
        first_layer.push("LayerElementMaterial");
    }
    // Programs look for materials, normals and the first UVs in layer 0 and expect one set of each kind a layer.
    let count = uv_sets.max(color_sets).max(1);
    let layer = |layer: usize| {
        let own = if layer == 0 { first_layer.as_slice() } else { &[] };
        let uv = (layer < uv_sets).then_some(("LayerElementUV", layer));
        let color = (layer < color_sets).then_some(("LayerElementColor", layer));
        let elements = own.iter().map(|name| (*name, 0)).chain(uv).chain(color);
        Node::new("Layer").i32(layer as i32).child(Node::new("Version").i32(100)).children(elements.map(
            |(kind, index)| {
                Node::new("LayerElement")
                    .child(Node::new("Type").text(kind))
                    .child(Node::new("TypedIndex").i32(index as i32))
            },
        ))
    };
    let record = record
        .child(Node::new("Properties70"))
        .child(Node::new("GeometryVersion").i32(124))
        .child(Node::new("Vertices").with(points))
        .child(Node::new("PolygonVertexIndex").with(polygons))
        .children(layers)
        .children((0..count).map(layer));
    objects.add("Geometry", record);
    id
}

fn control_points(mesh: &Combined<'_>) -> Vec<f64> {
    let positions: Vec<[f32; 3]> = mesh.positions().collect();
    let at = |v: &u32| positions.get(*v as usize).copied().unwrap_or_default();
    mesh.first.iter().flat_map(at).map(|x| f64::from(x) + 0.0).collect()
}

/// Control points of the triangles; the last of each is turned over its bits, which ends a polygon.
fn polygons(mesh: &Combined<'_>) -> Vec<i32> {
    let control = |v: &u32| mesh.control.get(*v as usize).map_or(0, |c| *c as i32);
    let ended = |(at, point): (usize, i32)| if at % 3 == 2 { !point } else { point };
    mesh.corners.iter().map(control).enumerate().map(ended).collect()
}

fn corner_indices(mesh: &Combined<'_>) -> Property {
    Property::I32s(mesh.corners.iter().map(|v| *v as i32).collect())
}

/// A layer element with a value for each vertex, which corners refer to.
fn layer(
    kind: &'static str,
    version: i32,
    name: &str,
    set: usize,
    [values_name, index_name]: [&'static str; 2],
    (mesh, values): (&Combined<'_>, Vec<f64>),
) -> Node {
    Node::new(kind)
        .i32(set as i32)
        .child(Node::new("Version").i32(version))
        .child(Node::new("Name").text(name))
        .child(Node::new("MappingInformationType").text("ByPolygonVertex"))
        .child(Node::new("ReferenceInformationType").text("IndexToDirect"))
        .child(Node::new(values_name).with(Property::F64s(values)))
        .child(Node::new(index_name).with(corner_indices(mesh)))
}

fn sets(mesh: &Combined<'_>, count: impl Fn(&Primitive) -> usize) -> usize {
    mesh.parts.iter().map(|p| count(p.primitive)).max().unwrap_or(0)
}

/// Normals of all vertices. Parts without any are meant flat: each corner gets the normal of its triangle, which needs
/// a value for every corner instead of one for every vertex.
fn normals(mesh: &Combined<'_>) -> Node {
    if mesh.parts.iter().all(|p| p.primitive.normals.is_some()) {
        let all = mesh.parts.iter().flat_map(|p| p.primitive.normals.iter().flatten());
        let values = all.flatten().map(|x| f64::from(*x)).collect();
        return layer("LayerElementNormal", 101, "", 0, ["Normals", "NormalsIndex"], (mesh, values));
    }
    let values: Vec<f64> = mesh.parts.iter().flat_map(corner_normals).flatten().map(f64::from).collect();
    let indices = (0..mesh.corners.len() as i32).collect();
    Node::new("LayerElementNormal")
        .i32(0)
        .child(Node::new("Version").i32(101))
        .child(Node::new("Name").text(""))
        .child(Node::new("MappingInformationType").text("ByPolygonVertex"))
        .child(Node::new("ReferenceInformationType").text("IndexToDirect"))
        .child(Node::new("Normals").with(Property::F64s(values)))
        .child(Node::new("NormalsIndex").with(Property::I32s(indices)))
}

/// A normal for every corner of a part.
fn corner_normals(part: &Part<'_>) -> Vec<[f32; 3]> {
    let primitive = part.primitive;
    let mut out = Vec::with_capacity(primitive.indices.len());
    for corners in primitive.indices.chunks_exact(3) {
        if let Some(normals) = &primitive.normals {
            out.extend(corners.iter().map(|i| normals.get(*i as usize).copied().unwrap_or_default()));
            continue;
        }
        let at = |i: usize| {
            let index = corners.get(i).map_or(0, |i| *i as usize);
            DVec3::from(primitive.positions.get(index).copied().unwrap_or_default().map(f64::from))
        };
        let normal = unit_or((at(1) - at(0)).cross(at(2) - at(0)), DVec3::Y);
        out.extend([normal; 3]);
    }
    out
}

/// Every edge is smooth; where it is not, the normals say so.
fn smoothing(mesh: &Combined<'_>) -> Node {
    Node::new("LayerElementSmoothing")
        .i32(0)
        .child(Node::new("Version").i32(102))
        .child(Node::new("Name").text(""))
        .child(Node::new("MappingInformationType").text("ByPolygon"))
        .child(Node::new("ReferenceInformationType").text("Direct"))
        .child(Node::new("Smoothing").with(Property::I32s(vec![1; mesh.corners.len() / 3])))
}

/// Tangents and the binormals that say their handedness, where every part has them.
fn tangents(mesh: &Combined<'_>) -> Option<(Node, Node)> {
    let (mut along, mut across) = (Vec::new(), Vec::new());
    for part in &mesh.parts {
        let (normals, tangents) = (part.primitive.normals.as_ref()?, part.primitive.tangents.as_ref()?);
        for (normal, [x, y, z, w]) in normals.iter().zip(tangents) {
            let tangent = DVec3::from([*x, *y, *z].map(f64::from));
            let binormal = DVec3::from(normal.map(f64::from)).cross(tangent) * f64::from(*w);
            along.extend(tangent.to_array());
            across.extend(binormal.to_array().map(|x| x + 0.0));
        }
    }
    let name = "UVMap";
    Some((
        layer("LayerElementTangent", 101, name, 0, ["Tangents", "TangentsIndex"], (mesh, along)),
        layer("LayerElementBinormal", 101, name, 0, ["Binormals", "BinormalsIndex"], (mesh, across)),
    ))
}

/// A UV set, v turned up; zeros where a part lacks it.
fn uvs(mesh: &Combined<'_>, set: usize) -> Node {
    let mut values = Vec::with_capacity(mesh.vertices * 2);
    for part in &mesh.parts {
        match part.primitive.uvs.get(set) {
            Some(uvs) => values.extend(uvs.iter().flat_map(|[u, v]| [f64::from(*u), 1.0 - f64::from(*v)])),
            None => values.resize(values.len() + part.primitive.positions.len() * 2, 0.0),
        }
    }
    let name = if set == 0 { "UVMap".to_owned() } else { format!("UVMap{}", set + 1) };
    layer("LayerElementUV", 101, &name, set, ["UV", "UVIndex"], (mesh, values))
}

/// A colour set, sRGB as programs expect it; white where a part lacks it.
fn colors(mesh: &Combined<'_>, set: usize) -> Node {
    let mut values = Vec::with_capacity(mesh.vertices * 4);
    for part in &mesh.parts {
        match part.primitive.colors.get(set) {
            Some(colors) => values.extend(
                colors.iter().flat_map(|[r, g, b, a]| [encode(*r), encode(*g), encode(*b), f64::from(*a)]),
            ),
            None => values.resize(values.len() + part.primitive.positions.len() * 4, 1.0),
        }
    }
    let name = if set == 0 { "Color".to_owned() } else { format!("Color{}", set + 1) };
    layer("LayerElementColor", 101, &name, set, ["Colors", "ColorIndex"], (mesh, values))
}

/// Linear light to sRGB (IEC 61966-2-1).
fn encode(linear: f32) -> f64 {
    let x = f64::from(linear);
    if x <= 0.003_130_8 { x * 12.92 } else { 1.055 * libm::pow(x, 1.0 / 2.4) - 0.055 }
}

fn materials(mesh: &Combined<'_>, slots: &[i32]) -> Node {
    let one = slots.windows(2).all(|w| matches!(w, [a, b] if a == b));
    let (mapping, values) = if one {
        ("AllSame", slots.first().copied().into_iter().collect())
    } else {
        let of = |(part, slot): (&Part<'_>, &i32)| vec![*slot; part.primitive.indices.len() / 3];
        ("ByPolygon", mesh.parts.iter().zip(slots).flat_map(of).collect())
    };
    Node::new("LayerElementMaterial")
        .i32(0)
        .child(Node::new("Version").i32(101))
        .child(Node::new("Name").text(""))
        .child(Node::new("MappingInformationType").text(mapping))
        .child(Node::new("ReferenceInformationType").text("IndexToDirect"))
        .child(Node::new("Materials").with(Property::I32s(values)))
}
