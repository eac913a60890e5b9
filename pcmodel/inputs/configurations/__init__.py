"""Configuration files, and YAML in which every text has one meaning."""
