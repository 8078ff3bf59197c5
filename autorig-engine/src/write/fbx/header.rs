//! What stands around the objects: header, global settings, documents, counts and takes.

use super::animation::Take;
use super::objects::Objects;
use super::rows::{self, properties70};
use super::tree::{Node, Property};
use super::{FbxOptions, UpAxis};

/// The one creation time every file has: the same character gives the same bytes. File id and footer are functions of it,
/// and Autodesk's readers refuse a file whose three do not agree.
pub(super) const CREATION_TIME: &str = "1970-01-01 10:00:00:000";
const FILE_ID: [u8; 16] =
    [0x28, 0xB3, 0x2A, 0xEB, 0xB6, 0x24, 0xCC, 0xC2, 0xBF, 0xC8, 0xB0, 0x2A, 0xA9, 0x2B, 0xFC, 0xF1];
const CREATOR: &str = concat!("AutoRig ", env!("CARGO_PKG_VERSION"));
/// 30 frames a second.
const TIME_MODE: i32 = 6;

/// All top-level records.
pub(super) fn records(objects: Objects, takes: &[Take], options: &FbxOptions) -> Vec<Node> {
    let end = takes.iter().map(|t| t.end).max().unwrap_or(0);
    let active = takes.first().map(|t| t.name.as_str()).unwrap_or_default();
    let document = objects.document_id();
    let counts = objects.counts();
    let (objects, connections) = objects.into_records();
    vec![
        extension(),
        Node::new("FileId").with(Property::Raw(FILE_ID.to_vec())),
        Node::new("CreationTime").text(CREATION_TIME),
        Node::new("Creator").text(CREATOR),
        settings(options, end),
        documents(document, active),
        Node::new("References"),
        definitions(&counts),
        Node::new("Objects").children(objects),
        Node::new("Connections").children(connections),
        takes_record(takes, active),
    ]
}

fn extension() -> Node {
    let stamp = [
        ("Version", 1000),
        ("Year", 1970),
        ("Month", 1),
        ("Day", 1),
        ("Hour", 10),
        ("Minute", 0),
        ("Second", 0),
        ("Millisecond", 0),
    ];
    let empty = |name| Node::new(name).text("");
    let meta = ["Title", "Subject", "Author", "Keywords", "Revision", "Comment"].map(empty);
    let program = |prefix: &str| {
        vec![
            Node::new("P").text(prefix).text("Compound").text("").text(""),
            rows::string(&format!("{prefix}|ApplicationVendor"), "AutoRig"),
            rows::string(&format!("{prefix}|ApplicationName"), "AutoRig"),
            rows::string(&format!("{prefix}|ApplicationVersion"), env!("CARGO_PKG_VERSION")),
        ]
    };
    let urls = [rows::url("DocumentUrl", ""), rows::url("SrcDocumentUrl", "")];
    let info = Node::new("SceneInfo")
        .object_name("GlobalInfo", "SceneInfo")
        .text("UserData")
        .child(Node::new("Type").text("UserData"))
        .child(Node::new("Version").i32(100))
        .child(Node::new("MetaData").child(Node::new("Version").i32(100)).children(meta))
        .child(properties70(urls.into_iter().chain(program("Original")).chain(program("LastSaved"))));
    Node::new("FBXHeaderExtension")
        .child(Node::new("FBXHeaderVersion").i32(1003))
        .child(Node::new("FBXVersion").i32(7400))
        .child(Node::new("EncryptionType").i32(0))
        .child(
            Node::new("CreationTimeStamp")
                .children(stamp.into_iter().map(|(name, value)| Node::new(name).i32(value))),
        )
        .child(Node::new("Creator").text(CREATOR))
        .child(info)
}

/// Axes, unit and time. The character already stands along these axes in centimetres.
fn settings(options: &FbxOptions, end: i64) -> Node {
    // Up, the axis to the viewer and its sign; the character's left is +X in both.
    let (up, front, sign) = match options.up_axis {
        UpAxis::Y => (1, 2, 1),
        UpAxis::Z => (2, 1, -1),
    };
    Node::new("GlobalSettings").child(Node::new("Version").i32(1000)).child(properties70([
        rows::int("UpAxis", up),
        rows::int("UpAxisSign", 1),
        rows::int("FrontAxis", front),
        rows::int("FrontAxisSign", sign),
        rows::int("CoordAxis", 0),
        rows::int("CoordAxisSign", 1),
        rows::int("OriginalUpAxis", up),
        rows::int("OriginalUpAxisSign", 1),
        rows::double("UnitScaleFactor", 1.0),
        rows::double("OriginalUnitScaleFactor", 1.0),
        rows::color_rgb("AmbientColor", [0.0; 3]),
        rows::string("DefaultCamera", "Producer Perspective"),
        rows::enumeration("TimeMode", TIME_MODE),
        rows::time("TimeSpanStart", 0),
        rows::time("TimeSpanStop", end),
        rows::double("CustomFrameRate", -1.0),
    ]))
}

fn documents(id: i64, active: &str) -> Node {
    let document = Node::new("Document")
        .i64(id)
        .text("")
        .text("Scene")
        .child(properties70([rows::object("SourceObject"), rows::string("ActiveAnimStackName", active)]))
        .child(Node::new("RootNode").i64(0));
    Node::new("Documents").child(Node::new("Count").i32(1)).child(document)
}

fn definitions(counts: &[(&'static str, i32)]) -> Node {
    let kind =
        |(name, count): (&str, i32)| Node::new("ObjectType").text(name).child(Node::new("Count").i32(count));
    // The settings count as one object, though they stand elsewhere.
    let all = counts.iter().map(|(_, count)| count).sum::<i32>() + 1;
    Node::new("Definitions")
        .child(Node::new("Version").i32(100))
        .child(Node::new("Count").i32(all))
        .child(kind(("GlobalSettings", 1)))
        .children(counts.iter().copied().map(kind))
}

fn takes_record(takes: &[Take], active: &str) -> Node {
    let take = |take: &Take| {
        Node::new("Take")
            .text(&take.name)
            .child(Node::new("FileName").text(&format!("{}.tak", take.name)))
            .child(Node::new("LocalTime").i64(0).i64(take.end))
            .child(Node::new("ReferenceTime").i64(0).i64(take.end))
    };
    Node::new("Takes").child(Node::new("Current").text(active)).children(takes.iter().map(take))
}
