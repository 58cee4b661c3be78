// A person's live page. The server says what is; this file only shows it, and never shows old values as live ones.

import { follow } from "./stream.js";
import { Figure, put } from "./figure.js";
import { Gauge } from "./gauge.js";

const CHECK_MS = 200;
const NOTE_MS = 8000; // good news may go; trouble stays until the next command
const SAVED_TRIES = 12;
const SAVED_EVERY_MS = 1000;
const SENSOR_NAMES = { pelvis: "Pelvis", thorax: "Upper back" };
const COMMAND_WORDS = {
  start_session: ["Starting the session…", "The session is open."],
  calibrate: ["Asking for a calibration…", "Now stand still for three seconds, then bend forward and come back up."],
  start_exercise: ["Starting the exercise…", "The exercise has started."],
  end_set: ["Ending the set…", "The set has ended."],
  end_session: ["Ending the session…", "The session has ended."],
  report_pain: ["Sending…", "Your pain was noted."],
};

const byId = (id) => document.getElementById(id);
const live = byId("live");
const staleAfterMs = Number(live.dataset.staleMs);
const gauge = new Gauge(byId("gauge"));
const exercises = new Map([...document.querySelectorAll("#choice option")].map((one) => [one.value, one.dataset]));
const figure = new Figure(exercises);

const now = {
  link: null,
  connection: null,
  session: null,
  frame: null,
  newestSampleAt: -Infinity, // on the clock of this page
  openSince: performance.now(),
  setStartedMs: null,
  setKey: "",
  finished: null, // set that ended and is being saved
  noteTimer: 0,
};

// ---- what is true

const FAILED = ["expired", "refused"]; // the command had no effect

const isOpen = () => now.session !== null && !FAILED.includes(now.session.start);
const age = () => performance.now() - now.newestSampleAt;
const isFresh = () => now.link === true && age() <= staleAfterMs;

function staleReason() {
  if (now.link !== true) return now.link === null ? "" : "This screen lost its connection. Trying again…";
  if (!isOpen() || now.session.start === "pending" || isFresh()) return "";
  const since = now.frame ? age() : performance.now() - now.openSince;
  if (since <= staleAfterMs) return "";
  const { following, gateway, sensors } = now.connection;
  const off = sensors.find((sensor) => sensor.connected === false);
  const why = !following ? "the service does not hear the broker"
    : gateway?.online === false ? "the gateway is off or out of reach"
    : off ? `the sensor ${SENSOR_NAMES[off.placement].toLowerCase()} is not connected`
    : "no samples are coming";
  return now.frame
    ? `Not live: the values are ${Math.round(since / 1000)} s old, ${why}.`
    : `No values yet: ${why}.`;
}

// ---- showing it

function chip(key, what, word, tone) {
  let one = document.querySelector(`[data-chip="${key}"]`);
  if (!one) {
    one = document.createElement("li");
    one.className = "chip";
    one.dataset.chip = key;
    one.append(Object.assign(document.createElement("span"), { className: "what", textContent: what }), " ",
      Object.assign(document.createElement("span"), { className: "word" }));
    byId("chips").insertBefore(one, document.querySelector('[data-chip="calibration"]'));
  }
  one.dataset.tone = tone;
  const words = one.querySelector(".word");
  if (words.textContent !== word) words.textContent = word;
  return one;
}

function sensorState(sensor) {
  if (!now.connection.following || sensor.connected === null) return ["not known", "off"];
  if (!sensor.connected) return ["not connected", "bad"];
  if (!isOpen() || now.frame === null) return ["connected", "good"];
  return isFresh() && now.frame.sensors[sensor.placement] ? ["receiving", "good"] : ["no samples", "watch"];
}

function showChips() {
  if (!now.connection) return;
  const { following, gateway, sensors } = now.connection;
  const state = gateway === null ? ["no sensor paired", "off"]
    : !following || gateway.online === null ? ["not known", "off"]
    : gateway.online ? ["online", "good"] : ["off or out of reach", "bad"];
  chip("gateway", "Gateway", ...state);
  for (const sensor of sensors) chip(`sensor-${sensor.placement}`, SENSOR_NAMES[sensor.placement], ...sensorState(sensor));
  const worn = new Set(["gateway", "calibration", ...sensors.map((sensor) => `sensor-${sensor.placement}`)]);
  for (const one of document.querySelectorAll("[data-chip]")) if (!worn.has(one.dataset.chip)) one.remove();
  const done = now.frame?.calibrated;
  chip("calibration", "Angles", done ? "calibrated" : "not calibrated", done ? "good" : "watch").hidden = !isOpen() || !now.frame;
}

function showFreshness() {
  const reason = staleReason();
  const banner = put("banner", reason);
  if (banner.hidden === (reason !== "")) banner.hidden = reason === "";
  live.classList.toggle("is-stale", now.frame !== null && !isFresh());
  const [word, tone] = now.link === false ? ["reconnecting", "bad"]
    : now.link === null ? ["connecting", "off"]
    : !isOpen() ? ["no session", "off"]
    : isFresh() ? ["live", "good"] : ["not live", "watch"];
  put("link", word).dataset.tone = tone;
  showFigure();
  showChips();
}

function showSession() {
  const open = isOpen();
  for (const [id, shown] of [["when-closed", !open], ["when-open", open], ["gauge", open], ["pain", open], ["leave", open]]) byId(id).hidden = !shown;
  live.dataset.open = open ? "yes" : "no";
}

function showFigure() {
  const frame = now.frame;
  live.dataset.running = frame !== null && frame.exercise !== null ? "yes" : "no";
  if (frame && frame.exercise !== null) {
    figure.draw(frame, now.setStartedMs, `Set ${frame.set_number}, ${isFresh() ? "live" : "last known"}`);
  } else if (!now.finished && Number(byId("results").firstElementChild.dataset.set) === 0) {
    figure.idle(isOpen() ? "Choose an exercise" : "No session is open"); // else the last set stays until the next begins
  }
}

// ---- what the server says

function onFrame(frame) {
  now.frame = frame;
  now.newestSampleAt = performance.now() - frame.age_ms;
  const key = `${frame.session_id}/${frame.exercise === null ? "" : frame.set_number}`;
  if (key !== now.setKey) {
    now.setKey = key;
    gauge.newSet();
    if (frame.exercise !== null) {
      now.finished = null;
      figure.newSet();
      gauge.select(exercises.get(frame.exercise)?.plane);
    }
  }
  figure.take(frame);
  gauge.show(frame.lumbar ?? frame.trunk);
  showFreshness();
}

function onSession(session) {
  if (session?.session_id !== now.session?.session_id) {
    now.frame = null;
    now.setStartedMs = null;
    now.setKey = "";
    now.openSince = performance.now();
    gauge.show(null);
    if (session) { now.finished = null; loadResults(); }
  }
  if (session?.start === "applied" && now.session?.start === "pending") now.openSince = performance.now();
  now.session = session;
  showSession();
  showFreshness();
}

function onFinding({ finding, words }) {
  figure.finding(finding, words);
  if (finding.type === "set_started") {
    now.setStartedMs = finding.t0_ns / 1e6;
  } else if (finding.type === "set_completed") {
    now.finished = finding.finding_id;
    figure.completed(finding);
    loadUntilSaved(finding, SAVED_TRIES);
  } else if (finding.type === "sensor_fault") {
    addNotice(`${finding.placement} ${finding.fault}`, words[0]);
  } else if (["calibration_done", "calibration_refused"].includes(finding.type)) {
    setTimeout(loadResults, SAVED_EVERY_MS);
  }
}

function addNotice(fault, words) {
  const notices = byId("notices");
  if ([...notices.children].some((one) => one.dataset.fault === fault)) return;
  const notice = Object.assign(document.createElement("p"), { className: "note", textContent: words });
  Object.assign(notice.dataset, { tone: "watch", fault });
  notices.append(notice);
}

function onControl({ command, state, event_id }) {
  const words = COMMAND_WORDS[command];
  if (!words) return;
  const seen = byId("order-note").dataset;
  if (state === "pending") note(words[0], "watch", event_id);
  else if (seen.event !== event_id) return; // an older command than the one that the note is about
  else if (state === "applied") note(words[1], "good", event_id);
  else if (state === "refused") note("This was not possible: the session may be over. Look again before you repeat it.", "bad", event_id);
  else note("The gateway did not answer. Check that it is on and in reach, then try again.", "bad", event_id);
}

function note(text, tone, event = "") {
  const line = put("order-note", text);
  line.dataset.tone = tone;
  line.dataset.event = event;
  clearTimeout(now.noteTimer);
  if (tone === "good") now.noteTimer = setTimeout(() => put("order-note", ""), NOTE_MS);
}

async function loadResults() {
  const section = byId("results");
  const answer = await fetch(section.dataset.source, { headers: { accept: "text/html" } }).catch(() => null);
  if (!answer?.ok) return null;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.body.firstElementChild;
  section.replaceChildren(fresh);
  byId("notices").replaceChildren(...page.getElementById("notices").children);
  const best = JSON.parse(fresh.dataset.best);
  gauge.setBest(best);
  if (Object.keys(best).length > 0) put("target-note", "Green zone: 85 to 100 % of your best in this session.");
  return fresh.dataset;
}

async function loadUntilSaved(finding, tries) {
  const saved = await loadResults();
  if (now.finished !== finding.finding_id) return; // the next set has begun
  if (saved?.finding === finding.finding_id) {
    // from here on the number is the committed one
    figure.show(saved.figure, byId("unit").textContent, `Set ${finding.set_number}, saved`);
  } else if (tries > 0) {
    setTimeout(() => loadUntilSaved(finding, tries - 1), SAVED_EVERY_MS);
  } else {
    put("figure-note", `Set ${finding.set_number}, not saved yet`);
  }
}

// ---- what people press: the forms work without this; with it the page stays

async function send(form, button) {
  const fields = new URLSearchParams(new FormData(form));
  if (button?.name) fields.set(button.name, button.value);
  button?.setAttribute("aria-disabled", "true");
  const answer = await fetch(form.action, { method: "POST", body: fields, headers: { accept: "application/json" } }).catch(() => null);
  button?.removeAttribute("aria-disabled");
  if (answer === null) {
    note("This screen has no connection. Try again in a moment.", "bad"); // same key: pressing again cannot do it twice
    return;
  }
  form.elements.key.value = crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`;
  const body = await answer.json().catch(() => null);
  if (answer.ok) onControl(body);
  else note(body ? `${body.detail} ${body.action}` : "The service did not understand. Reload the page.", "bad");
}

document.addEventListener("submit", (event) => {
  event.preventDefault();
  if (event.submitter?.getAttribute("aria-disabled") !== "true") send(event.target, event.submitter);
});

follow(`/api/v1/live/${live.dataset.subject}`, {
  snapshot: (snapshot) => {
    now.connection = snapshot.connection;
    onSession(snapshot.session);
    now.setStartedMs = snapshot.set_started_ms;
    if (snapshot.frame) onFrame(snapshot.frame);
    const last = snapshot.controls.at(-1);
    if (last?.state === "pending" || FAILED.includes(last?.state)) { byId("order-note").dataset.event = last.event_id; onControl(last); }
    showFreshness();
  },
  frame: onFrame,
  finding: onFinding,
  session: ({ session }) => onSession(session),
  control: onControl,
  connection: (connection) => { now.connection = connection; showFreshness(); },
}, (up) => {
  now.link = up;
  showFreshness();
});

gauge.setBest(JSON.parse(byId("results").firstElementChild.dataset.best));
setInterval(showFreshness, CHECK_MS);
