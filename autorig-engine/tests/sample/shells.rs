//! Topology of a scene's triangles, computed apart from the code under test.

use std::collections::HashMap;

use autorig_engine::scene::Scene;
use glam::DVec3;

/// Every vertex in canonical space and every triangle, meshes one after the other.
pub(crate) fn world(scene: &Scene) -> (Vec<DVec3>, Vec<[u32; 3]>) {
    let (mut positions, mut triangles) = (Vec::new(), Vec::new());
    for node in &scene.nodes {
        for primitive in node.mesh.iter().flat_map(|m| &scene.meshes[*m].primitives) {
            let first = positions.len() as u32;
            let place = |p: &[f32; 3]| node.local.transform_point3(DVec3::from(p.map(f64::from)));
            positions.extend(primitive.positions.iter().map(place));
            triangles
                .extend(primitive.indices.chunks_exact(3).map(|t| [t[0], t[1], t[2]].map(|i| i + first)));
        }
    }
    (positions, triangles)
}

/// One connected closed surface.
#[derive(Default)]
pub(crate) struct Shell {
    pub(crate) volume: f64,
    /// Vertices − edges + triangles: 2 for a ball.
    pub(crate) euler: i64,
}

pub(crate) struct Shells {
    pub(crate) list: Vec<Shell>,
}

impl Shells {
    /// Splits a scene into shells; panics where an edge has not exactly two triangles in opposite
    /// directions, or a vertex more than one fan.
    pub(crate) fn of(scene: &Scene, what: &str) -> Self {
        let (positions, triangles) = world(scene);
        let mut directed: HashMap<(u32, u32), u32> = HashMap::new();
        for (t, corners) in triangles.iter().enumerate() {
            for k in 0..3 {
                let edge = (corners[k], corners[(k + 1) % 3]);
                assert!(edge.0 != edge.1, "{what}: a triangle uses a vertex twice");
                assert!(directed.insert(edge, t as u32).is_none(), "{what}: an edge has three triangles");
            }
        }
        assert!(directed.keys().all(|(a, b)| directed.contains_key(&(*b, *a))), "{what}: an open edge");
        assert_fans(&triangles, &directed, positions.len(), what);

        let mut union = Union::new(positions.len());
        triangles.iter().for_each(|t| {
            union.join(t[0], t[1]);
            union.join(t[0], t[2]);
        });
        let mut shells: HashMap<u32, Shell> = HashMap::new();
        for (i, _) in positions.iter().enumerate() {
            shells.entry(union.root(i as u32)).or_default().euler += 1;
        }
        for t in &triangles {
            let [p, q, r] = t.map(|i| positions[i as usize]);
            let shell = shells.get_mut(&union.root(t[0])).expect("known");
            shell.volume += p.dot(q.cross(r)) / 6.0;
            shell.euler += 1;
        }
        for (a, b) in directed.keys().filter(|(a, b)| a < b) {
            assert_ne!(a, b);
            shells.get_mut(&union.root(*a)).expect("known").euler -= 1;
        }
        Self { list: shells.into_values().collect() }
    }

    pub(crate) fn count(&self) -> usize {
        self.list.len()
    }
}

/// Walking from triangle to triangle around a vertex must pass all of its triangles.
fn assert_fans(triangles: &[[u32; 3]], directed: &HashMap<(u32, u32), u32>, count: usize, what: &str) {
    let mut degree = vec![0; count];
    let mut start = vec![None; count];
    for t in triangles {
        for k in 0..3 {
            degree[t[k] as usize] += 1;
            start[t[k] as usize] = Some(t[(k + 1) % 3]);
        }
    }
    for (vertex, first) in start.iter().enumerate() {
        let first = first.unwrap_or_else(|| panic!("{what}: a vertex has no triangle"));
        let (mut at, mut seen) = (first, 0);
        loop {
            let t = triangles[directed[&(vertex as u32, at)] as usize];
            let k = t.iter().position(|i| *i == vertex as u32).expect("in it");
            at = t[(k + 2) % 3];
            seen += 1;
            if at == first || seen > degree[vertex] {
                break;
            }
        }
        assert_eq!(seen, degree[vertex], "{what}: two fans meet in one vertex");
    }
}

/// Connected pieces of the triangles whose vertices all satisfy `keep`.
pub(crate) fn components(triangles: &[[u32; 3]], keep: impl Fn(u32) -> bool) -> usize {
    let most = triangles.iter().flatten().max().map_or(0, |m| *m as usize + 1);
    let mut union = Union::new(most);
    let kept: Vec<_> = triangles.iter().filter(|t| t.iter().all(|i| keep(*i))).collect();
    for t in &kept {
        union.join(t[0], t[1]);
        union.join(t[0], t[2]);
    }
    let mut roots: Vec<u32> = kept.iter().map(|t| union.root(t[0])).collect();
    roots.sort_unstable();
    roots.dedup();
    roots.len()
}

/// How often the surface winds around a point: 1 inside, 0 outside.
pub(crate) fn winding(positions: &[DVec3], triangles: &[[u32; 3]], at: DVec3) -> f64 {
    let angle = |t: &[u32; 3]| {
        let [a, b, c] = t.map(|i| positions[i as usize] - at);
        let (la, lb, lc) = (a.length(), b.length(), c.length());
        let below = la * lb * lc + a.dot(b) * lc + b.dot(c) * la + c.dot(a) * lb;
        2.0 * libm::atan2(a.dot(b.cross(c)), below)
    };
    triangles.iter().map(angle).sum::<f64>() / (4.0 * std::f64::consts::PI)
}

struct Union {
    parent: Vec<u32>,
}

impl Union {
    fn new(count: usize) -> Self {
        Self { parent: (0..count as u32).collect() }
    }

    fn root(&mut self, mut i: u32) -> u32 {
        while self.parent[i as usize] != i {
            self.parent[i as usize] = self.parent[self.parent[i as usize] as usize];
            i = self.parent[i as usize];
        }
        i
    }

    fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        self.parent[a as usize] = b;
    }
}
