# Die Übersicht: was Aufmerksamkeit braucht, wie viel geprüft wird, was zuletzt geschah.
overview-attention = Was Aufmerksamkeit braucht
overview-expiring = laufen in 14 Tagen ab
overview-expired-in-use = Abgelaufen, aber noch benutzt
overview-expired-in-use-what = Diese Tokens sind abgelaufen, und danach wurde ein Client damit abgewiesen. Verlängere sie oder sag dem Client Bescheid. Abgeschaltete sind nicht dabei.
overview-unused = seit 90 Tagen unbenutzt
overview-all-projects = für alle Projekte
overview-leaked = Bekannt geworden
overview-leaked-what = Die Geheimnisse dieser Tokens wurden gefunden, wo sie nicht hingehören, und seitdem wurden sie weder erneuert noch abgeschaltet. Erneuere oder widerrufe sie.
overview-violations = Gegen eine Richtlinie
overview-violations-what = Diese Tokens verletzen eine Regel der Richtlinie der Instanz oder ihres Projekts. Sie gelten, bis sie geändert werden oder ablaufen.
overview-not-counted = nicht gezählt
overview-of-events = { $count ->
    [one] Nur das neueste { $count } Ereignis wurde angesehen. Es kann mehr geben.
   *[other] Nur die neuesten { $count } Ereignisse wurden angesehen. Es kann mehr geben.
}
overview-of-tokens = { $count ->
    [one] Jede Seite sieht { $count } Token an und zeigt die, die eine Regel verletzen.
   *[other] Jede Seite sieht { $count } Tokens an und zeigt die, die eine Regel verletzen.
}
overview-list-none = Hier gibt es kein solches Token.
overview-noticed = Bemerkt
overview-rules = Regeln
overview-per-hour = Prüfungen je Stunde, in den letzten 24 Stunden
overview-reasons = Abgewiesen wegen
overview-top = Meistbenutzte Tokens
overview-top-table = Die meistbenutzten Tokens der letzten 24 Stunden
overview-top-none = In den letzten 24 Stunden wurde kein Token benutzt.
overview-accepted = Angenommen
overview-refused = Abgewiesen
overview-events = Letzte Ereignisse
overview-events-table = Die letzten Ereignisse
overview-events-all = Alle Ereignisse
overview-choose = Zeigen
overview-welcome = Willkommen
overview-nothing = Du darfst noch von keinem Projekt die Tokens lesen. Wer ein Projekt verantwortet, kann dich zum Mitglied machen.
tokens-of-all-projects = Dies sind die Client- und Frontend-Tokens für alle Projekte.
