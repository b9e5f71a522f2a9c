"""The animations: what a frame shows, and how frames become a GIF.

In the order the data goes: `clips` (which batches of which tensors), `colour` (the first article's law), `geometry`
(where nodes and edges lie), `graph`, `pixels` and `matrix` (frames), `overlay`, `sheet` and `palette` (what they are
drawn with), `gif` (files), `flashes` (are they safe to look at), `films` (from a clip to its files), `render`
(which of them are drawn again, and what pages may say of them).
"""
