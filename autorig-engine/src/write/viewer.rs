//! The viewer page: one HTML file with the model inside, which opens from disk and asks nothing of a network.
//!
//! The page itself is built from `static/` (`npm run build` makes `static/dist/standalone.html`); here the model is put
//! into it.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;

use crate::{Code, Error, Result, analyse::Frame};

/// Where the title of the page goes.
const TITLE: &str = "%AUTORIG_TITLE%";
/// Where what the page knows of the model goes.
const FACTS: &str = "%AUTORIG_FACTS%";
/// Where the model goes, in Base64.
const MODEL: &str = "%AUTORIG_MODEL%";

/// The page that shows a GLB. `template` is the built `standalone.html`; `frame` tells how the character stands in the
/// file, where that is known and not as glTF has it.
///
/// # Errors
/// `invalid_option` when the template is none (it was not built, or is another version's), `not_a_model` when the bytes are
/// no GLB.
pub fn html(template: &str, glb: &[u8], title: &str, frame: Option<&Frame>) -> Result<Vec<u8>> {
    if !glb.starts_with(b"glTF") {
        return Err(Error::new(Code::NotAModel, "the viewer shows GLB, and these bytes are none"));
    }
    let facts = frame.map_or_else(
        || json!({ "title": title }),
        |frame| {
            let row = |i: usize| frame.rotation.row(i).to_array();
            let orientation = json!({ "left": row(0), "up": row(1), "forward": row(2) });
            json!({ "title": title, "orientation": orientation })
        },
    );
    // In a script element only `<` could end it early.
    let facts = facts.to_string().replace('<', "\\u003c");
    let parts = split(template)?;
    let mut page = String::with_capacity(template.len() + glb.len() * 4 / 3 + 1024);
    for (text, value) in parts {
        page.push_str(text);
        match value {
            Some(TITLE) => page.push_str(&escaped(title)),
            Some(FACTS) => page.push_str(&facts),
            Some(_) => STANDARD.encode_string(glb, &mut page),
            None => {}
        }
    }
    Ok(page.into_bytes())
}

/// The template's texts, each with the place that follows it. Every place occurs once, in this order: values put in cannot
/// be taken for places.
fn split(template: &str) -> Result<Vec<(&str, Option<&'static str>)>> {
    let mut rest = template;
    let mut parts = Vec::new();
    for place in [TITLE, FACTS, MODEL] {
        let Some((text, after)) = rest.split_once(place) else {
            return Err(Error::new(
                Code::InvalidOption,
                "the template of the viewer page is missing or incomplete",
            )
            .with_remedy("build it: npm ci && npm run build in static/"));
        };
        parts.push((text, Some(place)));
        rest = after;
    }
    parts.push((rest, None));
    Ok(parts)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = "<title>%AUTORIG_TITLE%</title><script>%AUTORIG_FACTS%</script><script id=model>%AUTORIG_MODEL%</script>";

    #[test]
    fn a_model_and_its_title_are_put_in_and_can_break_nothing() {
        let title = "<b>%AUTORIG_MODEL%</script>";
        let page = String::from_utf8(html(TEMPLATE, b"glTF....", title, None).unwrap()).unwrap();
        assert!(page.starts_with("<title>&lt;b&gt;%AUTORIG_MODEL%&lt;/script&gt;</title>"));
        assert!(page.ends_with("<script id=model>Z2xURi4uLi4=</script>"));
        let facts = page.split("<script>").nth(1).unwrap().split("</script>").next().unwrap();
        let facts: serde_json::Value = serde_json::from_str(facts).unwrap();
        assert_eq!(facts["title"], title);
    }

    #[test]
    fn the_page_knows_how_the_character_stands() {
        let rotation = glam::DMat3::from_cols(glam::DVec3::X, -glam::DVec3::Z, glam::DVec3::Y);
        let frame = Frame { rotation, scale: 1.0, origin: glam::DVec3::ZERO };
        let page = String::from_utf8(html(TEMPLATE, b"glTF", "a", Some(&frame)).unwrap()).unwrap();
        assert!(page.contains("\"forward\":[0.0,-1.0,0.0]"), "{page}");
    }

    #[test]
    fn a_missing_template_says_how_to_build_it_and_other_bytes_are_refused() {
        for template in ["", "<title>%AUTORIG_TITLE%</title>"] {
            let error = html(template, b"glTF", "a", None).unwrap_err();
            assert_eq!(error.code, Code::InvalidOption);
            assert!(error.remedy.contains("npm run build"));
        }
        assert_eq!(html(TEMPLATE, b"solid", "a", None).unwrap_err().code, Code::NotAModel);
    }
}
