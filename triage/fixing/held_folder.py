"""The folder of a file, held open while the file is read and replaced in it."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

MAX_BYTES = 4 << 20
"""A larger file is none that people write settings in."""
_GROUP_OF_ROOT = 0


class EditRefused(Exception):  # noqa: N818  (an answer, not an error of ours)
    """The file is left as it is; the text says why, for the operator."""


@contextlib.contextmanager
def held_folder(path: Path) -> Iterator[HeldFolder]:
    """The folder of ``path``, the links on the way to it followed once.

    Raises:
        EditRefused: what is not possible with it, or with the file while it is held.
    """
    try:
        folder = path.absolute().parent.resolve(strict=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            yield HeldFolder(folder, path.name, descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise EditRefused(f"{path}: {error.strerror or error}") from error


class HeldFolder:
    """The folder of a file, held open: what is looked at and what is replaced are in the same one, whatever becomes of its
    name meanwhile."""

    def __init__(self, path: Path, name: str, descriptor: int) -> None:
        self.path = path
        self.name = name
        self._descriptor = descriptor

    def read(self) -> tuple[bytes, os.stat_result] | None:
        """The file's bytes and what is known of it; None where there is none."""
        try:
            info = os.stat(self.name, dir_fd=self._descriptor, follow_symlinks=False)
        except FileNotFoundError:
            self._check_strangers(None)
            return None
        if stat.S_ISLNK(info.st_mode):
            target = os.readlink(self.name, dir_fd=self._descriptor)
            raise EditRefused(f"{self.path / self.name} is a link to {target}; name that file instead")
        if not stat.S_ISREG(info.st_mode):
            raise EditRefused(f"{self.path / self.name} is no regular file")
        if info.st_nlink > 1:
            raise EditRefused(
                f"{self.path / self.name} has {info.st_nlink} names (hard links); the others would not change"
            )
        self._check_strangers(info)
        descriptor = os.open(
            self.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=self._descriptor
        )
        with open(descriptor, "rb") as stream:
            info = os.fstat(descriptor)
            data = stream.read(MAX_BYTES + 1) if stat.S_ISREG(info.st_mode) else b""
        if len(data) > MAX_BYTES:
            raise EditRefused(f"{self.path / self.name} is larger than {MAX_BYTES} bytes")
        return data, info

    def replace(self, data: bytes, mode: int, owner: int, group: int, modified_ns: int | None = None) -> None:
        """Put ``data`` in the file's place in one step."""
        temporary = self._write(data, mode, (owner, group), modified_ns)
        try:
            os.replace(temporary, self.name, src_dir_fd=self._descriptor, dst_dir_fd=self._descriptor)
        except BaseException:
            self._drop(temporary)
            raise
        os.fsync(self._descriptor)

    def create(self, data: bytes, mode: int) -> None:
        """Put a new file there, never over one that appeared meanwhile."""
        temporary = self._write(data, mode, None, None)
        try:
            os.link(
                temporary, self.name, src_dir_fd=self._descriptor, dst_dir_fd=self._descriptor, follow_symlinks=False
            )
        finally:
            self._drop(temporary)
        os.fsync(self._descriptor)

    def remove(self) -> None:
        """Take the file away."""
        os.unlink(self.name, dir_fd=self._descriptor)
        os.fsync(self._descriptor)

    def _write(self, data: bytes, mode: int, owner: tuple[int, int] | None, modified_ns: int | None) -> str:
        # The same name each time, so that what a killed run left is not left for good.
        temporary = f".{self.name[:100]}.sgltriage-new"
        self._drop(temporary)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(temporary, flags, 0o600, dir_fd=self._descriptor)
        try:
            with open(descriptor, "wb") as stream:
                stream.write(data)
                stream.flush()
                self._dress(descriptor, mode, owner, modified_ns)
                os.fsync(descriptor)
        except BaseException:
            self._drop(temporary)
            raise
        return temporary

    def _dress(self, descriptor: int, mode: int, owner: tuple[int, int] | None, modified_ns: int | None) -> None:
        made = os.fstat(descriptor)
        if owner is not None and owner != (made.st_uid, made.st_gid):
            try:
                os.fchown(descriptor, *owner)
            except PermissionError as error:
                raise EditRefused(
                    f"{self.path / self.name} belongs to another user or group, which we cannot give it back to"
                ) from error
        if owner is not None:
            self._copy_attributes(descriptor)
        # Last: giving a file away takes some bits of its mode.
        os.fchmod(descriptor, mode)
        if modified_ns is not None:
            os.utime(descriptor, ns=(modified_ns, modified_ns))

    def _copy_attributes(self, descriptor: int) -> None:
        """Access lists and labels; not every file system has them, and some may only be set by root."""
        with contextlib.suppress(OSError):
            old = os.open(
                self.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=self._descriptor
            )
            try:
                for name in os.listxattr(old):
                    with contextlib.suppress(OSError):
                        os.setxattr(descriptor, name, os.getxattr(old, name))
            finally:
                os.close(old)

    def _drop(self, name: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self._descriptor)

    def _check_strangers(self, info: os.stat_result | None) -> None:
        """Root writes only where nobody else could have put, or could exchange, what is written to."""
        if os.geteuid() != 0:
            return
        trusted = {0} if info is None else {0, info.st_uid}
        for folder in (self.path, *self.path.parents):
            of_folder = folder.stat()
            others = of_folder.st_mode & stat.S_IWOTH or (
                of_folder.st_mode & stat.S_IWGRP and of_folder.st_gid != _GROUP_OF_ROOT
            )
            # In a folder like /tmp each file is its owner's alone.
            kept = of_folder.st_mode & stat.S_ISVTX and (folder != self.path or info is None or info.st_uid == 0)
            if of_folder.st_uid not in trusted or (others and not kept):
                raise EditRefused(f"other users can write to {folder}, so root does not change {self.path / self.name}")
