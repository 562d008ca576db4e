// name: unique_artist
// An artist is one node; the index of it is what every other statement finds nodes by.
CREATE CONSTRAINT artist_id IF NOT EXISTS FOR (a:Artist) REQUIRE a.id IS UNIQUE

// name: unique_graph
// One node says which rebuild made the graph.
CREATE CONSTRAINT graph_name IF NOT EXISTS FOR (g:Graph) REQUIRE g.name IS UNIQUE

// name: begin
// A rebuild begins: its number, greater than that of any before.
MERGE (g:Graph {name: 'collaborations'})
SET g.begun = coalesce(g.begun, 0) + 1
RETURN g.begun AS rebuild

// name: merge_artists
// Artists as this rebuild sees them.
UNWIND $rows AS row
MERGE (a:Artist {id: row[0]})
SET a.name = row[1], a.rebuild = $rebuild

// name: merge_edges
// Collaborations, each stored once, from the lower id to the higher.
UNWIND $rows AS row
MATCH (low:Artist {id: row[0]})
MATCH (high:Artist {id: row[1]})
MERGE (low)-[c:COLLABORATED_WITH]->(high)
SET c.rebuild = $rebuild

// name: drop_edges
// Collaborations that this rebuild did not see, in transactions of a few thousand each.
MATCH (:Artist)-[c:COLLABORATED_WITH]->(:Artist)
WHERE c.rebuild <> $rebuild
CALL (c) { DELETE c } IN TRANSACTIONS OF 5000 ROWS
RETURN count(*) AS gone

// name: drop_artists
// Artists that this rebuild did not see.
MATCH (a:Artist)
WHERE a.rebuild <> $rebuild
CALL (a) { DETACH DELETE a } IN TRANSACTIONS OF 5000 ROWS
RETURN count(*) AS gone

// name: finish
// The graph is whole, and of this date.
MATCH (g:Graph {name: 'collaborations'})
SET g.finished = $rebuild, g.as_of = $as_of

// name: state
// Which rebuild made the graph.
MATCH (g:Graph {name: 'collaborations'})
RETURN g.begun AS begun, g.finished AS finished, g.as_of AS as_of

// name: count
// How large the graph is.
RETURN COUNT { (:Artist) } AS artists, COUNT { (:Artist)-[:COLLABORATED_WITH]->(:Artist) } AS edges

// name: induced
// All collaborations between these artists, as ids in pairs, and the date of the graph; nothing where there is none.
// Nodes are compared and not their ids: most of whom these artists worked with are none of them, and ids have to be read.
MATCH (g:Graph {name: 'collaborations'})
WHERE g.finished IS NOT NULL
CALL () {
    MATCH (a:Artist)
    WHERE a.id IN $ids
    WITH collect(a) AS artists
    UNWIND artists AS low
    MATCH (low)-[:COLLABORATED_WITH]->(high)
    WHERE high IN artists
    RETURN collect(low.id) AS lows, collect(high.id) AS highs
}
RETURN g.as_of AS as_of, lows, highs
