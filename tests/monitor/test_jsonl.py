"""Events in files: lines, rotation, processes, and reading them back."""

import os
import stat
from pathlib import Path

import pytest

from secondpass.errors import ConfigError, InputError, SecondPassWarning
from secondpass.monitor import JSONLinesSink, ScoreDriftRule, read_events
from tests.monitor.events import event


def test_each_event_is_a_line_that_can_be_read_back(tmp_path: Path) -> None:
    """After the file was closed as well, and only by its owner."""
    path = tmp_path / "events.jsonl"
    sink = JSONLinesSink(path)
    written = [event(latency_s=at / 10) for at in range(3)]
    for each in written[:2]:
        sink(each)
    sink.close()
    sink(written[2])
    sink.close()
    assert list(read_events(path)) == written
    assert path.read_text().count("\n") == 3
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(("backups", "names"), [(2, ["e", "e.1", "e.2"]), (0, ["e"]), (1, ["e", "e.1"])])
def test_files_are_rotated_before_they_get_too_large(tmp_path: Path, backups: int, names: list[str]) -> None:
    """No line is cut, the newest are in the file itself, and the oldest files go."""
    length = len(JSONLinesSinkLine.of(tmp_path))
    sink = JSONLinesSink(tmp_path / "e", max_bytes=2 * length, backups=backups)
    for at in range(9):
        sink(event(candidates=at))
    sink.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    kept = [each.candidates for name in reversed(names) for each in read_events(tmp_path / name)]
    assert kept == list(range(9))[-len(kept) :] and kept[-1] == 8
    assert all(path.stat().st_size <= 2 * length for path in tmp_path.iterdir())


class JSONLinesSinkLine:
    """The line of an event."""

    @staticmethod
    def of(folder: Path) -> bytes:
        """Return it, from a file that is removed again."""
        sink = JSONLinesSink(folder / "one")
        sink(event(candidates=0))
        sink.close()
        line = (folder / "one").read_bytes()
        (folder / "one").unlink()
        return line


def test_a_line_longer_than_a_file_has_one_of_its_own(tmp_path: Path) -> None:
    """It is not lost."""
    sink = JSONLinesSink(tmp_path / "e", max_bytes=10, backups=3)
    for at in range(3):
        sink(event(candidates=at))
    sink.close()
    assert [next(read_events(tmp_path / name)).candidates for name in ("e", "e.1", "e.2")] == [2, 1, 0]


def test_an_existing_file_is_continued(tmp_path: Path) -> None:
    """And its size counts."""
    for at in range(2):
        sink = JSONLinesSink(tmp_path / "e", max_bytes=10)
        sink(event(candidates=at))
        sink.close()
    assert [next(read_events(tmp_path / name)).candidates for name in ("e", "e.1")] == [1, 0]


def test_each_process_may_have_a_file(tmp_path: Path) -> None:
    """Its number stands for {pid}; a forked child has its own."""
    sink = JSONLinesSink(tmp_path / "{pid}.jsonl")
    sink(event(candidates=1))
    child = os.fork()
    if not child:
        sink(event(candidates=2))
        os._exit(0)
    os.waitpid(child, 0)
    sink.close()
    assert [each.candidates for each in read_events(tmp_path / f"{os.getpid()}.jsonl")] == [1]
    assert [each.candidates for each in read_events(tmp_path / f"{child}.jsonl")] == [2]


def test_a_line_that_is_no_event_is_named(tmp_path: Path) -> None:
    """Unless it is the last one, and cut off."""
    path = tmp_path / "e"
    sink = JSONLinesSink(path)
    sink(event())
    sink.close()
    whole = path.read_text()
    path.write_text(whole + whole[:50])
    assert len(list(read_events(path))) == 1
    path.write_text(whole + "{}\n")
    with pytest.raises(InputError, match="line 2: not an event"):
        list(read_events(path))


def test_after_a_line_that_was_cut_off_the_next_is_whole(tmp_path: Path) -> None:
    """The process that comes after the one that was killed loses no event, and all others can be read."""
    path = tmp_path / "e"
    for at in range(3):
        sink = JSONLinesSink(path)
        sink(event(candidates=at))
        sink.close()
        if at == 1:
            path.write_bytes(path.read_bytes()[:-50])
    with pytest.warns(SecondPassWarning, match="line 2 is cut off, and left out"):
        assert [each.candidates for each in read_events(path)] == [0, 2]


def test_a_line_that_was_not_written_whole_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the event alone whose line it is, as where the disk is full for a while."""
    write = os.write
    sink = JSONLinesSink(tmp_path / "e")
    sink(event(candidates=0))
    monkeypatch.setattr(os, "write", lambda file, line: write(file, line[: len(line) // 2]))
    with pytest.raises(OSError, match="bytes were written; the disk may be full"):
        sink(event(candidates=1))
    monkeypatch.undo()
    sink(event(candidates=2))
    sink.close()
    with pytest.warns(SecondPassWarning, match="line 2 is cut off"):
        assert [each.candidates for each in read_events(tmp_path / "e")] == [0, 2]


def test_a_file_that_cannot_be_read_is_an_error_of_ours(tmp_path: Path) -> None:
    """There is none, or it is no text; for a rule that takes one as well."""
    with pytest.raises(InputError, match="nowhere can't be read: no such file"):
        list(read_events(tmp_path / "nowhere"))
    with pytest.raises(InputError, match="nowhere can't be read"):
        ScoreDriftRule(tmp_path / "nowhere")
    (tmp_path / "e").write_bytes(b"\xff\n")
    with pytest.raises(InputError, match="can't be read as UTF-8 text"):
        list(read_events(tmp_path / "e"))


def test_settings_are_checked() -> None:
    """Where the file is, and how large."""
    with pytest.raises(ConfigError, match="max_bytes must be a whole number of at least 1"):
        JSONLinesSink("e", max_bytes=0)
    assert JSONLinesSink.from_config(JSONLinesSink("e", backups=1).to_config()).backups == 1
