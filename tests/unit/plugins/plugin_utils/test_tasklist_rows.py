# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`tasklist /svc /fo csv /nh`, and what stands where it should."""

from __future__ import annotations

import pytest
from ansible_collections.sms.helpdesk.plugins.plugin_utils._tasklist import Task, parse
from ansible_collections.sms.helpdesk.plugins.plugin_utils._text import decode
from hypothesis import given
from hypothesis import strategies as st


def listing(nothing: str = "N/A") -> str:
    return (
        f'"System Idle Process","0","{nothing}"\r\n"System","4","{nothing}"\r\n'
        '"svchost.exe","564","RpcEptMapper,RpcSs"\r\n"spoolsv.exe","1028","Spooler"\r\n'
        f'"wuser32.exe","2316","{nothing}"\r\n"Backup, the big one.exe","2400","{nothing}"\r\n'
    )


class TestBadInput:
    @pytest.mark.parametrize(
        "text",
        [
            "",
            "ERROR: Access denied\r\n",
            "'tasklist' is not recognized as an internal or external command,\r\noperable program or batch file.\r\n",
            '"Image Name","PID","Services"\r\n',
            '"svchost.exe"\r\n',
            '"svchost.exe","x","RpcSs"\r\n',
            '"svchost.exe","-1","RpcSs"\r\n',
            '"svchost.exe","99999999999","RpcSs"\r\n',
            '"svchost.exe,"564","RpcSs"\r\n',
            '"svchost.exe","564","RpcSs\r\n',
            "svchost.exe                  564 RpcEptMapper, RpcSs\r\n",
        ],
    )
    def test_nothing_is_found(self, text: str) -> None:
        assert parse(text) == {}

    @given(st.text(max_size=300))
    def test_no_text_breaks_the_parser(self, text: str) -> None:
        parse(text)
        parse('"' + text)


@pytest.mark.parametrize("nothing", ["N/A", "Nicht zutreffend", "N/D", "\u041d/\u0414", "該当なし", "暂缺", ""])
def test_every_language(nothing: str) -> None:
    assert parse(listing(nothing)) == {
        0: Task("System Idle Process", ()),
        4: Task("System", ()),
        564: Task("svchost.exe", ("RpcEptMapper", "RpcSs")),
        1028: Task("spoolsv.exe", ("Spooler",)),
        2316: Task("wuser32.exe", ()),
        2400: Task("Backup, the big one.exe", ()),
    }


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le"])
def test_bytes(encoding: str) -> None:
    assert parse(decode(listing("Nicht zutreffend").encode(encoding)))[564].services == ("RpcEptMapper", "RpcSs")


def test_without_services_and_among_other_output() -> None:
    text = (
        'C:\\>tasklist /fo csv\r\n"Image Name","PID","Session Name","Session#","Mem Usage"\r\n'
        '"svchost.exe","564","Services","0","12.345 K"\r\n\r\nC:\\>\r\n'
    )
    assert parse(text) == {564: Task("svchost.exe", ())}
