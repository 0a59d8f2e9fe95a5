"""Parts of the site that are generated when it is built: pages from the code, and equations without a network."""
