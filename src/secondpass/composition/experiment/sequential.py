"""Intervals and tests that stay valid however often one looks at them, and whenever one stops.

They are those of a mixture over normal effects (Robbins 1970), the mixture sequential probability ratio test of Johari,
Koomen, Pekelis and Walsh, "Always Valid Inference: Continuous Monitoring of A/B Tests" (Operations Research 2022,
arXiv:1512.04922), on means of any data as in Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, "Time-uniform central
limit theory and asymptotic confidence sequences" (Annals of Statistics 2024, arXiv:2103.06476): asymptotic, and so not
for the first few dozen units.
"""

import math

__all__ = ["half_width", "mixing_variance", "p_value"]


def mixing_variance(variance: float, alpha: float) -> float:
    """Return the variance of the mixture whose interval is narrowest when the estimate's variance is ``variance``.

    Args:
        variance: of the estimate, once as much has been seen as is planned for.
        alpha: one minus the confidence.
    """
    twice = -2 * math.log(alpha)
    return variance * (twice + math.log(twice + 1))


def half_width(variance: float, mixing: float, alpha: float) -> float:
    """Return half of the width of the interval around an estimate.

    The intervals of all looks together hold the true value with a probability of ``1 - alpha``.

    Args:
        variance: of the estimate, as of now.
        mixing: of the mixture, see `mixing_variance`; not to be changed from look to look.
        alpha: one minus the confidence.
    """
    if variance <= 0:
        return 0.0
    ratio = (variance + mixing) / variance
    return math.sqrt(variance * (variance + mixing) / mixing * (2 * math.log(1 / alpha) + math.log(ratio)))


def p_value(estimate: float, variance: float, mixing: float) -> float:
    """Return an always valid p: over all looks, the probability that it is ever below ``alpha`` is at most ``alpha``.

    Args:
        estimate: of a value that is 0 if there is no difference.
        variance: of the estimate, as of now.
        mixing: of the mixture, see `mixing_variance`.
    """
    if variance <= 0:
        return 1.0
    exponent = estimate**2 * mixing / (2 * variance * (variance + mixing))
    return math.exp(min(0.0, 0.5 * math.log((variance + mixing) / variance) - exponent))
