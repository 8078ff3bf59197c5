//! Materials as Phong, and the images they use.

use std::collections::BTreeMap;

use super::names::{Names, file_stem};
use super::objects::Objects;
use super::rows::{self, properties70};
use super::tree::{Node, Property};
use crate::scene::{Alpha, Image, Material, Scene, TextureRef};

/// The materials and images of a file under construction, each written once and only when used.
pub(super) struct Looks<'a> {
    scene: &'a Scene,
    names: Names,
    files: Names,
    materials: BTreeMap<Option<usize>, i64>,
    videos: BTreeMap<usize, Option<Video>>,
}

/// An embedded image.
#[derive(Clone)]
struct Video {
    id: i64,
    name: String,
    file: String,
}

impl<'a> Looks<'a> {
    pub(super) fn new(scene: &'a Scene) -> Self {
        Self {
            scene,
            names: Names::default(),
            files: Names::default(),
            materials: BTreeMap::new(),
            videos: BTreeMap::new(),
        }
    }

    /// True when another level's scene has the same materials and images at the same places.
    pub(super) fn fit(&self, scene: &Scene) -> bool {
        let same = |(a, b): (&Image, &Image)| a.bytes == b.bytes;
        std::ptr::eq(self.scene, scene)
            || (self.scene.materials.len() == scene.materials.len()
                && self.scene.textures.len() == scene.textures.len()
                && self.scene.images.len() == scene.images.len()
                && self.scene.materials.iter().zip(&scene.materials).all(|(a, b)| a.name == b.name)
                && self.scene.images.iter().zip(&scene.images).all(same))
    }

    /// The looks of another scene in the same file.
    pub(super) fn next(self, scene: &'a Scene) -> Self {
        Self { scene, materials: BTreeMap::new(), videos: BTreeMap::new(), ..self }
    }

    /// The object of a material; `None` is the one of parts that have none beside others that have.
    pub(super) fn material(&mut self, objects: &mut Objects, index: Option<usize>) -> i64 {
        if let Some(id) = self.materials.get(&index) {
            return *id;
        }
        let plain = Material { metallic: 0.0, ..Material::default() };
        let scene = self.scene;
        let material = index.and_then(|i| scene.materials.get(i)).unwrap_or(&plain);
        let name = self.names.unique(&material.name, "Material");
        let (id, record) = objects.begin("Material", &name, "Material", "");
        let record = record
            .child(Node::new("Version").i32(102))
            .child(Node::new("ShadingModel").text("phong"))
            .child(Node::new("MultiLayer").i32(0))
            .child(properties70(phong(material)));
        objects.add("Material", record);
        self.materials.insert(index, id);
        self.textures(objects, material, id);
        id
    }

    fn textures(&mut self, objects: &mut Objects, material: &Material, id: i64) {
        let base = material.base_color_texture.as_ref();
        let see_through = material.alpha == Alpha::Blend;
        let base_slots: &[&str] =
            if see_through { &["DiffuseColor", "TransparencyFactor"] } else { &["DiffuseColor"] };
        let slots = [
            (base, base_slots),
            (material.normal_texture.as_ref().map(|t| &t.0), &["NormalMap"][..]),
            (material.emissive_texture.as_ref(), &["EmissiveColor"][..]),
            // Phong has no place for these two; the images travel along for whoever sets up the material by hand.
            (material.metallic_roughness_texture.as_ref(), &[][..]),
            (material.occlusion_texture.as_ref().map(|t| &t.0), &[][..]),
        ];
        for (texture, properties) in slots {
            let Some(texture) = texture else { continue };
            let Some(video) = self.video(objects, texture) else { continue };
            if properties.is_empty() {
                continue;
            }
            let own = add_texture(objects, &video, texture);
            for property in properties {
                objects.connect_property(own, id, property);
            }
        }
    }

    /// The embedded image of a texture; `None` where it has none that readers of FBX know.
    fn video(&mut self, objects: &mut Objects, texture: &TextureRef) -> Option<Video> {
        let texture = self.scene.textures.get(texture.texture)?;
        let webp = texture.extensions.get("EXT_texture_webp").and_then(|e| e.get("source"));
        let webp = webp.and_then(serde_json::Value::as_u64).and_then(|i| usize::try_from(i).ok());
        let index = texture.image.or(webp)?;
        if let Some(video) = self.videos.get(&index) {
            return video.clone();
        }
        let video = self.scene.images.get(index).and_then(|image| {
            let (extension, bytes) = encoded(image)?;
            let given = if image.name.is_empty() { &texture.name } else { &image.name };
            let stem = self.files.unique(&file_stem(given), "texture");
            Some(add_video(objects, &stem, extension, bytes))
        });
        self.videos.insert(index, video.clone());
        video
    }
}

/// The image in a format that readers of FBX know.
fn encoded(image: &Image) -> Option<(&'static str, Vec<u8>)> {
    match image.mime.as_str() {
        "image/png" => Some(("png", image.bytes.clone())),
        "image/jpeg" => Some(("jpg", image.bytes.clone())),
        "image/webp" => {
            let picture = image::load_from_memory_with_format(&image.bytes, image::ImageFormat::WebP).ok()?;
            let mut out = std::io::Cursor::new(Vec::new());
            picture.write_to(&mut out, image::ImageFormat::Png).ok()?;
            Some(("png", out.into_inner()))
        }
        _ => None,
    }
}

fn add_video(objects: &mut Objects, stem: &str, extension: &str, bytes: Vec<u8>) -> Video {
    let file = format!("{stem}.{extension}");
    let (id, record) = objects.begin("Video", stem, "Video", "Clip");
    let record = record
        .child(Node::new("Type").text("Clip"))
        .child(properties70([rows::url("Path", &file)]))
        .child(Node::new("UseMipMap").i32(0))
        .child(Node::new("Filename").text(&file))
        .child(Node::new("RelativeFilename").text(&file))
        .child(Node::new("Content").with(Property::Raw(bytes)));
    objects.add("Video", record);
    Video { id, name: stem.to_owned(), file }
}

fn add_texture(objects: &mut Objects, video: &Video, texture: &TextureRef) -> i64 {
    let (id, record) = objects.begin("Texture", &video.name, "Texture", "");
    let full = |name: &str, class: &str| {
        let mut text = name.as_bytes().to_vec();
        text.extend_from_slice(b"\0\x01");
        text.extend_from_slice(class.as_bytes());
        Property::Text(text)
    };
    let set = if texture.uv_set == 0 { "UVMap".to_owned() } else { format!("UVMap{}", texture.uv_set + 1) };
    let record = record
        .child(Node::new("Type").text("TextureVideoClip"))
        .child(Node::new("Version").i32(202))
        .child(Node::new("TextureName").with(full(&video.name, "Texture")))
        .child(properties70([rows::string("UVSet", &set), rows::boolean("UseMaterial", true)]))
        .child(Node::new("Media").with(full(&video.name, "Video")))
        .child(Node::new("FileName").text(&video.file))
        .child(Node::new("RelativeFilename").text(&video.file))
        .child(Node::new("ModelUVTranslation").f64(0.0).f64(0.0))
        .child(Node::new("ModelUVScaling").f64(1.0).f64(1.0))
        .child(Node::new("Texture_Alpha_Source").text("None"))
        .child(Node::new("Cropping").i32(0).i32(0).i32(0).i32(0));
    objects.add("Texture", record);
    objects.connect(video.id, id);
    id
}

/// Metallic-roughness as Phong. Shininess and reflection hold roughness and metalness as Blender writes and reads them.
fn phong(material: &Material) -> Vec<Node> {
    let [r, g, b, alpha] = material.base_color;
    let opacity = if material.alpha == Alpha::Opaque { 1.0 } else { f64::from(alpha.clamp(0.0, 1.0)) };
    let smooth = 10.0 * (1.0 - f64::from(material.roughness.clamp(0.0, 1.0)));
    let glow = material.emissive != [0.0; 3];
    let mut rows = vec![
        rows::string("ShadingModel", "phong"),
        rows::color("DiffuseColor", [r, g, b]),
        rows::number("DiffuseFactor", 1.0),
        rows::color("AmbientColor", [0.0; 3]),
        rows::color("SpecularColor", [1.0; 3]),
        rows::number("SpecularFactor", 0.25),
        rows::number("Shininess", smooth * smooth),
        rows::number("ShininessExponent", smooth * smooth),
        rows::color("ReflectionColor", [1.0; 3]),
        rows::number("ReflectionFactor", material.metallic.clamp(0.0, 1.0).into()),
        rows::color("EmissiveColor", material.emissive),
        rows::number("EmissiveFactor", if glow { 1.0 } else { 0.0 }),
        rows::color("TransparentColor", [1.0; 3]),
        rows::number("TransparencyFactor", 1.0 - opacity),
        rows::number("Opacity", opacity),
        rows::double("BumpFactor", material.normal_texture.as_ref().map_or(1.0, |t| t.1.into())),
    ];
    // What Phong cannot say, for our own reader and for curious people.
    match material.alpha {
        Alpha::Opaque => rows.push(rows::user_string("alphaMode", "OPAQUE")),
        Alpha::Blend => rows.push(rows::user_string("alphaMode", "BLEND")),
        Alpha::Mask(cutoff) => rows.extend([
            rows::user_string("alphaMode", "MASK"),
            rows::user_double("alphaCutoff", cutoff.into()),
        ]),
    }
    rows
}
