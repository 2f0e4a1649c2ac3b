# Was die API auf Englisch sagt. Die Sätze stehen an dem Feld, um das es geht.

# Arten von Fehlern
problem-denied = { $count ->
    [one] Dafür brauchst du die Berechtigung { $permissions }
   *[several] Dafür brauchst du eine dieser Berechtigungen: { $permissions }
}{ $place ->
    [project] {""} im Projekt „{ $project }“.
   *[instance] .
}
problem-token-kind = Dafür ist ein Token einer anderen Art nötig.
problem-not-a-user = Das kann nur, wer sich angemeldet hat, und ein API-Token ist kein Konto.
problem-login-wrong = Benutzername und Passwort passen nicht zusammen.
problem-login-wait = Die Anmeldung ist zu oft fehlgeschlagen. Versuche es in { $seconds } s noch einmal.
problem-rate-limited = Das waren zu viele Anfragen. Versuche es später noch einmal.
problem-missing = { $what ->
    [project] Es gibt kein Projekt „{ $name }“.
    [environment] Es gibt keine Umgebung „{ $name }“.
    [token] Hier gibt es kein solches Token.
    [user] Diesen Benutzer gibt es nicht.
    [role] Es gibt diese Rolle nicht.
    [group] Es gibt diese Gruppe nicht.
    [personal-token] Es gibt dieses persönliche Zugangstoken nicht.
    [session] Es gibt diese Sitzung nicht.
    [webhook] Es gibt diesen Webhook nicht.
   *[other] Zu diesem Ereignis gibt es keine Zustellung.
}
problem-exists = { $what ->
    [secret] Dieses Geheimnis ist schon in Gebrauch.
    [project] Es gibt schon ein Projekt „{ $name }“.
    [environment] Es gibt schon eine Umgebung „{ $name }“.
    [identity] Es gibt schon ein Konto mit diesem Namen oder dieser E-Mail-Adresse.
    [personal-token] Es gibt schon ein persönliches Zugangstoken mit dieser Beschreibung.
    [membership] Es gibt diese Rolle in diesem Projekt schon.
    [role] Es gibt schon eine Rolle mit diesem Namen.
    [group] Es gibt schon eine Gruppe mit diesem Namen.
   *[other] Das gibt es schon.
}
problem-limit-reached = Hier kann es kein weiteres Token geben, denn limits.api_tokens ist { $limit }: Lösche Tokens, oder erhöhe die Grenze.
problem-overtaken = Das wurde gleichzeitig von einer anderen Anfrage geändert, und deine Änderung wurde nicht gemacht. Lade die Seite neu, und versuche es noch einmal.
problem-key-reused = Dieses Formular wurde schon mit anderen Angaben abgeschickt. Schicke es noch einmal ab.
problem-unavailable = Der Server kann seine Datenbank zurzeit nicht erreichen. Versuche es später noch einmal.
problem-internal = Im Server ist etwas schiefgegangen. Wenn du es meldest, gib die Kennung mit an.
problem-busy = Der Server hat zurzeit zu viel zu tun. Versuche es später noch einmal.
problem-timed-out = Die Anfrage hat zu lange gedauert und wurde aufgegeben. Versuche es später noch einmal.
problem-cross-site = Diese Änderung kam von einer anderen Website und wurde nicht gemacht.
problem-body-large = Es können höchstens { $max } Byte gesendet werden.
problem-target-long = Die Adresse darf höchstens { $max } Byte lang sein.
problem-path-unknown = Die Seite { $path } gibt es nicht.
problem-method = Hier gibt es nur diese Methoden: { $methods }.

# Felder
problem-required = Das ist erforderlich.
problem-required-with = { $name } ist erforderlich, denn das Token hat noch keinen Wert dafür.
problem-one-of = Möglich ist nur: { $values }.
problem-wrong-kind = { $accepted ->
    [a-whole-number] Das muss eine ganze Zahl sein.
    [a-number] Das muss eine Zahl sein.
    [a-string] Das muss ein Text sein.
    [a-boolean] Das muss true oder false sein.
    [a-list] Das muss eine Liste sein.
    [a-list-of-strings] Das muss eine Liste von Texten sein.
    [a-json-object] Das muss ein JSON-Objekt sein.
    [an-object] Das muss ein JSON-Objekt sein.
   *[other] Das hat nicht die richtige Form.
}
problem-whole-number = Das muss eine ganze Zahl sein, die nicht zu groß und nicht zu klein ist.
problem-too-many = Höchstens { $max } sind möglich, nicht { $actual }.
problem-too-many-scopes = Höchstens { $max } Scopes sind möglich: Ein Platzhalter wie orders:* steht für mehrere.
problem-too-long = Höchstens { $max } Zeichen sind möglich, nicht { $actual }.
problem-twice = „{ $name }“ kommt zweimal vor.
problem-same = Die beiden Eingaben stimmen nicht überein.
problem-nul = Ein NUL-Zeichen ist hier nicht möglich.
problem-email = Eine E-Mail-Adresse hat die Form name@domain, höchstens 254 Zeichen und keine Leerzeichen.
problem-time = Das muss eine Zeit wie 2030-01-31T12:00:00Z sein (RFC 3339).
problem-day-or-time = Das muss ein Tag wie 2030-01-31 oder eine Zeit wie 2030-01-31T12:00:00Z sein.
problem-user-id = Das muss die Kennung eines Benutzers sein, etwa 7.
problem-event-kind = Eine solche Art von Ereignissen gibt es nicht.
problem-duration = Das muss eine Dauer nach ISO 8601 sein, etwa PT1M, PT24H oder P7D.
problem-term = Das muss eine Dauer nach ISO 8601 von PT1S bis P{ $days }D sein, etwa P90D.
problem-name-blank = Das darf nicht leer sein.
problem-name-control = Steuerzeichen sind hier nicht möglich.
problem-name-url = Möglich sind nur die Zeichen A-Z, a-z, 0-9, _, ~, . und -.
problem-name-scope = Ein Scope besteht aus Wörtern aus A-Z, a-z, 0-9, _, . und -, mit Doppelpunkten dazwischen, etwa orders:read; das letzte kann * sein.
problem-name-dots = „.“ und „..“ sind nicht möglich: In Pfaden gehen sie unterwegs verloren (RFC 3986, Abschnitt 5.2.4).
problem-name-reserved = Nicht möglich, weil es in Pfaden der API etwas anderes bedeutet: { $names }.
problem-password-short = Das Passwort muss mindestens { $min } Zeichen lang sein.
problem-password-long = Das Passwort darf höchstens { $max } Zeichen lang sein.
problem-password-common = Das Passwort ist eins der häufigsten: Wähle ein anderes.
problem-password-identity = Das Passwort darf nicht der Benutzername oder die E-Mail-Adresse sein.
problem-password-monotonous = Das Passwort muss mehr als { $most } verschiedene Zeichen haben.

# Konten, Gruppen und Rollen
problem-identity-none = Ein Konto braucht einen Benutzernamen oder eine E-Mail-Adresse.
problem-identity-taken = Dieser Benutzername oder diese E-Mail-Adresse ist schon vergeben.
problem-last-admin = Dies ist der letzte Benutzer mit der Rolle Admin: Gib diese Rolle zuerst einem anderen.
problem-in-use = Das ist noch in Gebrauch: Nimm es zuerst denen, die es haben.
problem-user-unknown = Es gibt keinen Benutzer { $id }.
problem-group-unknown = Es gibt keine Gruppe { $id }.
problem-not-a-member = Dieser Benutzer ist kein Mitglied der Gruppe.
problem-holder-required = Nenne mindestens einen Benutzer oder eine Gruppe.
problem-role-required = Nenne mindestens eine Rolle.
problem-role-unknown = Diese Rolle gibt es hier nicht. Wähle eine von diesen: { $known }.
problem-role-built-in = Die Rolle { $name } ist eingebaut und bleibt, wie sie ist: Lege eine eigene an.
problem-role-type = Die Art einer Rolle bleibt, wie sie ist.
problem-role-type-built-in = Möglich ist nur root-custom oder custom: Die anderen Arten sind eingebaut.
problem-permission-admin = ADMIN hat nur die eingebaute Rolle Admin: Gib stattdessen diese Rolle.
problem-permission-of-instance = { $permission } ist eine Berechtigung für die ganze Instanz: Eine Rolle in Projekten kann sie nicht haben.
problem-no-admin-token = Das ist kein Admin-Token dieses Servers.

# Projekte, Umgebungen und Richtlinien
problem-project-unknown = Es gibt kein Projekt „{ $id }“: Lege es an, oder nenne ein anderes.
problem-environment-unknown = Es gibt keine Umgebung „{ $name }“: Lege sie an, oder nenne eine andere.
problem-id-underivable = Aus diesem Namen lässt sich keine Kennung bilden: Gib eine an, etwa „web-shop“.
problem-default-project = { $what ->
    [archived] Das Projekt default kann nicht archiviert werden.
   *[deleted] Das Projekt default kann nicht gelöscht werden.
}
problem-policy-looser = Höchstens { $most } ist möglich, denn das gilt schon als Grenze.
problem-policy-demanded = Die Richtlinie der Instanz verlangt es schon: Hier lässt es sich nicht abschalten.
problem-unused-order = Unbenutzte Tokens werden gesperrt, bevor sie gelöscht werden: Gib auch eine kürzere Zeit bis zum Sperren an.
problem-notice-order = Der Hinweis auf ein unbenutztes Token kommt, bevor es gesperrt wird: Gib eine kürzere Zeit bis zum Hinweis an.
problem-notice-too-late = Der Hinweis muss vor dem Sperren kommen: Die Richtlinie der Instanz hat ihn nach { $notice }, und Tokens wären vorher gesperrt.

# Tokens
problem-policy-lifetime = Nach der Richtlinie gilt ein Token höchstens { $most }: Wähle ein früheres Ende.
problem-policy-expiry = Nach der Richtlinie muss jedes Token ablaufen: Wähle ein Ende.
problem-policy-description = Nach der Richtlinie braucht jedes Token eine Beschreibung.
problem-policy-projects = Die Richtlinie verbietet Tokens für alle Projekte: Nenne die Projekte.
problem-projects-required = Nenne mindestens ein Projekt, oder alle.
problem-only-project = Ein Token, das hier angelegt wird, ist nur für das Projekt „{ $name }“.
problem-token-of-several-projects = Dieses Token gehört zu mehreren Projekten: Ändere es unter den Tokens der Instanz.
problem-project-without-admin-tokens = Ein Projekt hat keine Admin-Tokens: Wähle client oder frontend.
problem-admin-tokens-disabled = Admin-Tokens sind in dieser Instanz abgeschaltet. Nimm ein persönliches Zugangstoken oder ein Dienstkonto, oder setze tokens.allow_admin.
problem-access-admin-projects = Ein Admin-Token gilt für alle Projekte.
problem-access-admin-environments = Ein Admin-Token gilt für alle Umgebungen.
problem-access-one-environment = Ein Token der Art { $type } gilt für eine Umgebung, nicht für alle.
problem-expiry-past = Das Ende muss in der Zukunft liegen.
problem-personal-tokens = Dieser Benutzer hat schon zu viele persönliche Zugangstokens ({ $limit }): Lösche welche.
problem-overlaps = { $limit } ersetzte Geheimnisse dieses Tokens gelten noch: Warte, bis eins davon endet, oder lass das jetzige sofort enden.
problem-overlap-long = Das ist zu lang: Das alte Geheimnis muss früher enden.
problem-limit-requests = Möglich sind 1 bis { $max } Anfragen.
problem-limit-burst = Höchstens { $max } sind als Reserve möglich.
problem-limit-per = Der Zeitraum muss von PT1S bis P31D lang sein.
problem-limit-remaining = Höchstens { $max } Benutzungen sind möglich.
problem-limit-amount = Möglich sind 1 bis { $max } Benutzungen.
problem-limit-every = Der Abstand muss von PT1S bis P366D lang sein.
problem-metadata-large = Metadaten dürfen als JSON höchstens { $max } Byte haben, nicht { $actual }.
problem-metadata-name = Der Name in Metadaten muss aus 1 bis 64 der Zeichen A-Z, a-z, 0-9, _, . und - bestehen, nicht „{ $name }“.
problem-metadata-deep = Metadaten dürfen höchstens { $max } Ebenen von Listen und Objekten haben.
problem-network = „{ $sent }“ ist kein Netz: Schreibe es wie in CIDR, etwa 10.1.0.0/16 oder 2001:db8::/32, oder als einzelne Adresse.
problem-network-address = „{ $sent }“ ist eine Adresse in einem Netz: Schreibe { $network } für das ganze Netz, oder nur die Adresse.
problem-choose-action = Wähle, was mit den ausgewählten Tokens geschehen soll.
problem-choose-day = Wähle den Tag, an dem das Token abläuft.
problem-choose-expiry = Wähle, wann das Token abläuft.
problem-choose-earlier-day = Wähle einen früheren Tag.

# Webhooks
problem-url-scheme = Die URL muss mit https:// oder http:// beginnen.
problem-url-host = Die URL braucht einen Host, und danach höchstens einen Port.
problem-url-credentials = Die URL darf keinen Benutzernamen und kein Passwort haben: Empfänger erkennen Latchkey an der Signatur.
problem-url-characters = Die URL muss aus ASCII ohne Leerzeichen bestehen, wo nötig mit Prozentzeichen kodiert, und ohne Fragment (#).
problem-url-long = Die URL darf höchstens { $max } Zeichen haben.
