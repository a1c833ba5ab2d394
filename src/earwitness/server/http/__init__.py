"""HTTP: routes, uploads, access, connections."""
