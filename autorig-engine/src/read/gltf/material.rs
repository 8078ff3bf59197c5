//! Materials, textures, images and samplers.

use serde_json::{Map, Value};

use super::accessor::Accessors;
use super::buffers::Buffers;
use super::json::{ImageDef, MaterialDef, Root, TextureInfo, corrupt, label};
use crate::read::image::{Kind, Meter, WHITE_PIXEL};
use crate::read::siblings::Resolver;
use crate::scene::{Alpha, Image, Material, Scene, Texture, TextureRef};
use crate::{Code, Limits, Result};

/// Reads everything about looks.
pub(super) fn read(
    root: &Root,
    buffers: &Buffers<'_>,
    accessors: &Accessors<'_>,
    resolver: &Resolver<'_>,
    limits: &Limits,
    scene: &mut Scene,
) -> Result<()> {
    let mut meter = Meter::new(limits);
    let mut usable = Vec::with_capacity(root.images.len());
    for (index, def) in root.images.iter().enumerate() {
        let (image, good) = read_image(root, index, def, buffers, accessors, resolver, &mut meter, scene)?;
        scene.images.push(image);
        usable.push(good);
    }
    scene.samplers.clone_from(&root.samplers);
    for (index, def) in root.textures.iter().enumerate() {
        let name = || label("texture", index, def.name.as_deref());
        check(&name, "image", def.source, root.images.len())?;
        check(&name, "sampler", def.sampler, root.samplers.len())?;
        scene.textures.push(Texture {
            name: def.name.clone().unwrap_or_default(),
            image: def.source,
            sampler: def.sampler,
            extensions: def.extensions.clone(),
        });
    }
    for (index, def) in root.materials.iter().enumerate() {
        let mut material = read_material(root, index, def)?;
        drop_missing(&mut material, &scene.textures, &usable);
        scene.materials.push(material);
    }
    Ok(())
}

fn check(name: &dyn Fn() -> String, what: &str, target: Option<usize>, count: usize) -> Result<()> {
    match target {
        Some(target) if target >= count => {
            Err(corrupt(format!("{} refers to {what} {target}, but there are only {count}", name())))
        }
        _ => Ok(()),
    }
}

/// The image and whether it is the file's own; a missing or broken one becomes a white pixel, so that
/// the character can be rigged all the same and indices in raw extensions stay true.
#[allow(clippy::too_many_arguments)]
fn read_image(
    root: &Root,
    index: usize,
    def: &ImageDef,
    buffers: &Buffers<'_>,
    accessors: &Accessors<'_>,
    resolver: &Resolver<'_>,
    meter: &mut Meter<'_>,
    scene: &mut Scene,
) -> Result<(Image, bool)> {
    let name = label("image", index, def.name.as_deref());
    let own = def.name.clone().unwrap_or_default();
    let placeholder =
        || Image { name: own.clone(), mime: "image/png".to_owned(), bytes: WHITE_PIXEL.to_vec() };
    let bytes = match (&def.uri, def.buffer_view) {
        (_, Some(view)) => {
            let (data, _) = buffers.view(root, view)?;
            accessors.budget().charge(data.len() as u64, 1)?;
            data.to_vec()
        }
        (Some(uri), None) => match resolver.fetch_uri(uri) {
            Ok(resource) => resource.bytes,
            Err(error) if error.code == Code::MissingResource => {
                scene.warn("missing_resource", error.message);
                return Ok((placeholder(), false));
            }
            Err(error) => return Err(error),
        },
        (None, None) => {
            scene.warn("missing_resource", format!("{name} has no data"));
            return Ok((placeholder(), false));
        }
    };
    let kind = Kind::of(&bytes);
    match kind.size(&bytes) {
        Some((0, _) | (_, 0)) => {
            scene.warn("image_unreadable", format!("{name} has no pixels and is left out"));
            return Ok((placeholder(), false));
        }
        Some(size) => meter.add(&name, size)?,
        None if kind.is_decodable() => {
            scene.warn("image_unreadable", format!("{name} cannot be decoded and is left out"));
            return Ok((placeholder(), false));
        }
        None => {}
    }
    let Some(mime) = kind.mime() else {
        let said = def.mime_type.as_deref().map(crate::read::siblings::short).unwrap_or_default();
        scene.warn("image_unreadable", format!("{name} is of no known kind ({said}) and is left out"));
        return Ok((placeholder(), false));
    };
    Ok((Image { name: own, mime: mime.to_owned(), bytes }, true))
}

fn read_material(root: &Root, index: usize, def: &MaterialDef) -> Result<Material> {
    let name = || label("material", index, def.name.as_deref());
    let texture = |info: &TextureInfo| -> Result<TextureRef> {
        check(&name, "texture", Some(info.index), root.textures.len())?;
        Ok(TextureRef { texture: info.index, uv_set: info.tex_coord, extensions: info.extensions.clone() })
    };
    let optional = |info: &Option<TextureInfo>| info.as_ref().map(texture).transpose();
    let unit = |value: f64| (value as f32).clamp(0.0, 1.0);
    let mut material = Material {
        name: def.name.clone().unwrap_or_default(),
        emissive: def.emissive_factor.unwrap_or_default().map(unit),
        emissive_texture: optional(&def.emissive_texture)?,
        double_sided: def.double_sided,
        extensions: def.extensions.clone(),
        extras: def.extras.clone(),
        ..Material::default()
    };
    if let Some(pbr) = &def.pbr_metallic_roughness {
        material.base_color = pbr.base_color_factor.unwrap_or([1.0; 4]).map(unit);
        material.base_color_texture = optional(&pbr.base_color_texture)?;
        material.metallic = unit(pbr.metallic_factor.unwrap_or(1.0));
        material.roughness = unit(pbr.roughness_factor.unwrap_or(1.0));
        material.metallic_roughness_texture = optional(&pbr.metallic_roughness_texture)?;
    }
    if let Some(info) = &def.normal_texture {
        material.normal_texture = Some((texture(info)?, info.scale.unwrap_or(1.0) as f32));
    }
    if let Some(info) = &def.occlusion_texture {
        material.occlusion_texture = Some((texture(info)?, unit(info.strength.unwrap_or(1.0))));
    }
    material.alpha = match def.alpha_mode.as_deref() {
        Some("MASK") => Alpha::Mask(def.alpha_cutoff.unwrap_or(0.5).max(0.0) as f32),
        Some("BLEND") => Alpha::Blend,
        _ => Alpha::Opaque,
    };
    Ok(material)
}

/// Takes off the textures whose image is not there: a white pixel in place of normals or roughness
/// would look worse than none.
fn drop_missing(material: &mut Material, textures: &[Texture], usable: &[bool]) {
    let good = |reference: &TextureRef| {
        let Some(texture) = textures.get(reference.texture) else { return false };
        let is_usable = |image: usize| usable.get(image).copied().unwrap_or(false);
        match texture.image {
            Some(image) if is_usable(image) => true,
            _ => texture.extensions.values().filter_map(source_of).any(is_usable),
        }
    };
    let clear = |slot: &mut Option<TextureRef>| {
        if slot.as_ref().is_some_and(|r| !good(r)) {
            *slot = None;
        }
    };
    clear(&mut material.base_color_texture);
    clear(&mut material.metallic_roughness_texture);
    clear(&mut material.emissive_texture);
    for slot in [&mut material.normal_texture, &mut material.occlusion_texture] {
        if slot.as_ref().is_some_and(|(r, _)| !good(r)) {
            *slot = None;
        }
    }
}

/// The image a texture extension names (`EXT_texture_webp`, `KHR_texture_basisu` and their kin).
fn source_of(extension: &Value) -> Option<usize> {
    let source = extension.as_object().and_then(|e: &Map<String, Value>| e.get("source"))?;
    usize::try_from(source.as_u64()?).ok()
}
