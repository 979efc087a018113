"""The folder of a run: one part for each shard, whole or not there, and beside them what the run is."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from secondpass.errors import ConfigError, ScoringError
from secondpass.files import write_whole
from secondpass.scale.formats import Format, Shard

__all__ = ["MANIFEST", "OutputFolder"]

# Names that begin with an underscore are left alone by what reads folders of Parquet and JSONL.
MANIFEST = "_run.json"
_MODEL = "_model.json"
_ATTEMPTS = "_attempts"
_MAX_ATTEMPTS = 6  # machines go, but rows that kill each worker must not do so for ever


class OutputFolder:
    """Where the parts of a run are.

    A part is written beside its place and then moved there, so that whoever reads the folder, and whoever goes on with
    a run that was killed, sees whole parts only. A shard that is scored twice replaces its part by an equal one.

    Args:
        path: the folder.
        kind: the format of the parts.
    """

    def __init__(self, path: Path, kind: Format) -> None:
        self.path, self.kind = path, kind

    def part(self, shard: Shard) -> Path:
        """Return where the part of a shard is, or will be."""
        return self.path / f"part-{shard.number:06d}{self.kind.suffix}"

    def begin(self, run: Mapping[str, Any]) -> None:
        """Make the folder, or make sure that it holds this very run.

        Args:
            run: what decides what the parts hold, as plain data.

        Raises:
            ConfigError: it holds something else; the message says what.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            present = sorted(path.name for path in self.path.iterdir() if not path.name.startswith(".writing-"))
            if not present:
                write_whole(self.path / MANIFEST, json.dumps(run, indent=2, sort_keys=True).encode())
                return
        except OSError as exc:
            raise ConfigError(f"{self.path} can't be used for the output: {exc}") from exc
        self._require_same(run, present)

    def _require_same(self, run: Mapping[str, Any], present: list[str]) -> None:
        if MANIFEST not in present:
            raise ConfigError(
                f"{self.path} is not empty ({present[0]!r}) and holds no run: name a folder that is not there yet"
            )
        try:
            before = json.loads((self.path / MANIFEST).read_bytes())
        except (OSError, ValueError) as exc:
            raise ConfigError(f"{self.path / MANIFEST} can't be read ({exc}): name another folder") from exc
        now = json.loads(json.dumps(run))
        differ = sorted(key for key in {*now, *before} if now.get(key) != before.get(key))
        if differ:
            was = ", ".join(f"{key} (was {_short(before.get(key))}, is {_short(now.get(key))})" for key in differ)
            raise ConfigError(
                f"{self.path} holds another run, which differs in {was}: name another folder, or delete this one"
            )

    def is_done(self, shard: Shard) -> bool:
        """Return whether a shard's part is there with all of its rows."""
        part = self.part(shard)
        return part.is_file() and self.kind.count(part) == shard.rows

    def put(self, shard: Shard, contents: bytes) -> None:
        """Write the part of a shard."""
        write_whole(self.part(shard), contents)
        self._attempts(shard).unlink(missing_ok=True)

    def attempt(self, shard: Shard) -> None:
        """Count that a worker begins with a shard.

        Raises:
            ScoringError: so many did without finishing it that another one won't either.
        """
        place = self._attempts(shard)
        place.parent.mkdir(exist_ok=True)
        with place.open("ab") as file:
            file.write(b".")
            attempts = file.tell()
        if attempts > _MAX_ATTEMPTS:
            raise ScoringError(
                f"{_MAX_ATTEMPTS} workers died with rows {shard.start + 1} to {shard.start + shard.rows} of "
                f"{shard.file}, perhaps for want of memory: set a smaller batch_tokens, or look at these rows"
            )

    def forget_attempts(self) -> None:
        """Begin to count anew."""
        for place in (self.path / _ATTEMPTS).glob("*"):
            place.unlink(missing_ok=True)

    def _attempts(self, shard: Shard) -> Path:
        return self.path / _ATTEMPTS / f"{shard.number:06d}"

    def require_model(self, fingerprint: str) -> None:
        """Make sure that the parts so far are by this model: the first worker writes down which it is.

        Of workers that begin at the same moment with different models, none may notice; who gets their results does.

        Raises:
            ConfigError: the parts so far are by another one.
        """
        place, mine = self.path / _MODEL, {"fingerprint": fingerprint}
        if not place.exists():
            write_whole(place, json.dumps(mine).encode())
        before = json.loads(place.read_bytes())
        if before != mine:
            raise ConfigError(
                f"{self.path} has scores of the model {before['fingerprint']}, and here that name stands for "
                f"{fingerprint}: use the model that the run began with, or name another folder"
            )


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else f"{text[:79]}…"
