"""The graph of collaborations: made in Neo4j from the catalogue, measured for each collection by a lane of its own."""
