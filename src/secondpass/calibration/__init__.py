"""From scores to probabilities, and from probabilities to decisions.

```python
import secondpass as sp
from secondpass.calibration import ConformalSelector, at_precision, score_examples

reranker = sp.CalibratedReranker(sp.CrossEncoderReranker()).fit(examples)  # (query, document, relevant)
print(reranker.report())

scored = score_examples(reranker, other_examples)  # of other queries than those it was fitted on
ranking = reranker.rerank("how do I copy a file?", passages)
at_precision(scored, 0.9).select(ranking)
selection = ConformalSelector.fit(scored, alpha=0.1).select(ranking)
if selection.is_empty:
    print(selection)  # nothing here answers the query
```

Calibrators map logits to probabilities: `PlattCalibrator`, `TemperatureCalibrator`, `BetaCalibrator`,
`IsotonicCalibrator`. `secondpass.CalibratedReranker` fits one and applies it. A `ReadyCalibration` comes with the
default model.
"""

from secondpass.calibration.base import Calibrator
from secondpass.calibration.calibrators import calibrator_from_config
from secondpass.calibration.conformal import ConformalCoverage, ConformalSelector
from secondpass.calibration.examples import Example, ScoredExamples, examples_from_qrels, score_examples
from secondpass.calibration.isotonic import IsotonicCalibrator
from secondpass.calibration.parametric import BetaCalibrator, PlattCalibrator, TemperatureCalibrator
from secondpass.calibration.prior import estimate_base_rate, shift_base_rate
from secondpass.calibration.quality import ProbabilityQuality, probability_quality
from secondpass.calibration.ready import ReadyCalibration
from secondpass.calibration.report import CalibrationReport
from secondpass.calibration.selection import Selection, Threshold, at_precision, best_f_beta

__all__ = [
    "BetaCalibrator",
    "CalibrationReport",
    "Calibrator",
    "ConformalCoverage",
    "ConformalSelector",
    "Example",
    "IsotonicCalibrator",
    "PlattCalibrator",
    "ProbabilityQuality",
    "ReadyCalibration",
    "ScoredExamples",
    "Selection",
    "TemperatureCalibrator",
    "Threshold",
    "at_precision",
    "best_f_beta",
    "calibrator_from_config",
    "estimate_base_rate",
    "examples_from_qrels",
    "probability_quality",
    "score_examples",
    "shift_base_rate",
]
