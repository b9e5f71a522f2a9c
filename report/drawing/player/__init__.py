"""What the player in the browser reads."""
