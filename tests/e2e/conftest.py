"""End-to-end tests run one after the other: each is a whole system in real time."""

from __future__ import annotations

import pytest

from service.embedded.broker import find_mosquitto


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/e2e" in str(item.path):
            item.add_marker(pytest.mark.xdist_group("e2e"))
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture
def mosquitto_installed() -> None:
    """Skips where the second broker is not installed."""
    if find_mosquitto() is None:
        pytest.skip("mosquitto is not installed (Debian: apt-get install mosquitto)")
