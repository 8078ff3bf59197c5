//! An MP4 file (ISO/IEC 14496-12) with one H.264 track (14496-15), the index before the data so that it plays while it
//! loads.

use crate::{Code, Error, Result};

/// Ticks of the media clock for one picture.
const TICKS: u32 = 512;
/// Rows of the unity matrix in 16.16 and 2.30 fixed point.
const UNITY: [u32; 9] = [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000];

/// Pictures of one size and rate.
pub(super) struct Track {
    size: u32,
    frames_per_second: u32,
    parameters: Option<Parameters>,
    /// The pictures, each as units behind their lengths.
    data: Vec<u8>,
    lengths: Vec<u32>,
    /// Numbers of the pictures that stand alone, from 1.
    keys: Vec<u32>,
}

/// Sequence and picture parameter set.
struct Parameters {
    sequence: Vec<u8>,
    picture: Vec<u8>,
}

impl Track {
    pub(super) fn new(size: u32, frames_per_second: u32) -> Self {
        Self {
            size,
            frames_per_second,
            parameters: None,
            data: Vec::new(),
            lengths: Vec::new(),
            keys: Vec::new(),
        }
    }

    pub(super) fn frames_per_second(&self) -> u32 {
        self.frames_per_second
    }

    /// Adds a picture given as a byte stream (14496-10, Annex B).
    pub(super) fn push(&mut self, stream: &[u8], key: bool) -> Result<()> {
        let before = self.data.len();
        let (mut sequence, mut picture) = (None, None);
        for unit in units(stream) {
            match unit.first().map(|b| b & 0x1F) {
                Some(7) => sequence = Some(unit.to_vec()),
                Some(8) => picture = Some(unit.to_vec()),
                Some(_) => {
                    self.data.extend((unit.len() as u32).to_be_bytes());
                    self.data.extend_from_slice(unit);
                }
                None => {}
            }
        }
        if let (None, Some(sequence), Some(picture)) = (&self.parameters, sequence, picture) {
            self.parameters = Some(Parameters { sequence, picture });
        }
        if self.data.len() == before {
            return Err(Error::new(Code::Internal, "the video encoder left out a picture"));
        }
        self.lengths.push((self.data.len() - before) as u32);
        if key {
            self.keys.push(self.lengths.len() as u32);
        }
        Ok(())
    }

    /// The whole file.
    pub(super) fn file(&self) -> Result<Vec<u8>> {
        let Some(parameters) = self.parameters.as_ref().filter(|p| p.sequence.len() >= 4) else {
            return Err(Error::new(Code::Internal, "the video encoder gave no parameters"));
        };
        if u32::try_from(self.data.len() + (1 << 20)).is_err() {
            return Err(Error::new(Code::Internal, "the video is larger than 4 GB"));
        }
        let head = of(*b"ftyp", &[b"isom", &512_u32.to_be_bytes(), b"isomiso2avc1mp41"]);
        // The index holds the place of the data, which follows it: its size does not depend on the number.
        let length = self.index(parameters, 0).len();
        let start = (head.len() + length + 8) as u32;
        Ok([head, self.index(parameters, start), of(*b"mdat", &[&self.data])].concat())
    }

    fn index(&self, parameters: &Parameters, start: u32) -> Vec<u8> {
        let frames = self.lengths.len() as u32;
        // The film's clock counts milliseconds.
        let milliseconds = (u64::from(frames) * 1000 / u64::from(self.frames_per_second)) as u32;
        let header =
            numbers(&[&[0, 0, 0, 1000, milliseconds, 0x1_0000, 0x0100_0000, 0, 0], &UNITY, &[0; 6], &[2]]);
        let track_header = numbers(&[
            &[3, 0, 0, 1, 0, milliseconds, 0, 0, 0, 0],
            &UNITY,
            &[self.size << 16, self.size << 16],
        ]);
        let media_header =
            numbers(&[&[0, 0, 0, TICKS * self.frames_per_second, TICKS * frames, 0x55C4_0000]]);
        let handler = [&numbers(&[&[0, 0]])[..], b"vide", &[0; 12], b"VideoHandler\0"].concat();
        let here = of(*b"url ", &[&numbers(&[&[1]])]);
        let data = of(*b"dinf", &[&of(*b"dref", &[&numbers(&[&[0, 1]]), &here])]);
        let table = self.table(parameters, start);
        let information = of(*b"minf", &[&of(*b"vmhd", &[&numbers(&[&[1, 0, 0]])]), &data, &table]);
        let media =
            of(*b"mdia", &[&of(*b"mdhd", &[&media_header]), &of(*b"hdlr", &[&handler]), &information]);
        let track = of(*b"trak", &[&of(*b"tkhd", &[&track_header]), &media]);
        of(*b"moov", &[&of(*b"mvhd", &[&header]), &track])
    }

    /// What lies where.
    fn table(&self, parameters: &Parameters, start: u32) -> Vec<u8> {
        let frames = self.lengths.len() as u32;
        let description = of(*b"stsd", &[&numbers(&[&[0, 1]]), &self.description(parameters)]);
        let times = of(*b"stts", &[&numbers(&[&[0, 1, frames, TICKS]])]);
        let keys = of(*b"stss", &[&numbers(&[&[0, self.keys.len() as u32], &self.keys])]);
        let chunks = of(*b"stsc", &[&numbers(&[&[0, 1, 1, frames, 1]])]);
        let sizes = of(*b"stsz", &[&numbers(&[&[0, 0, frames], &self.lengths])]);
        let places = of(*b"stco", &[&numbers(&[&[0, 1, start]])]);
        of(*b"stbl", &[&description, &times, &keys, &chunks, &sizes, &places])
    }

    fn description(&self, parameters: &Parameters) -> Vec<u8> {
        let (sequence, picture) = (&parameters.sequence, &parameters.picture);
        let side = (self.size as u16).to_be_bytes();
        let configuration = of(
            *b"avcC",
            &[
                // Version, then profile, compatibility and level as the sequence parameters say; lengths of four bytes.
                &[1],
                &sequence[1..4],
                &[0xFF, 0xE1],
                &(sequence.len() as u16).to_be_bytes(),
                sequence,
                &[1],
                &(picture.len() as u16).to_be_bytes(),
                picture,
            ],
        );
        // BT.709 primaries, transfer and matrix, limited range.
        let colours = of(*b"colr", &[b"nclx", &[0, 1, 0, 1, 0, 1, 0]]);
        let squares = of(*b"pasp", &[&numbers(&[&[1, 1]])]);
        let resolution = numbers(&[&[0x48_0000, 0x48_0000, 0]]);
        let entry: [&[u8]; 9] = [
            &[0, 0, 0, 0, 0, 0, 0, 1],
            &[0; 16],
            &side,
            &side,
            &resolution,
            // One picture a sample, no name, 24 bits, no palette.
            &[0, 1],
            &[0; 32],
            &[0, 0x18, 0xFF, 0xFF],
            &[&configuration[..], &colours, &squares].concat(),
        ];
        of(*b"avc1", &entry)
    }
}

/// A box: its length, its name, its contents.
fn of(name: [u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let length = 8 + parts.iter().map(|p| p.len()).sum::<usize>();
    [&(length as u32).to_be_bytes(), &name[..], &parts.concat()].concat()
}

fn numbers(parts: &[&[u32]]) -> Vec<u8> {
    parts.iter().flat_map(|p| p.iter()).flat_map(|n| n.to_be_bytes()).collect()
}

/// The units of a byte stream, without their start codes.
fn units(stream: &[u8]) -> Vec<&[u8]> {
    let mut starts: Vec<usize> = Vec::new();
    let mut at = 0;
    while let Some(found) = stream.get(at..).and_then(|rest| rest.windows(3).position(|w| w == [0, 0, 1])) {
        starts.push(at + found + 3);
        at += found + 3;
    }
    let ends = starts.iter().skip(1).map(|s| s - 3).chain([stream.len()]);
    // A fourth zero before a start code belongs to it.
    let trim = |unit: &'_ [u8]| unit.iter().rposition(|b| *b != 0).map_or(0, |last| last + 1);
    starts
        .iter()
        .zip(ends)
        .filter_map(|(start, end)| stream.get(*start..end))
        .map(|u| &u[..trim(u)])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_cut_at_start_codes_of_both_lengths() {
        let stream = [0, 0, 0, 1, 0x67, 5, 0, 0, 0, 1, 0x68, 6, 0, 0, 1, 0x65, 7, 8];
        assert_eq!(units(&stream), [&[0x67, 5][..], &[0x68, 6], &[0x65, 7, 8]]);
        assert!(units(&[1, 2, 3]).is_empty());
    }

    #[test]
    fn the_index_says_where_the_pictures_lie() {
        let mut track = Track::new(64, 24);
        track.push(&[0, 0, 1, 0x67, 66, 192, 30, 1, 0, 0, 1, 0x68, 9, 0, 0, 1, 0x65, 1, 2, 3], true).unwrap();
        track.push(&[0, 0, 1, 0x41, 4, 5], false).unwrap();
        let file = track.file().unwrap();
        let find = |name: &[u8]| file.windows(4).position(|w| w == name).unwrap();
        let number = |at: usize| u32::from_be_bytes(file[at..at + 4].try_into().unwrap());
        assert!(find(b"moov") < find(b"mdat"));
        let start = number(find(b"stco") + 12) as usize;
        assert_eq!(start, find(b"mdat") + 4);
        assert_eq!(file[start..], [0, 0, 0, 4, 0x65, 1, 2, 3, 0, 0, 0, 3, 0x41, 4, 5]);
        let sizes = find(b"stsz") + 12;
        assert_eq!([0, 1, 2].map(|i| number(sizes + 4 * i)), [2, 8, 7]);
        assert_eq!(number(find(b"mdat") - 4) as usize, file.len() - (find(b"mdat") - 4));
    }

    #[test]
    fn a_track_without_pictures_is_no_file() {
        assert_eq!(Track::new(64, 24).file().unwrap_err().code, Code::Internal);
        assert_eq!(Track::new(64, 24).push(&[], true).unwrap_err().code, Code::Internal);
    }
}
