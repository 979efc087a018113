"""Answer the typed questions of LangChain's decision models with local models: yes or no, one of several, a level."""

from collections.abc import Mapping, Sequence
from typing import Any, Never

from langchain_core.decisions import (
    BaseDecisionModel,
    Choice,
    ChoiceAnswer,
    ClassifierResponse,
    Noul,
    NoulAnswer,
    Question,
    Score,
    ScoreAnswer,
    State,
)
from langchain_core.messages import BaseMessage
from pydantic import ConfigDict, InstanceOf, PrivateAttr, TypeAdapter, ValidationError

from langchain_secondpass.answers import DEFAULT_VERIFIER
from langchain_secondpass.verifier import VerifierField
from secondpass import ConfigError, InputError, ScoringError
from secondpass.adapters import VerifierLike, load_verifier
from secondpass.classify.classifier import ZeroShotClassifier
from secondpass.classify.decisions import AS_STATED, by_option, expected_level, statements_of, text_of, yes_of
from secondpass.validation import check_names
from secondpass.verify.monitored import MonitoredVerifier
from secondpass.verify.types import Verdict, Verification

__all__ = ["SecondPassDecisionModel"]

_QUESTIONS: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Question])
_MEDIA = frozenset({"image", "image_url", "audio", "video", "file"})


class SecondPassDecisionModel(BaseDecisionModel):
    """A decision model of LangChain's whose answers are made here: nothing leaves the machine.

    ```python
    refund = Noul(
        instructions="Does the customer want a refund?", criteria=NoulCriteria(true="The customer wants a refund.")
    )
    response = SecondPassDecisionModel().invoke({"state": message, "questions": {"refund": refund}})
    response.nouls["refund"].noul  # the probability of yes
    ```

    - `Noul`: what ``criteria.true`` states, or else the instructions, is verified against the state, and the answer is
      the verifier's calibrated probability that the state says so. With ``criteria.false`` as well, both statements
      are verified, and a state that says neither is near 0.5. A bare question claims nothing that can be verified:
      the verifier's NLI model reads it as it is, which is less reliable, and not calibrated.
    - `Choice`: by the classifier, from the labels and their descriptions; the instructions are not read. ``confidence``
      is the probability of the label.
    - `Score`: each level's description is a statement about the state, and the verifier's NLI model says which holds;
      the instructions are not read, so whole sentences about the state do best. Not calibrated. ``confidence`` is the
      probability of the likeliest level.

    The state is text, a message, or a list or mapping of such. Each item of a list is a passage of its own to the
    verifier; a mapping is read as lines of ``key: value``. Images and other media are refused, and so is `Box`.
    It is safe to share between threads.

    Args:
        verifier: a verifier, the name of its model or its settings, as for `SecondPassVerifier`; not with the policy
            ``raise``, which has no meaning here.
        classifier: a `ZeroShotClassifier`, or the name of its model. Its labels and thresholds play no part.
        model: the name that responses and traces give.
        name: of the step, in traces.

    Raises:
        ConfigError: a setting can't be used, or there is no such setting.
        ModelError: a model can't be loaded.
    """

    # A configuration can hold a key, which pydantic's messages would show.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    verifier: VerifierField
    classifier: InstanceOf[ZeroShotClassifier]
    _reader: ZeroShotClassifier = PrivateAttr()
    _statements: ZeroShotClassifier = PrivateAttr()

    def __init__(
        self,
        *,
        verifier: VerifierLike = DEFAULT_VERIFIER,
        classifier: ZeroShotClassifier | str = "bi-encoder:bge-small-en-v1.5",
        model: str = "secondpass",
        name: str | None = None,
        **fields: Never,  # a subclass's own: no type checker lets a misspelt setting pass as one
    ) -> None:
        check_names(fields, [*type(self).model_fields], type(self).__name__)
        loaded = load_verifier(verifier)
        if loaded.policy == "raise":
            raise ConfigError("the policy 'raise' has no meaning in a decision model: take a verifier with another one")
        if not isinstance(classifier, ZeroShotClassifier | str):
            raise ConfigError(f"classifier must be a ZeroShotClassifier or a name, not {type(classifier).__name__}")
        chooser = classifier if isinstance(classifier, ZeroShotClassifier) else ZeroShotClassifier(classifier)
        # As a mapping: to a type checker, the base class's constructor has none of these.
        settings: dict[str, Any] = {"verifier": loaded, "classifier": chooser, "model": model, "name": name}
        super().__init__(**fields, **settings)
        nli = (loaded.wrapped if isinstance(loaded, MonitoredVerifier) else loaded).nli
        self._reader = ZeroShotClassifier(nli, **AS_STATED | {"multi_label": True})
        self._statements = ZeroShotClassifier(nli, **AS_STATED)

    @property
    def _provider(self) -> str:
        return "secondpass"

    def _classify(self, state: State, questions: dict[str, Question]) -> ClassifierResponse:
        asked = _checked(questions)
        passages = _passages(state)
        text = "\n".join(passages)
        nouls = {key: question for key, question in asked.items() if isinstance(question, Noul)}
        answers: dict[str, Any] = dict(self._nouls(nouls, passages))
        for key, question in asked.items():
            if isinstance(question, Choice):
                answers[key] = self._choice(question, text)
            elif isinstance(question, Score):
                answers[key] = self._score(question, text)
        return ClassifierResponse(model=self.model, answers={key: answers[key] for key in asked})

    def _nouls(self, nouls: Mapping[str, Noul], passages: Sequence[str]) -> dict[str, NoulAnswer]:
        said = {key: _statements_of_noul(question) for key, question in nouls.items()}
        every = list(dict.fromkeys(statement for pair in said.values() for statement in pair))
        found = dict(zip(every, self._held(every, passages), strict=True))
        answers = {}
        for key, (yes, *no) in said.items():
            answers[key] = NoulAnswer(type="noul", noul=yes_of(found[yes], found[no[0]] if no else None))
        return answers

    def _held(self, statements: Sequence[str], passages: Sequence[str]) -> list[float]:
        """Return the probability that the passages say each statement."""
        if not statements:
            return []
        verified = self.verifier.verify_many([(statement, passages, None) for statement in statements])
        return [
            _probability(verification)
            if any(claim.checked for claim in verification)
            else max(each.scores[statement] for each in self._reader.classify_many(passages, [statement]))
            for statement, verification in zip(statements, verified, strict=True)
        ]

    def _choice(self, question: Choice, text: str) -> ChoiceAnswer:
        described = {label: _content(said) for label, said in question.criteria.items() if said is not None}
        own = {"labels": list(question.criteria), "descriptions": described or None, "multi_label": False}
        none = dict.fromkeys(("hypotheses", "thresholds", "margin"))
        chooser = ZeroShotClassifier(self.classifier.model, **self._wording() | none | own)
        scores = chooser.classify(text).scores
        best = max(question.criteria, key=lambda label: scores[label])
        probabilities = {label: scores[label] for label in question.criteria}
        return ChoiceAnswer(type="choice", choice=best, probabilities=probabilities, confidence=_share(scores[best]))

    def _wording(self) -> dict[str, Any]:
        return {"template": self.classifier.template, "calibrate": self.classifier.calibrate}

    def _score(self, question: Score, text: str) -> ScoreAnswer:
        levels = {str(level): _content(said) for level, said in enumerate(question.criteria)}
        found = by_option(levels, self._statements.classify(text, statements_of(levels)).scores)
        return ScoreAnswer(
            type="score",
            score=expected_level(found),
            legend=dict(enumerate(question.criteria)),
            probabilities={int(level): probability for level, probability in found.items()},
            confidence=_share(max(found.values())),
        )


def _checked(questions: Mapping[str, Any]) -> dict[str, Noul | Choice | Score]:
    try:
        asked = _QUESTIONS.validate_python(dict(questions))
    except ValidationError as exc:
        raise InputError(f"questions can't be used: {exc.errors()[0]['msg']} at {exc.errors()[0]['loc']}") from exc
    if not asked:
        raise InputError("questions must have at least one question")
    for key, question in asked.items():
        if not isinstance(question, Noul | Choice | Score):
            raise InputError(f"{key!r} asks for a place in an image, and no model here looks at images")
        if isinstance(question, Choice) and len(question.criteria) < 2:
            raise InputError(f"{key!r} must have two labels or more to choose from")
    return asked


def _statements_of_noul(question: Noul) -> tuple[str, ...]:
    """Return what yes says and, if the question tells, what no says."""
    criteria = question.criteria
    true, false = (None, None) if criteria is None else (criteria.true, criteria.false)
    yes = _content(question.instructions if true is None else true)
    return (yes,) if false is None else (yes, _content(false))


def _probability(verification: Verification) -> float:
    failed = next((claim for claim in verification if claim.verdict is Verdict.ERROR), None)
    if failed is not None:
        raise ScoringError(f"the verifier failed: {failed.reason}")
    return _share(verification.probability)


def _share(probability: float) -> float:
    return min(max(probability, 0.0), 1.0)  # rounding of float32, which pydantic would refuse


def _content(value: object) -> str:
    """Return what a question or a criterion says."""
    text = _as_text(value)
    if not text.strip():
        raise InputError("instructions and criteria must say something")
    return text


def _passages(state: object) -> list[str]:
    items = state if isinstance(state, Sequence) and not isinstance(state, str | bytes) else [state]
    try:
        passages = [text for item in items if (text := _as_text(item)).strip()]
    except RecursionError as exc:
        raise InputError("state contains itself, or is nested too deeply") from exc
    if not passages:
        raise InputError("state must say something")
    return passages


def _as_text(value: object) -> str:
    return text_of(_plain(value))


def _plain(value: object) -> object:
    """Return JSON data: messages as what they say, and blocks of text as their text."""
    if isinstance(value, BaseMessage):
        return _plain(value.content)
    if isinstance(value, Mapping):
        if value.get("type") in _MEDIA:
            raise InputError(f"no model here reads media, and there is one of type {value['type']!r}")
        if value.get("type") == "text" and isinstance(value.get("text"), str):
            return value["text"]
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_plain(item) for item in value]
    return value
