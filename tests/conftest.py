"""What all tests share: how hypothesis runs, and where the recordings lie."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# No deadline: machines in CI are shared, and time is measured in benchmarks only.
settings.register_profile("lumbar", deadline=None, max_examples=60, print_blob=True)
settings.load_profile("lumbar")

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def recordings() -> Path:
    """Folder with recordings of real people; tests that need it skip where it is absent."""
    folder = Path(os.environ.get("LUMBAR_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no recordings at {folder}: set LUMBAR_DATA")
    return folder
