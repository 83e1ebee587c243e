# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``homenode intent MANIFEST``: how the annotations of pods would be understood, and what is wrong.

For pipelines too: exit 1 where there is a problem. Needs neither a node nor root.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from typing import Any, Optional

from homenode.intent.manifests import pods_in
from homenode.intent.pod_intents import PodIntents, pod_intents
from homenode.intent.policy_objects import PolicyConfig, parse_policy
from homenode.intent.said import said
from homenode.intent.yaml_subset import read_documents
from homenode.report.columns import aligned, one_line, printable
from model.problem import HomenodeProblem

MAX_CHARACTERS = 4 << 20


def configure(parser: argparse.ArgumentParser) -> None:
    """The manifests, what they will meet, and the form of the answer."""
    parser.add_argument("manifest", nargs="+", metavar="MANIFEST", help="a file, or - for stdin")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.add_argument(
        "--config-file",
        metavar="FILE",
        help="a TopologyAwarePolicy or BalloonsPolicy, to check the names of classes and types",
    )


def run(arguments: argparse.Namespace) -> int:
    """1 where there is a problem, or a manifest cannot be read; else 0."""
    policy = _policy(arguments.config_file)
    found = [
        pod_intents(pod, policy)
        for path in arguments.manifest
        for document in _documents(path)
        for pod in pods_in(document, source=_shown(path))
    ]
    if arguments.format == "json":
        print(json.dumps({"pods": [_as_json(one) for one in found]}, indent=2))
    else:
        print("\n".join(map(_as_text, found)) if found else "no pod in there")
    return 1 if any(one.problems for one in found) else 0


def _policy(path: Optional[str]) -> Optional[PolicyConfig]:
    if path is None:
        return None
    documents = _documents(path)
    if len(documents) != 1:
        why, remedy = f"has {len(documents)} documents", "give one policy object"
        raise HomenodeProblem("--config-file", path, why, remedy)
    return parse_policy(documents[0], source=path)


def _documents(path: str) -> tuple[Any, ...]:
    text = _text(path)
    try:
        return read_documents(text, field="MANIFEST", limit=MAX_CHARACTERS, source=_shown(path))
    except HomenodeProblem:
        documents = _by_pyyaml(text) if len(text) <= MAX_CHARACTERS else None
        if documents is None:
            raise
        return documents


def _by_pyyaml(text: str) -> Optional[tuple[Any, ...]]:
    """Manifests may have anchors, which our own reader refuses; None where PyYAML cannot help."""
    try:
        yaml: Any = importlib.import_module("yaml")
    except ImportError:
        return None

    class Loader(yaml.SafeLoader):  # type: ignore[misc]
        """Refuses a key that is there twice."""

        def construct_mapping(self, mapping: Any, deep: bool = False) -> Any:
            keys = [self.construct_object(key) for key, _value in mapping.value]
            if len({*map(repr, keys)}) < len(keys):
                raise yaml.constructor.ConstructorError(None, None, "a key twice", None)
            return super().construct_mapping(mapping, deep)

    try:
        return tuple(one for one in yaml.load_all(text, Loader) if one is not None)
    except (yaml.YAMLError, RecursionError):
        return None


def _text(path: str) -> str:
    try:
        if path == "-":
            return sys.stdin.buffer.read(MAX_CHARACTERS * 4).decode()
        with open(path, encoding="utf-8") as file:
            return file.read(MAX_CHARACTERS + 1)
    except OSError as error:
        why = f"cannot be read ({error.strerror})"
        raise HomenodeProblem("MANIFEST", path, why, "name a file, or - for stdin") from None
    except UnicodeDecodeError:
        raise HomenodeProblem("MANIFEST", path, "is not UTF-8", "save it as UTF-8") from None


def _shown(path: str) -> str:
    return "stdin" if path == "-" else path


def _as_json(one: PodIntents) -> dict[str, Any]:
    return {
        "pod": one.pod.full_name,
        "qos_class": one.pod.qos_class,
        "intent": {name: said(intent) for name, intent in one.intents.items()},
        "problems": [
            {key: value for key, value in problem.as_dict().items() if key != "source"}
            for problem in one.problems
        ],
    }


def _as_text(one: PodIntents) -> str:
    lines = [f"{one.pod.full_name} ({one.pod.qos_class})"]
    rows = []
    for name, intent in one.intents.items():
        phrases = [f"{key.replace('_', ' ')}: {_words(is_)}" for key, is_ in said(intent).items()]
        for at, phrase in enumerate(phrases or ["nothing is asked for"]):
            rows.append(("" if at else f"  {name}", phrase))
    lines += aligned(rows) if rows else []
    lines += [f"  problem: {problem}" for problem in one.problems]
    return "\n".join(printable(one_line(line)) for line in lines)


def _words(value: Any) -> str:
    """A value of an intent as a person would say it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return (
            "; ".join(map(_words, value))
            if value and isinstance(value[0], dict)
            else _listed(value)
        )
    if not isinstance(value, dict):
        return str(value)
    if "weight" in value:
        scope = _words(value["scope"]) if value["scope"] else "the same pod"
        return f"{value['weight']:+d} for {_words(value['match'])}, within {scope}"
    if "operator" in value:
        return f"{value['key']} {value['operator']} {_listed(value['values'])}".rstrip()
    return ", ".join(f"{key} {_words(is_)}" for key, is_ in value.items() if is_ != [])


def _listed(values: list[Any]) -> str:
    return " ".join(map(str, values)) if values else "none"
