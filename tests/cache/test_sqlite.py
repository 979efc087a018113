"""SQLiteCache among processes, on damaged and locked files, and at its limit."""

import gc
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest

from secondpass.cache import CacheError, SQLiteCache
from secondpass.cache.base import as_cache
from secondpass.cache.pool import _gate
from secondpass.cache.sqlite_file import Connector
from secondpass.composition.cached import CachedReranker
from secondpass.errors import ConfigError
from secondpass.testing import FakeReranker
from secondpass.types import Request, Scores
from tests.forks import exit_status_of_child, needs_fork
from tests.permissions import needs_permissions, open_folder, unprivileged

QUERY = "a file"
DOCUMENTS = ["copy a file", "the weather", "a file is open"]


class NeverAsked(FakeReranker):
    """Passes for a FakeReranker, but has no scores of its own."""

    @property
    def fingerprint(self) -> str:
        return FakeReranker().fingerprint

    def _score(self, requests: list[Request]) -> list[Scores]:  # type: ignore[override]
        raise AssertionError(f"not in the cache: {[request.texts for request in requests]}")


def _run(script: str, *arguments: object) -> "subprocess.Popen[str]":
    command = [sys.executable, "-W", "error", "-c", script, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _integrity(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])


_WRITER = """
import sys
from secondpass.composition.cached import CachedReranker
from secondpass.testing import FakeReranker
path, writer, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
reranker = CachedReranker(FakeReranker(), cache={"type": "sqlite", "path": path, "timeout_s": 60})
for number in range(rounds):
    own = [f"file {writer} {number} {at}" for at in range(20)]
    shared = [f"shared file {number} {at}" for at in range(20)]
    ranking = reranker.rerank("a file", own + shared)
    assert ranking.trace.counts["cache_errors"] == 0, ranking.trace
    expected = FakeReranker().score("a file", own + shared)
    assert all(d.score == expected[d.index] for d in ranking), "a wrong score"
    print(number, flush=True)
"""


def test_four_processes_write_at_once_and_one_is_killed(tmp_path: Path) -> None:
    """No error in any of the others, nothing lost that was acknowledged, and no wrong score."""
    path, rounds = tmp_path / "new" / "cache.sqlite", 40
    writers = [_run(_WRITER, path, writer, 10_000 if writer == 0 else rounds) for writer in range(4)]
    victim = writers[0]
    assert victim.stdout is not None
    acknowledged = [[victim.stdout.readline() for _ in range(10)]]
    victim.send_signal(signal.SIGKILL)
    acknowledged[0] += victim.communicate(timeout=120)[0].splitlines(keepends=True)
    assert victim.returncode == -signal.SIGKILL
    for writer in writers[1:]:
        out, err = writer.communicate(timeout=240)
        assert (writer.returncode, err) == (0, "")
        acknowledged.append(out.splitlines(keepends=True))
    assert [len(lines) for lines in acknowledged[1:]] == [rounds] * 3

    reader = CachedReranker(NeverAsked(), cache=SQLiteCache(path))
    for writer, lines in enumerate(acknowledged):
        for number in (int(line) for line in lines if line.endswith("\n")):
            documents = [f"file {writer} {number} {at}" for at in range(20)]
            documents += [f"shared file {number} {at}" for at in range(20)]
            assert reader.score(QUERY, documents).tolist() == FakeReranker().score(QUERY, documents).tolist()
    assert reader.stats().errors == 0
    assert _integrity(path) == "ok"


_FORKER = """
import os, sys, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # numpy has threads, none of which is ours
from secondpass.cache import SQLiteCache
cache = SQLiteCache(sys.argv[1], timeout_s=60)
cache.set_many({b"before": b"1"})
if sys.argv[2] == "lent":
    lending = cache._pool.lend()
    lending.__enter__()
cache._pool._lock.acquire()  # as another thread would, at the moment of the fork
child = os.fork()
if child == 0:
    assert not cache._pool._idle and not cache._pool._lent, "an inherited connection"
    assert cache.get_many([b"before"]) == {b"before": b"1"}
    cache.set_many({b"child": b"2"})
    sys.exit(0)  # the interpreter ends as usual, with all that it cleans up
cache._pool._lock.release()
for number in range(50):
    cache.set_many({b"parent%d" % number: b"3"})
_, status = os.waitpid(child, 0)
assert status == 0, status
assert len(cache.get_many([b"before", b"child", b"parent49"])) == 3
print(cache.size())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
@pytest.mark.parametrize("state", ["idle", "lent"])
def test_it_survives_a_fork(tmp_path: Path, state: str) -> None:
    """Parent and child use the cache at once after a fork, each with connections of its own."""
    forker = _run(_FORKER, tmp_path / "cache.sqlite", state)
    assert forker.communicate(timeout=120) == ("52\n", "")
    assert forker.returncode == 0
    assert _integrity(tmp_path / "cache.sqlite") == "ok"


class TestDamage:
    @pytest.mark.parametrize(
        "contents", [b"no database at all, but long enough " * 10, b"SQLite format 3\0" + b"\xff" * 4096]
    )
    def test_a_file_that_is_no_database_is_bypassed(self, tmp_path: Path, contents: bytes) -> None:
        """The scores are there, the trace says why it was slow, and the file is left as it was."""
        path = tmp_path / "cache.sqlite"
        path.write_bytes(contents)
        self._assert_bypassed(SQLiteCache(path))
        assert path.read_bytes() == contents

    def test_a_damaged_database_gives_no_wrong_score(self, tmp_path: Path) -> None:
        """With noise over its pages every score is right, be it from the cache or computed."""
        path = tmp_path / "cache.sqlite"
        documents = [f"file number {number}" for number in range(500)]
        cache = SQLiteCache(path)
        CachedReranker(FakeReranker(), cache=cache).score(QUERY, documents)
        cache.close()
        pristine = path.read_bytes()
        expected = FakeReranker().score(QUERY, documents).tolist()
        bypassed = 0
        for page in range(1, len(pristine) // 4096):
            damaged = bytearray(pristine)
            damaged[page * 4096 + 100 : (page + 1) * 4096 - 100] = bytes(range(256)) * 15 + bytes(56)
            path.write_bytes(damaged)
            damaged_cache = SQLiteCache(path)
            ranking = CachedReranker(FakeReranker(), cache=damaged_cache).rerank(QUERY, documents)
            assert [d.score for d in sorted(ranking, key=lambda d: d.index)] == expected
            bypassed += ranking.trace.counts["cache_errors"]
            damaged_cache.close()
            for rest in tmp_path.glob("cache.sqlite-*"):
                rest.unlink()
        assert bypassed

    def test_a_bit_that_flipped_is_a_miss(self, tmp_path: Path) -> None:
        """SQLite does not notice, but the checksum does; the entry is computed and written again."""
        path = tmp_path / "cache.sqlite"
        reranker = CachedReranker(FakeReranker(), cache=SQLiteCache(path))
        expected = reranker.score(QUERY, DOCUMENTS).tolist()
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("UPDATE entries SET value = CAST(substr(value, 1, 12) || x'00' AS BLOB)")
        ranking = reranker.rerank(QUERY, DOCUMENTS)
        assert [d.score for d in sorted(ranking, key=lambda d: d.index)] == expected
        assert ranking.trace.counts == {"cache_hits": 0, "cache_misses": 3, "cache_errors": 3}
        assert reranker.rerank(QUERY, DOCUMENTS).trace.counts["cache_hits"] == 3

    def test_a_database_of_someone_else_is_not_touched(self, tmp_path: Path) -> None:
        """Nor is one of another version; the message says what to do."""
        path = tmp_path / "other.sqlite"
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("CREATE TABLE precious (x)")
        before = path.read_bytes()
        with pytest.raises(CacheError, match=r"other.sqlite is not a cache of this version.*choose another path"):
            SQLiteCache(path).set_many({b"1": b"1"})
        assert path.read_bytes() == before
        ours = tmp_path / "cache.sqlite"
        SQLiteCache(ours).set_many({b"1": b"1"})
        with closing(sqlite3.connect(ours)) as connection, connection:
            connection.execute("PRAGMA user_version = 99")
        with pytest.raises(CacheError, match="not a cache of this version"):
            SQLiteCache(ours).size()

    def test_a_path_that_can_not_be_opened_is_bypassed(self, tmp_path: Path) -> None:
        """A folder in the file's place, or a file in the folder's."""
        (tmp_path / "file").write_text("")
        for path in (tmp_path, tmp_path / "file" / "cache.sqlite"):
            self._assert_bypassed(SQLiteCache(path))

    def _assert_bypassed(self, cache: SQLiteCache) -> None:
        ranking = CachedReranker(FakeReranker(), cache=cache).rerank(QUERY, DOCUMENTS)
        assert [d.score for d in ranking] == [d.score for d in FakeReranker().rerank(QUERY, DOCUMENTS)]
        assert ranking.trace.counts == {"cache_hits": 0, "cache_misses": 3, "cache_errors": 1}
        assert "the cache could not be read: CacheError: SQLiteCache(" in ranking.trace.notes[0]
        with pytest.raises(CacheError, match="SQLiteCache"):
            cache.clear()


def test_a_locked_database_is_read_but_not_written(tmp_path: Path) -> None:
    """While another process holds the write lock there are hits; new scores are computed and not kept."""
    path = tmp_path / "cache.sqlite"
    reranker = CachedReranker(FakeReranker(), cache=SQLiteCache(path, timeout_s=0.05), retry_after_s=1e-9)
    reranker.score(QUERY, DOCUMENTS[:2])
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        ranking = reranker.rerank(QUERY, DOCUMENTS)
        assert ranking.trace.counts == {"cache_hits": 2, "cache_misses": 1, "cache_errors": 1}
        assert "database is locked" in ranking.trace.notes[0]
        other.execute("ROLLBACK")
    assert reranker.rerank(QUERY, DOCUMENTS).trace.counts["cache_errors"] == 0
    assert reranker.rerank(QUERY, DOCUMENTS).trace.counts["cache_hits"] == 3


@needs_permissions
def test_a_read_only_file_is_read_but_not_written() -> None:
    """Hits come from a file that may not be written; what is new is computed."""
    with open_folder() as folder:
        path = folder / "cache.sqlite"
        with unprivileged():
            cache = SQLiteCache(path)
            CachedReranker(FakeReranker(), cache=cache).score(QUERY, DOCUMENTS[:2])
            path.chmod(0o400)
            for rest in folder.glob("cache.sqlite-*"):
                rest.chmod(0o400)
            read_only = SQLiteCache(path)
            ranking = CachedReranker(FakeReranker(), cache=read_only).rerank(QUERY, DOCUMENTS)
            read_only.close()
            cache.close()
    assert ranking.trace.counts == {"cache_hits": 2, "cache_misses": 1, "cache_errors": 1}
    assert "readonly" in ranking.trace.notes[0]


class TestLimit:
    def test_the_file_stays_within_it(self, tmp_path: Path) -> None:
        """However much is written; what was written last is there."""
        cache = SQLiteCache(tmp_path / "cache.sqlite", max_bytes=300_000)
        for number in range(60):
            cache.set_many({b"%d %d" % (number, at): bytes(200) for at in range(50)})
            assert cache.nbytes <= 300_000
        assert set(cache.get_many([b"59 %d" % at for at in range(50)])) == {b"59 %d" % at for at in range(50)}
        assert 200 < cache.size() < 1_500
        cache.close()
        assert (tmp_path / "cache.sqlite").stat().st_size < 450_000

    def test_the_least_recently_used_goes_first(self, tmp_path: Path) -> None:
        """Entries that are read again and again outlive younger ones that are not."""
        now = [0.0]
        cache = SQLiteCache(tmp_path / "cache.sqlite", max_bytes=200_000, clock=lambda: now[0])
        popular = [b"popular %d" % at for at in range(20)]
        cache.set_many(dict.fromkeys(popular, bytes(200)))
        for number in range(60):
            now[0] += 1
            cache.set_many({b"%d %d" % (number, at): bytes(200) for at in range(20)})
            assert set(cache.get_many(popular)) == set(popular)
        assert cache.get_many([b"0 0", b"1 1"]) == {}

    def test_one_huge_write_ends_within_it(self, tmp_path: Path) -> None:
        """More at once than there is room for is not an error."""
        cache = SQLiteCache(tmp_path / "cache.sqlite", max_bytes=200_000)
        cache.set_many({b"%d" % at: bytes(1_000) for at in range(3_000)})
        assert 0 < cache.nbytes <= 200_000

    def test_expired_entries_are_removed(self, tmp_path: Path) -> None:
        """Not only hidden: the next write takes them away."""
        now = [0.0]
        cache = SQLiteCache(tmp_path / "cache.sqlite", ttl_s=10, clock=lambda: now[0])
        cache.set_many({b"%d" % at: b"" for at in range(100)})
        now[0] = 10
        assert cache.size() == 100 and cache.get_many([b"1"]) == {}
        cache.set_many({b"new": b""})
        assert cache.size() == 1

    def test_expired_entries_are_looked_for_now_and_then(self, tmp_path: Path) -> None:
        """Not with every write: what expires soon after such a look stays in the file until the next one is due."""
        path, now, left = tmp_path / "scores.sqlite", [0.0], []
        cache = SQLiteCache(path, ttl_s=10, clock=lambda: now[0])
        for now[0], key in ((0.0, b"a"), (1.0, b"b"), (10.5, b"c"), (12.0, b"d"), (21.0, b"e")):
            cache.set_many({key: b"1"})
            with closing(sqlite3.connect(path)) as connection:
                left.append(b"".join(key for (key,) in connection.execute("SELECT key FROM entries ORDER BY key")))
        assert left == [b"a", b"ab", b"bc", b"bcd", b"de"]

    def test_many_expired_entries_are_removed_by_several_writes(self, tmp_path: Path) -> None:
        """A thousand with each, so that nobody waits for long; as long as there are more, every write goes on."""
        now = [0.0]
        cache = SQLiteCache(tmp_path / "cache.sqlite", ttl_s=10, clock=lambda: now[0])
        cache.set_many({b"%d" % at: b"" for at in range(2_500)})
        now[0], sizes = 10.0, []
        for key in (b"a", b"b", b"c"):
            cache.set_many({key: b""})
            sizes.append(cache.size())
        assert sizes == [1_501, 502, 3]

    def test_just_as_many_expired_entries_as_are_removed_at_once(self, tmp_path: Path) -> None:
        """There may be more of them, so the next write looks again."""
        now = [0.0]
        cache = SQLiteCache(tmp_path / "cache.sqlite", ttl_s=100, clock=lambda: now[0])
        cache.set_many({b"%d" % at: b"" for at in range(1_000)})
        now[0] = 1.0
        cache.set_many({b"younger": b""})
        now[0] = 100.0
        cache.set_many({b"a": b""})
        now[0] = 101.0
        cache.set_many({b"b": b""})
        assert set(cache.get_many([b"younger", b"a", b"b"])) == {b"a", b"b"} and cache.size() == 2

    def test_a_file_far_beyond_it_shrinks_step_by_step(self, tmp_path: Path) -> None:
        """A process with a lower limit evicts a thousand entries with each write, or four for each new one."""
        path = tmp_path / "cache.sqlite"
        SQLiteCache(path).set_many({b"%d" % at: bytes(300) for at in range(5_000)})
        cache, sizes = SQLiteCache(path, max_bytes=200_000), []
        for new in (1, 1, 400):
            cache.set_many({b"new %d" % at: bytes(300) for at in range(new)})
            sizes.append(cache.size())
        assert sizes == [4_001, 3_001, 3_001 + 399 - 1_600]

    def test_clearing_makes_the_file_small(self, tmp_path: Path) -> None:
        """What was removed is not in the file any more."""
        path = tmp_path / "cache.sqlite"
        cache = SQLiteCache(path)
        cache.set_many({b"%d" % at: b"secret " * 100 for at in range(1_000)})
        assert cache.clear() == 1_000
        cache.close()
        assert path.stat().st_size < 50_000

    def test_what_was_read_is_not_noted_without_end(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A process that only reads keeps a bounded number of keys in mind."""
        monkeypatch.setattr("secondpass.cache.sqlite._MAX_TOUCHED", 10)
        cache = SQLiteCache(tmp_path / "cache.sqlite")
        cache.set_many({b"%d" % at: b"" for at in range(100)})
        for at in range(100):
            cache.get_many([b"%d" % at])
        assert len(cache._touched) == 10


class TestFile:
    def test_only_its_owner_can_read_it(self, tmp_path: Path) -> None:
        """The file, and the log beside it."""
        cache = SQLiteCache(tmp_path / "a" / "b" / "cache.sqlite")
        cache.set_many({b"1": b"1"})
        modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "a" / "b").iterdir()}
        assert modes["cache.sqlite"] == modes["cache.sqlite-wal"] == 0o600

    def test_its_schema_is_not_trusted(self, tmp_path: Path) -> None:
        """A hostile file can't run functions of SQLite by its schema, and the sizes of its cells are checked."""
        with closing(Connector(tmp_path / "scores.sqlite", 1.0)()) as connection:
            settings = [
                connection.execute(f"PRAGMA {name}").fetchone() for name in ("trusted_schema", "cell_size_check")
            ]
        assert settings == [(0,), (1,)]

    def test_it_is_quick_and_its_log_bounded(self, tmp_path: Path) -> None:
        """In WAL mode, without waiting for the disk with each write, and with a log that is cut after it has grown."""
        names = ("journal_mode", "synchronous", "journal_size_limit", "auto_vacuum")
        with closing(Connector(tmp_path / "scores.sqlite", 1.0)()) as connection:
            settings = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names]
        assert settings == ["wal", 1, 16_000_000, 2]

    def test_opening_is_tried_again_while_another_process_makes_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What the failed attempt had begun is undone first; any other error is raised at once."""
        prepare, states = Connector._prepare, []

        def fail(connection: sqlite3.Connection, code: int) -> None:
            error = sqlite3.OperationalError("on purpose")
            error.sqlite_errorcode = code
            states.append(connection.in_transaction)
            connection.execute("BEGIN IMMEDIATE")
            raise error

        def busy_twice(connector: Connector, connection: sqlite3.Connection) -> None:
            if len(states) < 2:
                fail(connection, sqlite3.SQLITE_BUSY | 2 << 8)  # one of its kinds
            prepare(connector, connection)

        monkeypatch.setattr(Connector, "_prepare", busy_twice)
        Connector(tmp_path / "a.sqlite", 30.0)().close()
        assert states == [False, False]
        monkeypatch.setattr(Connector, "_prepare", lambda _, connection: fail(connection, sqlite3.SQLITE_READONLY))
        with pytest.raises(sqlite3.OperationalError, match="on purpose"):
            Connector(tmp_path / "b.sqlite", 30.0)()
        assert len(states) == 3
        monkeypatch.setattr(Connector, "_prepare", lambda _, connection: fail(connection, sqlite3.SQLITE_BUSY))
        with pytest.raises(sqlite3.OperationalError, match="on purpose"):
            Connector(tmp_path / "c.sqlite", 0.02)()
        assert len(states) > 4

    def test_nobody_needs_to_close_it(self, tmp_path: Path) -> None:
        """Its connections are closed when it is no longer used."""
        cache = SQLiteCache(tmp_path / "cache.sqlite")
        cache.set_many({b"1": b"1"})
        pool = cache._pool
        assert len(pool._idle) == 1
        del cache
        gc.collect()
        assert pool._idle == []

    def test_what_an_error_left_behind_is_not_used_again(self, tmp_path: Path) -> None:
        """The connection is closed, which undoes what was begun, so that others can write."""
        cache = SQLiteCache(tmp_path / "cache.sqlite", timeout_s=0.1)
        cache.set_many({b"1": b"1"})
        with suppress(KeyError), cache._pool.lend() as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("DELETE FROM entries")
            raise KeyError
        assert cache._pool._idle == [] and not cache._pool._lent
        cache.set_many({b"2": b"2"})
        assert cache.size() == 2

    def test_it_has_a_default_place(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """In the folder of all that may be thrown away."""
        monkeypatch.setenv("SECONDPASS_CACHE_DIR", str(tmp_path))
        cache = as_cache("sqlite")
        cache.set_many({b"1": b"1"})
        assert (tmp_path / "scores" / "scores.sqlite").exists()
        assert cache.to_config()["path"] is None

    def test_connections_are_not_hoarded(self, tmp_path: Path) -> None:
        """Twenty threads at once leave eight connections open, and closing the cache none."""
        cache = SQLiteCache(tmp_path / "cache.sqlite", timeout_s=30)
        cache.set_many({b"1": b"1"})
        barrier = threading.Barrier(20, timeout=60)

        def hold() -> None:
            with cache._pool.lend():
                barrier.wait()

        threads = [threading.Thread(target=hold) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert len(cache._pool._idle) == 8 and not cache._pool._lent
        cache.close()
        assert not cache._pool._idle
        assert not list(tmp_path.glob("*-wal"))  # SQLite removes it with the last connection


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"path": ":memory:"}, "needs the path of a file"),
        ({"path": 5}, "path must be the path of a file, or None, not 5"),
        ({"path": b"scores.sqlite"}, "path must be the path of a file"),
        ({"path": ""}, "needs the path of a file"),
        ({"max_bytes": 1000}, "max_bytes must be a whole number of bytes, at least 200000"),
        ({"max_bytes": 199_999}, "at least 200000"),
        ({"clock": 3}, "clock must be a function"),
        ({"timeout_s": 0}, "timeout_s must be a number of seconds above 0"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, object], message: str) -> None:
    """When the cache is built, not when it is used."""
    with pytest.raises(ConfigError, match=message):
        SQLiteCache(**settings)  # type: ignore[arg-type]


@needs_fork
def test_a_fork_waits_until_no_thread_is_within_sqlite(tmp_path: Path) -> None:
    """A thread there may hold one of SQLite's own locks, which nobody would release in the child."""
    cache, entered, left = SQLiteCache(tmp_path / "cache.sqlite"), threading.Event(), threading.Event()

    def hold() -> None:
        with cache._pool.lend():
            entered.set()
            time.sleep(0.2)
            left.set()

    def in_child() -> None:
        assert left.is_set()
        cache.set_many({b"key": b"value"})
        assert cache.get_many([b"key"]) == {b"key": b"value"}

    thread = threading.Thread(target=hold)
    thread.start()
    assert entered.wait(30)
    assert exit_status_of_child(in_child) == 0
    thread.join()
    assert cache.get_many([b"key"]) == {b"key": b"value"}


@needs_fork
def test_a_thread_within_sqlite_may_go_on_while_a_fork_waits_for_it(tmp_path: Path) -> None:
    """Another statement of the same thread is let in, as the fork waits for its end; other threads are not."""
    cache, entered, left = SQLiteCache(tmp_path / "cache.sqlite"), threading.Event(), threading.Event()
    cache.set_many({b"key": b"value"})
    others: list[threading.Thread] = []

    def other() -> None:
        cache.get_many([b"key"])
        assert left.is_set()

    def hold() -> None:
        with cache._pool.lend():
            entered.set()
            while not _gate._forks:
                time.sleep(0.001)
            others.append(threading.Thread(target=other))
            others[0].start()
            assert cache.get_many([b"key"]) == {b"key": b"value"}
            time.sleep(0.1)
            left.set()

    thread = threading.Thread(target=hold)
    thread.start()
    assert entered.wait(30)

    def in_child() -> None:
        assert left.is_set()  # else it was the fork whose patience ended
        assert cache.get_many([b"key"]) == {b"key": b"value"}

    assert exit_status_of_child(in_child) == 0
    for each in (thread, *others):
        each.join(30)
    assert _gate._forks == 0 and not _gate._within
