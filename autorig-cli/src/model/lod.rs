//! `autorig lod`: the model with fewer triangles.

use autorig_engine::lod::simplify;
use serde_json::json;

use super::{Place, encode, load};
use crate::{
    args::LodArgs,
    failure::{Failure, Result, display_name},
    ui::{Outcome, Ui},
};

/// Runs the verb.
pub(crate) fn run(args: &LodArgs, ui: &Ui) -> Result<Outcome> {
    let place = Place::new(&args.output, &["glb", "fbx"], args.force, ui)?;
    let character = load(&args.input, ui)?;
    let about = |error| Failure::from(error).about(&args.input);
    let (level, report) = simplify(&character, args.triangles).map_err(about)?;
    if report.triangles > args.triangles {
        let message = format!(
            "{} triangles are the fewest that keep the surface, not {}",
            report.triangles, args.triangles
        );
        ui.warn("budget_not_reached", &message, Some(&args.input));
    }
    let (key, bytes) = encode(&level, args.preset, place.extension("glb"))?;
    let words = format!(
        "{}: {} of {} triangles, {:.2} % of the height off at most, weights {:.1} % off on average",
        display_name(&args.input),
        report.triangles,
        report.triangles_before,
        report.deviation.max,
        report.deviation.weight_mean * 100.0,
    );
    place.finish(key.key(), bytes, &words, json!({ "input": display_name(&args.input), "lod": report }), ui)
}
