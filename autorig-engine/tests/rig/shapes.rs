//! Simple bodies made of tubes and boxes.

use autorig_engine::scene::{Mesh, Node, Primitive, Scene};
use glam::{DMat4, DVec3};

/// A mesh that grows shell by shell; the shells may overlap.
#[derive(Default, Clone)]
pub(crate) struct Shells {
    positions: Vec<[f32; 3]>,
    indices: Vec<u32>,
}

impl Shells {
    /// A box between two corners.
    pub(crate) fn cuboid(mut self, lo: [f64; 3], hi: [f64; 3]) -> Self {
        let start = self.positions.len() as u32;
        for i in 0..8 {
            self.positions.push(std::array::from_fn(|k| if i >> k & 1 == 0 { lo[k] } else { hi[k] } as f32));
        }
        for [a, b, c, d] in
            [[0, 2, 3, 1], [4, 5, 7, 6], [0, 1, 5, 4], [2, 6, 7, 3], [0, 4, 6, 2], [1, 3, 7, 5]]
        {
            self.indices.extend([a, b, c, a, c, d].map(|i: u32| start + i));
        }
        self
    }

    /// A tube of twelve sides along points, closed at both ends; each point with its two half widths: to the side, and
    /// up or ahead.
    pub(crate) fn tube(mut self, line: &[([f64; 3], [f64; 2])]) -> Self {
        const SIDES: u32 = 12;
        let start = self.positions.len() as u32;
        for (i, (at, [wide, high])) in line.iter().enumerate() {
            let at = DVec3::from(*at);
            let before = DVec3::from(line[i.saturating_sub(1)].0);
            let after = DVec3::from(line[(i + 1).min(line.len() - 1)].0);
            let along = (after - before).normalize();
            let side = if along.x.abs() > 0.9 { DVec3::Z } else { DVec3::X };
            let side = (side - along * side.dot(along)).normalize();
            let other = along.cross(side);
            for k in 0..SIDES {
                let angle = std::f64::consts::TAU * f64::from(k) / f64::from(SIDES);
                let p = at + side * (wide * libm::cos(angle)) + other * (high * libm::sin(angle));
                self.positions.push(p.as_vec3().to_array());
            }
        }
        let rings = line.len() as u32;
        for ring in 0..rings - 1 {
            for k in 0..SIDES {
                let (a, b) = (start + ring * SIDES + k, start + ring * SIDES + (k + 1) % SIDES);
                self.indices.extend([a, b, b + SIDES, a, b + SIDES, a + SIDES]);
            }
        }
        for ring in [0, rings - 1] {
            for k in 1..SIDES - 1 {
                let first = start + ring * SIDES;
                self.indices.extend([first, first + k, first + k + 1]);
            }
        }
        self
    }

    /// A sheet of points: `at` of two shares, the first across and the second down.
    pub(crate) fn grid(mut self, columns: u32, rows: u32, at: impl Fn(f64, f64) -> [f64; 3]) -> Self {
        let start = self.positions.len() as u32;
        for (row, column) in (0..=rows).flat_map(|row| (0..=columns).map(move |column| (row, column))) {
            let p = at(f64::from(column) / f64::from(columns), f64::from(row) / f64::from(rows));
            self.positions.push(p.map(|x| x as f32));
        }
        let corner = |row: u32, column: u32| start + row * (columns + 1) + column;
        for (row, column) in (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column))) {
            let [a, b] = [corner(row, column), corner(row, column + 1)];
            let [c, d] = [corner(row + 1, column), corner(row + 1, column + 1)];
            self.indices.extend([a, c, b, b, c, d]);
        }
        self
    }

    /// The same tube on both sides of x = 0.
    pub(crate) fn pair(self, line: &[([f64; 3], [f64; 2])]) -> Self {
        let mirrored: Vec<_> = line.iter().map(|&([x, y, z], w)| ([-x, y, z], w)).collect();
        self.tube(line).tube(&mirrored)
    }

    /// As a scene, under a node with this transform.
    pub(crate) fn scene(self, transform: DMat4) -> Scene {
        let primitive =
            Primitive { positions: self.positions, indices: self.indices, ..Primitive::default() };
        Scene {
            nodes: vec![Node { local: transform, mesh: Some(0), ..Node::default() }],
            roots: vec![0],
            meshes: vec![Mesh { primitives: vec![primitive], ..Mesh::default() }],
            ..Scene::default()
        }
    }
}

pub(crate) fn table() -> Shells {
    let legs = [(-0.55, -0.35), (0.5, -0.35), (-0.55, 0.3), (0.5, 0.3)];
    legs.into_iter().fold(Shells::default().cuboid([-0.6, 0.68, -0.4], [0.6, 0.74, 0.4]), |t, (x, z)| {
        t.cuboid([x, 0.0, z], [x + 0.05, 0.7, z + 0.05])
    })
}

pub(crate) fn chair() -> Shells {
    let legs = [(-0.22, -0.22), (0.18, -0.22), (-0.22, 0.18), (0.18, 0.18)];
    let seat = Shells::default()
        .cuboid([-0.23, 0.42, -0.23], [0.23, 0.47, 0.23])
        .cuboid([-0.22, 0.45, -0.23], [0.22, 0.95, -0.19]);
    legs.into_iter().fold(seat, |t, (x, z)| t.cuboid([x, 0.0, z], [x + 0.04, 0.44, z + 0.04]))
}

pub(crate) fn crate_box() -> Shells {
    Shells::default().cuboid([-0.5, 0.0, -0.4], [0.5, 0.8, 0.4])
}

pub(crate) fn ball() -> Shells {
    let rings: Vec<_> = (0..=16)
        .map(|i| {
            let angle = std::f64::consts::PI * f64::from(i) / 16.0;
            let r = (0.5 * libm::sin(angle)).max(1e-3);
            ([0.0, 0.5 - 0.5 * libm::cos(angle), 0.0], [r, r])
        })
        .collect();
    Shells::default().tube(&rings)
}

pub(crate) fn card() -> Shells {
    Shells::default().cuboid([-0.3, 0.0, -0.002], [0.3, 0.9, 0.002])
}

pub(crate) fn house() -> Shells {
    Shells::default()
        .cuboid([-3.0, 0.0, -2.0], [3.0, 2.5, 2.0])
        .tube(&[([-3.2, 3.0, 0.0], [1.9, 0.9]), ([3.2, 3.0, 0.0], [1.9, 0.9])])
        .cuboid([1.0, 3.0, -0.3], [1.5, 4.4, 0.2])
}

/// Spread wings, a fan of a tail, a beak, two thin legs.
pub(crate) fn bird() -> Shells {
    Shells::default()
        .tube(&[
            ([0.0, 0.30, -0.62], [0.10, 0.015]),
            ([0.0, 0.28, -0.35], [0.05, 0.03]),
            ([0.0, 0.27, -0.15], [0.10, 0.10]),
            ([0.0, 0.27, 0.10], [0.11, 0.11]),
            ([0.0, 0.33, 0.25], [0.06, 0.06]),
            ([0.0, 0.40, 0.38], [0.06, 0.06]),
            ([0.0, 0.40, 0.46], [0.04, 0.04]),
            ([0.0, 0.38, 0.58], [0.01, 0.01]),
        ])
        .pair(&[
            ([0.05, 0.33, 0.03], [0.17, 0.02]),
            ([0.40, 0.38, 0.06], [0.15, 0.015]),
            ([0.75, 0.36, -0.02], [0.11, 0.012]),
            ([1.05, 0.32, -0.16], [0.03, 0.01]),
        ])
        .pair(&[
            ([0.05, 0.24, -0.06], [0.03, 0.03]),
            ([0.06, 0.12, -0.10], [0.02, 0.02]),
            ([0.06, 0.02, -0.05], [0.015, 0.015]),
            ([0.06, 0.015, 0.05], [0.02, 0.012]),
        ])
}

/// A raised head and a body in bends.
pub(crate) fn snake() -> Shells {
    let line: Vec<_> = (0..=30)
        .map(|i| {
            let t = f64::from(i) / 30.0;
            let thick = 0.03 + 0.06 * libm::sqrt(t);
            let rise = if t > 0.7 { (t - 0.7) * 1.5 } else { 0.0 };
            ([0.25 * libm::sin(t * 9.0), 0.09 + rise, -1.0 + 2.0 * t], [thick, thick])
        })
        .collect();
    Shells::default().tube(&line)
}

/// A body that tapers to a forked tail, a back fin, two side fins.
pub(crate) fn fish() -> Shells {
    Shells::default()
        .tube(&[
            ([0.0, 0.5, -0.85], [0.03, 0.05]),
            ([0.0, 0.5, -0.40], [0.10, 0.15]),
            ([0.0, 0.5, 0.10], [0.16, 0.24]),
            ([0.0, 0.5, 0.50], [0.13, 0.19]),
            ([0.0, 0.48, 0.85], [0.03, 0.04]),
        ])
        .tube(&[([0.0, 0.5, -0.8], [0.02, 0.06]), ([0.0, 0.85, -1.1], [0.012, 0.05])])
        .tube(&[([0.0, 0.5, -0.8], [0.02, 0.06]), ([0.0, 0.20, -1.1], [0.012, 0.05])])
        .pair(&[([0.12, 0.42, 0.3], [0.08, 0.015]), ([0.5, 0.28, 0.1], [0.03, 0.01])])
}
