"""Where secondpass keeps what it may throw away and build again."""

import os
import sys
from pathlib import Path

from secondpass.errors import ConfigError

__all__ = ["cache_dir"]


def cache_dir(*parts: str) -> Path:
    """Return a folder below the user's cache folder; it is made if it is not there.

    ``SECONDPASS_CACHE_DIR`` overrides it; otherwise it is ``secondpass`` under ``%LOCALAPPDATA%`` on
    Windows and under ``$XDG_CACHE_HOME`` (default ``~/.cache``) elsewhere.

    Raises:
        ConfigError: it can't be made.
    """
    override = os.environ.get("SECONDPASS_CACHE_DIR")
    if override:
        root = Path(override)
    elif sys.platform == "win32":
        root = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "secondpass"
    else:
        root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "secondpass"
    folder = root.joinpath(*parts)
    try:
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)  # whatever the umask: nobody else writes to it
    except OSError as exc:
        raise ConfigError(f"{folder} can't be made ({exc}); set SECONDPASS_CACHE_DIR to a folder that can") from exc
    return folder
