"""The first stage: candidates from a corpus, by vectors or by words, and both stages together.

```python
import secondpass as sp
from secondpass.retrieve import HybridRetriever, RetrieveRerank

search = RetrieveRerank(HybridRetriever(), sp.CrossEncoderReranker()).index(documents)
print(search.search("how do I copy a file?", k=5))
```
"""

from secondpass.retrieve.base import Retriever, retrievers
from secondpass.retrieve.bm25 import BM25Retriever
from secondpass.retrieve.dense import DenseRetriever
from secondpass.retrieve.expand import ExpandedRetriever
from secondpass.retrieve.expanders import (
    Expander,
    FeedbackExpander,
    FunctionExpander,
    SynonymExpander,
    TemplateExpander,
)
from secondpass.retrieve.hybrid import HybridRetriever
from secondpass.retrieve.two_stage import RetrieveRerank

__all__ = [
    "BM25Retriever",
    "DenseRetriever",
    "ExpandedRetriever",
    "Expander",
    "FeedbackExpander",
    "FunctionExpander",
    "HybridRetriever",
    "RetrieveRerank",
    "Retriever",
    "SynonymExpander",
    "TemplateExpander",
    "retrievers",
]
