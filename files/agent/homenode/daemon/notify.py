# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The service manager's protocol: sd_notify(3) over its datagram socket."""

from __future__ import annotations

import os
import socket
from typing import Optional


def notify(message: str) -> None:
    """Tell the service manager, if there is one; never raises."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.sendto(message.encode("utf-8"), address)
    except OSError:
        pass  # a manager that does not listen must not end the service


def watchdog_seconds() -> Optional[float]:
    """How often the manager wants a sign of life; None where it does not."""
    text = os.environ.get("WATCHDOG_USEC", "")
    return int(text) / 1_000_000 if text.isdigit() and int(text) > 0 else None
