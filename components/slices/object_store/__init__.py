"""What lives inside the object store: buckets, who reads them, users, and their roster."""
