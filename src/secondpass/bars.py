"""Where progress bars can be shown."""

import sys

__all__ = ["shows_bars"]


def shows_bars() -> bool:
    """Whether standard error shows what is drawn again and again: on a terminal and in a notebook, not in a file.

    Rich takes a pipe for a terminal where ``FORCE_COLOR`` is set, as in many a CI: it asks for colours, not for bars.
    """
    return "ipykernel" in sys.modules or (sys.stderr is not None and sys.stderr.isatty())
