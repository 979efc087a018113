"""Where progress bars are shown."""

import os
import subprocess
import sys

import pytest

from secondpass.bars import shows_bars

_ASKED = "from secondpass.bars import shows_bars; print(shows_bars())"


@pytest.mark.parametrize(("first", "shown"), [("", "False"), ("import ipykernel;", "True")])
def test_a_pipe_shows_none_but_a_notebook_does(first: str, shown: str) -> None:
    """Whatever is asked of colours."""
    done = subprocess.run(
        [sys.executable, "-c", first + _ASKED],
        capture_output=True,
        check=True,
        text=True,
        env={**os.environ, "FORCE_COLOR": "1"},
    )
    assert done.stdout.strip() == shown


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_a_terminal_shows_them() -> None:
    """Standard error alone counts: what is printed may go to a file."""
    import pty

    ours, theirs = pty.openpty()
    done = subprocess.run([sys.executable, "-c", _ASKED], stdout=subprocess.PIPE, stderr=theirs, check=True, text=True)
    os.close(ours)
    os.close(theirs)
    assert done.stdout.strip() == "True"


def test_without_standard_error_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a program without a console."""
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    monkeypatch.setattr(sys, "stderr", None)
    assert not shows_bars()
