# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# This module util is PRIVATE to the homenode.numa collection. It may break without notice.

"""containerd's NRI switch, changed by a drop-in that can be taken away again.

containerd merges the files that its main file imports. In 1.7 a plugin's table in an imported file
takes the place of the whole table in the main file, so the drop-in repeats every key that is in
force and changes one. Only the drop-in's own path is imported, never a folder: other files there
that nobody reads today must not come alive. What had to be added to the main file is noted in the
drop-in itself, which is all that undoing needs.

`config_text` is pure: texts in, texts out. `daemon` finds containerd. `switch` does the work: plan,
try on copies, write, compare, restart, and put everything back if a step fails.

Out of scope: other runtimes, and every other setting of containerd.
"""

from __future__ import annotations
