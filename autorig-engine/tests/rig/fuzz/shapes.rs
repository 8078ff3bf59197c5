//! Meshes for the fuzz test: everything a careless or hostile tool could write, from one seed each.

use autorig_engine::{
    sample::{self, Sample},
    scene::{Mesh, Node, Primitive, Scene},
};
use glam::{DMat3, DQuat, DVec3};
use libm::{cos, sin};

/// SplitMix64 (Steele, Lea & Flood 2014): one number makes one mesh, on every machine.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 0 to below `n`.
    pub(super) fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    /// `from` to `to`.
    pub(super) fn between(&mut self, from: f64, to: f64) -> f64 {
        from + (to - from) * (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(super) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub(super) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    fn point(&mut self, reach: f64) -> DVec3 {
        DVec3::new(self.between(-reach, reach), self.between(-reach, reach), self.between(-reach, reach))
    }

    fn turn(&mut self) -> DMat3 {
        let axis = self.point(1.0).normalize_or(DVec3::Y);
        DMat3::from_quat(DQuat::from_axis_angle(axis, self.between(0.0, 6.3)))
    }
}

/// Triangles by corner: no index to keep right while shapes are thrown together.
#[derive(Default)]
struct Soup(Vec<[DVec3; 3]>);

impl Soup {
    fn quad(&mut self, a: DVec3, b: DVec3, c: DVec3, d: DVec3) {
        self.0.extend([[a, b, c], [a, c, d]]);
    }

    /// A grid of `m` × `n` cells bent by `place`, which takes both directions from 0 to 1.
    fn grid(&mut self, m: usize, n: usize, place: impl Fn(f64, f64) -> DVec3) {
        let at = |i: usize, j: usize| place(i as f64 / m as f64, j as f64 / n as f64);
        for i in 0..m {
            for j in 0..n {
                self.quad(at(i, j), at(i + 1, j), at(i + 1, j + 1), at(i, j + 1));
            }
        }
    }

    fn block(&mut self, centre: DVec3, half: DVec3) {
        for axis in 0..3 {
            for side in [-1.0, 1.0] {
                let turned = |u: f64, v: f64| {
                    let mut p = DVec3::ZERO;
                    (p[axis], p[(axis + 1) % 3], p[(axis + 2) % 3]) = (side, u * side, v);
                    centre + p * half
                };
                self.quad(turned(-1.0, -1.0), turned(1.0, -1.0), turned(1.0, 1.0), turned(-1.0, 1.0));
            }
        }
    }

    fn ball(&mut self, centre: DVec3, radii: DVec3, detail: usize) {
        self.grid(detail * 2, detail, |u, v| {
            let (around, down) = (u * std::f64::consts::TAU, v * std::f64::consts::PI);
            centre + radii * DVec3::new(sin(down) * cos(around), cos(down), sin(down) * -sin(around))
        });
    }

    fn ring(&mut self, centre: DVec3, wide: f64, thick: f64) {
        self.grid(24, 10, |u, v| {
            let (around, about) = (u * std::f64::consts::TAU, v * std::f64::consts::TAU);
            let out = wide + thick * cos(about);
            centre + DVec3::new(out * cos(around), thick * sin(about), out * sin(around))
        });
    }

    fn map(&mut self, place: impl Fn(DVec3) -> DVec3) {
        self.0.iter_mut().flatten().for_each(|p| *p = place(*p));
    }
}

/// Primitives thrown together, some through each other.
fn primitives(dice: &mut Dice, soup: &mut Soup) {
    for _ in 0..1 + dice.below(12) {
        let (centre, half) = (dice.point(1.0), DVec3::ONE * 0.02 + dice.point(0.4).abs());
        match dice.below(4) {
            0 => soup.block(centre, half),
            1 => soup.ball(centre, half, 3 + dice.below(8)),
            2 => soup.ring(centre, half.x + half.y, half.y * 0.5),
            _ => {
                let top = centre + half * 2.0;
                soup.grid(12, 3, |u, v| {
                    let around = u * std::f64::consts::TAU;
                    (centre + half.x * DVec3::new(cos(around), 0.0, sin(around))).lerp(top, v)
                });
            }
        }
    }
}

/// A person, an animal or a chair of boxes, of any proportions.
fn boxes(dice: &mut Dice, soup: &mut Soup) {
    let thick = dice.between(0.02, 0.2);
    let body = DVec3::new(dice.between(0.1, 0.5), dice.between(0.05, 0.6), dice.between(0.05, 0.5));
    let legs = dice.between(0.0, 1.2);
    soup.block(DVec3::Y * (legs + body.y), body);
    let count = dice.pick(&[0, 1, 2, 2, 3, 4, 4, 6]);
    for leg in 0..count {
        let (x, z) = ([-1.0, 1.0][leg % 2], [1.0, -1.0, 0.0][(leg / 2) % 3]);
        let z = if count < 4 { 0.0 } else { z };
        let foot = DVec3::new(x * body.x * 0.8, legs / 2.0, z * body.z * 0.8);
        soup.block(foot, DVec3::new(thick, legs / 2.0, thick));
    }
    let neck = legs + body.y * 2.0;
    if !dice.one_in(3) {
        let head = dice.between(0.03, 0.5);
        soup.block(DVec3::new(0.0, neck + head * 1.1, dice.between(0.0, body.z)), DVec3::splat(head));
    }
    for side in [-1.0, 1.0] {
        if !dice.one_in(3) {
            let reach = dice.between(0.05, 0.6);
            let droop = dice.between(-1.2, 0.5);
            let elbow = DVec3::new(side * (body.x + reach), neck - thick + droop * reach, 0.0);
            soup.block(elbow, DVec3::new(reach, thick, thick));
        }
    }
    if dice.one_in(2) {
        // A chair's back, a sail, a wing.
        soup.block(DVec3::new(0.0, neck, -body.z), DVec3::new(body.x, body.y, 0.01));
    }
}

/// Triangles without any order; slivers and needles among them.
fn scraps(dice: &mut Dice, soup: &mut Soup) {
    let flat = dice.pick(&[DVec3::ONE, DVec3::new(1.0, 1.0, 0.0), DVec3::new(0.0, 1.0, 1e-5), DVec3::Y]);
    let (longest, shortest) = (dice.between(0.05, 1.0), dice.pick(&[1.0, 1e-2, 1e-4, 1e-8]));
    for _ in 0..1 + dice.below(400) {
        let a = dice.point(1.0) * flat;
        let b = a + dice.point(longest) * flat;
        let c = a.lerp(b, dice.between(-0.2, 1.2)) + dice.point(longest * shortest) * flat;
        soup.0.push([a, b, c]);
    }
}

/// Very many closed shells, far apart or inside each other.
fn shells(dice: &mut Dice, soup: &mut Soup) {
    let (reach, nested) = (dice.between(0.1, 3.0), dice.one_in(3));
    for shell in 0..20 + dice.below(300) {
        let size = dice.between(0.002, 0.08);
        if nested {
            soup.ball(DVec3::Y, DVec3::splat(0.01 * (shell + 1) as f64), 4);
        } else if dice.one_in(2) {
            soup.block(dice.point(reach), DVec3::splat(size));
        } else {
            soup.ball(dice.point(reach), DVec3::splat(size), 4);
        }
    }
}

/// Open and crossed cards, a Möbius strip, a fan of triangles on one edge.
fn sheets(dice: &mut Dice, soup: &mut Soup) {
    let cells = 1 + dice.below(12);
    match dice.below(3) {
        0 => {
            for card in 0..1 + dice.below(4) {
                let turn = DMat3::from_rotation_y(card as f64);
                soup.grid(cells, cells, |u, v| turn * DVec3::new(u - 0.5, v * 2.0, 0.0));
            }
        }
        1 => soup.grid(24, cells, |u, v| {
            let (around, half) = (u * std::f64::consts::TAU, u * std::f64::consts::PI);
            let out = 1.0 + (v - 0.5) * cos(half);
            DVec3::new(out * cos(around), (v - 0.5) * sin(half), out * sin(around))
        }),
        _ => {
            for blade in 0..3 + dice.below(40) {
                let out = DMat3::from_rotation_y(blade as f64 * 0.37) * DVec3::X;
                soup.0.push([DVec3::ZERO, DVec3::Y * 2.0, DVec3::Y + out]);
            }
        }
    }
}

/// One of the engine's characters, bent, twisted, squeezed, rough, with holes.
fn character(dice: &mut Dice, soup: &mut Soup) {
    let scene = sample::generate(dice.pick(&Sample::ALL), Some(500 + dice.below(2500)))
        .and_then(|scene| scene.flatten(&autorig_engine::Limits::default()))
        .expect("the engine makes its own characters");
    for primitive in scene.meshes.iter().flat_map(|mesh| &mesh.primitives) {
        let at = |i: u32| DVec3::from(primitive.positions[i as usize].map(f64::from));
        soup.0.extend(primitive.indices.chunks_exact(3).map(|t| [at(t[0]), at(t[1]), at(t[2])]));
    }
    let (twist, bend) = (dice.between(-2.0, 2.0), dice.between(-1.0, 1.0));
    let squeeze = DVec3::new(dice.between(0.2, 3.0), dice.between(0.2, 3.0), dice.between(0.05, 3.0));
    let wave = dice.between(0.0, 0.15);
    let plain = dice.one_in(3);
    soup.map(|p| {
        if plain {
            return p * squeeze;
        }
        let turned = DMat3::from_rotation_y(twist * p.y) * DMat3::from_rotation_z(bend * p.y) * p;
        let rough = DVec3::new(sin(31.0 * p.y), sin(27.0 * p.z), sin(35.0 * p.x));
        turned * squeeze + wave * rough
    });
    let lost = dice.pick(&[0.0, 0.0, 0.1, 0.6]);
    soup.0.retain(|_| dice.between(0.0, 1.0) >= lost);
}

/// What a family of meshes is made by.
type Maker = fn(&mut Dice, &mut Soup);

/// Families of meshes, by what is hard about them.
#[derive(Debug, Clone, Copy)]
pub(super) enum Family {
    /// Closed shapes that may be anything: chairs, snowmen, tables, robots.
    Things,
    /// What no modeller means: scraps, sheets, hundreds of shells.
    Rubbish,
    /// Characters, distorted.
    Characters,
}

impl Family {
    fn makers(self) -> &'static [Maker] {
        match self {
            Self::Things => &[primitives, boxes],
            Self::Rubbish => &[scraps, shells, sheets],
            Self::Characters => &[character],
        }
    }

    /// A scene of this family.
    pub(super) fn scene(self, dice: &mut Dice) -> Scene {
        let mut soup = Soup::default();
        dice.pick(self.makers())(dice, &mut soup);
        spoil(dice, &mut soup);
        place(dice, &mut soup);
        scene(dice, &soup)
    }
}

/// Duplicates, flips, degenerate triangles, specks far off.
fn spoil(dice: &mut Dice, soup: &mut Soup) {
    let count = soup.0.len();
    if dice.one_in(4) {
        for _ in 0..dice.below(count + 1) {
            let mut copy = soup.0[dice.below(count)];
            if dice.one_in(2) {
                copy.swap(0, 1);
            }
            soup.0.push(copy);
        }
    }
    if dice.one_in(4) {
        for _ in 0..dice.below(60) {
            let p = dice.point(1.0);
            soup.0.push(dice.pick(&[[p, p, p], [p, p, p + DVec3::X], [p, p + DVec3::Y, p + DVec3::Y * 2.0]]));
        }
    }
    if dice.one_in(4) {
        for _ in 0..1 + dice.below(5) {
            let far = dice.point(30.0);
            soup.block(far, DVec3::splat(dice.pick(&[1e-6, 1e-3, 0.01])));
        }
    }
    if dice.one_in(6) {
        soup.quad(
            DVec3::new(-9.0, 0.0, -9.0),
            DVec3::new(9.0, 0.0, -9.0),
            DVec3::new(9.0, 0.0, 9.0),
            DVec3::new(-9.0, 0.0, 9.0),
        );
    }
}

/// Any turn, unit and place.
fn place(dice: &mut Dice, soup: &mut Soup) {
    let turn = if dice.one_in(2) { dice.turn() } else { DMat3::IDENTITY };
    // Mostly where the engine has to work; now and then where it has to refuse.
    let (scales, offsets): (&[f64], &[f64]) = if dice.one_in(10) {
        (&[1e9, 3e-6, 1.0], &[0.0, 1e4, 1e7])
    } else {
        (&[1.0, 1e-2, 100.0, 2e3], &[0.0, 1.0, 50.0])
    };
    let scale = dice.pick(scales);
    let offset = dice.point(1.0) * scale * dice.pick(offsets);
    soup.map(|p| turn * p * scale + offset);
}

/// One or more primitives, welded or not, by the corners of the soup.
fn scene(dice: &mut Dice, soup: &Soup) -> Scene {
    let (pieces, shared) = (1 + dice.below(3), dice.one_in(2));
    let mut primitives: Vec<Primitive> = vec![Primitive::default(); pieces];
    let mut known = std::collections::BTreeMap::new();
    for (t, triangle) in soup.0.iter().enumerate() {
        let piece = t * pieces / soup.0.len().max(1);
        let Primitive { positions, indices, .. } = &mut primitives[piece];
        for corner in triangle {
            let p = corner.as_vec3().to_array();
            let new = positions.len() as u32;
            let index = if shared { *known.entry((piece, p.map(f32::to_bits))).or_insert(new) } else { new };
            if index == new {
                positions.push(p);
            }
            indices.push(index);
        }
    }
    if dice.one_in(5) {
        primitives[0].positions.push([0.5; 3]); // used by no triangle
    }
    primitives.retain(|primitive| !primitive.indices.is_empty());
    Scene {
        meshes: vec![Mesh { primitives, ..Default::default() }],
        nodes: vec![Node { mesh: Some(0), ..Default::default() }],
        roots: vec![0],
        ..Default::default()
    }
}
