"""Which parameters of a model which optimizer holds, in which of its groups: looked at anew whenever that changes."""

import operator
from collections.abc import Mapping, Sequence
from typing import Any

from report.recording import parameters
from report.recording.arguments import Keep
from report.recording.gather import Reader
from report.recording.parameters import Parameter
from report.recording.schema import Note
from report.recording.settings import Settings
from report.recording.source import Source


class Holdings:
    """Know what is recorded of a model.

    Attributes:
        sources: of every recorded tensor, in the order of their numbers.
        held: readers of those that each optimizer holds now, by its position.
        loose: of those that no optimizer holds any more.
        rivals: positions of the optimizers that change what this one does, by its position; it is one of them.
        settings: of the groups.
    """

    def __init__(self, model: Any, known: Mapping[int, Parameter], optimizers: Sequence[Any], keep: Keep) -> None:
        """Look at what the optimizers hold.

        Args:
            model: as `parameters.named` takes it.
            known: its parameters, by their identity.
            optimizers: torch.optim.Optimizer each.
            keep: how much is kept.
        """
        self.sources: list[Source] = []
        self.held: list[Reader] = []
        self.loose = Reader([])
        self.rivals: list[set[int]] = []
        self.settings = Settings(optimizers)
        self._model, self._known, self._optimizers, self._keep = model, dict(known), optimizers, keep
        self._source_of: dict[int, Source] = {}  # by the parameter's identity
        self._lists: list[list[list[Any]]] = [[] for _ in optimizers]  # parameters, of each group of each optimizer
        self._group_of: list[dict[int, int]] = [{} for _ in optimizers]
        found: dict[int, int] = {}
        for position in range(len(optimizers)):
            found = self._look(position) | found
        self._add({identity: found[identity] for identity in known if identity in found})  # in the order of the model

    @property
    def is_on_gpu(self) -> bool:
        """Tell whether anything is on a GPU of CUDA's."""
        return any(each.value.is_cuda for each in self.sources)

    def is_changed(self, position: int) -> bool:
        """Tell whether an optimizer holds something else than when it was looked at."""
        groups, known = self._optimizers[position].param_groups, self._lists[position]
        for group, values in zip(groups, known, strict=False):
            # By identity: parameters that are asked whether they are equal compare their entries.
            if len(group["params"]) != len(values) or not all(map(operator.is_, group["params"], values)):
                return True
        return len(groups) != len(known)

    def renew(self, position: int) -> list[Source]:
        """Look at an optimizer again; return what is recorded only from now on."""
        if any(
            id(each) not in self._known for group in self._optimizers[position].param_groups for each in group["params"]
        ):
            self._known = parameters.named(self._model) | self._known  # the model may have new parameters, too
        return self._add(self._look(position))

    def unrecorded(self) -> list[Note]:
        """Return notes on the parameters of the model that are not recorded, and on patterns of them alone."""
        held = {id(value) for lists in self._lists for values in lists for value in values}
        return parameters.unrecorded(
            self._known, self._source_of, self._keep.whole, strangers=len(held - {*self._known})
        )

    def unseen(self) -> list[Note]:
        """Return a note on each tensor of which entries that are not kept, and these alone, are infinite or NaN now."""
        return [
            Note(
                "non-finite",
                f"Weights of {each.tensor.name} are infinite or NaN at the end, and none that is kept has become so.",
                tensors=(each.tensor.name,),
            )
            for each in self.sources
            if each.tensor.kept == "sample" and not each.is_finite() and each.is_finite(kept=True)
        ]

    def _look(self, position: int) -> dict[int, int]:
        """Number the groups of an optimizer; return the group of each parameter that is not recorded yet."""
        self._lists[position] = [list(group["params"]) for group in self._optimizers[position].param_groups]
        kept = [[id(each) for each in values if self._is_ours(id(each))] for values in self._lists[position]]
        former = self._group_of[position]
        numbers = self.settings.assign(position, [[former.get(each) for each in ids] for ids in kept])
        pairs = [(each, number) for ids, number in zip(kept, numbers, strict=True) for each in ids]
        self._group_of[position] = {each: number for each, number in pairs if number is not None}
        return {each: number for each, number in self._group_of[position].items() if each not in self._source_of}

    def _is_ours(self, identity: int) -> bool:
        return identity in self._known and self._known[identity].is_recordable

    def _add(self, found: Mapping[int, int]) -> list[Source]:
        """Make a source for each of some parameters, given with their groups; see anew which optimizer holds what."""
        names = {each.tensor.name for each in self.sources}
        new = []
        for identity, group in found.items():
            parameter = self._known[identity]
            tensor, indices = parameters.describe(parameter, group, self._keep.whole, self._keep.sample, names)
            names.add(tensor.name)
            new.append(Source(len(self.sources), parameter, tensor, indices))
            self.sources.append(new[-1])
            self._source_of[identity] = new[-1]
        held = [{id(each) for values in lists for each in values} for lists in self._lists]
        self.held = [Reader([each for key, each in self._source_of.items() if key in ids]) for ids in held]
        self.loose = Reader([each for key, each in self._source_of.items() if not any(key in ids for ids in held)])
        self.rivals = [
            {other for other, ids in enumerate(held) if other == position or ids & held[position]}
            for position in range(len(held))
        ]
        return new
