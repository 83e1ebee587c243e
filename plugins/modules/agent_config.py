#!/usr/bin/python
# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write one file of the agent's configuration, after the agent has accepted the whole."""

from __future__ import annotations

DOCUMENTATION = r"""
module: agent_config
short_description: Write the node agent's configuration after the agent has accepted it
version_added: 0.1.0
description:
  - The agent reads one main file and, in the order of their names, the drop-ins in the folder that
    is named like it plus C(.d). This writes or removes one of these files.
  - Before anything is written, the whole configuration as it would be is put together in a
    temporary folder and shown to the agent. What the agent refuses is not written, also in check
    mode, and also on a host where the agent is not installed yet.
  - It does not restart the agent. The handler of the role P(homenode.numa.agent#role) does.
author:
  - homenode contributors (@homenode)
extends_documentation_fragment:
  - homenode.numa._attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
  platform:
    support: full
    platforms: linux
options:
  path:
    description:
      - The main file.
    type: path
    default: /etc/homenode/homenode.json
  drop_in:
    description:
      - The name of a drop-in, without C(.json). Without it, the main file itself is meant.
      - Required if O(state=absent), since the agent cannot do without its main file.
    type: str
  content:
    description:
      - The sections of the file. Required if O(state=present).
    type: dict
  state:
    description:
      - Whether the file has to be there.
    type: str
    choices: [present, absent]
    default: present
  archive:
    description:
      - The agent's archive on the host that judges the configuration. If it is empty or there is no
        such file, a temporary copy is used.
    type: path
    default: ""
  python:
    description:
      - The Python on the host that runs the archive.
    type: path
    default: /usr/bin/python3
"""

EXAMPLES = r"""
- name: Switch pinning on
  homenode.numa.agent_config:
    drop_in: 50-cri_rm
    content:
      pinning:
        policy: home-node

- name: Switch it off again
  homenode.numa.agent_config:
    drop_in: 50-cri_rm
    state: absent
"""

RETURN = r"""
path:
  description: The file that was meant.
  type: str
  returned: success
  sample: /etc/homenode/homenode.json.d/50-cri_rm.json
"""

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any, Optional

from ansible.module_utils.basic import AnsibleModule

ARGUMENTS: dict[str, Any] = {
    "path": {"type": "path", "default": "/etc/homenode/homenode.json"},
    "drop_in": {"type": "str"},
    "content": {"type": "dict"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "archive": {"type": "path", "default": ""},
    "python": {"type": "path", "default": "/usr/bin/python3"},
}
FOLDER_MODE = 0o755
FILE_MODE = 0o644


def target_of(main_file: Path, drop_in: Optional[str]) -> Path:
    """The file that is meant: the main file, or the drop-in of that name beside it."""
    return main_file.with_name(main_file.name + ".d") / f"{drop_in}.json" if drop_in else main_file


def rendered(content: Optional[dict[str, Any]]) -> Optional[str]:
    """What the file shall hold; None means that there shall be no file."""
    return None if content is None else json.dumps(content, indent=2, sort_keys=True) + "\n"


def text_of(path: Path) -> Optional[str]:
    """What the file holds now, None where there is none."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def put(path: Path, text: Optional[str]) -> None:
    """Make the candidate file so."""
    if text is None:
        path.unlink(missing_ok=True)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def refusal(module: AnsibleModule, main_file: Path, target: Path, text: Optional[str]) -> str:
    """What the agent says against the configuration with *text* in *target*; "" if nothing."""
    candidate = Path(module.tmpdir) / "candidate" / main_file.name
    put(candidate, text_of(main_file) or "{}\n")
    folder, copy = (target_of(each, "x").parent for each in (main_file, candidate))
    if folder.is_dir():
        shutil.copytree(folder, copy)
    put(candidate.parent / target.relative_to(main_file.parent), text)
    judge = [module.params["python"], "-I", module.params["archive"]]
    status, out, error = module.run_command(
        [*judge, "config", "check", "--config-file", os.fspath(candidate)]
    )
    said = (error.strip() or out.strip()).replace(str(candidate.parent), str(main_file.parent))
    return "" if status == 0 else said or f"exit status {status}"


def write(module: AnsibleModule, target: Path, text: Optional[str]) -> None:
    """Replace the file in one step, or remove it."""
    if text is None:
        target.unlink()
        return
    for folder in (target.parent.parent, target.parent):
        if not folder.is_dir():
            folder.mkdir(mode=FOLDER_MODE)
    unfinished = Path(module.tmpdir) / target.name
    unfinished.write_text(text, encoding="utf-8")
    unfinished.chmod(FILE_MODE)
    module.atomic_move(os.fspath(unfinished), os.fspath(target))
    target.chmod(FILE_MODE)


def run(module: AnsibleModule) -> dict[str, Any]:
    """Judge, then write; the result is what the task returns."""
    given = module.params
    if given["drop_in"] and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", given["drop_in"]):
        module.fail_json(
            msg=f"drop_in {given['drop_in']!r} cannot be a file name here; "
            "use letters, digits, - and _"
        )
    main_file = Path(given["path"])
    target = target_of(main_file, given["drop_in"])
    text = rendered(given["content"]) if given["state"] == "present" else None
    before = text_of(target)
    said = refusal(module, main_file, target, text)
    if said:
        module.fail_json(msg=f"The agent refuses this configuration, nothing was written: {said}")
    if before != text and not module.check_mode:
        write(module, target, text)
    header = str(target)
    diff = {"before_header": header, "after_header": header}
    diff.update(before=before or "", after=text or "")
    return {"changed": before != text, "path": header, "diff": diff}


def main() -> None:
    """The module's door."""
    module = AnsibleModule(
        argument_spec=ARGUMENTS,
        required_if=[("state", "present", ("content",)), ("state", "absent", ("drop_in",))],
        supports_check_mode=True,
    )
    try:
        module.exit_json(**run(module))
    except OSError as error:
        module.fail_json(msg=f"{error.filename}: {error.strerror}")


if __name__ == "__main__":
    main()
