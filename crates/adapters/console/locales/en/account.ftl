# The visitor's own account: password, sessions, personal access tokens.
