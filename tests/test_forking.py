"""What happens in a child process right after a fork."""

import gc
from threading import Lock

from secondpass.forking import reset_after_fork
from tests.forks import exit_status_of_child, needs_fork

pytestmark = needs_fork


class _Owner:
    def __init__(self) -> None:
        self.renew()
        reset_after_fork(self, _Owner.renew)

    def renew(self) -> None:
        self.lock = Lock()


def test_a_lock_that_was_held_is_free_in_the_child() -> None:
    """The child's lock is another one, and the parent's stays taken."""
    owner = _Owner()
    with owner.lock:
        assert exit_status_of_child(lambda: _require(owner.lock.acquire(timeout=30))) == 0
        assert owner.lock.locked()


def test_an_owner_that_is_gone_is_not_reset() -> None:
    """Nothing is kept alive for the sake of a fork."""
    renewed: list[str] = []
    kept, gone = _Owner(), _Owner()
    reset_after_fork(kept, lambda _: renewed.append("kept"))
    reset_after_fork(gone, lambda _: renewed.append("gone"))
    del gone
    gc.collect()
    assert exit_status_of_child(lambda: _require(renewed == ["kept"])) == 0
    assert renewed == []


def _require(condition: bool) -> None:
    assert condition
