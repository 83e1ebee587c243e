# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which CPUs of a set to take: the layout of a machine's CPUs and the allocator over it.

Out of scope: which pool or balloon a container belongs to, and how many CPUs it gets.
"""
