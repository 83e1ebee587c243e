# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The runtime room: what a container runtime tells us, and what we answer, over NRI.

A runtime that speaks NRI (containerd >= 1.7, CRI-O >= 1.26) opens one unix socket. We connect to
it as an external plugin and stay connected; on the one stream run two RPC connections, one in
each direction. Bottom up, and in the order to read:

    wire           the room's one exception, and every bound on what we accept
    mux            frames: two connections on one socket
    ttrpc          requests and responses inside the frames
    codec          protobuf by table: only fields that a table names are decoded or kept
    nri_messages   those tables, and the names of services, methods and events
    nri            messages <-> the model's events and replies
    answers        every call is answered once, at its deadline at the latest
    session        one connection: register, configure, synchronize, then events
    plugin         connect, and connect again; the notices; updates that nobody asked for

What a runtime forgives is little: a plugin that answers with an error makes the creation of the
container fail, one that answers after two seconds is cut off, one that asks for updates inside a
handler waits for itself. Hence: no error travels on the wire in answer to an event, but for a
creation that is refused with its reason; "no change" is sent at our own deadline, well before the
runtime's, and updates come from another thread. Environment and arguments of containers (secrets
live there) are skipped while decoding.

Imports only ``model``. Out of scope: what to answer (``pinning``), cgroups (``linux``), runtimes
without NRI (bypass), the CRI and podresources sockets.
"""
