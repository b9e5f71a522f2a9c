"""The claims of this site and of the first article, the rule that decides each, and its verdict.

The rules and their constants stand in this folder and nowhere else; pages show them.
"""
