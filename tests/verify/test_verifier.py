"""The fact verifier on a deterministic model: verdicts, safety, citations, policies, settings."""

import asyncio
import json
import warnings
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from secondpass.errors import ConfigError, InputError, SecondPassWarning, VerificationFailedError
from secondpass.llm.types import Prompt
from secondpass.models.nli import NliOutput
from secondpass.verify.claims.decompose import LLMDecomposer
from secondpass.verify.combination import SignalCombination
from secondpass.verify.judge import Judgement, LLMJudge
from secondpass.verify.signals import FEATURES
from secondpass.verify.types import Verdict
from tests.verify.towers import ANSWER, PASSAGES, Make, verdicts

S, C, N, X, E = Verdict


class TestVerdicts:
    def test_each_kind_of_claim_gets_its_verdict(self, make: Make) -> None:
        """Right, a wrong number, a negated one, one about something else, and a question."""
        result = make().verify(ANSWER, PASSAGES)
        assert verdicts(result) == [S, C, C, N, X]
        assert not result.passed and result.contradicted and result.supported_fraction == 0.25
        assert result.answer == ANSWER and result.policy == "annotate"
        assert result.claims[0].probability >= 0.5 > max(claim.probability for claim in result.claims[1:])

    def test_evidence_stands_where_it_says(self, make: Make) -> None:
        """Evidence is the passage's text between its offsets, with the passage's index and id."""
        result = make().verify(ANSWER, PASSAGES)
        (tower, number, museum, *_) = result.claims
        assert (tower.evidence[0].passage, tower.evidence[0].id) == (0, None)
        assert (museum.evidence[0].passage, museum.evidence[0].id) == (1, "m")
        assert [m.evidence for m in number.mismatches] == ["330 metres"]
        assert [number.claim.start <= m.start < m.end <= number.claim.end for m in number.mismatches] == [True]
        for claim in result.claims:
            assert ANSWER[claim.claim.start : claim.claim.end].startswith(claim.text[:10])
            for evidence in (*claim.evidence, *claim.contradicting):
                passage = PASSAGES[evidence.passage]
                text = passage["text"] if isinstance(passage, dict) else passage
                assert text[evidence.start : evidence.end] == evidence.text

    def test_two_windows_support_together(self, make: Make) -> None:
        """A claim that needs a sentence of each of two passages is supported by both, in the order of the passages."""
        passages = ["The tower belongs to the city council.", "Bread is baked here.", "It was painted green by Anna."]
        claim = "The tower of the city council was painted green by Anna and belongs to it."
        (checked, *_) = make().verify(claim, passages).claims
        assert checked.verdict is S
        assert [evidence.passage for evidence in checked.evidence[:2]] == [0, 2]
        assert "two windows support it together" in checked.reason

    def test_passages_that_disagree_are_a_conflict(self, make: Make) -> None:
        """One passage says it and another one says otherwise."""
        passages = ["The museum is closed on Sunday.", "The museum is never closed on Sunday."]
        (checked,) = make().verify("The museum is closed on Sunday.", passages).claims
        assert checked.conflict
        assert {evidence.passage for evidence in checked.contradicting} == {1}

    def test_a_short_answer_is_read_with_the_question(self, make: Make) -> None:
        """A word alone says nothing; with the question before it, it is a claim. Longer claims don't need it."""
        nli = make().nli
        make().verify("In Paris.", ["The tower stands in Paris."], question="Where in France does the tower stand?")
        make().verify("The tower stands in Paris.", ["The tower."], question="Where in France does the tower stand?")
        hypotheses = [hypothesis for call in nli.calls for _, hypothesis in call]  # type: ignore[attr-defined]
        assert hypotheses == ["Where in France does the tower stand? In Paris.", "The tower stands in Paris."]

    def test_a_phrase_that_says_yes_is_checked(self, make: Make) -> None:
        """A phrase such as "Certainly!" claims nothing, unless it is what a question is answered with."""
        passages, asked = ["The tower is open in May."], "Is the tower open in May?"
        (alone,) = make().verify("Certainly!", passages).claims
        (answer,) = make().verify("Certainly!", passages, question=asked).claims
        (request,) = make().verify("Certainly!", passages, question="Can you tell me when it is open?").claims
        assert [str(claim.verdict) for claim in (alone, answer, request)] == ["not_checkable", str(S), "not_checkable"]

    def test_what_a_source_says_of_itself_is_checked(self, make: Make) -> None:
        """A claim of the words of a sentence that is about the text itself is not a refusal, but a fact of it."""
        passages = ["It was cut in stone. The text contains no vowels."]
        verdicts = [
            make().verify(claim, passages).claims[0].verdict.value
            for claim in ("The text does not include vowels.", "The text does not include dates.")
        ]
        assert verdicts[0] != "not_checkable" and verdicts[1] == "not_checkable"

    def test_the_claim_is_never_cut(self, make: Make, fake_nli: Any) -> None:
        """Windows shrink beside a long claim; one that leaves them no room is an error, and never supported."""
        verifier = make(model=fake_nli(max_length=100), window_tokens=96)
        words = [f"{'bcdfghklmn'[at // 26]}o{chr(97 + at % 26)}k" for at in range(200)]
        passage = " ".join(words)
        for length, verdict in ((20, S), (60, N), (90, E)):
            claim = "The words are " + " ".join(words[:length]) + "."
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SecondPassWarning)
                (checked,) = verifier.verify(claim, [f"The words are: {passage}"]).claims
            assert checked.verdict is verdict
        assert "too long for the model" in checked.reason
        pairs = [pair for call in verifier.nli.calls for pair in call]  # type: ignore[attr-defined]
        assert pairs and all(sum(verifier.nli.pair_model.tokenizer.lengths(pair)) <= 97 for pair in pairs)

    def test_what_shares_few_words_is_read_only_beside_the_first(self, make: Make) -> None:
        """Of windows with less than half of the claim's words only the next best is read, together with the best."""
        passages = ["The old tower is tall and grey.", "Its gate is red.", "Trams stop here."]
        verifier = make()
        verifier.verify("The old tower is red.", passages)
        premises = [premise for call in verifier.nli.calls for premise, _ in call]  # type: ignore[attr-defined]
        assert premises == [passages[0], f"{passages[0]}\n{passages[1]}"]

    def test_long_passages_bound_the_work(self, make: Make) -> None:
        """However long the passages, the model reads so many windows for a claim, and the two best together."""
        passage = " ".join(f"The house number {at} is grey and old." for at in range(5000))
        verifier = make(windows_per_claim=3)
        result = verifier.verify("The house number 4321 is grey. The garden is green.", [passage])
        assert result.trace.total("pairs") <= 8
        assert result.claims[0].verdict is S and "number 4321 is" in result.claims[0].evidence[0].text
        assert result.claims[1].verdict is N


class TestPolicies:
    def test_the_text_follows_the_policy(self, make: Make) -> None:
        """Marks, the answer itself, only what is supported, or the message."""
        answer = "The tower was built in 1889. The museum sells coffee."
        assert make().verify(answer, PASSAGES).text == f"{answer} [unsupported]"
        assert make(policy="flag").verify(answer, PASSAGES).text == answer
        assert make(policy="drop").verify(answer, PASSAGES).text == "The tower was built in 1889."
        assert make(policy="abstain", message="No.").verify(answer, PASSAGES).text == "No."
        assert make(policy="abstain", min_supported=0.5).verify(answer, PASSAGES).text == answer

    def test_raise_carries_the_verification(self, make: Make) -> None:
        """An answer that does not pass raises, with everything that is known; one that passes comes back."""
        verifier = make(policy="raise")
        with pytest.raises(VerificationFailedError, match="25% of its checkable claims") as caught:
            verifier.verify(ANSWER, PASSAGES)
        assert caught.value.verification is not None and verdicts(caught.value.verification) == [S, C, C, N, X]
        assert verifier.verify("The tower was built in 1889.", PASSAGES).passed

    def test_a_function_is_a_policy(self, make: Make) -> None:
        """It gets answer, claims, outcome and message; its name is the policy's."""

        def shout(answer: str, claims: Any, passed: bool, message: str) -> str:
            return f"{answer.upper()} {len(claims)} {passed} {message}"

        result = make(policy=shout, message="m").verify("The tower was built in 1889.", PASSAGES)
        assert (result.text, result.policy) == ("THE TOWER WAS BUILT IN 1889. 1 True m", "shout")

    @pytest.mark.parametrize("text", [None, b"x", ["x"]])
    def test_a_function_that_makes_no_text_is_refused(self, make: Make, text: Any) -> None:
        """Whoever gives the text out would fail at it much later."""

        def forgetful(answer: str, claims: Any, passed: bool, message: str) -> Any:
            return text

        verifier = make(policy=forgetful)
        with pytest.raises(ConfigError, match=r"the text that the policy 'forgetful' makes must be a str, not"):
            verifier.verify("The tower was built in 1889.", PASSAGES)


class TestJudge:
    def judged(self, make: Make, verdict: str, answer: str, **settings: Any) -> Any:
        judge = LLMJudge("m", completion=lambda prompt, timeout_s: json.dumps({"verdict": verdict}))
        return make(judge=judge, band=(0.01, 0.999), **settings).verify(answer, PASSAGES)

    def test_a_judge_decides_what_is_uncertain(self, make: Make) -> None:
        """Its verdict takes the place of the model's, and the trace counts it."""
        result = self.judged(make, "supported", "The museum sells coffee.")
        assert verdicts(result) == [S] and result.claims[0].escalated
        assert result.trace.counts["escalated"] == 1 and result.trace.counts["calls"] == 1
        assert result.claims[0].probability == 0.999

    def test_a_judge_cant_overrule_a_number(self, make: Make) -> None:
        """A number that differs stays contradicted, and the judge isn't asked."""
        result = self.judged(make, "supported", "The tower is 300 metres tall.")
        assert verdicts(result) == [C] and not result.claims[0].escalated
        assert "escalated" not in result.trace.counts

    def test_a_judge_that_fails_changes_nothing(self, make: Make) -> None:
        """The model's verdict stays, which is warned of and counted."""
        judge = LLMJudge("m", completion=lambda prompt, timeout_s: "no idea")
        verifier = make(judge=judge, band=(0.01, 0.999))
        with pytest.warns(SecondPassWarning, match="no verdict on 1 of 1"):
            result = verifier.verify("The museum sells coffee.", PASSAGES)
        assert verdicts(result) == [N] and result.trace.counts["fallbacks"] == 1
        assert any("no verdict on 1 of 1" in note for note in result.trace.notes)

    @pytest.mark.parametrize("verdict", ["supported", "maybe", X, 1])
    def test_what_is_no_verdict_does_not_count(self, make: Make, verdict: Any) -> None:
        """A judge of one's own that says something else fails, and the model's verdict stays."""
        judge = SimpleNamespace(judge=lambda claims: Judgement((verdict,) * len(claims)))
        with pytest.warns(SecondPassWarning, match="no verdict on 1 of 1"):
            result = make(judge=judge, band=(0.01, 0.999)).verify("The museum sells coffee.", PASSAGES)
        assert verdicts(result) == [N] and result.trace.counts["fallbacks"] == 1


class TestDecomposer:
    def test_a_language_model_may_take_claims_apart(self, make: Make) -> None:
        """An `LLMDecomposer` gets the question with the claims of the answer, and its parts are verified."""
        seen: list[str] = []

        def complete(prompt: Prompt, timeout_s: float) -> str:
            seen.append(prompt.user)
            return json.dumps({"claims": ["The tower was built in 1889.", "The tower is 330 metres tall."]})

        verifier = make(decomposer=LLMDecomposer("m", completion=complete))
        answer = "Built in 1889, the tower is 330 metres tall."
        result = verifier.verify(answer, PASSAGES, question="How old is the tower?")
        assert verdicts(result) == [S, S] and "How old is the tower?" in seen[0]
        streamed = verifier.stream([answer], PASSAGES, question="How old is the tower?")
        assert tuple(streamed) == result.claims

    def test_its_parts_are_verified_each(self, make: Make) -> None:
        """The parts of a claim stand where it does, and each has its verdict."""
        verifier = make(decomposer=lambda claim: ["The tower was built in 1889.", "The tower sells coffee."])
        answer = "Built in 1889, the tower sells coffee."
        result = verifier.verify(answer, PASSAGES)
        assert verdicts(result) == [S, N]
        assert {(claim.claim.start, claim.claim.end) for claim in result.claims} == {(0, len(answer))}

    @pytest.mark.parametrize("returned", [[], ["a", " "], "text", None, [1], ["x"] * 33])
    def test_one_that_fails_leaves_the_claim(self, make: Make, returned: Any) -> None:
        """Nothing, blanks, one text or too many: the claim is verified as it is, and that is warned of."""
        with pytest.warns(SecondPassWarning, match="the decomposer failed on 1 claim,"):
            result = make(decomposer=lambda claim: returned).verify("The tower was built in 1889.", PASSAGES)
        assert verdicts(result) == [S] and "decomposer failed" in result.trace.notes[0]


class TestCalibration:
    def fitted(self, model: str) -> SignalCombination:
        width = len(FEATURES)
        weights = [[0.0] * width for _ in range(2)]
        weights[0][FEATURES.index("entailment")] = 1.0
        return SignalCombination(
            weights=weights,  # type: ignore[arg-type]
            intercepts=(-1.0, 0.0),
            means=(0.0,) * width,
            deviations=(1.0,) * width,
            model=model,
        )

    def test_a_combination_is_used_for_its_model_only(self, make: Make) -> None:
        """For another model, the model's own probabilities decide, and a note says so."""
        answer = "The tower was built in 1889."
        own = make(combination=self.fitted(make().nli.fingerprint))
        assert own.calibrated
        result = own.verify(answer, PASSAGES)
        assert result.claims[0].probability == pytest.approx(1 / (1 + np.exp(1.0) * 0.04 / 0.96), rel=1e-6)
        assert result.trace.notes == ()
        other = make(combination=self.fitted("another"))
        result = other.verify(answer, PASSAGES)
        assert not other.calibrated and result.claims[0].probability == pytest.approx(0.96)
        assert "not calibrated" in result.trace.notes[0]

    def test_a_combination_may_be_a_file_or_data(self, make: Make, tmp_path: Any) -> None:
        """A path, a mapping and the object give the same verifier."""
        combination = self.fitted("x")
        combination.save(tmp_path / "c.json")
        prints = {
            make(combination=given).fingerprint
            for given in (combination, combination.to_config(), str(tmp_path / "c.json"))
        }
        assert len(prints) == 1 and make().fingerprint not in prints

    def test_signals_can_be_had_for_a_fit(self, make: Make) -> None:
        """Each claim has its row, and one without passages a row of NaN."""
        rows = make().signals([("The tower was built in 1889.", PASSAGES), ("The tower.", []), ("Bread.", PASSAGES)])
        assert rows.shape == (3, len(FEATURES)) and np.isnan(rows[1]).all() and np.isfinite(rows[[0, 2]]).all()
        assert rows[0, FEATURES.index("overlap")] == 1.0 and rows[2, FEATURES.index("overlap")] == 0.0
        assert rows[0, 0] == pytest.approx(np.log(0.96 / 0.04))
        assert make().signals([]).shape == (0, len(FEATURES))

    def test_signals_are_of_what_is_read_with_the_question(self, make: Make) -> None:
        """A short answer is measured as the statement that it makes, as in a verification."""
        statement, question = "The tower was built in 1889.", "Was the tower built in 1889?"
        replied, stated, alone = make().signals(
            [("Yes.", PASSAGES, question), (statement, PASSAGES), ("Yes.", PASSAGES)]
        )
        np.testing.assert_array_equal(replied, stated)
        assert alone[FEATURES.index("overlap")] < stated[FEATURES.index("overlap")]


class TestVerbatim:
    class Denies:
        """Calls everything contradicted."""

        name = fingerprint = "denies"
        pair_model = None

        def run(self, pairs: Any) -> NliOutput:
            rows = np.tile([0.02, 0.03, 0.95], (len(pairs), 1))
            return NliOutput(
                rows, np.ones(len(pairs), int), np.zeros((len(pairs), 2), bool), np.zeros(len(pairs), bool)
            )

    def test_a_sentence_of_a_passage_is_supported_beside_any_others(self, make: Make) -> None:
        """Whatever a model says of it, and of hundreds of siblings that say it of other things."""
        siblings = [f"The pump P-{at} delivers {100 + at} litres per minute." for at in range(500)]
        for model in (self.Denies(), None):
            verifier = make(model=model) if model else make()
            answer = " ".join([siblings[7], siblings[123] + " [124]", siblings[499]])
            result = verifier.verify(answer, siblings)
            assert verdicts(result) == [S, S, S] and result.passed
            assert [claim.evidence[0].text for claim in result] == [siblings[7], siblings[123], siblings[499]]
            assert all(claim.probability >= 0.5 for claim in result)
        assert verdicts(make(model=self.Denies()).verify("The pump P-7 delivers 108 litres per minute.", siblings)) == [
            C
        ]

    def test_all_claims_of_such_a_sentence_are(self, make: Make) -> None:
        """A sentence that is split into claims is settled as a whole, with markers and markup or without."""
        passage = "The tower was built in 1889 and has a museum of coffee. It is tall."
        answer = "The tower was built in 1889 and has a **museum** of coffee [1]."
        assert verdicts(make(model=self.Denies()).verify(answer, [passage])) == [S, S]

    def test_a_judge_is_not_asked(self, make: Make) -> None:
        """It is settled."""
        judge = LLMJudge("m", completion=lambda prompt, timeout_s: 1 / 0)
        result = make(model=self.Denies(), judge=judge, band=(0.0, 1.0)).verify(
            "The tower is tall.", ["The tower is tall."]
        )
        assert verdicts(result) == [S] and "escalated" not in result.trace.counts

    def test_in_another_language_nothing_is(self, make: Make) -> None:
        """The rule does not go before the language."""
        text = "Der Turm ist nicht hoch und wird im Mai gebaut."
        assert S not in verdicts(make().verify(text, [text]))

    def test_another_passage_that_denies_it_is_told_of(self, make: Make) -> None:
        """It is supported, with a conflict and with what speaks against it."""
        passages = ["The museum is not closed on Sunday.", "The museum is closed on Sunday."]
        (claim,) = make().verify("The museum is closed on Sunday.", passages).claims
        assert claim.verdict is S and claim.conflict
        assert [evidence.passage for evidence in claim.contradicting] == [0]


class TestManyAnswers:
    def test_many_are_verified_as_one_by_one_in_two_calls(self, make: Make) -> None:
        """`verify_many` gives what `verify` gives, and the model is called twice: for openings, and for the rest."""
        both = "The tower and the museum open on Monday at nine."
        items = [
            (ANSWER, PASSAGES),
            ("", PASSAGES),
            (both, PASSAGES),
            ("It is closed on Sunday.", PASSAGES[1:], "When?"),
        ]
        verifier = make()
        together = verifier.verify_many(items)
        assert len(verifier.nli.calls) == 2  # type: ignore[attr-defined]
        for result, (answer, passages, *question) in zip(together, items, strict=True):
            alone = make().verify(answer, passages, question=question[0] if question else None)
            assert (result.claims, result.text, result.passed) == (alone.claims, alone.text, alone.passed)
        assert verifier.verify_many([]) == []

    @pytest.mark.parametrize(
        ("claim", "together"),
        [("The tower and the museum open on Monday.", True), ("The tower was not built in Paris.", False)],
    )
    def test_two_windows_are_read_together_where_the_second_adds_a_word(
        self, make: Make, claim: str, together: bool
    ) -> None:
        """Where the first window has every word of a claim, another one would add nothing to read."""
        passages = ["The tower was built in Paris.", "The museum opens on Monday."]
        verifier = make()
        verifier.verify(claim, passages)
        premises = [premise for call in verifier.nli.calls for premise, _ in call]  # type: ignore[attr-defined]
        assert ("\n".join(passages) in premises) is together

    def test_only_what_a_second_window_adds_is_read_with_the_first(self, make: Make) -> None:
        """The evidence is both windows, where they stand in their passages, and nothing that is put together."""
        passages = ["The tower opens late.", "Trams stop here. The tower was built in Paris. Cafes are near."]
        verifier = make()
        (claim,) = verifier.verify("The tower built in Paris opens late.", passages).claims
        premises = [premise for call in verifier.nli.calls for premise, _ in call]  # type: ignore[attr-defined]
        assert f"{passages[0]}\nTrams stop here.\nThe tower was built in Paris." in premises
        assert claim.evidence and all(
            each.text == passages[each.passage][each.start : each.end] == passages[each.passage]
            for each in claim.evidence
        )

    @pytest.mark.parametrize("items", [None, 3])
    def test_items_that_are_no_list_are_refused(self, make: Make, items: Any) -> None:
        """The error says what they must be."""
        for call in (make().verify_many, make().signals):
            with pytest.raises(InputError, match=r"items must be .* with their passages, not (NoneType|int)"):
                call(items)

    def test_the_trace_counts(self, make: Make) -> None:
        """Claims of the answer; pairs and tokens, and seconds, of the model."""
        trace = make().verify(ANSWER, PASSAGES).trace
        (nli,) = trace.stages
        assert trace.counts["claims"] == 5 and trace.name == "FactVerifier"
        assert nli.counts["pairs"] == nli.counts["pairs_scored"] == 4 and nli.counts["tokens"] > 100
        assert 0 < nli.latency_s <= trace.latency_s

    def test_it_works_in_a_loop_and_in_threads(self, make: Make) -> None:
        """`averify` and eight threads give what one call gives."""
        verifier = make()
        expected = verifier.verify(ANSWER, PASSAGES).claims

        async def several() -> list[Any]:
            return await asyncio.gather(*(verifier.averify(ANSWER, PASSAGES) for _ in range(4)))

        assert all(result.claims == expected for result in asyncio.run(several()))
        with ThreadPoolExecutor(8) as pool:
            results = list(pool.map(lambda _: verifier.verify(ANSWER, PASSAGES).claims, range(16)))
        assert all(claims == expected for claims in results)
