"""Make what is stale and nothing else: the one place that decides it."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from report import files
from report.errors import ReportError
from report.products import Code, Product, Progress
from report.training import workers


class Maker:
    """Remember, in a ledger, from which key each product was made, and how large its files were."""

    def __init__(self, ledger: Path, code: Code) -> None:
        """Keep where the ledger is and whose code makes things; a damaged ledger is empty, which only costs work."""
        self._path = ledger
        self._code = code

    def is_fresh(self, product: Product) -> bool:
        """Tell whether a product was made from what it would be made from now, and all its files are still there."""
        entry = files.read_json(self._path, default={}).get(product.name)
        return bool(entry == {"key": self._code.key(product), "sizes": self._sizes(product.outputs())})

    def stale(self, products: Sequence[Product]) -> list[Product]:
        """Return those that must be made."""
        return [product for product in products if not self.is_fresh(product)]

    def make(self, products: Sequence[Product], progress: Progress, *, side_by_side: bool = False) -> None:
        """Make those products that are stale.

        Args:
            products: in the order in which they are made.
            progress: told after each.
            side_by_side: make several at a time, each in a process of its own; order plays no part then.

        Raises:
            ReportError: as their work does, or when a process that worked on one died.
        """
        stale = self.stale(products)
        processes = min(workers.cores(), len(stale)) if side_by_side else 1
        made = _side_by_side(stale, processes) if processes > 1 else _in_order(stale)
        for done, product in enumerate(made, 1):
            self.record(product)
            progress(done, len(stale), product.name)

    def record(self, product: Product) -> None:
        """Note that a product is as its inputs want it."""
        entries = files.read_json(self._path, default={})
        entry = {"key": self._code.key(product), "sizes": self._sizes(product.outputs())}
        files.write_json(self._path, {**entries, product.name: entry})

    def _sizes(self, outputs: Sequence[Path]) -> dict[str, int]:
        """Return the size of each file, by its path relative to the ledger: the same wherever the checkout lies."""
        root = self._path.parent.resolve()
        return {
            Path(os.path.relpath(path.resolve(), root)).as_posix(): path.stat().st_size if path.exists() else -1
            for path in outputs
        }


def _in_order(products: Sequence[Product]) -> Iterator[Product]:
    for product in products:
        product.work()
        yield product


def _side_by_side(products: Sequence[Product], processes: int) -> Iterator[Product]:
    """Make products in processes; yield each when it is done."""
    from pebble import ProcessExpired  # here, because it loads asyncio, which a fresh build never needs

    with workers.Processes(processes) as executor:
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
