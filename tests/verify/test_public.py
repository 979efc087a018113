"""The public names of the package."""

import secondpass.verify


def test_public_names_are_there() -> None:
    """Each exported name can be imported, and nothing else is listed."""
    assert dir(secondpass.verify) == sorted(secondpass.verify.__all__)
    for name in secondpass.verify.__all__:
        assert getattr(secondpass.verify, name) is not None
    assert set(secondpass.verify._LAZY) == set(secondpass.verify.__all__)
