# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module util is PRIVATE to the homenode.numa collection. It may break without notice.

"""One look at a node: who runs its kubelet, with which flags, and the files that these name.

Files of RKE2 and k3s are YAML, which a node may be unable to parse: they are fetched as they are,
and what they name is guessed from their lines; the controller checks the guess. Out of scope:
what the files say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Optional

from .kubelet_host import Host
from .model.kubelet import distributions, systemd_unit
from .model.kubelet.destination import args_file, unit_dropin_path
from .model.kubelet.distributions import KUBELET, OS_RELEASE, SIGNS, TABLE, UNITS, Signs
from .model.kubelet.flags import name_and_value

Ask = Callable[[list[str]], str]
"""Runs a program and gives its output; empty where it fails."""

UNIT_FOLDERS = (
    "/etc/systemd/system",
    "/run/systemd/system",
    "/run/systemd/generator",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
)
_K3S = frozenset({"k3s-server", "k3s-agent", "k3s"})
_VERSION = re.compile(r"\bv(\d+\.\d+\.\d+\S*)")
_VERSION_IN_PATH = re.compile(r"/v(\d+\.\d+\.\d+)-(rke2r\d+|k3s\d+)-")


@dataclass(frozen=True)
class Process:
    """The process in which a kubelet runs: its own, or that of k3s."""

    pid: int
    name: str
    unit: str


@dataclass
class Service:
    """The unit that runs the kubelet, without our own drop-in. *arguments* are those that its
    program gets, variables resolved; *command* is None where no single program was found.
    *wins_over_ours* is a drop-in that says what is started, and is read after ours.
    """

    name: str
    command: Optional[str] = None
    arguments: list[str] = field(default_factory=list)
    variables: Mapping[str, str] = field(default_factory=dict)
    has_our_dropin: bool = False
    wins_over_ours: str = ""


def process_of(host: Host) -> Optional[Process]:
    """The running kubelet; the one in a known service first, else the oldest."""
    return min(processes_of(host), key=lambda each: each.unit not in UNITS, default=None)


def processes_of(host: Host) -> list[Process]:
    """All kubelets that run, the oldest first."""
    return [Process(pid, name, host.service(pid)) for pid, name in host.processes(_K3S | {KUBELET})]


def signs_of(host: Host, process: Optional[Process]) -> Signs:
    """What tells the distribution."""
    release = host.read(OS_RELEASE) or ""
    found = re.search(r"^ID=\"?([\w.-]*)", release, re.MULTILINE)
    wants = [f"{folder}/multi-user.target.wants" for folder in UNIT_FOLDERS]
    return Signs(
        units=frozenset(unit for unit in UNITS if _fragment(host, unit)),
        enabled=frozenset(
            unit
            for unit in UNITS
            if any(host.exists(f"{folder}/{unit}.service") for folder in wants)
        ),
        process=process.name if process else "",
        running=process.unit if process else "",
        files=frozenset(path for path in SIGNS if host.exists(path)),
        os=found[1] if found else "",
    )


def _fragment(host: Host, unit: str) -> Optional[str]:
    """The unit's file; None where there is none, or where it is masked."""
    for folder in UNIT_FOLDERS:
        path = f"{folder}/{unit}.service"
        if host.exists(path):
            return None if host.link(path) == "/dev/null" else path
    return None


def service_of(host: Host, unit: str, program: str = KUBELET) -> Service:
    """What systemd would start, read from its files. *program* is the file name of what counts."""
    service = Service(unit)
    fragment = _fragment(host, unit) if unit else None
    if fragment is None:
        return service
    paths = {}
    for folder in reversed(UNIT_FOLDERS):
        for name in host.names(f"{folder}/{unit}.service.d"):
            if name.endswith(".conf"):
                paths[name] = f"{folder}/{unit}.service.d/{name}"
    ours = unit_dropin_path(unit)
    service.has_our_dropin = host.exists(ours)
    dropins = [paths[name] for name in sorted(paths) if paths[name] != ours]
    dropins = [path for path in dropins if host.link(path) != "/dev/null"]
    texts = {path: host.read(path) or "" for path in (fragment, *dropins)}
    found = systemd_unit.merged(unit, texts.values())
    last = ours.rpartition("/")[2]
    for path in dropins:
        if path.rpartition("/")[2] > last and systemd_unit.sets_command(texts[path]):
            service.wins_over_ours = path
    service.command = found.command(program)
    service.variables = found.variables(
        {path: host.read(path) for path in found.environment_paths()}
    )
    if service.command is not None:
        service.arguments = found.arguments(service.command, service.variables)
    return service


def joined(words: Iterable[str]) -> list[str]:
    """Each flag with its value in one text, also where a space stood between them."""
    flags: list[str] = []
    for word in words:
        if word.startswith("-") or not flags:
            flags.append(word)
        elif "=" not in flags[-1]:
            flags[-1] += f"={word}"
    return [flag for flag in flags if flag.startswith("--")]


def flags_in(host: Host, files: Iterable[str]) -> list[str]:
    """The flags in environment files of a service that cannot be looked at."""
    flags: list[str] = []
    for path in files:
        for name, value in systemd_unit.environment_file(host.read(path) or "").items():
            if re.search(r"\bKUBELET_\w*ARGS\Z|\bNODEADM_KUBELET_ARGS\Z", name):
                flags += joined(systemd_unit.words(value))
    return flags


def version_of(host: Host, process: Optional[Process], service: Service, ask: Ask) -> str:
    """What the kubelet's program says of itself, or its path; empty where nothing does."""
    if process is not None and process.name == KUBELET:
        found = _VERSION_IN_PATH.search(host.link(f"/proc/{process.pid}/exe"))
        if found is not None:
            return f"{found[1]}+{found[2]}"
    if not host.live:
        return ""
    program = systemd_unit.program_of(service.command or "") or KUBELET
    if process is not None and process.name == KUBELET:
        program = f"/proc/{process.pid}/exe"
    said = _VERSION.search(ask([program, "--version"]))
    return said[1] if said else ""


def memory_total(host: Host) -> Optional[int]:
    """MemTotal in bytes; None where the kernel does not tell."""
    found = re.search(r"^MemTotal:\s+(\d{1,18}) kB$", host.read("/proc/meminfo") or "", re.M)
    return int(found[1]) * 1024 if found else None


def text_of(host: Host, path: str) -> Optional[dict[str, str]]:
    """A file with its path, for the controller."""
    content = host.read(path)
    return None if content is None else {"path": path, "content": content}


def texts_below(host: Host, folder: str, suffix: str = ".conf") -> list[dict[str, str]]:
    """What a kubelet merges from a folder, in its order, folders inside included."""
    found = [text_of(host, path) for path in host.tree(folder, suffix)]
    return [text for text in found if text is not None]


def rancher_files(host: Host, name: str, service: Service) -> dict[str, Any]:
    """The files of RKE2 or k3s, and what they name, by a guess."""
    distribution = TABLE[name]
    options = _options(service.arguments)
    prefix = name.upper()
    config = options.get("config") or service.variables.get(f"{prefix}_CONFIG_FILE", "")
    config = config or distribution.config
    ours = args_file(name)
    paths = [config]
    paths += [
        f"{config}.d/{each}" for each in host.names(f"{config}.d") if re.search(r"\.ya?ml\Z", each)
    ]
    documents = [text for text in (text_of(host, path) for path in paths if path != ours) if text]
    lines = "\n".join(text["content"] for text in documents)
    lines = re.sub(r"(?:^|(?<=\s))#.*$", "", lines, flags=re.MULTILINE)
    given_dir = options.get("data-dir") or service.variables.get(f"{prefix}_DATA_DIR", "")
    data_dir = given_dir or _last(r"^data-dir\s*:\s*[\"']?([^\s\"']+)", lines)
    data_dir = data_dir or distribution.data_dir
    lines += "\n" + "\n".join(service.arguments)
    named = _last(r"(?:^|[\s\"'\[,]|--)config=([^\s\"',\]]+)", lines)
    named_dir = _last(r"(?:^|[\s\"'\[,]|--)config-dir=([^\s\"',\]]+)", lines)
    return {
        "documents": documents,
        "own": text_of(host, ours),
        "arguments": _repeated(service.arguments, "kubelet-arg"),
        "data_dir": data_dir.rstrip("/"),
        "data_dir_guessed": not given_dir,
        "root_dir": _last(r"(?:^|[\s\"'\[,]|--)root-dir=([^\s\"',\]]+)", lines),
        "named": text_of(host, named) if named else None,
        "named_dir": texts_below(host, named_dir, "") if named_dir else [],
    }


def _options(arguments: Iterable[str]) -> dict[str, str]:
    """The options of RKE2's or k3s's own command line that say where things are."""
    short = {"-c": "--config", "-d": "--data-dir"}
    found = joined(short.get(word, word) for word in arguments)
    return dict(map(name_and_value, found))


def _repeated(arguments: Iterable[str], option: str) -> list[str]:
    """The values of an option that may be given again. No other is fetched: some are secret."""
    found = map(name_and_value, joined(arguments))
    return [value for name, value in found if name == option]


def _last(pattern: str, text: str) -> str:
    found = re.findall(pattern, text, re.MULTILINE)
    return str(found[-1]) if found else ""


def finding(host: Host, named: str, process: Optional[Process]) -> distributions.Finding:
    """The distribution, *named* or found. Raises HomenodeProblem where it cannot be told."""
    signs = signs_of(host, process)
    if named == "auto":
        return distributions.found(signs)
    if named == "bottlerocket":
        distributions.refuse_bottlerocket("distribution")
    unit = distributions.unit_of(named, signs)
    return distributions.Finding(named, "it was named", unit)
