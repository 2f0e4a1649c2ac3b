# The overview: what needs attention, how much is verified, what happened lately.
overview-attention = What needs attention
overview-expiring = expire within 14 days
overview-expired-in-use = Expired, but still used
overview-expired-in-use-what = These tokens have ended, and a client was refused with one after that. Extend them, or tell the client. What is disabled is left out.
overview-unused = unused for 90 days
overview-all-projects = for all projects
overview-leaked = Leaked
overview-leaked-what = The secrets of these tokens were found where they do not belong, and they were neither rotated nor disabled since. Rotate or revoke them.
overview-violations = Against a policy
overview-violations-what = These tokens break a rule of the policy of the instance or of their project. They work until they are changed or end.
overview-not-counted = not counted
overview-of-events = { $count ->
    [one] Only the newest { $count } event was looked at. There may be more.
   *[other] Only the newest { $count } events were looked at. There may be more.
}
overview-of-tokens = { $count ->
    [one] Each page looks at { $count } token, and shows those that break a rule.
   *[other] Each page looks at { $count } tokens, and shows those that break a rule.
}
overview-list-none = There is no such token here.
overview-noticed = Noticed
overview-rules = Rules
overview-per-hour = Verifications per hour, in the last 24 hours
overview-reasons = Refused because
overview-top = Most used tokens
overview-top-table = The most used tokens of the last 24 hours
overview-top-none = No token was used in the last 24 hours.
overview-accepted = Accepted
overview-refused = Refused
overview-events = Latest events
overview-events-table = The latest events
overview-events-all = All events
overview-choose = Show
overview-welcome = Welcome
overview-nothing = You may not read the tokens of any project yet. An owner of a project can make you one of its members.
tokens-of-all-projects = These are the client and frontend tokens for all projects.
