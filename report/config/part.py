"""What all tables of the experiment file have in common."""

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """Refuse unknown keys and silent conversions in every table of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)
