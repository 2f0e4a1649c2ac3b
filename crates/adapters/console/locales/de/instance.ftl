# instance
