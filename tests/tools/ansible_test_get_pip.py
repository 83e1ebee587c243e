# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stands in for the get-pip script that ansible-test downloads, where that host is out of reach.

It takes pip from the Python at hand, then installs what it was asked for from the configured index.
"""

import subprocess
import sys

wanted = [word for word in sys.argv[1:] if word not in ("--no-setuptools", "--no-wheel")]
# In a process of its own: ensurepip turns pip's configuration off for the process it runs in.
subprocess.check_call(
    [sys.executable, "-m", "ensurepip", "--default-pip"], stdout=subprocess.DEVNULL
)
subprocess.check_call([sys.executable, "-m", "pip", "install", "--quiet", "--upgrade", *wanted])
