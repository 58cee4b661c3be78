// The list: each row follows what the server says about that person.

import { follow } from "./stream.js";

const SILENT_MS = 3000; // a living row is confirmed every second

const link = document.getElementById("link");
const rows = new Map([...document.querySelectorAll("tr[data-subject]")].map((row) => [row.dataset.subject, row]));
const names = new Map([...document.querySelectorAll("#exercise-names option")].map((one) => [one.value, one.textContent]));
const heard = new Map();
const LIVING = new Set(["exercising", "resting"]);

function put(row, field, text) {
  const cell = row.querySelector(`[data-field="${field}"]`);
  if (cell.textContent !== text) cell.textContent = text;
  return cell;
}

function show(event) {
  const row = rows.get(event.subject_id);
  if (!row) { location.reload(); return; } // somebody new
  put(row, "state", event.word).dataset.tone = event.tone;
  put(row, "exercise", event.exercise === null ? "—" : names.get(event.exercise) ?? event.exercise);
  put(row, "reps", event.reps === null ? "—" : String(event.reps));
  if (LIVING.has(event.liveness) || event.liveness === "silent") put(row, "last", "now");
  else if (heard.has(event.subject_id) && row.querySelector('[data-field="last"]').textContent === "now") put(row, "last", "just now");
  heard.set(event.subject_id, { at: performance.now(), liveness: event.liveness });
  row.classList.toggle("is-stale", !LIVING.has(event.liveness));
}

function checkSilence() {
  for (const [subject, { at, liveness }] of heard) {
    if (LIVING.has(liveness) && performance.now() - at > SILENT_MS) rows.get(subject).classList.add("is-stale");
  }
}

for (const time of document.querySelectorAll("time")) {
  time.textContent = new Date(time.dateTime).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}

link.textContent = "Connecting…";
follow("/api/v1/live", { subject: show }, (up) => {
  link.textContent = up ? "Live" : "Not live: connection lost, trying again…";
  if (!up) for (const row of rows.values()) row.classList.add("is-stale");
});
setInterval(checkSilence, 500);
