# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known, what was granted, and why: four kinds of state that are never mixed.

* facts: what the runtime and the cgroups say (``world.World.pods``, ``containers``, ``observed``);
* intent: what is asked (room ``intent``), read anew from the facts whenever it is needed;
* ledger: what we granted and why (``ledger``): a hint that may be deleted at any time;
* undo: before-values, which live in room ``enforce``.

``merge`` adds a fact; ``adopt`` rebuilds the ledger from what runs, so that a restart moves
nothing. Pure. Out of scope: choosing a placement (``pinning``).
"""
