"""The packages of the Haystack adapters."""

import sys
from typing import Any

import pytest

from haystack_integrations.components.rankers.secondpass import SecondPassRanker
from haystack_integrations.components.validators.secondpass import SecondPassSufficiencyRouter
from secondpass.errors import MissingExtraError


@pytest.mark.parametrize("adapter", [SecondPassRanker, SecondPassSufficiencyRouter])
def test_without_haystack_the_error_says_what_to_install(adapter: type[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Importing the adapter where haystack is missing gives the command that installs it."""
    package = adapter.__module__.rpartition(".")[0]
    monkeypatch.setitem(sys.modules, "haystack", None)  # makes its import fail
    for name in [name for name in sys.modules if name.startswith(package)]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(MissingExtraError, match=r'pip install "secondpass\[haystack\]"') as caught:
        __import__(package)
    assert isinstance(caught.value.__cause__, ImportError)
