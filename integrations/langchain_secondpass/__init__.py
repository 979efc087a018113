"""secondpass for LangChain: rerank what a retriever found, verify what was generated from it.

```python
from langchain_secondpass import SecondPassReranker, SecondPassVerifier

documents = SecondPassReranker(top_n=3).compress_documents(retriever.invoke(query), query)
result = SecondPassVerifier().invoke({"answer": answer, "context": documents, "question": query})
```

`SecondPassReranker` goes wherever LangChain takes a document compressor (`ContextualCompressionRetriever`,
`DocumentCompressorPipeline`), and into LCEL by `as_runnable`; `SecondPassCrossEncoder` goes wherever it takes
a cross-encoder. `SecondPassVerifier` and `SecondPassSufficiency` are steps for LCEL. These need only langchain-core.
`SecondPassVerificationMiddleware`, for the agents of `create_agent`, needs langchain (the extra ``langchain-agents``):
it is imported when it is first asked for, and without langchain it is not a public name of this package.
`SecondPassDecisionModel` answers typed questions, and needs langchain-core 1.8: it is treated likewise.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from secondpass.errors import MissingExtraError

try:
    import langchain_core.cross_encoders  # noqa: F401  # the one place that finds out that it is missing, or too old
except ImportError as exc:
    raise MissingExtraError.of("langchain", "langchain_secondpass") from exc

from langchain_secondpass.cross_encoder import SecondPassCrossEncoder
from langchain_secondpass.reranker import SecondPassReranker
from langchain_secondpass.sufficiency import SecondPassSufficiency
from langchain_secondpass.verifier import SecondPassVerifier

if TYPE_CHECKING:
    from langchain_secondpass.decisions import SecondPassDecisionModel
    from langchain_secondpass.middleware import SecondPassVerificationMiddleware

__all__ = ["SecondPassCrossEncoder", "SecondPassReranker", "SecondPassSufficiency", "SecondPassVerifier"]

# Where what they need is missing, ``import *``, ``help()`` and ``inspect.getmembers`` must still work.
if TYPE_CHECKING or find_spec("langchain") is not None:
    __all__ += ["SecondPassVerificationMiddleware"]
if TYPE_CHECKING or find_spec("langchain_core.decisions") is not None:
    __all__ += ["SecondPassDecisionModel"]

_LATER = {
    "SecondPassDecisionModel": (
        "langchain_secondpass.decisions",
        'langchain-core 1.8 or later: pip install "secondpass[langchain]" "langchain-core>=1.8"',
    ),
    "SecondPassVerificationMiddleware": (
        "langchain_secondpass.middleware",
        'langchain 1.2.11 or later: pip install "secondpass[langchain-agents]"',
    ),
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, needed = _LATER[name]
    try:
        return getattr(import_module(module), name)
    except (ImportError, TypeError) as exc:  # a TypeError: the classes of langchain 1.0 take other parameters
        raise MissingExtraError(f"{name} needs {needed}") from exc


def __dir__() -> list[str]:
    return __all__
