# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real pods are placed by the real agent as `homenode simulate` says, and as the peers did.

Two guests play at a time, one for each core of a small machine. They play the first of each list
only; with `HOMENODE_LAB_FULL=1` all that is named here (`make test-lab-full`), and with
`HOMENODE_LAB_EVERY_SCENARIO=1` every recorded scenario of their machines, which takes hours.
"""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

import pytest

TESTS = Path(__file__).resolve().parents[1]
for _folder in ("plugins/module_utils", "files/agent"):
    sys.path.insert(0, str(TESTS.parent / _folder))

from lab import fleet  # noqa: E402
from lab.fixtures import FULL  # noqa: E402
from lab.pinning_scenarios import HEADINGS, Outcome, Scenario, judged  # noqa: E402
from lab.pinning_stage import Stage  # noqa: E402
from peers.recording import RECORDED  # noqa: E402
from tools.artifacts import build_agent  # noqa: E402

pytestmark = pytest.mark.lab

TABLE = TESTS.parent / "build/test/pinning.md"
EVERY = "HOMENODE_LAB_EVERY_SCENARIO"
SHORT = 2
"""How many scenarios of each policy a guest plays otherwise."""


@dataclass(frozen=True)
class Programme:
    """What one guest plays: a machine, the name that recordings give it, a runtime, scenarios of
    each policy, and whether in bypass of the runtime's NRI."""

    machine: str
    recorded_as: str
    containerd: str
    topology_aware: str = ""
    balloons: str = ""
    bypass: bool = False

    @property
    def guest(self) -> str:
        """The guest in words."""
        return f"{self.machine}, containerd {self.containerd}{', bypass' * self.bypass}"

    @property
    def played(self) -> list[Scenario]:
        """What it plays in this run."""
        if os.environ.get(EVERY):
            every = (
                Scenario(str(path.relative_to(RECORDED).with_suffix("")))
                for path in sorted(RECORDED.rglob("*.yaml"))
            )
            return [one for one in every if self._can_play(one)]
        return self.named(None if FULL else SHORT)

    def named(self, most: Optional[int] = None) -> list[Scenario]:
        """The first *most* of each policy, or all."""
        lists = {"topology-aware": self.topology_aware, "balloons": self.balloons}
        return [
            Scenario(f"{policy}/{name}")
            for policy, names in lists.items()
            for name in names.split()[:most]
        ]

    def _can_play(self, scenario: Scenario) -> bool:
        """Some hints only a simulation obeys; in bypass nothing can be refused."""
        content = scenario.content
        refused = any("error" in step for step in content["steps"])
        return (
            content["machine"] == self.recorded_as
            and "test.topologyhints" not in str(content)
            and not (self.bypass and refused)
        )


PROGRAMMES = (
    Programme(
        "n4c16",
        "n4c16",
        "2.x",
        "restarts shrink-and-grow always-fits-large burstable-spread container-exit configure"
        " init-containers preserve update-shared reserved-outside-available",
        "restarts exit init-containers memory-inflate reserved-cpuset-grow share-idle-l2-of-2"
        " configure-refused duplicate-type",
    ),
    Programme(
        "n4c16",
        "n4c16",
        "1.7",
        "affinity-simple anti-affinity-simple burstable-cpu-limit busy-besteffort"
        " idle-pools-reverse reserved-too-large update-exclusive no-memory-pinning",
        "basic-hide-hyperthreads available no-pinning reserved-quantity unknown-type update-ignored"
        " composite-odd min-above-max wildcard-reserved-order",
    ),
    Programme(
        "n6", "n6-hbm-cxl", "1.7", "memory-types memory-pressure no-cpu-pinning", "memory-types nrt"
    ),
    Programme(
        "n4c16",
        "n4c16",
        "1.7",
        "burstable-spread busy-besteffort container-exit hide-hyperthreads",
        "exit memory-inflate",
        bypass=True,
    ),
)

CASES = [(programme, scenario) for programme in PROGRAMMES for scenario in programme.played]

Played = dict[tuple[Programme, Scenario], Future[Outcome]]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """What comes out of every case, as soon as it does; and the table of all, at last."""
    folder = tmp_path_factory.mktemp("pinning")
    build_agent(folder / "homenode.pyz")
    outcomes: Played = {case: Future() for case in CASES}
    with ThreadPoolExecutor(2) as pool:
        for number, programme in enumerate(PROGRAMMES):
            pool.submit(play, programme, folder, f"pinning-{os.getpid()}-{number}", outcomes)
        yield outcomes
    rows = [one.result().row for one in outcomes.values() if not one.exception()]
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    TABLE.write_text("\n".join([*HEADINGS, *rows, ""]), encoding="utf-8")


def play(programme: Programme, folder: Path, name: str, outcomes: Played) -> None:
    """Play one guest's programme; whatever breaks a scenario is that one's outcome."""
    waiting = iter(programme.played)
    try:
        with fleet.create(name, programme.machine, programme.containerd) as guest:
            stage = Stage(guest, folder / "homenode.pyz", bypass=programme.bypass)
            machine = stage.recorded_machine(folder / name)
            for scenario in waiting:
                outcome = outcomes[programme, scenario]
                try:
                    answer = stage.play(scenario.played)
                    outcome.set_result(
                        judged(scenario, programme.guest, machine, stage.everything, answer)
                    )
                except Exception as error:  # the test of this scenario tells it
                    outcome.set_exception(error)
    except BaseException as error:
        for scenario in waiting:
            outcomes[programme, scenario].set_exception(error)
        raise


@pytest.mark.parametrize(
    ("programme", "scenario"),
    CASES,
    ids=[f"{programme.guest}: {scenario.name}" for programme, scenario in CASES],
)
def test_real_pods_are_where_simulate_says(
    played: Played, programme: Programme, scenario: Scenario
) -> None:
    assert played[programme, scenario].result().against_simulate is None


def test_thirty_scenarios_over_both_policies_and_runtimes() -> None:
    named = [(one.containerd, scenario.name) for one in PROGRAMMES for scenario in one.named()]
    assert len({name for _runtime, name in named}) >= 30
    kinds = itertools.product(("topology-aware", "balloons"), ("1.7", "2.x"))
    found = {(name.split("/")[0], runtime) for runtime, name in named}
    assert found == set(kinds)
