# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Making it so: what was there before, reading back what is there now, repairing, undoing.

``undo`` keeps before-values; ``readback`` compares cgroups with the ledger on its own thread and
asks for repair where an answer never reached the runtime; ``knobs`` has one file per thing that
can be set. Out of scope: deciding what should be set.
"""
