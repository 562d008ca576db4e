"""Two catalogs compared by what their rules come to for real users."""
