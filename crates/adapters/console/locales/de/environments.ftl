# environments
