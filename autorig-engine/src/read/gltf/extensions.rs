//! Which glTF extensions are read, kept, or refused.

use super::json::Root;
use crate::scene::Scene;
use crate::{Code, Error, Result};

/// Packs a primitive's geometry.
pub(super) const DRACO: &str = "KHR_draco_mesh_compression";
/// Pack a buffer view.
pub(super) const MESHOPT: [&str; 2] = ["EXT_meshopt_compression", "KHR_meshopt_compression"];

/// Extensions that a file may require and that leave the geometry as it is, or that are read.
/// Everything that begins with `KHR_materials_` is one of them too.
const HARMLESS: [&str; 17] = [
    "KHR_mesh_quantization",
    "KHR_texture_transform",
    "KHR_texture_basisu",
    "EXT_texture_webp",
    "EXT_texture_avif",
    "MSFT_texture_dds",
    "MSFT_packing_occlusionRoughnessMetallic",
    "MSFT_packing_normalRoughnessMetallic",
    "KHR_lights_punctual",
    "EXT_lights_image_based",
    "EXT_lights_ies",
    "KHR_xmp",
    "KHR_xmp_json_ld",
    "KHR_animation_pointer",
    "KHR_techniques_webgl",
    "VRM",
    "ADOBE_materials_thin_transparency",
];

/// Refuses a file that cannot be read without an extension that is not supported.
pub(super) fn check_required(root: &Root) -> Result<()> {
    for name in &root.extensions_required {
        if !is_harmless(name) {
            let name = crate::read::siblings::short(name);
            return Err(Error::new(
                Code::UnsupportedExtension,
                format!("the file requires the glTF extension {name}, which is not read"),
            )
            .with_remedy(format!("export the model again without {name}")));
        }
    }
    Ok(())
}

fn is_harmless(name: &str) -> bool {
    HARMLESS.contains(&name)
        || is_compression(name)
        || name.starts_with("KHR_materials_")
        || name.starts_with("VRMC_")
}

/// What it packs is unpacked while reading.
fn is_compression(name: &str) -> bool {
    name == DRACO || MESHOPT.contains(&name)
}

/// Copies what a round trip can keep and says what it cannot.
pub(super) fn keep(root: &Root, scene: &mut Scene) {
    let decoded = |name: &&String| name.as_str() != "KHR_mesh_quantization" && !is_compression(name);
    scene.extensions_used = root.extensions_used.iter().filter(decoded).cloned().collect();
    scene.extensions_required = root.extensions_required.iter().filter(decoded).cloned().collect();
    for (name, value) in &root.extensions {
        if name == "KHR_materials_variants" || name == "KHR_xmp_json_ld" {
            scene.extensions.insert(name.clone(), value.clone());
        } else {
            let name = crate::read::siblings::short(name);
            scene.warn("extension_dropped", format!("the extension {name} of the whole file is not kept"));
        }
    }
    let mut on_nodes: Vec<&String> = root.nodes.iter().flat_map(|n| n.extensions.keys()).collect();
    on_nodes.sort_unstable();
    on_nodes.dedup();
    for name in on_nodes {
        let name = crate::read::siblings::short(name);
        scene.warn("extension_dropped", format!("the extension {name} of nodes is not kept"));
    }
}
