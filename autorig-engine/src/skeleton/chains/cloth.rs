//! Shells that hang on the body: capes, skirts, long hair.
//!
//! A cape is a thin shell that hangs down the back from the shoulders; a skirt is one around both legs with nothing between
//! them; long hair is one on the head that reaches down behind past the neck. Cloth that is one shell with the body is not
//! told from it.
//!
//! A cape takes all the weight of its shell. A skirt takes only what the thighs have there, and hangs on them: while
//! nobody moves the chains it follows the legs as it did, where a skirt on the hips would let them through.

use glam::DVec3;

use super::{Chain, Extra, Figure, Side, Takes};
use crate::{
    analyse::{surface::sample, weld::Face},
    skin::rigid::open_parts,
};

/// Points a shell is looked at by.
const POINTS: usize = 1024;
/// A shell with less than this share of the area is no cloth; nor is one with more, if it must be apart from the body.
const AREA: (f64, f64) = (0.01, 0.6);
/// A cloth is at most so thick, its volume against its area, as a share of the height.
const THIN: f64 = 0.014;
/// How sure the joints are.
const CONFIDENCE: f32 = 0.6;

/// A connected part of the mesh.
struct Shell {
    part: u32,
    area: f64,
    /// Six times its volume, signed.
    volume: f64,
    lo: DVec3,
    hi: DVec3,
}

/// Chains for all cloth.
pub(super) fn find(figure: &Figure) -> Vec<Extra> {
    let shells = shells(figure);
    let total: f64 = shells.iter().map(|s| s.area).sum();
    let large: Vec<&Shell> = shells.iter().filter(|s| s.area > AREA.0 * total).collect();
    let loose = || large.iter().copied().filter(|s| s.area < AREA.1 * total);
    let mut found = Vec::new();
    found.extend(cape(figure, &loose().filter(|s| is_cape(figure, s)).collect::<Vec<_>>()));
    found.extend(hair(figure, &loose().filter(|s| is_hair(figure, s)).collect::<Vec<_>>()));
    found.extend(skirt(figure, &large));
    found
}

fn shells(figure: &Figure) -> Vec<Shell> {
    let welded = &figure.body.welded;
    let empty = |part| Shell { part, area: 0.0, volume: 0.0, lo: DVec3::INFINITY, hi: DVec3::NEG_INFINITY };
    let mut shells: Vec<Shell> = (0..welded.parts as u32).map(empty).collect();
    for t in &welded.triangles {
        let [a, b, c] = t.map(|i| figure.body.vertices[i as usize] - figure.hips);
        let shell = &mut shells[welded.part[t[0] as usize] as usize];
        shell.area += (b - a).cross(c - a).length() / 2.0;
        shell.volume += a.dot(b.cross(c));
        for p in [a, b, c] {
            (shell.lo, shell.hi) = (shell.lo.min(p + figure.hips), shell.hi.max(p + figure.hips));
        }
    }
    shells
}

/// Points spread over the triangles of some shells that reach below a height.
fn points(figure: &Figure, shells: &[&Shell], below: f64) -> Vec<DVec3> {
    let welded = &figure.body.welded;
    let own = |t: &[u32; 3]| shells.iter().any(|s| s.part == welded.part[t[0] as usize]);
    let faces: Vec<Face> = welded
        .triangles
        .iter()
        .zip(&welded.ordinals)
        .filter(|(t, _)| own(t) && t.iter().any(|v| figure.body.vertices[*v as usize].y < below))
        .map(|(&corners, &ordinal)| Face { corners, ordinal })
        .collect();
    sample(&figure.body.vertices, &faces, POINTS, 0).into_iter().map(|p| p.position).collect()
}

/// Those of them that are below it.
fn below(figure: &Figure, shells: &[&Shell], height: f64) -> Vec<DVec3> {
    points(figure, shells, height).into_iter().filter(|p| p.y < height).collect()
}

fn members(figure: &Figure, shells: &[&Shell]) -> Vec<u32> {
    let parts = figure.body.welded.part.iter().zip(0..);
    parts.filter(|(part, _)| shells.iter().any(|s| s.part == **part)).map(|(_, v)| v).collect()
}

/// Where the spine is at a height.
fn spine(figure: &Figure, y: f64) -> f64 {
    let (low, high) = (figure.hips, figure.neck);
    let t = ((y - low.y) / (high.y - low.y).max(f64::MIN_POSITIVE)).clamp(0.0, 1.0);
    low.z + (high.z - low.z) * t
}

fn is_cape(figure: &Figure, shell: &Shell) -> bool {
    /// How far its upper edge may be under the shoulders or over the head's joint, its lower one over the hips, and how long
    /// it is, as shares of the height.
    const EDGES: [f64; 4] = [0.08, 0.05, 0.03, 0.2];
    /// Its width as a share of the distance between the shoulders, and the share of it that lies behind the spine.
    const WIDE: f64 = 0.5;
    const BEHIND: f64 = 0.9;
    let height = figure.height();
    let [left, right] = figure.shoulders;
    let shoulder = f64::midpoint(left.y, right.y);
    let hangs = shell.hi.y > shoulder - EDGES[0] * height
        && shell.hi.y < figure.head.y + EDGES[1] * height
        && shell.lo.y < figure.hips.y + EDGES[2] * height
        && shell.hi.y - shell.lo.y > EDGES[3] * height;
    let wide = shell.hi.x - shell.lo.x > WIDE * (left.x - right.x)
        && (shell.lo.x..shell.hi.x).contains(&figure.hips.x);
    // The volume of what is open means nothing: a backpack is closed.
    let thin = || !is_closed(figure, shell) || shell.volume.abs() / 6.0 < THIN * height * shell.area;
    if !(hangs && wide && thin()) {
        return false;
    }
    // Collars and clasps lie before the neck.
    let below: Vec<DVec3> = below(figure, &[shell], shoulder - 0.03 * height);
    let behind = below.iter().filter(|p| p.z < spine(figure, p.y)).count();
    !below.is_empty() && behind as f64 > BEHIND * below.len() as f64
}

/// Whether no edge of a shell has one triangle only.
fn is_closed(figure: &Figure, shell: &Shell) -> bool {
    let welded = &figure.body.welded;
    let own: Vec<[u32; 3]> =
        welded.triangles.iter().copied().filter(|t| welded.part[t[0] as usize] == shell.part).collect();
    open_parts(&own, &welded.part).is_empty()
}

/// One chain down the middle of a cape; three for one that is wider than long.
fn cape(figure: &Figure, shells: &[&Shell]) -> Option<Extra> {
    /// Bones are about so long, as a share of the height.
    const BONE: f64 = 0.17;
    let all = points(figure, shells, f64::INFINITY);
    let (lo, hi) = bounds(&all)?;
    let [left, right] = figure.shoulders;
    let top = hi.y.min(f64::midpoint(left.y, right.y));
    let bones = (((top - lo.y) / (BONE * figure.height())).round() as usize).clamp(2, 4);
    let column = |at: f64, reach: f64| rows(&all, top, bones, |p| (p.x - at).abs() <= reach);
    let width = hi.x - lo.x;
    let mut chains = Vec::new();
    let middle = figure.centred(column(figure.hips.x, width / 5.0)?);
    chains.push(Chain::new("cape", None, "upperChest", middle, CONFIDENCE));
    if width > top - lo.y {
        let [l, r] = figure.paired(
            column(figure.hips.x + width / 3.0, width / 6.0)?,
            column(figure.hips.x - width / 3.0, width / 6.0)?,
        );
        chains.push(Chain::new("cape", Some(Side::Left), "upperChest", l, CONFIDENCE));
        chains.push(Chain::new("cape", Some(Side::Right), "upperChest", r, CONFIDENCE));
    }
    Some(Extra { chains, members: members(figure, shells), takes: Takes::All })
}

fn is_hair(figure: &Figure, shell: &Shell) -> bool {
    /// How far it reaches over the head's joint and under the neck's, as shares of the height.
    const EDGES: (f64, f64) = (0.05, 0.05);
    /// Share of what hangs that lies behind the neck.
    const BEHIND: f64 = 0.7;
    let height = figure.height();
    if shell.hi.y < figure.head.y + EDGES.0 * height || shell.lo.y > figure.neck.y - EDGES.1 * height {
        return false;
    }
    let all = points(figure, &[shell], f64::INFINITY);
    let hanging: Vec<&DVec3> = all.iter().filter(|p| p.y < figure.neck.y).collect();
    let behind = hanging.iter().filter(|p| p.z < figure.neck.z).count();
    // A hooded coat is on the head too, but not mainly.
    let on_head = all.iter().filter(|p| p.y > figure.neck.y).count();
    behind as f64 > BEHIND * hanging.len() as f64 && 2 * on_head > all.len()
}

fn hair(figure: &Figure, shells: &[&Shell]) -> Option<Extra> {
    /// Bones are about so long, as a share of the height.
    const BONE: f64 = 0.08;
    let all = points(figure, shells, f64::INFINITY);
    let (lo, _) = bounds(&all)?;
    let bones = (((figure.head.y - lo.y) / (BONE * figure.height())).round() as usize).clamp(2, 4);
    let line = rows(&all, figure.head.y, bones, |p| p.z < figure.neck.z)?;
    let chain = Chain::new("hair", None, "head", figure.centred(line), CONFIDENCE);
    Some(Extra { chains: vec![chain], members: members(figure, shells), takes: Takes::All })
}

/// Four chains around a skirt, before and behind each leg.
fn skirt(figure: &Figure, large: &[&Shell]) -> Option<Extra> {
    /// Bones are about so long, in thighs: a short skirt has one in each chain.
    const BONE: f64 = 0.8;
    let (top, thigh) = waist(figure);
    let skirts: Vec<&Shell> = large.iter().copied().filter(|s| is_skirt(figure, s, top, thigh)).collect();
    let all = below(figure, &skirts, top);
    let (lo, _) = bounds(&all)?;
    let bones = (((top - lo.y) / (BONE * thigh)).round() as usize).clamp(1, 3);
    let mut chains = Vec::new();
    for (name, forward) in [("skirtFront", true), ("skirtBack", false)] {
        let column = |side: Side| {
            rows(&all, top, bones, |p| {
                let (axis, _) = between_legs(figure, p.y);
                let (x, z) = (p.x - axis.x, p.z - axis.z);
                // About half way from the side to the front.
                (x > 0.0) == (side == Side::Left)
                    && (z > 0.0) == forward
                    && (0.35..2.8).contains(&(z / x.abs().max(f64::MIN_POSITIVE)).abs())
            })
        };
        let [left, right] = figure.paired(column(Side::Left)?, column(Side::Right)?);
        chains.push(Chain::new(name, Some(Side::Left), "leftUpperLeg", left, CONFIDENCE));
        chains.push(Chain::new(name, Some(Side::Right), "rightUpperLeg", right, CONFIDENCE));
    }
    Some(Extra { chains, members: members(figure, &skirts), takes: Takes::OfParent })
}

/// Where a skirt's chains begin, a little below the joints of the legs, and how long a thigh is.
fn waist(figure: &Figure) -> (f64, f64) {
    let thigh = figure.legs.iter().map(|[hip, knee, _]| hip.distance(*knee)).sum::<f64>() / 2.0;
    (figure.legs[0][0].y.min(figure.legs[1][0].y) - 0.15 * thigh, thigh)
}

/// Whether a shell goes all around both legs and not between them.
fn is_skirt(figure: &Figure, shell: &Shell, top: f64, thigh: f64) -> bool {
    /// How far it reaches down from where the legs begin, in thighs.
    const SHORTEST: f64 = 0.3;
    /// It keeps this share of the height away from the way between the legs, but for this share of it.
    const AWAY: f64 = 0.02;
    const STRAY: f64 = 0.03;
    /// Each eighth of the round has at least this share of it.
    const ROUND: f64 = 0.02;
    if shell.lo.y > top - SHORTEST * thigh {
        return false;
    }
    let all = below(figure, &[shell], top);
    let half = f64::midpoint(top, shell.lo.y);
    let enough = POINTS / 16;
    [true, false].into_iter().all(|upper| {
        let band: Vec<&DVec3> = all.iter().filter(|p| (p.y > half) == upper).collect();
        let mut eighths = [0_usize; 8];
        let mut inside = 0;
        for p in &band {
            let (axis, reach) = between_legs(figure, p.y);
            let (x, z) = (p.x - axis.x, p.z - axis.z);
            let aside = (x.abs() - reach).max(0.0);
            inside += usize::from(libm::hypot(aside, z) < AWAY * figure.height());
            let octant = usize::from(x > 0.0) + 2 * usize::from(z > 0.0) + 4 * usize::from(x.abs() > z.abs());
            eighths[octant] += 1;
        }
        let round = eighths.iter().all(|n| *n as f64 >= ROUND * band.len() as f64);
        band.len() >= enough && round && inside as f64 <= STRAY * band.len() as f64
    })
}

/// The point between the legs at a height, and half the distance between them.
fn between_legs(figure: &Figure, y: f64) -> (DVec3, f64) {
    let at = |[hip, knee, ankle]: [DVec3; 3]| {
        let (a, b) = if y > knee.y { (hip, knee) } else { (knee, ankle) };
        a.lerp(b, ((a.y - y) / (a.y - b.y).max(f64::MIN_POSITIVE)).clamp(0.0, 1.0))
    };
    let (left, right) = (at(figure.legs[0]), at(figure.legs[1]));
    (left.midpoint(right), (left.x - right.x).abs() / 2.0)
}

fn bounds(points: &[DVec3]) -> Option<(DVec3, DVec3)> {
    let box_of = |(lo, hi): (DVec3, DVec3), p: &DVec3| (lo.min(*p), hi.max(*p));
    (!points.is_empty()).then(|| points.iter().fold((DVec3::INFINITY, DVec3::NEG_INFINITY), box_of))
}

/// Means of the points that are `wanted`, at even heights from the top down to the lowest of them; `None` where a row is
/// empty.
fn rows(points: &[DVec3], top: f64, bones: usize, wanted: impl Fn(&DVec3) -> bool) -> Option<Vec<DVec3>> {
    let chosen: Vec<&DVec3> = points.iter().filter(|p| wanted(p)).collect();
    let bottom = chosen.iter().map(|p| p.y).reduce(f64::min)?;
    let step = (top - bottom) / bones as f64;
    (0..=bones)
        .map(|i| {
            let y = top - step * i as f64;
            let near: Vec<&DVec3> =
                chosen.iter().copied().filter(|p| (p.y - y).abs() <= step / 2.0).collect();
            let sum: DVec3 = near.iter().copied().sum();
            (!near.is_empty()).then(|| (sum / near.len() as f64).with_y(y))
        })
        .collect()
}
