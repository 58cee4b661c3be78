"""People, sensors and pairings in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter

from processing.domain.ids import GatewayId, SensorId, SessionId, SubjectId, shard_of
from processing.domain.samples import Placement
from processing.wire.messages import GatewayConfig, SensorSetting
from service.api.ports import Pairing, SensorInUseError, StoreUnavailableError, Subject
from service.store.errors import outage_as
from service.store.pool import Pool

_SUBJECTS = """
SELECT s.subject_id, p.label FROM lumbar.subject s LEFT JOIN identity.person p USING (subject_id) ORDER BY s.subject_id
"""
_ADD_SUBJECT = "INSERT INTO lumbar.subject (subject_id) VALUES ($1) ON CONFLICT DO NOTHING"
_LABEL = """
INSERT INTO identity.person (subject_id, label) VALUES ($1, $2)
ON CONFLICT (subject_id) DO UPDATE SET label = excluded.label
"""
_FORGET_LABEL = "DELETE FROM identity.person WHERE subject_id = $1"

_PAIRINGS = """
SELECT sensor_id, subject_id, placement, gateway_id, mount FROM lumbar.pairing WHERE valid_to IS NULL
ORDER BY subject_id, placement
"""
_ADD_SENSOR = "INSERT INTO lumbar.sensor (sensor_id) VALUES ($1) ON CONFLICT DO NOTHING"
_ADD_GATEWAY = "INSERT INTO lumbar.gateway (gateway_id, shard) VALUES ($1, $2) ON CONFLICT DO NOTHING"
ONE_PAIRING_AT_A_TIME = "LOCK TABLE lumbar.pairing IN SHARE ROW EXCLUSIVE MODE"
"""Sessions are created under this lock too: no sensor changes its wearer while one is being opened with it."""
_SAME_PAIRING = """
SELECT EXISTS (
    SELECT FROM lumbar.pairing WHERE valid_to IS NULL AND sensor_id = $1 AND subject_id = $2 AND placement = $3
      AND gateway_id = $4 AND mount IS NOT DISTINCT FROM $5
)
"""
_HOLDERS = """
SELECT s.session_id, s.subject_id, c.state IN ('expired', 'refused') AS unanswered
FROM lumbar.session s LEFT JOIN lumbar.control c ON c.event_id = s.session_id
WHERE s.ended_ns IS NULL AND EXISTS (
    SELECT FROM json_array_elements(s.sensors) AS worn
    WHERE worn ->> 'sensor_id' = $1 OR (s.subject_id = $2 AND worn ->> 'placement' = $3)
) ORDER BY s.started_ns
"""
_END_SESSIONS = """
UPDATE lumbar.session SET ended_ns = greatest(started_ns, (extract(epoch FROM now()) * 1000000000)::bigint)
WHERE session_id = ANY($1::uuid[])
"""
_END_PAIRINGS = """
UPDATE lumbar.pairing SET valid_to = now()
WHERE valid_to IS NULL AND (sensor_id = $1 OR (subject_id = $2 AND placement = $3)) RETURNING gateway_id
"""
_ADD_PAIRING = """
INSERT INTO lumbar.pairing (sensor_id, subject_id, placement, gateway_id, mount) VALUES ($1, $2, $3, $4, $5)
"""
# The clock keeps versions growing even across a database that was wiped.
_NEW_CONFIG = """
UPDATE lumbar.gateway SET config_version = greatest(config_version + 1, extract(epoch FROM now())::bigint)
WHERE gateway_id = ANY($1::text[])
"""
_CONFIGS = """
SELECT g.gateway_id, g.config_version, p.sensor_id, p.placement, p.rate_hz
FROM lumbar.gateway g LEFT JOIN lumbar.pairing p ON p.gateway_id = g.gateway_id AND p.valid_to IS NULL
WHERE g.config_version > 0 ORDER BY g.gateway_id, p.sensor_id
"""


class PostgresPeople:
    """``PeopleStore`` of the service, and what administration needs beyond it."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def subjects(self) -> Sequence[Subject]:
        """See ``PeopleStore``."""
        with outage_as(StoreUnavailableError):
            rows = await self._pool.fetch(_SUBJECTS)
        return [Subject(SubjectId(row["subject_id"]), row["label"]) for row in rows]

    async def add_subject(self, subject: Subject) -> None:
        """Make a person known; again with another label, change the label."""
        with outage_as(StoreUnavailableError):
            async with self._pool.acquire() as connection, connection.transaction():
                await connection.execute(_ADD_SUBJECT, subject.subject_id)
                if subject.label is None:
                    await connection.execute(_FORGET_LABEL, subject.subject_id)
                else:
                    await connection.execute(_LABEL, subject.subject_id, subject.label)

    async def pairings(self) -> Sequence[Pairing]:
        """See ``PeopleStore``."""
        with outage_as(StoreUnavailableError):
            rows = await self._pool.fetch(_PAIRINGS)
        return [
            Pairing(
                sensor_id=SensorId(row["sensor_id"]),
                subject_id=SubjectId(row["subject_id"]),
                placement=Placement(row["placement"]),
                gateway_id=GatewayId(row["gateway_id"]),
                mount=row["mount"],
            )
            for row in rows
        ]

    async def pair(self, pairing: Pairing) -> None:
        """See ``PeopleStore``. Also ends the pairing of the sensor worn there before; the same again is nothing.

        Person, sensor and gateway become known if they were not.
        """
        values = (pairing.sensor_id, pairing.subject_id, pairing.placement.value, pairing.gateway_id, pairing.mount)
        with outage_as(StoreUnavailableError):
            async with self._pool.acquire() as connection, connection.transaction():
                await connection.execute(_ADD_SUBJECT, pairing.subject_id)
                await connection.execute(_ADD_SENSOR, pairing.sensor_id)
                await connection.execute(_ADD_GATEWAY, pairing.gateway_id, shard_of(pairing.gateway_id))
                await connection.execute(ONE_PAIRING_AT_A_TIME)
                if await connection.fetchval(_SAME_PAIRING, *values):
                    return
                holders = await connection.fetch(_HOLDERS, *values[:3])
                for holder in holders:
                    if not holder["unanswered"]:
                        raise SensorInUseError(SessionId(str(holder["session_id"])), SubjectId(holder["subject_id"]))
                await connection.execute(_END_SESSIONS, [holder["session_id"] for holder in holders])
                ended = await connection.fetch(_END_PAIRINGS, *values[:3])
                await connection.execute(_ADD_PAIRING, *values)
                await connection.execute(_NEW_CONFIG, [pairing.gateway_id, *(row["gateway_id"] for row in ended)])

    async def gateway_configs(self) -> Sequence[tuple[GatewayId, GatewayConfig]]:
        """See ``PeopleStore``."""
        with outage_as(StoreUnavailableError):
            rows = await self._pool.fetch(_CONFIGS)
        configs: list[tuple[GatewayId, GatewayConfig]] = []
        for (gateway_id, version), group in groupby(rows, key=itemgetter("gateway_id", "config_version")):
            sensors = tuple(
                SensorSetting(sensor_id=row["sensor_id"], placement=Placement(row["placement"]), rate_hz=row["rate_hz"])
                for row in group
                if row["sensor_id"] is not None
            )
            configs.append((GatewayId(gateway_id), GatewayConfig(version=version, sensors=sensors)))
        return configs
