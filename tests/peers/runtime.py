# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fake runtime with a kubelet that knows requests and limits apart.

Out of scope: what the runtime does with plugins (``fake_runtime``).
"""

from __future__ import annotations

import uuid
from typing import Any

from fake_runtime import FakeContainer, FakePod, FakeRuntime
from fake_runtime.kubelet import Figures
from fake_runtime.runtime import CreationFailed
from fake_runtime.schema import MESSAGES


class KubeletRuntime(FakeRuntime):
    """Creates and resizes containers by the kubelet's own numbers."""

    def create(self, pod: FakePod, name: str, numbers: Figures) -> FakeContainer:
        """Create and start a container. Raises CreationFailed."""
        container = FakeContainer(uuid.uuid4().hex * 2, pod, name, numbers)
        with self._event_lock:
            try:
                self._settle(container, self._ask("CreateContainer", container))
            except CreationFailed:  # containerd's UndoCreateContainer: it was never in the book
                self.stop_container(container)
                self._tell("RemoveContainer", container)
                raise
            self.containers[container.id] = container
        container.state = "running"
        self._tell("StartContainer", container)
        return container

    def resize(self, container: FakeContainer, numbers: Figures) -> None:
        """Tell new numbers. Raises CreationFailed where a plugin fails the update."""
        resources: Any = MESSAGES["LinuxResources"]()
        resources.cpu.shares.value = numbers.shares
        resources.cpu.quota.value = numbers.quota or 0
        resources.cpu.period.value = numbers.period
        if numbers.memory_limit is not None:
            resources.memory.limit.value = numbers.memory_limit
        with self._event_lock:
            answers = self._ask("UpdateContainer", container, resources)
            container.figures = numbers
            for _plugin, answer in answers:
                self._apply_updates(answer.update)
