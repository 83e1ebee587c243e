# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`make build`: say what was built, and its digest."""

from __future__ import annotations

import sys

from tools.artifacts import ROOT, build_agent, build_collection


def main() -> int:
    agent = ROOT / "build/homenode.pyz"
    digest = build_agent(agent)
    print(f"{agent.relative_to(ROOT)}  {agent.stat().st_size} bytes  sha256 {digest}")
    collection = build_collection(ROOT / "dist")
    print(f"{collection.relative_to(ROOT)}  {collection.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
