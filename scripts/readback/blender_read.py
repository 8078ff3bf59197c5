"""What Blender sees in a file: run by a Python that has `bpy`, never imported by the other tools.

    python blender_read.py FILE OUT.json --importer python|native|gltf --up y|z --frames N

Bones with their parents, and the corners of every mesh's triangles in frames 0 to N-1 of the file's first clip (30 a second), turned back from
Blender's metres and +Z to the file's own space. See `readback.py` for the format.
"""

from __future__ import annotations

import argparse
import base64
import json
import sys

import bpy  # type: ignore[import-not-found]
import numpy as np

FRAMES_A_SECOND = 30


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file")
    parser.add_argument("out")
    parser.add_argument("--importer", choices=("python", "native", "gltf"), required=True)
    parser.add_argument("--up", choices=("y", "z"), default="y")
    parser.add_argument("--unit", type=float, default=0.01, help="metres in a unit of the file")
    parser.add_argument("--frames", type=int, default=4)
    args = parser.parse_args()
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.scene.render.fps = FRAMES_A_SECOND
    load(args.file, args.importer)
    bpy.context.scene.render.fps = FRAMES_A_SECOND
    found = {"bones": bones(), "meshes": meshes(args)}
    with open(args.out, "w", encoding="utf-8") as out:
        json.dump(found, out)
    return 0


def load(path: str, importer: str) -> None:
    if importer == "python":
        import addon_utils  # type: ignore[import-not-found]

        addon_utils.enable("io_scene_fbx")
        bpy.ops.import_scene.fbx(filepath=path, anim_offset=0.0)
    elif importer == "native":
        bpy.ops.wm.fbx_import(filepath=path, anim_offset=0.0)
    else:
        # Without shapes of its own for bones, which take names that meshes of the file may have.
        bpy.ops.import_scene.gltf(filepath=path, disable_bone_shape=True)


def bones() -> list[dict[str, str | None]]:
    armatures = [o for o in bpy.data.objects if o.type == "ARMATURE"]
    return [{"name": b.name, "parent": b.parent.name if b.parent else None} for a in armatures for b in a.data.bones]


def meshes(args: argparse.Namespace) -> list[dict[str, object]]:
    # What is called armature in the viewport belongs to the importer, not to the file.
    found: dict[str, dict[str, object]] = {}
    objects = [o for o in bpy.data.objects if o.type == "MESH"]
    for frame in range(args.frames):
        bpy.context.scene.frame_set(frame)
        graph = bpy.context.evaluated_depsgraph_get()
        for item in objects:
            corners = in_file_space(posed(item, graph), args)
            entry = found.setdefault(item.name, {"name": item.name, "frames": []})
            entry["frames"].append(base64.b64encode(corners.astype("<f4").tobytes()).decode())  # type: ignore[attr-defined]
    return list(found.values())


def posed(item: bpy.types.Object, graph: bpy.types.Depsgraph) -> np.ndarray:
    """World positions of the triangles' corners."""
    evaluated = item.evaluated_get(graph)
    mesh = evaluated.to_mesh()
    points = np.empty(len(mesh.vertices) * 3, np.float64)
    mesh.vertices.foreach_get("co", points)
    corners = np.empty(len(mesh.loops), np.int64)
    mesh.loops.foreach_get("vertex_index", corners)
    world = np.array(evaluated.matrix_world, np.float64)
    points = points.reshape(-1, 3) @ world[:3, :3].T + world[:3, 3]
    evaluated.to_mesh_clear()
    return points[corners]


def in_file_space(points: np.ndarray, args: argparse.Namespace) -> np.ndarray:
    points = points / args.unit
    if args.up == "y":
        points = np.stack([points[:, 0], points[:, 2], -points[:, 1]], axis=1)
    return points


if __name__ == "__main__":
    sys.exit(main())
