# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kernel's interfaces, one file each under the kernel's name: reading and writing, no policy.

Whatever a container can make vanish (its cgroup, its processes) is read as "not there", never as
an error. Out of scope: deciding anything, and the machine's topology, which ``host_files`` opens
and ``model.sysfs`` reads.
"""
