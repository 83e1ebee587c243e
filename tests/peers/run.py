# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python -m peers.run SCENARIO.yaml``: what the real peer does with a scenario, as JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from .peer import VARIABLES, peer_binary, run
from .recording import read_scenario


def main(path: str) -> int:
    """Print the peer's answer; 2 where there is no peer."""
    scenario = read_scenario(Path(path))
    binary = peer_binary(scenario["policy"])
    if binary is None:
        print(f"peer absent: name it in {VARIABLES[scenario['policy']]}", file=sys.stderr)
        return 2
    print(json.dumps(run(scenario, binary), indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
