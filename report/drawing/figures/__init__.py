"""The figures: one file each, named after its quantity, drawn from the tables that a reader can download.

`sources` says what a figure is given, `comparison` what figures of several optimizers share, `style` how all look,
`picture` how they become files, and `draw` which of them are drawn again.
"""
