# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""A systemd service as far as it makes a command line: what is started, with which words.

Rules: systemd.service(5) "Command lines", systemd.syntax(7), systemd.exec(5) "EnvironmentFile",
compared with libsystemd 252. Quotes inside of a variable are taken away where the unit says
``$NAME``, and reach the program where it says ``${NAME}``. Out of scope: reading files, specifiers
other than the unit's name, asking systemd.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Optional

SEPARATORS = " \t\n\r"
_PREFIXES = "@-:+!|"
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "s": " "}
_ESCAPES.update({"\\": "\\", '"': '"', "'": "'"})
_VARIABLE = re.compile(r"\$\{([A-Za-z_]\w*)\}|\$\$", re.ASCII)
_BRACELESS = re.compile(r"\$([A-Za-z_]\w*)\Z", re.ASCII)


@dataclass(frozen=True)
class Unit:
    """The settings of a service that decide about its command line, as they are written.

    *commands* are the values of ExecStart that are left, *environment* those of Environment,
    *environment_files* those of EnvironmentFile, with a leading ``-`` where it may be missing.
    """

    name: str
    commands: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    environment_files: tuple[str, ...] = ()

    def variables(self, files: Mapping[str, Optional[str]]) -> dict[str, str]:
        """The environment; *files* has the text of each environment file by its path."""
        found: dict[str, str] = {}
        for value in self.environment:
            for word in words(_named(value, self.name), escapes=True):
                name, equals, content = word.partition("=")
                if equals:
                    found[name] = content
        for path in self.environment_paths():
            found.update(environment_file(files.get(path) or ""))
        return found

    def environment_paths(self) -> list[str]:
        """The environment files, in the order in which they are read."""
        return [_named(value, self.name).lstrip("-") for value in self.environment_files]

    def command(self, program: str) -> Optional[str]:
        """The command that starts *program* (its file name); None where there is not just one."""
        fitting = [each for each in self.commands if program_of(each).rpartition("/")[2] == program]
        return fitting[0] if len(fitting) == 1 else None

    def arguments(self, command: str, variables: Mapping[str, str]) -> list[str]:
        """What the program of *command* gets, without its own name."""
        split = list(_split(_named(command, self.name), escapes=True))
        prefixes, _rest = _prefixes(command)
        given = [word for _raw, word in split[2 if "@" in prefixes else 1 :]]
        if ":" in prefixes:
            return given
        return [found for word in given for found in _expanded(word, variables)]


def merged(name: str, texts: Iterable[str]) -> Unit:
    """The unit file and its drop-ins, in the order in which systemd reads them."""
    settings: dict[str, list[str]] = {"ExecStart": [], "Environment": [], "EnvironmentFile": []}
    for text in texts:
        for key, value in _assignments(text):
            if key in settings and value:
                settings[key].append(value)
            elif key in settings:
                settings[key].clear()
    return Unit(name, *(tuple(values) for values in settings.values()))


def sets_command(text: str) -> bool:
    """Whether a drop-in says what is started, so that it wins over those before it."""
    return any(key == "ExecStart" for key, _value in _assignments(text))


def program_of(command: str) -> str:
    """The path of the program, without the prefixes of systemd."""
    split = words(_prefixes(command)[1], escapes=True)
    return split[0] if split else ""


def with_argument(command: str, argument: str) -> str:
    """The same command with one more argument, the first: the user's own come later and win."""
    raw = [word for word, _cooked in _split(command, escapes=True)]
    at = 2 if "@" in _prefixes(command)[0] else 1
    return " ".join([*raw[:at], quoted(argument), *raw[at:]])


def quoted(argument: str) -> str:
    """*argument* as one word of a command line that says just that."""
    text = argument.replace("%", "%%").replace("$", "$$")
    if re.search(r"""[\s"'\\;]""", text) is None:
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def words(text: str, *, escapes: bool = False) -> list[str]:
    """*text* split as systemd splits it: at white space, quotes taken away wherever they stand.

    With *escapes*, those of C count, as in a unit file; else a backslash takes the next sign as it
    is, as in the value of a variable.
    """
    return [cooked for _raw, cooked in _split(text, escapes=escapes)]


def environment_file(text: str) -> dict[str, str]:
    """The variables in an environment file, which is not a shell's."""
    found: dict[str, str] = {}
    left = _Text(text)
    while left.more:
        name = left.name()
        if name is not None:
            found[name] = left.value()
    return found


class _Text:
    """An environment file that is read sign by sign, as systemd does it."""

    def __init__(self, text: str) -> None:
        self._left = text
        self.more = bool(text)

    def _next(self) -> str:
        """One sign; a newline at the end."""
        sign, self._left = self._left[:1], self._left[1:]
        self.more = bool(self._left)
        return sign or "\n"

    def name(self) -> Optional[str]:
        """What stands before the ``=``; None for a line that assigns nothing."""
        found = ""
        while self.more:
            sign = self._next()
            if not found and sign in "#;":
                self._comment()
                return None
            if found and sign == "=":
                return found.rstrip(SEPARATORS)
            if found and sign in "\n\r":
                return None
            if found or sign not in SEPARATORS:
                found += sign
        return None

    def _comment(self) -> None:
        while self.more:
            sign = self._next()
            if sign == "\\":
                self._next()
            elif sign in "\n\r":
                return

    def value(self) -> str:
        """What follows the ``=``, up to the end of the line, which may be some lines away."""
        found, kept = "", 0
        bare = False
        while True:
            sign = self._next()
            if sign in "\n\r":
                return found[:kept] + found[kept:].rstrip(SEPARATORS)
            if sign == "\\":
                bare = True
                following = self._next()
                found += "" if following in "\n\r" else following
                kept = len(found)
            elif sign in "\"'" and not bare:
                found += self._quoted(sign)
                kept = len(found)
            elif bare or sign not in SEPARATORS:
                bare = True
                found += sign

    def _quoted(self, quote: str) -> str:
        found = ""
        while self.more:
            sign = self._next()
            if sign == quote:
                break
            if sign == "\\" and quote == '"':
                following = self._next()
                keeps = following not in ('"', "\\", "`", "$", "\n")
                found += ("\\" if keeps else "") + ("" if following == "\n" else following)
            else:
                found += sign
        return found


def _assignments(text: str) -> Iterator[tuple[str, str]]:
    """Keys and values of the section Service, continued lines joined."""
    section, pending = "", ""
    for line in (*text.splitlines(), ""):
        if line.lstrip()[:1] in ("#", ";") or (not line.strip() and not pending):
            continue
        if line.endswith("\\"):
            pending += line[:-1] + " "
            continue
        whole, pending = (pending + line).strip(), ""
        if whole.startswith("[") and whole.endswith("]"):
            section = whole[1:-1]
        elif section == "Service" and "=" in whole:
            key, _equals, value = whole.partition("=")
            yield key.strip(), value.strip()


def _split(text: str, *, escapes: bool) -> Iterator[tuple[str, str]]:
    """Each word as it is written, and as it is meant. A quote that never closes is tolerated."""
    at = 0
    while at < len(text):
        while at < len(text) and text[at] in SEPARATORS:
            at += 1
        begin, cooked, quote = at, "", ""
        while at < len(text) and (quote or text[at] not in SEPARATORS):
            sign = text[at]
            at += 1
            if sign == "\\":
                meant, length = _escape(text[at:], escapes=escapes)
                cooked += meant
                at += length
            elif quote:
                cooked, quote = (cooked, "") if sign == quote else (cooked + sign, quote)
            elif sign in "\"'":
                quote = sign
            else:
                cooked += sign
        if at > begin:
            yield text[begin:at], cooked


def _escape(following: str, *, escapes: bool) -> tuple[str, int]:
    """What a backslash and the signs after it mean, and how many signs were used."""
    sign = following[:1]
    if not escapes:
        return sign, 1
    number = re.match(r"x([0-9a-fA-F]{2})|([0-7]{3})", following)
    if number is not None:
        code = int(number[1], 16) if number[1] else int(number[2], 8)
        return chr(code), len(number[0])
    return _ESCAPES.get(sign, "\\" + sign), 1


def _expanded(word: str, variables: Mapping[str, str]) -> list[str]:
    """One word with its variables: ``$NAME`` becomes any number of words, ``${NAME}`` stays one."""
    braceless = _BRACELESS.match(word)
    if braceless is not None:
        return words(variables.get(braceless[1], ""))
    return [_VARIABLE.sub(lambda at: variables.get(at[1], "") if at[1] else "$", word)]


def _prefixes(command: str) -> tuple[str, str]:
    rest = command.lstrip(_PREFIXES)
    return command[: len(command) - len(rest)], rest


def _named(text: str, name: str) -> str:
    """Specifiers of the unit's name replaced."""
    names = {"n": f"{name}.service", "N": name, "p": name, "%": "%"}
    return re.sub(r"%([nNp%])", lambda at: names[at[1]], text)
