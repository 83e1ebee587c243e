# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The shared model: what a machine, a workload and a request are, in values and pure functions.

Everything here is pure: no files, no clock, no logger. The collection's modules use it as
``ansible_collections.homenode.numa.plugins.module_utils.model``; the agent's archive holds the
same files as ``model``. A class loaded under both names is two classes, so objects never cross
between plugin and agent: JSON does.

Read in this order: ``cpuset``, ``quantity``, ``machine``, ``workload``, ``events``, ``problem``.
"""
