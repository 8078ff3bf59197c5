//! What a file is, by its content; the extension only helps where the content says nothing.

use std::borrow::Cow;

use super::{fbx, gltf, stl};
use crate::{Code, Error, Result};

/// A format the engine reads.
#[derive(Debug)]
pub(crate) enum Content<'a> {
    Glb,
    GltfJson(Cow<'a, [u8]>),
    Obj(Cow<'a, [u8]>),
    Fbx,
    StlBinary,
    StlText(Cow<'a, [u8]>),
    Ply,
    Zip,
}

/// Recognises a file or says why it is refused.
pub(crate) fn detect<'a>(name: &str, bytes: &'a [u8]) -> Result<Content<'a>> {
    if bytes.is_empty() {
        return Err(Error::new(Code::EmptyFile, "the file has no bytes"));
    }
    if bytes.starts_with(gltf::MAGIC) {
        return Ok(Content::Glb);
    }
    let extension = extension(name);
    // Other things than models come as ZIP as well, and say so by name only.
    if bytes.starts_with(b"PK\x03\x04") && !ARCHIVES.contains(&extension.as_str()) {
        return Ok(Content::Zip);
    }
    if bytes.starts_with(fbx::MAGIC) {
        return Ok(Content::Fbx);
    }
    if bytes.starts_with(b"ply\n") || bytes.starts_with(b"ply\r") {
        return Ok(Content::Ply);
    }
    if let Some(found) = known_magic(bytes) {
        return Err(refuse(found, &extension));
    }
    if stl::is_binary(bytes) {
        return Ok(Content::StlBinary);
    }
    let text = as_utf8(bytes);
    let body = text.trim_ascii_start();
    if body.is_empty() {
        return Err(Error::new(Code::EmptyFile, "the file holds nothing but blanks"));
    }
    if looks_like_stl(body) {
        return Ok(Content::StlText(text));
    }
    if looks_like_fbx(body) {
        return Ok(Content::Fbx);
    }
    if let Some(found) = known_text(body) {
        return Err(refuse(found, &extension));
    }
    if body.starts_with(b"{") {
        return Ok(Content::GltfJson(text));
    }
    if looks_like_obj(body, extension == "obj") {
        return Ok(Content::Obj(text));
    }
    Err(unknown(bytes, &extension))
}

/// Formats of other programs that are ZIP archives inside.
const ARCHIVES: [&str; 10] = ["usdz", "3mf", "sketch", "docx", "xlsx", "pptx", "odt", "jar", "apk", "epub"];

/// ASCII FBX begins with a comment that says so, or right with its header.
fn looks_like_fbx(text: &[u8]) -> bool {
    let head = text.get(..1024.min(text.len())).unwrap_or_default().to_ascii_lowercase();
    let header = b"fbxheaderextension:";
    head.starts_with(b"; fbx")
        || (head.starts_with(b";") || head.starts_with(header))
            && head.windows(header.len()).any(|w| w == header)
}

fn looks_like_stl(text: &[u8]) -> bool {
    let head = text.get(..1024.min(text.len())).unwrap_or_default().to_ascii_lowercase();
    head.starts_with(b"solid") && head.windows(5).any(|w| w == b"facet")
}

/// The extension in lower case, without the dot; empty when there is none.
pub(crate) fn extension(name: &str) -> String {
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    if stem.is_empty() || extension.len() > 10 { String::new() } else { extension.to_ascii_lowercase() }
}

/// What refused bytes are.
#[derive(Clone, Copy)]
enum Found {
    /// A 3D format that is not read.
    Model(&'static str),
    /// No model at all.
    Other(&'static str),
}

fn refuse(found: Found, extension: &str) -> Error {
    match found {
        Found::Model(what) => {
            Error::new(Code::UnsupportedFormat, format!("the file is {what}, which is not read yet"))
        }
        Found::Other("a ZIP archive") if ARCHIVES.contains(&extension) => Error::new(
            Code::UnsupportedFormat,
            format!("the file is a {extension} archive, which is not read"),
        ),
        Found::Other(what @ ("a ZIP archive" | "a RAR archive" | "a 7z archive" | "a gzip archive")) => {
            Error::new(Code::NotAModel, format!("the file is {what}, not a model"))
                .with_remedy("unpack it and send the model that is inside")
        }
        Found::Other(what) => Error::new(Code::NotAModel, format!("the file is {what}, not a model")),
    }
}

/// First bytes that name a format.
const MAGICS: [(&[u8], Found); 35] = [
    (b"BLENDER", Found::Model("a Blender file")),
    (b"PXR-USDC", Found::Model("USD")),
    (b"Ogawa", Found::Model("Alembic")),
    (b"FOR4", Found::Model("a Maya file")),
    (b"FOR8", Found::Model("a Maya file")),
    (b"DRACO", Found::Model("a bare Draco mesh")),
    (b"PMX ", Found::Model("a MikuMikuDance model")),
    (b"Pmd\0", Found::Model("a MikuMikuDance model")),
    (b"IDP2", Found::Model("MD2")),
    (b"IDP3", Found::Model("MD3")),
    (b"INTERQUAKEMODEL", Found::Model("IQM")),
    (b"\x89PNG", Found::Other("a PNG picture")),
    (b"\xFF\xD8\xFF", Found::Other("a JPEG picture")),
    (b"GIF87a", Found::Other("a GIF picture")),
    (b"GIF89a", Found::Other("a GIF picture")),
    (b"8BPS", Found::Other("a Photoshop picture")),
    (b"II*\0", Found::Other("a TIFF picture")),
    (b"MM\0*", Found::Other("a TIFF picture")),
    (b"\xABKTX ", Found::Other("a KTX texture")),
    (b"DDS ", Found::Other("a DDS texture")),
    (b"v/1\x01", Found::Other("an OpenEXR picture")),
    (b"PK\x03\x04", Found::Other("a ZIP archive")),
    (b"PK\x05\x06", Found::Other("a ZIP archive")),
    (b"Rar!\x1A\x07", Found::Other("a RAR archive")),
    (b"7z\xBC\xAF\x27\x1C", Found::Other("a 7z archive")),
    (b"\x1F\x8B", Found::Other("a gzip archive")),
    (b"\x28\xB5\x2F\xFD", Found::Other("a Zstandard archive")),
    (b"%PDF", Found::Other("a PDF document")),
    (b"\x1A\x45\xDF\xA3", Found::Other("a video")),
    (b"OggS", Found::Other("a sound or video")),
    (b"ID3", Found::Other("a sound")),
    (b"fLaC", Found::Other("a sound")),
    (b"\x7FELF", Found::Other("a program")),
    (b"MZ\x90\0", Found::Other("a program")),
    (b"\xD0\xCF\x11\xE0", Found::Other("an Office or 3ds Max document")),
];

fn known_magic(bytes: &[u8]) -> Option<Found> {
    let at = |range: std::ops::Range<usize>| bytes.get(range).unwrap_or_default();
    if bytes.starts_with(b"RIFF") {
        return Some(match at(8..12) {
            b"WEBP" => Found::Other("a WebP picture"),
            b"AVI " => Found::Other("a video"),
            _ => Found::Other("a sound"),
        });
    }
    if at(4..8) == b"ftyp" {
        let picture = matches!(at(8..12), b"avif" | b"avis" | b"heic" | b"heix" | b"mif1");
        return Some(Found::Other(if picture { "a picture" } else { "a video" }));
    }
    if bytes.starts_with(b"BM") && at(6..10) == [0; 4] {
        return Some(Found::Other("a BMP picture"));
    }
    if bytes.starts_with(b"FORM") && matches!(at(8..12), b"LWO2" | b"LWOB" | b"LWO3") {
        return Some(Found::Model("a LightWave object"));
    }
    // The first chunk of a 3DS file is the whole file.
    if bytes.starts_with(b"MM") && bytes.get(2..6) == Some(&(bytes.len() as u32).to_le_bytes()[..]) {
        return Some(Found::Model("3DS"));
    }
    if let Some((_, found)) = MAGICS.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Some(*found);
    }
    None
}

/// Beginnings of text formats; the text is without byte order mark and leading blanks.
fn known_text(text: &[u8]) -> Option<Found> {
    let head = text.get(..1024.min(text.len())).unwrap_or_default().to_ascii_lowercase();
    let starts = |with: &[u8]| head.starts_with(with);
    let holds = |what: &[u8]| head.windows(what.len()).any(|w| w == what);
    Some(if starts(b"md5version") {
        Found::Model("a Doom 3 model (MD5)")
    } else if starts(b"off\n") || starts(b"coff\n") || starts(b"off\r") {
        Found::Model("OFF")
    } else if starts(b"#vrml") {
        Found::Model("VRML")
    } else if starts(b"#usda") {
        Found::Model("USD")
    } else if starts(b"xof 0") {
        Found::Model("a DirectX model")
    } else if starts(b"//maya ascii") {
        Found::Model("a Maya file")
    } else if starts(b"hierarchy") && holds(b"root") {
        Found::Model("a BVH motion")
    } else if starts(b"<") {
        if holds(b"<collada") {
            Found::Model("COLLADA")
        } else if holds(b"<x3d") {
            Found::Model("X3D")
        } else if holds(b"<!doctype html") || holds(b"<html") {
            Found::Other("a web page")
        } else if holds(b"<svg") {
            Found::Other("an SVG picture")
        } else {
            Found::Other("an XML document")
        }
    } else {
        return None;
    })
}

/// UTF-8 bytes of text in any Unicode encoding that says so with a byte order mark; other bytes unchanged.
fn as_utf8(bytes: &[u8]) -> Cow<'_, [u8]> {
    let decode = |body: &[u8], unit: fn([u8; 2]) -> u16| {
        let units = body.chunks_exact(2).map(|pair| match pair {
            [a, b] => unit([*a, *b]),
            _ => 0,
        });
        let text: String =
            char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
        Cow::Owned(text.into_bytes())
    };
    match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => Cow::Borrowed(rest),
        [0xFF, 0xFE, rest @ ..] => decode(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => decode(rest, u16::from_be_bytes),
        _ => Cow::Borrowed(bytes),
    }
}

/// How much of a text is looked at to tell whether it is an OBJ.
const OBJ_HEAD: usize = 1 << 20;

/// An OBJ has no mark either: a line that defines a vertex, or, where the name says OBJ, any of its keywords.
fn looks_like_obj(text: &[u8], named_obj: bool) -> bool {
    let head = text.get(..OBJ_HEAD.min(text.len())).unwrap_or_default();
    if head.contains(&0) {
        return false;
    }
    head.split(|b| *b == b'\n' || *b == b'\r').any(|line| {
        let mut words = line.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty());
        match words.next() {
            Some(b"v") => {
                words.filter(|w| std::str::from_utf8(w).is_ok_and(|w| w.parse::<f64>().is_ok())).count() >= 3
            }
            Some(b"vt" | b"vn" | b"vp" | b"f" | b"l" | b"p" | b"o" | b"g" | b"s" | b"usemtl" | b"mtllib") => {
                named_obj
            }
            _ => false,
        }
    })
}

/// Model formats by extension, for content that has no mark.
const MODELS: [(&str, &str); 23] = [
    ("blend", "a Blender file"),
    ("dae", "COLLADA"),
    ("3ds", "3DS"),
    ("max", "a 3ds Max file"),
    ("ma", "a Maya file"),
    ("mb", "a Maya file"),
    ("c4d", "a Cinema 4D file"),
    ("abc", "Alembic"),
    ("usd", "USD"),
    ("usda", "USD"),
    ("usdc", "USD"),
    ("usdz", "USD"),
    ("x", "a DirectX model"),
    ("x3d", "X3D"),
    ("wrl", "VRML"),
    ("lwo", "a LightWave object"),
    ("md2", "MD2"),
    ("md3", "MD3"),
    ("md5mesh", "a Doom 3 model (MD5)"),
    ("pmx", "a MikuMikuDance model"),
    ("ztl", "a ZBrush file"),
    ("3mf", "3MF"),
    ("bvh", "a BVH motion"),
];

fn unknown(bytes: &[u8], extension: &str) -> Error {
    if let Some((_, what)) = MODELS.iter().find(|(key, _)| *key == extension) {
        return Error::new(
            Code::UnsupportedFormat,
            format!("the file's name says {what}, which is not read yet"),
        );
    }
    if matches!(extension, "glb" | "vrm" | "fbx") {
        let zeros = bytes.iter().take(4096).all(|b| *b == 0);
        let like =
            if extension == "fbx" { "does not begin like an FBX" } else { "does not begin like a GLB" };
        let what = if zeros { "holds zeros" } else { like };
        return Error::new(Code::UnknownFormat, format!("the file's name says {extension}, but it {what}"));
    }
    Error::new(Code::UnknownFormat, "the file is of no format that is known")
}

/// True when an extension names another format than the one that was found.
pub(crate) fn contradicts(extension: &str, found: &[&str]) -> bool {
    const OTHERS: [&str; 15] = [
        "fbx", "glb", "gltf", "vrm", "obj", "stl", "ply", "png", "jpg", "jpeg", "webp", "zip", "html", "pdf",
        "mp4",
    ];
    let known = OTHERS.contains(&extension) || MODELS.iter().any(|(key, _)| *key == extension);
    known && !found.contains(&extension)
}
