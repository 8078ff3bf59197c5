//! Accessors to arrays, every bound checked before a byte is allocated.

use std::cell::Cell;

use super::buffers::Buffers;
use super::json::{AccessorDef, Root, SparseDef, SparsePart, corrupt};
use crate::{Code, Error, Limits, Result};

/// A number as glTF stores it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Component {
    I8,
    U8,
    I16,
    U16,
    U32,
    F32,
}

impl Component {
    fn new(code: u32) -> Option<Self> {
        Some(match code {
            5120 => Self::I8,
            5121 => Self::U8,
            5122 => Self::I16,
            5123 => Self::U16,
            5125 => Self::U32,
            5126 => Self::F32,
            _ => return None,
        })
    }

    fn size(self) -> usize {
        match self {
            Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 => 2,
            Self::U32 | Self::F32 => 4,
        }
    }

    /// The number at the start of `bytes`; zero when they are too few, which callers have excluded.
    #[inline]
    fn float(self, bytes: &[u8], normalized: bool) -> f32 {
        let scaled = |value: f32, max: f32| if normalized { (value / max).max(-1.0) } else { value };
        match (self, bytes) {
            (Self::I8, [a, ..]) => scaled(f32::from(i8::from_le_bytes([*a])), 127.0),
            (Self::U8, [a, ..]) => scaled(f32::from(*a), 255.0),
            (Self::I16, [a, b, ..]) => scaled(f32::from(i16::from_le_bytes([*a, *b])), 32767.0),
            (Self::U16, [a, b, ..]) => scaled(f32::from(u16::from_le_bytes([*a, *b])), 65535.0),
            (Self::U32, [a, b, c, d, ..]) => {
                let value = u32::from_le_bytes([*a, *b, *c, *d]);
                if normalized { (f64::from(value) / f64::from(u32::MAX)) as f32 } else { value as f32 }
            }
            (Self::F32, [a, b, c, d, ..]) => f32::from_le_bytes([*a, *b, *c, *d]),
            _ => 0.0,
        }
    }

    #[inline]
    fn uint(self, bytes: &[u8]) -> u32 {
        match (self, bytes) {
            (Self::I8 | Self::U8, [a, ..]) => u32::from(*a),
            (Self::I16 | Self::U16, [a, b, ..]) => u32::from(u16::from_le_bytes([*a, *b])),
            (Self::U32, [a, b, c, d, ..]) => u32::from_le_bytes([*a, *b, *c, *d]),
            (Self::F32, [a, b, c, d, ..]) => f32::from_le_bytes([*a, *b, *c, *d]) as u32,
            _ => 0,
        }
    }
}

/// Decodes accessors of one file.
pub(crate) struct Accessors<'a> {
    root: &'a Root,
    buffers: &'a Buffers<'a>,
    budget: Budget,
}

/// Counts what reading unfolds.
pub(crate) struct Budget {
    left: Cell<u64>,
    limit: u64,
}

impl Budget {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { left: Cell::new(limits.decoded_bytes), limit: limits.decoded_bytes }
    }

    /// Takes `count × size` bytes.
    pub(crate) fn charge(&self, count: u64, size: u64) -> Result<()> {
        let left = count.checked_mul(size).and_then(|bytes| self.left.get().checked_sub(bytes));
        self.left.set(left.ok_or_else(|| {
            Error::new(Code::LimitMemory, format!("the model unfolds into more than {} MB", self.limit >> 20))
        })?);
        Ok(())
    }
}

/// An accessor whose bounds hold: `count` elements, `stride` apart, `components` numbers each.
struct Layout<'a> {
    index: usize,
    /// Empty for an accessor without a buffer view: all zeros.
    bytes: &'a [u8],
    count: usize,
    stride: usize,
    components: usize,
    component: Component,
    normalized: bool,
    sparse: Option<&'a SparseDef>,
}

impl<'a> Accessors<'a> {
    pub(crate) fn new(root: &'a Root, buffers: &'a Buffers<'a>, limits: &Limits) -> Self {
        Self { root, buffers, budget: Budget::new(limits) }
    }

    /// The budget all reading shares.
    pub(crate) fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Number of elements as declared, nothing read.
    pub(crate) fn count(&self, index: usize) -> Result<u64> {
        Ok(self.def(index)?.count)
    }

    /// Vectors of `N` floats from an accessor of exactly `N` components.
    pub(crate) fn floats<const N: usize>(&self, index: usize) -> Result<Vec<[f32; N]>> {
        let layout = self.layout(index)?;
        if layout.components != N {
            return Err(self.wrong_type(index, N));
        }
        self.budget.charge(layout.count as u64, (N * 4) as u64)?;
        let mut out = decode::<N>(&layout);
        self.apply_sparse(&layout, |at, bytes| {
            if let Some(slot) = out.get_mut(at) {
                *slot = element(&layout, bytes);
            }
        })?;
        Ok(out)
    }

    /// Colours of three or four components; the fourth is 1 where there are three.
    pub(crate) fn colors(&self, index: usize) -> Result<Vec<[f32; 4]>> {
        if self.layout(index)?.components == 3 {
            let rgb = self.floats::<3>(index)?;
            return Ok(rgb.into_iter().map(|[r, g, b]| [r, g, b, 1.0]).collect());
        }
        self.floats::<4>(index)
    }

    /// Unsigned integers, `N` a piece.
    pub(crate) fn uints<const N: usize>(&self, index: usize) -> Result<Vec<[u32; N]>> {
        let layout = self.layout(index)?;
        if layout.components != N {
            return Err(self.wrong_type(index, N));
        }
        self.budget.charge(layout.count as u64, (N * 4) as u64)?;
        let size = layout.component.size();
        let one = |bytes: &[u8]| {
            let mut out = [0; N];
            for (slot, part) in out.iter_mut().zip(bytes.chunks_exact(size)) {
                *slot = layout.component.uint(part);
            }
            out
        };
        let mut out: Vec<[u32; N]> = if layout.bytes.is_empty() {
            vec![[0; N]; layout.count]
        } else {
            layout.bytes.chunks(layout.stride).take(layout.count).map(one).collect()
        };
        self.apply_sparse(&layout, |at, bytes| {
            if let Some(slot) = out.get_mut(at) {
                *slot = one(bytes);
            }
        })?;
        Ok(out)
    }

    fn def(&self, index: usize) -> Result<&'a AccessorDef> {
        let count = self.root.accessors.len();
        self.root
            .accessors
            .get(index)
            .ok_or_else(|| corrupt(format!("accessor {index} is referred to, but there are only {count}")))
    }

    fn wrong_type(&self, index: usize, wanted: usize) -> Error {
        let kind = self.root.accessors.get(index).map_or("", |a| a.kind.as_str());
        let kind: String = kind.chars().take(20).collect();
        corrupt(format!("accessor {index} is of type \"{kind}\" where {wanted} components are needed"))
    }

    fn layout(&self, index: usize) -> Result<Layout<'a>> {
        let def = self.def(index)?;
        let component = Component::new(def.component_type)
            .ok_or_else(|| corrupt(format!("accessor {index} has component type {}", def.component_type)))?;
        let components = match def.kind.as_str() {
            "SCALAR" => 1,
            "VEC2" => 2,
            "VEC3" => 3,
            "VEC4" => 4,
            "MAT4" => 16,
            _ => return Err(self.wrong_type(index, 1)),
        };
        let count =
            usize::try_from(def.count).map_err(|_| corrupt(format!("accessor {index} is too long")))?;
        let size = component.size() * components;
        let (bytes, stride) = match def.buffer_view {
            None => (&[][..], size),
            Some(view) => {
                let (data, stride) = self.buffers.view(self.root, view)?;
                let stride = stride.unwrap_or(size);
                let bytes = slice(data, def.byte_offset, count, stride, size).ok_or_else(|| {
                    corrupt(format!("accessor {index} runs past the end of buffer view {view}"))
                })?;
                (bytes, stride)
            }
        };
        let normalized = def.normalized && component != Component::F32;
        let sparse = def.sparse.as_ref();
        Ok(Layout { index, bytes, count, stride, components, component, normalized, sparse })
    }

    fn apply_sparse(&self, layout: &Layout<'_>, mut set: impl FnMut(usize, &[u8])) -> Result<()> {
        let Some(sparse) = layout.sparse else { return Ok(()) };
        let bad = |what: &str| corrupt(format!("the sparse part of accessor {} {what}", layout.index));
        let count = usize::try_from(sparse.count).map_err(|_| bad("is too long"))?;
        let kind = Component::new(sparse.indices.component_type)
            .filter(|c| matches!(c, Component::U8 | Component::U16 | Component::U32))
            .ok_or_else(|| bad("has indices of a wrong type"))?;
        let size = layout.component.size() * layout.components;
        let part = |part: &SparsePart, size: usize| -> Result<&[u8]> {
            let (data, _) = self.buffers.view(self.root, part.buffer_view)?;
            slice(data, part.byte_offset, count, size, size).ok_or_else(|| bad("runs past its buffer view"))
        };
        let indices = part(&sparse.indices, kind.size())?;
        let values = part(&sparse.values, size)?;
        for (at, value) in indices.chunks_exact(kind.size()).zip(values.chunks_exact(size)) {
            let at = kind.uint(at) as usize;
            if at >= layout.count {
                return Err(bad("names an element that does not exist"));
            }
            set(at, value);
        }
        Ok(())
    }
}

/// `count` elements of `size` bytes, `stride` apart, from `offset` on; `None` when they do not fit.
fn slice(data: &[u8], offset: u64, count: usize, stride: usize, size: usize) -> Option<&[u8]> {
    let offset = usize::try_from(offset).ok()?;
    if count == 0 {
        return Some(&[]);
    }
    if stride < size {
        return None;
    }
    let length = (count - 1).checked_mul(stride)?.checked_add(size)?;
    data.get(offset..offset.checked_add(length)?)
}

#[inline]
fn element<const N: usize>(layout: &Layout<'_>, bytes: &[u8]) -> [f32; N] {
    let mut out = [0.0; N];
    for (slot, part) in out.iter_mut().zip(bytes.chunks_exact(layout.component.size())) {
        *slot = layout.component.float(part, layout.normalized);
    }
    out
}

fn decode<const N: usize>(layout: &Layout<'_>) -> Vec<[f32; N]> {
    if layout.bytes.is_empty() {
        return vec![[0.0; N]; layout.count];
    }
    let elements = layout.bytes.chunks(layout.stride).take(layout.count);
    if layout.component == Component::F32 {
        let float = |part: &[u8]| match part {
            [a, b, c, d] => f32::from_le_bytes([*a, *b, *c, *d]),
            _ => 0.0,
        };
        return elements
            .map(|bytes| {
                let mut out = [0.0; N];
                for (slot, part) in out.iter_mut().zip(bytes.chunks_exact(4)) {
                    *slot = float(part);
                }
                out
            })
            .collect();
    }
    elements.map(|bytes| element(layout, bytes)).collect()
}
