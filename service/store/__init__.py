"""PostgreSQL behind asyncpg: migrations, worker store, queries of the service."""
