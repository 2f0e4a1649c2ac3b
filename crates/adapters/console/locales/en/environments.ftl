# Environments.
