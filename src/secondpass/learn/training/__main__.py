"""Go on with a training, in one process or several.

``torchrun --nproc-per-node 2 -m secondpass.learn.training FOLDER``
"""

import argparse
import sys
from pathlib import Path

from secondpass.errors import SecondPassError
from secondpass.learn.training.run import go_on

__all__ = ["main"]


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m secondpass.learn.training", description=__doc__)
    parser.add_argument("folder", type=Path, help="what secondpass.learn.train prepared")
    parser.add_argument("--quiet", action="store_true", help="show no bar")
    asked = parser.parse_args()
    try:
        go_on(asked.folder, progress=not asked.quiet)
    except SecondPassError as exc:
        sys.exit(f"{type(exc).__name__}: {exc}")


if __name__ == "__main__":
    main()
