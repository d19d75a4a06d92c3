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
    # What has a class of its own; everything else the library raises as its root, with a text.
    _CLASSES = (SMBAuthenticationError, SMBConnectionClosed, SMBResponseException)

_EPOCH = 116444736000000000  # 1970 in units of 100 ns since 1601
_NOT_FOUND = frozenset({0xC0000034, 0xC000003A, 0xC000000F})
_NO_MORE_FILES = 0x80000006
_CANNOT_COPY = frozenset({0xC00000BB, 0xC0000010, 0xC000000D, 0xC0000002})
_COPY_PIECE = 1024 * 1024  # what one server-side copy moves at a time, [MS-SMB2] 3.3.3
_LOCK_PATIENCE = 5
_EVERYTHING = 0x1 | 0x2 | 0x4  # FILE_SHARE_READ, _WRITE and _DELETE: others may do with the file what they like
_DELETE = 0x00010000 | 0x80  # DELETE and FILE_READ_ATTRIBUTES
_NO_HANDLE = b"\xff" * 16  # [MS-SMB2] 3.2.4.1.4: "the file of the message before"
_KEPT = 0x1 | 0x2 | 0x4 | 0x20  # read-only, hidden, system, archive


class _Nothing(Exception):
    """Is never raised."""


class _NoAnswer(Exception):
    """The server did not answer within the timeout."""


class _Patient(Connection):  # type: ignore[misc, unused-ignore]
    """A connection on which no answer is waited for longer than `patience` seconds."""

    patience = 30.0

    def receive(self, request: t.Any, wait: bool = True, timeout: float | None = None, resolve_symlinks: bool = True) -> t.Any:
        try:
            return super().receive(request, wait, timeout or self.patience, False)
        except SMBException as error:
            if isinstance(error, _CLASSES):
                raise
            raise _NoAnswer from None


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
                try:
                    self._connection.connect(timeout=account.timeout)
                except (SMBConnectionClosed, OSError) as error:
                    # Whoever speaks SMB 2 answers the first message; a web server or a server with SMB 1 alone hangs up.
                    if isinstance(error, OSError) and _of_socket(error) is not trouble.CUT:
                        raise
                    raise trouble.error(host, where, trouble.NOT_SMB) from None
                # From SMB 3.0 on everything is encrypted; Windows Server 2008 R2 and older can only sign.
                encrypted = bool(self._connection.supports_encryption)
                session = Session(self._connection, account.username, account.password, require_encryption=encrypted)
                try:
                    session.connect()
                except SMBException as error:
                    if isinstance(error, _CLASSES):
                        raise
                    raise trouble.error(host, where, trouble.GUEST) from None
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
        handle = Open(self._tree, join(self._below, path))
        handle.create(
            ImpersonationLevel.Impersonation,
            access,
            attributes,
            _EVERYTHING if sharing is None else sharing,
            CreateDisposition.FILE_OPEN if disposition is None else disposition,
            options,
        )
        first_error: type[BaseException] = Exception
        try:
            yield handle
            first_error = _Nothing
        finally:
            # If something has gone wrong already, that is what has to be told.
            with contextlib.suppress(first_error):
                handle.close()

    def _ask(self, request: t.Any) -> t.Any:
        session = self._tree.session
        return self._connection.receive(self._connection.send(request, sid=session.session_id, tid=self._tree.tree_connect_id))

    def _at_once(self, path: str, access: int, options: int, information: t.Any = None, sharing: int | None = None) -> Entry:
        """Open what is there, set some information, close it: three messages in one round trip. Returns what is there at the end."""
        handle, session = Open(self._tree, join(self._below, path)), self._tree.session
        disposition, shared = CreateDisposition.FILE_OPEN, _EVERYTHING if sharing is None else sharing
        create, opened = handle.create(ImpersonationLevel.Impersonation, access, 0, shared, disposition, options, send=False)
        close, _closed = handle.close(get_attributes=True, send=False)
        middle = [] if information is None else [self._setting(handle, information)]
        messages = [create, *middle, close]
        sent = self._connection.send_compound(messages, sid=session.session_id, tid=self._tree.tree_connect_id, related=True)
        receivers = [opened, *(self._connection.receive for _message in messages[1:])]
        errors: list[SMBResponseException] = []
        answer = None
        for request, receive in zip(sent, receivers, strict=True):
            try:
                answer = receive(request)
            except SMBResponseException as error:
                errors.append(error)
                answer = None
        session.open_table.pop(handle.file_id, None)
        if not errors and answer is not None:
            return _closed_entry(answer["data"].get_value())
        if answer is None and handle.file_id != _NO_HANDLE:
            # A server may leave the file open when the step before has gone wrong, [MS-SMB2] 3.3.5.2.7.2.
            close["file_id"] = handle.file_id
            with contextlib.suppress(SMBException):
                self._ask(close)
        raise errors[0]

    @staticmethod
    def _setting(handle: t.Any, information: t.Any) -> t.Any:
        request = SMB2SetInfoRequest()
        request["info_type"] = information.INFO_TYPE
        request["file_info_class"] = information.INFO_CLASS
        request["file_id"] = handle.file_id
        request["buffer"] = information
        return request

    def stat(self, path: str) -> Entry | None:
        with self._told(f"looking at {self.full(path)}"):
            try:
                return self._at_once(path, FilePipePrinterAccessMask.FILE_READ_ATTRIBUTES, CreateOptions.FILE_OPEN_REPARSE_POINT)
            except SMBResponseException as error:
                if error.status in _NOT_FOUND:
                    return None
                raise

    def names(self, directory: str) -> dict[str, str]:
        found: dict[str, str] = {}
        access = FilePipePrinterAccessMask.FILE_READ_DATA | FilePipePrinterAccessMask.FILE_READ_ATTRIBUTES
        with (
            self._told(f"listing {self.full(directory)}"),
            self._open(directory, access, options=CreateOptions.FILE_DIRECTORY_FILE) as handle,
        ):
            while True:
                try:
                    listed = handle.query_directory("*", FileInformationClass.FILE_DIRECTORY_INFORMATION)
                except SMBResponseException as error:
                    if error.status == _NO_MORE_FILES or error.status in _NOT_FOUND:
                        return found
                    raise
                for entry in listed:
                    name = entry["file_name"].get_value().decode("utf-16-le")
                    if name not in (".", ".."):
                        found[name] = _kind(entry["file_attributes"].get_value())

    def read(self, path: str) -> t.Iterator[bytes]:
        access = FilePipePrinterAccessMask.FILE_READ_DATA | FilePipePrinterAccessMask.FILE_READ_ATTRIBUTES
        with (
            self._told(f"reading {self.full(path)}"),
            self._open(path, access, options=CreateOptions.FILE_NON_DIRECTORY_FILE) as handle,
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

    def copy(self, source: str, target: str) -> bool:
        try:
            self._copy_on_server(source, target)
        except _CannotCopy:
            self.delete(target)
            self.write_new(target, self.read(source))
            return False
        return True

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
        answer.unpack(self._ask(request)["data"].get_value())
        return t.cast(bytes, answer["buffer"].get_value())

    def set_metadata(self, path: str, modified_ns: int | None, attributes: int | None, created_ns: int | None = None) -> Entry:
        basic = FileBasicInformation()
        basic["last_access_time"] = basic["change_time"] = 0  # 0 leaves it as it is
        basic["creation_time"] = 0 if created_ns is None else created_ns // 100 + _EPOCH
        basic["last_write_time"] = 0 if modified_ns is None else modified_ns // 100 + _EPOCH
        basic["file_attributes"] = 0 if attributes is None else (attributes & _KEPT) or FileAttributes.FILE_ATTRIBUTE_NORMAL
        access = FilePipePrinterAccessMask.FILE_WRITE_ATTRIBUTES | FilePipePrinterAccessMask.FILE_READ_ATTRIBUTES
        with self._told(f"setting time and attributes of {self.full(path)}"):
            return self._at_once(path, access, CreateOptions.FILE_OPEN_REPARSE_POINT, basic)

    def replace(self, source: str, target: str) -> None:
        new_name = FileRenameInformation()
        new_name["replace_if_exists"] = True
        new_name["file_name"] = join(self._below, target)
        try:
            with self._told(f"replacing {self.full(target)}"):
                self._at_once(source, _DELETE, CreateOptions.FILE_OPEN_REPARSE_POINT, new_name)
        except trouble.ShareTrouble as error:
            # [MS-FSA] 2.1.5.14.11: a name whose file somebody has open cannot be taken, and that is told as "access denied".
            if error.reason == trouble.DENIED.reason:
                self.check_replaceable(target)
            raise

    def check_replaceable(self, path: str) -> None:
        with self._told(f"replacing {self.full(path)}"):
            try:
                self._at_once(path, _DELETE, CreateOptions.FILE_OPEN_REPARSE_POINT, sharing=0)
            except SMBResponseException as error:
                if error.status not in _NOT_FOUND:
                    raise

    def delete(self, path: str) -> None:
        entry = self.stat(path)
        if entry and self.writable(entry.attributes) != entry.attributes:
            self.set_metadata(path, None, self.writable(entry.attributes))
        self._remove(path, CreateOptions.FILE_NON_DIRECTORY_FILE | CreateOptions.FILE_OPEN_REPARSE_POINT)

    def remove_directory(self, path: str) -> None:
        self._remove(path, CreateOptions.FILE_DIRECTORY_FILE)

    def _remove(self, path: str, options: int) -> None:
        disposition = FileDispositionInformation()
        disposition["delete_pending"] = True
        with self._told(f"removing {self.full(path)}"):
            self._at_once(path, _DELETE, options, disposition)

    def make_directory(self, path: str) -> None:
        access = FilePipePrinterAccessMask.FILE_READ_ATTRIBUTES
        with (
            self._told(f"creating {self.full(path)}"),
            self._open(path, access, CreateDisposition.FILE_CREATE, CreateOptions.FILE_DIRECTORY_FILE, attributes=0x10),
        ):
            pass

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


def _kind(word: int) -> str:
    """What attributes say of the kind of a thing."""
    return "directory" if word & 0x10 else "other" if word & 0x400 else "file"


def _closed_entry(answer: bytes) -> Entry:
    """What the answer to a close says of the file; the library would cut its times to microseconds. [MS-SMB2] 2.2.16."""
    created, written, size, word = struct.unpack_from("<8xQ8xQ16xQI", answer)
    return Entry(_kind(word), size, (written - _EPOCH) * 100, word & _KEPT, (created - _EPOCH) * 100)


class _CannotCopy(Exception):
    """The server does not copy by itself."""


def _of_socket(error: OSError) -> trouble.Trouble:
    if isinstance(error, socket.gaierror):
        return trouble.DNS
    if isinstance(error, TimeoutError):
        return trouble.TIMEOUT
    return trouble.of_errno(error.errno)
