# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pods of a scenario: QoS classes and exact amounts, as Kubernetes would have them."""

from __future__ import annotations

from typing import Any

import pytest

from homenode.simulate.pods import CPU, MEMORY, ScenarioPod, millis, read_pod
from model.fields import Fields
from model.problem import HomenodeProblem
from model.workload import BEST_EFFORT, BURSTABLE, GUARANTEED


def pod(**more: Any) -> ScenarioPod:
    content = {"name": "p", "containers": [{"name": "c"}], **more}
    return read_pod(Fields(content, source="s.yaml", path="create"))


def resources(cpu: str, memory: str, *, request: str = "") -> dict[str, Any]:
    limits = {CPU: cpu, MEMORY: memory}
    return {"limits": limits, "requests": {CPU: request} if request else {}}


def test_the_least_that_can_be_said() -> None:
    found = pod()
    assert (found.full_name, found.qos_class) == ("default/p", BEST_EFFORT)
    assert found.init_containers == () and found.labels == found.annotations == {}


def test_labels_and_annotations_are_texts() -> None:
    found = pod(labels={"a": 1}, annotations={"b": True, "c": "x", "d": None, "e": 1.5})
    assert found.labels == {"a": "1"}
    assert found.annotations == {"b": "true", "c": "x", "d": "", "e": "1.5"}


ALL, FEWER = resources("1", "1G"), resources("1", "1G", request="999m")

CLASSES: list[tuple[str, list[Any], list[Any], str]] = [
    ("nothing", [{}], [], BEST_EFFORT),
    ("zeros are nothing", [resources("0", "0")], [], BEST_EFFORT),
    ("all limited", [ALL], [], GUARANTEED),
    ("no memory", [{"limits": {"cpu": "1"}}], [], BURSTABLE),
    ("a request below the limit", [FEWER], [], BURSTABLE),
    ("requests alone", [{"requests": {"cpu": "1", "memory": "1G"}}], [], BURSTABLE),
    ("one of two", [ALL, {}], [], BURSTABLE),
    ("init containers count", [ALL], [{}], BURSTABLE),
    ("other resources do not", [{"limits": {"example.com/gpu": 1}}], [], BEST_EFFORT),
]


@pytest.mark.parametrize(
    ("containers", "init", "qos"), [row[1:] for row in CLASSES], ids=[row[0] for row in CLASSES]
)
def test_the_class_is_kubernetes_rule(containers: Any, init: Any, qos: str) -> None:
    named = [{"name": f"c{at}", **one} for at, one in enumerate(containers)]
    first = [{"name": f"i{at}", **one} for at, one in enumerate(init)]
    assert pod(containers=named, init_containers=first).qos_class == qos


def test_a_given_class_wins() -> None:
    assert pod(qos="Guaranteed").qos_class == GUARANTEED
    with pytest.raises(HomenodeProblem, match=r"create\.qos .*no QoS class"):
        pod(qos="guaranteed")


def test_amounts_are_exact() -> None:
    amounts = pod(containers=[{"name": "c", **resources("0.2003", "2.5G")}]).containers[0].amounts
    assert millis(amounts[CPU].request) == millis(amounts[CPU].limit) == 201
    assert amounts[MEMORY].limit.ceiling == 2_500_000_000


MORE_THAN_ALLOWED = {"name": "c", **resources("1", "1", request="2")}

WRONG = [
    ({"name": ""}, "create.name"),
    ({"name": "a/b"}, "create.name"),
    ({"containers": []}, "create.containers"),
    ({"init_containers": [{"name": "c"}]}, "create.containers"),
    ({"containers": [{"name": "c", "limits": {"cpu": "1x"}}]}, "create.containers[0].limits.cpu"),
    ({"containers": [{"name": "c", "limits": {"cpu": "-1"}}]}, "create.containers[0].limits.cpu"),
    ({"containers": [{"name": "c", "image": "x"}]}, "create.containers[0].image"),
    ({"containers": [MORE_THAN_ALLOWED]}, "create.containers[0].requests"),
    ({"annotations": {"a": {}}}, "create.annotations.a"),
    ({"spec": {}}, "create.spec"),
]  # fmt: skip


@pytest.mark.parametrize(("more", "field"), WRONG)
def test_what_makes_no_sense(more: dict[str, Any], field: str) -> None:
    with pytest.raises(HomenodeProblem) as error:
        pod(**more)
    assert error.value.problem.field == field
