# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every policy with a small configuration, as the operator would write it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from homenode.intent.config import BALLOONS, TOPOLOGY_AWARE, PinningConfig, parse_config

SPECS: Mapping[str, Mapping[str, Any]] = {
    TOPOLOGY_AWARE: {"reservedResources": {"cpu": "750m"}},
    BALLOONS: {"reservedResources": {"cpu": "1"}},
}


def pinning(policy: str, **keys: Any) -> PinningConfig:
    """The section ``pinning`` for *policy*; *keys* go beside its spec."""
    spec = {} if policy not in SPECS else {"spec": SPECS[policy]}
    config = parse_config({"pinning": {"policy": policy, **spec, **keys}}, source="test").pinning
    assert config is not None
    return config
