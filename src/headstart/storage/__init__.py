"""The cache, files and folders that appear whole or not at all, digests, downloads. Knows nothing of the content."""
