// The big figure: repetitions, seconds held, or minutes, as the exercise promises, and one remark on the last repetition.

const UNITS = { count: "repetitions", hold: "seconds held", time: "minutes" };
const CHANNEL_WORDS = { flexion: "bend", lateral_bend: "side", axial_rotation: "turn", vertical: "down and up" };
const BREAK_MS = 1500; // a pose left for less may be taken up again: the hold then goes on
const SAY_HELD_EVERY_S = 10;

const byId = (id) => document.getElementById(id);
const sum = (reps) => Object.values(reps).reduce((total, count) => total + count, 0);

export function put(id, text) {
  const element = byId(id);
  if (element.textContent !== text) element.textContent = text;
  return element;
}

function clock(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

export class Figure {
  constructor(exercises) {
    this.exercises = exercises;
    this.spoken = "";
    this.newSet();
  }

  newSet() {
    this.held = null; // the hold under way: seconds, and when it was last seen
    this.lastHold = null;
    this.remark("");
    byId("held").hidden = true;
    byId("split").hidden = true;
  }

  show(text, unit, note, certain = true) {
    const count = put("count", text);
    count.dataset.length = String(text.length);
    count.dataset.empty = text === "—" ? "yes" : "no";
    count.dataset.certain = certain ? "yes" : "no";
    put("unit", unit);
    put("figure-note", note);
  }

  idle(note) {
    put("exercise", "No exercise yet");
    this.show("—", UNITS.count, note);
  }

  dose(exercise) { return this.exercises.get(exercise)?.dose ?? "count"; }

  take(frame) {
    if (frame.held_s !== null) this.held = { seconds: frame.held_s, atMs: frame.t_ms };
    else if (this.held && frame.t_ms - this.held.atMs > BREAK_MS) this.held = null;
  }

  draw(frame, setStartedMs, note) {
    put("exercise", this.exercises.get(frame.exercise)?.name ?? frame.exercise);
    const dose = this.dose(frame.exercise);
    if (dose === "time") this.show(clock(setStartedMs === null ? 0 : frame.t_ms - setStartedMs), UNITS.time, note);
    else if (dose === "hold") this.showHold(note);
    else this.showCount(frame, note);
  }

  showCount(frame, note) {
    const [sure, turned] = [sum(frame.reps), sum(frame.reps_provisional)];
    this.show(String(turned), turned === 1 ? "repetition" : UNITS.count, note, turned === sure);
    // every repetition up to ten, then every fifth: more would drown everything else
    if (sure > 0 && (sure <= 10 || sure % 5 === 0)) this.say(sure === 1 ? "1 repetition" : `${sure} repetitions`);
    const channels = Object.entries(frame.reps_provisional);
    byId("split").hidden = channels.length < 2;
    byId("split").replaceChildren(...channels.map(([channel, count]) =>
      Object.assign(document.createElement("li"), { textContent: `${CHANNEL_WORDS[channel] ?? channel} ${count}` })));
    const held = this.held?.seconds >= 1 ? `holding ${Math.floor(this.held.seconds)} s`
      : this.lastHold ? `last hold ${Math.round(this.lastHold.seconds)} s` : "";
    put("held", held).hidden = held === "";
  }

  showHold(note) {
    const seconds = this.held ? Math.floor(this.held.seconds) : Math.round(this.lastHold?.seconds ?? 0);
    const which = this.held ? "seconds, holding" : this.lastHold ? `seconds, hold ${this.lastHold.number}`
      : "seconds held now"; // of a set that began before this page, earlier holds are not known
    this.show(String(seconds), which, note);
    if (this.held && seconds > 0 && seconds % SAY_HELD_EVERY_S === 0) this.say(`${seconds} seconds`);
  }

  finding(finding, words) {
    if (finding.type === "rep_completed") this.remark(words[0] ?? "");
    else if (finding.type === "counting_stopped") this.remark(words[0], "watch");
    else if (finding.type === "hold_completed") {
      [this.held, this.lastHold] = [null, finding];
      this.say(`held ${Math.round(finding.seconds)} seconds`);
    }
  }

  completed(finding) {
    const dose = this.dose(finding.exercise);
    const text = dose === "time" ? clock((finding.t1_ns - finding.t0_ns) / 1e6)
      : dose === "count" ? String(sum(finding.reps))
      : this.lastHold ? String(Math.round(this.lastHold.seconds)) : "—";
    put("exercise", this.exercises.get(finding.exercise)?.name ?? finding.exercise);
    this.show(text, UNITS[dose], `Set ${finding.set_number}, saving…`);
    byId("held").hidden = true;
    this.remark(""); // what is saved has the last word
  }

  remark(text, tone = "off") { put("remark", text).dataset.tone = tone; }

  say(text) { if (text !== this.spoken) put("spoken", this.spoken = text); }
}
