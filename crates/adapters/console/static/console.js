// What the pages do beyond HTML: local times, copying, choosing all, and words when the server is away. Every page works without it.

const live = () => document.getElementById("live");

/** Says something to people who see it and to those who hear it. */
function say(text) {
  const place = live();
  if (!place) return;
  place.textContent = text;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => { place.textContent = ""; }, 4000);
}

/** Shows moments in the time of the browser's zone; the title keeps UTC. */
function localTimes(root) {
  const format = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
  for (const time of root.querySelectorAll("time[data-time]")) {
    const moment = new Date(time.dateTime);
    if (!Number.isNaN(moment.getTime())) time.textContent = format.format(moment);
  }
}

const textOf = (selector) => {
  const source = document.querySelector(selector);
  return source ? source.value ?? source.textContent : "";
};

async function copy(button) {
  const text = textOf(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without TLS there is no clipboard for scripts: the text is selected, for people to copy.
    const source = document.querySelector(button.dataset.copy);
    if (source?.select) source.select();
    else getSelection().selectAllChildren(source);
    document.execCommand("copy");
  }
  say(document.body.dataset.copied);
}

function download(button) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([`${textOf(button.dataset.download)}\n`], { type: "text/plain" }));
  link.download = button.dataset.file;
  link.click();
  URL.revokeObjectURL(link.href);
}

/** Takes a secret out of the page, so that going back does not show it again. */
function forget() {
  for (const secret of document.querySelectorAll("[data-secret-page]")) {
    const link = document.createElement("a");
    link.href = secret.dataset.secretPage;
    link.textContent = link.pathname;
    secret.replaceChildren(link);
  }
}

/** Whether new events are not to appear: a user has paused them, or does not look at the page. */
const isPaused = () => document.hidden || document.querySelector("[data-pause][aria-pressed=true]") !== null;

function prepare(root) {
  localTimes(root);
  // Without this script nothing appears that could be paused.
  for (const button of document.querySelectorAll("[data-pause]")) button.hidden = false;
  const secret = document.querySelector("[data-secret-page]");
  // Loading this page again would send the form again: the token's own page is in its place.
  if (secret) history.replaceState(null, "", secret.dataset.secretPage);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy], [data-download]");
  if (button?.dataset.copy) copy(button);
  if (button?.dataset.download) download(button);
  if (event.target.closest("[data-forget]")) forget();
  const pause = event.target.closest("[data-pause]");
  pause?.setAttribute("aria-pressed", String(pause.getAttribute("aria-pressed") !== "true"));
});

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.target.matches("[data-live]") && isPaused()) event.preventDefault();
});

// A page that says what is wrong has no place in a list; the next request tries again.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.target.matches("[data-live]") && event.detail.xhr.status !== 200) event.detail.shouldSwap = false;
});

document.addEventListener("change", (event) => {
  // The day that is chosen is the one that is meant.
  if (event.target.matches(".day")) event.target.form.querySelector("[name=_expires][value=on]").checked = true;
  if (!event.target.matches("[data-all]")) return;
  for (const box of event.target.form.querySelectorAll("input[name=token]")) box.checked = event.target.checked;
});

addEventListener("pagehide", forget);

document.addEventListener("htmx:afterSettle", (event) => {
  prepare(event.target);
  // A new page is read from its beginning; a field with text that is being typed keeps the focus.
  if (event.target.id === "main") {
    const place = event.target.querySelector("[autofocus]") ?? event.target;
    place.focus({ preventScroll: true });
  }
});

for (const failure of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(failure, () => say(document.body.dataset.away));
}

prepare(document);
