//! The binary chunk and its accessors.

use serde_json::{Map, Value, json};

use super::value::inconsistent;
use crate::Result;

/// What a buffer view is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Vertices,
    Indices,
    Other,
}

/// Collects bytes, views and accessors.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    pub(super) bytes: Vec<u8>,
    pub(super) views: Vec<Value>,
    pub(super) accessors: Vec<Value>,
}

const UNSIGNED_BYTE: u32 = 5121;
const UNSIGNED_SHORT: u32 = 5123;
const UNSIGNED_INT: u32 = 5125;
const FLOAT: u32 = 5126;

impl Buffer {
    /// Adds a view over bytes written by `fill`, aligned to four bytes.
    fn view_with(&mut self, target: Target, fill: impl FnOnce(&mut Vec<u8>)) -> usize {
        self.pad();
        let start = self.bytes.len();
        fill(&mut self.bytes);
        let mut view = Map::new();
        view.insert("buffer".into(), 0.into());
        view.insert("byteOffset".into(), start.into());
        view.insert("byteLength".into(), (self.bytes.len() - start).into());
        match target {
            Target::Vertices => view.insert("target".into(), 34962.into()),
            Target::Indices => view.insert("target".into(), 34963.into()),
            Target::Other => None,
        };
        self.views.push(Value::Object(view));
        self.views.len() - 1
    }

    /// Adds a view over the given bytes.
    pub(super) fn view(&mut self, bytes: &[u8]) -> usize {
        self.view_with(Target::Other, |out| out.extend_from_slice(bytes))
    }

    /// Pads the chunk to four bytes.
    pub(super) fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }

    fn accessor(&mut self, accessor: Value) -> usize {
        self.accessors.push(accessor);
        self.accessors.len() - 1
    }

    /// Vectors of floats.
    pub(super) fn floats<const N: usize>(&mut self, values: &[[f32; N]]) -> Result<usize> {
        refuse_non_finite(values)?;
        let view = self.view_with(Target::Vertices, |out| put_floats(out, values));
        Ok(self.accessor(json!({
            "bufferView": view, "componentType": FLOAT, "count": values.len(), "type": kind(N),
        })))
    }

    /// Positions: floats with their bounds.
    pub(super) fn positions(&mut self, values: &[[f32; 3]]) -> Result<usize> {
        let index = self.floats(values)?;
        let (min, max) = bounds(values);
        if let Some(Value::Object(accessor)) = self.accessors.get_mut(index) {
            accessor.insert("min".into(), json!(min));
            accessor.insert("max".into(), json!(max));
        }
        Ok(index)
    }

    /// Times or values of a clip; times need their bounds.
    pub(super) fn keyframes<const N: usize>(
        &mut self,
        values: &[[f32; N]],
        with_bounds: bool,
    ) -> Result<usize> {
        refuse_non_finite(values)?;
        let view = self.view_with(Target::Other, |out| put_floats(out, values));
        let index = self.accessor(json!({
            "bufferView": view, "componentType": FLOAT, "count": values.len(), "type": kind(N),
        }));
        if with_bounds
            && let (Some(first), Some(last)) = (values.first(), values.last())
            && let Some(Value::Object(accessor)) = self.accessors.get_mut(index)
        {
            // Times rise.
            accessor.insert("min".into(), first.as_slice().into());
            accessor.insert("max".into(), last.as_slice().into());
        }
        Ok(index)
    }

    /// `count` vectors of zeros without any bytes.
    pub(super) fn zeros<const N: usize>(&mut self, count: usize) -> usize {
        let mut accessor = json!({"componentType": FLOAT, "count": count, "type": kind(N)});
        if N == 3
            && let Value::Object(map) = &mut accessor
        {
            map.insert("min".into(), json!([0.0, 0.0, 0.0]));
            map.insert("max".into(), json!([0.0, 0.0, 0.0]));
        }
        self.accessor(accessor)
    }

    /// Differences of a morph target: most vertices of most targets do not move, so only those that do are
    /// stored where that is shorter.
    pub(super) fn deltas(&mut self, values: &[[f32; 3]], with_bounds: bool) -> Result<usize> {
        refuse_non_finite(values)?;
        let moved: Vec<u32> =
            (0u32..).zip(values).filter(|(_, v)| v.iter().any(|x| *x != 0.0)).map(|(i, _)| i).collect();
        if moved.len() * 3 > values.len() {
            return if with_bounds { self.positions(values) } else { self.floats(values) };
        }
        let index = self.zeros::<3>(values.len());
        let (min, max) = bounds(values);
        let sparse = (!moved.is_empty()).then(|| {
            let (indices, component) = self.index_view(&moved, values.len(), Target::Other);
            let picked: Vec<[f32; 3]> =
                moved.iter().filter_map(|i| values.get(*i as usize).copied()).collect();
            let view = self.view_with(Target::Other, |out| put_floats(out, &picked));
            json!({
                "count": moved.len(),
                "indices": {"bufferView": indices, "componentType": component},
                "values": {"bufferView": view},
            })
        });
        if let Some(Value::Object(accessor)) = self.accessors.get_mut(index) {
            if let Some(sparse) = sparse {
                accessor.insert("sparse".into(), sparse);
            }
            if with_bounds {
                accessor.insert("min".into(), json!(min));
                accessor.insert("max".into(), json!(max));
            } else {
                accessor.remove("min");
                accessor.remove("max");
            }
        }
        Ok(index)
    }

    /// Vertex indices, in the smallest type that holds `count` vertices and is read everywhere.
    pub(super) fn indices(&mut self, values: &[u32], count: usize) -> usize {
        let (view, component) = self.index_view(values, count, Target::Indices);
        self.accessor(json!({
            "bufferView": view, "componentType": component, "count": values.len(), "type": "SCALAR",
        }))
    }

    fn index_view(&mut self, values: &[u32], count: usize, target: Target) -> (usize, u32) {
        // 65535 itself is reserved for primitive restart.
        if count <= 65_535 {
            let narrow = |out: &mut Vec<u8>| {
                out.reserve(values.len() * 2);
                values.iter().for_each(|v| out.extend_from_slice(&(*v as u16).to_le_bytes()));
            };
            (self.view_with(target, narrow), UNSIGNED_SHORT)
        } else {
            let wide = |out: &mut Vec<u8>| {
                out.reserve(values.len() * 4);
                values.iter().for_each(|v| out.extend_from_slice(&v.to_le_bytes()));
            };
            (self.view_with(target, wide), UNSIGNED_INT)
        }
    }

    /// Colours: as bytes where that loses nothing, else as floats.
    pub(super) fn colors(&mut self, values: &[[f32; 4]]) -> Result<usize> {
        let exact = |x: &f32| {
            let level = (x * 255.0).round();
            (0.0..=255.0).contains(&level) && level / 255.0 == *x
        };
        if !values.iter().flatten().all(exact) {
            return self.floats(values);
        }
        let view = self.view_with(Target::Vertices, |out| {
            out.reserve(values.len() * 4);
            values.iter().for_each(|c| out.extend(c.map(|x| (x * 255.0).round() as u8)));
        });
        Ok(self.accessor(json!({
            "bufferView": view, "componentType": UNSIGNED_BYTE, "normalized": true,
            "count": values.len(), "type": "VEC4",
        })))
    }

    /// Joint indices, four a vertex; bytes when they fit.
    pub(super) fn joints(&mut self, values: &[[u16; 4]], joint_count: usize) -> usize {
        let (view, component) = if joint_count <= 256 {
            let narrow = |out: &mut Vec<u8>| {
                out.reserve(values.len() * 4);
                values.iter().for_each(|v| out.extend(v.map(|j| j as u8)));
            };
            (self.view_with(Target::Vertices, narrow), UNSIGNED_BYTE)
        } else {
            let wide = |out: &mut Vec<u8>| {
                out.reserve(values.len() * 8);
                values.iter().flatten().for_each(|j| out.extend_from_slice(&j.to_le_bytes()));
            };
            (self.view_with(Target::Vertices, wide), UNSIGNED_SHORT)
        };
        self.accessor(json!({
            "bufferView": view, "componentType": component, "count": values.len(), "type": "VEC4",
        }))
    }

    /// Matrices, column by column.
    pub(super) fn matrices(&mut self, values: &[[f32; 16]]) -> Result<usize> {
        refuse_non_finite(values)?;
        let view = self.view_with(Target::Other, |out| put_floats(out, values));
        Ok(self.accessor(json!({
            "bufferView": view, "componentType": FLOAT, "count": values.len(), "type": "MAT4",
        })))
    }
}

fn kind(components: usize) -> &'static str {
    match components {
        1 => "SCALAR",
        2 => "VEC2",
        3 => "VEC3",
        4 => "VEC4",
        _ => "MAT4",
    }
}

fn put_floats<const N: usize>(out: &mut Vec<u8>, values: &[[f32; N]]) {
    out.reserve(values.len() * N * 4);
    for x in values.iter().flatten() {
        out.extend_from_slice(&x.to_le_bytes());
    }
}

fn refuse_non_finite<const N: usize>(values: &[[f32; N]]) -> Result<()> {
    if values.iter().flatten().all(|x| x.is_finite()) {
        Ok(())
    } else {
        Err(inconsistent("an attribute holds a number that is not finite"))
    }
}

fn bounds(values: &[[f32; 3]]) -> ([f32; 3], [f32; 3]) {
    let start = values.first().copied().unwrap_or_default();
    values.iter().fold((start, start), |(mut lo, mut hi), value| {
        for ((lo, hi), x) in lo.iter_mut().zip(&mut hi).zip(value) {
            *lo = lo.min(*x);
            *hi = hi.max(*x);
        }
        (lo, hi)
    })
}
