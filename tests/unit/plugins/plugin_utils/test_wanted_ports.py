# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sixteen ports of Q229097, the user's own, and the names netstat may print for them."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.sms.helpdesk.plugins.plugin_utils._port_names import PORTS_BY_NAME
from ansible_collections.sms.helpdesk.plugins.plugin_utils._ports import PORT_SETS, from_list, from_set


def entry(port: int, protocol: str = "both", purpose: str = "") -> dict[str, t.Any]:
    return {"port": port, "protocol": protocol, "purpose": purpose}


class TestOwnList:
    @pytest.mark.parametrize(
        ("entries", "named"),
        [
            ([], "empty"),
            ([entry(0)], "0"),
            ([entry(-1)], "-1"),
            ([entry(65536)], "65536"),
            ([entry(70000, "tcp")], "70000"),
            ([entry(1761, "tcp"), entry(1761, "tcp")], "1761/tcp"),
            ([entry(1761), entry(1761, "udp")], "1761/udp"),
            ([entry(1761, "udp"), entry(80, "tcp"), entry(1761)], "1761/udp"),
        ],
    )
    def test_what_makes_no_sense_is_named(self, entries: list[dict[str, t.Any]], named: str) -> None:
        with pytest.raises(ValueError, match=named):
            from_list(entries)

    def test_in_the_users_order_with_tcp_before_udp(self) -> None:
        wanted = from_list([entry(8443, "tcp", "console"), entry(1), entry(65535, "udp")])
        assert [(need.port, need.protocol, need.purpose) for need in wanted] == [
            (8443, "tcp", "console"),
            (1, "tcp", ""),
            (1, "udp", ""),
            (65535, "udp", ""),
        ]

    def test_the_same_number_in_the_other_protocol_is_another_port(self) -> None:
        assert len(from_list([entry(1761, "tcp"), entry(1761, "udp")])) == 2


class TestSets:
    def test_numbers(self) -> None:
        assert [(need.port, need.protocol) for need in from_set("original")] == [
            (port, protocol) for port in (1761, 1762, 1763, 1764) for protocol in ("tcp", "udp")
        ]
        assert [(need.port, need.protocol) for need in from_set("hotfix")] == [
            (port, protocol) for port in (2701, 2702, 2703, 2704) for protocol in ("tcp", "udp")
        ]
        assert from_set("all") == from_set("original") + from_set("hotfix")
        assert len(from_set("all")) == 16

    @pytest.mark.parametrize(
        ("port", "words"),
        [
            (1761, ["Verification of Rights", "Remote Reboot", "Remote Execute"]),
            (1762, ["Remote Control"]),
            (1763, ["Remote Chat"]),
            (1764, ["File Transfer"]),
            (2701, ["SMS RCINFO"]),
            (2702, ["SMS REMCTRL"]),
            (2703, ["SMS CHAT"]),
            (2704, ["SMS XFER"]),
        ],
    )
    def test_purposes_are_those_of_the_article(self, port: int, words: list[str]) -> None:
        purposes = {need.purpose for need in from_set("all") if need.port == port}
        assert len(purposes) == 1
        assert all(word in purposes.copy().pop() for word in words)

    def test_a_label_for_sentences(self) -> None:
        assert from_set("original")[1].label == "UDP 1761"


class TestNames:
    @pytest.mark.parametrize(
        ("name", "port"),
        [("sms-rcinfo", 2701), ("sms-chat", 2703), ("https", 443), ("epmap", 135), ("ms-wbt-server", 3389), ("ssdp", 1900)],
    )
    def test_names_with_one_meaning(self, name: str, port: int) -> None:
        assert PORTS_BY_NAME[name] == (port,)

    def test_the_article_first_where_it_disagrees_with_windows(self) -> None:
        assert (PORTS_BY_NAME["sms-remctrl"], PORTS_BY_NAME["sms-xfer"]) == ((2702, 2704), (2704, 2702))

    def test_every_name_can_be_looked_up(self) -> None:
        assert all(name == name.lower() and " " not in name for name in PORTS_BY_NAME)
        assert all(1 <= port <= 65535 for ports in PORTS_BY_NAME.values() for port in ports)
        assert all(len(set(ports)) == len(ports) for ports in PORTS_BY_NAME.values())

    def test_every_new_port_of_the_hotfix_has_a_name(self) -> None:
        assert set(PORT_SETS["hotfix"]) <= {port for ports in PORTS_BY_NAME.values() for port in ports}
