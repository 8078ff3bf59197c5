//! Records of a binary FBX, read by a parser that shares nothing with the writer.

/// A value of a record; strings keep their bytes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Int(i64),
    Real(f64),
    Bytes(Vec<u8>),
    Ints(Vec<i64>),
    Reals(Vec<f64>),
}

/// A record.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) name: String,
    pub(crate) values: Vec<Value>,
    pub(crate) children: Vec<Record>,
}

impl Record {
    pub(crate) fn find(&self, name: &str) -> &Self {
        self.children.iter().find(|c| c.name == name).unwrap_or_else(|| panic!("{} has no {name}", self.name))
    }

    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |c| c.name == name)
    }

    pub(crate) fn int(&self, at: usize) -> i64 {
        match self.values[at] {
            Value::Int(value) => value,
            ref other => panic!("{} has {other:?} where a number should be", self.name),
        }
    }

    /// A text, with `::` where the file separates name and class.
    pub(crate) fn text(&self, at: usize) -> String {
        match &self.values[at] {
            Value::Bytes(bytes) => String::from_utf8(bytes.clone()).unwrap().replace("\0\u{1}", "::"),
            other => panic!("{} has {other:?} where a text should be", self.name),
        }
    }

    /// The row of `Properties70` with this name.
    pub(crate) fn setting(&self, name: &str) -> &Self {
        let rows = self.find("Properties70");
        rows.children.iter().find(|row| row.text(0) == name).unwrap_or_else(|| panic!("no {name}"))
    }
}

/// The top-level records of a file; panics where its offsets, lengths or ends are wrong.
pub(crate) fn parse(file: &[u8]) -> Vec<Record> {
    assert_eq!(&file[..23], b"Kaydara FBX Binary  \0\x1a\0");
    assert_eq!(word(file, 23), 7400);
    let (mut records, mut at) = (Vec::new(), 27);
    while let Some((record, end)) = record(file, at) {
        records.push(record);
        at = end;
    }
    let footer = &file[at + 13..];
    let padding = (at + 13 + 16 + 1).next_multiple_of(16) - (at + 13 + 16);
    assert_eq!(footer.len(), 16 + padding + 4 + 4 + 120 + 16);
    assert_eq!(word(footer, 16 + padding + 4), 7400);
    records
}

fn word(bytes: &[u8], at: usize) -> usize {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize
}

fn record(file: &[u8], at: usize) -> Option<(Record, usize)> {
    let (end, count, length) = (word(file, at), word(file, at + 4), word(file, at + 8));
    if end == 0 {
        assert_eq!(file[at..at + 13], [0; 13]);
        return None;
    }
    let first = at + 13 + usize::from(file[at + 12]);
    let name = String::from_utf8(file[at + 13..first].to_vec()).unwrap();
    let mut place = first;
    let values: Vec<Value> = (0..count).map(|_| value(file, &mut place)).collect();
    assert_eq!(place, first + length, "the properties of {name} have the length they say");
    let mut children = Vec::new();
    if place < end {
        while let Some((child, next)) = record(file, place) {
            children.push(child);
            place = next;
        }
        place += 13;
    }
    assert_eq!(place, end, "{name} ends where it says");
    Some((Record { name, values, children }, end))
}

fn value(file: &[u8], at: &mut usize) -> Value {
    let code = file[*at];
    *at += 1;
    let mut take = |count: usize| {
        *at += count;
        &file[*at - count..*at]
    };
    match code {
        b'C' => Value::Int(take(1)[0].into()),
        b'I' => Value::Int(i32::from_le_bytes(take(4).try_into().unwrap()).into()),
        b'L' => Value::Int(i64::from_le_bytes(take(8).try_into().unwrap())),
        b'D' => Value::Real(f64::from_le_bytes(take(8).try_into().unwrap())),
        b'S' | b'R' => {
            let count = word(take(4), 0);
            Value::Bytes(take(count).to_vec())
        }
        b'i' | b'l' | b'f' | b'd' => {
            let head = take(12);
            let (count, encoding, length) = (word(head, 0), word(head, 4), word(head, 8));
            let stored = take(length).to_vec();
            let bytes = match encoding {
                0 => stored,
                1 => miniz_oxide::inflate::decompress_to_vec_zlib(&stored).unwrap(),
                other => panic!("encoding {other}"),
            };
            let width = if matches!(code, b'l' | b'd') { 8 } else { 4 };
            assert_eq!(bytes.len(), count * width);
            array(code, &bytes, width)
        }
        other => panic!("property code {}", char::from(other)),
    }
}

fn array(code: u8, bytes: &[u8], width: usize) -> Value {
    let parts = bytes.chunks(width);
    match code {
        b'i' => Value::Ints(parts.map(|b| i32::from_le_bytes(b.try_into().unwrap()).into()).collect()),
        b'l' => Value::Ints(parts.map(|b| i64::from_le_bytes(b.try_into().unwrap())).collect()),
        b'f' => Value::Reals(parts.map(|b| f32::from_le_bytes(b.try_into().unwrap()).into()).collect()),
        _ => Value::Reals(parts.map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect()),
    }
}
