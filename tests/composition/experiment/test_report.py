"""The numbers of an experiment: by hand, under repeated looks, and from several processes."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

import secondpass as sp
from secondpass.composition import Outcomes
from secondpass.composition.experiment.sequential import half_width, mixing_variance, p_value
from secondpass.errors import SecondPassWarning
from secondpass.testing import FakeReranker

_SHARES = "control 50, treatment 50"


def _test(name: str = "experiment", **settings: object) -> sp.ABTestReranker:
    return sp.ABTestReranker({"control": FakeReranker(), "treatment": FakeReranker()}, name=name, **settings)  # type: ignore[arg-type]


def test_interval_and_p_agree_and_are_those_of_the_paper() -> None:
    """The p is alpha where the interval touches 0; both by the formulas of Johari et al. (2022), written out."""
    variance, alpha = 0.04, 0.05
    mixing = mixing_variance(0.01, alpha)
    half = half_width(variance, mixing, alpha)
    assert p_value(half, variance, mixing) == pytest.approx(alpha)
    ratio = math.sqrt(variance / (variance + mixing))
    likelihood = ratio * math.exp(mixing * 0.7**2 / (2 * variance * (variance + mixing)))
    assert p_value(0.7, variance, mixing) == pytest.approx(1 / likelihood)
    assert p_value(0.0, variance, mixing) == 1.0 and p_value(1.0, 0.0, mixing) == 1.0
    assert half_width(0.0, mixing, alpha) == 0.0


def test_the_mixture_is_narrowest_where_it_was_planned() -> None:
    """In standard errors, no other mixture is narrower by more than a percent."""
    planned = half_width(0.01, mixing_variance(0.01, 0.05), 0.05)
    others = [half_width(0.01, mixing_variance(0.01 * factor, 0.05), 0.05) for factor in (0.1, 0.5, 2, 10)]
    assert all(planned <= 1.01 * other for other in others) and max(others) > 1.1 * planned


def test_the_report_by_hand() -> None:
    """Units count once, with their mean; the difference is that of the means; the text says it all."""
    test = _test()
    arms: dict[str, list[str]] = {"control": [], "treatment": []}
    for at in range(1_000):
        arms[test.arm_of(f"user {at}")].append(f"user {at}")
    for arm, units in arms.items():
        for at, unit in enumerate(units):
            for value in ((0, 1) if at % 2 else (0, 0)) if arm == "control" else (1, 1, 1):
                assert test.record("clicked", value, unit=unit) == arm
    report = test.report("clicked")
    control, treatment = report.arms
    assert control.units + treatment.units == 1_000 and control.mean == pytest.approx(0.25, abs=0.001)
    assert treatment.mean == 1 and control.low is not None and control.low < 0.25 < (control.high or 0)
    (compared,) = report.comparisons
    assert compared.difference == pytest.approx(0.75, abs=0.001) and compared.verdict == "higher" and report.decided
    assert compared.low is not None and compared.low > 0.5 and compared.p < 1e-6
    assert "treatment against the control: +0.75" in repr(report) and repr(report).endswith("higher")
    assert json.loads(json.dumps(report.to_dict()))["shares"] == _SHARES


def test_few_units_say_nothing() -> None:
    """Below a hundred in an arm there is a mean, and no verdict; what was not recorded is named."""
    test = _test()
    for at in range(60):
        test.record("clicked", float(test.arm_of(f"user {at}") == "treatment"), unit=f"user {at}")
    (compared,) = test.report("clicked").comparisons
    assert compared.difference == 1 and compared.low is None and compared.p == 1 and compared.verdict == "undecided"
    with pytest.raises(sp.InputError, match=r"no value of 'bought' was recorded .* recorded was: clicked"):
        test.report("bought")
    with pytest.raises(sp.ConfigError, match="report needs a metric: clicked"):
        test.report()


@pytest.mark.slow
def test_without_a_difference_daily_looks_stop_few_of_a_thousand_experiments() -> None:
    """At most 5 % of 1,000 experiments of 14 days stop for significance, though each day is looked at.

    A fixed-horizon test that stops at the first p below .05 does so in a fifth of them.
    """
    days, a_day = 14, 50
    stopped = naive = 0
    for seed in range(1_000):
        random = np.random.default_rng(seed)
        test = _test(f"run {seed}")
        values = random.random(days * a_day) < 0.1
        decided = fooled = False
        for day in range(days):
            for at in range(day * a_day, (day + 1) * a_day):
                test.record("clicked", float(values[at]), unit=str(at))
            decided |= test.report("clicked", planned_units=days * a_day).decided
            first, second = (test.outcomes.values(_SHARES, "clicked", arm) for arm in ("control", "treatment"))
            error = math.sqrt(first.var() / len(first) + second.var() / len(second))
            fooled |= bool(abs(first.mean() - second.mean()) > 1.96 * error)
        stopped, naive = stopped + decided, naive + fooled
    assert stopped <= 50
    assert naive >= 150


def test_a_difference_is_found() -> None:
    """Most experiments whose treatment is clicked on twice as often stop, and none for the wrong side."""
    verdicts = []
    for seed in range(20):
        random = np.random.default_rng(seed)
        test = _test(f"run {seed}")
        for at in range(2_000):
            rate = 0.2 if test.arm_of(str(at)) == "treatment" else 0.1
            test.record("clicked", float(random.random() < rate), unit=str(at))
        verdicts.append(test.report("clicked", planned_units=2_000).comparisons[0].verdict)
    assert verdicts.count("higher") >= 15 and "lower" not in verdicts


def test_clicks_on_interleaved_rankings_decide() -> None:
    """Where two of three units prefer the treatment, the share is above 0; and where none does, it is not."""
    arms = {"control": FakeReranker(), "treatment": FakeReranker()}
    test = sp.ABTestReranker(arms, mode="interleave")
    for at in range(600):
        test.record_clicks(["control" if at % 3 == 0 else "treatment"], unit=str(at))
    report = test.report()
    (compared,) = report.comparisons
    assert compared.difference == pytest.approx(1 / 3) and compared.verdict == "higher"
    fair = sp.ABTestReranker(arms, mode="interleave")
    for at in range(600):
        fair.record_clicks(["control" if at % 2 else "treatment"], unit=str(at))
    assert fair.report().comparisons[0].verdict == "undecided"


def test_what_was_seen_under_other_shares_is_kept_apart(tmp_path: Path) -> None:
    """A ramp would else compare units of last week with those of today; a rollback leaves the report as it was."""
    plan = tmp_path / "plan.json"
    plan.write_text('{"weights": {"control": 90, "treatment": 10}}', encoding="utf-8")
    test = _test(plan=plan, check_every_s=0)
    test.record("clicked", 1.0, unit="a")
    plan.write_text('{"weights": {"control": 50, "treatment": 50}}', encoding="utf-8")
    test.record("clicked", 0.0, unit="a")
    assert test.report("clicked").shares == _SHARES
    assert sum(arm.units for arm in test.report("clicked").arms) == 1
    plan.write_text('{"weights": {"control": 50, "treatment": 50}, "rollback": true}', encoding="utf-8")
    assert test.record("clicked", 1.0, unit="b") == "control"
    assert sum(arm.units for arm in test.report("clicked").arms) == 1


def test_outcomes_of_several_processes_add_up(tmp_path: Path) -> None:
    """A unit that two of them saw has one mean; no unit's name is in the file."""
    files = [tmp_path / "a.json", tmp_path / "b.json"]
    for file, value in zip(files, (0.0, 1.0), strict=True):
        test = _test()
        test.record("clicked", value, unit="the one user")
        test.record("clicked", 1.0, unit=file.name)
        test.outcomes.save(file)
        assert "the one user" not in file.read_text(encoding="utf-8")
    merged = Outcomes.merged(Outcomes.load(file) for file in files)
    values = np.concatenate([merged.values(_SHARES, "clicked", arm) for arm in ("control", "treatment")])
    assert sorted(values.tolist()) == [0.5, 1.0, 1.0]
    test = _test()
    test.outcomes = merged
    assert sum(arm.units for arm in test.report("clicked").arms) == 3
    counted = '{"format": 1, "dropped": 0, "units": [["s", "m", "a", {"x": [%s, 1.0]}]]}'
    for content in ('{"format": 2}', counted % 0, counted % -1, counted % "NaN", "[" * 100_000):
        files[0].write_text(content, encoding="utf-8")
        with pytest.raises(sp.InputError, match="holds no outcomes of an experiment"):
            Outcomes.load(files[0])


@pytest.mark.parametrize("path", ["", "a\0b", "no/such/folder.json", "."])
def test_where_no_outcomes_can_be_written_is_an_error_of_ours(path: str, tmp_path: Path) -> None:
    """And nothing is left behind."""
    target = path and str(tmp_path / path)
    with pytest.raises(sp.InputError, match="can't be written"):
        Outcomes().save(target)
    assert list(tmp_path.iterdir()) == []


def test_memory_is_bounded_and_it_is_said() -> None:
    """Further units are dropped, known ones are not; there is one warning."""
    outcomes = Outcomes(max_units=2)
    outcomes.add("s", "m", "a", "1", 1.0)
    outcomes.add("s", "m", "a", "2", 1.0)
    with pytest.warns(SecondPassWarning, match="no room for more than 2 units"):
        outcomes.add("s", "m", "a", "3", 1.0)
    outcomes.add("s", "m", "a", "4", 1.0)  # a second warning would be an error
    outcomes.add("s", "m", "a", "1", 3.0)
    assert outcomes.dropped == 2 and outcomes.values("s", "m", "a").tolist() == [2.0, 1.0]
    with pytest.raises(sp.InputError, match="the value of 'm' must be a finite number"):
        outcomes.add("s", "m", "a", "1", math.nan)
