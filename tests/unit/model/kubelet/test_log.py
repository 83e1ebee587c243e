# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logs as people and journals have them: the last process' last error, and what it asks for."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.kubelet.log import last_errors, last_failure, reservation
from model.quantity import Quantity

Told = tuple[str, str, str, int, str]

AFTER = "determined by Node Allocatable feature"


def message(have: str, want: str, kind: str = "memory", quote: str = '"') -> str:
    q = quote
    return (
        f"the total amount {q}{have}{q} of type {q}{kind}{q}"
        f" is not equal to the value {q}{want}{q} {AFTER}"
    )


def klog(text: str, pid: int = 3832, what: str = "command failed") -> str:
    quoted = json.dumps(text, ensure_ascii=False)
    return f'E0129 20:19:42.239805    {pid} run.go:72] "{what}" err={quoted}'


def failed(have: str, want: str, kind: str = "memory", pid: int = 3832) -> str:
    return klog("failed to run Kubelet: " + message(have, want, kind), pid)


SHORT = "Jan 29 20:19:42 ip-172\u201331\u201325\u2013233.ec2.internal kubelet[3832]: "
ESCAPED = '\\"'
ARTICLE = (
    "Oct 02 08:19:20 ip-172\u201331\u201325\u2013233.ec2.internal kubelet[8243]: Error: failed to"
    ' run Kubelet: the total amount "0" of type "memory" is not equal to the value "8462Mi"'
)
WANTS_8462MI: Told = ("memory", "0", "8462Mi", 8873050112, "set")
HUGEPAGES: Told = ("hugepages-2Mi", "10Mi", "0", 0, "remove")

SHAPES: dict[str, tuple[str, Told]] = {
    "a plain Error:": (f"{ARTICLE} {AFTER}", WANTS_8462MI),
    "cut off, as on a page": (f"{ARTICLE} determined by Node", WANTS_8462MI),
    "cut off, the next sentence glued to it": (
        f"{ARTICLE} determined by NodeWith this error, we know all",
        WANTS_8462MI,
    ),
    "typographic quotes": (message("0", "8462Mi", quote="\u201c"), WANTS_8462MI),
    "klog": (failed("10Mi", "0", "hugepages-2Mi"), HUGEPAGES),
    "klog in the journal": (SHORT + failed("10Mi", "0", "hugepages-2Mi"), HUGEPAGES),
    "klog, cut off inside its quotes": (failed("0", "8462Mi")[:-19], WANTS_8462MI),
    "klog, only what failed first": (
        klog(message("0", "8462Mi"), what="Failed to initialize memory manager"),
        WANTS_8462MI,
    ),
    "klog over several lines": (
        f'E1 x\nE0129 20:19:42.2 7 run.go:72] "command failed" err=<\n\tfailed\n'
        f"\t{message('0', '8462Mi')}\n >",
        WANTS_8462MI,
    ),
    "short-iso": (
        "2024-10-02T08:19:20+0000 kube-1 kubelet[8243]: " + failed("0", "8462Mi"),
        WANTS_8462MI,
    ),
    "short-full": (
        "Wed 2024-10-02 08:19:20 UTC kube-1 kubelet[8243]: " + failed("0", "8462Mi"),
        WANTS_8462MI,
    ),
    "the journal as JSON": (
        json.dumps({"MESSAGE": failed("0", "8462Mi"), "_PID": "8243"}),
        WANTS_8462MI,
    ),
    "the journal as JSON, bytes": (
        json.dumps({"MESSAGE": list(failed("0", "8462Mi").encode()), "_PID": "8243"}),
        WANTS_8462MI,
    ),
    "a kubelet that logs JSON": (
        json.dumps({"ts": 1.5, "msg": "command failed", "err": message("0", "8462Mi")}),
        WANTS_8462MI,
    ),
    "k3s": (
        "Jan 29 20:19:42 kube-1 k3s[99]: "
        f'time="x" level=fatal msg="kubelet exited: {message("0", "2Gi", quote=ESCAPED)}"',
        ("memory", "0", "2Gi", 2 << 30, "set"),
    ),
    "nothing can be reserved": (message("100Mi", "0"), ("memory", "100Mi", "0", 0, "remove")),
}


@pytest.mark.parametrize(("text", "wanted"), SHAPES.values(), ids=SHAPES.keys())
def test_a_line_tells_what_is_wanted(text: str, wanted: Told) -> None:
    found = reservation(text)
    assert found is not None
    assert tuple(found.as_dict().values()) == wanted


WANTED = {
    "1073741824": 1 << 30,
    "1Gi": 1 << 30,
    "7Ki": 7 << 10,
    "1Ti": 1 << 40,
    "1Pi": 1 << 50,
    "1Ei": 1 << 60,
    "1k": 10**3,
    "5M": 5 * 10**6,
    "2G": 2 * 10**9,
    "1T": 10**12,
    "1P": 10**15,
    "1E": 10**18,
    "1e9": 10**9,
    "1E3": 1000,
    "1717986918400m": 1717986919,
    "1500u": 1,
    "12n": 1,
}


@pytest.mark.parametrize(("want", "size"), WANTED.items(), ids=WANTED.keys())
def test_every_unit_is_read(want: str, size: int) -> None:
    found = reservation(failed("0", want))
    assert found is not None
    assert (found.want, found.want_bytes) == (want, size)


@given(st.integers(1, 2**60), st.sampled_from(["BinarySI", "DecimalSI", "DecimalExponent"]))
def test_what_kubernetes_prints_is_read_exactly(size: int, format: str) -> None:
    found = reservation(failed("0", str(Quantity.of(size, format))))
    assert found is not None and found.want_bytes == size


STARTED = 'I0129 20:19:40.1    {} server.go:530] "Kubelet version" kubeletVersion="v1.35.4"'
UP = 'I0129 20:19:50.1    {} plugin_manager.go:118] "Starting Kubelet Plugin Manager"'
DRIFT = "[memorymanager] the expected machine state is different from the real one"
REFUSED = klog(f"start memory manager error: {DRIFT}", 9, "Failed to start ContainerManager")

PROCESSES: dict[str, tuple[list[str], object]] = {
    "the last line of one": ([failed("0", "1Gi"), failed("0", "2Gi")], "2Gi"),
    "the last process": ([failed("0", "1Gi", pid=7), failed("1Gi", "2Gi", pid=9)], "2Gi"),
    "the last to write, whatever its id": (
        [failed("0", "1Gi", pid=9), failed("0", "2Gi", pid=7)],
        "2Gi",
    ),
    "one that has only begun": ([failed("0", "1Gi", pid=7), STARTED.format(9)], "1Gi"),
    "one that is up": ([failed("0", "1Gi", pid=7), STARTED.format(9), UP.format(9)], None),
    "the same id after a boot": (
        ["-- Boot 1 --", UP.format(7), "-- Boot 2 --", failed("0", "1Gi", pid=7)],
        "1Gi",
    ),
    "the same id, as in a container": (
        [failed("0", "1Gi", pid=1), STARTED.format(1), UP.format(1)],
        None,
    ),
    "one that failed for another reason": ([failed("0", "1Gi", pid=7), REFUSED], None),
    "systemd has the last word": (
        [SHORT + failed("0", "1Gi"), "Jan 29 20:19:43 h systemd[1]: kubelet.service: Failed."],
        "1Gi",
    ),
    "no kubelet at all": (["Jan 29 20:19:42 h sshd[12]: hello"], None),
    "a total that is none": ([message("0", "many")], None),
    "nothing": ([], None),
}


@pytest.mark.parametrize(("lines", "wanted"), PROCESSES.values(), ids=PROCESSES.keys())
def test_the_last_process_counts(lines: list[str], wanted: object) -> None:
    found = reservation("\n".join(lines))
    assert (found.want if found else None) == wanted


FAILURES: dict[str, tuple[list[str], object]] = {
    "in the kubelet's words": ([failed("0", "1Gi")], message("0", "1Gi")),
    "while it starts": ([REFUSED], f"start memory manager error: {DRIFT}"),
    "several lines": (
        ['E0129 20:19:42.2 7 run.go:72] "command failed" err=<', "\tone", "\ttwo", " >", "x"],
        "one\ntwo",
    ),
    "several lines in the journal": (
        [SHORT + line for line in (klog("")[:-2] + "<", "        one", " >")],
        "one",
    ),
    "a flag": (["Error: failed to parse kubelet flag: bad"], "failed to parse kubelet flag: bad"),
    "a fatal line": (["F0129 20:19:42.2 7 server.go:270] no such thing"], "no such thing"),
    "a panic": (["panic: runtime error: index out of range"], "runtime error: index out of range"),
    "RKE2 says only that it ended": (
        ['time="x" level=error msg="Kubelet exited: exit status 1"'],
        None,
    ),
    "errors that end nothing": ([klog("not found", what="Error getting node")], None),
}


@pytest.mark.parametrize(("lines", "wanted"), FAILURES.values(), ids=FAILURES.keys())
def test_the_last_error_ended_it(lines: list[str], wanted: object) -> None:
    found = last_failure("\n".join(lines))
    assert (found.text if found else None) == wanted


def test_one_that_is_up_for_a_moment_does_not_hide_why_the_one_before_ended() -> None:
    text = "\n".join([failed("0", "1Gi", pid=7), STARTED.format(9), UP.format(9)])
    assert last_failure(text) is None
    found = last_failure(text, ended=True)
    assert found is not None and found.text == message("0", "1Gi")


def test_a_failure_tells_its_reservation() -> None:
    found = last_failure(failed("0", "1Gi"))
    assert found is not None and found.reservation is not None
    assert found.reservation.want_bytes == 1 << 30
    assert last_failure(failed("0", "1Gi", pid=7) + "\n" + REFUSED).reservation is None  # type: ignore[union-attr]


def test_each_error_is_told_once() -> None:
    assert last_errors("\n".join([klog("one"), klog("two"), klog("one")])) == ("one", "two")


@given(st.text(max_size=300))
def test_any_text_is_read(text: str) -> None:
    assert reservation(text) is None
    last_errors("{" + text + '"command failed" err="' + text)
