"""The command line in a process of its own, as a user runs it."""

import os
import subprocess
import sys
from pathlib import Path


def run(
    *arguments: str, stdin: str | bytes = "", cwd: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run it in a terminal of 100 columns, unless the environment says otherwise, and return what it wrote."""
    done = subprocess.run(
        [sys.executable, "-c", "from secondpass.cli import main; main()", *arguments],
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        capture_output=True,
        check=False,
        cwd=cwd,
        env={**os.environ, "COLUMNS": "100", **environment},
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())
