"""Checks of a claim's numbers, dates, names and negations against a text: rules, which no model overrules."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from secondpass.errors import InputError
from secondpass.language import is_foreign
from secondpass.types import well_formed
from secondpass.verify.facts.comparison import (
    Facts,
    compare_dates,
    compare_names,
    compare_negations,
    compare_numbered,
    compare_quantities,
)
from secondpass.verify.facts.date_forms import find_dates
from secondpass.verify.facts.identifiers import find_numbered, identifier_tokens
from secondpass.verify.facts.names import Vocabulary, find_names
from secondpass.verify.facts.negation import find_clauses
from secondpass.verify.facts.quantities.parse import find_quantities
from secondpass.verify.facts.slots import Slots
from secondpass.verify.types import Mismatch
from secondpass.verify.words import tokenize

__all__ = ["FEATURES", "FactCheck", "Facts", "check_facts", "read_facts"]

FEATURES = (
    "number_mismatch",
    "number_missing",
    "date_mismatch",
    "date_missing",
    "name_mismatch",
    "name_missing",
    "negation_mismatch",
    "facts_found",
)
"""The names of what `FactCheck.features` returns, in its order."""


_ESCAPE = re.compile(r"\\(?=[$%#~&])")  # of Markdown and TeX


@dataclass(frozen=True, slots=True)
class FactCheck:
    """How the facts of a claim stand in a text.

    Attributes:
        mismatches: what the text has differently.
        missing: what the text does not have at all; its ``evidence`` is empty.
        n_facts: how many numbers, dates and names of the claim were looked for.
    """

    mismatches: tuple[Mismatch, ...] = ()
    missing: tuple[Mismatch, ...] = ()
    n_facts: int = 0

    def features(self) -> Mapping[str, float]:
        """Return counts by kind, and the share of the claim's facts that were found (1.0 if it has none).

        The names are those of `FEATURES`. A unit that differs counts as a number.
        """
        values = dict.fromkeys(FEATURES, 0.0)
        for kind, group in (("mismatch", self.mismatches), ("missing", self.missing)):
            for item in group:
                values[f"{'number' if item.kind == 'unit' else item.kind}_{kind}"] += 1.0
        lost = len(self.missing) + sum(item.kind != "negation" for item in self.mismatches)
        values["facts_found"] = 1.0 - lost / self.n_facts if self.n_facts else 1.0
        return MappingProxyType(values)


def read_facts(text: str) -> Facts:
    """Return what a text holds that can be checked, for a text that many claims are checked against.

    It takes time and memory linear in the text. A lone surrogate is read as U+FFFD, and the
    backslash before a sign, as in TeX, as a blank.

    Raises:
        InputError: it is no text.
    """
    if not isinstance(text, str):
        raise InputError(f"facts are read from a str, not from {type(text).__name__}")
    text = _ESCAPE.sub(" ", well_formed(text))
    tokens = tokenize(text)
    masked = identifier_tokens(text, tokens)
    dates = find_dates(text, tokens, masked)
    for date in dates:
        masked.update(range(date.first, date.end))
    numbered = find_numbered(tokens, masked)
    for item in numbered:
        masked.update(range(item.first + 1, item.end))
    # Capitals mean names in English: in other languages, German before all, other things.
    is_english = not is_foreign(text)
    names = find_names(tokens, masked) if is_english else []
    found = find_quantities(tokens, masked)
    return Facts(
        text=text,
        tokens=tokens,
        numbered=numbered,
        dates=dates,
        quantities=[item for item in found if not item.is_vague],
        vague=[item for item in found if item.is_vague],
        names=names,
        clauses=find_clauses(tokens) if is_english else [],
        vocabulary=Vocabulary(tokens, names),
        slots=Slots(tokens),
    )


def check_facts(claim: str | Facts, evidence: str | Facts) -> FactCheck:
    """Check the numbers, dates, names and negations of a claim against a text.

    A fact is found if the text has it anywhere, be it in another unit, rounded or in words. It is a mismatch only if
    the text has another one where the claim has this one, that is, among the same words; else it is missing.
    Identifiers (paths, code names, addresses) are left out; versions and other numbered things are compared as they
    are written, and only with another number of the same thing.

    Args:
        claim: the claim, or what `read_facts` made of it.
        evidence: the text it is checked against, or what `read_facts` made of it.

    Raises:
        InputError: one of them is no text.
    """
    claim = claim if isinstance(claim, Facts) else read_facts(claim)
    evidence = evidence if isinstance(evidence, Facts) else read_facts(evidence)
    dates = list(compare_dates(claim, evidence))
    numbers = [*compare_quantities(claim, evidence), *compare_numbered(claim, evidence)]
    if dates:
        # What was counted at another time is another thing: it does not deny the claim.
        numbers = [replace(number, evidence="") for number in numbers]
    findings = [*numbers, *dates, *compare_names(claim, evidence), *compare_negations(claim, evidence)]
    n_dates = sum(not date.is_span for date in claim.dates)
    return FactCheck(
        mismatches=tuple(item for item in findings if item.evidence),
        missing=tuple(item for item in findings if not item.evidence),
        n_facts=len(claim.quantities) + n_dates + len(claim.numbered) + len(claim.names),
    )
