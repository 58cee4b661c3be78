"""The analyzer of one session: pure, the same for any cutting of its input, and its state is a value."""

from __future__ import annotations

from collections.abc import Mapping

from processing.analyzer.calibration import Calibrator
from processing.analyzer.everyday import Everyday
from processing.analyzer.exercise_set import ExerciseSet
from processing.analyzer.inputs import Ordered, SessionInput, SessionRefusedError
from processing.analyzer.ledger import Ledger, LedgerState
from processing.analyzer.live import live_frame
from processing.analyzer.reports import report_hole, report_pain
from processing.analyzer.sensor import Frame, SensorPath
from processing.analyzer.sensor_truth import SensorTruth
from processing.analyzer.session_state import SessionState, WaitingCommand, decode_session_state, encode_session_state
from processing.analyzer.waiting import all_know_the_step, first_sample_from, leap_goal, stop_waiting_too_long
from processing.domain.commands import (
    Calibrate,
    CapturePosture,
    EndSession,
    EndSet,
    ReportPain,
    StartExercise,
    StartSession,
)
from processing.domain.exercises import Channel
from processing.domain.findings import Finding, LiveFrame
from processing.domain.ids import SensorId
from processing.domain.samples import Placement
from processing.dsp.blocks import first_block_from, start_of

MAX_COMMANDS = 64
"""Commands that wait for the samples to reach their time."""


class SessionAnalyzer:
    """Composition of the signal stages for the sensors of one session.

    The grid is walked block by block; a block is computed when every present sensor has said all about it.
    """

    def __init__(self, start: StartSession, t_ns: int, present: Mapping[SensorId, bool]) -> None:
        """Open a session.

        Args:
            start: who wears what.
            t_ns: samples before this are not part of the session.
            present: whether a sensor is streaming already, so that the others must wait for it.

        Raises:
            SessionRefusedError: a sensor or a place on the body is named twice.
            MountError: a stated mount is none.
        """
        for named in ({one.sensor_id for one in start.sensors}, {one.placement for one in start.sensors}):
            if len(named) < len(start.sensors):
                raise SessionRefusedError("every sensor of a session needs a place of its own")
        self.start = start
        self._begin_ns = t_ns
        self._front = first_block_from(t_ns)
        self._paths = [
            SensorPath(worn, t_ns, present=present.get(SensorId(worn.sensor_id), False)) for worn in start.sensors
        ]
        self._calibrators = {path.placement: Calibrator.at_start(path, t_ns) for path in self._paths}
        self._truth = SensorTruth(self._paths, self._calibrators)
        self._ledger = Ledger(LedgerState(start.session_id))
        self._commands: list[WaitingCommand] = []
        self._set: ExerciseSet | None = None
        self._daily = Everyday([path.placement for path in self._paths])
        self._sets = 0
        self._ended = False
        self._dropped_commands = 0
        self._seen = False

    @property
    def ended(self) -> bool:
        """Whether the session is over; it then takes nothing more."""
        return self._ended

    def dropped(self) -> dict[str, int]:
        """What was thrown away: commands, and samples that were broken or late."""
        return {
            "waiting_commands": self._dropped_commands,
            "broken_samples": sum(path.dropped()[0] for path in self._paths),
            "late_samples": sum(path.dropped()[1] for path in self._paths),
        }

    def feed(self, given: SessionInput) -> list[Finding]:
        """Take the next piece of input; the findings that became certain with it."""
        if self._ended:
            return []
        match given:
            case Ordered():
                if len(self._commands) >= MAX_COMMANDS:
                    self._dropped_commands += 1
                else:
                    self._commands.append(WaitingCommand(given.t_ns, given.command))
            case _:
                for path in (one for one in self._paths if one.worn.sensor_id == given.sensor_id):
                    if path.upcoming is not None and path.steps_to(given) is not None:
                        self._follow_clock()
                    path.hear(given)
                stop_waiting_too_long(self._paths)
        self._advance()
        if not self._ended and all_know_the_step(self._paths):
            self._follow_clock()
        return self._ledger.drain()

    def close(self, t_ns: int) -> list[Finding]:
        """End the session by force: what was sent is still computed, nothing is waited for."""
        if self._ended:
            return []
        for path in self._paths:
            if path.upcoming is not None:
                self._follow_clock()
        for path in self._paths:
            path.timeline.leave(path.timeline.known_ns, "session ended")
        self._advance()
        if not self._ended:
            self._end(max(t_ns, start_of(self._front)))
        return self._ledger.drain()

    def _follow_clock(self) -> None:
        """Go on where the clock was set to, after samples and commands on the old clock have had their effect.

        What began before is dated back from the new time: a set lasts as long as it did and ends after it began.
        """
        bases_ns = [path.upcoming.start_ns for path in self._paths if path.upcoming is not None]
        for path in self._paths:
            path.timeline.leave(path.timeline.known_ns, "overdue")
        self._advance()
        new_ns, old_ns = min(bases_ns), start_of(self._front)
        while self._commands and abs(self._commands[0].t_ns - old_ns) < abs(self._commands[0].t_ns - new_ns):
            self._apply(self._commands.pop(0))
        if self._ended:
            return
        self._daily.watch().close(self._ledger)
        for path in self._paths:
            path.follow_clock(new_ns)
        self._front = first_block_from(new_ns)
        shift_ns = start_of(self._front) - old_ns
        self._begin_ns += shift_ns
        for calibrator in self._calibrators.values():
            calibrator.shift(shift_ns)
        if self._set is not None:
            self._set.shift(shift_ns, self._ledger)
        self._truth.shift(shift_ns)
        self._daily.watch().follow_clock(shift_ns)
        self._advance()

    def _advance(self) -> None:
        while not self._ended:
            if self._commands and self._commands[0].t_ns <= start_of(self._front):
                self._apply(self._commands.pop(0))
                continue
            for path in self._paths:
                if not path.is_decided(self._front):
                    return
            next_sample_ns = first_sample_from(self._paths, self._front)
            if next_sample_ns is not None:
                self._step(next_sample_ns)
            elif self._commands and not any(path.waits for path in self._paths):
                # Nobody to wait for: the command moves the time on.
                self._front = max(self._front, first_block_from(self._commands[0].t_ns))
            else:
                return

    def _step(self, next_sample_ns: int) -> None:
        """Compute the block at the front, or leap over a time that no sensor has samples for."""
        frames: dict[Placement, Frame] = {}
        for path, calibrator in zip(self._paths, self._calibrators.values(), strict=True):
            frame = path.step(self._front)
            if frame is None:
                continue
            frames[path.placement] = frame
            if frame.hole is not None:
                report_hole(path, frame.hole, self._ledger)
            others = [other for other in self._paths if other is not path]
            calibrator.step(path, frame.block, self._ledger, exercising=self._set is not None, others=others)
        if not frames:
            command_ns = self._commands[0].t_ns if self._commands else None
            self._front = max(self._front + 1, leap_goal(self._paths, next_sample_ns, command_ns))
            return
        self._truth.step(frames, None if self._set is None else self._set.exercise, self._ledger)
        if self._set is not None:
            now_ns = start_of(self._front + 1)
            rests_ns = {path.placement: path.rest.lasts_ns(now_ns) for path in self._paths}
            self._set.step(frames, rests_ns, self._ledger)
        else:
            self._daily.watch().step(self._paths, self._calibrators, self._truth.watches, frames, self._ledger)
        self._seen = True
        self._front += 1

    def _apply(self, waiting: WaitingCommand) -> None:
        t_ns = max(waiting.t_ns, start_of(self._front - 1))
        match waiting.command:
            case StartExercise() as order:
                self._end_set(t_ns)
                self._daily.pause(self._ledger)
                for path, calibrator in zip(self._paths, self._calibrators.values(), strict=True):
                    calibrator.settle(path, t_ns, self._ledger)
                self._sets += 1
                self._truth.begin_set()
                self._set = ExerciseSet.begin(
                    order, self._sets, t_ns, self._calibrators, self._truth.watches, self._levels_mps2(), self._ledger
                )
            case EndSet():
                self._end_set(t_ns)
            case Calibrate():
                self._end_set(t_ns)
                self._truth.recalibrate(t_ns)
                for calibrator in self._calibrators.values():
                    calibrator.request(t_ns)
            case ReportPain(score=score):
                report_pain(t_ns, score, None if self._set is None else self._set.exercise.code, self._ledger)
            case CapturePosture(pose=pose):
                self._end_set(t_ns)
                self._daily.watch().capture(pose, t_ns)
            case EndSession():
                self._end(t_ns)
            case StartSession():
                pass

    def _levels_mps2(self) -> dict[Placement, float]:
        levels = ((path.placement, path.level_mps2(start_of(self._front))) for path in self._paths)
        return {placement: level for placement, level in levels if level is not None}

    def _end_set(self, t_ns: int) -> None:
        if self._set is not None:
            self._truth.end_set(self._set.exercise, (self._set.state.t0_ns, t_ns), self._ledger)
            self._set.finish(t_ns, self._ledger)
            self._set = None

    def _end(self, t_ns: int) -> None:
        self._end_set(t_ns)
        self._daily.watch().close(self._ledger)
        for path in self._paths:
            hole = path.open_hole(t_ns)
            if hole is not None:
                report_hole(path, hole, self._ledger)
        self._ended = True

    def live(self) -> LiveFrame | None:
        """What a screen shows now, None before the first samples."""
        if not self._seen:
            return None
        now_ns = start_of(self._front)
        return live_frame(self.start.session_id, now_ns, self._sets, self._set, self._paths, self._calibrators)

    def orientations(self) -> dict[Placement, tuple[float, ...]]:
        """Newest quaternion (w, x, y, z; sensor to earth) of each sensor that has samples."""
        newest = ((path.placement, path.last_quat) for path in self._paths)
        return {placement: tuple(quat.tolist()) for placement, quat in newest if quat is not None}

    def channels(self) -> dict[Channel, float]:
        """Newest value of each channel that the running set counts, degrees or metres."""
        return {} if self._set is None else self._set.channels()

    def state(self) -> bytes:
        """State as bytes; ``from_state`` goes on bit for bit."""
        return encode_session_state(
            SessionState(
                start=self.start,
                begin_ns=self._begin_ns,
                front=self._front,
                ledger=self._ledger.state,
                paths=[path.state() for path in self._paths],
                calibrators=[one.state for one in self._calibrators.values()],
                truth=self._truth.state,
                commands=self._commands,
                running=None if self._set is None else self._set.state,
                daily=self._daily.state(),
                sets=self._sets,
                ended=self._ended,
                dropped=self._dropped_commands,
                seen=self._seen,
            )
        )

    @classmethod
    def from_state(cls, data: bytes) -> SessionAnalyzer:
        """Analyzer that goes on where ``state`` was called."""
        state = decode_session_state(data)
        analyzer = cls(state.start, state.begin_ns, {})
        analyzer._front = state.front
        analyzer._ledger = Ledger(state.ledger)
        analyzer._paths = [SensorPath.from_state(one) for one in state.paths]
        analyzer._calibrators = {
            path.placement: Calibrator(one) for path, one in zip(analyzer._paths, state.calibrators, strict=True)
        }
        analyzer._truth = SensorTruth(analyzer._paths, analyzer._calibrators, state.truth)
        analyzer._commands = state.commands
        analyzer._sets = state.sets
        if state.running is not None:
            analyzer._set = ExerciseSet(state.running, analyzer._calibrators, analyzer._truth.watches)
        analyzer._daily = Everyday(tuple(analyzer._calibrators), state.daily)
        analyzer._ended = state.ended
        analyzer._dropped_commands = state.dropped
        analyzer._seen = state.seen
        return analyzer
