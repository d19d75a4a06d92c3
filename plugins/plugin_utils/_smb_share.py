# SPDX-FileCopyrightText: sms.helpdesk contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A share of a Windows server over SMB 2 or 3. Private to the collection; the only file that knows SMB.

Each share has a connection of its own, closed in the end; nothing is kept between tasks.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import sys
import time
import typing as t
import uuid

from . import _share_trouble as trouble
from ._errors import BadInput
from ._shares import CHUNK, Account, Address, Entry, Share, join

try:
    from smbprotocol.connection import Connection
    from smbprotocol.exceptions import (
        SMBAuthenticationError,
        SMBConnectionClosed,
        SMBException,
        SMBResponseException,
    )
    from smbprotocol.file_info import (
        FileBasicInformation,
        FileDispositionInformation,
        FileInformationClass,
        FileRenameInformation,
    )
    from smbprotocol.ioctl import CtlCode, IOCTLFlags, SMB2IOCTLRequest, SMB2IOCTLResponse, SMB2SrvCopyChunk, SMB2SrvCopyChunkCopy
    from smbprotocol.open import (
        CreateDisposition,
        CreateOptions,
        FileAttributes,
        FilePipePrinterAccessMask,
        ImpersonationLevel,
        Open,
        QueryDirectoryFlags,
        ShareAccess,
        SMB2QueryInfoRequest,
        SMB2QueryInfoResponse,
        SMB2SetInfoRequest,
    )
    from smbprotocol.session import Session
    from smbprotocol.tree import TreeConnect
    from spnego.exceptions import SpnegoError
except ImportError as _error:
    MISSING: str | None = _error.name
    Connection = object
else:
    MISSING = None

_EPOCH = 116444736000000000  # 1970 in units of 100 ns since 1601
_NOT_FOUND = frozenset({0xC0000034, 0xC000003A, 0xC000000F})
_NO_MORE_FILES = 0x80000006
_CANNOT_COPY = frozenset({0xC00000BB, 0xC0000010, 0xC000000D, 0xC0000002})
_COPY_PIECE = 1024 * 1024  # what one server-side copy moves at a time, [MS-SMB2] 3.3.3
_LOCK_PATIENCE = 5
_KEPT = 0x1 | 0x2 | 0x4 | 0x20  # read-only, hidden, system, archive


class _NoAnswer(Exception):
    """The server did not answer within the timeout."""


class _Patient(Connection):  # type: ignore[misc, unused-ignore]
    """A connection on which no answer is waited for longer than `patience` seconds."""

    patience = 30.0

    def receive(self, request: t.Any, wait: bool = True, timeout: float | None = None, resolve_symlinks: bool = True) -> t.Any:
        try:
            return super().receive(request, wait, timeout or self.patience, False)
        except SMBException as error:
            if type(error) is SMBException:  # the library has no class of its own for this
                raise _NoAnswer from None
            raise


class SmbShare(Share):
    """The files below a directory of a share."""

    def __init__(self, host: str, address: Address, account: Account) -> None:
        super().__init__(host, "\\\\" + join(address.server or "", address.share, address.path))
        if MISSING:
            raise BadInput(
                host,
                "the controller",
                f"the Python library {MISSING} is not installed for {sys.executable}",
                "install it with 'python3 -m pip install smbprotocol'",
                "library-missing",
            )
        self._below = address.path
        self._connection = _Patient(uuid.uuid4(), address.server, account.port, require_signing=True)
        self._connection.patience = account.timeout
        where = f"connecting to \\\\{address.server}\\{address.share} (port {account.port})"
        try:
            with self._told(where):
                self._connection.connect(timeout=account.timeout)
                session = Session(self._connection, username=account.username, password=account.password)
                session.connect()
                self._tree = TreeConnect(session, f"\\\\{address.server}\\{address.share}")
                self._tree.connect()
        except Exception as error:
            self.close()
            if isinstance(error, trouble.ShareTrouble):
                raise
            # Whatever else the library trips over is an answer that is no SMB.
            raise trouble.error(host, where, trouble.NOT_SMB) from None

    def full(self, path: str) -> str:
        return join(self.root, path)

    @contextlib.contextmanager
    def _told(self, thing: str) -> t.Iterator[None]:
        try:
            yield
        except SMBResponseException as error:
            raise trouble.error(self.host, thing, trouble.of_status(error.status)) from None
        except SMBConnectionClosed:
            raise trouble.error(self.host, thing, trouble.CUT) from None
        except (_NoAnswer, TimeoutError):
            raise trouble.error(self.host, thing, trouble.TIMEOUT) from None
        except (SMBAuthenticationError, SpnegoError):
            raise trouble.error(self.host, thing, trouble.LOGON) from None
        except ValueError as error:
            # The library wraps what the socket says when it connects.
            if not isinstance(error.__cause__, OSError):
                raise
            raise trouble.error(self.host, thing, _of_socket(error.__cause__)) from None
        except OSError as error:
            raise trouble.error(self.host, thing, _of_socket(error)) from None

    @contextlib.contextmanager
    def _open(
        self,
        path: str,
        access: int,
        disposition: int | None = None,
        options: int = 0,
        sharing: int | None = None,
        attributes: int = 0x80,
    ) -> t.Iterator[t.Any]:
        """A handle; whoever calls is inside `_told`. Others may do with the file what they like unless `sharing` says less."""
        everything = ShareAccess.FILE_SHARE_READ | ShareAccess.FILE_SHARE_WRITE | ShareAccess.FILE_SHARE_DELETE
        handle = Open(self._tree, join(self._below, path))
        handle.create(
            ImpersonationLevel.Impersonation,
            access,
            attributes,
            everything if sharing is None else sharing,
            CreateDisposition.FILE_OPEN if disposition is None else disposition,
            options,
        )
        try:
            yield handle
        except BaseException:
            # The first error is the one to tell.
            with contextlib.suppress(Exception):
                handle.close()
            raise
        handle.close()

    def _ask(self, handle: t.Any, request: t.Any, credits: int | None = None) -> t.Any:
        session = self._tree.session
        sent = self._connection.send(request, sid=session.session_id, tid=self._tree.tree_connect_id, credit_request=credits)
        return self._connection.receive(sent)

    def _set(self, handle: t.Any, information: t.Any) -> None:
        request = SMB2SetInfoRequest()
        request["info_type"] = information.INFO_TYPE
        request["file_info_class"] = information.INFO_CLASS
        request["file_id"] = handle.file_id
        request["buffer"] = information
        self._ask(handle, request)

    def stat(self, path: str) -> Entry | None:
        with self._told(f"looking at {self.full(path)}"):
            try:
                with self._open(
                    path, FilePipePrinterAccessMask.FILE_READ_ATTRIBUTES, options=CreateOptions.FILE_OPEN_REPARSE_POINT
                ) as handle:
                    request = SMB2QueryInfoRequest()
                    request["info_type"] = FileBasicInformation.INFO_TYPE
                    request["file_info_class"] = FileBasicInformation.INFO_CLASS
                    request["file_id"] = handle.file_id
                    request["output_buffer_length"] = len(FileBasicInformation())
                    answer = SMB2QueryInfoResponse()
                    answer.unpack(self._ask(handle, request)["data"].get_value())
                    basic = answer.parse_buffer(FileBasicInformation)
                    size = handle.end_of_file
            except SMBResponseException as error:
                if error.status in _NOT_FOUND:
                    return None
                raise
        word = basic["file_attributes"].get_value()
        kind = "other" if word & 0x400 else "directory" if word & 0x10 else "file"
        return Entry(kind, size, (basic["last_write_time"].get_value() - _EPOCH) * 100, word & _KEPT)

    def names(self, directory: str, name: str | None = None) -> dict[str, bool]:
        found = {}
        access = FilePipePrinterAccessMask.FILE_READ_DATA | FilePipePrinterAccessMask.FILE_READ_ATTRIBUTES
        with (
            self._told(f"listing {self.full(directory)}"),
            self._open(directory, access, options=CreateOptions.FILE_DIRECTORY_FILE) as handle,
        ):
            flags = QueryDirectoryFlags.SMB2_RESTART_SCANS
            while True:
                try:
                    entries = handle.query_directory(name or "*", FileInformationClass.FILE_DIRECTORY_INFORMATION, flags=flags)
                except SMBResponseException as error:
                    if error.status == _NO_MORE_FILES or error.status in _NOT_FOUND:
                        break
                    raise
                flags = 0
                for entry in entries:
                    spelling = entry["file_name"].get_value().decode("utf-16-le")
                    # A short name (WUSER3~1.EXE) matches as well and is not asked for.
                    if spelling not in (".", "..") and (name is None or spelling.lower() == name.lower()):
                        found[spelling] = bool(entry["file_attributes"].get_value() & 0x10)
        return found

    def read(self, path: str) -> t.Iterator[bytes]:
        sharing = ShareAccess.FILE_SHARE_READ | ShareAccess.FILE_SHARE_WRITE | ShareAccess.FILE_SHARE_DELETE
        access = FilePipePrinterAccessMask.FILE_READ_DATA | FilePipePrinterAccessMask.FILE_READ_ATTRIBUTES
        with (
            self._told(f"reading {self.full(path)}"),
            self._open(path, access, options=CreateOptions.FILE_NON_DIRECTORY_FILE, sharing=sharing) as handle,
        ):
            offset = 0
            while offset < handle.end_of_file:
                piece = self._piece(self._connection.max_read_size, handle.end_of_file - offset)
                request, answer = handle.read(offset, piece, send=False)
                session = self._tree.session
                sent = self._connection.send(request, sid=session.session_id, tid=self._tree.tree_connect_id, credit_request=8)
                chunk = answer(sent)
                if not chunk:
                    break
                yield chunk
                offset += len(chunk)

    def _piece(self, limit: int, wanted: int) -> int:
        """How many bytes one message may carry: the server's limit, our own, and what the credits it granted allow."""
        window = self._connection.sequence_window
        return min(CHUNK, limit, wanted, max(1, window["high"] - window["low"]) * 65536)

    def write_new(self, path: str, chunks: t.Iterable[bytes]) -> None:
        access = FilePipePrinterAccessMask.FILE_WRITE_DATA | FilePipePrinterAccessMask.FILE_WRITE_ATTRIBUTES
        with (
            self._told(f"writing {self.full(path)}"),
            self._open(path, access, CreateDisposition.FILE_CREATE, CreateOptions.FILE_NON_DIRECTORY_FILE, sharing=0) as handle,
        ):
            offset = 0
            for chunk in chunks:
                left = memoryview(chunk)
                while left:
                    piece = self._piece(self._connection.max_write_size, len(left))
                    request, answer = handle.write(bytes(left[:piece]), offset, send=False)
                    session = self._tree.session
                    sent = self._connection.send(request, sid=session.session_id, tid=self._tree.tree_connect_id, credit_request=8)
                    written = answer(sent)
                    offset, left = offset + written, left[written:]
            handle.flush()

    def copy(self, source: str, target: str) -> None:
        try:
            self._copy_on_server(source, target)
        except _CannotCopy:
            self.delete(target)
            self.write_new(target, self.read(source))

    def _copy_on_server(self, source: str, target: str) -> None:
        reading = FilePipePrinterAccessMask.FILE_READ_DATA | FilePipePrinterAccessMask.FILE_READ_ATTRIBUTES
        writing = FilePipePrinterAccessMask.FILE_READ_DATA | FilePipePrinterAccessMask.FILE_WRITE_DATA
        plain = CreateOptions.FILE_NON_DIRECTORY_FILE
        with (
            self._told(f"copying {self.full(source)} to {self.full(target)}"),
            self._open(source, reading, options=plain) as original,
            self._open(target, writing, CreateDisposition.FILE_CREATE, plain, sharing=0) as new,
        ):
            try:
                key = self._control(original, CtlCode.FSCTL_SRV_REQUEST_RESUME_KEY, b"", 32)[:24]
                for offset in range(0, original.end_of_file, _COPY_PIECE):
                    piece = SMB2SrvCopyChunk()
                    piece["source_offset"] = piece["target_offset"] = offset
                    piece["length"] = length = min(_COPY_PIECE, original.end_of_file - offset)
                    order = SMB2SrvCopyChunkCopy()
                    order["source_key"] = key
                    order["chunks"] = [piece]
                    # [MS-SMB2] 2.2.32.1: chunks written, bytes of a part of a chunk, bytes written
                    if struct.unpack("<III", self._control(new, CtlCode.FSCTL_SRV_COPYCHUNK_WRITE, order, 12)[:12])[2] != length:
                        raise _CannotCopy
            except SMBResponseException as error:
                if error.status in _CANNOT_COPY:
                    raise _CannotCopy from None
                raise
            new.flush()

    def _control(self, handle: t.Any, code: int, data: t.Any, size: int) -> bytes:
        request = SMB2IOCTLRequest()
        request["ctl_code"] = code
        request["file_id"] = handle.file_id
        request["max_output_response"] = size
        request["flags"] = IOCTLFlags.SMB2_0_IOCTL_IS_FSCTL
        request["buffer"] = data
        answer = SMB2IOCTLResponse()
        answer.unpack(self._ask(handle, request)["data"].get_value())
        return t.cast(bytes, answer["buffer"].get_value())

    def set_metadata(self, path: str, modified_ns: int | None, attributes: int | None) -> None:
        access = FilePipePrinterAccessMask.FILE_WRITE_ATTRIBUTES
        with (
            self._told(f"setting time and attributes of {self.full(path)}"),
            self._open(path, access, options=CreateOptions.FILE_OPEN_REPARSE_POINT) as handle,
        ):
            basic = FileBasicInformation()
            for field in ("creation_time", "last_access_time", "change_time"):
                basic[field] = 0  # 0 leaves it as it is
            basic["last_write_time"] = 0 if modified_ns is None else modified_ns // 100 + _EPOCH
            basic["file_attributes"] = 0 if attributes is None else (attributes & _KEPT) or FileAttributes.FILE_ATTRIBUTE_NORMAL
            self._set(handle, basic)

    def replace(self, source: str, target: str) -> None:
        try:
            with (
                self._told(f"replacing {self.full(target)}"),
                self._open(source, FilePipePrinterAccessMask.DELETE, options=CreateOptions.FILE_OPEN_REPARSE_POINT) as handle,
            ):
                new_name = FileRenameInformation()
                new_name["replace_if_exists"] = True
                new_name["file_name"] = join(self._below, target)
                self._set(handle, new_name)
        except trouble.ShareTrouble as error:
            # [MS-FSA] 2.1.5.14.11: a name whose file somebody has open cannot be taken, and that is told as "access denied".
            if error.reason == trouble.DENIED.reason:
                self.check_replaceable(target)
            raise

    def check_replaceable(self, path: str) -> None:
        with self._told(f"replacing {self.full(path)}"):
            try:
                with self._open(path, FilePipePrinterAccessMask.DELETE, options=CreateOptions.FILE_OPEN_REPARSE_POINT, sharing=0):
                    pass
            except SMBResponseException as error:
                if error.status not in _NOT_FOUND:
                    raise

    def delete(self, path: str) -> None:
        entry = self.stat(path)
        if entry and self.writable(entry.attributes) != entry.attributes:
            self.set_metadata(path, None, self.writable(entry.attributes))
        self._remove(path, CreateOptions.FILE_NON_DIRECTORY_FILE | CreateOptions.FILE_OPEN_REPARSE_POINT)

    def _remove(self, path: str, options: int) -> None:
        with self._told(f"removing {self.full(path)}"), self._open(path, FilePipePrinterAccessMask.DELETE, options=options) as handle:
            disposition = FileDispositionInformation()
            disposition["delete_pending"] = True
            self._set(handle, disposition)

    def make_directory(self, path: str) -> None:
        access = FilePipePrinterAccessMask.FILE_READ_ATTRIBUTES
        with (
            self._told(f"creating {self.full(path)}"),
            self._open(path, access, CreateDisposition.FILE_CREATE, CreateOptions.FILE_DIRECTORY_FILE, attributes=0x10),
        ):
            pass

    def remove_directory(self, path: str) -> None:
        self._remove(path, CreateOptions.FILE_DIRECTORY_FILE)

    def writable(self, attributes: int) -> int:
        return attributes & ~0x1

    @contextlib.contextmanager
    def lock(self, path: str) -> t.Iterator[None]:
        # Held without sharing and deleted when closed: the server lets go of it whichever way this process ends.
        access = FilePipePrinterAccessMask.DELETE | FilePipePrinterAccessMask.FILE_READ_ATTRIBUTES
        options = CreateOptions.FILE_NON_DIRECTORY_FILE | CreateOptions.FILE_DELETE_ON_CLOSE
        limit = time.monotonic() + _LOCK_PATIENCE
        stack = contextlib.ExitStack()
        while True:
            try:
                with self._told(f"locking {self.full(path)}"):
                    stack.enter_context(self._open(path, access, CreateDisposition.FILE_OPEN_IF, options, sharing=0))
                break
            except trouble.ShareTrouble as error:
                if error.reason != trouble.IN_USE.reason:
                    raise
                if time.monotonic() > limit:
                    raise trouble.other_run(self.host, self.full(path)) from None
                time.sleep(0.5)
        try:
            yield
        finally:
            with contextlib.suppress(Exception):
                stack.close()

    def close(self) -> None:
        with contextlib.suppress(Exception):
            self._connection.disconnect(close=True, timeout=5)


class _CannotCopy(Exception):
    """The server does not copy by itself."""


def _of_socket(error: OSError) -> trouble.Trouble:
    if isinstance(error, socket.gaierror):
        return trouble.DNS
    if isinstance(error, TimeoutError):
        return trouble.TIMEOUT
    return trouble.of_errno(error.errno)
