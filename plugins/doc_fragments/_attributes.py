# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This doc fragment is PRIVATE to the homenode.numa collection. It may break without notice.

"""What each attribute of a module or action means, once.

A module extends `homenode.numa._attributes` and gives `support` for each of the four (and
`platforms` for `platform`); `homenode.numa._attributes.facts` adds the one for facts modules.
"""

from __future__ import annotations


class ModuleDocFragment:
    """`DOCUMENTATION` is the fragment itself; each other constant is a variant by its name."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: In C(check_mode) it says whether it would change something, and changes nothing.
  diff_mode:
    description: With C(--diff) it shows what has changed, or in check mode what would.
  idempotent:
    description: A second run in a row, with the same options, changes nothing.
  platform:
    description: The systems that it runs on.
"""

    FACTS = r"""
options: {}
attributes:
  facts:
    description: Returns C(ansible_facts), which the following tasks see as variables.
"""
