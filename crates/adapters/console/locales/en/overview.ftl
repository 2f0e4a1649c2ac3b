# The overview: what needs attention.
