//! Eyeballs that are shells of their own: two of one size, round, at the front of the head, mirror images of each other.

use glam::DVec3;

use super::{Chain, Extra, Figure, Takes};

/// Longest and shortest side of an eyeball's box: half a ball is still one.
const ROUND: f64 = 2.4;
/// Its width, as shares of the height: chibis have large ones.
const WIDE: std::ops::Range<f64> = 0.006..0.12;
/// A counterpart is as large and lies in the mirror, within this share of the width.
const ALIKE: f64 = 0.25;
/// What belongs to an eyeball (iris, lens) has its middle within this share of the ball's width from the ball's.
const WITH: f64 = 0.5;
const CONFIDENCE: f32 = 0.8;

struct Ball {
    part: u32,
    lo: DVec3,
    hi: DVec3,
}

impl Ball {
    fn size(&self) -> DVec3 {
        self.hi - self.lo
    }

    /// The middle of the ball, of which there may only be the front.
    fn centre(&self) -> DVec3 {
        let radius = self.size().x.min(self.size().y) / 2.0;
        self.lo.midpoint(self.hi).with_z((self.hi.z - radius).min(self.lo.midpoint(self.hi).z))
    }
}

/// A joint for each of the two eyes.
pub(super) fn find(figure: &Figure) -> Vec<Extra> {
    let balls = balls(figure);
    let mut best: Option<[usize; 2]> = None;
    for (i, left) in balls.iter().enumerate() {
        for (j, right) in balls.iter().enumerate() {
            let better = best.is_none_or(|[b, _]| balls[b].size().x < left.size().x);
            if left.centre().x > figure.hips.x && are_pair(figure, left, right) && better {
                best = Some([i, j]);
            }
        }
    }
    let Some(pair) = best else { return Vec::new() };
    ["leftEye", "rightEye"]
        .into_iter()
        .zip(pair)
        .map(|(name, ball)| eye(figure, &balls, name, ball))
        .collect()
}

/// Round shells in the upper front of the head.
fn balls(figure: &Figure) -> Vec<Ball> {
    let welded = &figure.body.welded;
    let mut balls: Vec<Ball> = (0..welded.parts as u32)
        .map(|part| Ball { part, lo: DVec3::INFINITY, hi: DVec3::NEG_INFINITY })
        .collect();
    for (part, p) in welded.part.iter().zip(&figure.body.vertices) {
        let ball = &mut balls[*part as usize];
        (ball.lo, ball.hi) = (ball.lo.min(*p), ball.hi.max(*p));
    }
    balls.retain(|ball| {
        let size = ball.size();
        let middle = ball.lo.midpoint(ball.hi);
        size.min_element() > 0.0
            && size.max_element() < ROUND * size.min_element()
            && WIDE.contains(&(size.x / figure.height()))
            && middle.y > figure.head.y
            && middle.z > figure.head.z
    });
    balls
}

fn are_pair(figure: &Figure, left: &Ball, right: &Ball) -> bool {
    let wide = left.size().x;
    left.centre().distance(figure.image(right.centre())) < ALIKE * wide
        && (left.size() - right.size()).abs().max_element() < ALIKE * wide
        && left.centre().x - right.centre().x > wide
}

fn eye(figure: &Figure, balls: &[Ball], name: &str, ball: usize) -> Extra {
    let (centre, wide) = (balls[ball].centre(), balls[ball].size().x);
    let with: Vec<u32> =
        balls.iter().filter(|b| b.centre().distance(centre) < WITH * wide).map(|b| b.part).collect();
    let parts = figure.body.welded.part.iter().zip(0..);
    let members = parts.filter(|(part, _)| with.contains(part)).map(|(_, v)| v).collect();
    let chain = Chain {
        joints: vec![name.to_owned()],
        parent: "head",
        line: vec![centre, centre + DVec3::Z * wide / 2.0],
        confidence: CONFIDENCE,
    };
    Extra { chains: vec![chain], members, takes: Takes::Rigid }
}
