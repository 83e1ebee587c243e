# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``make bench``: the figures, as JSON lines; ratios are within one run, so they travel.

    python3 tests/bench/bench.py [--quick] [--strict] [NAME ...]

Each bench is one file with a generator of figures, and a line in BENCHES. Peers come from the
environment (PEER_TOPOLOGY_AWARE, PEER_BALLOONS: the binaries) and are told to be absent otherwise.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:] = [one for one in sys.path if Path(one or ".").resolve() != HERE]  # else we are "bench"
for _folder in ("tests", "plugins/module_utils", "files/agent"):
    if str(ROOT / _folder) not in sys.path:
        sys.path.insert(0, str(ROOT / _folder))

from bench import create_container, decide, facts, footprint, guest_create, kubelet, restart  # noqa: E402
from bench.figures import Figure  # noqa: E402
from bench.nodes import describe_here  # noqa: E402

Bench = Callable[[bool], Iterator[Figure]]
"""Given whether to be quick, the figures one after the other."""

BENCHES: dict[str, Bench] = {
    "create": create_container.run,
    "decide": decide.run,
    "restart": restart.run,
    "footprint": footprint.run,
    "facts": facts.run,
    "kubelet": kubelet.run,
    "guest": guest_create.run,
}


def main(arguments: list[str]) -> int:
    """Run the named benches, or all; 1 where --strict was given and a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHES)}")
    parser.add_argument("--quick", action="store_true", help="few samples, to see that it works")
    parser.add_argument("--strict", action="store_true", help="a missed bar is a failure")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in BENCHES]
    if unknown:
        parser.error(f"no bench {unknown[0]!r}; there are {', '.join(BENCHES)}")
    signal.signal(signal.SIGTERM, lambda *_signal: sys.exit(143))  # so that guests are destroyed
    print(json.dumps({"bench": "here", **describe_here()}), flush=True)
    missed = 0
    for name in options.names or BENCHES:
        for figure in BENCHES[name](options.quick):
            print(figure.line(), flush=True)
            missed += not figure.ok
    print(json.dumps({"bench": "all", "missed": missed}), flush=True)
    return 1 if missed and options.strict else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
