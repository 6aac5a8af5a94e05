// A net that reads digits: what each layer computes, and what a unit saw of the picture.
const SIDE = 28;

export const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

export function unpacked(packed) {
  const bytes = Uint8Array.from(atob(packed.values), (letter) => letter.charCodeAt(0));
  return { ...packed, bytes };
}

export function paint(canvas, width, height, byte) {
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  for (let place = 0; place < width * height; place++) {
    image.data.fill(byte(place), 4 * place, 4 * place + 3);
    image.data[4 * place + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

// The value of a unit, from its byte.
const value = (packed, byte) => packed.low + (byte / 255) * (packed.high - packed.low);

const made = (kind, name) => Object.assign(document.createElement(kind), { className: name });

export class Net {
  // `mark` shows which part of the picture a unit saw; null shows none.
  constructor(name, described, words, mark) {
    this.name = name;
    this.words = words;
    this.mark = mark;
    this.labels = described.labels;
    this.kinds = new Map(described.layers.map((layer) => [layer.name, layer.kind]));
    this.fields = described.fields;
    this.weights = described.weights && { ...unpacked(described.weights) };
    this.seen = null;
    this.image = null;
    this.place = made("section", "net");
    this.place.setAttribute("aria-label", name);
    const title = document.createElement("h2");
    title.textContent = name;
    this.answer = made("div", "answer");
    this.sure = made("div", "note");
    this.layers = document.createElement("div");
    this.told = made("div", "told");
    this.told.setAttribute("role", "status");
    this.small = document.createElement("canvas");
    this.small.setAttribute("aria-hidden", "true");
    this.note = made("p", "note");
    this.told.append(this.small, this.note);
    this.place.append(title, this.answer, this.sure, this.layers, this.told);
    this.place.addEventListener("pointerleave", () => this.tellNothing());
    document.getElementById("nets").append(this.place);
  }

  show(seen, image) {
    const again = this.seen && seen && this.units;
    this.seen = seen;
    this.image = image;
    if (again) this.drawSeen();
    else this.draw();
  }

  draw() {
    this.layers.replaceChildren();
    this.units = null;
    this.answer.textContent = "";
    this.sure.textContent = "";
    this.tellNothing();
    if (this.seen) this.drawSeen();
  }

  drawSeen() {
    const unsure = this.seen.several || this.seen.prediction === "unsure";
    this.answer.textContent = unsure ? this.words().unsure : this.seen.prediction;
    const probability = (100 * this.seen.probability).toFixed(1);
    this.sure.textContent = filled(this.words().sure, { probability });
    this.found = this.seen.layers.map(unpacked);
    if (!this.units) this.build();
    this.found.forEach((layer, number) => this.units[number](layer));
  }

  // Makes what shows the layers; each stroke then only paints it again.
  build() {
    this.units = this.found.map((layer, number) => {
      const last = number === this.found.length - 1;
      const [box, painted] = last ? this.bars(layer) : this.maps(layer, number);
      this.layers.append(this.title(layer), box);
      return painted;
    });
  }

  title(layer) {
    const [height, width] = layer.shape;
    const maps = layer.shape.length === 3;
    // A map of one pixel is a unit.
    const flat = !maps || height * width === 1;
    const title = document.createElement("h3");
    title.textContent = filled(this.words().layers[flat ? "Dense" : this.kinds.get(layer.name)], {
      name: layer.name, count: layer.shape[layer.shape.length - 1], height, width,
    });
    return title;
  }

  maps(layer, number) {
    const count = layer.shape[layer.shape.length - 1];
    const [height, width] = layer.shape.length === 3 ? layer.shape : [1, 1];
    const looks = this.looks(layer);
    const side = looks ? 44 : height * width === 1 ? 12 : Math.max(36, 2 * width);
    const box = made("div", "maps");
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", filled(this.words().walk, { layer: layer.name }));
    const maps = Array.from({ length: count }, (_, unit) => {
      const map = document.createElement("canvas");
      map.style.width = map.style.height = `${side}px`;
      map.setAttribute("role", "img");
      map.setAttribute("aria-label", filled(this.words().unit_of, { layer: layer.name, unit: unit + 1 }));
      map.tabIndex = unit ? -1 : 0;
      if (looks) this.weights_of(map, unit);
      return map;
    });
    box.append(...maps);
    const told = (event) => {
      const unit = maps.indexOf(event.target);
      if (unit < 0) return;
      const edge = event.target.getBoundingClientRect();
      const cell = (part, whole, cells) =>
        Math.min(cells - 1, Math.max(0, Math.floor((part / whole) * cells)));
      const row = cell(event.clientY - edge.top, edge.height, height);
      this.tell(this.found[number], unit, row * width + cell(event.clientX - edge.left, edge.width, width));
    };
    box.addEventListener("pointermove", told);
    box.addEventListener("pointerdown", told);
    box.addEventListener("focusin", (event) => this.tell(this.found[number], maps.indexOf(event.target)));
    box.addEventListener("keydown", (event) => walk(maps, event));
    const painted = (now) => maps.forEach((map, unit) => {
      if (looks) map.style.border = `3px solid rgba(11, 87, 208, ${now.bytes[unit] / 255})`;
      else paint(map, width, height, (place) => now.bytes[place * count + unit]);
    });
    return [box, painted];
  }

  looks(layer) {
    return this.weights && this.weights.layer === layer.name;
  }

  // The weights of a unit that sees all pixels; its border is bright if the unit is active.
  weights_of(map, unit) {
    const pixels = this.weights.shape[1];
    paint(map, SIDE, SIDE, (place) => this.weights.bytes[unit * pixels + place]);
  }

  // Says the value of a unit, and marks what it saw. Of a map, the unit at a place is meant;
  // without a place, the one with the largest value.
  tell(layer, unit, place) {
    const count = layer.shape[layer.shape.length - 1];
    const width = layer.shape.length === 3 ? layer.shape[1] : 1;
    const bytes = layer.bytes.filter((_, at) => at % count === unit);
    if (bytes.length === 1) place = 0;
    const at = place === undefined ? bytes.indexOf(Math.max(...bytes)) : place;
    const number = value(layer, bytes[at]).toFixed(2);
    const known = { layer: layer.name, unit: unit + 1, value: number };
    const field = this.fields[layer.name];
    const [top, bottom] = field.rows[Math.floor(at / width)];
    const [left, right] = field.columns[at % width];
    const whole = bottom - top === SIDE - 1 && right - left === SIDE - 1;
    const seen = whole ? this.words().saw_all
      : filled(this.words().saw, { rows: `${top + 1}–${bottom + 1}`, columns: `${left + 1}–${right + 1}` });
    this.note.textContent = `${filled(this.words().unit, known)}. ${this.looks(layer) ? this.words().sees : seen}`;
    const box = { top, left, height: bottom - top + 1, width: right - left + 1 };
    if (this.image) drawField(this.small, this.image, box);
    this.small.hidden = !this.image;
    this.mark(box);
  }

  tellNothing() {
    this.note.textContent = this.seen ? this.words().hover : "";
    this.small.hidden = true;
    this.mark(null);
  }

  bars(layer) {
    const box = made("div", "bars");
    const rows = [...layer.bytes].map((_, digit) => {
      const label = document.createElement("span");
      label.textContent = this.labels[digit];
      const bar = document.createElement("meter");
      bar.setAttribute("aria-label", this.labels[digit]);
      const number = document.createElement("span");
      box.append(label, bar, number);
      return { bar, number };
    });
    const painted = (now) => rows.forEach(({ bar, number }, digit) => {
      bar.value = Math.max(0, value(now, now.bytes[digit]));
      number.textContent = `${(100 * bar.value).toFixed(1)} %`;
    });
    return [box, painted];
  }
}

// One unit of a layer is in the order of Tab; the arrow keys move to the others.
function walk(units, event) {
  const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
  const step = steps[event.key];
  if (!step) return;
  event.preventDefault();
  const now = units.indexOf(document.activeElement);
  const next = units[Math.min(units.length - 1, Math.max(0, now + step))];
  units[now].tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
}

// The picture with the part that a unit saw bright, and the rest dim.
function drawField(canvas, image, { top, left, height, width }) {
  paint(canvas, SIDE, SIDE, (place) => {
    const row = Math.floor(place / SIDE), column = place % SIDE;
    const inside = row >= top && row < top + height && column >= left && column < left + width;
    return inside ? 40 + (image[place] * 215) / 255 : image[place] * 0.25;
  });
}
