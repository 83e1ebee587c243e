# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of EC2 instance types, and the tool that refreshes it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.homenode.numa.plugins.module_utils.model.problem import HomenodeProblem
from ansible_collections.homenode.numa.plugins.plugin_utils.cloud_reservations import eni_max_pods
from ansible_collections.homenode.numa.plugins.plugin_utils.ec2_eni_limits import (
    TABLE,
    EniLimits,
    limits_of,
    parse,
)

TOOL = Path(__file__).resolve().parents[3] / "tools/refresh_ec2_limits.py"
RECORDED = Path(__file__).with_name("recorded")


def refresh(source: Path, table: Path, *options: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, str(TOOL), "--table", str(table), *options, str(source)]
    return subprocess.run(words, capture_output=True, text=True, check=False)


def test_the_table_says_where_it_comes_from_and_holds_what_it_says() -> None:
    head = [line for line in TABLE.read_text().splitlines() if line.startswith("#")]
    assert any("instance-info.jsonl" in line for line in head)
    assert any("Date: 2026-07-01. Instance types: 1384." in line for line in head)
    assert len(parse(TABLE.read_text())) == 1384


def test_what_is_known_of_the_whole_table() -> None:
    """kubelet.md 2.2: 46 figures from 4 to 1514, of which 737 is by far the most frequent."""
    known = parse(TABLE.read_text()).values()
    pods = [eni_max_pods(limits.enis, limits.ipv4_per_eni) for limits in known]
    assert len(set(pods)) == 46
    assert (min(pods), max(pods)) == (4, 1514)
    assert pods.count(737) == 262


def test_limits() -> None:
    assert limits_of("m5.24xlarge") == EniLimits(15, 50)


@pytest.mark.parametrize("wrong", ["m5.24xlarg", "M5.24XLARGE", "m5", "", None, 5])
def test_an_unknown_type_is_named(wrong: object) -> None:
    with pytest.raises(HomenodeProblem) as caught:
        limits_of(wrong)
    assert str(wrong) in str(caught.value)
    assert "describe-instance-types" in str(caught.value)


def test_an_unknown_type_is_answered_with_near_ones() -> None:
    with pytest.raises(HomenodeProblem, match=r"did you mean m5\.24xlarge, "):
        limits_of("m5.24xlarg")


def test_refresh_from_nodeadm_replaces(tmp_path: Path) -> None:
    table = tmp_path / "table.txt"
    table.write_text("t1 2 2: micro\n")
    done = refresh(RECORDED / "instance-info.jsonl", table, "--replace", "--date=2026-07-01")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "4 types: 4 new, 0 changed, 1 gone\n"
    assert parse(table.read_text()) == {
        "m5.24xlarge": EniLimits(15, 50),
        "m5.12xlarge": EniLimits(8, 30),
        "m5.4xlarge": EniLimits(8, 30),
        "t3.medium": EniLimits(3, 6),
    }
    assert table.read_text().endswith(
        "m5 8 30: 12xlarge 4xlarge\nm5 15 50: 24xlarge\nt3 3 6: medium\n"
    )
    assert "Date: 2026-07-01. Instance types: 4." in table.read_text()


def test_refresh_from_the_command_line_adds_and_corrects(tmp_path: Path) -> None:
    table = tmp_path / "table.txt"
    table.write_text("t1 2 2: micro\np5 1 1: 48xlarge\n")
    done = refresh(RECORDED / "describe-instance-types.json", table)
    assert done.stdout == "3 types: 1 new, 1 changed, 0 gone\n"
    assert parse(table.read_text()) == {
        "t1.micro": EniLimits(2, 2),
        "p5.48xlarge": EniLimits(2, 50),  # of the default card, not the 64 of all cards
        "m5.large": EniLimits(3, 10),
    }


def test_the_same_facts_give_the_same_table(tmp_path: Path) -> None:
    source, table = tmp_path / "source.jsonl", tmp_path / "table.txt"
    known = parse(TABLE.read_text())
    rows = [
        {
            "instanceType": name,
            "defaultMaxENIs": limits.enis,
            "ipv4AddressesPerInterface": limits.ipv4_per_eni,
        }
        for name, limits in reversed(known.items())
    ]
    source.write_text("\n".join(map(json.dumps, rows)))
    refresh(source, table, "--date=2026-07-01")
    assert table.read_text() == TABLE.read_text()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no instance type in the input"),
        ("{", "Expecting property name"),
        ("[1]", "no limits in 1"),
        ('{"instanceType": "m5.large"}', "defaultMaxENIs"),
        ('{"InstanceTypes": [{"InstanceType": "m5.large"}]}', "NetworkInfo"),
        (
            '{"instanceType": "m5", "defaultMaxENIs": 1, "ipv4AddressesPerInterface": 4}',
            "not an instance type",
        ),
        (
            '{"instanceType": "m5.x", "defaultMaxENIs": 0, "ipv4AddressesPerInterface": 4}',
            "not an instance type",
        ),
    ],
)
def test_an_odd_source_changes_nothing(tmp_path: Path, text: str, words: str) -> None:
    source, table = tmp_path / "source", tmp_path / "table.txt"
    source.write_text(text)
    table.write_text("t1 2 2: micro\n")
    done = refresh(source, table)
    assert done.returncode == 1
    assert words in done.stderr
    assert table.read_text() == "t1 2 2: micro\n"
