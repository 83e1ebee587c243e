# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A drop-in, read back by PyYAML: what is meant as text stays text."""

from __future__ import annotations

import yaml
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.homenode.numa.plugins.module_utils.model.kubelet.rendering import as_yaml

scalars = st.text(max_size=12) | st.integers() | st.booleans() | st.none()
trees = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(min_size=1, max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.text(min_size=1, max_size=8), trees, max_size=5))
def test_what_is_written_is_read(settings: dict[str, object]) -> None:
    settings.pop("apiVersion", None)
    settings.pop("kind", None)
    read = yaml.safe_load(as_yaml(settings))
    assert read.pop("apiVersion") == "kubelet.config.k8s.io/v1beta1"
    assert read.pop("kind") == "KubeletConfiguration"
    assert read == settings
