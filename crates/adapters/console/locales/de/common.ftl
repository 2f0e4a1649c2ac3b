# Was jede Seite hat.
skip = Zum Inhalt springen
nav = Hauptnavigation
nav-tokens = Tokens
nav-overview = Übersicht
nav-projects = Projekte
nav-environments = Umgebungen
nav-people = Personen
nav-webhooks = Webhooks
nav-audit = Protokoll
nav-instance = Instanz
sign-out = Abmelden
theme = Farben
theme-system = System
theme-light = Hell
theme-dark = Dunkel
language = Sprache
server-away = Der Server ist nicht erreichbar. Es wurde nichts geändert; versuche es gleich noch einmal.
copied = Kopiert
any = Beliebig
all = Alle
never = Nie
save = Änderungen speichern
cancel = Abbrechen
close = Schließen
edit = Bearbeiten
optional = Freiwillig
password = Passwort
pages = Seiten
page-before = Vorige Seite
page-next = Nächste Seite
days = { $count ->
    [one] { $count } Tag
   *[other] { $count } Tage
}
moment-now = gerade eben
moment-minutes-ago = { $count ->
    [one] vor { $count } Minute
   *[other] vor { $count } Minuten
}
moment-minutes-ahead = { $count ->
    [one] in { $count } Minute
   *[other] in { $count } Minuten
}
moment-hours-ago = { $count ->
    [one] vor { $count } Stunde
   *[other] vor { $count } Stunden
}
moment-hours-ahead = { $count ->
    [one] in { $count } Stunde
   *[other] in { $count } Stunden
}
moment-days-ago = { $count ->
    [one] vor { $count } Tag
   *[other] vor { $count } Tagen
}
moment-days-ahead = { $count ->
    [one] in { $count } Tag
   *[other] in { $count } Tagen
}
moment-months-ago = { $count ->
    [one] vor { $count } Monat
   *[other] vor { $count } Monaten
}
moment-months-ahead = { $count ->
    [one] in { $count } Monat
   *[other] in { $count } Monaten
}
moment-years-ago = { $count ->
    [one] vor { $count } Jahr
   *[other] vor { $count } Jahren
}
moment-years-ahead = { $count ->
    [one] in { $count } Jahr
   *[other] in { $count } Jahren
}
failure-bad-request = Diese Anfrage ist nicht lesbar
failure-forbidden = Das darfst du nicht
failure-not-found = Hier ist nichts
failure-too-many = Zu viele Anfragen
failure-unavailable = Zurzeit nicht verfügbar
failure-internal = Etwas ist schiefgegangen
failure-permissions = Eine dieser Berechtigungen ist nötig:
failure-id = Wenn du dies meldest, gib diese Kennung an:
try-again = Noch einmal versuchen
to-start = Zur Startseite
