//! Undoes compression: afterwards the document reads as if it had been written plainly.
//!
//! Draco (`KHR_draco_mesh_compression`) packs a primitive, meshopt (`EXT_meshopt_compression` and its KHR successor) a
//! buffer view. What they hold becomes buffers of its own, and accessors and views are pointed there. Where a file also
//! has the plain data, those are read.

use draco_core::{DecodeLimits, DecoderBuffer, MeshDecoder, mesh::Mesh};
use meshopt::{
    decode_filter_color, decode_filter_exp, decode_filter_oct, decode_filter_quat, decode_index_buffer,
    decode_index_sequence, decode_vertex_buffer,
};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::buffers::Buffers;
use super::extensions::{DRACO, MESHOPT};
use super::json::{AccessorDef, Root, ViewDef, corrupt};
use crate::{Code, Error, Limits, Result};

const UNSIGNED_INT: u32 = 5125;
const FLOAT: u32 = 5126;

/// Unpacks whatever is packed.
pub(super) fn unpack(root: &mut Root, buffers: &mut Buffers<'_>, limits: &Limits) -> Result<()> {
    let mut left = limits.decoded_bytes;
    for index in 0..root.buffer_views.len() {
        meshopt_view(root, buffers, index, &mut left, limits)?;
    }
    for mesh in 0..root.meshes.len() {
        let count = root.meshes.get(mesh).map_or(0, |m| m.primitives.len());
        for primitive in 0..count {
            draco_primitive(root, buffers, (mesh, primitive), &mut left, limits)?;
        }
    }
    Ok(())
}

fn charge(left: &mut u64, bytes: Option<u64>, limits: &Limits) -> Result<()> {
    *left = bytes.and_then(|bytes| left.checked_sub(bytes)).ok_or_else(|| {
        let most = limits.decoded_bytes >> 20;
        Error::new(Code::LimitMemory, format!("the model unfolds into more than {most} MB"))
    })?;
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MeshoptDef {
    buffer: usize,
    #[serde(default)]
    byte_offset: u64,
    byte_length: u64,
    byte_stride: u64,
    count: u64,
    mode: String,
    #[serde(default)]
    filter: Option<String>,
}

fn meshopt_view(
    root: &mut Root,
    buffers: &mut Buffers<'_>,
    index: usize,
    left: &mut u64,
    limits: &Limits,
) -> Result<()> {
    let Some(view) = root.buffer_views.get_mut(index) else { return Ok(()) };
    let Some(def) = MESHOPT.iter().find_map(|name| view.extensions.get(*name)) else { return Ok(()) };
    // A view whose plain bytes are there as well is read plainly.
    if buffers.range(view.buffer, view.byte_offset, view.byte_length).is_some() {
        return Ok(());
    }
    let bad = |what: &str| corrupt(format!("the meshopt data of buffer view {index} {what}"));
    let def = MeshoptDef::deserialize(def).map_err(|_| bad("are not described properly"))?;
    let size = def.count.checked_mul(def.byte_stride);
    charge(left, size, limits)?;
    if size != Some(view.byte_length) {
        return Err(bad("have another size than the view"));
    }
    let packed = buffers
        .range(def.buffer, def.byte_offset, def.byte_length)
        .ok_or_else(|| bad("run past the end of their buffer"))?;
    let decoded = decode_meshopt(packed, &def).ok_or_else(|| bad("cannot be decoded"))?;
    view.byte_offset = 0;
    view.buffer = buffers.add(decoded);
    Ok(())
}

fn decode_meshopt(packed: &[u8], def: &MeshoptDef) -> Option<Vec<u8>> {
    let count = usize::try_from(def.count).ok()?;
    let little = |values: Vec<u32>| values.into_iter().flat_map(u32::to_le_bytes).collect();
    let short = |values: Vec<u16>| values.into_iter().flat_map(u16::to_le_bytes).collect();
    match (def.mode.as_str(), def.byte_stride) {
        ("ATTRIBUTES", stride) => {
            let bytes = decode_vertices(packed, count, stride)?;
            filter(bytes, stride, def.filter.as_deref().unwrap_or("NONE"))
        }
        ("TRIANGLES", _) if !count.is_multiple_of(3) => None,
        ("TRIANGLES", 2) => decode_index_buffer::<u16>(packed, count).ok().map(short),
        ("TRIANGLES", 4) => decode_index_buffer::<u32>(packed, count).ok().map(little),
        ("INDICES", 2) => decode_index_sequence::<u16>(packed, count).ok().map(short),
        ("INDICES", 4) => decode_index_sequence::<u32>(packed, count).ok().map(little),
        _ => None,
    }
}

/// Vertices of a stride that is known only now: the decoder wants it as a type.
fn decode_vertices(packed: &[u8], count: usize, stride: u64) -> Option<Vec<u8>> {
    fn words<const N: usize>(packed: &[u8], count: usize) -> Option<Vec<u8>>
    where
        Words<N>: Default + Clone,
    {
        let values = decode_vertex_buffer::<Words<N>>(packed, count).ok()?;
        Some(values.into_iter().flat_map(|v| v.0).flat_map(u32::to_ne_bytes).collect())
    }
    macro_rules! strides {
        ($($n:literal)*) => { match stride { $(x if x == $n * 4 => words::<$n>(packed, count),)* _ => None } };
    }
    strides!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32
        33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63 64)
}

/// A vertex as the decoder writes it.
#[derive(Clone, Copy)]
#[repr(transparent)]
struct Words<const N: usize>([u32; N]);

impl<const N: usize> Default for Words<N> {
    fn default() -> Self {
        Self([0; N])
    }
}

/// Undoes a filter of `EXT_meshopt_compression`; `None` where it does not fit the stride.
fn filter(bytes: Vec<u8>, stride: u64, name: &str) -> Option<Vec<u8>> {
    let quads8 = |bytes: &[u8]| -> Vec<[i8; 4]> {
        bytes.as_chunks::<4>().0.iter().map(|c| c.map(u8::cast_signed)).collect()
    };
    let quads16 = |bytes: &[u8]| -> Vec<[i16; 4]> {
        let pairs = bytes.as_chunks::<2>().0;
        pairs.as_chunks::<4>().0.iter().map(|c| c.map(i16::from_le_bytes)).collect()
    };
    let plain16 =
        |quads: Vec<[i16; 4]>| quads.into_flattened().into_iter().flat_map(i16::to_le_bytes).collect();
    let plain8 = |quads: Vec<[i8; 4]>| quads.into_flattened().into_iter().map(i8::cast_unsigned).collect();
    Some(match (name, stride) {
        ("NONE", _) => bytes,
        ("OCTAHEDRAL", 4) => {
            let mut quads = quads8(&bytes);
            decode_filter_oct(&mut quads);
            plain8(quads)
        }
        ("OCTAHEDRAL", 8) => {
            let mut quads = quads16(&bytes);
            decode_filter_oct(&mut quads);
            plain16(quads)
        }
        ("QUATERNION", 8) => {
            let mut quads = quads16(&bytes);
            decode_filter_quat(&mut quads);
            plain16(quads)
        }
        ("EXPONENTIAL", stride) if stride.is_multiple_of(4) => {
            let mut words: Vec<[u32; 1]> =
                bytes.as_chunks::<4>().0.iter().map(|c| [u32::from_le_bytes(*c)]).collect();
            decode_filter_exp(&mut words);
            words.into_flattened().into_iter().flat_map(u32::to_le_bytes).collect()
        }
        ("COLOR", 4) => {
            let mut quads: Vec<[u8; 4]> = bytes.as_chunks::<4>().0.to_vec();
            decode_filter_color(&mut quads);
            quads.into_flattened()
        }
        ("COLOR", 8) => {
            let pairs = bytes.as_chunks::<2>().0;
            let mut quads: Vec<[u16; 4]> =
                pairs.as_chunks::<4>().0.iter().map(|c| c.map(u16::from_le_bytes)).collect();
            decode_filter_color(&mut quads);
            quads.into_flattened().into_iter().flat_map(u16::to_le_bytes).collect()
        }
        _ => return None,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DracoDef {
    buffer_view: usize,
    attributes: Map<String, Value>,
}

fn draco_primitive(
    root: &mut Root,
    buffers: &mut Buffers<'_>,
    (mesh, primitive): (usize, usize),
    left: &mut u64,
    limits: &Limits,
) -> Result<()> {
    let Some(def) = root.meshes.get(mesh).and_then(|m| m.primitives.get(primitive)) else { return Ok(()) };
    let Some(packed) = def.extensions.get(DRACO) else { return Ok(()) };
    let attributes: Vec<(String, usize)> = def
        .attributes
        .iter()
        .filter_map(|(name, accessor)| Some((name.clone(), usize::try_from(accessor.as_u64()?).ok()?)))
        .collect();
    let lacks = |accessor: usize| root.accessors.get(accessor).is_some_and(|a| a.buffer_view.is_none());
    if !attributes.iter().any(|(name, accessor)| name == "POSITION" && lacks(*accessor)) {
        return Ok(());
    }
    let bad = |what: &str| corrupt(format!("the Draco data of mesh {mesh} {what}"));
    let packed = DracoDef::deserialize(packed).map_err(|_| bad("are not described properly"))?;
    let indices = def.indices;
    let (bytes, _) = buffers.view(root, packed.buffer_view)?;
    let decoded = decode_draco(bytes, *left, limits).map_err(|why| bad(&why))?;
    let (points, faces) = (decoded.num_points(), decoded.num_faces());
    for (name, accessor) in attributes {
        let Some(id) = packed.attributes.get(&name).and_then(Value::as_u64) else { continue };
        let attribute = u32::try_from(id).ok().and_then(|id| decoded.attribute_by_unique_id(id));
        let Some(attribute) = attribute else { return Err(bad("lack an attribute that they name")) };
        let Some(target) = root.accessors.get_mut(accessor) else { continue };
        let components = usize::from(attribute.num_components());
        charge(left, (points as u64).checked_mul(components as u64 * 4), limits)?;
        let mut values = attribute.read_f32s(points, components);
        if target.normalized {
            let most = full_scale(target.component_type);
            values.iter_mut().for_each(|v| *v = (*v / most).max(-1.0));
        }
        target.kind = kind(components).ok_or_else(|| bad("have an attribute of a strange size"))?.to_owned();
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        let view = add_view(&mut root.buffer_views, buffers, bytes);
        point_at(target, view, FLOAT, points);
    }
    let corners: Vec<u8> =
        decoded.faces().iter().flatten().flat_map(|corner| corner.0.to_le_bytes()).collect();
    charge(left, Some(corners.len() as u64), limits)?;
    let view = add_view(&mut root.buffer_views, buffers, corners);
    let accessor = match indices.filter(|i| *i < root.accessors.len()) {
        Some(index) => index,
        None => {
            root.accessors.push(AccessorDef { kind: "SCALAR".to_owned(), ..AccessorDef::default() });
            root.accessors.len() - 1
        }
    };
    if let Some(target) = root.accessors.get_mut(accessor) {
        point_at(target, view, UNSIGNED_INT, faces * 3);
    }
    if let Some(def) = root.meshes.get_mut(mesh).and_then(|m| m.primitives.get_mut(primitive)) {
        def.indices = Some(accessor);
        // Strips are stored as triangles.
        def.mode = Some(4);
    }
    Ok(())
}

fn decode_draco(bytes: &[u8], left: u64, limits: &Limits) -> std::result::Result<Mesh, String> {
    let ceilings = DecodeLimits::default()
        .with_max_faces(limits.triangles)
        .with_max_points(limits.triangles.saturating_mul(3))
        .with_max_decoded_bytes(left);
    let mut buffer = DecoderBuffer::new(bytes).with_limits(ceilings);
    let mut mesh = Mesh::new();
    MeshDecoder::new().decode(&mut buffer, &mut mesh).map_err(|error| {
        let why: String = error.to_string().chars().take(120).collect();
        format!("cannot be decoded: {why}")
    })?;
    Ok(mesh)
}

fn add_view(views: &mut Vec<ViewDef>, buffers: &mut Buffers<'_>, bytes: Vec<u8>) -> usize {
    let byte_length = bytes.len() as u64;
    views.push(ViewDef { buffer: buffers.add(bytes), byte_length, ..ViewDef::default() });
    views.len() - 1
}

fn point_at(accessor: &mut AccessorDef, view: usize, component_type: u32, count: usize) {
    accessor.buffer_view = Some(view);
    accessor.byte_offset = 0;
    accessor.component_type = component_type;
    accessor.normalized = false;
    accessor.count = count as u64;
}

/// The integer that means 1 in a normalized accessor.
fn full_scale(component_type: u32) -> f32 {
    match component_type {
        5120 => 127.0,
        5121 => 255.0,
        5122 => 32767.0,
        5123 => 65535.0,
        _ => 1.0,
    }
}

fn kind(components: usize) -> Option<&'static str> {
    Some(match components {
        1 => "SCALAR",
        2 => "VEC2",
        3 => "VEC3",
        4 => "VEC4",
        _ => return None,
    })
}
