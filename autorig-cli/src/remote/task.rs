//! `autorig task …`: tasks of a server.

use std::{fmt::Write, path::Path, time::Duration};

use autorig_client::{
    Client, Event, EventKind, JointHint, NewTask, Status, Task, TaskEdit, TaskError, TaskOptions,
};
use autorig_engine::deliver::Output;
use serde_json::{Value, json};

use super::{client, word};
use crate::{
    args::Preset,
    args::remote::{
        TaskArgs, TaskCreateArgs, TaskDownloadArgs, TaskEventsArgs, TaskListArgs, TaskLogArgs,
        TaskOptionArgs, TaskVerb, TaskWaitArgs,
    },
    failure::{Exit, Failure, Result},
    rig,
    ui::{Outcome, Ui, clean},
};

/// Runs the verb.
pub(super) async fn run(args: &TaskArgs, ui: &Ui) -> Result<Outcome> {
    let client = client(&args.server)?;
    match &args.verb {
        TaskVerb::Create(args) => create(&client, args, ui).await,
        TaskVerb::List(args) => list(&client, args, ui).await,
        TaskVerb::Show(args) => show(&client.get(&args.task).await?, ui),
        TaskVerb::Wait(args) => wait(&client, args, ui).await,
        TaskVerb::Events(args) => events(&client, args, ui).await,
        TaskVerb::Download(args) => download(&client, args, ui).await,
        TaskVerb::Cancel(args) => {
            client.cancel(&args.task).await?;
            ui.say(&format!("{} is stopped", args.task));
            show_quietly(&client.get(&args.task).await?)
        }
        TaskVerb::Restart(args) => {
            let task = client.restart(&args.task).await?;
            ui.say(&format!("{} begins anew", args.task));
            show_quietly(&task)
        }
        TaskVerb::Retry(args) => {
            let (options, key) = options(&args.options)?;
            let made = client.another(&args.id.task, &options, key.as_deref()).await?;
            id_line(&made.task_id, ui)?;
            Ok(Outcome::ok(json!(made)))
        }
        TaskVerb::Edit(args) => {
            let edit = TaskEdit { visibility: args.visibility.as_ref().map(word) };
            show(&client.edit(&args.id.task, &edit).await?, ui)
        }
        TaskVerb::Delete(args) => {
            client.delete(&args.task).await?;
            ui.say(&format!("{} is gone", args.task));
            Ok(Outcome::ok(json!({ "id": args.task })))
        }
        TaskVerb::Log(args) => log(&client, args, ui).await,
    }
}

async fn create(client: &Client, args: &TaskCreateArgs, ui: &Ui) -> Result<Outcome> {
    let (options, key) = options(&args.options)?;
    let is_link = args.input.starts_with("http://") || args.input.starts_with("https://");
    let path = Path::new(&args.input);
    if !is_link && !path.is_file() {
        let missing = std::io::ErrorKind::NotFound.into();
        return Err(Failure::io("read the model", path, &missing));
    }
    let task = if is_link { NewTask::link(&args.input) } else { NewTask::file(path) };
    let task = NewTask { idempotency_key: key, ..task.options(options) };
    let made = client.create(&task).await.map_err(|error| Failure::from(error).about(path))?;
    id_line(&made.task_id, ui)?;
    Ok(Outcome::ok(json!(made)))
}

/// The options of a task, and its idempotency key.
fn options(args: &TaskOptionArgs) -> Result<(TaskOptions, Option<String>)> {
    let hints = args.joints.as_deref().map(rig::joints::read).transpose()?.unwrap_or_default();
    let joints = hints
        .into_iter()
        .map(|hint| JointHint { name: hint.name, parent: hint.parent, position: hint.position })
        .collect();
    let options = TaskOptions {
        mode: args.mode.as_ref().map(word),
        class: args.class.as_ref().map(word),
        joints,
        influences: args.influences,
        fingers: args.fingers.as_ref().map(word),
        extra_chains: args.extra_chains.as_ref().map(word),
        eyes: args.eyes.as_ref().map(word),
        symmetry: args.symmetry.as_ref().map(word),
        rest_pose: args.rest_pose.as_ref().map(word),
        existing: args.existing.as_ref().map(word),
        outputs: args.outputs.iter().map(|output| output.key().to_owned()).collect(),
        names: args.names.map(Preset::name),
        preset: args.preset.map(Preset::name),
        lods: args.lods.as_ref().map(|lods| lods.iter().flatten().map(|lod| level_name(*lod)).collect()),
        vrm_meta: args.vrm_meta.as_deref().map(rig::licence::read).transpose()?.map(|meta| json!(meta)),
        visibility: args.visibility.as_ref().map(word),
    };
    Ok((options, args.idempotency_key.clone()))
}

/// What the API calls a level of detail.
fn level_name(level: Output) -> String {
    level.key().trim_start_matches("lod_").to_owned()
}

fn id_line(id: &str, ui: &Ui) -> Result<()> {
    if ui.is_json() { Ok(()) } else { ui.result(format!("{id}\n").as_bytes()) }
}

async fn list(client: &Client, args: &TaskListArgs, ui: &Ui) -> Result<Outcome> {
    let page = client.history(Some(args.limit), args.cursor.as_deref()).await?;
    if !ui.is_json() {
        let mut text = String::new();
        for task in &page.items {
            let field = |name: &str| task.other.get(name).and_then(Value::as_str).unwrap_or_default();
            let line =
                format!("{}  {:<10}  {}  {}", task.id, task.status, field("created_at"), field("title"));
            let _ = writeln!(text, "{}", clean(line.trim_end()));
        }
        ui.result(text.as_bytes())?;
        if let Some(next) = &page.next {
            ui.say(&format!("there are more: --cursor {next}"));
        }
    }
    Ok(Outcome::ok(json!(page)))
}

fn show(task: &Task, ui: &Ui) -> Result<Outcome> {
    if !ui.is_json() {
        ui.result(described(task).as_bytes())?;
    }
    show_quietly(task)
}

fn show_quietly(task: &Task) -> Result<Outcome> {
    Ok(Outcome::ok(json!(task)))
}

fn described(task: &Task) -> String {
    let mut lines =
        vec![format!("task       {}", task.id), format!("status     {} {} %", task.status, task.progress)];
    let mut add = |name: &str, value: Option<&str>| {
        lines.extend(value.map(|value| format!("{name:<10} {value}")));
    };
    add("name", task.name.as_deref());
    add("stage", task.stage.as_deref());
    add("visibility", task.visibility.as_deref());
    add("created", task.created_at.as_deref());
    add("finished", task.finished_at.as_deref());
    if let Some(error) = &task.error {
        add("error", Some(&format!("{} ({}); {}", error.message, error.code, error.remedy)));
    }
    for file in &task.files {
        add(&file.key, Some(&format!("{} ({} bytes)", file.name, file.size.unwrap_or_default())));
    }
    lines.iter().map(|line| clean(line) + "\n").collect()
}

async fn wait(client: &Client, args: &TaskWaitArgs, ui: &Ui) -> Result<Outcome> {
    let task = client.wait(&args.id.task, Duration::from_secs(args.timeout)).await?;
    let failure = ending(&task.status, task.error.as_ref());
    if failure.is_none() && !ui.is_json() {
        ui.result(described(&task).as_bytes())?;
    }
    Ok(Outcome { result: json!(task), failure })
}

/// What a task's end means for the command.
fn ending(status: &Status, error: Option<&TaskError>) -> Option<Failure> {
    match (status, error) {
        (Status::Error, Some(error)) => Some(failed(error)),
        (Status::Error, None) => Some(Failure::new(
            Exit::Network,
            "unexpected_answer",
            "the task failed without a reason",
            "see its log",
        )),
        (Status::Cancelled, _) => Some(Failure::new(
            Exit::Usage,
            "cancelled",
            "the task was cancelled",
            "make another with `task retry`",
        )),
        _ => None,
    }
}

fn failed(error: &TaskError) -> Failure {
    let exit = match error.class.as_str() {
        "user_violation" if error.code.starts_with("limit_") => Exit::Limit,
        "user_violation" => Exit::Input,
        "rate_limit" => Exit::Limit,
        _ => Exit::Network,
    };
    Failure::new(exit, &error.code, error.message.clone(), error.remedy.clone())
}

async fn events(client: &Client, args: &TaskEventsArgs, ui: &Ui) -> Result<Outcome> {
    let mut events = client.events(&args.id.task);
    if let Some(after) = &args.after {
        events = events.after(after);
    }
    let (mut told, mut failure) = (Vec::new(), None);
    while let Some(event) = events.next().await? {
        let (name, text, data) = in_words(&event);
        failure = match &event.kind {
            EventKind::Error(error) => Some(failed(error)),
            EventKind::Done { status } => ending(status, None),
            _ => None,
        };
        if ui.is_json() {
            told.push(json!({ "id": event.id, "event": name, "data": data }));
        } else {
            let id = event.id.as_deref().unwrap_or("-");
            ui.result(format!("{}\n", clean(&format!("{id}  {name}  {text}"))).as_bytes())?;
        }
    }
    Ok(Outcome { result: json!({ "events": told }), failure })
}

/// An event's name, in words, and as data.
fn in_words(event: &Event) -> (String, String, Value) {
    let (name, text, data) = match &event.kind {
        EventKind::Queued { position } => {
            let text = position.map(|position| format!("position {position}")).unwrap_or_default();
            ("queued", text, json!({ "position": position }))
        }
        EventKind::Stage { stage, progress } => {
            ("stage", format!("{stage} {progress} %"), json!({ "stage": stage, "progress": progress }))
        }
        EventKind::Progress { stage, progress } => {
            let text = format!("{} {progress} %", stage.as_deref().unwrap_or_default());
            ("progress", text, json!({ "stage": stage, "progress": progress }))
        }
        EventKind::File { key, name, size, url } => {
            ("file", name.clone(), json!({ "key": key, "name": name, "size": size, "url": url }))
        }
        EventKind::Log { message } => ("log", message.clone(), json!({ "message": message })),
        EventKind::Done { status } => ("done", status.to_string(), json!({ "status": status })),
        EventKind::Error(error) => ("error", format!("{} ({})", error.message, error.code), json!(error)),
        EventKind::Other { name, data } => (name.as_str(), data.to_string(), data.clone()),
        _ => ("other", String::new(), Value::Null),
    };
    (name.to_owned(), text, data)
}

async fn download(client: &Client, args: &TaskDownloadArgs, ui: &Ui) -> Result<Outcome> {
    let task = client.get(&args.id.task).await?;
    if let Some(missing) = args.keys.iter().find(|key| task.file(key).is_none()) {
        let have: Vec<&str> = task.files.iter().map(|file| file.key.as_str()).collect();
        let remedy = match have.is_empty() {
            true => "it has none yet: wait until it is done".to_owned(),
            false => format!("it has {}", have.join(", ")),
        };
        let message = format!("the task has no file `{missing}`");
        return Err(Failure::new(Exit::NotFound, "file_not_found", message, remedy));
    }
    let wanted = task.files.iter().filter(|file| args.keys.is_empty() || args.keys.contains(&file.key));
    let failed = |doing: &str, path: &Path, error: std::io::Error| Failure::io(doing, path, &error);
    std::fs::create_dir_all(&args.output).map_err(|error| failed("make the folder", &args.output, error))?;
    let mut written = Vec::new();
    for file in wanted {
        // The name comes from a server: only its last part, and only in the folder that was asked for.
        let name = Path::new(&file.name).file_name().unwrap_or("file".as_ref());
        let path = args.output.join(name);
        if path.exists() && !args.force {
            return Err(failed("write the file", &path, std::io::ErrorKind::AlreadyExists.into()));
        }
        client.download(file, &path).await.map_err(|error| Failure::from(error).about(&path))?;
        ui.say(&format!("wrote {}", path.display()));
        written.push(json!({ "key": file.key, "path": path, "size": file.size, "sha256": file.sha256 }));
    }
    Ok(Outcome::ok(json!({ "task_id": task.id, "files": written })))
}

async fn log(client: &Client, args: &TaskLogArgs, ui: &Ui) -> Result<Outcome> {
    let log = client.log(&args.id.task, args.tail).await?;
    if !ui.is_json() {
        let line = |line: &autorig_client::LogLine| clean(&format!("{}  {}", line.at, line.text)) + "\n";
        let text: String = log.lines.iter().map(line).collect();
        ui.result(text.as_bytes())?;
    }
    Ok(Outcome::ok(json!(log)))
}
