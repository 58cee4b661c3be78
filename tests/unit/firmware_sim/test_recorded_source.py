from __future__ import annotations

import itertools
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_sim.imperfections import DeviceClock, count_scale
from firmware_sim.recording import RecordedSource, Track, load_recording, parse_csv, recorded_sources
from firmware_sim.source import SampleSource
from processing.domain.errors import RecordingError
from processing.domain.samples import Placement

HEADER = "t_s,sensor,acc_x,acc_y,acc_z,gyr_x,gyr_y,gyr_z"
GOOD = [HEADER, "0.00,pelvis,0,9.8,0,0,0,0", "0.00,thorax,1,9.7,0,0,0,0", "0.02,pelvis,0,9.8,0,0,0.1,0"]
GOOD += ["0.02,thorax,1,9.7,0,0,0,0.5"]


def made_up_track(t_s: Iterable[float]) -> Track:
    times = np.array(list(t_s))
    rng = np.random.default_rng(0)
    return Track(times, rng.uniform(-15.0, 15.0, (times.size, 3)), rng.uniform(-2.0, 2.0, (times.size, 3)))


def test_both_sensors_of_a_csv_are_read() -> None:
    tracks = parse_csv(GOOD, "made up")
    assert set(tracks) == set(Placement)
    assert tracks[Placement.PELVIS].t_s.tolist() == [0.0, 0.02]
    assert tracks[Placement.THORAX].gyr.tolist() == [[0.0, 0.0, 0.0], [0.0, 0.0, 0.5]]


@pytest.mark.parametrize(
    ("number", "row", "column"),
    [
        (3, "0.00,thorax,1,x,0,0,0,0", "acc_y"),
        (3, "0.00,thorax,1,9.7,0,0,0,nan", "gyr_z"),
        (3, "0.00,knee,1,9.7,0,0,0,0", "sensor"),
        (4, "0.00,pelvis,0,9.8,0,0,0,0", "t_s"),
        (4, "0.02,pelvis,0,9.8", None),
        (1, "time,sensor", None),
        (2, '"0.00,pelvis', None),
    ],
)
def test_a_broken_line_is_named_with_its_column(number: int, row: str, column: str | None) -> None:
    lines = [*GOOD[: number - 1], row] if row.startswith('"') else [*GOOD[: number - 1], row, *GOOD[number:]]
    with pytest.raises(RecordingError) as refused:
        parse_csv(lines, "made up")
    assert (refused.value.line, refused.value.column) == (number, column)
    assert f"made up, line {number}" in str(refused.value)


@pytest.mark.parametrize("lines", [[], [HEADER], GOOD[:2]])
def test_a_recording_without_enough_samples_is_refused(lines: list[str]) -> None:
    with pytest.raises(RecordingError):
        parse_csv(lines, "made up")


@given(st.lists(st.text(max_size=40), max_size=5))
def test_any_text_is_a_recording_or_a_recording_error(lines: list[str]) -> None:
    with pytest.raises(RecordingError):
        parse_csv([HEADER, "0,pelvis,0,0,0,0,0,0", *lines], "made up")


def test_a_csv_file_and_what_is_no_recording(tmp_path: Path) -> None:
    good, broken, absent = tmp_path / "good.csv", tmp_path / "broken.npz", tmp_path / "absent.csv"
    good.write_text("\n".join(GOOD))
    broken.write_bytes(b"PK\x03\x04 no archive")
    assert set(load_recording(good)) == set(Placement)
    for path in (broken, absent):
        with pytest.raises(RecordingError, match=path.name):
            load_recording(path)


def test_an_npz_without_the_needed_arrays_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "half.npz"
    np.savez(path, t=np.arange(3.0), acc=np.zeros((3, 3)), meta="{}")
    with pytest.raises(RecordingError) as refused:
        load_recording(path)
    assert refused.value.column == "gyr"


def test_a_hole_ends_a_run() -> None:
    t_s = [0.0, 0.02, 0.04, 0.10, 0.12, 0.14]
    source = RecordedSource(made_up_track(t_s))
    runs = source.runs(0.0, 1.0)
    assert [(run.t_s, run.tick_us, len(run.counts)) for run in runs] == [(0.0, 0, 3), (0.10, 100_000, 3)]


def test_slow_departure_from_even_spacing_ends_a_run_before_it_matters() -> None:
    # 10 ms, then 10.1 ms: after some seconds even spacing would be far off.
    t_s = np.concatenate([np.arange(0.0, 2.0, 0.01), 2.0 + np.arange(0.0, 2.0, 0.0101)])
    source = RecordedSource(made_up_track(t_s))
    runs = source.runs(0.0, 10.0)
    spaced = [run.t_s + np.arange(len(run.counts)) * source.period_us * 1e-6 for run in runs]
    assert len(runs) > 1
    assert np.max(np.abs(np.concatenate(spaced) - t_s)) <= 0.25 * source.period_us * 1e-6


@settings(max_examples=30)
@given(cuts=st.lists(st.floats(-1.0, 8.0), max_size=10), seed=st.integers(0, 99))
def test_replayed_samples_do_not_depend_on_how_they_are_asked_for(cuts: list[float], seed: int) -> None:
    rng = np.random.default_rng(seed)
    t_s = np.cumsum(rng.choice([0.02, 0.0204, 0.04, 0.3], 200, p=[0.6, 0.3, 0.08, 0.02]))
    source = RecordedSource(made_up_track(t_s), clock=DeviceClock(77, 50.0))
    edges = [-1.0, *sorted(cuts), 30.0]
    parts = [run for a, b in itertools.pairwise(edges) for run in source.runs(a, b)]
    whole = source.runs(-1.0, 30.0)
    assert np.array_equal(np.concatenate([p.counts for p in parts]), np.concatenate([w.counts for w in whole]))
    assert {(run.t_s, run.tick_us) for run in whole} <= {(run.t_s, run.tick_us) for run in parts}
    assert all(run.tick_us == source.tick_us(run.t_s) for run in parts)


def test_a_replay_may_start_later_and_keeps_the_sensors_together() -> None:
    tracks = {
        Placement.PELVIS: made_up_track(5.0 + np.arange(10) * 0.02),
        Placement.THORAX: made_up_track(5.007 + np.arange(10) * 0.02),
    }
    sources = recorded_sources(tracks, start_s=3.0)
    assert all(source.runs(0.0, 3.0) == () for source in sources.values())
    assert sources[Placement.PELVIS].runs(0.0, 9.0)[0].t_s == pytest.approx(3.0)
    assert sources[Placement.THORAX].runs(0.0, 9.0)[0].t_s == pytest.approx(3.007)
    assert sources[Placement.PELVIS].duration_s == pytest.approx(3.2)


@pytest.mark.parametrize(
    ("folder", "pattern", "placements"),
    [
        ("squat_lowback", "*correct_set1.npz", {Placement.PELVIS}),
        ("trunk_seated", "*.npz", set(Placement)),
        ("wheelchair_trunk", "*trunkmovement*.npz", set(Placement)),
    ],
)
def test_a_replayed_person_equals_the_file_within_half_a_count(
    recordings: Path, folder: str, pattern: str, placements: set[Placement]
) -> None:
    files = sorted((recordings / folder).glob(pattern))[:2]
    assert files
    for path in files:
        tracks = load_recording(path)
        assert set(tracks) == placements
        zero_s = min(track.t_s[0] for track in tracks.values())
        for placement, source in recorded_sources(tracks).items():
            _same_samples(tracks[placement], source, zero_s)


def _same_samples(track: Track, source: SampleSource, zero_s: float) -> None:
    assert source.duration_s is not None
    runs = source.runs(0.0, source.duration_s)
    scale = count_scale(source.acc_range_g, source.gyr_range_dps)
    played = np.concatenate([run.counts for run in runs]) * scale
    expected = np.concatenate([track.acc, track.gyr], axis=1)
    assert np.max(np.abs(played - expected) / scale) < 0.5001
    spaced = [run.t_s + np.arange(len(run.counts)) * source.period_us * 1e-6 for run in runs]
    assert np.max(np.abs(np.concatenate(spaced) - (track.t_s - zero_s))) <= 0.25 * source.period_us * 1e-6
