# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What docs/kubelet/*.md tells to copy is copied and run, and prints what the page says.

A block ```yaml (or ini, toml) whose first line is ``# NAME`` is the file NAME. In a block
```console, a line ``$ ansible-playbook …`` or ``$ cat …`` is run in a folder with all files of its
page, in the page's order; the lines below it are its output, where a line ``...`` stands for any
number of lines. Only playbooks whose plays all run on this machine are run, on localhost or by
``connection: local``, as no node is at hand; the others have to pass the syntax check. Every YAML
block has to be YAML.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from roles.local_ansible import Ansible

PAGES = sorted((Path(__file__).resolve().parents[2] / "docs/kubelet").glob("*.md"))
QUIET = {
    "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml",
    "ANSIBLE_FORKS": "1",
    "ANSIBLE_LOCALHOST_WARNING": "0",
    "ANSIBLE_INVENTORY_UNPARSED_WARNING": "0",
}
"""What a page shows is what Ansible prints of the tasks, host by host."""

_BLOCK = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"# ([\w./-]+\.(?:ya?ml|ini|toml))\n")


@dataclass(frozen=True)
class Command:
    """One command of a page with the output that the page shows."""

    words: tuple[str, ...]
    shown: tuple[str, ...]


def blocks(page: Path) -> list[tuple[str, str]]:
    """Language and text of each block."""
    return [(match[1], match[2]) for match in _BLOCK.finditer(page.read_text())]


def files(page: Path) -> dict[str, str]:
    """Text by name of the files that the page gives."""
    named = ((_FILE.match(text), text) for _language, text in blocks(page))
    return {name[1]: text for name, text in named if name}


def playbooks(page: Path) -> dict[str, list[dict[str, Any]]]:
    """The plays of each file that has some."""
    parsed = {
        name: yaml.safe_load(text)
        for name, text in files(page).items()
        if name.endswith(("yml", "yaml"))
    }
    return {
        name: plays
        for name, plays in parsed.items()
        if isinstance(plays, list) and all("hosts" in play for play in plays)
    }


def commands(page: Path) -> Iterator[Command]:
    """What can be run here, in the page's order."""
    local = {
        name
        for name, plays in playbooks(page).items()
        if all(play["hosts"] == "localhost" or play.get("connection") == "local" for play in plays)
    }
    for language, text in blocks(page):
        for part in text.split("$ ")[1:] if language == "console" else ():
            line, *shown = part.rstrip("\n").split("\n")
            words = tuple(shlex.split(line, comments=True))
            if words[0] == "cat" or (words[0] == "ansible-playbook" and local & set(words)):
                yield Command(words, tuple(shown))


def run(command: Command, folder: Path, environment: dict[str, str]) -> list[str]:
    """The lines that it prints, without Ansible's rows of stars."""
    own = Path(sys.prefix) / "bin" / command.words[0]
    words = [str(own) if own.exists() else command.words[0], *command.words[1:]]
    done = subprocess.run(
        words,
        cwd=folder,
        env={**environment, **QUIET},
        capture_output=True,
        text=True,
        check=False,
    )
    said = [*done.stdout.splitlines(), *done.stderr.splitlines()]
    return [re.sub(r" \*{3,}$", "", line.rstrip()) for line in said]


def is_shown(shown: tuple[str, ...], said: list[str]) -> bool:
    """Whether *said* is what the page shows, blank lines apart."""
    parts = ["(?:.*\n)?" if line == "..." else re.escape(f"{line}\n") for line in shown if line]
    text = "".join(f"{line}\n" for line in said if line)
    return re.fullmatch("".join(parts), text, re.DOTALL) is not None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_block_of_yaml_is_yaml(page: Path) -> None:
    for language, text in blocks(page):
        if language in ("yaml", "yml"):
            list(yaml.safe_load_all(text))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_playbooks_pass_the_syntax_check(page: Path, ansible: Ansible) -> None:
    write(page, ansible.folder)
    for name in playbooks(page):
        words = ("ansible-playbook", "-i", "localhost,", "--syntax-check", name)
        said = run(Command(words, ()), ansible.folder, ansible.environment)
        assert f"playbook: {name}" in said, said


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_page_shows_what_is_printed(page: Path, ansible: Ansible) -> None:
    write(page, ansible.folder)
    for command in commands(page):
        said = run(command, ansible.folder, ansible.environment)
        assert is_shown(command.shown, said), "\n".join([*command.words, *said])


def write(page: Path, folder: Path) -> None:
    for name, text in files(page).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


@pytest.mark.parametrize(
    ("shown", "fits"),
    [
        (("a", "b", "c"), True),
        (("a", "...", "c"), True),
        (("...", "c"), True),
        (("a", "..."), True),
        (("...", "b", "..."), True),
        (("a", "b"), False),
        (("b", "..."), False),
        (("...", "d"), False),
    ],
)
def test_an_ellipsis_stands_for_lines(shown: tuple[str, ...], fits: bool) -> None:
    assert is_shown(shown, ["a", "", "b", "c"]) is fits
