"""What waits for a gateway's runner."""

from __future__ import annotations

from processing.wire.log import LogBatch
from processing.wire.messages import GatewayState
from processing.worker.mailbox import Mailbox


def state(boot_id: int) -> GatewayState:
    return GatewayState(online=True, boot_id=boot_id, log_id=7)


async def test_states_come_first_the_newest_only_and_batches_stay_in_order() -> None:
    mailbox = Mailbox(4)
    batches = [LogBatch(7, offset, (b"e",)) for offset in (1, 2, 3)]
    for batch in batches:
        assert mailbox.put_batch(batch)
    mailbox.put_state(state(1))
    mailbox.put_state(state(2))
    assert [await mailbox.get(None) for _ in range(4)] == [state(2), *batches]


async def test_a_state_that_is_put_back_does_not_replace_a_newer_one() -> None:
    mailbox = Mailbox(4)
    mailbox.put_back(state(1))
    assert await mailbox.get(None) == state(1)
    mailbox.put_state(state(2))
    mailbox.put_back(state(1))
    assert [await mailbox.get(None), await mailbox.get(0.0)] == [state(2), None]


async def test_a_full_mailbox_refuses_the_newest_batch_so_that_the_rest_stays_contiguous() -> None:
    mailbox = Mailbox(2)
    put = [mailbox.put_batch(LogBatch(7, offset, (b"e",))) for offset in (1, 2, 3)]
    assert put == [True, True, False]
    taken = [await mailbox.get(None) for _ in range(2)]
    assert [batch.first_offset for batch in taken if isinstance(batch, LogBatch)] == [1, 2]


async def test_an_empty_mailbox_gives_nothing_when_the_time_is_over() -> None:
    assert await Mailbox(2).get(0.0) is None
