"""What the player in the browser reads: `pack` decides what that is, `shard` how it is written; `format.md` says so."""
