sign-in = Anmelden
sign-in-name = Benutzername oder E-Mail-Adresse
sign-in-wrong = Benutzername und Passwort passen nicht zusammen.
sign-in-wait = { $seconds ->
    [one] Zu viele Versuche sind fehlgeschlagen. Warte { $seconds } Sekunde.
   *[other] Zu viele Versuche sind fehlgeschlagen. Warte { $seconds } Sekunden.
}
done-signed-out = Du bist abgemeldet.
set-up = Latchkey einrichten
set-up-why = Diese Instanz hat noch keine Benutzer. Lege den ersten an, der alles darf. Das Admin-Token, das der Server beim Start ausgegeben hat, zeigt, dass sie dir gehört.
set-up-token = Erstes Admin-Token
set-up-token-hint = Es steht in der Ausgabe des ersten Starts des Servers.
set-up-button = Ersten Benutzer anlegen
username = Benutzername
email-optional = E-Mail-Adresse (freiwillig)
password-hint = Mindestens 10 Zeichen und keines der häufigsten Passwörter.
