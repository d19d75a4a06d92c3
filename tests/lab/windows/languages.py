# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Windows prints in each language, as far as it is known; everything else is printed in English.

Observed in public recordings: the netstat titles and headers and the German state words; the German, Spanish, French and Chinese
port-exclusion tables; the texts of cmd.exe for an unknown command. Marked synthetic: what nobody recorded.
"""

# ruff: noqa: RUF001 - letters of these languages are meant, also where they look like Latin ones

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Language:
    """One display language.

    :ivar lcid: the language as in Win32_OperatingSystem.OSLanguage.
    :ivar oem: the code page of a console.
    :ivar netstat_header: the header row up to the state column; the PID column follows.
    :ivar netstat_indent: blanks before a row.
    :ivar states: words for TCP states; a missing one is printed in English.
    :ivar excluded: title (with {protocol}), header, rule and legend of the port exclusions.
    :ivar dynamic: title (with {protocol}) and the two labels of the dynamic range.
    """

    code: str
    tag: str
    lcid: int
    oem: int
    ansi: int
    version_word: str
    not_recognized: str
    netstat_title: str
    netstat_header: str
    states: dict[str, str] = dataclasses.field(default_factory=dict)
    netstat_indent: int = 2
    excluded: tuple[str, str, str, str] = (
        "Protocol {protocol} Port Exclusion Ranges",
        "Start Port    End Port      ",
        "----------    --------      ",
        "* - Administered port exclusions.",
    )
    dynamic: tuple[str, str, str] = ("Protocol {protocol} Dynamic Port Range", "Start Port      ", "Number of Ports ")
    not_available: str = "N/A"
    thousands: str = ","


ENGLISH = Language(
    "en",
    "en-US",
    1033,
    437,
    1252,
    "Version",
    "'{command}' is not recognized as an internal or external command,\noperable program or batch file.\n",
    "Active Connections",
    "  Proto  Local Address          Foreign Address        State           ",
)

GERMAN = Language(
    "de",
    "de-DE",
    1031,
    850,
    1252,
    "Version",
    'Der Befehl "{command}" ist entweder falsch geschrieben oder\nkonnte nicht gefunden werden.\n',
    "Aktive Verbindungen",
    "  Proto  Lokale Adresse         Remoteadresse          Status          ",
    states={
        "LISTENING": "ABHÖREN",
        "ESTABLISHED": "HERGESTELLT",
        "TIME_WAIT": "WARTEND",
        "CLOSE_WAIT": "SCHLIESSEN_WARTEN",
        "FIN_WAIT_2": "FIN_WARTEN_2",
        # The next three are synthetic, formed like the recorded ones.
        "FIN_WAIT_1": "FIN_WARTEN_1",
        "SYN_SENT": "SYN_GESENDET",
        "LAST_ACK": "LETZTE_BESTÄTIGUNG",
    },
    excluded=(
        'Portausschlussbereiche für das Protokoll "{protocol}"',
        "Startport      Endport",
        "----------    --------",
        "* - Verwaltete Portausschlüsse.",
    ),
    # Synthetic wording; the shape is that of the English table.
    dynamic=('Dynamischer Portbereich für das Protokoll "{protocol}"', "Startport       ", "Anzahl von Ports"),
    not_available="Nicht zutreffend",
    thousands=".",
)

FRENCH = Language(
    "fr",
    "fr-FR",
    1036,
    850,
    1252,
    "version",
    "'{command}' n'est pas reconnu en tant que commande interne\nou externe, un programme exécutable ou un fichier de commandes.\n",
    "Connexions actives",
    "  Proto  Adresse locale         Adresse distante       État            ",
    excluded=(
        "Protocole {protocol} Plages d'exclusion de ports",
        "Port de début    Port de fin",
        "----------    --------",
        "* - Exclusions de ports administrés.",
    ),
    dynamic=("Protocole {protocol} Plage de ports dynamique", "Port de démarrage   ", "Nombre de ports     "),
    thousands="\u00a0",
)

SPANISH = Language(
    "es",
    "es-ES",
    3082,
    850,
    1252,
    "Versión",
    '"{command}" no se reconoce como un comando interno o externo,\nprograma o archivo por lotes ejecutable.\n',
    "Conexiones activas",
    "  Proto  Dirección local        Dirección remota       Estado          ",
    excluded=(
        "Protocolo {protocol} Intervalos de exclusión de puertos",
        "Puerto de inicio    Puerto final",
        "----------          --------",
        "* - Exclusiones de puertos administrados.",
    ),
    dynamic=("Protocolo {protocol} Intervalo de puertos dinámicos", "Puerto de inicio     ", "Número de puertos    "),
    thousands=".",
)

PORTUGUESE = Language(
    "pt",
    "pt-BR",
    1046,
    850,
    1252,
    "versão",
    "'{command}' não é reconhecido como um comando interno\nou externo, um programa operável ou um arquivo em lotes.\n",
    "Conexões ativas",
    "  Proto  Endereço local         Endereço externo       Estado          ",
    # Synthetic wording.
    excluded=(
        "Intervalos de Exclusão de Portas do Protocolo {protocol}",
        "Porta Inicial    Porta Final",
        "----------    --------",
        "* - Exclusões de porta administradas.",
    ),
    dynamic=("Intervalo de Portas Dinâmicas do Protocolo {protocol}", "Porta Inicial       ", "Número de Portas    "),
    thousands=".",
)

RUSSIAN = Language(
    "ru",
    "ru-RU",
    1049,
    866,
    1251,
    "Version",
    '"{command}" не является внутренней или внешней\nкомандой, исполняемой программой или пакетным файлом.\n',
    "Активные подключения",
    "  Имя    Локальный адрес        Внешний адрес          Состояние       ",
    # Synthetic wording.
    excluded=(
        "Диапазоны исключения портов протокола {protocol}",
        "Начальный порт    Конечный порт",
        "----------    --------",
        "* - Управляемые исключения портов.",
    ),
    dynamic=("Динамический диапазон портов протокола {protocol}", "Начальный порт   ", "Число портов     "),
    thousands="\u00a0",
)

KOREAN = Language(
    "ko",
    "ko-KR",
    1042,
    949,
    949,
    "Version",
    "'{command}'은(는) 내부 또는 외부 명령, 실행할 수 있는 프로그램, 또는\n배치 파일이 아닙니다.\n",
    "활성 연결",
    "  프로토콜  로컬 주소              외부 주소              상태            ",
    # Synthetic wording.
    excluded=("프로토콜 {protocol} 포트 제외 범위", "시작 포트    끝 포트", "----------    --------", "* - 관리되는 포트 제외입니다."),
    dynamic=("프로토콜 {protocol} 동적 포트 범위", "시작 포트       ", "포트 수         "),
)

JAPANESE = Language(
    "ja",
    "ja-JP",
    1041,
    932,
    932,
    "Version",
    "'{command}' は、内部コマンドまたは外部コマンド、\n操作可能なプログラムまたはバッチ ファイルとして認識されていません。\n",
    "アクティブな接続",
    "  プロトコル  ローカル アドレス          外部アドレス        状態            ",
    netstat_indent=5,
    # Synthetic wording.
    excluded=("プロトコル {protocol} ポートの除外範囲", "開始ポート    終了ポート", "----------    --------", "* - 管理されたポート除外。"),
    dynamic=("プロトコル {protocol} の動的ポートの範囲", "開始ポート       ", "ポート数         "),
)

CHINESE = Language(
    "zh",
    "zh-CN",
    2052,
    936,
    936,
    "版本",
    "'{command}' 不是内部或外部命令，也不是可运行的程序\n或批处理文件。\n",
    "活动连接",
    "  协议  本地地址          外部地址        状态           ",
    excluded=("协议 {protocol} 端口排除范围", "开始端口    结束端口", "----------    --------", "* - 管理的端口排除。"),
    dynamic=("协议 {protocol} 动态端口范围", "启动端口        ", "端口数          "),
    not_available="暂缺",
)

LANGUAGES: dict[str, Language] = {
    language.code: language for language in (ENGLISH, GERMAN, FRENCH, SPANISH, PORTUGUESE, RUSSIAN, KOREAN, JAPANESE, CHINESE)
}

CODECS: dict[int, str] = {
    65001: "utf-8",
    20127: "ascii",
    28591: "latin-1",
    936: "gbk",
    932: "cp932",
    949: "cp949",
    950: "cp950",
    **{page: f"cp{page}" for page in (437, 720, 737, 775, 850, 852, 855, 857, 858, 860, 861, 862, 863, 864, 865, 866, 869, 874)},
    **{page: f"cp{page}" for page in range(1250, 1259)},
}
"""Code pages a console can be switched to, and how Python calls them."""


def codec(page: int) -> str:
    """The codec of a code page; an unknown page behaves like the first of all, 437."""
    return CODECS.get(page, "cp437")
