//! Material files (MTL) and the pictures they name.

use std::collections::BTreeMap;

use super::parse::File;
use crate::read::image::{Meter, add_texture};
use crate::read::siblings::{Resolver, short};
use crate::scene::{Alpha, Material, Scene, TextureRef};
use crate::{Code, Limits, Result};

/// What an MTL says about one material.
#[derive(Debug, Default, Clone)]
struct Described {
    diffuse: Option<[f32; 3]>,
    emissive: Option<[f32; 3]>,
    shininess: Option<f32>,
    roughness: Option<f32>,
    metallic: Option<f32>,
    opacity: Option<f32>,
    transparency: Option<f32>,
    diffuse_map: Option<Map>,
    emissive_map: Option<Map>,
    opacity_map: Option<Map>,
    normal_map: Option<Map>,
}

#[derive(Debug, Clone)]
struct Map {
    path: String,
    strength: f32,
}

/// Makes the scene's materials, one for each that faces use, in that order.
pub(super) fn read(file: &File, resolver: &Resolver<'_>, limits: &Limits, scene: &mut Scene) -> Result<()> {
    let mut known = BTreeMap::new();
    for library in &file.libraries {
        match fetch_library(library, resolver) {
            Ok(texts) => texts.iter().for_each(|text| describe(text, &mut known)),
            Err(error) if error.code == Code::MissingResource => {
                scene.warn("missing_resource", error.message);
            }
            Err(error) => return Err(error),
        }
    }
    let mut pictures = Pictures { resolver, meter: Meter::new(limits), textures: BTreeMap::new(), scene };
    for name in &file.materials.list {
        let described = known.get(name).cloned().unwrap_or_default();
        let material = convert(name, &described, &mut pictures)?;
        pictures.scene.materials.push(material);
    }
    Ok(())
}

/// The files of a `mtllib` line: one name with blanks in it, or several names.
fn fetch_library(line: &str, resolver: &Resolver<'_>) -> Result<Vec<Vec<u8>>> {
    match fetch(resolver, line) {
        Ok(text) => Ok(vec![text]),
        Err(error) if error.code != Code::MissingResource => Err(error),
        Err(error) => {
            let parts: Vec<&str> = line.split_whitespace().collect();
            if parts.len() < 2 {
                return Err(error);
            }
            let texts: Vec<Vec<u8>> = parts.iter().filter_map(|part| fetch(resolver, part).ok()).collect();
            if texts.is_empty() { Err(error) } else { Ok(texts) }
        }
    }
}

/// A file beside the model. Programs write the paths of the machine they ran on; then the name alone is tried.
fn fetch(resolver: &Resolver<'_>, path: &str) -> Result<Vec<u8>> {
    let path = path.trim().trim_matches('"');
    resolver.fetch_path(path).or_else(|error| {
        let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
        if error.code == Code::MissingResource && name != path {
            resolver.fetch_path(name).map_err(|_| error)
        } else {
            Err(error)
        }
    })
}

fn describe(text: &[u8], known: &mut BTreeMap<String, Described>) {
    let text = String::from_utf8_lossy(text);
    let mut current: Option<(String, Described)> = None;
    for line in text.split(['\n', '\r']) {
        let line = line.trim();
        let (keyword, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let rest = rest.trim();
        if keyword == "newmtl" {
            known.extend(current.take());
            current = Some((rest.to_owned(), Described::default()));
        } else if let Some((_, material)) = &mut current {
            statement(keyword, rest, material);
        }
    }
    known.extend(current);
}

fn statement(keyword: &str, rest: &str, material: &mut Described) {
    let number = || rest.split_whitespace().next().and_then(finite);
    match keyword.to_ascii_lowercase().as_str() {
        "kd" => material.diffuse = color(rest),
        "ke" => material.emissive = color(rest),
        "ns" => material.shininess = number(),
        "pr" => material.roughness = number(),
        "pm" => material.metallic = number(),
        "d" => material.opacity = rest.split_whitespace().find_map(finite),
        "tr" => material.transparency = number(),
        "map_kd" => material.diffuse_map = map(rest),
        "map_ke" => material.emissive_map = map(rest),
        "map_d" => material.opacity_map = map(rest),
        "norm" | "map_kn" => material.normal_map = map(rest),
        "map_bump" | "bump" if material.normal_map.is_none() => material.normal_map = map(rest),
        _ => {}
    }
}

fn finite(word: &str) -> Option<f32> {
    word.parse::<f32>().ok().filter(|x| x.is_finite())
}

/// `r g b`, or one number for all three; `spectral` and `xyz` forms are not known here.
fn color(rest: &str) -> Option<[f32; 3]> {
    let mut numbers = rest.split_whitespace().map_while(finite);
    let r = numbers.next()?;
    let g = numbers.next().unwrap_or(r);
    let b = numbers.next().unwrap_or(g);
    Some([r, g, b].map(|x| x.clamp(0.0, 1.0)))
}

/// The file of a map statement, options skipped; a name may hold blanks.
fn map(rest: &str) -> Option<Map> {
    let mut strength = 1.0;
    let mut rest = rest.trim();
    while rest.starts_with('-') {
        let (option, after) = rest.split_once(char::is_whitespace)?;
        let most = match option.to_ascii_lowercase().as_str() {
            "-o" | "-s" | "-t" => 3,
            "-mm" => 2,
            "-bm" | "-blendu" | "-blendv" | "-boost" | "-cc" | "-clamp" | "-imfchan" | "-texres"
            | "-type" => 1,
            _ => break,
        };
        rest = after.trim_start();
        for taken in 0..most {
            let (word, after) = rest.split_once(char::is_whitespace)?;
            // The second and third number of an option may be left out.
            if taken > 0 && finite(word).is_none() {
                break;
            }
            if option.eq_ignore_ascii_case("-bm") {
                strength = finite(word).unwrap_or(1.0);
            }
            rest = after.trim_start();
        }
    }
    (!rest.is_empty()).then(|| Map { path: rest.to_owned(), strength })
}

/// Shininess as the Phong exponent that modelling programs export, 0 to 1000.
fn roughness_of(shininess: f32) -> f32 {
    1.0 - (shininess.clamp(0.0, 1000.0) / 1000.0).sqrt()
}

fn convert(name: &str, described: &Described, pictures: &mut Pictures<'_>) -> Result<Material> {
    let base_color_texture = pictures.texture(described.diffuse_map.as_ref())?;
    let emissive_texture = pictures.texture(described.emissive_map.as_ref())?;
    let normal = pictures.texture(described.normal_map.as_ref())?;
    let strength = described.normal_map.as_ref().map_or(1.0, |m| m.strength);
    // With a texture, programs disagree whether the colour counts; black ones would hide it.
    let [r, g, b] =
        if base_color_texture.is_some() { [1.0; 3] } else { described.diffuse.unwrap_or([0.8; 3]) };
    let opacity =
        described.opacity.or(described.transparency.map(|t| 1.0 - t)).unwrap_or(1.0).clamp(0.0, 1.0);
    // Wholly invisible means that the exporter counts the other way round.
    let opacity = if opacity == 0.0 { 1.0 } else { opacity };
    let cut_out = match (&described.opacity_map, &described.diffuse_map) {
        (Some(opacity), Some(diffuse)) if opacity.path == diffuse.path => base_color_texture.is_some(),
        (Some(opacity), _) => {
            let message =
                format!("the opacity texture \"{}\" of material \"{}\"", short(&opacity.path), short(name));
            pictures.scene.warn("texture_not_kept", format!("{message} is no part of its colour texture"));
            false
        }
        (None, _) => false,
    };
    let emissive = match (described.emissive, &emissive_texture) {
        (Some(color), _) if color != [0.0; 3] => color,
        (_, Some(_)) => [1.0; 3],
        _ => [0.0; 3],
    };
    Ok(Material {
        name: name.to_owned(),
        base_color: [r, g, b, opacity],
        base_color_texture,
        metallic: described.metallic.unwrap_or(0.0).clamp(0.0, 1.0),
        roughness: described
            .roughness
            .unwrap_or_else(|| described.shininess.map_or(0.9, roughness_of))
            .clamp(0.0, 1.0),
        normal_texture: normal.map(|texture| (texture, strength)),
        emissive,
        emissive_texture,
        alpha: match (opacity < 1.0, cut_out) {
            (true, _) => Alpha::Blend,
            (false, true) => Alpha::Mask(0.5),
            (false, false) => Alpha::Opaque,
        },
        ..Material::default()
    })
}

/// Pictures read so far, each once.
struct Pictures<'a> {
    resolver: &'a Resolver<'a>,
    meter: Meter<'a>,
    textures: BTreeMap<String, Option<usize>>,
    scene: &'a mut Scene,
}

impl Pictures<'_> {
    fn texture(&mut self, map: Option<&Map>) -> Result<Option<TextureRef>> {
        let Some(map) = map else { return Ok(None) };
        let index = match self.textures.get(&map.path) {
            Some(index) => *index,
            None => {
                let index = self.load(&map.path)?;
                self.textures.insert(map.path.clone(), index);
                index
            }
        };
        Ok(index.map(|texture| TextureRef { texture, ..TextureRef::default() }))
    }

    fn load(&mut self, path: &str) -> Result<Option<usize>> {
        let bytes = match fetch(self.resolver, path) {
            Ok(bytes) => bytes,
            Err(error) if error.code == Code::MissingResource => {
                self.scene.warn("missing_resource", error.message);
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        add_texture(self.scene, &mut self.meter, path, bytes)
    }
}
