"""Zero-shot classification: labels in words, no training data.

```python
import secondpass as sp

classifier = sp.ZeroShotClassifier(labels=["billing", "shipping", "complaint"])
print(classifier.classify("Where is my parcel?"))
```
"""

from secondpass.classify.biencoder import BiEncoder
from secondpass.classify.classifier import ZeroShotClassifier
from secondpass.classify.monitored import MonitoredClassifier
from secondpass.classify.types import Classification

__all__ = ["BiEncoder", "Classification", "MonitoredClassifier", "ZeroShotClassifier"]
