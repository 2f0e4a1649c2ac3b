# What every page has.
skip = Skip to the content
nav = Main
nav-tokens = Tokens
nav-overview = Overview
nav-projects = Projects
nav-environments = Environments
nav-people = People
nav-webhooks = Webhooks
nav-audit = Audit
nav-instance = Instance
sign-out = Sign out
theme = Colours
theme-system = System
theme-light = Light
theme-dark = Dark
language = Language
server-away = The server cannot be reached. Nothing was changed; try again in a moment.
copied = Copied
any = Any
all = All
never = Never
save = Save changes
cancel = Cancel
close = Close
edit = Edit
optional = Optional
password = Password
pages = Pages
page-before = Previous page
page-next = Next page
days = { $count ->
    [one] { $count } day
   *[other] { $count } days
}
moment-now = just now
moment-minutes-ago = { $count ->
    [one] { $count } minute ago
   *[other] { $count } minutes ago
}
moment-minutes-ahead = { $count ->
    [one] in { $count } minute
   *[other] in { $count } minutes
}
moment-hours-ago = { $count ->
    [one] { $count } hour ago
   *[other] { $count } hours ago
}
moment-hours-ahead = { $count ->
    [one] in { $count } hour
   *[other] in { $count } hours
}
moment-days-ago = { $count ->
    [one] { $count } day ago
   *[other] { $count } days ago
}
moment-days-ahead = { $count ->
    [one] in { $count } day
   *[other] in { $count } days
}
moment-months-ago = { $count ->
    [one] { $count } month ago
   *[other] { $count } months ago
}
moment-months-ahead = { $count ->
    [one] in { $count } month
   *[other] in { $count } months
}
moment-years-ago = { $count ->
    [one] { $count } year ago
   *[other] { $count } years ago
}
moment-years-ahead = { $count ->
    [one] in { $count } year
   *[other] in { $count } years
}
failure-bad-request = This request cannot be read
failure-forbidden = You may not do this
failure-not-found = There is nothing here
failure-too-many = Too many requests
failure-unavailable = Not available at the moment
failure-internal = Something went wrong
failure-permissions = One of these permissions is needed:
failure-id = If you report this, send the id along:
try-again = Try again
to-start = To the start page
