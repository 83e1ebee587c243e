# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The metrics page, judged by the parser of prometheus_client."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

from prometheus_client.parser import text_string_to_metric_families

from fakes.machines import sockets
from fakes.node import FakeNode, machine
from homenode.report.metrics import exposition
from homenode.report.status import status, with_live

TWO = machine(sockets(2, cores=4))
LIVE = {"cpus": "1-2", "mems": "0", "numa_bytes": {0: 68719476737, 1: 4096}}
Sample = tuple[str, tuple[tuple[str, str], ...]]


def samples(
    fake: FakeNode, live: Optional[Mapping[str, Any]] = None, **agent: object
) -> dict[Sample, float]:
    """The page as Prometheus reads it."""
    page = exposition(with_live(status(fake.world, agent), lambda path: live), {"events": 7})
    found: dict[Sample, float] = {}
    for family in text_string_to_metric_families(page):
        assert family.documentation
        assert family.type in ("gauge", "counter")
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            assert key not in found, "a series twice makes the whole scrape fail"
            found[key] = sample.value
    return found


def labels(pod: str, **more: str) -> tuple[tuple[str, str], ...]:
    return tuple(sorted({"namespace": "default", "pod": pod, "container": pod, **more}.items()))


def test_every_figure_is_what_the_cgroup_says_now() -> None:
    fake = FakeNode(TWO)
    fake.run("G2=a")
    assert samples(fake, LIVE, connected=True) == {
        ("homenode_up", ()): 1,
        ("homenode_container_exclusive_cpus", labels("a")): 2,
        ("homenode_container_cpus", labels("a")): 2,
        ("homenode_container_verified", labels("a")): 1,
        ("homenode_container_memory_bytes", labels("a", numa_node="0")): 68719476737,
        ("homenode_container_memory_bytes", labels("a", numa_node="1")): 4096,
        ("homenode_problems", ()): 0,
        ("homenode_runtime_events_total", ()): 7,
    }


def test_what_cannot_be_read_is_left_out() -> None:
    fake = FakeNode(TWO)
    fake.run("G2=a")
    assert set(samples(fake)) == {
        ("homenode_up", ()),
        ("homenode_container_exclusive_cpus", labels("a")),
        ("homenode_problems", ()),
        ("homenode_runtime_events_total", ()),
    }
    assert samples(fake)["homenode_up", ()] == 0


def test_a_difference_is_a_zero() -> None:
    fake = FakeNode(TWO)
    fake.run("G3=a")
    assert samples(fake, LIVE)["homenode_container_verified", labels("a")] == 0


def test_problems_of_all_kinds_are_counted() -> None:
    fake = FakeNode(TWO)
    fake.create("G2", "a", annotations={"x.resource-policy.nri.io": "1"})
    fake.create("G1", "b", start=False)
    fake.remove("b")
    assert samples(fake, problems=[{}, {}])["homenode_problems", ()] == 4


def test_a_hostile_name_is_a_label_like_any_other() -> None:
    fake = FakeNode(TWO)
    name = 'x"} 1\nhomenode_up 5\\'
    fake.create("G1", name)
    found = samples(fake, LIVE)
    assert found["homenode_container_exclusive_cpus", labels(name)] == 1
    assert found["homenode_up", ()] == 0


def test_hundreds_of_containers() -> None:
    fake = FakeNode(TWO)
    fake.run(" ".join(f"E=e{number}" for number in range(300)))
    assert len(samples(fake, LIVE)) == 5 * 300 + 3
