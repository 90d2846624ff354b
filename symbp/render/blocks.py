"""Lines of Python text with indentation."""

from __future__ import annotations


class Block:
    """Lines with indentation."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._depth = 0

    def add(self, line: str) -> None:
        self.lines.append("    " * self._depth + line)

    def open(self, head: str) -> None:
        self.add(head)
        self._depth += 1

    def open_all(self, lines: list[str]) -> None:
        """Open loops whose heads are given; other lines among them are added as they are."""
        for line in lines:
            if line.endswith(":"):
                self.open(line.strip())
            else:
                self.add(line.strip())

    def nested(self, head: str) -> _Restore:
        restore = self.restored()
        self.open(head)
        return restore

    def restored(self) -> _Restore:
        return _Restore(self, self._depth)

    def return_to(self, depth: int) -> None:
        self._depth = depth


class _Restore:
    """Context that returns to the depth at which it was made."""

    def __init__(self, block: Block, depth: int) -> None:
        self._block, self._depth = block, depth

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        self._block.return_to(self._depth)
