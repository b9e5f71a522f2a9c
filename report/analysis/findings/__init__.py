"""The claims of the first article, the rule that decides each, and its verdict: one file a claim.

The rules and their constants stand in this folder and nowhere else; pages show them.
"""
