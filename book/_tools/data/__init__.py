"""Make the images that ship with the library; run once, and again only to check that the bytes are the same."""
