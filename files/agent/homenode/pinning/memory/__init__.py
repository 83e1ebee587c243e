# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which NUMA nodes a container's memory may come from, and how much of them is promised already.

A *memory zone* is a set of NUMA nodes. A request is booked in one zone, at first the nodes that it
is affine to, in the types that it wants. The usage of a zone is the size of all requests whose
zone lies inside it; above its capacity it is overcommitted. Then requests of low priority move out
to a wider zone: the same nodes and the closest others, of the same types first, then of any.

``layout`` is what never changes, ``books`` who is booked where, ``allocator`` the operations, all
of them books in and books out, so that "what if" is a call whose result is dropped;
``overcommit`` makes room. The rules are those of nri-plugins' ``pkg/resmgr/lib/memory``, so that
placements are the same; there, however, a zone that everybody left is judged for a while after a
reallocation, which refuses what fits.

Out of scope: moving pages, and how much a container really uses.
"""
