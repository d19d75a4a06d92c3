# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""PE files of an exact size, by hand or linked with mingw-w64.

Both kinds have a code section, a data section that fills the file, a version resource, a valid checksum, and up to one file
alignment of bytes behind the last section, as debug information has in old files. Equal arguments give equal bytes.
Layout: Microsoft Portable Executable and Common Object File Format Specification.
"""

from __future__ import annotations

import functools
import hashlib
import shutil
import struct
import subprocess
import tempfile
from pathlib import Path

MACHINES = {"x86": 0x014C, "alpha": 0x0184, "mips": 0x0166}
COMPILER = "i686-w64-mingw32-gcc"
RESOURCE_COMPILER = "i686-w64-mingw32-windres"

FILE_VERSION = (1, 2, 0, 0)
COMPANY = "sms.helpdesk contributors"

_ALIGNMENT = 0x200
_PAGE = 0x1000
_HEADERS = 0x400
_PE_OFFSET = 0x80
_DLL = 0x2000
_RESOURCE_DIRECTORY = 2
_VERSION_TYPE = 16
_ENGLISH = 0x0409


def have_compiler() -> bool:
    """Whether mingw-w64 is installed."""
    return shutil.which(COMPILER) is not None and shutil.which(RESOURCE_COMPILER) is not None


def noise(seed: str, size: int) -> bytes:
    """Bytes that neither repeat nor compress, the same for the same seed."""
    return hashlib.shake_256(seed.encode("utf-8")).digest(size)


def _aligned(size: int, alignment: int) -> int:
    return -(-size // alignment) * alignment


# Version resource -----------------------------------------------------------------------------------------------------------


def _block(key: str, value: bytes, length: int, kind: int, children: bytes = b"") -> bytes:
    """A block of a version resource: length, value length, type, key, value, children, each on a 4-byte boundary."""
    head = struct.pack("<HHH", 0, length, kind) + key.encode("utf-16-le") + b"\0\0"
    body = head.ljust(_aligned(len(head), 4), b"\0") + value
    body = body.ljust(_aligned(len(body), 4), b"\0") + children
    return struct.pack("<H", len(body)) + body[2:]


def _strings(name: str) -> dict[str, str]:
    return {
        "CompanyName": COMPANY,
        "FileDescription": "Test file, not a program",
        "FileVersion": ".".join(map(str, FILE_VERSION)),
        "InternalName": name,
        "OriginalFilename": name,
        "ProductVersion": ".".join(map(str, FILE_VERSION)),
    }


def version_resource(name: str) -> bytes:
    """VS_VERSIONINFO of a file."""
    high, low = FILE_VERSION[0] << 16 | FILE_VERSION[1], FILE_VERSION[2] << 16 | FILE_VERSION[3]
    fixed = struct.pack("<13I", 0xFEEF04BD, 0x10000, high, low, high, low, 0x3F, 0, 0x40004, 2 if name.endswith("dll") else 1, 0, 0, 0)
    table = b""
    for key, text in _strings(name).items():
        value = text.encode("utf-16-le") + b"\0\0"
        table += _block(key, value, len(value) // 2, 1)
        table = table.ljust(_aligned(len(table), 4), b"\0")
    strings = _block("StringFileInfo", b"", 0, 1, _block("040904B0", b"", 0, 1, table))
    variables = _block("VarFileInfo", b"", 0, 1, _block("Translation", struct.pack("<HH", _ENGLISH, 0x4B0), 4, 0))
    return _block("VS_VERSION_INFO", fixed, len(fixed), 0, strings.ljust(_aligned(len(strings), 4), b"\0") + variables)


def _resource_section(name: str, address: int) -> bytes:
    """A resource section with one version resource. Three levels of directory: type, name, language."""
    data = version_resource(name)
    levels = b""
    for number, identifier in enumerate((_VERSION_TYPE, 1, _ENGLISH)):
        following = 24 * (number + 1)
        levels += struct.pack("<IIHHHHII", 0, 0, 4, 0, 0, 1, identifier, following | (0x80000000 if number < 2 else 0))
    start = len(levels) + 16
    return levels + struct.pack("<IIII", address + start, len(data), 1252, 0) + data


# By hand --------------------------------------------------------------------------------------------------------------------


def by_hand(name: str, platform: str, size: int, *, seed: str, modified: int = 0, version: bool = True) -> bytes:
    """A PE file without a compiler: its program returns at once.

    :raises ValueError: the size is too small for a PE file.
    """
    is_dll = name.lower().endswith("dll")
    code = (b"\x31\xc0\xc3" if platform == "x86" else b"\x01\x80\xfa\x6b").ljust(_ALIGNMENT, b"\0")
    # Code, then resources, then data: the data take what is left.
    resources = _resource_section(name, 2 * _PAGE) if version else b""
    resource_size = _aligned(len(resources), _ALIGNMENT)
    data_size = (size - _HEADERS - len(code) - resource_size) // _ALIGNMENT * _ALIGNMENT
    if data_size <= 0:
        raise ValueError(f"{name}: {size} bytes are too few for a PE file")
    sections = [(b".text", code, _PAGE, 0x60000020)]
    if version:
        sections.append((b".rsrc", resources.ljust(resource_size, b"\0"), 2 * _PAGE, 0x40000040))
    sections.append((b".data", noise(seed, data_size), 3 * _PAGE, 0xC0000040))
    headers, bodies, offset = b"", b"", _HEADERS
    for label, body, address, flags in sections:
        headers += struct.pack("<8sIIIIIIHHI", label, len(body), address, len(body), offset, 0, 0, 0, 0, flags)
        bodies += body
        offset += len(body)
    directories = [(0, 0)] * 16
    if version:
        directories[_RESOURCE_DIRECTORY] = (2 * _PAGE, len(resources))
    characteristics = 0x010E | (_DLL if is_dll else 0)
    image = _aligned(3 * _PAGE + data_size, _PAGE)
    coff = struct.pack("<HHIIIHH", MACHINES[platform], len(sections), modified & 0xFFFFFFFF, 0, 0, 224, characteristics)
    optional = struct.pack("<HBBIIIIII", 0x010B, 5, 12, len(code), resource_size + data_size, 0, _PAGE, _PAGE, 3 * _PAGE)
    base = 0x10000000 if is_dll else 0x400000
    optional += struct.pack("<IIIHHHHHHIIIIHH", base, _PAGE, _ALIGNMENT, 4, 0, 1, 2, 4, 0, 0, image, _HEADERS, 0, 2, 0)
    optional += struct.pack("<IIIIII", 0x100000, _PAGE, 0x100000, _PAGE, 0, 16)
    optional += b"".join(struct.pack("<II", *entry) for entry in directories)
    dos = struct.pack("<2sHHHHHHHHHHHHH32xI", b"MZ", 0x90, 3, 0, 4, 0, 0xFFFF, 0, 0xB8, 0, 0, 0, 0x40, 0, _PE_OFFSET)
    head = (dos.ljust(_PE_OFFSET, b"\0") + b"PE\0\0" + coff + optional + headers).ljust(_HEADERS, b"\0")
    return with_checksum((head + bodies + noise(f"{seed} rest", _ALIGNMENT))[:size])


# With mingw-w64 -------------------------------------------------------------------------------------------------------------

_PROGRAM = """
__attribute__((section(".text"))) int start(void) { return 0; }
__asm__(".section .data\\n.globl _filler\\n_filler:\\n.incbin \\"filler.bin\\"\\n.text\\n");
extern const char filler[];
const void *const keep = filler;
"""


def _resource_script(name: str) -> str:
    numbers = ",".join(map(str, FILE_VERSION))
    values = "".join(f'VALUE "{key}", "{text}"\n' for key, text in _strings(name).items())
    return (
        f"1 VERSIONINFO FILEVERSION {numbers} PRODUCTVERSION {numbers} FILEOS 0x40004 FILETYPE {2 if name.endswith('dll') else 1}\n"
        f'BEGIN BLOCK "StringFileInfo" BEGIN BLOCK "040904B0" BEGIN\n{values}END END\n'
        'BLOCK "VarFileInfo" BEGIN VALUE "Translation", 0x409, 0x4B0 END END\n'
    )


def linked(name: str, platform: str, size: int, *, seed: str, modified: int = 0) -> bytes:
    """A PE file linked with mingw-w64. For another platform than x86 only the machine field says so.

    :raises ValueError: the size is too small for what mingw makes.
    :raises subprocess.CalledProcessError: mingw failed.
    """
    with tempfile.TemporaryDirectory(prefix="package-") as directory:
        place = Path(directory)
        (place / "program.c").write_text(_PROGRAM, encoding="ascii")
        (place / "version.rc").write_text(_resource_script(name), encoding="ascii")
        _run(place, RESOURCE_COMPILER, "version.rc", "version.o")
        # The first link tells how much there is beside the filler.
        image = _link(place, name, noise(seed, _ALIGNMENT))
        room = (size - len(image)) // _ALIGNMENT * _ALIGNMENT + _ALIGNMENT
        if room <= 0:
            raise ValueError(f"{name}: {size} bytes are too few for what mingw makes, {len(image)}")
        image = _link(place, name, noise(seed, room))
    content = bytearray(image + noise(f"{seed} rest", size - len(image)))
    header = struct.unpack_from("<I", content, 0x3C)[0]
    struct.pack_into("<H", content, header + 4, MACHINES[platform])
    struct.pack_into("<I", content, header + 8, modified & 0xFFFFFFFF)
    return with_checksum(bytes(content))


def _link(place: Path, name: str, filler: bytes) -> bytes:
    (place / "filler.bin").write_bytes(filler)
    kind = ["-shared"] if name.lower().endswith("dll") else []
    flags = ["-nostdlib", "-s", "-Os", "-Wl,--no-insert-timestamp", "-Wl,--entry=_start", "-Wl,--exclude-all-symbols"]
    _run(place, COMPILER, *kind, *flags, "-o", "output", "program.c", "version.o")
    # The linker appends the suffix of programs, not of libraries.
    produced = place / "output.exe"
    return (produced if produced.exists() else place / "output").read_bytes()


def _run(place: Path, *command: str) -> None:
    subprocess.run(command, cwd=place, check=True, capture_output=True, stdin=subprocess.DEVNULL)


# Both -----------------------------------------------------------------------------------------------------------------------


def with_checksum(content: bytes) -> bytes:
    """The same file with the checksum of its optional header filled in."""
    position = struct.unpack_from("<I", content, 0x3C)[0] + 24 + 64
    blank = content[:position] + b"\0\0\0\0" + content[position + 4 :]
    padded = blank + b"\0" * (len(blank) % 2)
    total = sum(struct.unpack(f"<{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return content[:position] + struct.pack("<I", total + len(content)) + content[position + 4 :]


@functools.lru_cache(maxsize=64)
def build(name: str, platform: str, size: int, *, seed: str, modified: int = 0, compiler: bool | None = None) -> bytes:
    """A PE file of an exact size.

    :param name: decides between program and library, and stands in the version resource.
    :param platform: x86, alpha or mips.
    :param seed: equal seeds give equal bytes.
    :param modified: link time, seconds since 1970.
    :param compiler: whether to link it with mingw-w64; None: if it is installed.
    """
    make = linked if (have_compiler() if compiler is None else compiler) else by_hand
    return make(name, platform, size, seed=seed, modified=modified)
