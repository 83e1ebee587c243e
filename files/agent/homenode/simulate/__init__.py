# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a policy would do: a described machine, a list of steps, the placements after each.

``scenario`` reads the steps and ``machine`` the machine. ``kube_node`` is the machine with its
policy, and the running containers as a runtime keeps them: whatever has to outlive a restart of
the agent. ``run`` takes it through the steps, ``answer`` tells what came out. The policies are the
ones that the daemon asks, in the same way.

Out of scope: files, formats for people, and whether the kernel would obey.
"""
