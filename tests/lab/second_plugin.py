# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Another NRI plugin, out of the agent's own runtime room; in a guest, python3 runs it.

second_plugin.py note FILE    write down what each creation asks for
second_plugin.py pin CPUS     give every new container these CPUs, as a rival would
"""

from __future__ import annotations

import json
import sys
import threading
from dataclasses import asdict
from typing import Any

from homenode.runtime.plugin import NriPlugin
from homenode.runtime.settings import NriSettings
from model.cpuset import CpuSet
from model.events import NO_CHANGE, ContainerCreating, Event, Reply
from model.workload import Placement


def decoded(event: ContainerCreating) -> dict[str, Any]:
    """What the agent makes of a creation; ids by what they are the ids of."""
    pod, container = event.pod, event.container
    path = container.cgroups_path
    for known, word in ((container.id, "ID"), (pod.uid, "UID"), (pod.uid.replace("-", "_"), "UID")):
        path = path.replace(known, word)
    return {
        "name": pod.full_name,
        "qos_class": pod.qos_class,
        "cgroups_path": path,
        **asdict(container.resources),
    }


def main(verb: str, value: str) -> None:
    """Serve until killed."""

    def handle(event: Event, _deadline: float) -> Reply:
        if not isinstance(event, ContainerCreating):
            return NO_CHANGE
        if verb == "pin":
            return Reply(Placement(CpuSet.parse(value)))
        with open(value, "a", encoding="utf-8") as file:
            file.write(json.dumps(decoded(event)) + "\n")
        return NO_CHANGE

    index = {"note": "10", "pin": "95"}[verb]  # before the agent's 90, or after it
    settings = NriSettings(plugin_name=verb, plugin_index=index, answer_budget_s=1.9)
    plugin = NriPlugin(settings, handle, lambda notice: print(notice.kind, flush=True))
    plugin.run(threading.Event())


if __name__ == "__main__":
    main(*sys.argv[1:])
