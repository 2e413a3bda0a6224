"""The ranking arithmetic, free of Django models.

`documents`, `text`, `redact` and `explain` are plain Python, so web code may import them.
`bm25`, `votes`, `skills` and `rank` load numpy and scipy: only workers and commands do that.
The rest of the app reaches in through `rank.build_index()` and the two methods of its
`Matcher`; whatever replaces the inside keeps those and the documents.
"""
