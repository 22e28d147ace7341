"""Functions that are packaged as a container image, and the registry that their images come from."""
