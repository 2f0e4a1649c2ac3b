sign-in = Sign in
sign-in-name = User name or e-mail address
sign-in-wrong = The user name and the password do not match.
sign-in-wait = { $seconds ->
    [one] Too many tries failed. Wait { $seconds } second.
   *[other] Too many tries failed. Wait { $seconds } seconds.
}
done-signed-out = You have signed out.
set-up = Set Latchkey up
set-up-why = This instance has no users yet. Make the first one, who may do everything. The admin token that the server printed when it started shows that it is yours.
set-up-token = First admin token
set-up-token-hint = It stands in the output of the first start of the server.
set-up-button = Create the first user
username = User name
email-optional = E-mail address (optional)
password-hint = At least 10 characters, and none of the most common passwords.
