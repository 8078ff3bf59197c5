//! Rigging inside another Rust program: `cargo run -p autorig-examples --example embed`.

#![expect(clippy::print_stderr, reason = "it talks to people")]

use std::{path::Path, time::Duration};

use autorig_core::{
    AutoRig, Error, Result,
    blob::bytes_body,
    task::{EventKind, Input, NewTask},
};
use autorig_engine::{sample, write};
use futures_util::TryStreamExt;

#[tokio::main]
async fn main() -> Result<()> {
    let file = rig(Path::new("autorig-embedded"), Path::new("human_rigged.glb")).await?;
    eprintln!("wrote {} with {} bytes", file.display(), file.metadata().map_or(0, |meta| meta.len()));
    Ok(())
}

/// Rigs a character as a task that survives a crash of this program, and saves the result.
pub(crate) async fn rig(data: &Path, out: &Path) -> Result<std::path::PathBuf> {
    // State and files in one folder; the engine in a thread of this process.
    let autorig = AutoRig::builder().data_dir(data).await?.build().await?;
    autorig.start().await?;

    let model = write::scene_glb(&sample::generate(sample::Sample::Human, None)?)?;
    let input = Input::Upload { name: "human.glb".to_owned(), body: bytes_body(model) };
    let task = autorig.tasks().create(NewTask::rig(input)).await?.task;

    let mut events = autorig.tasks().events(task.id, 0);
    while let Some(event) = events.try_next().await? {
        match event.kind {
            EventKind::Stage { stage, progress } => eprintln!("{progress:>3} % {stage}"),
            EventKind::Error(error) => return Err(Error::internal(error.message)),
            _ => {}
        }
    }
    let rigged = autorig.tasks().open_file(task.id, "rigged_glb", None).await?;
    let body = rigged.ok_or_else(|| Error::internal("the task made no file"))?.body;
    let bytes = body.try_collect::<Vec<_>>().await?.concat();
    std::fs::write(out, bytes).map_err(|error| Error::io("saving the rig", error))?;
    autorig.shutdown(Duration::from_secs(5)).await;
    Ok(out.to_owned())
}
