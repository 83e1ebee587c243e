# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Brings plugins/plugin_utils/ec2_eni_limits.txt up to date with what AWS publishes.

It reads a file or standard input, in either form:

* ``nodeadm/internal/kubelet/instance-info.jsonl`` of github.com/awslabs/amazon-eks-ami, a JSON
  object per line. It covers every region, so ``--replace`` may start from nothing.
* What ``aws ec2 describe-instance-types --output json`` prints. It covers one region, so it only
  adds and corrects.

    python3 tests/tools/refresh_ec2_limits.py --date 2026-07-01 --replace instance-info.jsonl
    aws ec2 describe-instance-types --output json | python3 tests/tools/refresh_ec2_limits.py

Nothing is fetched here: whoever runs it sees what goes in, and the diff says what came out.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

TABLE = Path(__file__).resolve().parents[2] / "plugins/plugin_utils/ec2_eni_limits.txt"
HEAD = """\
# How many network interfaces an EC2 instance type has, and how many IPv4 addresses each of them.
# Origin: facts that AWS publishes, nodeadm/internal/kubelet/instance-info.jsonl of
# github.com/awslabs/amazon-eks-ami and `aws ec2 describe-instance-types`.
# Date: {date}. Instance types: {count}.
# Format: family, interfaces of the default network card, IPv4 addresses per interface, sizes.
# Refresh: python3 tests/tools/refresh_ec2_limits.py --help
"""

Limits = tuple[int, int]
"""Interfaces of the default network card, IPv4 addresses per interface."""

_TYPE = re.compile(r"[a-z0-9-]+\.[a-z0-9-]+\Z", re.ASCII)


def read_source(text: str) -> dict[str, Limits]:
    """Every instance type of either form. Raises ValueError naming the first odd record."""
    found = {}
    for record in _records(text):
        try:
            name, limits = _limits(record)
        except (KeyError, IndexError, TypeError) as error:
            raise ValueError(f"no limits in {json.dumps(record)[:200]}: {error!r}") from None
        if not _TYPE.match(name) or not all(0 < number < 1000 for number in limits):
            raise ValueError(f"not an instance type with its limits: {name!r} {limits}")
        found[name] = limits
    if not found:
        raise ValueError("no instance type in the input")
    return found


def read_table(text: str) -> dict[str, Limits]:
    """The table as it is now."""
    found = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            key, _colon, sizes = line.partition(":")
            family, enis, addresses = key.split()
            found.update(
                {f"{family}.{size}": (int(enis), int(addresses)) for size in sizes.split()}
            )
    return found


def table(types: Mapping[str, Limits], date: str) -> str:
    """The whole file; the same facts give the same text, and a new size changes one line."""
    lines: dict[tuple[str, int, int], list[str]] = {}
    for name in sorted(types):
        family, _dot, size = name.partition(".")
        lines.setdefault((family, *types[name]), []).append(size)
    head = HEAD.format(date=date, count=len(types))
    return head + "".join(
        f"{family} {enis} {addresses}: {' '.join(lines[family, enis, addresses])}\n"
        for family, enis, addresses in sorted(lines)
    )


def main(words: Sequence[str]) -> int:
    """Rewrite the table and tell what changed; 1 and a reason if the input is odd."""
    options = _options(words)
    try:
        text = sys.stdin.read() if options.source == "-" else Path(options.source).read_text()
        fresh = read_source(text)
    except (OSError, ValueError) as error:
        print(f"refresh_ec2_limits: {options.source}: {error}", file=sys.stderr)
        return 1
    former = read_table(options.table.read_text()) if options.table.exists() else {}
    types = fresh if options.replace else {**former, **fresh}
    options.table.write_text(table(types, options.date))
    changed = [name for name in former if name in types and types[name] != former[name]]
    print(
        f"{len(types)} types: {len(types.keys() - former.keys())} new, {len(changed)} changed, "
        f"{len(former.keys() - types.keys())} gone"
    )
    return 0


def _records(text: str) -> Iterator[Any]:
    try:
        whole = json.loads(text)
    except ValueError:
        yield from (json.loads(line) for line in text.splitlines() if line.strip())
        return
    listed = whole.get("InstanceTypes", [whole]) if isinstance(whole, dict) else whole
    yield from listed


def _limits(record: Any) -> tuple[str, Limits]:
    if "instanceType" in record:
        limits = int(record["defaultMaxENIs"]), int(record["ipv4AddressesPerInterface"])
        return record["instanceType"], limits
    network = record["NetworkInfo"]
    card = network["NetworkCards"][network["DefaultNetworkCardIndex"]]
    limits = int(card["MaximumNetworkInterfaces"]), int(network["Ipv4AddressesPerInterface"])
    return record["InstanceType"], limits


def _options(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", nargs="?", default="-", help="a file, or - for standard input")
    today = datetime.now(tz=timezone.utc).date().isoformat()
    parser.add_argument("--date", default=today, help="of the facts, by default today")
    parser.add_argument("--replace", action="store_true", help="drop types that are not in it")
    parser.add_argument("--table", type=Path, default=TABLE, help="the file to write")
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
