# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The configuration's files: one and its drop-ins; what is wrong names file, field and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from homenode.daemon.config_files import merged_config, read_config
from homenode.intent.config import PinningConfig
from model.problem import HomenodeProblem


@pytest.fixture
def main(tmp_path: Path) -> Path:
    path = tmp_path / "homenode.json"
    path.write_text('{"journal": {"max_bytes": 8192}}')
    return path


def drop_in(main: Path, name: str, text: str) -> None:
    folder = main.with_name(main.name + ".d")
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)


def test_one_file(main: Path) -> None:
    config = read_config(str(main))
    assert config.journal.max_bytes == 8192
    assert config.pinning == PinningConfig()


def test_drop_ins_in_the_order_of_their_names(main: Path) -> None:
    drop_in(main, "20-pinning.json", '{"pinning": {"pin_memory": false}}')
    drop_in(main, "10-metrics.json", '{"metrics": {"listen": "unix:/run/m"}}')
    drop_in(main, "notes.txt", "no JSON")
    assert merged_config(str(main)) == {
        "journal": {"max_bytes": 8192},
        "metrics": {"listen": "unix:/run/m"},
        "pinning": {"pin_memory": False},
    }


def test_two_drop_ins_that_disagree_are_both_named(main: Path) -> None:
    drop_in(main, "10-a.json", '{"pinning": {"pin_cpu": true}}')
    drop_in(main, "20-b.json", '{"pinning": {"pin_cpu": false}}')
    with pytest.raises(HomenodeProblem) as caught:
        read_config(str(main))
    text = str(caught.value)
    assert "20-b.json: pinning.pin_cpu" in text
    assert "10-a.json" in text
    assert "keep the key in one of the two files" in text


BROKEN = {
    "no JSON": ("{", "is not JSON"),
    "endless nesting": ("[" * 200_000, "is not JSON"),
    "a list": ("[]", "is not a mapping"),
    "empty": ("", "is not JSON"),
    "larger than a megabyte": ('{"nri": "' + "x" * (1 << 20), "is not JSON"),
    "no text": ("\udcff", "codec"),
}


@pytest.mark.parametrize("row", BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_named(main: Path, row: tuple[str, str]) -> None:
    text, why = row
    main.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(HomenodeProblem, match=str(main)) as caught:
        read_config(str(main))
    assert why in str(caught.value)
    assert len(str(caught.value)) < 700


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(HomenodeProblem, match=r"none\.json.*name a readable file"):
        read_config(str(tmp_path / "none.json"))


def test_a_drop_in_folder_that_is_none_is_named(main: Path) -> None:
    main.with_name(main.name + ".d").write_text("")
    with pytest.raises(HomenodeProblem, match=r"homenode\.json\.d.*make it a readable folder"):
        read_config(str(main))
