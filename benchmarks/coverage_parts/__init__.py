"""Parts of the coverage benchmark."""
