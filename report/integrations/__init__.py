"""Adapters for libraries that own the training loop; each imports its library, and nothing else imports an adapter."""
