from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processing.domain.commands import ControlMessage, RepTarget
from processing.domain.errors import DecodeError, DecodeReason
from processing.domain.exercises import Channel
from processing.domain.findings import (
    Finding,
    LiveFrame,
    kind_of,
)
from processing.domain.posture_findings import TrunkExposure
from processing.domain.posture_types import TrunkBand
from processing.domain.quality_findings import FaultyRep
from processing.domain.rep_faults import FaultSeen
from processing.wire.messages import (
    MAX_MESSAGE_BYTES,
    Ack,
    Cue,
    GatewayConfig,
    GatewayState,
    LiveFinding,
    SensorsReport,
    decode_finding,
    decode_live,
    decode_message,
    encode_finding,
    encode_message,
)

finite = st.floats(allow_nan=False, allow_infinity=False)
small_text = st.text(max_size=20)
faults = st.builds(FaultSeen, found=finite, usual=finite)


def _finding(kind: type[Finding]) -> st.SearchStrategy[Finding]:
    fields: dict[str, st.SearchStrategy[object]] = {
        "finding_id": st.uuids().map(str),
        "session_id": st.uuids().map(str),
        "ordinal": st.integers(0, 10**6),
        "set_number": st.integers(0, 10**6),
        "number": st.integers(0, 10**6),
        "steps": st.integers(0, 10**6),
        "score": st.integers(0, 10),
        "t0_ns": st.integers(0, 2**62),
        "t1_ns": st.integers(0, 2**62),
        "t_peak_ns": st.integers(0, 2**62),
        "algorithm": small_text,
        "quality": st.floats(0, 1),
        "channel": st.sampled_from(Channel),
        "amplitude": finite,
        "tempo_s": finite,
        "angle_deg": finite,
        "breaks": st.integers(0, 1000),
        "judged": st.integers(0, 1000),
        **dict.fromkeys(("left_deg", "right_deg", "asymmetry", "out_s", "hold_s", "back_s"), st.none() | finite),
        "faults": st.lists(faults, max_size=2).map(tuple),
        "faulty": st.lists(
            st.builds(FaultyRep, number=st.integers(1, 99), faults=st.lists(faults, max_size=2).map(tuple)), max_size=2
        ).map(tuple),
        "usual": st.builds(
            RepTarget, amplitude=st.none() | st.floats(0.1, 300.0), lean_deg=st.none() | st.floats(0, 90)
        ),
        **dict.fromkeys(("seconds", "sag_deg", "sway_deg"), finite),
        "cadence_per_min": finite,
        "brisk_s": finite,
        **dict.fromkeys(("noise_deg", "peak_speed_dps", "smoothness"), st.none() | finite),
        **dict.fromkeys(("bends", "turned_left", "turned_right"), st.integers(0, 10**6)),
        "gyro_bias_dps": st.tuples(finite, finite, finite),
        "explained": st.none() | finite,
        "apart_deg": st.none() | finite,
        "share": finite,
        "after_s": finite,
        "flexion_deg": finite,
        "limit_s": st.none() | finite,
        "peak_flexion_deg": finite,
        "right_bend_deg": st.none() | finite,
        "left_twist_deg": st.none() | finite,
        "side_speed_dps": st.none() | finite,
        "twist_speed_dps": st.none() | finite,
        **dict.fromkeys(("upright_s", "lying_s", "over_30_s", "over_60_s", "aside_s"), finite),
        "band_s": st.dictionaries(st.sampled_from(TrunkBand), finite),
        **dict.fromkeys(("rula_s", "reba_s", "owas_s"), st.dictionaries(small_text, finite, max_size=3)),
        "reps": st.dictionaries(small_text, st.integers(0, 1000), max_size=3),
        "valid_reps": st.dictionaries(small_text, st.integers(0, 1000), max_size=3),
    }
    if kind is TrunkExposure:
        fields["knees_bent"] = st.integers(0, 10**6)
    return st.builds(kind, **{name: fields[name] for name in kind.__struct_fields__ if name in fields})


findings: st.SearchStrategy[Finding] = st.one_of(*(_finding(kind) for kind in get_args(Finding)))


@given(findings)
def test_a_finding_reads_back_from_json_with_the_same_bits(finding: Finding) -> None:
    text = encode_finding(finding)

    assert decode_finding(text) == finding
    assert encode_finding(decode_finding(text)) == text
    assert kind_of(finding).encode() in text


@given(findings)
def test_a_live_finding_reads_back(finding: Finding) -> None:
    assert decode_live(encode_message(LiveFinding(finding=finding))) == LiveFinding(finding=finding)


angles = st.none() | st.tuples(finite, finite, finite)


@given(
    st.builds(
        LiveFrame,
        t_ns=st.integers(0, 2**62),
        set_number=st.integers(0, 10**6),
        reps=st.dictionaries(small_text, st.integers(0, 10**6), max_size=3),
        held_s=st.none() | finite,
        lumbar=angles,
        trunk=angles,
    )
)
def test_a_live_frame_reads_back(frame: LiveFrame) -> None:
    assert decode_live(encode_message(frame)) == frame


@pytest.mark.parametrize("kind", [GatewayState, SensorsReport, Ack, GatewayConfig, ControlMessage, Cue])
@given(data=st.binary(max_size=200))
def test_any_bytes_are_the_promised_message_or_a_decode_error(kind: type, data: bytes) -> None:
    try:
        message = decode_message(data, kind)
    except DecodeError:
        return
    assert decode_message(encode_message(message), kind) == message


def test_acks_and_births_read_back() -> None:
    ack = Ack(log_id=7, committed=41, expect=42, epoch=3)
    birth = GatewayState(online=True, boot_id=1, log_id=7, first_offset=10, next_offset=50, version="0.1.0")

    assert decode_message(encode_message(ack), Ack) == ack
    assert decode_message(encode_message(birth), GatewayState) == birth


def test_an_oversized_message_is_refused_before_it_is_decoded() -> None:
    with pytest.raises(DecodeError) as error:
        decode_message(bytes(MAX_MESSAGE_BYTES + 1), Ack)

    assert error.value.reason is DecodeReason.TOO_LARGE


def test_a_negative_offset_is_refused() -> None:
    good = encode_message(Ack(log_id=7, committed=1, expect=2, epoch=0))
    bad = good.replace(b"\xa9committed\x01", b"\xa9committed\xff")

    with pytest.raises(DecodeError, match="committed"):
        decode_message(bad, Ack)
