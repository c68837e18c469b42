"""What lives inside Postgres: roles, databases, migrations, and the roster of logins."""
