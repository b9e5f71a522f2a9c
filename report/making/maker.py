"""Make what is stale and nothing else: the one place that decides it."""

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, TypeVar

from report import files
from report.cores import cores
from report.errors import ReportError
from report.making.checksums import Checksums
from report.products import MISSING, Code, Product, Progress
from report.workers.local import Processes

Seen = TypeVar("Seen")


def _say_nothing(done: int, count: int, name: str) -> None:
    pass


class Maker:
    """Remember, in a ledger, from which key each product was made, and what its files hold."""

    def __init__(self, ledger: Path, code: Code) -> None:
        """Keep where the ledger is and whose code makes things; a damaged ledger is empty, which only costs work."""
        self._path = ledger
        self._code = code
        self._entries: dict[str, Any] = files.read_json(ledger, default={})
        self.checksums = Checksums(ledger.with_name("checksums.json"))
        self._noted: dict[tuple[str, ...], Any] | None = None  # what was seen, while nothing is made

    @contextlib.contextmanager
    def looking(self) -> Iterator[None]:
        """See to all things but once while the context lasts: nothing may be made, or change, meanwhile."""
        is_outer = self._noted is None
        if is_outer:
            self._noted = {}
        try:
            yield
        finally:
            if is_outer:
                self._noted = None

    def look_again(self) -> None:
        """Within such a context, see to everything anew: something has been removed."""
        if self._noted is not None:
            self._noted = {}

    def once(self, see: Callable[[], Seen], *name: str) -> Seen:
        """Return what `see` returns, which within such a context is called but once for each `name`."""
        if self._noted is None:
            return see()
        if name not in self._noted:
            self._noted[name] = see()
        found: Seen = self._noted[name]
        return found

    def key(self, product: Product) -> str:
        """Return the digest of all that decides a product, as it is now."""
        return self.once(lambda: self._code.key(product, self.checksums.of), "key", product.name)

    def is_fresh(self, product: Product) -> bool:
        """Tell whether a product was made from what it would be made from now, and all its files are as they were."""
        return bool(self._entry(product) == {"key": self.key(product), "files": self._contents(product)})

    def altered(self, product: Product) -> list[Path]:
        """Return the files that do not hold what was made, or that nobody made; those that are gone not among them.

        A product that would be made otherwise now has none: a command that made it so may have been stopped half-way.
        """
        is_same = self._entry(product).get("key") == self.key(product)
        return self.differing(product) if is_same else []

    def differing(self, product: Product) -> list[Path]:
        """Return the same, whatever the product would be made from now."""
        made = {**self._entry(product).get("files", {})}
        found = self._found(product)
        return [path for name, (path, each) in found.items() if each not in (made.get(name), MISSING)]

    def lost(self, product: Product) -> list[Path]:
        """Return the files of a product, as it was last made, that are there no more."""
        made = self._entry(product).get("files", {})
        paths = [Path(os.path.normpath(self._path.parent / name)) for name in sorted(made)]
        return [path for path in paths if not path.is_file()]

    def stale(self, products: Sequence[Product]) -> list[Product]:
        """Return those that must be made."""
        return [product for product in products if not self.is_fresh(product)]

    def make(
        self, products: Sequence[Product], progress: Progress = _say_nothing, *, side_by_side: bool = False
    ) -> None:
        """Make those products that are stale.

        Args:
            products: in the order in which they are made.
            progress: told after each.
            side_by_side: make several at a time, each in a process of its own; order plays no part then.

        Raises:
            ReportError: as their work does, or when a process that worked on one died.
        """
        with self.looking():
            stale = self.stale(products)
            keys = {product.name: self.key(product) for product in stale}
        processes = min(cores(), len(stale)) if side_by_side else 1
        made = _side_by_side(stale, processes) if processes > 1 else _in_order(stale)
        for done, product in enumerate(made, 1):
            self.record(product, keys[product.name])
            progress(done, len(stale), product.name)

    def record(self, product: Product, key: str) -> None:
        """Note that a product was made from what its `key` stands for: what changed meanwhile is made the next time.

        Args:
            product: that was made.
            key: of it, before. That of a product whose own work settles it is asked for now.
        """
        self.look_again()
        entry = {"key": self.key(product) if product.settles else key, "files": self._contents(product)}
        self._entries[product.name] = entry
        files.write_text(self._path, files.compact_json(self._entries))

    def _entry(self, product: Product) -> dict[str, Any]:
        entry = self._entries.get(product.name)
        return entry if isinstance(entry, dict) else {}

    def _contents(self, product: Product) -> dict[str, str]:
        """Return the checksum of each file of a product, by its path relative to the ledger."""
        return {name: each for name, (_, each) in self._found(product).items()}

    def _found(self, product: Product) -> dict[str, tuple[Path, str]]:
        """Return each file of a product with its checksum, by its path relative to the ledger."""

        def see() -> dict[str, tuple[Path, str]]:
            return {self.checksums.name(path): (path, self.checksums.of(path)) for path in product.outputs()}

        return self.once(see, "files", product.name)


def _in_order(products: Sequence[Product]) -> Iterator[Product]:
    for product in products:
        product.work()
        yield product


def _side_by_side(products: Sequence[Product], processes: int) -> Iterator[Product]:
    """Make products in processes; yield each when it is done."""
    from pebble import ProcessExpired  # here, because it loads asyncio, which a fresh build never needs

    with Processes(processes) as executor:
        futures = {executor.submit(product.work): product for product in products}
        for future in as_completed(futures):
            product = futures[future]
            try:
                future.result()
            except (ProcessExpired, BrokenProcessPool):
                raise ReportError(
                    f"The process that made {product.name} died, perhaps for want of memory. Run the command again; "
                    "what is made is kept."
                ) from None
            yield product
