"""Automatic character rigging: mesh in, skeleton and skin weights out.

>>> import autorig
>>> rig = autorig.rig(autorig.sample("human"), name="hero")
>>> rig.joints[:2]
['root', 'hips']
>>> rig.save("hero_rigged.glb")

The package converts and delegates; the work is done by the native module ``autorig._autorig``.
"""

from ._autorig import Mesh, Rig, __version__, rig, sample
from .errors import (
    AutoRigError,
    CancelledError,
    InputError,
    InternalError,
    LimitError,
    UsageError,
)

__all__ = [
    "AutoRigError",
    "CancelledError",
    "InputError",
    "InternalError",
    "LimitError",
    "Mesh",
    "Rig",
    "UsageError",
    "__version__",
    "rig",
    "sample",
]
