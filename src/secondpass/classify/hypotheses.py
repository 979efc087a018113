"""From labels to the sentences that an NLI model is asked about."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from secondpass.errors import ConfigError, SecondPassError
from secondpass.types import well_formed

__all__ = ["Wording", "checked_labels", "checked_wording"]

_SLOT, _BRACED = "{}", "{{}}"  # the second would put the label in braces, which nobody means


@dataclass(frozen=True, slots=True)
class Wording:
    """How labels become hypotheses.

    Args:
        templates: sentences with ``{}`` where the label stands.
        hypotheses: whole sentences for a label, in place of the templates.
        descriptions: what stands in the templates in place of a label's name.
        named: whether the name stays before its description ("delivery: a parcel that is on its way").
    """

    templates: tuple[str, ...]
    hypotheses: Mapping[str, tuple[str, ...]]
    descriptions: Mapping[str, str]
    named: bool = False

    def of(self, label: str) -> tuple[str, ...]:
        """Return the hypotheses that together stand for a label, at least one."""
        return self.hypotheses.get(label) or self.filled(self._words(label))

    def of_pair(self, label: str, other: str) -> tuple[str, ...]:
        """Return the hypotheses that say that a text is about one label rather than about another."""
        return self.filled(f"{self._words(label)} rather than {self._words(other)}")

    def _words(self, label: str) -> str:
        described = self.descriptions.get(label)
        if described is None:
            return label
        return f"{label}: {described}" if self.named else described

    def filled(self, words: str) -> tuple[str, ...]:
        """Return the templates with words in place of the label."""
        return tuple(well_formed(template.replace(_SLOT, words)) for template in self.templates)


def checked_labels(labels: Any, least: int, error: type[SecondPassError]) -> tuple[str, ...]:
    """Return labels as a tuple.

    Args:
        labels: what the caller passed.
        least: how many there must be.
        error: what to raise.
    """
    if isinstance(labels, str | bytes) or not isinstance(labels, Iterable):
        raise error(f"labels must be a list of labels, not {type(labels).__name__}")
    # A set has another order in each process, by which equal labels would be told apart.
    checked = tuple(sorted(labels, key=str) if isinstance(labels, Set) else labels)
    for at, label in enumerate(checked):
        if not isinstance(label, str) or not label.strip():
            raise error(f"labels[{at}] must be a str that is not empty, not {label!r:.80}")
    twice = next((label for label, n in Counter(checked).items() if n > 1), None)
    if twice is not None:
        raise error(f"the label {twice!r} occurs twice; labels must be distinct")
    if len(checked) < least:
        why = "with one label it would always be 1; pass another, such as 'something else', or multi_label=True"
        why = why if checked else "there is nothing to choose from"
        raise error(f"{len(checked)} of at least {least} labels: {why}")
    return checked


def checked_wording(
    template: str | Sequence[str],
    hypotheses: Mapping[str, str | Sequence[str]] | None,
    descriptions: Mapping[str, str] | None,
    *,
    named: bool = False,
) -> Wording:
    """Return the wording of labels, once it is checked.

    Raises:
        ConfigError: a template has no place for the label, or something is not a text.
    """
    templates = (template,) if isinstance(template, str) or not isinstance(template, Iterable) else tuple(template)
    for each in templates:
        if isinstance(each, str) and _BRACED in each:
            raise ConfigError(f"a template is not a format string, so write {_SLOT} for {_BRACED}: {each!r}")
        if not isinstance(each, str) or _SLOT not in each:
            raise ConfigError(
                f"a template needs {{}} where the label stands, as in 'This text is about {{}}.', not {each!r}"
            )
    if not templates:
        raise ConfigError("template must be at least one sentence with {}")
    whole = {label: _sentences(label, texts) for label, texts in _items("hypotheses", hypotheses)}
    words = {}
    for label, text in _items("descriptions", descriptions):
        if not isinstance(text, str) or not text.strip():
            raise ConfigError(f"descriptions[{label!r}] must be a str that is not empty, not {text!r:.80}")
        words[label] = text
    both = sorted(whole.keys() & words.keys())
    if both:
        raise ConfigError(f"{both[0]!r} has hypotheses, so its description would not be used; give one or the other")
    return Wording(templates, whole, words, named)


def _items(name: str, mapping: Mapping[str, Any] | None) -> Iterable[tuple[str, Any]]:
    if mapping is None:
        return ()
    if not isinstance(mapping, Mapping) or not all(isinstance(label, str) for label in mapping):
        raise ConfigError(f"{name} must be a mapping from labels to texts, not {type(mapping).__name__}")
    return mapping.items()


def _sentences(label: str, texts: Any) -> tuple[str, ...]:
    sentences = (texts,) if isinstance(texts, str) else tuple(texts) if isinstance(texts, Iterable) else ()
    if not sentences or not all(isinstance(text, str) and text.strip() for text in sentences):
        raise ConfigError(f"hypotheses[{label!r}] must be a sentence, or several, not {texts!r:.80}")
    return tuple(well_formed(text) for text in sentences)
