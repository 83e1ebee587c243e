# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Topology-aware: each container in one pool of a tree that mirrors the machine.

A pool's CPUs are shared by its containers, except those that some container has for itself.
``pools`` is the tree, ``request`` what a container asks for, ``scores`` and ``rules`` which pool
suits it best, ``books`` who has what, ``policy`` the whole. Placements are those of nri-plugins'
policy of the same name, whose defects stay there. Out of scope: how CPUs are picked out of a set
(``pinning.cpus``), memory zones (``pinning.memory``), cgroups.
"""
