"""The machine and what is installed on it, as far as it decides how models run."""

import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from secondpass.diagnose.finding import Finding
from secondpass.errors import ConfigError
from secondpass.models.batching import available_cores
from secondpass.models.onnx_session import int8_overflows
from secondpass.monitor.memory import memory_limit, memory_used
from secondpass.paths import cache_dir
from secondpass.registry import backends

__all__ = ["Environment", "environment", "environment_findings"]

_PACKAGES = ("secondpass", "numpy", "onnxruntime", "tokenizers", "openvino", "torch", "transformers")
_THREADS = (
    "SECONDPASS_THREADS",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "TOKENIZERS_PARALLELISM",
)
_FULL = 0.9


@dataclass(frozen=True, slots=True)
class Environment:
    """The machine and what is installed on it.

    Attributes:
        python: its version.
        system: the operating system and the processor's kind.
        packages: versions by name; of those that are not installed, none.
        backends: by name, whether what it needs is installed.
        cores: that this process may use.
        cores_of_machine: that there are.
        threads: environment variables that set numbers of threads.
        instruction_sets: of the processor, as far as numpy uses them.
        int8_overflows: whether products of int8 models overflow, as measured; they then run in a slower mode.
        cache_folder: where graphs and the like are kept; empty if it can't be used.
        cache_bytes: how much is in it.
        memory_bytes: what this process uses; None if that can't be told.
        memory_limit_bytes: what it may use: the machine's memory, or the limit of its container.
    """

    python: str
    system: str
    packages: dict[str, str]
    backends: dict[str, bool]
    cores: int
    cores_of_machine: int
    threads: dict[str, str]
    instruction_sets: tuple[str, ...]
    int8_overflows: bool
    cache_folder: str
    cache_bytes: int
    memory_bytes: int | None
    memory_limit_bytes: int | None

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON-ready data."""
        return asdict(self)

    def lines(self) -> Iterator[str]:
        """Yield it as lines for a person to read."""
        installed = [name for name, is_there in self.backends.items() if is_there]
        yield f"Python {self.python} on {self.system}; " + ", ".join(f"{n} {v}" for n, v in self.packages.items())
        yield f"backends: {', '.join(installed)}"
        threads = "".join(f"; {name}={value}" for name, value in self.threads.items())
        yield f"cores: {self.cores} of {self.cores_of_machine}{threads}"
        overflow = "overflow, so they run in a slower mode" if self.int8_overflows else "don't overflow (measured)"
        yield f"instruction sets: {', '.join(self.instruction_sets) or 'unknown'}; int8 products {overflow}"
        yield f"cache: {self.cache_folder or 'none that can be used'}, {_size(self.cache_bytes)}"
        if self.memory_bytes is not None and self.memory_limit_bytes is not None:
            yield f"memory: {_size(self.memory_bytes)} of {_size(self.memory_limit_bytes)}"


def environment() -> Environment:
    """Return what holds here and now."""
    folder, size = _cache()
    simd: Any = np.show_config(mode="dicts").get("SIMD Extensions", {})
    return Environment(
        python=platform.python_version(),
        system=f"{platform.system()} {platform.machine()}",
        packages={name: found for name in _PACKAGES if (found := _version(name))},
        backends={name: not backend().missing_extra() for name, backend in backends.load_all().items()},
        cores=available_cores(),
        cores_of_machine=os.cpu_count() or 1,
        threads={name: os.environ[name] for name in _THREADS if name in os.environ},
        instruction_sets=(*simd.get("baseline", ()), *simd.get("found", ())),
        int8_overflows=int8_overflows(),
        cache_folder=folder,
        cache_bytes=size,
        memory_bytes=memory_used(),
        memory_limit_bytes=memory_limit(),
    )


def environment_findings(here: Environment) -> Iterator[Finding]:
    """Yield what is odd about a machine."""
    if here.int8_overflows:
        yield Finding(
            "int8-overflow",
            "note",
            "int8 products overflow on this processor (no VNNI), so int8 models run in a mode that is exact and slower",
            "on a processor with VNNI they take about 40% less time; precision='float32' needs no such mode",
        )
    if not here.cache_folder:
        yield Finding(
            "no-cache-folder",
            "warning",
            "the cache folder can't be used, so graphs are built anew at each start",
            "set SECONDPASS_CACHE_DIR to a folder that can be written",
        )
    if here.cores < here.cores_of_machine:
        yield Finding(
            "fewer-cores",
            "note",
            f"this process may use {here.cores} of the machine's {here.cores_of_machine} cores",
            "models use as many threads as that; a container's or taskset's limit can be raised",
        )
    if here.memory_bytes and here.memory_limit_bytes and here.memory_bytes > _FULL * here.memory_limit_bytes:
        share = here.memory_bytes / here.memory_limit_bytes
        yield Finding(
            "memory-full",
            "warning",
            f"this process uses {share:.0%} of the memory that it may use ({_size(here.memory_limit_bytes)})",
            "run fewer models in a process, or set a smaller batch_tokens; the alert rule 'memory' watches it",
        )
    if sys.maxsize < 2**32:
        yield Finding("32-bit", "warning", "this Python has 32 bits, so a process has 4 GB of memory at most")


def _cache() -> tuple[str, int]:
    try:
        folder = cache_dir()
    except ConfigError:
        return "", 0
    if not os.access(folder, os.W_OK):
        return "", 0
    return str(folder), sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _size(n_bytes: int) -> str:
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:.0f} MB"
