use glam::{DMat3, DMat4, DVec3};

use super::*;
use crate::{
    analyse::Frame,
    scene::{Mesh, Node, Primitive, Scene},
};

fn sheet() -> Character {
    let primitive = Primitive {
        positions: vec![[-0.5, 0.0, 0.0], [0.5, 0.0, 0.0], [0.0, 1.5, 0.1]],
        indices: vec![0, 1, 2],
        ..Primitive::default()
    };
    let node = Node { local: DMat4::IDENTITY, mesh: Some(0), ..Node::default() };
    let mesh = Mesh { primitives: vec![primitive], ..Mesh::default() };
    let scene = Scene { nodes: vec![node], roots: vec![0], meshes: vec![mesh], ..Scene::default() };
    let frame = Frame { rotation: DMat3::IDENTITY, scale: 1.0, origin: DVec3::ZERO };
    Character { scene, bones: Vec::new(), influences: Vec::new(), clips: Vec::new(), frame }
}

#[cfg(feature = "h264")]
fn decoded(file: &[u8]) -> Vec<(usize, usize, Vec<u8>)> {
    use openh264::formats::YUVSource;
    let mut decoder = openh264::decoder::Decoder::new().unwrap();
    let number = |at: usize| u32::from_be_bytes(file[at..at + 4].try_into().unwrap()) as usize;
    let find = |name: &[u8]| file.windows(4).position(|w| w == name).unwrap();
    let configuration = find(b"avcC") + 4;
    let sequence = u16::from_be_bytes([file[configuration + 6], file[configuration + 7]]) as usize;
    let picture = configuration + 8 + sequence + 3;
    let mut stream = [&[0, 0, 0, 1][..], &file[configuration + 8..configuration + 8 + sequence]].concat();
    stream.extend([0, 0, 0, 1]);
    stream.extend(&file[picture..picture + usize::from(file[picture - 1])]);
    let mut pictures = Vec::new();
    let mut at = number(find(b"stco") + 12);
    for frame in 0..number(find(b"stsz") + 12) {
        let end = at + number(find(b"stsz") + 16 + 4 * frame);
        while at < end {
            let length = number(at);
            stream.extend([0, 0, 0, 1]);
            stream.extend(&file[at + 4..at + 4 + length]);
            at += 4 + length;
        }
        if let Some(image) = decoder.decode(&std::mem::take(&mut stream)).unwrap() {
            let (width, height) = image.dimensions();
            let rows = image.y().chunks(image.strides().0).take(height);
            pictures.push((width, height, rows.flat_map(|r| r[..width].to_vec()).collect()));
        }
    }
    for image in decoder.flush_remaining().unwrap() {
        let (width, height) = image.dimensions();
        let rows = image.y().chunks(image.strides().0).take(height);
        pictures.push((width, height, rows.flat_map(|r| r[..width].to_vec()).collect()));
    }
    pictures
}

#[cfg(feature = "h264")]
#[test]
fn a_decoder_gets_every_picture_back_nearly_as_it_was_drawn() {
    let character = sheet();
    let options = VideoOptions { size: 96, frames_per_second: 12, turn_seconds: 1.5, clip: None };
    let video = video(&character, &options).unwrap();
    assert_eq!((video.frames, video.mime), (18, "video/mp4"));
    let pictures = decoded(&video.bytes);
    assert_eq!(pictures.len(), 18);
    let reel = Reel::new(&character, 96, 12, 1.5, None).unwrap();
    for (index, (width, height, luma)) in pictures.iter().enumerate() {
        assert_eq!((*width, *height), (96, 96));
        let drawn = reel.frame(index as u32).over(BACKGROUND);
        let grey = |p: &[u8]| {
            16.0 + (0.2126 * f64::from(p[0]) + 0.7152 * f64::from(p[1]) + 0.0722 * f64::from(p[2])) * 219.0
                / 255.0
        };
        let errors = drawn.rgba.chunks_exact(4).zip(luma).map(|(p, y)| (grey(p) - f64::from(*y)).abs());
        let mean = errors.sum::<f64>() / luma.len() as f64;
        assert!(mean < 2.5, "picture {index}: {mean}");
    }
}

#[cfg(feature = "h264")]
#[test]
fn a_video_is_the_same_for_any_number_of_threads() {
    let with_threads = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let options = VideoOptions { size: 64, frames_per_second: 10, turn_seconds: 1.0, clip: None };
        pool.install(|| video(&sheet(), &options).unwrap().bytes)
    };
    assert!(with_threads(1) == with_threads(4));
}

#[test]
fn an_animated_webp_holds_every_picture_and_how_long_it_is_shown() {
    let character = sheet();
    let reel = Reel::new(&character, 48, 12, 0.5, None).unwrap();
    let bytes = encode(&reel, Box::new(AnimatedWebp::new(12).unwrap())).unwrap();
    let decoder = image::codecs::webp::WebPDecoder::new(std::io::Cursor::new(&bytes)).unwrap();
    assert!(decoder.has_animation());
    let frames = image::AnimationDecoder::into_frames(decoder).collect_frames().unwrap();
    assert_eq!(frames.len(), 6);
    let whole: u32 = frames.iter().map(|f| f.delay().numer_denom_ms().0).sum();
    assert_eq!(whole, 500);
    for (index, frame) in (0..).zip(&frames) {
        assert_eq!(frame.buffer().as_raw(), &reel.frame(index).over(BACKGROUND).rgba);
    }
}

#[test]
fn a_reel_without_pictures_is_refused() {
    let options = VideoOptions { size: 64, frames_per_second: 10, turn_seconds: 0.0, clip: None };
    assert_eq!(video(&sheet(), &options).unwrap_err().code, Code::InvalidOption);
}
