// What the pages do beyond HTML: local times, copying, choosing all, questions in a dialog, and words when the server is away. Every
// page works without it.

const dialog = document.getElementById("dialog");

/** Where words are said: in the dialog while it is open, because all else is out of reach then. */
const live = () => (dialog.open ? dialog.querySelector("[role=status]") : document.getElementById("live"));

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

// Questions. Each is a page of its own. A link to one opens it in the dialog, over the page that it is asked on, and the focus
// goes back to the link when the dialog is closed. Where anything else comes in place of a question, the browser goes there.

/** The link whose question is asked or asked for. */
let asking = null;
/** Whether an answer is on its way. */
let isAnswering = false;

/** Shows what a page asks, or what it says is wrong, in the dialog; returns whether it has such a thing. */
function ask(page) {
  const question = new DOMParser().parseFromString(page, "text/html").querySelector("main article");
  const title = question?.querySelector("h1");
  if (!title) return false;
  title.id = "dialog-title";
  // Where the page is among others: the dialog is on the page itself.
  question.querySelector(".path")?.remove();
  localTimes(question);
  document.getElementById("question").replaceChildren(question);
  if (!dialog.open) dialog.showModal();
  // The message about what is wrong is read with the field that it is at.
  const place = ["[aria-invalid=true]", "[role=alert]", "[autofocus]"].map((one) => question.querySelector(one)).find(Boolean) ?? title;
  if (place.tabIndex < 0) place.tabIndex = -1;
  place.focus();
  return true;
}

async function open(link) {
  asking = link;
  const isAwaited = () => asking === link && link.isConnected;
  try {
    const response = await fetch(link.href);
    const page = await response.text();
    if (!isAwaited() || (response.ok && !response.redirected && ask(page))) return;
    location.assign(link.href);
  } catch {
    say(document.body.dataset.away);
  }
}

async function answer(form, button) {
  if (isAnswering) return;
  isAnswering = true;
  try {
    const body = new URLSearchParams(new FormData(form, button));
    const response = await fetch(form.getAttribute("action"), { method: "POST", body });
    const page = await response.text();
    if (!response.redirected && ask(page)) isAnswering = false;
    else location.assign(response.redirected && !isSignIn(response) ? response.url : asking.href);
  } catch {
    isAnswering = false;
    say(document.body.dataset.away);
  }
}

/** Whether the session has ended: after signing in again, the question is asked again. */
const isSignIn = (response) => new URL(response.url).pathname === dialog.dataset.signIn;

// Before htmx, which would follow the link.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-question]");
  const isForHere = event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
  if (!link || !isForHere) return;
  event.preventDefault();
  event.stopPropagation();
  open(link);
}, { capture: true });

dialog.addEventListener("submit", (event) => {
  // The answer to such a form has a secret, or ends the session: it is a page of its own.
  if (event.target.getAttribute("hx-boost") === "false") return;
  event.preventDefault();
  answer(event.target, event.submitter);
});

/** Where the mouse went down: a text that is marked up to the outside closes nothing. */
let pressed = null;
dialog.addEventListener("pointerdown", (event) => { pressed = event.target; });
dialog.addEventListener("click", (event) => {
  const isBeside = event.target === dialog && pressed === dialog;
  if (!isBeside && !event.target.closest("[data-close]")) return;
  event.preventDefault();
  dialog.close();
});

dialog.addEventListener("close", () => {
  document.getElementById("question").replaceChildren();
  const place = asking?.isConnected ? asking : document.getElementById("main");
  place.focus();
});

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

addEventListener("pagehide", () => {
  forget();
  // A browser that comes back to the page as it was left finds it without a question.
  isAnswering = false;
  dialog.close();
});

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
