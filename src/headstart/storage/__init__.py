"""The cache, files and folders that appear whole or not at all, digests, downloads. Knows not what they hold."""
