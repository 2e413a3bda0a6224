"""Everything behind `./run` and `./test`: embedded PostgreSQL and Valkey, and their supervisor.

For development, demonstrations and tests only. No app imports this package, and the production
image leaves it out.
"""
