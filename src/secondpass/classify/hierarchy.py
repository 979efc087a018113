"""Labels in a tree: from the top down, with the probabilities of whole paths."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from secondpass.classify.hypotheses import checked_labels
from secondpass.errors import SecondPassError
from secondpass.logistic import FloatArray

__all__ = ["Node", "descend", "parsed_tree"]

_DEEPEST = 50


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A label with those below it.

    Attributes:
        label: its name; empty at the root.
        children: those below; empty for a leaf.
        path: the labels from the top down to this one.
    """

    label: str
    children: tuple["Node", ...] = ()
    path: tuple[str, ...] = ()

    @property
    def is_deep(self) -> bool:
        """Whether there is more than one level below."""
        return any(child.children for child in self.children)

    def walk(self) -> Iterator["Node"]:
        """Yield every node below, from the top down."""
        for child in self.children:
            yield child
            yield from child.walk()


Asked = tuple[int, Node]
"""A text's index, and a node whose children are to be compared."""

Found = dict[Node, FloatArray]
"""The path probability of each node that was looked at, by each member of the ensemble: shape (n_members,)."""


@dataclass(slots=True)
class _Search:
    """How far one text has come."""

    found: Found = field(default_factory=dict)
    expanded: set[Node] = field(default_factory=set)

    def open_nodes(self, root: Node) -> list[Node]:
        nodes = (root, *self.found)
        return [node for node in nodes if node.children and node not in self.expanded]

    def next_node(self, root: Node) -> Node | None:
        """Return the most probable open node; None once none is more probable than the best leaf."""
        if root not in self.expanded:
            return root
        value = {node: float(path.mean()) for node, path in self.found.items()}
        best = max(self.open_nodes(root), key=value.__getitem__, default=None)
        leaf = max((value[node] for node in self.found if not node.children), default=-1.0)
        return best if best is not None and value[best] > leaf else None


def parsed_tree(labels: Mapping[str, Any], least: int, error: type[SecondPassError]) -> Node:
    """Return nested mappings as a tree; a leaf's value is None or empty, and a list is a level of leaves.

    Args:
        labels: the tree.
        least: how many children a node must have, if it has any.
        error: what to raise.
    """
    root = Node("", _children(labels, (), least, error))
    seen: set[str] = set()
    for node in root.walk():
        if node.label in seen:
            raise error(
                f"the label {node.label!r} is in the tree twice: give the two different names and one description"
            )
        seen.add(node.label)
    return root


def _children(level: Any, path: tuple[str, ...], least: int, error: type[SecondPassError]) -> tuple[Node, ...]:
    if path and not level:
        return ()
    if len(path) > _DEEPEST:
        raise error(f"the tree of labels is deeper than {_DEEPEST} levels, or contains itself")
    try:
        labels = checked_labels(level, least, error)
    except error as exc:
        raise error(f"below {' > '.join(path) or 'the top'}: {exc}") from exc
    below = level if isinstance(level, Mapping) else dict.fromkeys(labels)
    return tuple(Node(label, _children(below[label], (*path, label), least, error), (*path, label)) for label in labels)


def descend(
    root: Node,
    n_texts: int,
    score: Callable[[Sequence[Asked]], Sequence[FloatArray]],
    opened: Callable[[Node, float], bool] | None = None,
) -> list[Found]:
    """Return the path probabilities of the nodes that had to be looked at to find each text's best path.

    The most probable open node is opened next, until none is more probable than the best leaf: as a path's
    probability only falls on the way down, that leaf is the best of the whole tree. All texts are scored together.

    Args:
        root: the tree.
        n_texts: how many texts there are.
        score: gives the probabilities of a node's children, given the node, each of shape (n_members, n_children).
        opened: tells, in place of that search, whether a node with this path probability is opened.
    """
    searches = [_Search() for _ in range(n_texts)]
    while True:
        wanted: list[Asked] = []
        for at, search in enumerate(searches):
            if opened is None:
                node = search.next_node(root)
                wanted += [] if node is None else [(at, node)]
            else:
                nodes = search.open_nodes(root)
                wanted += [(at, one) for one in nodes if one is root or opened(one, float(search.found[one].mean()))]
        if not wanted:
            return [search.found for search in searches]
        for (at, node), probabilities in zip(wanted, score(wanted), strict=True):
            search = searches[at]
            search.expanded.add(node)
            above = search.found.get(node, 1.0)
            search.found |= {child: above * probabilities[:, column] for column, child in enumerate(node.children)}
