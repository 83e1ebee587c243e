# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python -m peers.record FILE...``: run the peer, and keep in each file what it did.

Each scenario runs twice; what the peer does differently the second time (it walks Go maps) is no
fact, so the file ends before that step.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from .peer import peer_binary, run
from .recording import plain, with_seen, write

RUNS = 2


def recorded(content: Mapping[str, Any], binary: str) -> dict[str, Any]:
    """*content* as the peer plays it; its steps end before the first that is not reproducible."""
    scenario = plain(content)
    results = [run(scenario, binary) for _again in range(RUNS)]
    first = results[0]
    same = 0
    for step, others in enumerate(zip(*(result["steps"] for result in results))):
        if any(other["assignments"] != others[0]["assignments"] for other in others):
            break
        same = step + 1
    kept = with_seen(content, {**first, "steps": first["steps"][:same]})
    if first["error"]:
        kept = {**kept, "refused": first["error"]}
    return kept


def main(paths: list[str]) -> int:
    """Record anew; tells of files that lost steps."""
    for name in paths:
        path = Path(name)
        text = path.read_text(encoding="utf-8")
        content = yaml.safe_load(text)
        if text.startswith("# "):
            content = {"about": text[2:].split("\n", 1)[0], **content}
        binary = peer_binary(content["policy"])
        if binary is None:
            print(f"{name}: peer absent")
            return 2
        kept = recorded(content, binary)
        lost = len(content["steps"]) - len(kept["steps"])
        if lost and "refused" not in kept:
            print(f"{name}: {lost} steps are not reproducible")
        write(path, kept)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
