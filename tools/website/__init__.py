"""The site: pages made from what stands in the repository. The command is tools/build_site.py."""
