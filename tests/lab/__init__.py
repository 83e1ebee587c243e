# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Multi-NUMA-node QEMU guests for the demo, the role tests and pytest: see README.md.

`python3 -m lab up NAME` (with `tests` on PYTHONPATH) gives a running guest. In Python:

    from lab.guest import create
    with create("web", topology="2n") as guest:
        guest.run("numactl --hardware")
"""

from __future__ import annotations
