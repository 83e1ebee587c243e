# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The floor: our runtime room, no policy, takes the five flags, answers "no change" to all."""

from __future__ import annotations

import signal
import sys
import threading

from homenode.runtime.plugin import NriPlugin
from homenode.runtime.settings import NriSettings
from model.events import NO_CHANGE


def main(arguments: list[str]) -> None:
    """Serve until SIGTERM."""
    flags = dict(zip(arguments[::2], arguments[1::2]))
    stop = threading.Event()
    settings = NriSettings(flags["--nri-socket"], plugin_name="floor")
    plugin = NriPlugin(settings, lambda event, deadline: NO_CHANGE, lambda notice: None)
    signal.signal(signal.SIGTERM, lambda *_signal: stop.set())
    plugin.run(stop)


if __name__ == "__main__":
    main(sys.argv[1:])
