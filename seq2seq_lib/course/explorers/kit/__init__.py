"""What explorers share: the panel and its controls, stills, tables, and small pieces of SVG."""
