# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When System.map is touched, what time it gets, and what is remembered of it."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.sms.helpdesk.plugins.plugin_utils import _copy_lists
from ansible_collections.sms.helpdesk.plugins.plugin_utils._copy_lists import MemoryBroken, Touch
from hypothesis import given
from hypothesis import strategies as st

SECOND = 1_000_000_000
OLD, NEW = 900_000_000 * SECOND, 1_790_000_000 * SECOND
TOUCH = Touch("a" * 64, "b" * 64, OLD, NEW, {"cl_nt.txt": "1"})


class TestMemory:
    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"\xff",
            b"[]",
            b'{"format": 2, "touches": []}',
            b'{"format": 1}',
            b'{"format": 1, "touches": [1]}',
            b'{"format": 1, "touches": [{}]}',
            *(
                json.dumps({"format": 1, "touches": [{**vars(TOUCH), name: wrong}]}).encode()
                for name, wrong in (
                    ("build", 1),
                    ("before_ns", "x"),
                    ("after_ns", True),
                    ("versions", []),
                    ("versions", {"a": 1}),
                    ("odd", 1),
                )
            ),
            b"[" * 100_000,
        ],
    )
    def test_what_is_none(self, data: bytes) -> None:
        with pytest.raises(MemoryBroken):
            _copy_lists.load(data)

    def test_there_and_back(self) -> None:
        touches = [TOUCH, Touch("c" * 64, "b" * 64, NEW, NEW + SECOND, {})]
        assert _copy_lists.load(_copy_lists.dump(touches)) == touches

    def test_it_does_not_grow_for_ever(self) -> None:
        many = [Touch(f"{number:064}", "b", number, number + 1, {}) for number in range(50)]
        kept = _copy_lists.load(_copy_lists.dump(many))
        assert (len(kept), kept[-1]) == (_copy_lists.KEPT, many[-1])


class TestWhetherItWasDone:
    @pytest.mark.parametrize(
        ("touches", "modified", "expected"),
        [
            ([], NEW, False),
            ([TOUCH], NEW, True),
            ([TOUCH], NEW + 1, True),
            # It was announced, and the run broke off; or an older map was restored.
            ([TOUCH], OLD, False),
            ([TOUCH], OLD - 1, False),
            ([Touch("c" * 64, "b", OLD, NEW, {})], NEW, False),
            # Something else was staged in between.
            ([TOUCH, Touch("c" * 64, "b", OLD, NEW, {})], NEW, False),
        ],
    )
    def test_by_the_last_one(self, touches: list[Touch], modified: int, expected: bool) -> None:
        assert (_copy_lists.done(touches, "a" * 64, modified) is not None) is expected


@given(before=st.integers(0, 4_000_000_000 * SECOND), now=st.integers(SECOND, 4_000_000_000 * SECOND))
def test_the_new_time_is_newer_and_of_whole_seconds(before: int, now: int) -> None:
    after = _copy_lists.new_time(before, now)
    assert after > before
    assert after % SECOND == 0
    assert after <= max(now, before + 2 * SECOND)


def test_a_build_is_its_files_in_any_order_and_case() -> None:
    files = [("x86", "Wuser32.exe", "a" * 64), ("alpha", "Wuser32.exe", "b" * 64)]
    other = [("ALPHA", "WUSER32.EXE", "B" * 64), ("x86", "wuser32.exe", "a" * 64)]
    assert _copy_lists.build_of(files) == _copy_lists.build_of(other)
    assert _copy_lists.build_of(files) != _copy_lists.build_of(files[:1])


@pytest.mark.parametrize(
    ("data", "version"),
    [(b"", None), (b"[CopyList]\r\nCopyListVersion=891\r\n", "891"), (b"  copylistversion = 7 \r\n", "7"), (b"; CopyListVersion=1", None)],
)
def test_the_version_of_a_list(data: bytes, version: t.Any) -> None:
    assert _copy_lists.version_of(data) == version


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Cl_nt.txt", True), ("CL_WIN95.TXT", True), ("cl_w95.mod", False), ("Client.txt", False), ("cl_nt.txt.bak", False)],
)
def test_the_name_of_a_list(name: str, expected: bool) -> None:
    assert _copy_lists.is_list(name) is expected
