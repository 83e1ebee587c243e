# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""NRI switched on and off on a host with a containerd that can be made to fail at each step."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

import pytest

from ansible_collections.homenode.numa.plugins.module_utils.containerd import config_text
from ansible_collections.homenode.numa.plugins.module_utils.containerd.daemon import (
    Daemon,
    find,
    listens,
)
from ansible_collections.homenode.numa.plugins.module_utils.containerd.switch import Report, Switch
from ansible_collections.homenode.numa.plugins.module_utils.model.problem import HomenodeProblem

DEBIAN = "version = 2\n\n[plugins]\n"
TABLE = f'[plugins."{config_text.NRI}"]'
SOCKET_LINE = "0000: 00000002 00000000 00010000 0001 01 7 /run/nri/nri.sock\n"


@dataclass
class Containerd:
    """A folder for /etc/containerd, and a program that dumps as containerd 1.7 does."""

    folder: Path
    default_on: bool = False
    starts: bool = True
    comes_up: bool = True
    side_effect: str = ""
    """A line that a dump shows only where a drop-in is imported."""
    restarts: int = 0
    log: str = ""
    active: bool = True
    dumped: list[str] = field(default_factory=list)

    @property
    def main(self) -> Path:
        return self.folder / "etc/config.toml"

    @property
    def drop_in(self) -> Path:
        return self.folder / "etc/conf.d/50.toml"

    @property
    def sockets(self) -> Path:
        return self.folder / "unix"

    @property
    def socket(self) -> Path:
        return self.folder / "run/nri.sock"

    @property
    def listener(self) -> str:
        return SOCKET_LINE.replace("/run/nri/nri.sock", str(self.socket))

    def switch(self) -> Switch:
        daemon = Daemon("containerd", "containerd", self.main, self.active, "1.7.24")
        return Switch(
            daemon, self.drop_in, run=self.run, put=put, sockets=self.sockets, timeout=0.3
        )

    def set(self, on: bool, *, restart: bool = True, check: bool = False) -> Report:
        return self.switch().set(on=on, may_restart=restart, check_mode=check)

    def run(self, words: Sequence[str]) -> tuple[int, str, str]:
        if words[:2] == ["systemctl", "restart"]:
            return self._restart()
        if words[0] == "journalctl":
            return 0, self.log, ""
        path = words[2] if words[1] == "--config" else ""
        return self._dump(Path(path).read_text(encoding="utf-8") if path else "version = 2\n")

    def _restart(self) -> tuple[int, str, str]:
        self.restarts += 1
        broken = not self.starts and self.drop_in.exists()
        up = self._on(self._texts(_text(self.main) or "")) and self.comes_up and not broken
        self.sockets.write_text("Num\n" + (self.listener if up else ""), encoding="utf-8")
        if up:
            self.socket.parent.mkdir(exist_ok=True)
            self.socket.touch()  # it stays when containerd goes, as the real one does
        return (1, "", "Job for containerd.service failed.") if broken else (0, "", "")

    def _dump(self, main: str) -> tuple[int, str, str]:
        if "garbage" in main:
            return 1, "", "containerd: failed to load TOML: (1, 2): garbage"
        texts = self._texts(main)
        on = str(not self._on(texts)).lower()
        extra = self.side_effect if len(texts) > 1 else ""
        imports = ", ".join(f'"{name}"' for name in config_text.imports_of(main))
        return (
            0,
            (
                f"imports = [{imports}]\nversion = {config_text.version_of(main)}\n{extra}"
                f'[plugins]\n  {TABLE}\n    disable = {on}\n    socket_path = "{self.socket}"\n'
            ),
            "",
        )

    def _texts(self, main: str) -> list[str]:
        """The main file, then what it imports."""
        patterns = config_text.imports_of(main)
        files = [path for path in self.folder.parent.rglob("*.toml") if path != self.main]
        files += [Path(name) for name in patterns if Path(name).exists()]
        taken = {path for path in files for name in patterns if fnmatch.fnmatch(str(path), name)}
        return [main, *(path.read_text(encoding="utf-8") for path in sorted(taken))]

    def _on(self, texts: list[str]) -> bool:
        said = re.findall(r"^disable = (true|false)$", "\n".join(texts), re.MULTILINE)
        return said[-1] == "false" if said else self.default_on


def put(path: Path, text: Optional[str]) -> None:
    if text is None:
        path.unlink()
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _text(path: Path) -> Optional[str]:
    return path.read_text(encoding="utf-8") if path.exists() else None


@pytest.fixture
def host(tmp_path: Path) -> Containerd:
    made = Containerd(tmp_path / "host")
    made.main.parent.mkdir(parents=True)
    made.main.write_text(DEBIAN, encoding="utf-8")
    made.sockets.write_text("Num\n", encoding="utf-8")
    return made


def tree(host: Containerd) -> dict[str, Optional[str]]:
    """Every file and folder of the host, to compare before and after."""
    return {
        str(path.relative_to(host.folder)): None if path.is_dir() else _text(path)
        for path in host.folder.rglob("*")
        if path != host.sockets
    }


@pytest.mark.parametrize(
    "main",
    [DEBIAN, None, "version = 2\nimports = ['conf.d/*.toml']\n", "version = 2\nimports = []\n"],
    ids=["packaged", "absent", "imports the folder", "imports nothing"],
)
def test_a_life(host: Containerd, main: Optional[str]) -> None:
    host.main.unlink()
    if main is not None:
        host.main.write_text(main, encoding="utf-8")
    before = tree(host)

    plan = host.set(True, check=True)
    assert (plan.enabled, plan.restart_needed, bool(plan.changes)) == (True, True, True)
    assert (tree(host), host.restarts) == (before, 0)

    done = host.set(True)
    assert (done.enabled_before, done.enabled, done.listening) == (False, True, True)
    assert (done.restarted, host.restarts) == (True, 1)

    again = host.set(True)
    assert (again.changes, again.restarted, host.restarts) == ((), False, 1)

    gone = host.set(False)
    assert (gone.enabled, gone.restarted, host.restarts) == (False, True, 2)
    assert tree(host) == before

    assert host.set(False).changes == ()
    assert host.restarts == 2


def test_nri_that_is_on_already_is_left_alone(host: Containerd) -> None:
    host.default_on = True
    host.sockets.write_text("Num\n" + host.listener, encoding="utf-8")
    for on in (True, False):
        report = host.set(on)
        assert (report.enabled, report.changes, host.restarts) == (True, (), 0)


def test_a_daemon_that_was_never_restarted_since_is_restarted(host: Containerd) -> None:
    host.default_on = True
    assert host.set(True, restart=False).restart_needed is True
    assert host.restarts == 0
    report = host.set(True)
    assert (report.changes, report.restarted, report.listening) == ((), True, True)


def test_without_leave_to_restart_it_says_that_one_is_needed(host: Containerd) -> None:
    report = host.set(True, restart=False)
    assert (report.enabled, report.restart_needed, report.restarted) == (True, True, False)
    assert host.restarts == 0


def test_files_and_daemon_are_put_back_if_it_does_not_start(host: Containerd) -> None:
    before = tree(host)
    host.starts = False
    host.log = 'level=info msg=x\nlevel=fatal msg="no NRI"\n'
    with pytest.raises(HomenodeProblem, match=r"Job for containerd.*its log says.*no NRI"):
        host.set(True)
    assert (tree(host), host.restarts) == (before, 2)


def test_files_and_daemon_are_put_back_if_nobody_listens(host: Containerd) -> None:
    before = tree(host)
    host.comes_up = False
    with pytest.raises(HomenodeProblem, match=r"run/nri\.sock.*has no listener"):
        host.set(True)
    assert (tree(host), host.restarts) == (before, 2)


def test_a_change_of_anything_else_is_refused_before_it_is_written(host: Containerd) -> None:
    before = tree(host)
    host.side_effect = 'root = "/elsewhere"\n'
    with pytest.raises(HomenodeProblem, match=r"elsewhere.*differ in more than NRI"):
        host.set(True, check=True)
    with pytest.raises(HomenodeProblem, match=r"elsewhere.*differ in more than NRI"):
        host.set(True)
    assert (tree(host), host.restarts) == (before, 0)


def test_a_later_import_that_wins_is_found_out(host: Containerd) -> None:
    host.main.write_text("version = 2\nimports = ['conf.d/*.toml']\n", encoding="utf-8")
    put(host.drop_in.with_name("99.toml"), "disable = true\n")
    before = tree(host)
    with pytest.raises(HomenodeProblem, match="later import"):
        host.set(True)
    assert (tree(host), host.restarts) == (before, 0)


@pytest.mark.parametrize(
    ("main", "says"),
    [("garbage", "garbage"), ("# version 1\n", "containerd config migrate")],
)
def test_a_main_file_that_cannot_work_is_refused_untouched(
    host: Containerd, main: str, says: str
) -> None:
    host.main.write_text(main, encoding="utf-8")
    with pytest.raises(HomenodeProblem, match=says):
        host.set(True)
    assert (_text(host.main), host.restarts) == (main, 0)


def test_a_daemon_that_does_not_run_is_refused(host: Containerd) -> None:
    host.active = False
    with pytest.raises(HomenodeProblem, match="does not run"):
        host.set(True)


def test_a_main_file_edited_since_loses_only_our_import(host: Containerd) -> None:
    host.set(True)
    host.main.write_text((_text(host.main) or "") + "# mine\n", encoding="utf-8")
    host.set(False)
    assert _text(host.main) == DEBIAN + "# mine\n"


SHOWN = """\
LoadState=loaded
ActiveState=active
ExecStart={ path=/usr/local/bin/containerd ; argv[]=/usr/local/bin/containerd%s ; x=y }
"""


@pytest.mark.parametrize(
    ("arguments", "given", "config"),
    [
        ("", "", "/etc/containerd/config.toml"),
        (" --config /opt/c.toml", "", "/opt/c.toml"),
        (" -c=/opt/c.toml -l debug", "", "/opt/c.toml"),
        (" --config /opt/c.toml", "/mine.toml", "/mine.toml"),
    ],
)
def test_the_unit_tells_program_and_file(arguments: str, given: str, config: str) -> None:
    def run(words: Sequence[str]) -> tuple[int, str, str]:
        if words[0] == "systemctl":
            return 0, SHOWN % arguments, ""
        return 0, "containerd github.com/containerd/containerd/v2 2.1.9+unknown abc\n", ""

    found = find(run, "containerd", given)
    assert found == Daemon("containerd", "/usr/local/bin/containerd", Path(config), True, "2.1.9")


def test_no_unit_is_none_and_an_old_one_is_refused() -> None:
    assert find(lambda _words: (0, "LoadState=not-found\n", ""), "containerd", "") is None
    answers = {"systemctl": SHOWN % "", "/usr/local/bin/containerd": "containerd x 1.6.20~ds1\n"}
    with pytest.raises(HomenodeProblem, match=r"1\.6\.20.*install containerd 1\.7"):
        find(lambda words: (0, answers[words[0]], ""), "containerd", "")


def test_only_a_listener_counts(tmp_path: Path) -> None:
    table = tmp_path / "unix"
    connected = SOCKET_LINE.replace("00010000", "00000000")
    table.write_text("Num\n" + connected + "0000: 0 0 0 0 0 1\n", encoding="utf-8")
    assert not listens(table, "/run/nri/nri.sock")
    table.write_text("Num\n" + SOCKET_LINE, encoding="utf-8")
    assert listens(table, "/run/nri/nri.sock")
    assert not listens(table, "/run/nri/other.sock")
