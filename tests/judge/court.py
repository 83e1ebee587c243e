# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cases, and the judge who hears them: what a real kubelet does with a configuration.

::

    with Judge("v1.35.4") as judge:
        outcome = judge.run(Case(base={"memoryManagerPolicy": "Static"}, topology=shape))
        outcome.starts, outcome.reason, outcome.config, outcome.state

Every kubelet runs in the namespaces of ``inside``. Needs root, and the programs of ``build``.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Optional, TypeVar

from judge import build, klog, topology
from judge.topology import Topology

TESTS = Path(__file__).resolve().parents[1]
SETTLED = "Starting Kubelet Plugin Manager"
"""In the log once the managers have started, state files and capacity included."""
LIMIT_S = 60.0
ALONE = ("unshare", "-m", "-n", "--propagation", "private")
STATE_FILES = ("cpu_manager_state", "memory_manager_state")
HOST_SETTINGS: Mapping[str, Any] = {
    "cgroupsPerQOS": False,
    "enforceNodeAllocatable": ["none"],
    "failSwapOn": False,
}
"""What a case's base has unless it says otherwise: there are no cgroups to be made here."""
HOST_FLAGS = (
    "cgroups-per-qos=false",
    "enforce-node-allocatable=none",
    "fail-swap-on=false",
)
"""The same for a case without a base."""
HEADER = {"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration"}

In = TypeVar("In")
Out = TypeVar("Out")


@dataclass(frozen=True)
class Case:
    """All that a kubelet reads.

    *base* is the file behind ``--config``, or None; *dropins* are files of ``--config-dir`` by
    their names; *flags* are ``name=value``; *state* has the text of state files by name; *pods*
    are static pods by name. HOST_SETTINGS or HOST_FLAGS come on top where nothing is said.
    """

    topology: Topology
    base: Optional[Mapping[str, Any]] = field(default_factory=dict)
    dropins: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    state: Mapping[str, str] = field(default_factory=dict)
    pods: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def whole_base(self) -> Optional[dict[str, Any]]:
        """The base with what this host needs."""
        return None if self.base is None else {**HOST_SETTINGS, **self.base}

    @property
    def whole_flags(self) -> tuple[str, ...]:
        """The flags with what this host needs."""
        return self.flags if self.base is not None else (*HOST_FLAGS, *self.flags)


@dataclass(frozen=True)
class Outcome:
    """*reason* is why it ended, in its words; *config* what ``/configz`` says, *state* the files.

    *config* is empty where it does not run.
    """

    starts: bool
    reason: str
    log: str
    config: Mapping[str, Any] = field(default_factory=dict)
    state: Mapping[str, str] = field(default_factory=dict)


class Running:
    """A kubelet that runs, in one of the judge's places."""

    def __init__(self, place: _Place) -> None:
        self._place = place

    def get(self, path: str) -> Any:
        """The JSON that the kubelet's https port has at *path*, such as ``/pods``."""
        return json.loads(self._place.ask("get", path=path))

    def text(self, path: str) -> str:
        """The text that its https port has at *path*, such as ``/metrics``."""
        return str(self._place.ask("get", path=path))

    def restart(self, without: Iterable[str] = ()) -> None:
        """Start it again among its containers, the state files *without* gone before."""
        answer = self._place.restart(without)
        assert answer["found"], klog.reason(self.log())

    def config(self) -> dict[str, Any]:
        """The configuration that it runs with."""
        return dict(self.get("/configz")["kubeletconfig"])

    def state(self) -> dict[str, str]:
        """The text of its state files by name."""
        return self._place.state()

    def podresources(self) -> dict[str, Any]:
        """``{allocatable: …, pods: […]}`` from the podresources socket."""
        socket = str(self._place.root / "pod-resources/kubelet.sock")
        command = [str(build.built(build.PODRESOURCES)), socket]
        told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        return dict(json.loads(told.stdout))

    def runtime(self) -> list[dict[str, Any]]:
        """What the kubelet asked of the runtime: containers made and resources changed."""
        return [json.loads(line) for line in self._place.runtime_log.read_text().splitlines()]

    def put_pod(self, name: str, manifest: Mapping[str, Any]) -> None:
        """Add or change a static pod."""
        (self._place.manifests / f"{name}.json").write_text(json.dumps(manifest))

    def remove_pod(self, name: str) -> None:
        """Remove a static pod."""
        (self._place.manifests / f"{name}.json").unlink()

    def log(self) -> str:
        """Its log so far."""
        return self._place.log.read_text(errors="replace")

    def wait(self, pattern: str, limit_s: float = LIMIT_S) -> bool:
        """Whether its log got the regular expression *pattern* in time."""
        return bool(self._place.ask("wait", pattern=pattern, limit_s=limit_s)["found"])


class Judge:
    """Kubelets of one version, *places* of them at a time."""

    def __init__(self, version: str = build.NEW, places: int = 1) -> None:
        self.version = version
        self._kubelet = build.built(build.kubelet(version))
        self._runtime = build.built(build.FAKECRI)
        self._places: SimpleQueue[_Place] = SimpleQueue()
        self._all = places
        self._folder = Path()
        self._facts: dict[Topology, dict[str, Any]] = {}

    def __enter__(self) -> Judge:
        self._folder = Path(tempfile.mkdtemp(prefix="judge-"))
        for number in range(self._all):
            self._places.put(_Place(self._folder / str(number), self._kubelet, self._runtime))
        return self

    def __exit__(self, *_error: object) -> None:
        for _number in range(self._all):
            self._places.get().close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def run(self, case: Case) -> Outcome:
        """Start a kubelet, see whether it stays up, ask what it runs with, and stop it."""
        with self._place() as place:
            answer = place.start(case)
            starts = answer["code"] is None and answer["found"]
            log = place.log.read_text(errors="replace")
            if not starts:
                reason = klog.reason(log) or f"no reason in its log: {log[-2000:]}"
                return Outcome(False, reason, log, {}, place.state())
            running = Running(place)
            return Outcome(True, "", log, running.config(), running.state())

    def run_all(self, cases: Iterable[Case]) -> list[Outcome]:
        """The outcomes of many, in their order, as many at a time as there are places."""
        return self.in_turn(self.run, cases)

    def in_turn(self, work: Callable[[In], Out], items: Iterable[In]) -> list[Out]:
        """*work* on each of *items*, as many at a time as there are places; results in order."""
        with ThreadPoolExecutor(self._all) as pool:
            return list(pool.map(work, items))

    @contextlib.contextmanager
    def running(self, case: Case) -> Iterator[Running]:
        """A kubelet that is up. Raises AssertionError with its reason where it does not start."""
        with self._place() as place:
            answer = place.start(case)
            assert answer["found"], klog.reason(place.log.read_text(errors="replace"))
            yield Running(place)

    @contextlib.contextmanager
    def _place(self) -> Iterator[_Place]:
        place = self._places.get()
        try:
            yield place
        finally:
            place.stop()
            self._places.put(place)


def facts(shape: Topology) -> dict[str, Any]:
    """``ansible_facts.numa`` of *shape*, read by our own reader from the kubelet's files."""
    with tempfile.TemporaryDirectory(prefix="judge-facts-") as folder:
        topology.write(shape, Path(folder))
        return topology.facts(Path(folder))


class _Place:
    """Private namespaces with room for one kubelet, and the files of that kubelet."""

    def __init__(self, folder: Path, kubelet: Path, runtime: Path) -> None:
        self._folder, self._kubelet, self._runtime = folder, kubelet, runtime
        self._shapes: dict[Topology, Path] = {}
        self._shown: Optional[Topology] = None
        self._cri: Optional[subprocess.Popen[bytes]] = None
        self._command: list[str] = []
        folder.mkdir()
        self.root, self.manifests = folder / "root", folder / "manifests"
        self.log, self.runtime_log = folder / "log", folder / "runtime.jsonl"
        self._inside = subprocess.Popen(
            [*ALONE, sys.executable, "-m", "judge.inside", str(folder)],
            cwd=TESTS,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, do: str, **arguments: object) -> Any:
        """One command for the inside, and its answer. Raises RuntimeError with its error."""
        assert self._inside.stdin is not None and self._inside.stdout is not None
        self._inside.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
        self._inside.stdin.flush()
        line = self._inside.stdout.readline()
        if not line:
            raise RuntimeError("the inside of the namespaces has ended")
        told = json.loads(line)
        if "error" in told:
            raise RuntimeError(f"{do}: {told['error']}")
        return told["answer"]

    def start(self, case: Case) -> dict[str, Any]:
        """Start a kubelet, and wait until it is up or has ended."""
        self._show(case.topology)
        for folder in (self.root, self.manifests, self._folder / "config"):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        for name, text in case.state.items():
            (self.root / name).write_text(text)
        for name, pod in case.pods.items():
            (self.manifests / f"{name}.json").write_text(json.dumps(pod))
        if self._cri is None or case.pods:
            self._start_runtime()
        command = [str(self._kubelet), *self._own_flags(), *_files(case, self._folder / "config")]
        command += [flag if flag.startswith("-") else f"--{flag}" for flag in case.whole_flags]
        self._command = command
        return self._start()

    def restart(self, without: Iterable[str]) -> dict[str, Any]:
        """Start the same kubelet again; the runtime and its containers stay."""
        self.stop()
        for name in without:
            (self.root / name).unlink()
        return self._start()

    def _start(self) -> dict[str, Any]:
        env = {"KUBELET_CONFIG_DROPIN_DIR_ALPHA": "1"}
        self.ask("start", command=self._command, log=str(self.log), env=env)
        return dict(self.ask("wait", pattern=SETTLED, limit_s=LIMIT_S))

    def state(self) -> dict[str, str]:
        """The state files as they are now."""
        places = {name: self.root / name for name in STATE_FILES}
        return {name: place.read_text() for name, place in places.items() if place.is_file()}

    def stop(self) -> None:
        """Stop the kubelet."""
        self.ask("stop")

    def close(self) -> None:
        """End everything of this place."""
        self._inside.communicate(timeout=30)
        if self._cri is not None:
            self._cri.kill()
            self._cri.communicate()

    def _own_flags(self) -> list[str]:
        return [
            f"--root-dir={self.root}",
            f"--cert-dir={self._folder / 'certificates'}",
            f"--volume-plugin-dir={self._folder / 'plugins'}",
            f"--pod-manifest-path={self.manifests}",
            f"--container-runtime-endpoint=unix://{self._folder / 'cri.sock'}",
            "--hostname-override=judge",
            "--address=127.0.0.1",
            "--healthz-port=0",
            "--anonymous-auth=true",
            "--authentication-token-webhook=false",
            "--authorization-mode=AlwaysAllow",
            "--make-iptables-util-chains=false",
            "--v=2",
        ]

    def _show(self, shape: Topology) -> None:
        if shape == self._shown:
            return
        if shape not in self._shapes:
            folder = self._folder / f"topology-{len(self._shapes)}"
            topology.write(shape, folder)
            self._shapes[shape] = folder
        self.ask("show", folder=str(self._shapes[shape]))
        self._shown = shape

    def _start_runtime(self) -> None:
        socket = self._folder / "cri.sock"
        if self._cri is not None:
            self._cri.kill()
            self._cri.communicate()
        socket.unlink(missing_ok=True)
        with self.runtime_log.open("wb") as opened:
            # It ends with its input: nothing is left of it where these tests are killed.
            self._cri = subprocess.Popen(
                [str(self._runtime), str(socket)], stdin=subprocess.PIPE, stdout=opened
            )
        while not socket.exists() and self._cri.poll() is None:
            time.sleep(0.005)


def _files(case: Case, folder: Path) -> Iterator[str]:
    """Write the configuration; the flags that name it. JSON is YAML, and quotes what it must."""
    base = case.whole_base
    if base is not None:
        place = folder / "config.yaml"
        place.write_text(json.dumps({**HEADER, **base}))
        yield f"--config={place}"
    if case.dropins:
        for name, settings in case.dropins.items():
            place = folder / "conf.d" / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(json.dumps({**HEADER, **settings}))
        yield f"--config-dir={folder / 'conf.d'}"
