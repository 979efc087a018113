"""Settings of a training."""

import pytest

from secondpass.errors import ConfigError
from secondpass.learn.training.settings import TrainSettings, preset


def test_presets_follow_the_amount_of_data() -> None:
    """The less data there is, the more often it is seen, and the slower the lower layers learn."""
    small, middle, large = (preset(n) for n in (200, 5_000, 100_000))

    assert (small.epochs, middle.epochs, large.epochs) == (4, 2, 1)
    assert small.layer_decay < middle.layer_decay < large.layer_decay == 1
    assert small.batch < middle.batch < large.batch
    assert preset(200, "embed").batch == 2 * small.batch


def test_settings_as_data() -> None:
    """What is written as plain data is read as the same settings."""
    settings = preset(100, loss="lambda", matryoshka=[16, 8], learning_rate=1e-4)

    assert TrainSettings.of(settings.to_dict()) == settings
    assert settings.matryoshka == (16, 8)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"epochs": 0}, "epochs must be a whole number of at least 1, not 0"),
        ({"learning_rate": "2e-5"}, "learning_rate must be a number"),
        ({"loss": "hinge"}, "loss must be 'auto'"),
        ({"matryoshka": [0]}, "matryoshka.0. must be a whole number of at least 1"),
        ({"query_prefix": None}, "query_prefix must be a text"),
        ({"learning_rat": 1}, "no setting 'learning_rat'.*learning_rate"),
    ],
)
def test_settings_that_cannot_be_used(given: dict[str, object], message: str) -> None:
    """A wrong setting is named, with what it may be."""
    with pytest.raises(ConfigError, match=message):
        preset(10, **given)
