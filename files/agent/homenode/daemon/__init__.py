# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The daemon: wiring only. Threads, files and signals meet the pure loop here.

Threads: the runtime room's (asks ``owner`` under a deadline), the read-back's (``enforce``), the
publisher's (journal, status and ledger files, off the answering path), one for metrics where they
are asked for, and the main thread, which feeds the watchdog. ``owner`` holds the one World.
"""
