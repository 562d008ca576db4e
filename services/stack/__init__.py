"""The local stack: PostgreSQL, Kafka and Neo4j as child processes, from packages."""
