"""What explorers share: the panel, and small pieces of SVG."""
