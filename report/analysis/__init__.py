"""From recordings to numbers: one file a quantity; `report` is where they are computed and written down."""
