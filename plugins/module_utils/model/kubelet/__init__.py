# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""What a kubelet does with its configuration, known before it is started.

The memory manager's policy ``Static`` starts only if the memory that is reserved on NUMA nodes adds
up, to the byte, to what the node keeps back anyway::

    sum of reservedMemory = kubeReserved.memory + systemReserved.memory
                            + evictionHard's memory.available

Nobody writes that right side down in one place: it is what remains of compiled-in defaults, the
file behind ``--config``, the drop-ins behind ``--config-dir`` and flags, merged by rules that
differ for maps, lists and flags. So:

1. ``effective`` merges these sources as the kubelet does, with the origin of every value;
   ``flags`` and ``defaults`` are what it merges, ``configuration`` reads single fields.
2. ``arithmetic`` computes the need, and prints it as the kubelet would.
3. ``split`` divides it over NUMA nodes, never more than a node has.
4. ``rendering`` writes the drop-in.
5. ``validation`` says what a kubelet would refuse, in its own words, and what it should refuse;
   ``managers`` is the part of its Topology, CPU and Memory Managers on ``hardware``.
6. ``checkpoints`` names the state files that it would refuse too.
7. ``plan`` is all of it for one node: settings in, drop-in and reasons out.

Out of scope: reading or writing a node's files, restarting anything.
Sources of the rules: k8s.io/kubernetes ``cmd/kubelet/app/server.go``,
``pkg/kubelet/cm/memorymanager``, ``pkg/kubelet/cm/node_container_manager_linux.go``,
``pkg/kubelet/eviction/helpers.go``, ``pkg/kubelet/apis/config/validation``.
"""
