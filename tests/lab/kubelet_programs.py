# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs of a cluster that the lab runs: the judge's, built once per user."""

from __future__ import annotations

from pathlib import Path

from judge import build
from lab.problem import LabProblem

PROGRAMS = {
    "etcd": build.ETCD,
    "kube-apiserver": build.API_SERVER,
    "kubectl": build.KUBECTL,
    "kubelet": build.kubelet(build.NEW),
}


def program(name: str) -> Path:
    """The program of that name, built first where it must be."""
    try:
        return build.built(PROGRAMS[name])
    except build.Unbuilt as reason:
        raise LabProblem(str(reason), "install Go, or run `-m 'not lab'`") from None
