# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The section ``exports`` of the configuration: which files tell others about this node.

Out of scope: what stands in the files (``report.nrt``, ``report.nfd``), and writing them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from model.fields import Fields


@dataclass(frozen=True)
class ExportsConfig:
    """Paths, "" for "not written"; *node_name* is the Kubernetes node's, "" for the host's.

    A file is written at most once in *interval_seconds*.
    """

    node_resource_topology: str = ""
    node_features: str = ""
    node_name: str = ""
    interval_seconds: int = 5


NO_EXPORTS = ExportsConfig()


def exports_config(fields: Optional[Fields]) -> ExportsConfig:
    """The section; its defaults where there is none. Raises HomenodeProblem."""
    if fields is None:
        return ExportsConfig()
    config = ExportsConfig(
        node_resource_topology=_path(fields, "node_resource_topology"),
        node_features=_path(fields, "node_features"),
        node_name=fields.text("node_name", ""),
        interval_seconds=fields.integer("interval_seconds", 5, minimum=1, maximum=3600),
    )
    if config.node_features and config.node_features == config.node_resource_topology:
        raise fields.wrong("node_features", "is the other export's file too", "name another file")
    fields.refuse_unknown()
    return config


def _path(fields: Fields, key: str) -> str:
    path = fields.text(key, "")
    if path and not path.startswith("/"):
        raise fields.wrong(key, "is not an absolute path", "write the whole path")
    return path
