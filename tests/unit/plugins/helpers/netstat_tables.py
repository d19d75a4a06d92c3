# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables of `netstat`, printed as Windows prints them in its languages, for tests that read them back."""

from __future__ import annotations

import dataclasses
import typing as t


@dataclasses.dataclass(frozen=True)
class Language:
    """Title, header words, state words that differ from the English ones, and the blanks before a row."""

    name: str
    title: str
    header: tuple[str, str, str, str]
    words: dict[str, str] = dataclasses.field(default_factory=dict)
    indent: int = 2


def _german(umlaut: str) -> dict[str, str]:
    return {
        "LISTENING": f"ABH{umlaut}REN",
        "ESTABLISHED": "HERGESTELLT",
        "TIME_WAIT": "WARTEND",
        "CLOSE_WAIT": "SCHLIESSEN_WARTEN",
        "FIN_WAIT_2": "FIN_WARTEN_2",
    }


_GERMAN_HEADER = ("Proto", "Lokale Adresse", "Remoteadresse", "Status")
LANGUAGES = [
    Language("English", "Active Connections", ("Proto", "Local Address", "Foreign Address", "State")),
    Language("German", "Aktive Verbindungen", _GERMAN_HEADER, _german("Ö")),
    Language("German in code page 1252", "Aktive Verbindungen", _GERMAN_HEADER, _german("™")),
    Language("German without umlaut", "Aktive Verbindungen", _GERMAN_HEADER, _german("?")),
    Language("German with the control byte", "Aktive Verbindungen", _GERMAN_HEADER, _german("\x99")),
    Language("French", "Connexions actives", ("Proto", "Adresse locale", "Adresse distante", "État")),
    Language("Spanish", "Conexiones activas", ("Proto", "Dirección local", "Dirección remota", "Estado")),
    Language("Portuguese", "Conexões ativas", ("Proto", "Endereço local", "Endereço externo", "Estado")),
    Language("Russian", "Активные подключения", ("Имя", "Локальный адрес", "Внешний адрес", "Состояние")),
    Language("Korean", "활성 연결", ("프로토콜", "로컬 주소", "외부 주소", "상태")),
    Language("Japanese", "アクティブな接続", ("プロトコル", "ローカル アドレス", "外部アドレス", "状態"), indent=5),
    Language("Chinese", "活动连接", ("协议", "本地地址", "外部地址", "状态")),
]


class Row(t.NamedTuple):
    """One row, with the state in English; `pid` is None in a table without that column."""

    protocol: str
    local: str
    foreign: str
    state: str
    pid: int | None


def tcp(local: str, pid: int | None = None, foreign: str = "0.0.0.0:0", state: str = "LISTENING") -> Row:
    return Row("TCP", local, foreign, state, pid)


def udp(local: str, pid: int | None = None, foreign: str = "*:*") -> Row:
    return Row("UDP", local, foreign, "", pid)


def table(rows: t.Iterable[Row], language: Language = LANGUAGES[0], newline: str = "\r\n") -> str:
    """The text, in the column widths of Windows; a text that is too wide pushes the rest to the right."""
    blank = " " * language.indent
    rows = list(rows)
    pids = any(row.pid is not None for row in rows)
    protocol, local, foreign, state = language.header
    lines = ["", language.title, "", f"{blank}{protocol:<5}  {local:<22} {foreign:<22} {state:<15}{' PID' if pids else ''}"]
    for row in rows:
        word = language.words.get(row.state, row.state)
        lines.append(f"{blank}{row.protocol:<5}  {row.local:<22} {row.foreign:<22} {word:<15}{'' if row.pid is None else f' {row.pid}'}")
    return newline.join(lines) + newline
