# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The parts of `make test`, each a list of steps. To see what a part runs, read its function.

A part is a generator: what it needs first (a copy of the tree, a second Python) is made when the
part's turn comes, and a failure there is a failure of the part.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import ansible_test

from judge import build
from tools import pythons
from tools.staging import COLLECTIONS, stage
from tools.steps import ROOT, Skip, Step

BIN = Path(sys.prefix) / "bin"
AGENT_PATH = "files/agent:plugins/module_utils:tests"
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ANSIBLE_TEST_HOME = ROOT / "build/ansible-test-home"
CONTROLLER = f"{sys.version_info.major}.{sys.version_info.minor}"

MODEL_AND_AGENT = ("tests/unit/model", "tests/unit/agent")
TESTED = (
    "tests/house",
    *MODEL_AND_AGENT,
    "tests/scenarios",
    "tests/peers",
    "tests/wire",
    "tests/unit/plugins",
    "tests/roles",
    "tests/judge",
    "tests/lab",
)
"""Every folder with tests, but for molecule's: a test elsewhere would never be run."""

REQUIRED = "HOMENODE_JUDGE_REQUIRED"
"""Set to 1 where real kubelets must be asked, as CI does."""

Part = Callable[[], Iterator["Step | Skip"]]


def house() -> Iterator[Step | Skip]:
    yield _pytest("rules of the house", "tests/house")


def unit() -> Iterator[Step | Skip]:
    """Two runs, because a class loaded as `model…` and as `ansible_collections…` is two classes."""
    yield _pytest("model and agent", *MODEL_AND_AGENT)
    yield _pytest("scenarios", "tests/scenarios")
    yield _pytest("as the peers decided", "tests/peers")
    yield _pytest("agent over the wire", "tests/wire")
    yield from _oldest_python()
    yield _pytest("plugins", "tests/unit/plugins")
    yield _pytest("roles without a guest", "tests/roles", limit_s=1800)
    yield _ansible_test("under ansible-test", "units", junit="tests/output/junit/*-units.xml")


def lint() -> Iterator[Step | Skip]:
    staged = stage()
    shell = [str(path.relative_to(ROOT)) for path in _shell_scripts(staged)]
    yield _check("ruff format", "ruff", "format", "--check", "--diff", ".")
    yield _check("ruff check", "ruff", "check", ".")
    yield _mypy("types of agent and tests", ROOT, AGENT_PATH, _typed(staged))
    yield _mypy("types of plugins", COLLECTIONS, str(COLLECTIONS), _typed_plugins(staged))
    yield _check("shellcheck", "shellcheck", *shell)
    yield _check("yamllint", "yamllint", "--strict", ".")
    yield _check("ansible-lint", "ansible-lint", "--nocolor")
    yield _check(
        "documentation of plugins",
        *("antsibull-docs", "lint-collection-docs", "--plugin-docs"),
        *("--validate-collection-refs", "all", "."),
    )
    yield _check("changelog", "antsibull-changelog", "lint")
    yield _check("licences", "reuse", "lint", "--lines")


def sanity() -> Iterator[Step | Skip]:
    """On the controller's Python only; other parts import and test the agent on the oldest."""
    yield _ansible_test(
        "ansible-test sanity",
        *("sanity", "--junit"),
        junit="tests/output/junit/ansible-test-sanity-*.xml",
    )


def molecule() -> Iterator[Step | Skip]:
    """Each stage of a scenario is a test, beside those that testinfra runs in the verify stage.

    Molecule builds and installs this checkout by itself, so that the artifact is what is tested.
    """
    yield _lab_prerequisites()
    folder = "build/test/molecule"
    yield Step(
        "scenarios",
        (str(BIN / "molecule"), "test", "--all"),
        env={
            **_env(),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build/ansible-home/collections"),
            "PYTHONPATH": str(ROOT / "tests"),
            "PYTEST_ADDOPTS": "-p tools.own_results",
            "OWN_RESULTS": str(ROOT / folder),
        },
        junit=f"{folder}/*.xml",
        stages=r"\[(?P<name>\S+ > \S+)\] Executed: (?P<result>.+)$",
        limit_s=3600,
    )


def judge() -> Iterator[Step | Skip]:
    """Real kubelets; CI has no excuse, so there a missing Go or root is a failure."""
    name = "real kubelets"
    why_not = build.why_not()
    if why_not is not None and os.environ.get(REQUIRED) != "1":
        yield Skip(name, why_not)
        return
    making = (sys.executable, "-m", "judge", "build")
    env = {**_env(), "PYTHONPATH": AGENT_PATH}
    yield Step("build of real kubelets", making, env=env, counted=False, limit_s=3600)
    hearing = _pytest(name, "tests/judge", limit_s=2400)
    yield replace(hearing, env=env)


def lab() -> Iterator[Step | Skip]:
    yield _lab_prerequisites()
    yield _pytest("guests", "tests/lab", limit_s=3600)


PARTS: dict[str, Part] = {
    "house": house,
    "lint": lint,
    "unit": unit,
    "sanity": sanity,
    "judge": judge,
    "molecule": molecule,
    "lab": lab,
}
"""In the order of `make test`: what is quick comes first."""


def _pytest(name: str, *folders: str, python: str = sys.executable, limit_s: float = 900) -> Step:
    junit = f"build/test/{name.replace(' ', '-').replace(',', '').lower()}.xml"
    command = (python, "-m", "pytest", "-q", "--color=no", f"--junitxml={ROOT / junit}", *folders)
    return Step(name, command, env=_env(), junit=junit, limit_s=limit_s)


def _check(name: str, tool: str, *arguments: str, limit_s: float = 600) -> Step:
    return Step(name, (str(BIN / tool), *arguments), env=_env(), limit_s=limit_s)


def _env() -> dict[str, str]:
    """Ansible takes the copy of this tree for the installed collection; it keeps out of HOME."""
    return {
        "PATH": f"{BIN}:{SYSTEM_PATH}",
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ANSIBLE_HOME": str(ROOT / "build/ansible-home"),
        "ANSIBLE_NOCOLOR": "1",
        "NO_COLOR": "1",
    }


def _oldest_python() -> Iterator[Step | Skip]:
    """The agent's tests once more on the floor of a node, in a second environment."""
    words = ".".join(map(str, pythons.OLDEST))
    name = f"agent, Python {words}"
    python = pythons.at_hand(pythons.OLDEST)
    if python is None:
        yield Skip(name, f"no Python {words} on PATH or in ~/.pyenv/versions")
        return
    venv = ROOT / "build/venv39"
    pins = "requirements/agent-py39.txt"
    if not _same(ROOT / pins, venv / ".pins"):
        script = (
            f'"{python}" -m venv --clear {venv} && {venv}/bin/python -m pip install -q'
            f" --disable-pip-version-check --no-deps -r {pins} && cp {pins} {venv}/.pins"
        )
        yield Step(f"install Python {words} tools", ("sh", "-c", script), counted=False)
    python = str(venv / "bin/python")
    yield _pytest(name, *MODEL_AND_AGENT, "tests/wire", python=python)


def _same(one: Path, other: Path) -> bool:
    return other.is_file() and one.read_bytes() == other.read_bytes()


def _mypy(name: str, cwd: Path, search: str, files: list[str]) -> Step:
    cache = f"--cache-dir={ROOT / 'build/mypy' / name.replace(' ', '-')}"
    command = (str(BIN / "mypy"), f"--config-file={ROOT / 'pyproject.toml'}", cache, *files)
    return Step(name, command, env={**_env(), "MYPYPATH": search}, cwd=cwd)


def _typed(staged: Path) -> list[str]:
    """What the archive holds and every test but those of plugins, by its place in the checkout."""
    folders = ("files/agent", "plugins/module_utils/model", "tests")
    found = (path.relative_to(staged) for name in folders for path in (staged / name).rglob("*.py"))
    return sorted(
        ["plugins/module_utils/host_files.py"]
        + [
            str(path)
            for path in found
            if not path.is_relative_to("tests/unit/plugins") and not _in_a_guest(path)
        ]
    )


def _typed_plugins(staged: Path) -> list[str]:
    folders = ("plugins", "tests/unit/plugins")
    found = (path for name in folders for path in (staged / name).rglob("*.py"))
    return sorted(str(path.relative_to(COLLECTIONS)) for path in found)


def _in_a_guest(path: Path) -> bool:
    """Files of the guest's image: they run there, on its Python, and import what it has."""
    return path.is_relative_to("tests/lab/rootfs")


def _shell_scripts(staged: Path) -> list[Path]:
    """By their first line, whatever their names."""
    found = []
    for path in staged.rglob("*"):
        if path.is_file() and ".git" not in path.parts:
            with path.open("rb") as opened:
                if re.match(rb"#!.*\b(?:ba|da)?sh\b", opened.readline(100)):
                    found.append(ROOT / path.relative_to(staged))
    return sorted(found)


def _ansible_test(name: str, *arguments: str, junit: str) -> Step:
    staged = stage()
    _prepare_ansible_test_home()
    command = (str(BIN / "ansible-test"), *arguments, "--python", CONTROLLER, "--color", "no")
    env = {"HOME": str(ANSIBLE_TEST_HOME), "PATH": f"{BIN}:{SYSTEM_PATH}"}
    return Step(name, command, env=env, cwd=staged, junit=junit, limit_s=1200)


def _prepare_ansible_test_home() -> None:
    """A home of its own, with a stand-in for the script that ansible-test would download.

    ansible-test clears the environment of pip, so pip's settings are written into that home too.
    """
    script = ROOT / "tests/tools/ansible_test_get_pip.py"
    cache = ANSIBLE_TEST_HOME / ".ansible/test/cache"
    cache.mkdir(parents=True, exist_ok=True)
    wanted = Path(ansible_test.__file__).parent / "_internal/python_requirements.py"
    for version in re.findall(r"\bpip='([0-9.]+)'", wanted.read_text()):
        (cache / f"get_pip_{version.replace('.', '_')}.py").write_text(script.read_text())
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    ).stdout
    settings = re.findall(r"^(?:global|:env:)\.([a-z-]+)='(.*)'$", listed, re.MULTILINE)
    lines = [f"{name} = {value}" for name, value in dict(settings).items()]
    config = ANSIBLE_TEST_HOME / ".config/pip/pip.conf"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text("\n".join(["[global]", *lines, ""]))


def _lab_prerequisites() -> Step:
    return Step(
        "packages for the lab",
        (sys.executable, "-m", "lab", "prerequisites"),
        env={**_env(), "PYTHONPATH": str(ROOT / "tests")},
        counted=False,
        limit_s=900,
    )
