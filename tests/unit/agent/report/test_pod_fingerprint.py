# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fingerprints as the Go package makes them: values that it printed, and those of xxHash itself."""

from __future__ import annotations

import pytest

from homenode.report.pod_fingerprint import fingerprint, xxh64

PRINTED = {
    "": "pfp0v001ef46db3751d8e999",
    "default/a": "pfp0v00173ac1f6debaedf3d",
    "default/a kube-system/kube-proxy-x2x7p": "pfp0v001cecd60d56539a5b8",
    "kube-system/kube-proxy-x2x7p default/a": "pfp0v001cecd60d56539a5b8",
    "a/b c/d e/f g/h i/j": "pfp0v0017169b342959b2428",
    "monitoring/a-pod-whose-name-is-longer-than-thirty-two-bytes-5f7c9d8b6-x2x7p "
    "team-with-a-namespace-name-of-more-than-32-bytes/db-0 default/web-1 default/web-2 "
    "default/web-3 default/naïve": "pfp0v0011f70ef022a78bc43",
}


@pytest.mark.parametrize(("pods", "expected"), PRINTED.items(), ids=range(len(PRINTED)))
def test_fingerprint(pods: str, expected: str) -> None:
    names = [(pod.partition("/")[0], pod.partition("/")[2]) for pod in pods.split()]
    assert fingerprint(names) == expected == fingerprint(names * 2)


@pytest.mark.parametrize(
    ("data", "expected"),
    [(b"", 0xEF46DB3751D8E999), (b"a", 0xD24EC4F1A98C6E5B), (b"abc", 0x44BC2CF5AD770999)],
)
def test_xxh64(data: bytes, expected: int) -> None:
    assert xxh64(data) == expected
