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
"""

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
    from langchain_secondpass.middleware import SecondPassVerificationMiddleware

__all__ = ["SecondPassCrossEncoder", "SecondPassReranker", "SecondPassSufficiency", "SecondPassVerifier"]

# Where langchain is missing, ``import *``, ``help()`` and ``inspect.getmembers`` must still work.
if TYPE_CHECKING or find_spec("langchain") is not None:
    __all__ += ["SecondPassVerificationMiddleware"]


def __getattr__(name: str) -> Any:
    if name != "SecondPassVerificationMiddleware":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from langchain_secondpass.middleware import SecondPassVerificationMiddleware
    except (ImportError, TypeError) as exc:  # a TypeError: the classes of langchain 1.0 take other parameters
        raise MissingExtraError(
            "SecondPassVerificationMiddleware needs langchain 1.2.11 or later: "
            'pip install "secondpass[langchain-agents]"'
        ) from exc
    return SecondPassVerificationMiddleware


def __dir__() -> list[str]:
    return __all__
