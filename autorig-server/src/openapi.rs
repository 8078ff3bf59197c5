//! The API document: what poem-openapi derives from the handlers, made exact where it cannot say enough.

use std::collections::BTreeMap;

use poem_openapi::{registry::Registry, types::Type};
use serde_json::{Map, Value, json};

use crate::api::{self, wire};

/// Schemas of answers, whose optional fields are always there and may be null.
const ANSWERS: [&str; 17] = [
    "RigJoint",
    "ApiKey",
    "Created",
    "Task",
    "TaskError",
    "TaskFile",
    "TaskOwner",
    "TaskSummary",
    "TaskUrls",
    "Upload",
    "QueuePosition",
    "QueueStatus",
    "QueuedEvent",
    "PreStep",
    "History",
    "Me",
    "TaskLog",
];

/// The API document (OpenAPI 3.0), as served at `/openapi.json` and kept in `openapi/autorig.json`.
///
/// ```
/// let document = autorig_server::openapi_json();
/// assert!(document.contains("/api/task/create"));
/// ```
pub fn openapi_json() -> String {
    let mut document: Value = serde_json::from_str(&api::service().spec()).unwrap_or_default();
    if let Some(schemas) = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut) {
        add_event_schemas(schemas);
        // poem-openapi knows bytes in JSON and bytes in a form, but not the latter in a schema of its own.
        if let Some(file) =
            schemas.get_mut("CreateForm").and_then(|form| form.pointer_mut("/properties/file"))
        {
            file["format"] = Value::from("binary");
        }
        for name in ["CreateForm", "CreateFromLink", "CreateFromUpload", "RetryOptions"] {
            // An option nobody knows is refused, not ignored.
            schemas[name]["additionalProperties"] = Value::Bool(false);
        }
        for name in ANSWERS {
            if let Some(schema) = schemas.get_mut(name).and_then(Value::as_object_mut) {
                state_nulls(schema);
            }
        }
    }
    describe_events(&mut document);
    describe_texts(&mut document);
    let document = tidy(document);
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

/// The data of live events: no operation refers to it, because OpenAPI cannot describe an event stream.
fn add_event_schemas(schemas: &mut Map<String, Value>) {
    let mut registry = Registry::new();
    wire::QueuedEvent::register(&mut registry);
    wire::StageEvent::register(&mut registry);
    wire::FileEvent::register(&mut registry);
    wire::LogEvent::register(&mut registry);
    wire::EndEvent::register(&mut registry);
    wire::TaskErrorView::register(&mut registry);
    for (name, schema) in registry.schemas {
        let schema = serde_json::to_value(schema).unwrap_or_default();
        schemas.entry(name).or_insert(schema);
    }
}

/// Which event carries which data, for tools and people that read further than the standard goes.
fn describe_events(document: &mut Value) {
    let media =
        document.pointer_mut("/paths/~1api~1task~1{id}~1events/get/responses/200/content/text~1event-stream");
    let Some(media) = media.and_then(Value::as_object_mut) else { return };
    let reference = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
    media.insert(
        "x-events".to_owned(),
        json!({
            "queued": reference("QueuedEvent"),
            "stage": reference("StageEvent"),
            "progress": reference("StageEvent"),
            "file": reference("FileEvent"),
            "log": reference("LogEvent"),
            "done": reference("EndEvent"),
            "cancelled": reference("EndEvent"),
            "error": reference("TaskError"),
        }),
    );
}

/// What core asks of a text. Stated here only: checked by poem as well, it would have two error codes.
fn describe_texts(document: &mut Value) {
    let mut refine = |path: &str, name: &str, rules: Value| {
        let parameters = document.pointer_mut(path).and_then(Value::as_array_mut).into_iter().flatten();
        for parameter in parameters.filter(|parameter| parameter["name"] == name) {
            if let (Some(schema), Some(rules)) = (parameter["schema"].as_object_mut(), rules.as_object()) {
                schema.extend(rules.clone());
            }
        }
    };
    let key = json!({ "minLength": 1, "maxLength": 255 });
    refine("/paths/~1api~1task~1create/post/parameters", "Idempotency-Key", key);
    refine("/paths/~1api~1task~1{id}/get/parameters", "wait", json!({ "minimum": 0 }));
}

/// Writes things as other tools expect them, with sorted keys whatever the JSON library is built with.
fn tidy(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let sorted: BTreeMap<String, Value> =
                fields.into_iter().map(|(name, value)| (tidy_name(name), tidy(value))).collect();
            let mut fields: Map<String, Value> = sorted.into_iter().collect();
            if let Some(all) = fields.get_mut("allOf").and_then(Value::as_array_mut) {
                // The description is repeated beside; an empty member would only blur the type.
                all.retain(|member| {
                    member.as_object().is_none_or(|m| m.keys().any(|key| key != "description"))
                });
            }
            Value::Object(fields)
        }
        Value::Array(items) => items.into_iter().map(tidy).collect(),
        other => other,
    }
}

fn tidy_name(name: String) -> String {
    match name.as_str() {
        "application/json; charset=utf-8" => "application/json".to_owned(),
        "ETAG" => "ETag".to_owned(),
        "CACHE-CONTROL" => "Cache-Control".to_owned(),
        _ => name,
    }
}

/// poem-openapi leaves a field that may be null out of `required` and does not say `nullable`.
fn state_nulls(schema: &mut Map<String, Value>) {
    let required: Vec<Value> = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    for (name, property) in properties.iter_mut() {
        if required.iter().any(|r| r.as_str() == Some(name)) {
            continue;
        }
        if property.get("$ref").is_some() {
            *property = json!({ "allOf": [property.take()] });
        }
        if let Some(property) = property.as_object_mut() {
            property.insert("nullable".to_owned(), Value::Bool(true));
        }
    }
    let all: Vec<Value> = properties.keys().cloned().map(Value::String).collect();
    schema.insert("required".to_owned(), Value::Array(all));
}
