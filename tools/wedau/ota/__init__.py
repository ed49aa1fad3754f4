"""Signed updates: keys, the repository (TUF), its files for hosts and servers. Never prints."""
