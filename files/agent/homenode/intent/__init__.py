# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What tenants and operators ask for, typed and bounded: one file per dialect.

``config`` is the operator's own file, ``policy_objects`` are those of nri-plugins. ``annotations``
finds what holds for a container, ``nri_plugins`` understands it, ``manifests`` and ``pod_intents``
do so before the pod exists. A wrong annotation never stops anything: it becomes a Problem beside
the intent, and the default holds; only a strict demand that cannot be read is kept as one.

Pure. Out of scope: what an intent leads to (``pinning`` decides).
"""
