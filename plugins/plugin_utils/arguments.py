# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin util is PRIVATE to the homenode.numa collection. It may break without notice.

"""What a filter is given, checked: a wrong value is named, not guessed at."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.homenode.numa.plugins.module_utils.model.problem import HomenodeProblem


def whole_number(field: str, value: object, *, least: int = 1) -> int:
    """*value* as a number of things; digits as text are taken, because templates make texts.

    Raises HomenodeProblem naming *field*.
    """
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise HomenodeProblem(
            field, value, f"is not a whole number of at least {least}", f"give {field} as a number"
        )
    return value


def yes_or_no(field: str, value: object) -> bool:
    """*value*, if it is true or false. Raises HomenodeProblem naming *field*."""
    if not isinstance(value, bool):
        raise HomenodeProblem(field, value, "is neither true nor false", f"give {field}=true")
    return value


def one_of(field: str, value: object, choices: Sequence[str]) -> str:
    """*value*, if it is one of *choices*. Raises HomenodeProblem naming *field*."""
    if not isinstance(value, str) or value not in choices:
        raise HomenodeProblem(field, value, "is not known", f"use one of {', '.join(choices)}")
    return value
