# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bytes of console tools and of saved files become text; text of strangers becomes harmless."""

from __future__ import annotations

import unicodedata

import pytest
from ansible_collections.sms.helpdesk.plugins.plugin_utils._text import decode, printable
from hypothesis import given
from hypothesis import strategies as st

TEXT = "  TCP    0.0.0.0:1761           0.0.0.0:0              ABHÖREN         2316\r\n"


class TestDecode:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp850"])
    def test_whatever_it_was_written_in(self, encoding: str) -> None:
        assert decode(TEXT.encode(encoding)) == TEXT

    def test_utf_16_with_a_mark_in_the_other_order(self) -> None:
        assert decode(b"\xfe\xff" + TEXT.encode("utf-16-be")) == TEXT

    def test_nothing_is_nothing(self) -> None:
        assert (decode(b""), decode(b"\xef\xbb\xbf"), decode(b"\xff\xfe")) == ("", "", "")

    def test_utf_16_with_a_byte_missing_keeps_the_rest(self) -> None:
        assert decode(TEXT.encode("utf-16")[:-1]).startswith(TEXT[:-1])

    def test_utf_8_cut_inside_a_character_keeps_what_is_ascii(self) -> None:
        data = TEXT.encode()[: TEXT.index("Ö") + 1]
        assert decode(data).startswith("  TCP    0.0.0.0:1761           0.0.0.0:0              ABH")

    def test_one_wrong_byte_among_utf_8_costs_no_line(self) -> None:
        data = (TEXT * 3).encode().replace("Ö".encode(), b"\x99", 1)
        assert [line.split()[1] for line in decode(data).splitlines()] == ["0.0.0.0:1761"] * 3

    @given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=200))
    def test_utf_8_is_read_back(self, text: str) -> None:
        assert decode(text.encode("utf-8-sig")) == text

    @given(st.binary(max_size=200))
    def test_no_bytes_fail(self, data: bytes) -> None:
        assert isinstance(decode(data), str)


class TestPrintable:
    @pytest.mark.parametrize(
        "text",
        [
            "two\nlines",
            "two\r\nlines",
            "\x1b[2Jcleared",
            "\x1b]0;title\x07",
            "right\u202eleft",
            "zero\u200bwidth",
            "separator\u2028line",
            "nul\0",
            "tab\t",
            "c1\x9b31m",
            "lone\ud800surrogate",
            "\ufeffmark",
            "private\ue000use",
        ],
    )
    def test_what_could_forge_a_line_is_shown_as_an_escape(self, text: str) -> None:
        shown = printable(text)
        assert shown.isprintable()
        assert "\\" in shown

    @pytest.mark.parametrize("text", ["", "backupd.exe", "C:\\Program Files\\Büro\\バックアップ.exe", "{{ lookup('pipe', 'id') }}"])
    def test_ordinary_text_stays(self, text: str) -> None:
        assert printable(text) == text

    @pytest.mark.parametrize("text", ["x" * 1000, "ü" * 1000, "\n" * 1000])
    def test_length_is_limited(self, text: str) -> None:
        assert len(printable(text, 50)) == 50
        assert printable(text, 50).endswith("…")

    @given(st.text(), st.integers(1, 100))
    def test_for_every_text(self, text: str, limit: int) -> None:
        shown = printable(text, limit)
        assert len(shown) <= limit
        assert not {unicodedata.category(char) for char in shown} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
