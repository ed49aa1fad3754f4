"""The longest and the shortest way through a function.

Loops need their records (modules/core/wd_loop.h): since a loop was last reached, its pass was begun
at most n times. A loop of the machine code that holds passes of such a loop, and no place where it
is reached, is therefore cut there: what lies between two passes has fewer loops, and so on.
"""

from collections.abc import Iterable, Mapping

from wedau.build.bounds.errors import NoBoundError
from wedau.build.bounds.objects import SIZE, Record

Edges = Mapping[int, Iterable[int]]
Costs = dict[int, int]


class Ways:
    """The ways through one function.

    Args:
        name: the function's, for messages.
        next: the nodes that may follow each node.
        cost: what each node costs; a node that is not in it cannot be passed.
        records: the loops' records at the nodes.
        size: the function's third argument, None if that is not known.
    """

    def __init__(
        self,
        name: str,
        next: Edges,
        cost: Mapping[int, int],
        records: Mapping[int, list[Record]],
        size: int | None = None,
    ) -> None:
        self.name = name
        self.next = {n: [m for m in after if m in cost] for n, after in next.items() if n in cost}
        self.cost = cost
        self.records = records
        self.size = size

    def longest(self, start: int, ends: Iterable[int]) -> int | None:
        """Return the cost of the costliest way from start to an end, None if there is no way.

        Raises:
            NoBoundError: a loop has no bound.
        """
        if start not in self.cost:
            return None
        reached = self._region(set(self.next), {start: 0})
        return max((reached[end] for end in ends if end in reached), default=None)

    def shortest(self, start: int, ends: Iterable[int]) -> int | None:
        """Return the cost of the cheapest way from start to an end, None if there is no way."""
        found: Costs = {}
        queue = {start: self.cost[start]} if start in self.cost else {}
        while queue:
            node = min(queue, key=queue.__getitem__)
            found[node] = cost = queue.pop(node)
            for other in self.next[node]:
                if other not in found:
                    queue[other] = min(
                        queue.get(other, cost + self.cost[other]), cost + self.cost[other]
                    )
        return min((found[end] for end in ends if end in found), default=None)

    def _region(self, nodes: set[int], begins: Costs) -> Costs:
        """Return the cost of the longest way to each node, itself included.

        Args:
            nodes: the ways stay among these.
            begins: where they begin, and what was spent before.
        """
        reached: Costs = {}
        arriving = dict(begins)
        for group in _components(nodes, begins, self.next):
            node = group[0]
            if len(group) == 1 and node not in self.next[node]:
                found = {node: arriving[node] + self.cost[node]}
            else:
                found = self._loop(set(group), {n: arriving[n] for n in group if n in arriving})
            reached |= found
            for node, spent in found.items():
                for other in self.next[node]:
                    if other in nodes and other not in found:
                        arriving[other] = max(arriving.get(other, 0), spent)
        return reached

    def _loop(self, nodes: set[int], begins: Costs) -> Costs:
        """Return the longest ways to the nodes of a loop: cut it where its passes begin."""
        passes, cut = self._cut(nodes)
        rest = nodes - cut
        before = self._region(rest, {n: c for n, c in begins.items() if n in rest})
        arriving = [begins[n] + self.cost[n] for n in cut if n in begins]
        arriving += self._steps(before, cut)
        if not arriving:
            return before
        between = self._region(rest, {m: 0 for n in cut for m in self.next[n] if m in rest})
        again = self._steps(between, cut)
        again += [self.cost[m] for n in cut for m in self.next[n] if m in cut]
        spent = max(arriving) + (passes - 1) * max(again, default=0)
        reached = {n: spent + c for n, c in between.items()} | dict.fromkeys(cut, spent)
        for node, cost in before.items():
            reached[node] = max(reached.get(node, 0), cost)
        return reached

    def _steps(self, reached: Costs, cut: set[int]) -> list[int]:
        return [c + self.cost[m] for n, c in reached.items() for m in self.next[n] if m in cut]

    def _cut(self, nodes: set[int]) -> tuple[int, set[int]]:
        """Return the fewest passes that a record grants the loop, and where they begin."""
        passes: dict[int, int] = {}
        begun: dict[int, set[int]] = {}
        inside: set[int] = set()
        for node in nodes:
            for record in self.records.get(node, ()):
                if record.passes:
                    n = self._passes(record)
                    passes[record.loop] = max(passes.get(record.loop, 0), n)
                    begun.setdefault(record.loop, set()).add(node)
                else:
                    inside.add(record.loop)
        bounded = sorted((n, loop) for loop, n in passes.items() if loop not in inside)
        if not bounded:
            raise NoBoundError(f"{self.name}() has a loop that does not say how often it passes")
        fewest, loop = bounded[0]
        return fewest, begun[loop]

    def _passes(self, record: Record) -> int:
        if record.passes != SIZE:
            return record.passes
        if self.size is None or self.size < 0:
            raise NoBoundError(f"{self.name}() is called with a size that is not constant")
        return max(self.size, 1)


def _components(nodes: set[int], begins: Iterable[int], next: Edges) -> list[list[int]]:
    """Return the strongly connected components that can be reached, each before its followers.

    Source: Tarjan, Depth-first search and linear graph algorithms, 1972; without recursion.
    """
    number: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    on_stack: set[int] = set()
    found: list[list[int]] = []
    for begin in begins:
        if begin in number:
            continue
        work = [(begin, iter(next[begin]))]
        number[begin] = low[begin] = len(number)
        stack.append(begin)
        on_stack.add(begin)
        while work:
            node, followers = work[-1]
            for other in followers:
                if other not in nodes:
                    continue
                if other not in number:
                    number[other] = low[other] = len(number)
                    stack.append(other)
                    on_stack.add(other)
                    work.append((other, iter(next[other])))
                    break
                if other in on_stack:
                    low[node] = min(low[node], number[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == number[node]:
                    group: list[int] = []
                    while not group or group[-1] != node:
                        group.append(stack.pop())
                        on_stack.discard(group[-1])
                    found.append(group)
    return found[::-1]
