"""No proxy and no key of a provider stands between these tests and their servers."""

import pytest

from secondpass.remote.shapes import SHAPES


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    for shape in SHAPES.values():
        monkeypatch.delenv(shape.variable, raising=False)
