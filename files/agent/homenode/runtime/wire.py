# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The bounds on everything that comes over the runtime's socket, and the error of passing one.

Out of scope: what the bytes mean. Sources: containerd/nri ``pkg/net/multiplex`` (frame sizes),
containerd/ttrpc PROTOCOL.md (message sizes), protobuf encoding guide (varints).
"""

from __future__ import annotations

from model.problem import HomenodeProblem

MAX_FRAME_BYTES = (1 << 24) + 10
"""Largest frame we accept: NRI before 0.8 sends up to 16 MiB, later ones 4 MiB + 10."""

MAX_MESSAGE_BYTES = 1 << 24
"""Largest message we accept. ttrpc says 4 MiB, but containerd 1.7 sends a larger Synchronize."""

MAX_SENT_BYTES = 4 << 20
"""Largest message we send: every ttrpc refuses more on receipt."""

MAX_STRING_BYTES = 1 << 20
"""Largest string that a message may hold; Kubernetes bounds all annotations of a pod at 256 KiB."""

MAX_ITEMS = 1 << 17
"""Most sub-messages and map entries decoded from one message: bounds memory at some 30 MiB."""

MAX_SYNCHRONIZED = 1 << 16
"""Most pods and containers that all parts of one Synchronize may list together."""


class WireProblem(HomenodeProblem):
    """What came over the socket breaks the protocol or a bound; never holds the payload itself."""

    def __init__(self, field: str, value: object, why: str, *, source: str = "NRI") -> None:
        super().__init__(
            field, value, why, "check the version of the container runtime", source=source
        )
