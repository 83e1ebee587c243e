# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The runtime's part where the runtime has no NRI: cgroups that appear are the events.

``watch`` follows the kubelet's cgroups, ``identity`` finds out whose they are, ``bypass`` speaks
to the loop in the same words as the NRI plugin, so that every decision is the same. What differs:
nothing can be refused, a container may run a moment before it is pinned, and a pod's annotations
are known only where the runtime's CRI socket answers or its files hold them.

Out of scope: writing a cpuset (``enforce`` does, through the callable that ``bypass`` is given).
"""
