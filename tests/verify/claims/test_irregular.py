"""Irregular verbs."""

from secondpass.verify.claims.irregular import PARTICIPLES, PAST, PAST_ONLY, PAST_OR_PARTICIPLE, UNCHANGED


def test_forms_of_verbs() -> None:
    """A verb has a past, and a participle that is the same, another one, or the verb itself."""
    assert [PAST[verb] for verb in ("write", "buy", "run", "cut")] == ["wrote", "bought", "ran", "cut"]
    assert {"wrote", "ran"} <= PAST_ONLY and "bought" in PAST_OR_PARTICIPLE
    assert {"written", "bought"} <= PARTICIPLES and "cut" in UNCHANGED
    assert PARTICIPLES.isdisjoint({"run", "cut", "wrote"}) and PAST_ONLY.isdisjoint(PAST_OR_PARTICIPLE)
