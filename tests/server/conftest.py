"""One server for the tests of a module: starting one takes a second."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.server.serving import Running, running, script_folder


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Two workers, short limits."""
    folder = tmp_path_factory.mktemp("serve")
    model = f"fake:{script_folder(folder / 'model')}"
    with running(
        folder, "--model", model, "--workers", "2", "--queue", "4", "--timeout", "30", "--max-seconds", "30",
        "--max-mb", "1",
    ) as server:  # fmt: skip
        yield server
