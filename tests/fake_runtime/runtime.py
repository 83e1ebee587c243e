# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fake runtime: accepts plugins, runs pods, keeps a book, and fails as the real ones do.

One lock per event and plugins in the order of their index, as containerd has it. Failure
semantics: too slow or gone means the container is created without adjustment and the connection
closed; an error or a conflict means that the creation fails. Source: containerd/nri
``pkg/adaptation``, observed on containerd 1.7.24, 2.1.9 and 2.3.4.
"""

from __future__ import annotations

import functools
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Optional

from . import kubelet
from .book import FakeContainer, FakePod
from .schema import MESSAGES
from .trunk import ConnectionLost, RpcError, Trunk

EVENTS = {"RunPodSandbox": 1, "StopPodSandbox": 2, "RemovePodSandbox": 3, "CreateContainer": 4}
EVENTS.update(PostCreateContainer=5, StartContainer=6, PostStartContainer=7, UpdateContainer=8)
EVENTS.update(PostUpdateContainer=9, StopContainer=10, RemoveContainer=11)
ALL_EVENTS = (1 << 11) - 1
UNIMPLEMENTED = 12


class CreationFailed(Exception):
    """The runtime refuses to create the container, as it would tell the kubelet."""


class Plugin:
    """One registered plugin."""

    def __init__(self) -> None:
        self.name = self.index = ""
        self.registered = threading.Event()
        self.synchronized = threading.Event()
        self.events = 0
        self.dedicated = True
        self.trunk: Trunk


class FakeRuntime:
    """A context manager. *nri* is the imitated NRI version as a tuple, (0, 12) has all of it.

    *request_timeout_s*: how patient it is with plugins, seconds. *synchronizes* False leaves
    plugins registered and forgotten, as containerd 1.7 can. *cgroup_root*: where to write files
    that look like cgroups, None for nowhere; *everything*: the machine's (cpus, mems).
    """

    def __init__(
        self,
        socket_path: Path,
        *,
        nri: tuple[int, int] = (0, 12),
        request_timeout_s: float = 2.0,
        synchronizes: bool = True,
        pods_per_message: int = 0,
        cgroup_root: Optional[Path] = None,
        everything: tuple[str, str] = ("0-3", "0-1"),
        driver: str = kubelet.SYSTEMD,
    ) -> None:
        self.socket_path = socket_path
        self.nri = nri
        self.request_timeout_s = request_timeout_s
        self.synchronizes = synchronizes
        self.pods_per_message = pods_per_message
        self.cgroup_root, self.everything, self.driver = cgroup_root, everything, driver
        self.pods: dict[str, FakePod] = {}
        self.containers: dict[str, FakeContainer] = {}
        self.registrations = self.forgotten = 0
        self.failures: list[str] = []
        self.broken: list[Exception] = []
        self.refuse_registration = self.refuse_updates = ""
        self.on_call: Callable[[str], None] = lambda method: None
        self._event_lock = threading.RLock()
        self._plugins: list[Plugin] = []
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._trunks: list[Trunk] = []
        self._listener: Optional[socket.socket] = None

    def __enter__(self) -> FakeRuntime:
        self.start()
        return self

    def __exit__(self, kind: object, *_error: object) -> None:
        self.stop()
        if self.broken and kind is None:
            raise self.broken[0]

    # -- life ------------------------------------------------------------------------------

    def start(self) -> None:
        """Listen; a stale socket file is removed, as the real ones do."""
        self.socket_path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(self.socket_path))
        self._listener.listen(16)
        self._spawn(self._accept, self._listener)

    def stop(self) -> None:
        """Close everything, as a runtime that stops; the book and the socket file stay."""
        if self._listener is not None:
            try:
                self._listener.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            self._listener.close()
            self._listener = None
        for trunk in list(self._trunks):
            trunk.close()
        for thread in self._threads:
            thread.join(5)
        for trunk in list(self._trunks):
            trunk.join()
            self.broken += [trunk.failure] if trunk.failure is not None else []
        self._threads, self._trunks = [], []

    def restart(self, pause_s: float = 0.1) -> None:
        """Stop, and start with the same book."""
        self.stop()
        time.sleep(pause_s)
        self.start()

    def disconnect(self) -> None:
        """Close all plugin connections and go on listening."""
        for plugin in self.plugins:
            plugin.trunk.close()
            plugin.trunk.join()

    def busy(self) -> threading.RLock:
        """The lock that events and updates take, to hold it as a busy runtime does."""
        return self._event_lock

    @property
    def plugins(self) -> list[Plugin]:
        """The synchronized plugins, in the order they are called."""
        with self._changed:
            ready = [one for one in self._plugins if one.synchronized.is_set()]
        return sorted(ready, key=lambda one: one.index)

    def wait_for_plugins(self, count: int = 1, timeout_s: float = 10.0) -> list[Plugin]:
        """Wait until exactly *count* plugins are synchronized. Raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(
                lambda: sum(p.synchronized.is_set() for p in self._plugins) == count, timeout_s
            ):
                raise TimeoutError(f"{len(self._plugins)} plugins, {self.failures}")
        return self.plugins

    # -- verbs -----------------------------------------------------------------------------

    def run_pod(
        self,
        name: str,
        *,
        qos: str = kubelet.GUARANTEED,
        namespace: str = "default",
        annotations: Optional[dict[str, str]] = None,
        labels: Optional[dict[str, str]] = None,
    ) -> FakePod:
        """A new sandbox."""
        uid = str(uuid.uuid4())
        parent = kubelet.cgroup_parent(qos, uid, self.driver)
        identity = uuid.uuid4().hex * 2
        pod = FakePod(identity, name, namespace, uid, qos, parent, annotations or {}, labels or {})
        self.pods[pod.id] = pod
        self._tell("RunPodSandbox", pod)
        return pod

    def create_container(
        self,
        pod: FakePod,
        name: str,
        *,
        cpu: float = 1,
        memory: int = 64 << 20,
        env: Iterable[str] = ("PATH=/usr/bin:/bin", "HOME=/root"),
        cpus: str = "",
        start: bool = True,
    ) -> FakeContainer:
        """A container that asks for *cpu* CPUs and *memory* bytes in the way of its pod's class.

        *cpus*: set by the kubelet's static CPU manager. Raises CreationFailed.
        """
        container = FakeContainer(
            uuid.uuid4().hex * 2, pod, name, kubelet.figures(pod.qos, cpu, memory), cpus=cpus
        )
        container.env = list(env)
        with self._event_lock:
            try:
                self._settle(container, self._ask("CreateContainer", container))
            except CreationFailed:
                self._undo(container)
                raise
            self.containers[container.id] = container
            container.write_cgroup(self.cgroup_root, self.everything)
        if start:
            self.start_container(container)
        return container

    def _undo(self, container: FakeContainer) -> None:
        """What plugins hear of a creation that failed; not why (containerd UndoCreateContainer)."""
        self._tell("StopContainer", container)
        self._tell("RemoveContainer", container)

    def start_container(self, container: FakeContainer) -> None:
        """Its process runs."""
        container.state, container.pid = "running", 4_000_000 + len(self.containers)
        self._tell("PostStartContainer", container)

    def update_container(self, container: FakeContainer, *, cpu: float, cpus: str = "") -> None:
        """The kubelet resizes it. Raises CreationFailed where a plugin fails the update."""
        asked = kubelet.figures(container.pod.qos, cpu, 64 << 20)
        resources = MESSAGES["LinuxResources"]()
        resources.cpu.shares.value = asked.shares
        resources.cpu.quota.value = asked.quota or 0
        resources.cpu.period.value = asked.period
        resources.cpu.cpus = cpus
        with self._event_lock:
            answers = self._ask("UpdateContainer", container, resources)
            container.figures = asked
            container.apply(resources.cpu)
            for _plugin, answer in answers:
                self._apply_updates(answer.update)
            container.write_cgroup(self.cgroup_root, self.everything)

    def stop_container(self, container: FakeContainer) -> None:
        """Its processes are gone."""
        with self._event_lock:
            answers = self._ask("StopContainer", container)
            container.state = "stopped"
            for _plugin, answer in answers:
                self._apply_updates(answer.update)
            container.remove_cgroup(self.cgroup_root)

    def remove_container(self, container: FakeContainer) -> None:
        """Stop it where it runs, and forget it."""
        if container.state != "stopped":
            self.stop_container(container)
        self.containers.pop(container.id, None)
        self._tell("RemoveContainer", container)

    def remove_pod(self, pod: FakePod) -> None:
        """Remove its containers, then the sandbox."""
        for container in [c for c in self.containers.values() if c.pod is pod]:
            self.remove_container(container)
        self.pods.pop(pod.id, None)
        self._tell("RemovePodSandbox", pod)

    def placements(self) -> dict[str, tuple[str, str]]:
        """(cpus, mems) of every container, by id."""
        return {one.id: one.placement for one in self.containers.values()}

    # -- events to plugins -----------------------------------------------------------------

    def _tell(self, method: str, subject: Any) -> None:
        with self._event_lock:
            self._ask(method, subject)

    def _ask(self, method: str, subject: Any, resources: Any = None) -> list[tuple[Plugin, Any]]:
        """The answers of all subscribed plugins, in order; drops the slow and the gone."""
        answers = []
        began = time.perf_counter()
        for plugin in self.plugins:
            if not plugin.events >> EVENTS[method] - 1 & 1:
                continue
            try:
                answers.append((plugin, self._call(plugin, method, subject, resources)))
            except (TimeoutError, ConnectionLost) as error:
                self._drop(plugin, f"{method}: {error!r}")
            except RpcError as error:
                raise CreationFailed(f"{plugin.name}: {error}") from error
        if method == "CreateContainer":
            subject.latency_s = time.perf_counter() - began
        return answers

    def _call(self, plugin: Plugin, method: str, subject: Any, resources: Any) -> Any:
        pod = subject if isinstance(subject, FakePod) else subject.pod
        fields = {"pod": pod.message()}
        if isinstance(subject, FakeContainer):
            fields["container"] = subject.message()
        self.on_call(method)
        if method in ("CreateContainer", "UpdateContainer", "StopContainer"):
            if method == "UpdateContainer":
                fields["linux_resources"] = resources
                request = MESSAGES["UpdateContainerRequest"](**fields)
            else:
                request = MESSAGES["ContainerRequest"](**fields)
            kind = "CreateContainerResponse" if method == "CreateContainer" else "UpdateList"
            return self._exchange(plugin, method, request, kind)
        if self.nri >= (0, 12) and plugin.dedicated:
            kind = "PodRequest" if len(fields) == 1 else "ContainerRequest"
            try:
                return self._exchange(plugin, method, MESSAGES[kind](**fields), "Empty")
            except RpcError as error:
                if error.args[0] != UNIMPLEMENTED:
                    raise
                plugin.dedicated = False
        request = MESSAGES["StateChangeEvent"](event=EVENTS[method], **fields)
        return self._exchange(plugin, "StateChange", request, "Empty")

    def _exchange(self, plugin: Plugin, method: str, request: Any, kind: str) -> Any:
        payload = plugin.trunk.call(method, request.SerializeToString(), self.request_timeout_s)
        return MESSAGES[kind].FromString(payload)

    def _settle(self, container: FakeContainer, answers: list[tuple[Plugin, Any]]) -> None:
        """Apply adjustments and updates; two plugins on one field is a conflict."""
        owners: dict[tuple[str, str], str] = {}
        for plugin, answer in answers:
            claims = [(container.id, answer.adjust.linux.resources.cpu)]
            for update in answer.update:
                if update.container_id == container.id:
                    raise CreationFailed(f"{plugin.name} updates the container being created")
                claims.append((update.container_id, update.linux.resources.cpu))
            for identity, cpu in claims:
                for name in ("cpus", "mems"):
                    if getattr(cpu, name):
                        other = owners.setdefault((identity, name), plugin.name + plugin.index)
                        if other != plugin.name + plugin.index:
                            raise CreationFailed(
                                f"plugins {other} and {plugin.name} both tried to set {name}"
                            )
        for _plugin, answer in answers:
            if answer.HasField("adjust"):
                container.adjusted = True
                container.beside = answer.adjust.linux
                container.apply(answer.adjust.linux.resources.cpu)
                container.writes = 0
            self._apply_updates(answer.update)

    def _apply_updates(self, updates: Any) -> int:
        """Apply, and write as a runtime would; how many could not be, for a duplicate id."""
        seen: set[str] = set()
        for update in updates:
            if update.container_id in seen:
                raise CreationFailed(f"{update.container_id} is updated twice")
            seen.add(update.container_id)
            container = self.containers.get(update.container_id)
            if container is not None:
                container.apply(update.linux.resources.cpu)
                container.write_cgroup(self.cgroup_root, self.everything)
        return 0

    def _drop(self, plugin: Plugin, why: str) -> None:
        self.failures.append(why)
        plugin.trunk.close()
        self._forget(plugin)

    # -- plugins coming and going ----------------------------------------------------------

    def _spawn(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, name="fake-runtime", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                sock, _address = listener.accept()
            except OSError:
                return
            plugin = Plugin()
            plugin.trunk = Trunk(
                sock,
                functools.partial(self._serve, plugin),
                functools.partial(self._forget, plugin),
            )
            self._trunks.append(plugin.trunk)
            plugin.trunk.start()
            self._spawn(self._admit, plugin)

    def _forget(self, plugin: Plugin) -> None:
        plugin.registered.set()  # whoever waits for it need wait no longer
        with self._changed:
            plugin.synchronized.clear()
            if plugin in self._plugins:
                self._plugins.remove(plugin)
            self._changed.notify_all()

    def _serve(self, plugin: Plugin, method: str, payload: bytes) -> tuple[int, str, bytes]:
        if method == "RegisterPlugin":
            request = MESSAGES["RegisterPluginRequest"].FromString(payload)
            if self.refuse_registration:
                return 2, self.refuse_registration, b""
            if len(request.plugin_idx) != 2 or not request.plugin_idx.isdigit():
                return 2, f"invalid plugin index {request.plugin_idx!r}", b""
            plugin.name, plugin.index = request.plugin_name, request.plugin_idx
            self.registrations += 1
            plugin.registered.set()
            return 0, "", b""
        if method == "UpdateContainers":
            request = MESSAGES["UpdateList"].FromString(payload)
            with self._event_lock:
                if self.refuse_updates:
                    return 2, self.refuse_updates, b""
                self._apply_updates(request.update)
            return 0, "", b""
        return UNIMPLEMENTED, method, b""

    def _admit(self, plugin: Plugin) -> None:
        """Register, Configure, Synchronize."""
        try:
            if not plugin.registered.wait(5):
                raise TimeoutError("RegisterPlugin")
            request = MESSAGES["ConfigureRequest"](
                runtime_name="fake",
                runtime_version=".".join(map(str, self.nri)),
                registration_timeout=5000,
                request_timeout=int(self.request_timeout_s * 1000) if self.nri >= (0, 8) else 0,
            )
            answer = self._exchange(plugin, "Configure", request, "ConfigureResponse")
            if answer.events & ~ALL_EVENTS or not answer.events:
                raise RpcError(2, f"invalid plugin events {answer.events:#x}")
            plugin.events = answer.events
            if self.synchronizes:
                with self._event_lock:
                    self._synchronize(plugin)
            else:
                self.forgotten += 1
        except (TimeoutError, ConnectionLost, RpcError) as error:
            self.failures.append(f"admission: {error!r}")
            if self.nri >= (0, 8):
                plugin.trunk.close()

    def _synchronize(self, plugin: Plugin) -> None:
        alive = [c for c in self.containers.values() if c.state in ("created", "running")]
        pods = [pod.message() for pod in self.pods.values()]
        messages = [container.message() for container in alive]
        step = self.pods_per_message or max(1, len(pods) + len(messages))
        while True:
            head, pods = pods[:step], pods[step:]
            tail, messages = messages[: step - len(head)], messages[step - len(head) :]
            more = bool(pods or messages)
            request = MESSAGES["SynchronizeRequest"](pods=head, containers=tail, more=more)
            answer = self._exchange(plugin, "Synchronize", request, "SynchronizeResponse")
            if answer.more != more:
                raise RpcError(2, "plugin does not repeat more")
            if not more:
                break
        self._apply_updates(answer.update)
        with self._changed:
            if plugin.trunk.ended:
                raise ConnectionLost  # it answered, and left before it could be called
            self._plugins.append(plugin)
            plugin.synchronized.set()
            self._changed.notify_all()
