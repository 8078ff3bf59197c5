//! Correcting a rig, with the real engine.

use autorig_engine::{
    sample::{Sample, generate},
    write::scene_glb,
};
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::support::{TestServer, problem};

fn human() -> Vec<u8> {
    scene_glb(&generate(Sample::Human, Some(4000)).unwrap()).unwrap()
}

async fn put(server: &TestServer, id: &str, correction: &Value) -> Response {
    let url = format!("{}/api/task/{id}/rig", server.url);
    server.http.request(Method::PUT, url).json(correction).send().await.unwrap()
}

async fn rig(server: &TestServer, id: &str, query: &str) -> Value {
    server.get(&format!("/api/task/{id}/rig{query}")).send().await.unwrap().json().await.unwrap()
}

fn joint<'a>(rig: &'a Value, name: &str) -> &'a Value {
    rig["joints"].as_array().unwrap().iter().find(|joint| joint["name"] == name).unwrap()
}

fn distance(a: &Value, b: &Value) -> f64 {
    let at = |v: &Value, i: usize| v["position"][i].as_f64().unwrap();
    (0..3).map(|i| (at(a, i) - at(b, i)).powi(2)).sum::<f64>().sqrt()
}

#[tokio::test]
async fn a_moved_joint_makes_the_next_revision_and_leaves_the_first() {
    let server = TestServer::with_engine().await;
    let id = server.create("hero.glb", human()).await;
    assert_eq!(server.finished(&id).await["status"], "done");
    let first = rig(&server, &id, "").await;
    assert_eq!((&first["revision"], &first["class"]), (&json!(1), &json!("humanoid")));
    let file = async |query: &str| {
        let path = format!("/api/task/{id}/files/rigged_glb{query}");
        server.get(&path).send().await.unwrap().bytes().await.unwrap()
    };
    let before = file("").await;
    let elbow = joint(&first, "leftLowerArm")["position"].clone();
    let moved: Vec<f64> = elbow
        .as_array()
        .unwrap()
        .iter()
        .zip([0.02, 0.01, 0.0])
        .map(|(c, by)| c.as_f64().unwrap() + by)
        .collect();
    let correction = json!({"moved": [{"name": "leftLowerArm", "position": moved}], "symmetry": "off"});
    let answer: Value = put(&server, &id, &correction).await.json().await.unwrap();
    assert_eq!((&answer["id"], &answer["revision"]), (&json!(id), &json!(2)), "{answer}");
    problem(put(&server, &id, &correction).await, 409, "not_corrected").await;
    let done = server.finished(&id).await;
    assert_eq!(
        (&done["status"], &done["revision"], &done["attempt"]),
        (&json!("done"), &json!(2), &json!(2))
    );

    let second = rig(&server, &id, "").await;
    assert_eq!((&second["revision"], &second["symmetry"]), (&json!(2), &json!("off")));
    let target = json!({"position": moved});
    assert!(distance(joint(&second, "leftLowerArm"), &target) < 1e-6);
    for name in ["hips", "head", "rightLowerArm", "leftUpperLeg"] {
        let apart = distance(joint(&second, name), joint(&first, name));
        assert!(apart < 1e-6, "{name} moved by {apart}");
    }
    assert_ne!(file("").await, before);
    assert_eq!(file("?revision=2").await, file("").await);
    assert_eq!(file("?revision=1").await, before);
    assert_eq!(joint(&rig(&server, &id, "?revision=1").await, "leftLowerArm")["position"], elbow);
    let none = server.get(&format!("/api/task/{id}/files/rigged_glb?revision=3")).send().await.unwrap();
    problem(none, 404, "file_not_found").await;

    let gone = server.http.delete(format!("{}/api/task/{id}", server.url)).send().await.unwrap();
    assert_eq!(gone.status(), 204);
    server.assert_nothing_is_left().await;
}

#[tokio::test]
async fn a_correction_that_cannot_be_is_refused_and_changes_nothing() {
    let server = TestServer::with_engine().await;
    let id = server.create("hero.glb", human()).await;
    let at = json!([0.0, 1.0, 0.0]);
    server.finished(&id).await;
    for (correction, status, code) in [
        (json!({"moved": [{"name": "tail", "position": at}]}), 422, "unknown_joint"),
        (json!({"removed": ["hips"]}), 422, "invalid_correction"),
        (json!({"removed": ["leftUpperLeg"]}), 422, "invalid_correction"),
        (json!({"added": [{"name": "leftEye", "position": at}]}), 422, "invalid_correction"),
        (json!({"moved": [{"name": "head", "position": [0.0, 1.0]}]}), 400, "invalid_json"),
        (json!({"joints": []}), 400, "invalid_json"),
    ] {
        problem(put(&server, &id, &correction).await, status, code).await;
    }
    let task = server.task(&id).await;
    assert_eq!((&task["status"], &task["revision"]), (&json!("done"), &json!(1)));
    let plain = TestServer::start().await;
    let id = plain.create("a.glb", b"x".to_vec()).await;
    plain.finished(&id).await;
    problem(plain.get(&format!("/api/task/{id}/rig")).send().await.unwrap(), 404, "file_not_found").await;
    problem(put(&plain, &id, &json!({})).await, 409, "not_corrected").await;
}

#[tokio::test]
async fn a_joint_that_is_removed_is_gone_and_its_children_hang_on() {
    let server = TestServer::with_engine().await;
    let id = server.create("hero.glb", human()).await;
    server.finished(&id).await;
    let first = rig(&server, &id, "").await;
    let names = |rig: &Value| -> Vec<String> {
        rig["joints"].as_array().unwrap().iter().map(|j| j["name"].as_str().unwrap().to_owned()).collect()
    };
    let gone = ["leftToes", "rightToes", "upperChest"];
    let had: Vec<&str> = gone.into_iter().filter(|name| names(&first).iter().any(|n| n == name)).collect();
    assert!(!had.is_empty(), "{:?}", names(&first));
    assert_eq!(put(&server, &id, &json!({"removed": had})).await.status(), 200);
    let done = server.finished(&id).await;
    assert_eq!((&done["status"], &done["error"]), (&json!("done"), &Value::Null));
    let second = rig(&server, &id, "").await;
    let expected: Vec<String> =
        names(&first).into_iter().filter(|name| !had.contains(&name.as_str())).collect();
    let mut left = names(&second);
    left.sort();
    let mut expected = expected;
    expected.sort();
    assert_eq!(left, expected);
    // A correction of a correction keeps what the first has done.
    let head = joint(&second, "head")["position"].clone();
    assert_eq!(
        put(&server, &id, &json!({"moved": [{"name": "head", "position": head}]})).await.status(),
        200
    );
    assert_eq!(server.finished(&id).await["revision"], 3);
    let mut third = names(&rig(&server, &id, "").await);
    third.sort();
    assert_eq!(third, left);
}
