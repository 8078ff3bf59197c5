//! Autodesk FBX, binary and ASCII, 5.0 to 7.7, through [ufbx](https://ufbx.github.io).
//!
//! **Space.** A file declares its axes and its unit, and nothing else says what its numbers mean: a scene read from FBX
//! stands in glTF's space, +Y up and metres, right-handed, by what the file declares. Vertices and translations are scaled,
//! and axes turned, so that no node has a scale for the sake of the unit. A file that declares nothing keeps its numbers.
//!
//! **Vertices.** FBX has normals, UVs and colours on the corners of polygons. Corners of one material that agree in all of
//! them become one vertex, in the order of first use; polygons become triangles in the order of the file.
//!
//! **Transforms.** Pivots, pre- and post-rotations, rotation orders and geometric transforms are resolved by ufbx. It
//! calls the C library for sines, which differ in the last bit from one to the next; every number is rounded by a few
//! bits, so that the result does not.

use self::counter::Counter;
use super::siblings::{Resolver, short};
use crate::scene::{Format, Scene};
use crate::{Code, Error, Limits, Result};

mod animation;
mod counter;
mod material;
mod mesh;
mod morph;
mod nodes;
mod number;
mod skin;
mod text;
mod vertices;

/// First bytes of a binary file.
pub(crate) const MAGIC: &[u8] = b"Kaydara FBX Binary";

/// What our own files say of their maker. They hold every name as it is.
const OURS: &str = "AutoRig ";

/// Bytes of the header and of the head of one record.
const SHORTEST: usize = 27 + 13;

/// Deepest hierarchy of nodes; long hair has two hundred.
const DEEPEST: u32 = 2_000;
/// Most allocations while reading: a large real file needs some ten thousand.
const MOST_ALLOCATIONS: usize = 4_000_000;

/// Reads an FBX.
pub(crate) fn read(bytes: &[u8], resolver: &Resolver<'_>, limits: &Limits) -> Result<Scene> {
    if bytes.starts_with(MAGIC) && bytes.len() < SHORTEST {
        return Err(Error::new(Code::TruncatedFile, "the FBX file ends with its header"));
    }
    let file = load(bytes, limits)?;
    check_counts(&file, limits)?;
    let mut scene = Scene { format: Format::Fbx, ..Scene::default() };
    let mut counter = Counter::new(limits);
    nodes::read(&file, &mut scene)?;
    let looks = material::read(&file, resolver, limits, &mut scene)?;
    let shown = mesh::read(&file, &looks, &mut counter, &mut scene)?;
    skin::read(&shown, &mut scene);
    animation::read(&file, &shown, limits, &mut scene)?;
    if !file.metadata.creator.starts_with(OURS) {
        text::unescape(&mut scene);
    }
    Ok(scene)
}

fn load(bytes: &[u8], limits: &Limits) -> Result<ufbx::SceneRoot> {
    let memory = || ufbx::AllocatorOpts {
        memory_limit: usize::try_from(limits.decoded_bytes).unwrap_or(usize::MAX),
        allocation_limit: MOST_ALLOCATIONS,
        ..Default::default()
    };
    let options = ufbx::LoadOpts {
        temp_allocator: memory(),
        result_allocator: memory(),
        node_depth_limit: DEEPEST,
        file_format: ufbx::FileFormat::Fbx,
        index_error_handling: ufbx::IndexErrorHandling::NoIndex,
        geometry_transform_handling: ufbx::GeometryTransformHandling::ModifyGeometry,
        inherit_mode_handling: ufbx::InheritModeHandling::Compensate,
        space_conversion: ufbx::SpaceConversion::ModifyGeometry,
        target_axes: ufbx::axes_right_handed_y_up(),
        target_unit_meters: 1.0,
        use_blender_pbr_material: true,
        ..Default::default()
    };
    ufbx::load_memory(bytes, options).map_err(|error| refuse(&error, limits))
}

/// The error of ufbx in our words.
fn refuse(error: &ufbx::Error, limits: &Limits) -> Error {
    use ufbx::ErrorType as Type;
    let what = short(&error.description);
    match error.type_ {
        Type::EmptyFile => Error::new(Code::EmptyFile, "the file has no bytes"),
        Type::TruncatedFile | Type::TruncatedVertexStream => {
            Error::new(Code::TruncatedFile, "the FBX file ends before its contents do")
        }
        Type::OutOfMemory | Type::MemoryLimit | Type::AllocationLimit => Error::new(
            Code::LimitMemory,
            format!("the model unfolds into more than {} MB", limits.decoded_bytes >> 20),
        ),
        Type::NodeDepthLimit => {
            Error::new(Code::LimitNodes, format!("the model's nodes are nested more than {DEEPEST} deep"))
        }
        Type::UnsupportedVersion => {
            Error::new(Code::UnsupportedFormat, "the file is FBX of a version that is not read")
                .with_remedy("export the model as FBX 7.4 or GLB and send that")
        }
        _ => Error::new(Code::CorruptFile, format!("the FBX file cannot be read: {what}")),
    }
}

/// What the file holds, before anything is copied out of it.
fn check_counts(file: &ufbx::Scene, limits: &Limits) -> Result<()> {
    let most = |code, count: usize, limit: u64, what: &str| {
        if count as u64 > limit {
            return Err(Error::new(
                code,
                format!("the model has {count} {what}; at most {limit} are accepted"),
            ));
        }
        Ok(())
    };
    // The root of the scene is no node of the file.
    most(Code::LimitNodes, file.nodes.len().saturating_sub(1), limits.nodes.into(), "nodes")?;
    most(Code::LimitMeshes, file.meshes.len(), limits.meshes.into(), "meshes")?;
    let triangles = file.meshes.into_iter().map(|m| m.num_triangles).fold(0, usize::saturating_add);
    most(Code::LimitTriangles, triangles, limits.triangles, "triangles")
}
