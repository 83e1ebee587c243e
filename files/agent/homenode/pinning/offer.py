# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Offer and commit: a what-if that is bound to the ledger it was made for."""

from __future__ import annotations

from dataclasses import dataclass

from homenode.world.ledger import Grant, Ledger


@dataclass(frozen=True)
class Offer:
    """A grant that would be made; *ledger_version* is that of the ledger it was made for."""

    ledger_version: int
    grant: Grant


class OutdatedOffer(Exception):
    """The ledger changed between offer and commit: ask for a new offer."""


def commit(ledger: Ledger, offer: Offer) -> Ledger:
    """The next ledger, with the offered grant. Raises OutdatedOffer."""
    if offer.ledger_version != ledger.version:
        raise OutdatedOffer(f"made for version {offer.ledger_version}, now {ledger.version}")
    return ledger.with_grants([offer.grant])
