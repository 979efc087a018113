"""The command line within the process of the tests, for errors."""

import io
import sys
import warnings
from collections.abc import Callable, Sequence

import pytest

from secondpass.cli import main

Stopped = tuple[int | str | None, str, str]


@pytest.fixture
def stopped(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[Sequence[str], bytes], Stopped]:
    """Return a function that runs a command which ends in an error: its exit status, output and standard error."""

    def run(arguments: Sequence[str], stdin: bytes) -> Stopped:
        monkeypatch.setattr(sys, "argv", ["secondpass", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)  # main sets it
        with pytest.raises(SystemExit) as ended:
            main()
        shown = capsys.readouterr()
        return ended.value.code, shown.out, shown.err

    return run
