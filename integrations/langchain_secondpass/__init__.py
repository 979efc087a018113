"""secondpass for LangChain: rerank what a retriever found, verify what was made of it.

```python
from langchain_secondpass import SecondPassReranker, SecondPassVerifier

documents = SecondPassReranker(top_n=3).compress_documents(retriever.invoke(query), query)
result = SecondPassVerifier().invoke({"answer": answer, "context": documents, "question": query})
```

`SecondPassReranker` goes wherever LangChain takes a document compressor (`ContextualCompressionRetriever`,
`DocumentCompressorPipeline`), and into LCEL by `as_runnable`; `SecondPassCrossEncoder` goes wherever it takes
a cross-encoder. `SecondPassVerifier` is a step for LCEL. They need langchain-core alone;
`SecondPassVerificationMiddleware`, for the agents of `create_agent`, needs langchain, and is imported when it is
first asked for.
"""

from typing import TYPE_CHECKING, Any

from secondpass.errors import MissingExtraError

try:
    import langchain_core  # noqa: F401  # the one place that finds out that it is missing
except ImportError as exc:
    raise MissingExtraError.of("langchain", "langchain_secondpass") from exc

from langchain_secondpass.cross_encoder import SecondPassCrossEncoder
from langchain_secondpass.reranker import SecondPassReranker
from langchain_secondpass.verifier import SecondPassVerifier

if TYPE_CHECKING:
    from langchain_secondpass.middleware import SecondPassVerificationMiddleware

__all__ = ["SecondPassCrossEncoder", "SecondPassReranker", "SecondPassVerificationMiddleware", "SecondPassVerifier"]


def __getattr__(name: str) -> Any:
    if name != "SecondPassVerificationMiddleware":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from langchain_secondpass.middleware import SecondPassVerificationMiddleware

    return SecondPassVerificationMiddleware


def __dir__() -> list[str]:
    return __all__
