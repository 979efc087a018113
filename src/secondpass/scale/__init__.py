"""A hundred million pairs, and servers by the dozen: rerankers and verifiers on Ray.

```python
from secondpass.scale import rerank_dataset

run = rerank_dataset("pairs.parquet", "scored", reranker="cross-encoder", workers=8)
print(run)
```
"""

from typing import TYPE_CHECKING

from secondpass.lazy import lazy

if TYPE_CHECKING:
    from secondpass.scale.cluster import connected
    from secondpass.scale.datasets import rerank_dataset, verify_dataset
    from secondpass.scale.deployment import build_application, serve_application
    from secondpass.scale.run import DatasetRun, ShardDone
    from secondpass.scale.settings import ScaleSettings

_LAZY = {
    "DatasetRun": "secondpass.scale.run",
    "ScaleSettings": "secondpass.scale.settings",
    "ShardDone": "secondpass.scale.run",
    "build_application": "secondpass.scale.deployment",
    "connected": "secondpass.scale.cluster",
    "rerank_dataset": "secondpass.scale.datasets",
    "serve_application": "secondpass.scale.deployment",
    "verify_dataset": "secondpass.scale.datasets",
}

__all__ = [
    "DatasetRun",
    "ScaleSettings",
    "ShardDone",
    "build_application",
    "connected",
    "rerank_dataset",
    "serve_application",
    "verify_dataset",
]

__getattr__, __dir__ = lazy(__name__, _LAZY)
