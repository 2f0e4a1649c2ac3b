# The instance: its version, store, replicas, keys and configuration.
