from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from typing import Any, BinaryIO, Literal, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

__version__: str

_Source: TypeAlias = str | PathLike[str] | bytes | bytearray | memoryview | BinaryIO
_Profile: TypeAlias = Literal[
    "glb", "unity", "unreal", "mixamo", "vrm", "blender", "godot", "roblox", "maya"
]
_Joints: TypeAlias = Mapping[str, Sequence[float]] | Sequence[Mapping[str, Any]]

def rig(
    source: _Source,
    *,
    class_: Literal["auto", "humanoid", "quadruped", "bird", "creature", "prop"] = "auto",
    joints: _Joints | None = None,
    influences: int = 4,
    fingers: Literal["auto", "none"] = "auto",
    extra_chains: Literal["auto", "none"] = "auto",
    eyes: Literal["auto", "none"] = "none",
    symmetry: Literal["auto", "off"] = "auto",
    rest_pose: Literal["as_is", "t_pose"] = "as_is",
    threads: int | None = None,
    progress: Callable[[str, float], object] | None = None,
    name: str | None = None,
) -> Rig: ...
def sample(
    name: Literal["human", "cartoon", "robot", "quadruped"] | str, triangles: int | None = None
) -> bytes: ...
@final
class Rig:
    @property
    def joints(self) -> list[str]: ...
    @property
    def parents(self) -> NDArray[np.int32]: ...
    @property
    def positions(self) -> NDArray[np.float64]: ...
    @property
    def rest_global(self) -> NDArray[np.float32]: ...
    @property
    def confidence(self) -> NDArray[np.float32]: ...
    @property
    def meshes(self) -> list[Mesh]: ...
    @property
    def report(self) -> dict[str, Any]: ...
    def save(
        self,
        path: str | PathLike[str],
        overwrite: bool = False,
        *,
        preset: _Profile | None = None,
        names: _Profile | None = None,
        triangles: int | None = None,
        vrm_meta: Mapping[str, Any] | None = None,
    ) -> None: ...
    def to_glb(self) -> bytes: ...

@final
class Mesh:
    @property
    def name(self) -> str: ...
    @property
    def positions(self) -> NDArray[np.float32]: ...
    @property
    def indices(self) -> NDArray[np.uint32]: ...
    @property
    def joints(self) -> NDArray[np.uint16]: ...
    @property
    def weights(self) -> NDArray[np.float32]: ...
