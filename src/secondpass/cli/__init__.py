"""The command line: ``secondpass`` with ``rerank``, ``verify``, ``classify``, ``compare``, ``serve`` and others."""

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line; its dependencies come with the extra ``cli``."""
    try:
        from secondpass.cli.app import run
    except ModuleNotFoundError as exc:
        if exc.name not in {"typer", "rich"}:
            raise
        sys.exit('The command line needs packages that are not installed: pip install "secondpass[cli]"')
    run()
