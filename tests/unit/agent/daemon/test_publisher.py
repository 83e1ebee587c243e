# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is written off the hot path: journal, status, ledger; and what happens when it cannot be."""

from __future__ import annotations

import errno
import io
import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from fakes.machines import sockets
from fakes.node import FakeNode, machine
from homenode.daemon import store
from homenode.daemon.publisher import MAX_WAITING, Publisher
from homenode.report.journal import Journal

TWO = machine(sockets(2, cores=4))


class Published:
    """A publisher for a fake node, with its files."""

    def __init__(self, folder: Path) -> None:
        self.node = FakeNode(TWO)
        self.status, self.ledger = folder / "status.json", folder / "ledger.json"
        self.journal = folder / "journal.jsonl"
        self.publisher = Publisher(
            lambda: self.node.world,
            lambda: {"pid": 1},
            Journal(str(self.journal), 1 << 20, io.StringIO()),
            status_path=str(self.status),
            ledger_path=str(self.ledger),
        )

    def create(self, kind: str, name: str) -> None:
        self.publisher.records(self.node.create(kind, name).records)

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.journal.read_text().splitlines() if line]


@pytest.fixture
def published(tmp_path: Path) -> Published:
    return Published(tmp_path)


def full(*_arguments: object) -> int:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_change_is_published_in_three_files(published: Published) -> None:
    published.create("G2", "a")
    published.publisher.publish()
    assert [line["kind"] for line in published.lines()] == ["placed"]
    assert json.loads(published.status.read_text())["containers"][0]["granted"]["cpus"] == "1-2"
    assert store.load(str(published.ledger))[0].ledger.grants == published.node.world.ledger.grants
    assert published.status.stat().st_mode & 0o777 == 0o644, "the status needs no privilege"


def test_a_ledger_that_did_not_change_is_not_written(published: Published) -> None:
    published.create("G2", "a")
    published.publisher.publish()
    published.ledger.unlink()
    published.publisher.publish()
    assert not published.ledger.exists()


def test_a_full_disk_is_told_once_and_made_up_for(
    published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    published.create("G2", "a")
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        published.publisher.publish()
        published.publisher.publish()
        told = {problem.field for problem in published.publisher.problems()}
        assert told == {"journal", "ledger", "status"}
    published.publisher.publish()
    published.publisher.note("after")
    published.publisher.publish()
    assert published.publisher.problems() == []
    assert published.ledger.exists()
    assert published.lines()[-1] == {"kind": "after"}


def test_the_newest_records_are_kept(published: Published) -> None:
    for number in range(MAX_WAITING + 50):
        published.publisher.note("n", number=number)
    waiting = published.publisher._waiting
    assert (len(waiting), waiting[-1]["number"]) == (MAX_WAITING, MAX_WAITING + 49)


def test_the_thread_publishes_a_last_time(published: Published) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=published.publisher.run, args=(stop,))
    thread.start()
    stop.set()
    published.publisher.note("stopped")
    thread.join(5)
    assert not thread.is_alive()
    assert published.lines()[-1] == {"kind": "stopped"}
