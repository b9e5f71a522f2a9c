"""The player in a browser: what it shows is the recording, however it is driven; and what goes wrong."""
