//! The published form of the report.

use std::path::Path;

use autorig_engine::Report;

#[test]
fn the_published_schema_is_that_of_the_report() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/report.schema.json");
    let mut text = serde_json::to_string_pretty(&schemars::schema_for!(Report)).unwrap();
    text.push('\n');
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let published = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(published == text, "docs/report.schema.json is stale: run the tests with UPDATE_SCHEMA=1");
}
