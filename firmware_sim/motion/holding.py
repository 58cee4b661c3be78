"""Poses held for a while: into the pose, sagging and trembling in it, giving it up now and then, and out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from firmware_sim.motion.body import Body
from firmware_sim.motion.course import LEAD_IN_S, REST_S, Course, Request, Span
from firmware_sim.motion.kinematics import NEUTRAL, Pose
from firmware_sim.motion.paths import Keyframe, KeyframePath, Sum, Trembling
from firmware_sim.motion.repetition import WITHIN
from processing.domain.exercises import Posture

_SAG_WITHIN_S = 30.0
"""Time after which a tired person has sagged as far as they do (estimate)."""

_BREAK_MOVE_S, _BREAK_S = 0.7, 0.8
_BREAK_SHARE = 0.3
"""Giving up: back to this share of the pose, for that long (estimates)."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A pose to hold, as an offset from the neutral one.

    Attributes:
        sag: what a tired body adds to the pose by and by.
        effort: whether holding it makes one tremble.
    """

    pose: Pose
    move_s: float
    sag: Pose = NEUTRAL
    effort: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """Holding a pose ``reps`` times for ``duration_s`` each."""

    posture: Posture
    hold: Callable[[Body], Hold]
    lead_in_s: float = LEAD_IN_S
    rest_s: float = REST_S

    def course(self, request: Request) -> Course:
        """Pauses of two to four seconds between the holds; breaks are spread over each hold."""
        hold = self.hold(request.body)
        frames = [Keyframe(request.begin_s, request.neutral)]
        spans: list[Span] = []
        for number in range(request.reps):
            if number:
                pause_s = float(request.rng.uniform(2.0, 4.0))
                frames.append(Keyframe(frames[-1].t_s + pause_s, request.neutral))
            _hold_once(hold, request, frames, spans)
        path = KeyframePath(tuple(frames))
        trembling = Trembling(request.body.tremor, tuple(spans)) if hold.effort else None
        return Course(
            path=path if trembling is None else Sum((path, trembling)), end_s=frames[-1].t_s, holds=tuple(spans)
        )


def _hold_once(hold: Hold, request: Request, frames: list[Keyframe], spans: list[Span]) -> None:
    body, rng = request.body, request.rng
    size = body.reach * (1.0 + body.unsteadiness * float(np.clip(rng.normal(), -2.0, 2.0)))
    sagging = hold.sag.scaled(float(rng.uniform(0.3, 1.0)) * min(1.0, request.duration_s / _SAG_WITHIN_S))
    move_s = body.pace * hold.move_s
    parts = request.manner.breaks + 1
    # Breaks come somewhere in the middle half of their share of the time.
    shares = (np.arange(parts - 1) + 1.0 + rng.uniform(-0.25, 0.25, parts - 1)) / parts
    ends_s = [*(shares * request.duration_s), request.duration_s]
    begun_s, way_s = 0.0, move_s
    for number, end_s in enumerate(ends_s):
        last = number == parts - 1
        pose = request.neutral.moved(hold.pose.scaled(size).moved(sagging.scaled(begun_s / request.duration_s)))
        sagged = request.neutral.moved(hold.pose.scaled(size).moved(sagging.scaled(end_s / request.duration_s)))
        arrived_s = frames[-1].t_s + way_s
        left_s = arrived_s + (end_s - begun_s)
        frames += [Keyframe(arrived_s, pose), Keyframe(left_s, sagged)]
        out_s = move_s if last else _BREAK_MOVE_S
        spans.append(Span(arrived_s - WITHIN * way_s, left_s + WITHIN * out_s))
        if last:
            frames.append(Keyframe(left_s + out_s, request.neutral))
        else:
            dropped = request.neutral.moved(hold.pose.scaled(size * _BREAK_SHARE))
            frames += [Keyframe(left_s + out_s, dropped), Keyframe(left_s + out_s + _BREAK_S, dropped)]
        begun_s, way_s = end_s, _BREAK_MOVE_S
