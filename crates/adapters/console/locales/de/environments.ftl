# Environments.
environments = Umgebungen
environments-caption = Alle Umgebungen, in der Reihenfolge der Listen
environments-none = Es gibt noch keine Umgebungen.
environments-sort = Reihenfolge speichern
environment-new = Neue Umgebung
environment-create = Umgebung anlegen
environment-edit = { $name } bearbeiten
environment-enable = { $name } einschalten
environment-disable = { $name } abschalten
environment-delete = { $name } löschen
environment-delete-ask = { $name } löschen…
environment-actions = Aktionen
environment-use = Benutzt für
environment-development = Entwicklung
environment-test = Test
environment-pre-production = Vorproduktion
environment-production = Produktion
environment-on = Eingeschaltet
environment-on-hint = Neue Projekte bekommen die Umgebungen, die eingeschaltet sind. Tokens gelten so oder so.
environment-place = Platz
environment-place-of = Platz von { $name }
environment-place-hint = Eine Zahl: Listen beginnen mit der kleinsten. Leer: wie bisher, bei einer neuen der letzte.
environment-name-hint = Buchstaben, Ziffern und _ ~ . -; er lässt sich später nicht ändern.
environment-delete-what = Sie wird aus allen Projekten entfernt, und ihre Tokens werden widerrufen. Das lässt sich nicht rückgängig machen.
environment-delete-tokens = { $count ->
    [one] { $count } Token gilt in ihr und wird von diesem Augenblick an abgewiesen.
   *[other] { $count } Tokens gelten in ihr und werden von diesem Augenblick an abgewiesen.
}
environment-type-name = Gib zur Bestätigung ihren Namen ein:
environment-wrong-name = Das ist nicht der Name der Umgebung.
environment-delete-more = Löschen…
done-environment-created = Die Umgebung wurde angelegt.
done-environment-changed = Die Umgebung wurde geändert.
done-environment-enabled = Die Umgebung wurde eingeschaltet.
done-environment-disabled = Die Umgebung wurde abgeschaltet. Ihre Tokens gelten weiter.
done-environment-deleted = Die Umgebung wurde gelöscht, und ihre Tokens wurden widerrufen.
done-environments-sorted = Die Reihenfolge wurde gespeichert.
