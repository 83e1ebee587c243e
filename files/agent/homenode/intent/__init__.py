# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What tenants and operators ask for, typed and bounded: one file per dialect.

``config`` is the operator's own file; ``annotations`` finds the key that holds for a container;
``nri_plugins`` understands the annotations of that project. A wrong value never stops anything:
it becomes a Problem beside the intent, and the default holds.

Pure. Out of scope: what an intent leads to (``pinning`` decides).
"""
