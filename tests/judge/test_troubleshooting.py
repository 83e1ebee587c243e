# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The error texts of docs/kubelet/troubleshooting.md were heard from real kubelets."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from judge import build, scenarios

PAGE = Path(__file__).resolve().parents[2] / "docs/kubelet/troubleshooting.md"
HEADINGS = re.findall(r"^### `(.*)`$", PAGE.read_text(), re.M)
BY_HAND = ("Object 'Kind' is missing in",)
"""The filters take mappings, so no scenario has a file without its kind."""
HEARD = {
    scenario.expected.message
    for version in (build.NEW, build.OLD)
    for scenario in scenarios.load(version)
    if scenario.expected.message
}


def shape(words: str) -> str:
    """The words without the values of one case."""
    return re.sub(r'"[^"]*"|\d[\d,-]*(?:Mi|Gi)?', "…", words)


@pytest.mark.parametrize("heading", [text for text in HEADINGS if text not in BY_HAND])
def test_a_heading_was_heard(heading: str) -> None:
    wanted = shape(heading)
    assert any(wanted in shape(words) or shape(words) in wanted for words in HEARD)


def test_there_are_headings() -> None:
    assert len(HEADINGS) > 20
