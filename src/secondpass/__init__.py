"""secondpass: rerank what was retrieved, verify what was generated.

```python
import secondpass as sp

reranker = sp.CrossEncoderReranker()
for document in reranker.rerank("how do I copy a file?", passages, k=5):
    print(document.rank, document.score, document.text)
```
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from secondpass.base import Reranker
from secondpass.errors import (
    CompositionError,
    ConfigError,
    InputError,
    MissingExtraError,
    ModelError,
    ModelFormatError,
    ModelIntegrityError,
    ModelNotFoundError,
    OutOfMemoryError,
    RegistryError,
    ScoringError,
    SecondPassError,
    SecondPassWarning,
    TruncationWarning,
)
from secondpass.registry import from_config, load
from secondpass.types import Document, RankedDocument, Ranking, Request, Scale, Scores, Trace

if TYPE_CHECKING:
    __version__: str
    from secondpass.rerankers.cross_encoder import CrossEncoderReranker

# Names whose files import ONNX Runtime and the like: they are imported when they are first asked for.
_LAZY = {"CrossEncoderReranker": "secondpass.rerankers.cross_encoder"}

__all__ = [
    "CompositionError",
    "ConfigError",
    "CrossEncoderReranker",
    "Document",
    "InputError",
    "MissingExtraError",
    "ModelError",
    "ModelFormatError",
    "ModelIntegrityError",
    "ModelNotFoundError",
    "OutOfMemoryError",
    "RankedDocument",
    "Ranking",
    "RegistryError",
    "Request",
    "Reranker",
    "Scale",
    "Scores",
    "ScoringError",
    "SecondPassError",
    "SecondPassWarning",
    "Trace",
    "TruncationWarning",
    "from_config",
    "load",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("secondpass")
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    return __all__
