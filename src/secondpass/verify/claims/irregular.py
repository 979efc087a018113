"""Irregular verbs of English."""

import re

__all__ = ["PARTICIPLES", "PAST", "PAST_ONLY", "PAST_OR_PARTICIPLE", "UNCHANGED", "VERBS"]

# The verb, its past, and its participle where that is another form.
_FORMS: list[tuple[str, str, str]] = re.findall(
    r"(\w+)-(\w+)(?:-(\w+))?",
    "arise-arose-arisen be-was-been bear-bore-born beat-beat-beaten become-became-become begin-began-begun "
    "bite-bit-bitten blow-blew-blown break-broke-broken bring-brought build-built buy-bought catch-caught "
    "choose-chose-chosen come-came-come cost-cost cut-cut do-did-done draw-drew-drawn drink-drank-drunk "
    "drive-drove-driven eat-ate-eaten fall-fell-fallen feed-fed feel-felt fight-fought find-found fly-flew-flown "
    "forget-forgot-forgotten forgive-forgave-forgiven freeze-froze-frozen get-got give-gave-given go-went-gone "
    "grow-grew-grown have-had hear-heard hide-hid-hidden hit-hit hold-held keep-kept know-knew-known lay-laid "
    "lead-led leave-left lend-lent let-let lie-lay-lain lose-lost make-made mean-meant meet-met pay-paid put-put "
    "read-read ride-rode-ridden ring-rang-rung rise-rose-risen run-ran-run say-said see-saw-seen seek-sought "
    "sell-sold send-sent set-set shake-shook-shaken show-showed-shown shut-shut sing-sang-sung sink-sank-sunk "
    "sleep-slept speak-spoke-spoken spend-spent stand-stood steal-stole-stolen strike-struck swear-swore-sworn "
    "swim-swam-swum take-took-taken teach-taught tear-tore-torn tell-told think-thought throw-threw-thrown "
    "undertake-undertook-undertaken understand-understood wear-wore-worn win-won withdraw-withdrew-withdrawn "
    "write-wrote-written",
)

PAST = {verb: past for verb, past, _ in _FORMS}
"""The past tense of each."""

PAST_ONLY = frozenset(
    past for verb, past, participle in _FORMS if participle and past != verb and not past.endswith("ed")
)
"""Past tenses that are not participles as well."""

PAST_OR_PARTICIPLE = frozenset(past for verb, past, participle in _FORMS if not participle and past != verb)
"""Past tenses that are participles as well."""

PARTICIPLES = frozenset(participle or past for verb, past, participle in _FORMS if (participle or past) != verb)
"""Participles that are not the verb itself, as that of "cut" is."""

VERBS = {form: verb for verb, *forms in _FORMS for form in forms if form}
"""The verb of each past and participle."""

UNCHANGED = frozenset(verb for verb, past, participle in _FORMS if past == verb and not participle)
"""Verbs that have one form for all: "cut"."""
