"""Formulas in TeX as plain text, so that their dollar signs are no money: "$x_{1} = 5$" is "x_1 = 5"."""

import re

from secondpass.verify.words import word_set

__all__ = ["without_tex"]

_MAY_HOLD = re.compile(r"\$|\\[(\[]")
# Between dollar signs with nothing blank on their inner sides, and no digit or letter behind: "$5 to $20" is money.
_FORMULA = re.compile(
    r"\$\$(?P<shown>[^$]{1,500})\$\$|(?<![\w$\\])\$(?P<sign>\\[a-zA-Z]{2,10})\$(?=\d)"
    r"|(?<![\w$\\])\$(?=[^\s$])(?P<inline>[^$\n]{1,300})(?<=[^\s\\])\$(?![\w$])"
    r"|\\\((?P<round>(?:[^\\\n]|\\[^()]){1,300})\\\)"
    r"|\\\[(?!\s?\d[\d,; \u2013-]*\\\])(?P<square>(?:[^\\]|\\[^\[\]]){1,500})\\\]"
)
_WRAPPED = re.compile(
    r"\\(?:text|textrm|textbf|textit|mathrm|mathbf|mathit|mathsf|mathbb|mathcal|boldsymbol|operatorname|mbox|boxed)\s?"
    r"\{([^{}]*)\}"
)
_FRACTION = re.compile(r"\\[dt]?frac\s?\{([^{}]*)\}\s?\{([^{}]*)\}")
_ROOT = re.compile(r"\\sqrt\s?\{([^{}]*)\}")
_SIMPLE = re.compile(r"[\\\u221a]?[\w.,]+")
_RAISED = re.compile(r"([\^_])\{([^{}]*)\}")
_BLANK = re.compile(r"\\(?:[,;:! ]|quad\b|qquad\b)|~")
_SIZED = re.compile(r"\\(?:left|right|[bB]igg?[lr]?|displaystyle|limits)(?![a-zA-Z])\s?")
_ESCAPED = re.compile(r"\\([%$#&_{}])")
_COMMAND = re.compile(r"\\([a-zA-Z]+)\s?")
_WORD = re.compile(r"(?<![\\a-zA-Z])[a-zA-Z]{3,}")
_FUNCTIONS = word_set("sin cos tan log exp max min det lim mod gcd var cov arg sup inf")
# A sign, and the commands for it.
_COMMANDS = (
    "\xd7 times; \xb7 cdot; \xf7 div; \xb1 pm; \u2213 mp; \u2248 approx simeq; \u2245 cong; ~ sim; "
    "\u2264 le leq; \u2265 ge geq; \u2260 ne neq; \u221e infty; \u2192 to rightarrow; \xb0 circ degree; "
    "\u2026 ldots dots cdots; \u2208 in; \u2282 subset; \u222a cup; \u2229 cap; \u2211 sum; \u220f prod; "
    "\u222b int; \u2202 partial; \u2207 nabla; \u226a ll; \u226b gg; \u221d propto; \u2261 equiv; | mid; "
    "\u03b1 alpha; \u03b2 beta; \u03b3 gamma; \u03b4 delta; \u03b5 epsilon varepsilon; \u03b6 zeta; "
    "\u03b7 eta; \u03b8 theta; \u03b9 iota; \u03ba kappa; \u03bb lambda; \u03bc mu; \u03bd nu; \u03be xi; "
    "\u03c0 pi; \u03c1 rho; \u03c3 sigma; \u03c4 tau; \u03c5 upsilon; \u03c6 phi varphi; \u03c7 chi; "
    "\u03c8 psi; \u03c9 omega; \u0393 Gamma; \u0394 Delta; \u0398 Theta; \u039b Lambda; \u039e Xi; \u03a0 Pi; "
    "\u03a3 Sigma; \u03a6 Phi; \u03a8 Psi; \u03a9 Omega"
)
_SIGNS = {name: each.split()[0] for each in _COMMANDS.split(";") for name in each.split()[1:]}


def without_tex(text: str) -> str:
    """Return a text with the formulas in TeX written out, and all else as it is, in linear time.

    Formulas stand between dollar signs, single or double, or between brackets with a backslash before each. What has
    words between single dollar signs is none.
    """
    return _FORMULA.sub(_written_out, text) if _MAY_HOLD.search(text) else text


def _written_out(formula: re.Match[str]) -> str:
    inner = formula[formula.lastgroup or 0]
    text = _WRAPPED.sub(r"\1", inner)
    if formula.lastgroup == "inline" and not _is_formula(inner):
        return formula[0]
    text = _RAISED.sub(r"\1\2", text)
    text = _ROOT.sub(lambda match: f"\u221a{_grouped(match[1])}", text)
    text = _FRACTION.sub(lambda match: f"{_grouped(match[1])}/{_grouped(match[2])}", text)
    text = _ESCAPED.sub(r"\1", _SIZED.sub("", _BLANK.sub(" ", text.replace("{,}", ","))))
    text = _COMMAND.sub(_sign, text)
    return " ".join(text.replace("^\u00b0", "\u00b0").split())


def _is_formula(inner: str) -> bool:
    """Return whether what stands between two dollar signs has no words, as prices have between them."""
    return all(word in _FUNCTIONS for word in _WORD.findall(_WRAPPED.sub("", inner)))


def _grouped(part: str) -> str:
    part = part.strip()
    return part if _SIMPLE.fullmatch(part) else f"({part})"


def _sign(command: re.Match[str]) -> str:
    """Return the sign that a command stands for; the name of a function, and what is not known, as it is."""
    sign = _SIGNS.get(command[1])
    if sign is not None:
        return sign + (" " if command[0][-1].isspace() and sign not in "\u00b0~" else "")
    return command[0].removeprefix("\\") if command[1] in _FUNCTIONS else command[0]
