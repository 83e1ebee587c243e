# Copyright: Contributors to the homenode.numa project
# BSD 2-Clause License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The door for untrusted structures: every value is typed and bounded as it is read.

One reader for configuration files, annotations that hold structures, and answers from elsewhere.
Its errors name the whole path of the key. Out of scope: reading files, knowing any schema.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Optional

from .problem import HomenodeProblem, shown

MAX_TEXT = 4096


class Fields:
    """One mapping that is being read; *path* is where it stands, *source* the file it came from."""

    def __init__(self, values: object, *, source: str, path: str = "") -> None:
        if not isinstance(values, Mapping):
            raise HomenodeProblem(
                path or "(whole file)",
                values,
                "is not a mapping of names to values",
                'write an object, such as {"pinning": {"policy": "home-node"}}',
                source=source,
            )
        self._values: Mapping[str, Any] = values
        self._source = source
        self._path = path
        self._read: set[str] = set()

    @property
    def source(self) -> str:
        """The file, or whatever it is, that is being read."""
        return self._source

    def name(self, key: str) -> str:
        """The key with its whole path, as the messages show it."""
        return f"{self._path}.{key}" if self._path else key

    def wrong(self, key: str, why: str, remedy: str) -> HomenodeProblem:
        """The exception for this key's value, for a rule that only the caller knows."""
        return HomenodeProblem(
            self.name(key), self._values.get(key), why, remedy, source=self._source
        )

    def section(self, key: str) -> Optional[Fields]:
        """The mapping under *key*, or None where there is none (absent, or null)."""
        self._read.add(key)
        if self._values.get(key) is None:
            return None
        return Fields(self._values[key], source=self._source, path=self.name(key))

    def mapping(self, key: str) -> Mapping[str, Any]:
        """The mapping under *key* as it is, for another reader; empty where there is none."""
        section = self.section(key)
        return {} if section is None else section._values

    def text(self, key: str, default: str, *, choices: Sequence[str] = ()) -> str:
        """A string of at most MAX_TEXT characters, one of *choices* where given."""
        value = self._take(key, default, str, "is not a text", "put it in quotes")
        if len(value) > MAX_TEXT:
            raise self.wrong(key, f"is longer than {MAX_TEXT} characters", "shorten it")
        if choices and value not in choices:
            raise self.wrong(key, "is not a known choice", "use one of: " + ", ".join(choices))
        return str(value)

    def scalar(self, key: str, default: str) -> str:
        """A text; also what YAML takes an unquoted 8 or true for, as a text. Null is *default*."""
        value = self._take(key, default, object, "", "")
        if value is None:
            return default
        return self._as_text(key, value)

    def _as_text(self, key: str, value: object) -> str:
        if not isinstance(value, (str, int, float)):
            raise self.wrong(key, f"{shown(value)} is not a text", "put it in quotes")
        text = str(value).lower() if isinstance(value, bool) else str(value)
        if len(text) > MAX_TEXT:
            raise self.wrong(key, f"is longer than {MAX_TEXT} characters", "shorten it")
        return text

    def boolean(self, key: str, default: bool) -> bool:
        """True or false, never a text that looks like it."""
        return bool(
            self._take(key, default, bool, "is neither true nor false", "write true or false")
        )

    def integer(self, key: str, default: int, *, minimum: int, maximum: int) -> int:
        """A whole number within the bounds."""
        value = self._take(key, default, int, "is not a whole number", "write it without quotes")
        if isinstance(value, bool) or not minimum <= value <= maximum:
            raise self.wrong(key, "is out of bounds", f"use a number from {minimum} to {maximum}")
        return int(value)

    def texts(self, key: str, *, most: int) -> tuple[str, ...]:
        """A list of at most *most* strings; empty where there is none."""
        for item in self._list(key, most):
            if not isinstance(item, str) or len(item) > MAX_TEXT:
                raise self.wrong(key, f"{shown(item)} is not a (short) text", "put it in quotes")
        return tuple(self._list(key, most))

    def scalars(self, key: str, *, most: int) -> tuple[str, ...]:
        """A list of at most *most* texts, each read as ``scalar`` does."""
        return tuple(self._as_text(key, item) for item in self._list(key, most))

    def sections(self, key: str, *, most: int, short: str = "") -> tuple[Fields, ...]:
        """A list of at most *most* mappings; empty where there is none.

        With *short* an entry that is no mapping stands for the mapping ``{short: entry}``.
        """
        items = self._list(key, most)
        return tuple(
            Fields(
                {short: item} if short and not isinstance(item, Mapping) else item,
                source=self._source,
                path=f"{self.name(key)}[{at}]",
            )
            for at, item in enumerate(items)
        )

    def rows(self, key: str, *, most: int) -> tuple[tuple[int, ...], ...]:
        """A list of lists of whole numbers, at most *most* of each; empty where there is none."""
        rows = self._list(key, most)
        for row in rows:
            if not isinstance(row, (list, tuple)) or len(row) > most:
                raise self.wrong(key, f"{shown(row)} is not a (short) list", "write [[..], [..]]")
            if any(isinstance(item, bool) or not isinstance(item, int) for item in row):
                raise self.wrong(key, f"{shown(row)} has other than whole numbers", "write numbers")
        return tuple(map(tuple, rows))

    def _list(self, key: str, most: int) -> Sequence[Any]:
        self._read.add(key)
        value = self._values.get(key)
        if value is None:
            return ()
        if not isinstance(value, (list, tuple)):
            raise self.wrong(key, "is not a list", "write it in brackets: [...]")
        if len(value) > most:
            raise self.wrong(key, f"has more than {most} entries", "give fewer")
        return value

    def spelt_as(self, keys: Sequence[str]) -> Fields:
        """The same mapping without nulls, its keys as in *keys* where they differ by case only.

        Where a key is there in both spellings, the exact one counts.
        """
        exact = {key.lower(): key for key in keys}
        kept: dict[str, Any] = {}
        for name in self.names():
            key = exact.get(name.lower(), name)
            if self._values[name] is not None and (name == key or key not in self._values):
                kept[key] = self._values[name]
        return Fields(kept, source=self._source, path=self._path)

    def names(self) -> tuple[str, ...]:
        """The keys, where a mapping's keys are up to whoever writes it; they must be texts."""
        keys: tuple[Any, ...] = tuple(self._values)
        for key in keys:
            if not isinstance(key, str) or len(key) > MAX_TEXT:
                raise self.wrong(str(key), "is no (short) name", "put it in quotes")
        return keys

    def refuse_unknown(self) -> None:
        """Raise for the first key that nobody has read: a misspelt key must not pass in silence."""
        for key in self._values:
            if key not in self._read:
                known = ", ".join(sorted(self._read))
                raise self.wrong(str(key), "is not a known key", f"known here: {known}")

    def _take(self, key: str, default: object, kind: type, why: str, remedy: str) -> Any:
        self._read.add(key)
        value = self._values.get(key, default)
        if not isinstance(value, kind):
            raise self.wrong(key, why, remedy)
        return value
