# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every role says what it takes in one place, and its defaults are what it says there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
ROLES = sorted(path for path in (ROOT / "roles").iterdir() if path.is_dir())


def read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    return content


def options_of(role: Path) -> dict[str, dict[str, Any]]:
    """The options of all entry points together."""
    entries = read(role / "meta/argument_specs.yml")["argument_specs"].values()
    return {name: option for entry in entries for name, option in entry["options"].items()}


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_defaults_are_the_documented_ones(role: Path) -> None:
    documented = {
        name: option["default"] for name, option in options_of(role).items() if "default" in option
    }
    assert documented == read(role / "defaults/main.yml")


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_every_option_is_named_after_its_role_and_explained(role: Path) -> None:
    for name, option in options_of(role).items():
        assert name.startswith(f"{role.name}_"), name
        assert option["description"], name
        assert "type" in option, name
        assert ("default" in option) or option.get("required") is not None, name


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_a_role_can_be_undone_and_is_described(role: Path) -> None:
    state = options_of(role)[f"{role.name}_state"]
    assert {"present", "absent"} <= set(state["choices"])
    assert (
        (role / "README.md").read_text(encoding="utf-8").startswith(f"# homenode.numa.{role.name}")
    )
    assert read(role / "meta/main.yml")["galaxy_info"]["description"]
