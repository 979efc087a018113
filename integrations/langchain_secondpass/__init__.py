"""secondpass for LangChain: rerank what a retriever found, and keep what is relevant.

```python
from langchain_secondpass import SecondPassReranker

reranker = SecondPassReranker(top_n=3)
documents = reranker.compress_documents(retriever.invoke(query), query)
```

`SecondPassReranker` goes wherever LangChain takes a document compressor (`ContextualCompressionRetriever`,
`DocumentCompressorPipeline`), and into LCEL by `as_runnable`; `SecondPassCrossEncoder` goes wherever it takes
a cross-encoder. Needs langchain-core alone.
"""

from secondpass.errors import MissingExtraError

try:
    import langchain_core  # noqa: F401  # the one place that finds out that it is missing
except ImportError as exc:
    raise MissingExtraError.of("langchain", "langchain_secondpass") from exc

from langchain_secondpass.cross_encoder import SecondPassCrossEncoder
from langchain_secondpass.reranker import SecondPassReranker

__all__ = ["SecondPassCrossEncoder", "SecondPassReranker"]
