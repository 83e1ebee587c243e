# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pods in Kubernetes manifests: written as such, in lists, or as the template of something.

A template is found by its place, not by its kind, so that what others define (rollouts, knative
services, jobs of any sort) is read too. Out of scope: what their annotations mean
(``pod_intents``), and every check that the API server makes itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Optional

from model.asked import AskedAmounts, qos_class, read_amounts
from model.fields import Fields
from model.problem import HomenodeProblem, Problem

from .annotations import ours

MAX_DEPTH = 8
"""Lists in lists go no deeper."""
MAX_CONTAINERS = 256

_TEMPLATES = (("spec", "template"), ("template",), ("spec", "jobTemplate", "spec", "template"))


@dataclass(frozen=True)
class ManifestContainer:
    """A container and what it asks for; *path* is where it stands in the pod's spec."""

    name: str
    path: str
    asked: AskedAmounts = field(default_factory=dict)


@dataclass(frozen=True)
class ManifestPod:
    """A pod as its manifest has it; *problems* are what Kubernetes would refuse, or overlook."""

    namespace: str
    name: str
    qos_class: str
    annotations: Mapping[str, str]
    containers: tuple[ManifestContainer, ...]
    problems: tuple[Problem, ...] = ()

    @property
    def full_name(self) -> str:
        """``namespace/name``; the name is that of the workload where the pod is a template."""
        return f"{self.namespace}/{self.name}"


def pods_in(document: object, *, source: str, depth: int = 0) -> Iterator[ManifestPod]:
    """Every pod in one document; things without pods have none.

    Raises HomenodeProblem where the document is no Kubernetes object at all.
    """
    top = Fields(document, source=source)
    if not isinstance(document, Mapping) or not ("kind" in document or "items" in document):
        raise top.wrong("kind", "is missing", "give Kubernetes manifests")
    items = document.get("items")
    if isinstance(items, list) and depth < MAX_DEPTH:
        for item in items:
            yield from pods_in(item, source=source, depth=depth + 1)
    elif document.get("kind") == "Pod":
        yield _pod(document, document, source)
    else:
        for place in _TEMPLATES:
            template = _at(document, place)
            if template is not None and _at(template, ("spec",)) is not None:
                yield _pod(document, template, source)


def _at(values: Mapping[str, Any], place: tuple[str, ...]) -> Optional[Mapping[str, Any]]:
    """The mapping at a place; None where there is none."""
    here: Any = values
    for key in place:
        here = here.get(key) if isinstance(here, Mapping) else None
    return here if isinstance(here, Mapping) else None


def _pod(owner: Mapping[str, Any], template: Mapping[str, Any], source: str) -> ManifestPod:
    problems: list[Problem] = []
    named = _at(owner, ("metadata",)) or {}
    annotations = _annotations(template, source, problems)
    if owner is not template:
        problems.extend(_misplaced(owner, source))
    spec = Fields(_at(template, ("spec",)) or {}, source=source, path="spec")
    containers = tuple(_containers(spec, problems))
    overall = _asked(spec, "resources", problems)
    return ManifestPod(
        namespace=str(named.get("namespace") or "default"),
        name=str(named.get("name") or f"{named.get('generateName') or ''}*"),
        qos_class=qos_class([overall] if overall else [one.asked for one in containers]),
        annotations=annotations,
        containers=containers,
        problems=tuple(problems),
    )


def _annotations(
    template: Mapping[str, Any], source: str, problems: list[Problem]
) -> dict[str, str]:
    """Those of the pod; what is no text is told, and read as the text that was meant."""
    found = {}
    for key, value in (_at(template, ("metadata", "annotations")) or {}).items():
        key = str(key)
        if isinstance(value, str):
            found[key] = value
            continue
        text = str(value).lower() if isinstance(value, bool) else str(value)
        why, remedy = "is no text, so Kubernetes refuses the manifest", "put it in quotes"
        problems.append(Problem(key, text, why, remedy, source))
        if isinstance(value, (bool, int, float)):
            found[key] = text
    return found


def _misplaced(owner: Mapping[str, Any], source: str) -> Iterator[Problem]:
    """Annotations of ours on the workload, whose pods never see them."""
    annotations = _at(owner, ("metadata", "annotations")) or {}
    for key in ours({str(key): "" for key in annotations}):
        why = f"stands on the {owner.get('kind')}, whose pods do not get it"
        remedy = "move it to the metadata of the pod template"
        yield Problem(key, str(annotations.get(key)), why, remedy, source)


def _containers(spec: Fields, problems: list[Problem]) -> Iterator[ManifestContainer]:
    for key in ("initContainers", "containers"):
        try:
            entries = spec.sections(key, most=MAX_CONTAINERS)
        except HomenodeProblem as error:
            problems.append(error.problem)
            continue
        for entry in entries:
            try:
                name = entry.scalar("name", "")
            except HomenodeProblem as error:
                problems.append(error.problem)
                continue
            yield ManifestContainer(name, entry.name("name"), _asked(entry, "resources", problems))


def _asked(fields: Fields, key: str, problems: list[Problem]) -> AskedAmounts:
    """What cannot be read is told, and asks for nothing."""
    try:
        section = fields.section(key)
        return {} if section is None else read_amounts(section)
    except HomenodeProblem as error:
        problems.append(error.problem)
        return {}
