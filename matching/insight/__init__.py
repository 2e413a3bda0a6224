"""What the market's past tells people: prices, trouble ahead, demand, skills worth learning.

Advice in words, for people to read. Nothing here ranks, prices or decides anything, and the
matcher does not know of it (an import contract sees to that).
"""
