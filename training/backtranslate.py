"""Other words for a text, by way of Spanish and back: rougher than what people write, but not made of its own words.

Apertium translates by rules and dictionaries (Debian's ``apertium`` and ``apertium-eng-spa``): what comes back has
other words and another order, and seldom another meaning. Where a number, a date or a name got lost, the text is left
out.
"""

import shutil
import subprocess
from collections.abc import Sequence

from secondpass.errors import InputError, MissingExtraError
from secondpass.verify.facts.check import check_facts, read_facts

__all__ = ["there_and_back"]

_WAY = ("eng-spa", "spa-eng")
_TIMEOUT_S = 600


def there_and_back(texts: Sequence[str]) -> list[str | None]:
    """Return each text as it comes back from Spanish; None where that is the same, or where facts got lost.

    Args:
        texts: English ones.

    Raises:
        MissingExtraError: Apertium is not installed.
        InputError: it failed.
    """
    program = shutil.which("apertium")
    if program is None:
        raise MissingExtraError("no program called apertium: install Debian's apertium and apertium-eng-spa")
    lines = [" ".join(text.split()) for text in texts]
    translated = lines
    for direction in _WAY if lines else ():
        translated = _translated(program, direction, translated)
    return [back if _keeps(line, back) else None for line, back in zip(lines, translated, strict=True)]


def _translated(program: str, direction: str, lines: Sequence[str]) -> list[str]:
    done = subprocess.run(  # the texts are its input, no arguments
        [program, "-u", direction], input="\n".join(lines) + "\n", capture_output=True, encoding="utf-8",
        timeout=_TIMEOUT_S, check=False,
    )  # fmt: skip
    translated = done.stdout.split("\n")[: len(lines)]
    if done.returncode or done.stdout.count("\n") != len(lines):
        raise InputError(f"apertium {direction} failed on {len(lines)} texts: {done.stderr.strip()[:300]}")
    return [" ".join(line.split()) for line in translated]


def _keeps(text: str, back: str) -> bool:
    found = check_facts(read_facts(text), read_facts(back))
    return bool(back) and back != text and not found.mismatches and not found.missing
