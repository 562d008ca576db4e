"""The main job on real collections, from empty engines to awards."""
