"""Texts that go to Spanish and back, by a real translator."""

from pathlib import Path

import pytest

from secondpass.errors import InputError, MissingExtraError
from training.backtranslate import there_and_back

TEXTS = (
    "At present the university offers degrees through its five colleges.",
    "The river rises\nin the hills in 1990.",
    "Bergen",
)


@pytest.mark.usefixtures("apertium")
def test_there_and_back() -> None:
    """What comes back has other words, on one line; a text that did not change is left out; the order is kept."""
    first, second, third = there_and_back(TEXTS)
    assert first is not None
    assert second is not None
    assert first != TEXTS[0]
    assert "universit" in first
    assert "1990" in second
    assert "\n" not in second
    assert third is None
    assert there_and_back([]) == []


@pytest.mark.usefixtures("apertium")
@pytest.mark.parametrize("text", ["[1] ^a$ {b} @c \\ </s> *d", "", "a\u2028b\x85c", "# .[]\n[]"])
def test_signs(text: str) -> None:
    """Signs that mean something to the translator stay in their line."""
    assert there_and_back([text, TEXTS[0]])[1] == there_and_back([TEXTS[0]])[0]


@pytest.mark.usefixtures("apertium")
def test_lost_names() -> None:
    """A text that comes back without its names is left out."""
    assert there_and_back(["The album was remastered by Funky Town Grooves in June 2012."]) == [None]


def test_without_a_translator(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without the program the error says what to install; one that fails is an error too."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingExtraError, match="apertium-eng-spa"):
        there_and_back(TEXTS)
    program = tmp_path / "apertium"
    program.write_text("#!/bin/sh\necho 'no such mode' >&2\nexit 1\n")
    program.chmod(0o755)
    with pytest.raises(InputError, match="no such mode"):
        there_and_back(TEXTS)
