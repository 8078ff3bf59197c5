//! PLY (Stanford polygon file, Turk 1994), text and both binaries: positions, normals, colours, texture coordinates and
//! polygons. Other elements and properties are passed over.

use super::stl::scene_of;
use crate::scene::{Format, Primitive, Scene};
use crate::{Code, Error, Limits, Result};

/// More elements or properties than any real file declares.
const MAX_DECLARED: usize = 256;

/// Reads a PLY.
pub(super) fn read(name: &str, bytes: &[u8], limits: &Limits) -> Result<Scene> {
    let header = Header::parse(bytes)?;
    let mut input = Input { rest: header.body, encoding: header.encoding };
    let mut primitive = Primitive::default();
    for element in &header.elements {
        match element.name.as_str() {
            "vertex" => read_vertices(element, &mut input, limits, &mut primitive)?,
            "face" => read_faces(element, &mut input, limits, &mut primitive)?,
            _ => {
                for _ in 0..element.count {
                    element.skip(&mut input)?;
                }
            }
        }
    }
    let count = primitive.positions.len();
    if primitive.indices.iter().any(|i| *i as usize >= count) {
        return Err(corrupt(format!("a face names a vertex that is not there; there are {count}")));
    }
    if primitive.indices.is_empty() {
        return Err(Error::new(Code::NoGeometry, "the PLY has no faces; it may be a point cloud"));
    }
    scene_of(name, Format::Ply, primitive)
}

fn corrupt(message: impl Into<String>) -> Error {
    Error::new(Code::CorruptFile, format!("the PLY is broken: {}", message.into()))
}

fn ended() -> Error {
    Error::new(Code::TruncatedFile, "the PLY ends before its contents do")
}

#[derive(Clone, Copy, PartialEq)]
enum Encoding {
    Text,
    Little,
    Big,
}

#[derive(Clone, Copy, PartialEq)]
enum Scalar {
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    F32,
    F64,
}

impl Scalar {
    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "char" | "int8" => Self::I8,
            "uchar" | "uint8" => Self::U8,
            "short" | "int16" => Self::I16,
            "ushort" | "uint16" => Self::U16,
            "int" | "int32" => Self::I32,
            "uint" | "uint32" => Self::U32,
            "float" | "float32" => Self::F32,
            "double" | "float64" => Self::F64,
            _ => return None,
        })
    }

    /// What means full intensity in a colour.
    fn full(self) -> f64 {
        match self {
            Self::U8 => 255.0,
            Self::U16 => 65_535.0,
            _ => 1.0,
        }
    }

    fn size(self) -> usize {
        match self {
            Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::F64 => 8,
        }
    }
}

struct Property {
    name: String,
    kind: Scalar,
    /// Type of the length, for a list.
    list: Option<Scalar>,
}

struct Element {
    name: String,
    count: u64,
    properties: Vec<Property>,
}

impl Element {
    fn skip(&self, input: &mut Input<'_>) -> Result<()> {
        for property in &self.properties {
            let count = property.list.map_or(Ok(1.0), |kind| input.number(kind))?;
            for _ in 0..count as u64 {
                input.number(property.kind)?;
            }
        }
        Ok(())
    }

    fn place(&self, names: &[&str]) -> Option<usize> {
        self.properties.iter().position(|p| p.list.is_none() && names.contains(&p.name.as_str()))
    }
}

struct Header<'a> {
    encoding: Encoding,
    elements: Vec<Element>,
    body: &'a [u8],
}

impl<'a> Header<'a> {
    fn parse(bytes: &'a [u8]) -> Result<Self> {
        let (mut encoding, mut elements): (_, Vec<Element>) = (None, Vec::new());
        let mut rest = bytes;
        loop {
            let end = rest.iter().position(|b| *b == b'\n').ok_or_else(ended)?;
            let (line, after) = rest.split_at(end);
            rest = after.get(1..).unwrap_or_default();
            let line = std::str::from_utf8(line).map_err(|_| corrupt("its header is not text"))?;
            let words: Vec<&str> = line.split_ascii_whitespace().collect();
            match words.as_slice() {
                ["end_header"] => break,
                ["format", kind, _] => encoding = Some(parse_encoding(kind)?),
                ["element", name, count] => {
                    let count = count.parse().map_err(|_| corrupt("an element has no count"))?;
                    elements.push(Element { name: (*name).to_owned(), count, properties: Vec::new() });
                }
                ["property", declared @ ..] => {
                    let element = elements.last_mut().ok_or_else(|| corrupt("a property has no element"))?;
                    element.properties.push(parse_property(declared)?);
                }
                _ => {}
            }
            if elements.len() > MAX_DECLARED || elements.iter().any(|e| e.properties.len() > MAX_DECLARED) {
                return Err(corrupt("its header declares too much"));
            }
        }
        let encoding = encoding.ok_or_else(|| corrupt("its header names no format"))?;
        // Without properties an element takes no bytes, and nothing would bound its count.
        elements.retain(|e| !e.properties.is_empty());
        Ok(Self { encoding, elements, body: rest })
    }
}

fn parse_encoding(kind: &str) -> Result<Encoding> {
    match kind {
        "ascii" => Ok(Encoding::Text),
        "binary_little_endian" => Ok(Encoding::Little),
        "binary_big_endian" => Ok(Encoding::Big),
        _ => Err(corrupt("its format is unknown")),
    }
}

fn parse_property(declared: &[&str]) -> Result<Property> {
    let kind = |word: &str| Scalar::parse(word).ok_or_else(|| corrupt("a property is of an unknown type"));
    match declared {
        ["list", length, item, name] => {
            Ok(Property { name: (*name).to_owned(), kind: kind(item)?, list: Some(kind(length)?) })
        }
        [item, name] => Ok(Property { name: (*name).to_owned(), kind: kind(item)?, list: None }),
        _ => Err(corrupt("a property is not declared properly")),
    }
}

struct Input<'a> {
    rest: &'a [u8],
    encoding: Encoding,
}

impl Input<'_> {
    fn number(&mut self, kind: Scalar) -> Result<f64> {
        if self.encoding == Encoding::Text {
            return self.word();
        }
        let (bytes, rest) = self.rest.split_at_checked(kind.size()).ok_or_else(ended)?;
        self.rest = rest;
        let mut little = [0; 8];
        let place = little.get_mut(..bytes.len()).ok_or_else(ended)?;
        place.copy_from_slice(bytes);
        if self.encoding == Encoding::Big {
            place.reverse();
        }
        let [a, b, c, d, ..] = little;
        Ok(match kind {
            Scalar::I8 => i8::from_le_bytes([a]).into(),
            Scalar::U8 => a.into(),
            Scalar::I16 => i16::from_le_bytes([a, b]).into(),
            Scalar::U16 => u16::from_le_bytes([a, b]).into(),
            Scalar::I32 => i32::from_le_bytes([a, b, c, d]).into(),
            Scalar::U32 => u32::from_le_bytes([a, b, c, d]).into(),
            Scalar::F32 => f32::from_le_bytes([a, b, c, d]).into(),
            Scalar::F64 => f64::from_le_bytes(little),
        })
    }

    fn word(&mut self) -> Result<f64> {
        let start = self.rest.iter().position(|b| !b.is_ascii_whitespace()).ok_or_else(ended)?;
        let rest = self.rest.get(start..).unwrap_or_default();
        let end = rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len());
        let (word, rest) = rest.split_at(end);
        self.rest = rest;
        let word = std::str::from_utf8(word).ok().and_then(|w| w.parse().ok());
        word.ok_or_else(|| corrupt("there is something else where a number is expected"))
    }

    /// How many elements the rest can hold at most, each of at least this many numbers.
    fn room(&self, numbers: usize) -> u64 {
        (self.rest.len() / numbers.max(1)) as u64
    }
}

fn read_vertices(
    element: &Element,
    input: &mut Input<'_>,
    limits: &Limits,
    primitive: &mut Primitive,
) -> Result<()> {
    let find = |names: [&[&str]; 3]| -> Option<[usize; 3]> {
        Some([element.place(names[0])?, element.place(names[1])?, element.place(names[2])?])
    };
    let position = find([&["x"], &["y"], &["z"]]).ok_or_else(|| corrupt("its vertices have no position"))?;
    let normal = find([&["nx"], &["ny"], &["nz"]]);
    let color = find([
        &["red", "r", "diffuse_red"],
        &["green", "g", "diffuse_green"],
        &["blue", "b", "diffuse_blue"],
    ]);
    let alpha = element.place(&["alpha", "a"]);
    let uv = element.place(&["s", "u", "texture_u"]).zip(element.place(&["t", "v", "texture_v"]));
    if element.count > input.room(element.properties.len()).saturating_add(1) {
        return Err(ended());
    }
    if element.count.saturating_mul(64) > limits.decoded_bytes {
        let message = format!("the PLY declares {} vertices, which unfold into too much", element.count);
        return Err(Error::new(Code::LimitMemory, message));
    }
    let (mut normals, mut colors, mut uvs) = (Vec::new(), Vec::new(), Vec::new());
    let mut row = vec![0.0; element.properties.len()];
    for _ in 0..element.count {
        for (slot, property) in row.iter_mut().zip(&element.properties) {
            match property.list {
                None => *slot = input.number(property.kind)?,
                Some(length) => {
                    for _ in 0..input.number(length)? as u64 {
                        input.number(property.kind)?;
                    }
                }
            }
        }
        let at = |place: usize| row.get(place).copied().unwrap_or(0.0);
        let three = |places: [usize; 3]| places.map(|p| at(p) as f32);
        primitive.positions.push(three(position));
        normals.extend(normal.map(three));
        uvs.extend(uv.map(|(u, v)| [at(u) as f32, 1.0 - at(v) as f32]));
        colors.extend(color.map(|places| {
            let part = |place: usize| {
                let full = element.properties.get(place).map_or(1.0, |p| p.kind.full());
                at(place) / full
            };
            let [r, g, b] = places.map(|p| linear(part(p)));
            [r, g, b, alpha.map_or(1.0, |a| part(a) as f32)]
        }));
    }
    primitive.normals = (!normals.is_empty()).then_some(normals);
    primitive.uvs.extend((!uvs.is_empty()).then_some(uvs));
    primitive.colors.extend((!colors.is_empty()).then_some(colors));
    Ok(())
}

/// Colours of a PLY are as on a screen (sRGB, IEC 61966-2-1).
fn linear(value: f64) -> f32 {
    let value = value.clamp(0.0, 1.0);
    if value <= 0.040_45 { (value / 12.92) as f32 } else { libm::pow((value + 0.055) / 1.055, 2.4) as f32 }
}

fn read_faces(
    element: &Element,
    input: &mut Input<'_>,
    limits: &Limits,
    primitive: &mut Primitive,
) -> Result<()> {
    for _ in 0..element.count {
        for property in &element.properties {
            let Some(length) = property.list else {
                input.number(property.kind)?;
                continue;
            };
            let corners = input.number(length)? as u64;
            let is_face = matches!(property.name.as_str(), "vertex_indices" | "vertex_index");
            let mut fan: Option<(u32, u32)> = None;
            let mut first = None;
            for _ in 0..corners {
                let number = input.number(property.kind)?;
                if !is_face {
                    continue;
                }
                if number < 0.0 || number > f64::from(u32::MAX) {
                    return Err(corrupt("a face names a vertex below 0"));
                }
                let corner = number as u32;
                match (first, fan) {
                    (None, _) => first = Some(corner),
                    (Some(a), None) => fan = Some((a, corner)),
                    (Some(a), Some((_, b))) => {
                        primitive.indices.extend([a, b, corner]);
                        fan = Some((a, corner));
                    }
                }
            }
        }
        if primitive.indices.len() as u64 / 3 > limits.triangles {
            let message = format!("the model has more than {} triangles", limits.triangles);
            return Err(Error::new(Code::LimitTriangles, message));
        }
    }
    Ok(())
}
