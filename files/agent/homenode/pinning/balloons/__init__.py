# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The balloons policy: sets of CPUs that swell and shrink with the containers inside.

A *balloon* is an instance of a type that the operator defines. No CPU is in two balloons; those in
none are *idle*. All containers of a balloon run on all its CPUs, and where its type says so on idle
CPUs nearby. A new container goes this way:

    choose          which type (annotation, expressions, namespaces), which of its instances
    creation        a new instance, with those of its components
    sizing          its size: the sum of requests in whole CPUs, within the bounds of the type
    resize          which CPUs come or go: near some devices, far from others and from loads ...
    cpu_tree        ... and together in the smallest piece of the machine that has enough of them
    share_idle      who may also use the CPUs that nobody has
    pin             what all that means for each container's cpuset

and after a restart its balloon is found again: ``adopt``, from what ``remember`` gave (``believe``)
or from what runs alone (``made_up``).

Placements are those of nri-plugins' balloons policy, on purpose with its quirks. Out of scope:
writing anything, and what a CPU class does to a CPU.
"""
