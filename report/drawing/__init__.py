"""Pictures from numbers and recordings: figures, animations, and the data of the player."""
