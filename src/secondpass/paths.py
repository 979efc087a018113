"""Where secondpass keeps what it may throw away and build again."""

import os
from pathlib import Path

from secondpass.errors import ConfigError

__all__ = ["cache_dir"]


def cache_dir(*parts: str) -> Path:
    """Return a folder below the user's cache folder, made if it is not there.

    That is the platform's usual one, as platformdirs knows it; ``SECONDPASS_CACHE_DIR`` overrides it.

    Raises:
        ConfigError: it can't be made.
    """
    from platformdirs import user_cache_path  # not with the module: most that import it keep nothing

    override = os.environ.get("SECONDPASS_CACHE_DIR")
    root = Path(override).expanduser() if override else user_cache_path("secondpass", appauthor=False)
    folder = root.joinpath(*parts)
    try:
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)  # whatever the umask: nobody else writes to it
    except OSError as exc:
        raise ConfigError(f"{folder} can't be created ({exc}); set SECONDPASS_CACHE_DIR to another folder") from exc
    return folder
