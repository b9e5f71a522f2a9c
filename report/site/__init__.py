"""Numbers, pictures and templates become a site."""
