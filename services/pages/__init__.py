"""The collector's pages: HTML made on the server, on the read functions of the JSON endpoints."""
