# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The peers' placements as our oracle: run them, keep what they did, compare ours with it.

The peers are the topology-aware and balloons plugins of containers/nri-plugins. They are not part
of this project: ``README.md`` says how to build them. Out of scope: their figures (``bench``).

Read in this order: scenario, sysfs, runtime, peer, recording, differences.
"""
