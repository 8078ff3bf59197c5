//! The engine's one error: a stable code, what happened to which thing, and what to do about it.

use serde::Serialize;

/// Result of every fallible engine call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, in words for the person who sent the file.
///
/// `message` says what happened to which thing, `remedy` what to do; both are lower case without a full stop.
/// Programs decide by [`Error::code`], people read the rest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
#[error("{message}; {remedy}")]
pub struct Error {
    /// Stable machine-readable code.
    pub code: Code,
    /// What happened, to which thing.
    pub message: String,
    /// What the sender can do about it.
    pub remedy: String,
}

impl Error {
    /// An error with a message of its own and the code's usual remedy.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), remedy: code.remedy().to_owned() }
    }

    /// The caller asked to stop.
    pub fn cancelled() -> Self {
        Self::new(Code::Cancelled, "stopped as asked")
    }

    /// Replaces the code's usual remedy with a more exact one.
    #[must_use]
    pub fn with_remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = remedy.into();
        self
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident => $text:literal, $kind:ident, $remedy:literal;)+) => {
        /// Stable error codes. The text of [`Code::as_str`] never changes once released.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
        #[serde(into = "&'static str")]
        #[non_exhaustive]
        pub enum Code { $($(#[$doc])* $name,)+ }

        impl Code {
            /// Every code, in the order of their declaration.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The stable text of the code, `snake_case`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// Whose fault it is, which decides exit codes and retries.
            pub fn kind(self) -> Kind {
                match self { $(Self::$name => Kind::$kind,)+ }
            }

            /// The usual advice for this code.
            pub fn remedy(self) -> &'static str {
                match self { $(Self::$name => $remedy,)+ }
            }
        }
    };
}

codes! {
    /// The file has no bytes.
    EmptyFile => "empty_file", Input, "send the model file itself; the upload may have been cut off";
    /// The bytes are a known thing that is no model: a picture, a web page, an archive.
    NotAModel => "not_a_model", Input, "send a GLB, glTF, FBX, OBJ, VRM, STL or PLY file, or a ZIP of one with its textures";
    /// The bytes are nothing the engine knows.
    UnknownFormat => "unknown_format", Input, "send a GLB, glTF, FBX, OBJ, VRM, STL or PLY file, or a ZIP of one with its textures";
    /// A known model format that is not read yet.
    UnsupportedFormat => "unsupported_format", Input, "export the model as GLB and send that";
    /// A required glTF extension that is not read yet.
    UnsupportedExtension => "unsupported_extension", Input, "export again without this extension";
    /// The file ends before its contents do.
    TruncatedFile => "truncated_file", Input, "send the file again; the upload or export was cut off";
    /// The file contradicts itself or its format.
    CorruptFile => "corrupt_file", Input, "export the model again from its program";
    /// A file this one refers to is not there.
    MissingResource => "missing_resource", Input, "export as GLB, which holds everything in one file";
    /// There is not one triangle.
    NoGeometry => "no_geometry", Input, "send a mesh with faces; points, lines and bare skeletons cannot be rigged";
    /// Every triangle has zero area, or all points coincide.
    DegenerateGeometry => "degenerate_geometry", Input, "check the export; the mesh has no volume or area";
    /// A position is NaN or infinite.
    NonFinitePositions => "non_finite_positions", Input, "clean the mesh up in its program and export it again";
    /// The model is so large or so small that its numbers carry no shape.
    ScaleOutOfRange => "scale_out_of_range", Input, "apply the scale so that the character is between 1 mm and 10 km";
    /// The model is so far from the origin that rounding has destroyed its shape.
    PrecisionLost => "precision_lost", Input, "move the model to the origin before exporting it";
    /// Nothing in the file looks like a character the engine can rig.
    NoCharacterFound => "no_character_found", Input, "send one character, or say which class it is";
    /// The target takes humanoids only, and the character is none.
    NeedsHumanoid => "needs_humanoid", Input, "choose a profile that takes any skeleton: glb, maya, unity or unreal";
    /// An option's value is not acceptable.
    InvalidOption => "invalid_option", Usage, "see the documentation of this option";
    /// The file itself is too big.
    LimitFileSize => "limit_file_size", Limit, "send a smaller file";
    /// Too many triangles.
    LimitTriangles => "limit_triangles", Limit, "simplify the mesh and send it again";
    /// Too many nodes.
    LimitNodes => "limit_nodes", Limit, "join the objects before exporting";
    /// Too many meshes.
    LimitMeshes => "limit_meshes", Limit, "join the objects before exporting";
    /// A texture is too large once decoded.
    LimitTexture => "limit_texture", Limit, "reduce the textures, at most 8192 pixels a side";
    /// The file unfolds into more data than is accepted.
    LimitMemory => "limit_memory", Limit, "send a simpler model; share less data between its parts";
    /// An archive holds too much.
    LimitArchive => "limit_archive", Limit, "send the model itself, or an archive with nothing but the model and its textures";
    /// The caller asked to stop.
    Cancelled => "cancelled", Cancelled, "start it again";
    /// A file could not be read or written.
    Io => "io_error", Internal, "check that the path exists and is readable";
    /// A defect of the engine.
    Internal => "internal", Internal, "report this with the file that causes it";
}

/// Whose fault an error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The input cannot be rigged; trying again gives the same.
    Input,
    /// The call was wrong.
    Usage,
    /// A configured limit was passed.
    Limit,
    /// The caller stopped it.
    Cancelled,
    /// Our fault, or the machine's.
    Internal,
}

impl From<Code> for &'static str {
    fn from(code: Code) -> Self {
        code.as_str()
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
