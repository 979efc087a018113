"""Many items together, then one by one, so that one bad item does not take the others with it."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

__all__ = ["attempts"]

Item = TypeVar("Item")
Result = TypeVar("Result")
Error = TypeVar("Error", bound=BaseException)


def attempts(
    call: Callable[[Sequence[Item]], Sequence[Result]],
    items: Sequence[Item],
    *,
    catch: type[Error],
    on_failure: Callable[[Error], None],
    give_up: bool = True,
    reraise: tuple[type[BaseException], ...] = (Warning,),
) -> Iterator[Result | Error]:
    """Yield the result of each item, in order, or the error that there is instead.

    All items go into one call. If that fails, each gets a call of its own, and its outcome is yielded before the
    next call is made.

    Args:
        call: takes some of the items, and returns a result for each.
        items: at least one.
        catch: what counts as a failure.
        on_failure: told why the call for all items failed.
        give_up: once the first two items have both failed alone, take it that the items are not to blame, and
            yield the same error for the rest, without a call.
        reraise: what is raised at once all the same. A warning is an error only where the caller made it one.
    """
    try:
        results = call(items)
    except reraise:
        raise
    except catch as exc:
        on_failure(exc)
        if len(items) == 1:
            yield exc
            return
    else:
        yield from results
        return
    failures: list[Error] = []
    for at, item in enumerate(items):
        if give_up and at >= 2 and len(failures) == at:
            failures.append(failures[-1])
            yield failures[-1]
            continue
        try:
            (result,) = call([item])
        except reraise:
            raise
        except catch as exc:
            failures.append(exc)
            yield exc
        else:
            yield result
