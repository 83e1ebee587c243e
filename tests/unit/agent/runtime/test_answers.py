# Copyright: Contributors to the homenode.numa project
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every call is answered once, by the handler or by the watch."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from homenode.runtime.answers import Answers, Call

BUDGET_S = 0.05


@pytest.fixture
def answers() -> Iterator[Answers]:
    with Answers(BUDGET_S) as one:
        yield one


class Answered:
    """Notes when the watch answered."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self.at = 0.0

    def __call__(self) -> None:
        self.at = time.monotonic()
        self.event.set()


def test_a_call_in_time_is_the_handlers(answers: Answers) -> None:
    answered = Answered()
    call = Call(answered, BUDGET_S)
    answers.begin(call)
    assert answers.claim(call)
    assert not answers.claim(call)
    answers.end()
    time.sleep(2 * BUDGET_S)
    assert not answered.event.is_set()


@pytest.mark.parametrize("quiet_s", [0.0, 0.3 * BUDGET_S, 1.5 * BUDGET_S, 4 * BUDGET_S])
def test_a_late_call_is_the_watchs_at_its_deadline(answers: Answers, quiet_s: float) -> None:
    """However long the watch had nothing to do before."""
    first = Call(Answered(), BUDGET_S)
    answers.begin(first)
    answers.claim(first)
    answers.end()
    time.sleep(quiet_s)
    answered = Answered()
    call = Call(answered, BUDGET_S)
    answers.begin(call)
    assert answered.event.wait(5)
    assert answered.at >= call.deadline
    assert answered.at - call.deadline < 1
    assert not answers.claim(call)


def test_a_longer_budget_is_kept_too(answers: Answers) -> None:
    answered = Answered()
    call = Call(answered, 3 * BUDGET_S)
    answers.begin(call)
    assert answered.event.wait(5)
    assert answered.at >= call.deadline


def test_busy_since(answers: Answers) -> None:
    seen = [answers.busy_since]
    call = Call(Answered(), BUDGET_S)
    answers.begin(call)
    seen.append(answers.busy_since)
    answers.claim(call)
    answers.end()
    seen.append(answers.busy_since)
    assert seen == [None, call.since, None]


def test_only_one_claims(answers: Answers) -> None:
    """The race between handler and watch, many times around the deadline."""
    for number in range(60):
        answered = Answered()
        call = Call(answered, 0.004)
        answers.begin(call)
        time.sleep(0.002 + number % 5 * 0.001)
        ours = answers.claim(call)
        answers.end()
        time.sleep(0.001)
        assert answered.event.wait(0 if ours else 5) is not ours
