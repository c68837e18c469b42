"""What each application's document shows, with plain drivers and nothing but the files that the application is given."""
