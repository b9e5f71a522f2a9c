"""What the player in the browser reads: `pack` decides what that is, `shard` how it is written.

The format is described for readers, in `templates/en/_format.md.j2`.
"""
