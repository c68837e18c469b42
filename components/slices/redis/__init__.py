"""What lives inside Redis: ACL users, and their roster."""
