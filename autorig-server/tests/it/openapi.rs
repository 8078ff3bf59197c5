//! The API document.

use std::path::Path;

use serde_json::Value;

use crate::support::TestServer;

#[test]
fn the_committed_document_is_the_generated_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../openapi/autorig.json");
    let generated = autorig_server::openapi_json();
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(&path, &generated).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == generated,
        "openapi/autorig.json is stale; run this test again with UPDATE_OPENAPI=1"
    );
}

#[tokio::test]
async fn the_served_document_is_the_generated_one() {
    let server = TestServer::start().await;
    let answer = server.get("/openapi.json").send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/json");
    assert_eq!(answer.text().await.unwrap(), autorig_server::openapi_json());
}

#[test]
fn every_reference_leads_somewhere_and_every_call_has_a_name_and_its_errors() {
    let document: Value = serde_json::from_str(&autorig_server::openapi_json()).unwrap();
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(!references.is_empty());
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            assert!(operation["operationId"].is_string(), "{method} {path}");
            assert!(operation["summary"].is_string(), "{method} {path}");
            let problem = &operation["responses"]["default"]["content"]["application/problem+json"];
            let cannot_fail = matches!(path.as_str(), "/health" | "/version" | "/ready");
            assert!(cannot_fail || problem.is_object(), "{method} {path}");
        }
    }
}

fn collect(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value.as_str() {
                    Some(target) if name == "$ref" => found.push(target.to_owned()),
                    _ => collect(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        _ => {}
    }
}

#[tokio::test]
async fn a_task_has_the_fields_that_the_document_promises() {
    let document: Value = serde_json::from_str(&autorig_server::openapi_json()).unwrap();
    let server = TestServer::start().await;
    let id = server.create("a.glb", b"x".to_vec()).await;
    let task = server.finished(&id).await;
    let promised = document.pointer("/components/schemas/Task/properties").unwrap().as_object().unwrap();
    let required = document.pointer("/components/schemas/Task/required").unwrap().as_array().unwrap();
    let given = task.as_object().unwrap();
    assert!(given.keys().all(|key| promised.contains_key(key)));
    assert!(required.iter().all(|key| given.contains_key(key.as_str().unwrap())));
    for (key, value) in given {
        assert!(!value.is_null() || promised[key]["nullable"] == true, "{key}");
    }
}
