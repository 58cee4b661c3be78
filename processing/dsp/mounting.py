"""How a sensor sits on the body, as people state it."""

from __future__ import annotations

import re

import numpy as np

from processing.domain.errors import LumbarError
from processing.dsp.blocks import Floats

_MOUNT = re.compile(r"up:([+-])([xyz]),forward:([+-])([xyz])")


class MountError(LumbarError):
    """A mount that cannot be."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def __str__(self) -> str:
        return f"{self.text!r} is no mount; write the two sensor axes as in 'up:+x,forward:-z'"


def rightward_of(mount: str) -> Floats:
    """Sensor axis, shape (3,), that points to the wearer's right for a mount such as ``"up:+x,forward:-z"``.

    Up is along the spine and forward out of the belly when standing; right is forward cross up.

    Raises:
        MountError: the text is no mount, or names one axis twice.
    """
    forward, up = _axes(mount)
    return np.cross(forward, up)


def upward_of(mount: str) -> Floats:
    """Sensor axis, shape (3,), that points up the spine.

    Raises:
        MountError: the text is no mount, or names one axis twice.
    """
    return _axes(mount)[1]


def _axes(mount: str) -> tuple[Floats, Floats]:
    match = _MOUNT.fullmatch(mount)
    if match is None or match[2] == match[4]:
        raise MountError(mount)
    return _axis(match[3], match[4]), _axis(match[1], match[2])


def _axis(sign: str, name: str) -> Floats:
    axis = np.zeros(3)
    axis["xyz".index(name)] = 1.0 if sign == "+" else -1.0
    return axis
