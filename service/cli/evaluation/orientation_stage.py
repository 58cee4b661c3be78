"""The orientation of one sensor over a recording, by the stages of a live session.

``SensorPath`` (irregular samples to the 100 Hz grid, VQF) and ``Calibrator`` (the bias of the first still pose) are put
together as ``SessionAnalyzer`` does during a set, and every sample of the grid is kept, which the analyzer does not do.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from firmware_sim.recording import Track
from processing.analyzer.calibration import Calibrator, CalibratorState
from processing.analyzer.ledger import Ledger, LedgerState
from processing.analyzer.sensor import Frame, SensorPath, SensorPathState
from processing.domain.commands import SensorPlacement
from processing.domain.ids import SensorId
from processing.domain.samples import Placement
from processing.dsp.blocks import (
    BLOCK_NS,
    BLOCK_SAMPLES,
    GRID_NS,
    NS_PER_S,
    Floats,
    Nanoseconds,
    SampleBlock,
    first_block_from,
)


class Oriented(NamedTuple):
    """A recording on the grid; times without samples are missing.

    Attributes:
        t_ns: shape (n,).
        quats: shape (n, 4), sensor to earth.
        acc: shape (n, 3), m/s², sensor frame.
        gyr: shape (n, 3), rad/s, sensor frame.
    """

    t_ns: Nanoseconds
    quats: Floats
    acc: Floats
    gyr: Floats


class _Saved(msgspec.Struct):
    path: SensorPathState
    calibrator: CalibratorState


_NOBODY = "00000000-0000-4000-8000-000000000000"


def oriented(track: Track, mount: str | None = None, restart_at: Collection[float] = ()) -> Oriented:
    """Orientation over a recording.

    Args:
        track: the sensor's samples.
        mount: how it sits, where known.
        restart_at: fractions of the recording at which the state is turned into bytes and a new stage made of them.
    """
    samples = _samples(track)
    begin_ns = int(samples.t_ns[0])
    first, stop = first_block_from(begin_ns), int(samples.t_ns[-1]) // BLOCK_NS + 1
    worn = SensorPlacement(sensor_id=samples.sensor_id, placement=Placement.PELVIS, mount=mount)
    path = SensorPath(worn, begin_ns, present=True)
    path.timeline.push(samples)
    calibrator = Calibrator.at_start(path, begin_ns)
    ledger = Ledger(LedgerState(_NOBODY))
    restarts = {first + round(fraction * (stop - first)) for fraction in restart_at}
    frames: list[Frame] = []
    for index in range(first, stop):
        if index in restarts:
            path, calibrator = _restarted(path, calibrator)
        frame = path.step(index)
        if frame is not None:
            calibrator.step(path, frame.block, ledger, exercising=True)
            frames.append(frame)
    return _joined(frames)


def _samples(track: Track) -> SampleBlock:
    t_ns = np.round(track.t_s * NS_PER_S).astype(np.int64)
    return SampleBlock(SensorId(Placement.PELVIS.value), t_ns, track.acc, track.gyr)


def _restarted(path: SensorPath, calibrator: Calibrator) -> tuple[SensorPath, Calibrator]:
    data = msgspec.msgpack.encode(_Saved(path.state(), calibrator.state))
    saved = msgspec.msgpack.decode(data, type=_Saved)
    return SensorPath.from_state(saved.path), Calibrator(saved.calibrator)


def _joined(frames: list[Frame]) -> Oriented:
    steps = np.arange(BLOCK_SAMPLES, dtype=np.int64) * GRID_NS
    if not frames:
        return Oriented(np.empty(0, np.int64), np.empty((0, 4)), np.empty((0, 3)), np.empty((0, 3)))
    return Oriented(
        np.concatenate([frame.block.t0_ns + steps for frame in frames]),
        np.concatenate([frame.quats for frame in frames]),
        np.concatenate([frame.block.acc for frame in frames]),
        np.concatenate([frame.block.gyr for frame in frames]),
    )


def same_bits(one: Oriented, other: Oriented) -> bool:
    """Tell whether two results are equal bit for bit."""
    return all(_bytes(a) == _bytes(b) for a, b in zip(one, other, strict=True))


def _bytes(array: npt.NDArray[np.generic]) -> bytes:
    return np.ascontiguousarray(array).tobytes()
