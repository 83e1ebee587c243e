# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a kubelet is up, as a table of looks a second apart."""

from __future__ import annotations

import pytest

from ansible_collections.homenode.numa.plugins.module_utils.kubelet_service import Service
from ansible_collections.homenode.numa.plugins.module_utils.kubelet_watch import Look, Watch

# A look is "pid/restarts": alone it is healthy, with "?" it does not answer yet, with "/child"
# the kubelet is a process below the service; "-" is a service that waits for its next start.
CASES = {
    "up from the start": (["7/0"] * 4, ""),
    "not yet": (["7/0"] * 3, "undecided"),
    "late": (["-/0", "7/0?", "7/0?", *["7/0"] * 4], ""),
    "one end is forgiven": (["7/0", "7/0", "-/0", *["8/1"] * 4], ""),
    "the time starts anew with the process": (["7/0", "7/0", "8/1", "8/1", "8/1"], "undecided"),
    "two ends are not": (["7/0", "-/0", "8/1", "-/1", "9/2"], "the kubelet has ended 2 times"),
    "ends that no look has seen": (["-/3", "-/4", "-/5"], "the kubelet has ended 2 times"),
    "a child that ends": (["7/0/20", "7/0/21", "7/0/22"], "the kubelet has ended 2 times"),
    "it looked failed at first": (["failed", "failed", *["7/0"] * 4], ""),
    "systemd gave up": (["7/0", *["failed"] * 3], "the service has ended: failed (failed)"),
    "no such service": (["none"], "there is no such service"),
}


def seen(number: int, text: str) -> Look:
    if text in ("failed", "none"):
        state = f"{text} ({text})"
        service = Service(text != "none", active=False, pid=0, restarts=0, state=state)
        return Look(number, service, 0, healthy=False)
    pid, restarts, child = [*text.rstrip("?").split("/"), "0"][:3]
    active = pid != "-"
    state = "active (running)" if active else "activating (auto-restart)"
    service = Service(True, active, int(pid) if active else 0, int(restarts), state)
    return Look(number, service, int(child), healthy=active and not text.endswith("?"))


@pytest.mark.parametrize(("looks", "outcome"), CASES.values(), ids=CASES.keys())
def test_when_a_kubelet_is_up(looks: list[str], outcome: str) -> None:
    watch = Watch(stays_up_s=3)
    decided = [watch.take(seen(number, text)) for number, text in enumerate(looks)]
    assert not any(decided[:-1])
    assert (watch.failure if decided[-1] else "undecided") == outcome
