// The angle gauge: one dial, three planes. All numbers come from the server: limits and names from the page, angles from frames.

const CENTRE = { x: 160, y: 168 };
const RADIUS = 130;
const ZONE = 0.85; // the target zone begins at this share of the best angle of the session

const byId = (id) => document.getElementById(id);

function point(dialDeg) {
  const turn = ((dialDeg - 90) * Math.PI) / 180;
  return `${(CENTRE.x + RADIUS * Math.cos(turn)).toFixed(2)} ${(CENTRE.y + RADIUS * Math.sin(turn)).toFixed(2)}`;
}

function arc(fromDeg, toDeg) {
  return `M ${point(fromDeg)} A ${RADIUS} ${RADIUS} 0 0 ${toDeg > fromDeg ? 1 : 0} ${point(toDeg)}`;
}

function visible(element, shown) {
  element.setAttribute("visibility", shown ? "visible" : "hidden");
}

function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const size = (angle) => `${Math.abs(Math.round(angle))}°`;

function way(angle, plane) {
  const whole = Math.round(angle);
  if (whole === 0) return "";
  return whole > 0 ? plane.positive : plane.negative;
}

export class Gauge {
  constructor(root) {
    this.inputs = [...root.querySelectorAll("input[name=plane]")];
    this.best = {};
    this.reach = [[0, 0], [0, 0], [0, 0]];
    this.angles = null;
    for (const input of this.inputs) input.addEventListener("change", () => this.drawPlane());
    this.drawPlane();
  }

  get plane() {
    const { dataset, value } = this.inputs.find((input) => input.checked);
    return { code: value, ...dataset, index: Number(dataset.index), sign: Number(dataset.sign), limit: Number(dataset.limit) };
  }

  select(code) {
    const input = this.inputs.find((one) => one.value === code);
    if (!input || input.checked) return;
    input.checked = true;
    this.drawPlane();
  }

  setBest(best) {
    this.best = best;
    this.drawPlane();
  }

  newSet() {
    this.reach = [[0, 0], [0, 0], [0, 0]];
    this.draw();
  }

  show(angles) {
    this.angles = angles;
    if (angles) {
      angles.forEach((angle, index) => {
        const [low, high] = this.reach[index];
        this.reach[index] = [Math.min(low, angle), Math.max(high, angle)];
      });
    }
    this.draw();
  }

  dial(angle, plane) {
    return Math.max(-90, Math.min(90, (plane.sign * angle * 90) / plane.limit));
  }

  draw() {
    const plane = this.plane;
    const needle = byId("needle");
    visible(needle, this.angles !== null);
    for (const input of this.inputs) {
      const angle = this.angles?.[Number(input.dataset.index)];
      const tile = input.parentElement;
      put(tile.querySelector(".plane-value"), angle === undefined ? "—" : size(angle));
      put(tile.querySelector(".plane-way"), angle === undefined ? "" : way(angle, input.dataset));
    }
    const shown = this.angles?.[plane.index];
    put(byId("angle"), shown === undefined ? "no angle yet" : `${size(shown)} ${way(shown, plane)}`);
    if (this.angles === null) return;
    needle.style.transform = `rotate(${this.dial(this.angles[plane.index], plane).toFixed(2)}deg)`;
    needle.dataset.angle = this.angles[plane.index];
    const [low, high] = this.reach[plane.index];
    for (const [side, angle] of [[-1, low], [1, high]]) {
      const mark = byId(side * plane.sign < 0 ? "reach-left" : "reach-right");
      visible(mark, Math.abs(angle) >= 1);
      mark.setAttribute("transform", `rotate(${this.dial(angle, plane).toFixed(2)} ${CENTRE.x} ${CENTRE.y})`);
    }
  }

  drawPlane() {
    const plane = this.plane;
    byId("end-left").textContent = plane.left;
    byId("end-right").textContent = plane.right;
    const ticks = byId("tick-words");
    ticks.replaceChildren(...[-2, -1, 0, 1, 2].map((step) => {
      const label = document.createElementNS("http://www.w3.org/2000/svg", "text");
      const turn = ((step * 30 - 90) * Math.PI) / 180;
      label.setAttribute("x", (CENTRE.x + 98 * Math.cos(turn)).toFixed(1));
      label.setAttribute("y", (CENTRE.y + 98 * Math.sin(turn) + 4).toFixed(1));
      label.textContent = `${Math.abs((step * plane.limit) / 3)}°`;
      return label;
    }));
    for (const [side, angle] of [[-1, this.best[plane.negativeRom]], [1, this.best[plane.positiveRom]]]) {
      const zone = byId(side * plane.sign < 0 ? "target-left" : "target-right");
      visible(zone, angle > 1);
      if (angle > 1) zone.setAttribute("d", arc(this.dial(side * angle * ZONE, plane), this.dial(side * angle, plane)));
    }
    this.draw();
  }
}
