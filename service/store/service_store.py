"""The service's store on PostgreSQL: people, sessions and commands over one pool."""

from __future__ import annotations

from service.store.people import PostgresPeople
from service.store.pool import Pool
from service.store.sessions import PostgresControls, PostgresSessions


class PostgresServiceStore(PostgresPeople, PostgresSessions, PostgresControls):
    """``service.api.ports.ServiceStore``."""

    def __init__(self, pool: Pool) -> None:
        PostgresPeople.__init__(self, pool)
