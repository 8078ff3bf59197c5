//! The lines of an OBJ.

use std::collections::BTreeMap;

use crate::{Code, Error, Limits, Result};

/// Stands for an index that a corner does not have.
pub(super) const NONE: u32 = u32::MAX;

/// Everything an OBJ says, flat.
#[derive(Debug, Default)]
pub(super) struct File {
    pub(super) positions: Vec<[f32; 3]>,
    /// Empty, or one a position; as in the file.
    pub(super) colors: Vec<[f32; 3]>,
    pub(super) uvs: Vec<[f32; 2]>,
    pub(super) normals: Vec<[f32; 3]>,
    /// Position, UV and normal of every corner.
    pub(super) corners: Vec<[u32; 3]>,
    pub(super) faces: Vec<Face>,
    /// Names of objects, groups and materials in the order of first use.
    pub(super) objects: Names,
    pub(super) groups: Names,
    pub(super) materials: Names,
    /// Material files.
    pub(super) libraries: Vec<String>,
    pub(super) faces_dropped: usize,
    pub(super) lines_dropped: usize,
}

/// A polygon: its corners end where the next one's begin.
#[derive(Debug, Clone, Copy)]
pub(super) struct Face {
    pub(super) first_corner: u32,
    pub(super) line: u32,
    pub(super) object: u32,
    pub(super) group: u32,
    pub(super) material: u32,
}

/// Names with the number of each.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) list: Vec<String>,
    numbers: BTreeMap<String, u32>,
}

impl Names {
    fn number(&mut self, name: String) -> u32 {
        let next = self.list.len() as u32;
        *self.numbers.entry(name).or_insert_with_key(|name| {
            self.list.push(name.clone());
            next
        })
    }
}

impl File {
    /// The corners of a face.
    pub(super) fn polygon(&self, face: usize) -> &[[u32; 3]] {
        let start = self.faces.get(face).map_or(0, |f| f.first_corner as usize);
        let end = self.faces.get(face + 1).map_or(self.corners.len(), |f| f.first_corner as usize);
        self.corners.get(start..end).unwrap_or_default()
    }
}

/// Reads the text.
pub(super) fn parse(text: &[u8], limits: &Limits) -> Result<File> {
    let mut parser = Parser {
        file: File::default(),
        object: NONE,
        group: NONE,
        material: NONE,
        triangles: 0,
        limit: limits.triangles,
    };
    // Files of old Macintosh programs end lines with carriage returns alone.
    let end = if text.contains(&b'\n') { b'\n' } else { b'\r' };
    let mut joined: Vec<u8> = Vec::new();
    for (index, line) in text.split(|b| *b == end).enumerate() {
        let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
        let line = line.trim_ascii();
        if let Some(head) = line.strip_suffix(b"\\") {
            joined.extend_from_slice(head);
            joined.push(b' ');
        } else if joined.is_empty() {
            parser.line(line, number)?;
        } else {
            joined.extend_from_slice(line);
            parser.line(&std::mem::take(&mut joined), number)?;
        }
    }
    parser.finish()
}

struct Parser {
    file: File,
    object: u32,
    group: u32,
    material: u32,
    triangles: u64,
    limit: u64,
}

impl Parser {
    fn line(&mut self, line: &[u8], number: u32) -> Result<()> {
        let cut = line.iter().position(u8::is_ascii_whitespace).unwrap_or(line.len());
        let (keyword, rest) = line.split_at_checked(cut).unwrap_or((line, &[]));
        match keyword {
            b"v" => self.position(rest, number)?,
            b"vt" => {
                let ([u, v, _], _) = numbers::<3>(rest, 1, number)?;
                self.file.uvs.push([u, 1.0 - v]);
            }
            b"vn" => {
                let (normal, _) = numbers::<3>(rest, 3, number)?;
                self.file.normals.push(normal);
            }
            b"f" | b"fo" => self.face(rest, number)?,
            b"o" => self.object = self.file.objects.number(text(rest)),
            b"g" => self.group = self.file.groups.number(text(rest)),
            b"usemtl" => self.material = self.file.materials.number(text(rest)),
            b"mtllib" => self.file.libraries.push(text(rest)),
            b"l" | b"p" | b"curv" | b"curv2" | b"surf" => self.file.lines_dropped += 1,
            // Comments, smoothing groups, free-form geometry, whatever else there is: nothing that is used.
            _ => {}
        }
        Ok(())
    }

    /// `v x y z`, then nothing, a weight, or a colour.
    fn position(&mut self, rest: &[u8], number: u32) -> Result<()> {
        let ([x, y, z, r, g, b], count) = numbers::<6>(rest, 3, number)?;
        let file = &mut self.file;
        if count == 6 {
            file.colors.resize(file.positions.len(), [1.0; 3]);
            file.colors.push([r, g, b]);
        } else if !file.colors.is_empty() {
            file.colors.push([1.0; 3]);
        }
        file.positions.push([x, y, z]);
        Ok(())
    }

    fn face(&mut self, rest: &[u8], number: u32) -> Result<()> {
        let first = self.file.corners.len();
        for word in words(rest) {
            let corner = self.corner(word, number)?;
            self.file.corners.push(corner);
        }
        let count = self.file.corners.len() - first;
        match count {
            0 => return Err(bad(number, "a face has no corners")),
            1 | 2 => {
                self.file.corners.truncate(first);
                self.file.faces_dropped += 1;
                return Ok(());
            }
            _ => {}
        }
        self.triangles += count as u64 - 2;
        if self.triangles > self.limit {
            let message = format!("the model has more than {} triangles", self.limit);
            return Err(Error::new(Code::LimitTriangles, message));
        }
        self.file.faces.push(Face {
            first_corner: u32::try_from(first).map_err(|_| bad(number, "there are too many corners"))?,
            line: number,
            object: self.object,
            group: self.group,
            material: self.material,
        });
        Ok(())
    }

    /// `v`, `v/vt`, `v//vn` or `v/vt/vn`; counted from 1, or from the last one backwards when negative.
    fn corner(&self, word: &[u8], number: u32) -> Result<[u32; 3]> {
        let counts = [self.file.positions.len(), self.file.uvs.len(), self.file.normals.len()];
        let mut corner = [NONE; 3];
        let mut parts = word.split(|b| *b == b'/');
        for (slot, (part, count)) in corner.iter_mut().zip(parts.by_ref().zip(counts)) {
            if part.is_empty() {
                continue;
            }
            let index = integer(part).ok_or_else(|| bad(number, "a face has a corner that is no number"))?;
            let resolved = match index {
                0 => return Err(bad(number, "a face has index 0; indices begin with 1")),
                1.. => index - 1,
                _ => count as i64 + index,
            };
            *slot = u32::try_from(resolved)
                .ok()
                .filter(|i| *i != NONE)
                .ok_or_else(|| bad(number, "a face refers to a vertex that does not exist"))?;
        }
        if corner[0] == NONE {
            return Err(bad(number, "a face has a corner without a vertex"));
        }
        Ok(corner)
    }

    /// Checks indices last: a face may come before its vertices.
    fn finish(mut self) -> Result<File> {
        let file = &mut self.file;
        if !file.colors.is_empty() {
            file.colors.resize(file.positions.len(), [1.0; 3]);
        }
        let limits = [file.positions.len(), file.uvs.len(), file.normals.len()];
        let out_of_range = |corner: &[u32; 3]| {
            corner.iter().zip(limits).any(|(index, limit)| *index != NONE && *index as usize >= limit)
        };
        if let Some(at) = file.corners.iter().position(out_of_range) {
            let face = file.faces.partition_point(|f| f.first_corner as usize <= at);
            let line = file.faces.get(face.saturating_sub(1)).map_or(0, |f| f.line);
            return Err(bad(line, "a face refers to a vertex, coordinate or normal that does not exist"));
        }
        Ok(self.file)
    }
}

fn bad(line: u32, what: &str) -> Error {
    Error::new(Code::CorruptFile, format!("line {line} of the OBJ: {what}"))
}

fn words(rest: &[u8]) -> impl Iterator<Item = &[u8]> {
    rest.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty()).take_while(|w| !w.starts_with(b"#"))
}

/// Up to `N` numbers, at least `needed`; how many there were.
fn numbers<const N: usize>(rest: &[u8], needed: usize, line: u32) -> Result<([f32; N], usize)> {
    let mut out = [0.0; N];
    let mut count = 0;
    for (slot, word) in out.iter_mut().zip(words(rest)) {
        let number = std::str::from_utf8(word).ok().and_then(|w| w.parse().ok());
        *slot = number.ok_or_else(|| {
            let word: String =
                String::from_utf8_lossy(word).chars().filter(|c| !c.is_control()).take(20).collect();
            bad(line, &format!("\"{word}\" is no number"))
        })?;
        count += 1;
    }
    if count < needed { Err(bad(line, "numbers are missing")) } else { Ok((out, count)) }
}

fn integer(word: &[u8]) -> Option<i64> {
    let (negative, digits) = match word {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, word),
    };
    if digits.is_empty() || digits.len() > 12 {
        return None;
    }
    let mut value = 0i64;
    for digit in digits {
        value = value * 10 + i64::from(digit.checked_sub(b'0').filter(|d| *d < 10)?);
    }
    Some(if negative { -value } else { value })
}

/// The rest of a line as text; bytes that are no UTF-8 are replaced.
fn text(rest: &[u8]) -> String {
    String::from_utf8_lossy(rest.trim_ascii()).into_owned()
}
