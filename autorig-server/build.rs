//! Release builds embed `static/dist`; this makes cargo look at it again when the page build changed it.
//!
//! Debug builds read the folder when asked for a page, so they need no such check.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("PROFILE").as_deref() == Ok("release") {
        println!("cargo:rerun-if-changed=../static/dist");
    }
}
