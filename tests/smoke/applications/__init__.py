"""What the document of each application shows, with plain drivers and nothing but the files it is given."""
