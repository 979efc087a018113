"""What belongs together, by ever more reasons to do so (Tarjan 1975)."""

__all__ = ["Union"]


class Union:
    """Numbers in sets that grow together.

    Args:
        n: how many numbers there are, each at first by itself.
    """

    def __init__(self, n: int) -> None:
        self._parents = list(range(n))

    def join(self, one: int, other: int) -> None:
        """Make one set of the sets of two numbers."""
        first, second = sorted((self.of(one), self.of(other)))
        self._parents[second] = first

    def of(self, number: int) -> int:
        """Return the least number of a number's set."""
        while self._parents[number] != number:
            self._parents[number] = self._parents[self._parents[number]]
            number = self._parents[number]
        return number

    def sets(self) -> list[list[int]]:
        """Return the sets, each in order, by their least numbers."""
        members: dict[int, list[int]] = {}
        for number in range(len(self._parents)):
            members.setdefault(self.of(number), []).append(number)
        return [members[least] for least in sorted(members)]
