# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An intent as JSON-clean values: only what was said, under the names of its fields."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

from .tenant import HintIntent, TenantIntent

_NOT_SAID_BY_ANYBODY = ("problems", "demand", "cpu_class_scope")


def said(intent: TenantIntent) -> dict[str, Any]:
    """The fields that differ from their defaults, but for the problems."""
    values = _differing(intent)
    kept = {name: value for name, value in values.items() if name not in _NOT_SAID_BY_ANYBODY}
    if intent.cpu_class is not None:
        kept["cpu_class_scope"] = intent.cpu_class_scope
    return kept


def _differing(value: Any) -> dict[str, Any]:
    whole = {one.name: getattr(value, one.name) for one in fields(value)}
    defaults = {one.name: one.default for one in fields(value)}
    return {name: _clean(is_) for name, is_ in whole.items() if is_ != defaults[name]}


def _clean(value: Any) -> Any:
    if isinstance(value, HintIntent):
        return _differing(value)
    if is_dataclass(value):
        return {one.name: _clean(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return [_clean(item) for item in value]
    return value
