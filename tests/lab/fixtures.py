# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pytest fixtures: a fresh guest for each test, a running one kept per module.

    @on_guests("2n 1.7", "4n 2.x")
    def test_something(guest): guest.run("...")

Load with `-p lab.fixtures` (`tests` on PYTHONPATH). Tests that use a guest carry the marker
`lab`: `-m "not lab"` leaves them out.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from lab import fleet
from lab.guest import Guest

FULL = bool(os.environ.get("HOMENODE_LAB_FULL"))
"""Whether all is to run that the lab knows (`make test-lab-full`), however long it takes."""

_numbers = itertools.count(1)


@dataclass(frozen=True)
class GuestKind:
    """Which machine a test wants."""

    topology: str = "2n"
    containerd: str = "1.7"


def on_guests(*kinds: str) -> pytest.MarkDecorator:
    """Run a test, or with `pytestmark` a module, on each kind: `"TOPOLOGY CONTAINERD"`."""
    values = [GuestKind(*kind.split()) for kind in kinds]
    ids = [kind.replace(" ", "-containerd-") for kind in kinds]
    return pytest.mark.parametrize("guest_kind", values, indirect=True, scope="module", ids=ids)


@pytest.fixture(scope="module")
def guest_kind(request: pytest.FixtureRequest) -> GuestKind:
    """The machine of this module's guest; on_guests sets it."""
    kind = getattr(request, "param", GuestKind())
    assert isinstance(kind, GuestKind)
    return kind


@pytest.fixture(scope="module")
def module_guest(guest_kind: GuestKind) -> Iterator[Guest]:
    """A guest for all tests of a module, with what earlier tests did to it."""
    name = f"pytest-{os.getpid()}-{next(_numbers)}"
    with fleet.create(name, guest_kind.topology, guest_kind.containerd) as guest:
        yield guest


@pytest.fixture(scope="module")
def _tests_before(module_guest: Guest) -> Iterator[int]:
    """Counts the tests that had this guest."""
    return itertools.count()


@pytest.fixture
def guest(module_guest: Guest, _tests_before: Iterator[int]) -> Guest:
    """The module's guest, as it was after its creation."""
    if next(_tests_before):
        module_guest.rollback()
    return module_guest


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line("markers", "lab: needs a guest (set by use of the guest fixtures)")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that use a guest."""
    for item in items:
        if {"module_guest", "cluster"} & set(getattr(item, "fixturenames", ())):
            item.add_marker("lab")
