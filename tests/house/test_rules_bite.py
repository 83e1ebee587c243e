# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each rule of the house finds what it is for: broken on purpose, in a house of one file."""

from __future__ import annotations

from pathlib import Path

import pytest

from house import plan
from house.rules import RULES, SPDX
from house.sources import load

AGENT = "files/agent/homenode"
SHARED = "plugins/module_utils"
PLUGINS = "ansible_collections.homenode.numa.plugins"

BROKEN = [
    # rule, file, text, what the finding says
    ("known room", f"{AGENT}/attic/junk.py", "", "room 'attic'"),
    ("known room", f"{AGENT}/attic.py", "", "room 'attic'"),
    ("import table", f"{AGENT}/pinning/policy.py", "import homenode.linux.cgroup", "imports linux"),
    (
        "import table",
        f"{AGENT}/pinning/policy.py",
        "from homenode import runtime",
        "imports runtime",
    ),
    ("import table", f"{AGENT}/pinning/policy.py", "from ..linux import cgroup", "imports linux"),
    ("import table", f"{AGENT}/world/merge.py", "def f():\n    import homenode.cli", "imports cli"),
    ("import table", f"{AGENT}/enforce/steps.py", "from .executor import go", "imports enforce"),
    (
        "import table",
        f"{AGENT}/loop/step.py",
        "from homenode.enforce import undo",
        "imports enforce",
    ),
    (
        "import table",
        f"{AGENT}/runtime/nri.py",
        "from homenode.world import merge",
        "imports world",
    ),
    ("import table", f"{AGENT}/intent/own.py", "import host_files", "imports host_files"),
    ("import table", f"{AGENT}/__init__.py", "import model.cpuset", "imports model"),
    ("standard library", f"{AGENT}/linux/procfs.py", "import psutil", "imports psutil"),
    ("standard library", f"{AGENT}/cli/main.py", "def f():\n    import yaml", "imports yaml"),
    ("standard library", f"{SHARED}/model/cpuset.py", "import numpy.linalg", "imports numpy"),
    (
        "standard library",
        f"{SHARED}/host_files.py",
        "import ansible.module_utils",
        "imports ansible",
    ),
    ("shared is relative", f"{SHARED}/model/facts.py", "from model.cpuset import x", "absolute"),
    ("shared is relative", f"{SHARED}/model/facts.py", f"import {PLUGINS}.x", "absolute"),
    ("plugin side", "plugins/modules/facts.py", "import model.facts", "name in the archive"),
    ("plugin side", "plugins/filter/algebra.py", "import homenode", "name in the archive"),
    ("plugin side", "plugins/modules/facts.py", f"import {PLUGINS}.plugin_utils.x", "controller"),
    ("plugin side", "tests/unit/plugins/test_x.py", "import model", "name in the archive"),
    (
        "agent side",
        f"{AGENT}/cli/main.py",
        f"import {PLUGINS}.module_utils.model",
        "imports ansible",
    ),
    ("agent side", "tests/unit/agent/test_x.py", f"import {PLUGINS}.filter.x", "imports ansible"),
    ("pure imports", f"{AGENT}/world/merge.py", "from time import monotonic", "imports time"),
    ("pure imports", f"{AGENT}/loop/step.py", "import os.path", "imports os"),
    ("pure imports", f"{AGENT}/enforce/steps.py", "import logging", "imports logging"),
    ("pure imports", f"{SHARED}/model/cpuset.py", "import random", "imports random"),
    ("pure calls", f"{AGENT}/idle/plan.py", "open('/proc/stat')", "calls open()"),
    ("pure calls", f"{AGENT}/pinning/policy.py", "print('why')", "calls print()"),
    ("printing", f"{AGENT}/runtime/mux.py", "print('connected')", "calls print()"),
    ("frozen values", f"{AGENT}/world/x.py", "@dataclass\nclass Pod: ...", "Pod is not frozen"),
    ("frozen values", f"{AGENT}/world/x.py", "@dataclass(order=True)\nclass P: ...", "not frozen"),
    ("broad except", f"{AGENT}/linux/psi.py", "try: f()\nexcept: pass", "not a door"),
    ("broad except", f"{AGENT}/linux/psi.py", "try: f()\nexcept Exception: pass", "not a door"),
    ("broad except", "plugins/modules/x.py", "try: f()\nexcept (A, Exception): pass", "not a door"),
    ("broad except", f"{AGENT}/cli/main.py", "try: f()\nexcept Exception:\n    g()", "not say why"),
    ("broad except", "tests/lab/guest.py", "try: f()\nexcept Exception: pass", "not say why"),
    ("file length", f"{AGENT}/cli/main.py", "x = 1\n" * 401, "401 lines, at most 400"),
    ("file length", "tests/lab/guest.py", "x = 1\n" * 601, "601 lines, at most 600"),
    ("function length", "tests/lab/x.py", "def f():\n" + "    g()\n" * 80, "f has 81 lines"),
    ("names", f"{AGENT}/linux/utils.py", "", "'utils' says nothing"),
    ("names", f"{AGENT}/runtime/mux.py", "class Manager: ...", "'Manager' says nothing"),
    ("names", f"{SHARED}/model/x.py", "class Node: ...", "'Node': say numa_node"),
    ("names", "plugins/filter/pool.py", "", "'pool': say topology pool"),
    ("refused names", f"{AGENT}/linux/psi.py", "_, x = f()", "'_': say what it is"),
    ("refused names", "tests/lab/guest.py", "def f(_): ...", "'_': say what it is"),
    ("refused names", "tests/lab/guest.py", "bar = 1", "'bar': say what it is"),
    ("docstring", f"{AGENT}/linux/psi.py", "import re", "no docstring"),
    ("licence", f"{AGENT}/linux/psi.py", f"# {SPDX} BSD-2-Clause", "GPL-3.0-or-later"),
    ("licence", f"{SHARED}/model/x.py", f"# {SPDX} GPL-3.0-or-later", "BSD-2-Clause"),
    ("licence", "tests/lab/guest.py", "import re", "GPL-3.0-or-later"),
]

KEPT = [
    ("import table", f"{AGENT}/pinning/policy.py", "from homenode.world import World"),
    ("import table", f"{AGENT}/pinning/policy.py", "from homenode import __version__"),
    ("import table", f"{AGENT}/enforce/executor.py", "from .steps import order"),
    ("import table", f"{AGENT}/enforce/executor.py", "from homenode.pages import survey"),
    ("import table", f"{AGENT}/loop/step.py", "from homenode.enforce import steps"),
    ("import table", f"{AGENT}/daemon/wiring.py", "import homenode.runtime.nri, model, host_files"),
    ("standard library", f"{AGENT}/linux/psi.py", "import json, model.cpuset\nfrom . import psi"),
    ("pure imports", f"{AGENT}/linux/psi.py", "import os, time"),
    ("pure calls", f"{AGENT}/world/merge.py", "ledger.open('x')"),
    ("broad except", f"{AGENT}/linux/psi.py", "try: f()\nexcept Exception:\n    g()\n    raise"),
    ("broad except", f"{AGENT}/cli/x.py", "try: f()\nexcept Exception:  # a door\n    g()"),
    ("file length", "tests/lab/guest.py", "x = 1\n" * 600),
    ("function length", "tests/lab/x.py", "def f():\n" + "    g()\n" * 79),
    ("refused names", f"{AGENT}/linux/psi.py", "_count, x = f()\nx = _('text')"),
    ("names", "plugins/module_utils/model/numa_node.py", "class NumaNode: ...\nnode = 1"),
]


def findings(root: Path, rule: str, path: str, text: str) -> list[str]:
    (root / path).parent.mkdir(parents=True)
    (root / path).write_text(text)
    checks = {rule.name: rule for rule in RULES}
    return checks[rule].findings(load(root))


@pytest.mark.parametrize(("rule", "path", "text", "says"), BROKEN)
def test_a_broken_rule_is_found(rule: str, path: str, text: str, says: str, tmp_path: Path) -> None:
    found = findings(tmp_path, rule, path, text)
    assert len(found) == 1, found
    assert found[0].startswith(f"{path}:")
    assert says in found[0]


@pytest.mark.parametrize(("rule", "path", "text"), KEPT)
def test_a_kept_rule_is_not_found(rule: str, path: str, text: str, tmp_path: Path) -> None:
    assert findings(tmp_path, rule, path, text) == []


def test_every_rule_is_broken_here() -> None:
    assert {rule.name for rule in RULES} == {rule for rule, *_rest in BROKEN}


@pytest.mark.parametrize("room", [room.name for room in plan.ROOMS if room.pure])
@pytest.mark.parametrize("module", sorted(plan.IMPURE_IMPORTS))
def test_no_pure_room_may_import(room: str, module: str, tmp_path: Path) -> None:
    folder = SHARED if room == "model" else AGENT
    path = f"{folder}/{room.replace('.', '/')}/x.py"
    assert len(findings(tmp_path, "pure imports", path, f"import {module}")) == 1
