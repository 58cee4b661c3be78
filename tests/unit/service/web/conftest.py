"""The same world as for the API."""

from __future__ import annotations

from tests.unit.service.api.conftest import client, world

__all__ = ["client", "world"]
