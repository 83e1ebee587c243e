# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module util is PRIVATE to the homenode.numa collection. It may break without notice.

"""A fact kept on the host (``ansible_local.NAME``): written when it differs, atomically.

Out of scope: what the fact says, and removing it (``ansible.builtin.file`` does).
"""

from __future__ import annotations

import json
import os
import stat
import tempfile
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .model.problem import HomenodeProblem

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

MODE = 0o644
"""An executable fact file would be run by Ansible instead of read."""


def keep_local_fact(module: AnsibleModule, path: str, fact: Mapping[str, Any]) -> dict[str, Any]:
    """``changed`` and ``diff`` for the module's result; in check mode nothing is written.

    Raises HomenodeProblem where the folder cannot be made. *fact* must not flap: what differs at
    every reading does not belong in it.
    """
    wanted = json.dumps(fact, indent=2, sort_keys=True) + "\n"
    present, mode = _kept(path)
    changed = (present, mode) != (wanted, MODE)
    if changed and not module.check_mode:
        _write(module, path, wanted)
    return {
        "changed": changed,
        "diff": {
            "before": present,
            "after": wanted,
            "before_header": f"{path} ({mode:04o})" if mode else f"{path} (absent)",
            "after_header": f"{path} ({MODE:04o})",
        },
    }


def _kept(path: str) -> tuple[str, int]:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(), stat.S_IMODE(os.fstat(file.fileno()).st_mode)
    except OSError:
        return "", 0


def _write(module: AnsibleModule, path: str, text: str) -> None:
    try:
        os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
    except OSError as error:
        why = f"its folder cannot be made ({error.strerror})"
        raise HomenodeProblem(
            "local_fact", path, why, "name a place where the task may write"
        ) from None
    descriptor, temporary = tempfile.mkstemp(dir=module.tmpdir)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    module.atomic_move(temporary, path)
    os.chmod(path, MODE)
