# The audit trail.
