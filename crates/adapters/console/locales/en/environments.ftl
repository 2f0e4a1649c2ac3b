# Environments.
environments = Environments
environments-caption = All environments, in the order of lists
environments-none = There are no environments yet.
environments-sort = Save the order
environment-new = New environment
environment-create = Create the environment
environment-edit = Edit { $name }
environment-enable = Enable { $name }
environment-disable = Disable { $name }
environment-delete = Delete { $name }
environment-delete-ask = Delete { $name }…
environment-actions = Actions
environment-use = Used for
environment-development = Development
environment-test = Test
environment-pre-production = Pre-production
environment-production = Production
environment-on = Enabled
environment-on-hint = New projects get the environments that are enabled. Tokens work either way.
environment-place = Place
environment-place-of = Place of { $name }
environment-place-hint = A number: lists begin with the lowest. Empty: unchanged, or last for a new one.
environment-name-hint = Letters, digits and any of _ ~ . -; it cannot be changed later.
environment-delete-what = It is removed from all projects, and its tokens are revoked. This cannot be undone.
environment-delete-tokens = { $count ->
    [one] { $count } token works in it and will be refused from that moment on.
   *[other] { $count } tokens work in it and will be refused from that moment on.
}
environment-type-name = To confirm, type its name:
environment-wrong-name = This is not the name of the environment.
environment-delete-more = Delete…
done-environment-created = The environment was created.
done-environment-changed = The environment was changed.
done-environment-enabled = The environment was enabled.
done-environment-disabled = The environment was disabled. Its tokens still work.
done-environment-deleted = The environment was deleted, and its tokens were revoked.
done-environments-sorted = The order was saved.
