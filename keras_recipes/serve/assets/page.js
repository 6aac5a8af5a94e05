// Sends the drawing to the server after each movement, and draws what every layer computes.
import { Learning } from "./learning.js";
import { WORDS } from "./words.js";

const drawing = document.getElementById("drawing");
const shown = document.getElementById("shown");
const message = document.getElementById("message");
const pen = drawing.getContext("2d", { willReadFrequently: true });
const SIDE = drawing.width;
// The server reads small pictures much faster, and the nets see 28 pixels anyway.
const SENT = 64;

let language = navigator.language.startsWith("zh") ? "zh" : "en";
let nets = [];
let learning = null;
let busy = false;
let waiting = false;
let blank = true;

const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
const words = () => WORDS[language];

function speak() {
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-words]")) {
    element.textContent = words()[element.dataset.words];
  }
  drawing.setAttribute("aria-label", words().canvas);
  shown.setAttribute("aria-label", words().small);
  const other = document.getElementById("language");
  other.textContent = words().other;
  other.lang = language === "en" ? "zh" : "en";
  for (const net of nets) net.draw();
  if (learning) learning.draw();
}

// The address says which part is shown.
function turn() {
  const part = location.hash === "#xor" ? "xor" : "digits";
  for (const main of document.querySelectorAll(".part")) main.hidden = main.id !== part;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === `#${part}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  scrollTo(0, 0);
}

async function asked(path, options) {
  const answer = await fetch(path, options);
  const found = await answer.json();
  if (!answer.ok) throw new Error(found.error);
  return found;
}

function unpacked(packed) {
  const bytes = Uint8Array.from(atob(packed.values), (letter) => letter.charCodeAt(0));
  return { ...packed, bytes };
}

// The value of a unit, from its byte.
const value = (packed, byte) => packed.low + (byte / 255) * (packed.high - packed.low);

function paint(canvas, width, height, byte) {
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

class Net {
  constructor(name, described) {
    this.name = name;
    this.labels = described.labels;
    this.kinds = new Map(described.layers.map((layer) => [layer.name, layer.kind]));
    this.weights = described.weights && { ...unpacked(described.weights) };
    this.seen = null;
    this.place = document.createElement("section");
    this.place.className = "net";
    this.place.setAttribute("aria-label", name);
    const title = document.createElement("h2");
    title.textContent = name;
    this.answer = document.createElement("div");
    this.answer.className = "answer";
    this.sure = document.createElement("div");
    this.sure.className = "note";
    this.layers = document.createElement("div");
    this.note = document.createElement("p");
    this.note.className = "note";
    this.place.append(title, this.answer, this.sure, this.layers, this.note);
    document.getElementById("nets").append(this.place);
  }

  show(seen) {
    this.seen = seen;
    this.draw();
  }

  draw() {
    this.layers.replaceChildren();
    this.answer.textContent = "";
    this.note.textContent = "";
    this.sure.textContent = "";
    if (!this.seen) return;
    const unsure = this.seen.several || this.seen.prediction === "unsure";
    this.answer.textContent = unsure ? words().unsure : this.seen.prediction;
    const probability = (100 * this.seen.probability).toFixed(1);
    this.sure.textContent = filled(words().sure, { probability });
    const layers = this.seen.layers.map(unpacked);
    layers.forEach((layer, number) => {
      const last = number === layers.length - 1;
      this.layers.append(this.title(layer), last ? this.bars(layer) : this.maps(layer));
    });
  }

  title(layer) {
    const [height, width] = layer.shape;
    const maps = layer.shape.length === 3;
    // A map of one pixel is a unit.
    const flat = !maps || height * width === 1;
    const title = document.createElement("h3");
    title.textContent = filled(words().layers[flat ? "Dense" : this.kinds.get(layer.name)], {
      name: layer.name, count: layer.shape[layer.shape.length - 1], height, width,
    });
    return title;
  }

  maps(layer) {
    const count = layer.shape[layer.shape.length - 1];
    const [height, width] = layer.shape.length === 3 ? layer.shape : [1, 1];
    const box = document.createElement("div");
    box.className = "maps";
    const looks = this.weights && this.weights.layer === layer.name;
    const side = looks ? 44 : height * width === 1 ? 12 : Math.max(36, 2 * width);
    for (let unit = 0; unit < count; unit++) {
      const map = document.createElement("canvas");
      map.style.width = map.style.height = `${side}px`;
      if (looks) this.weighted(map, layer, unit);
      else paint(map, width, height, (place) => layer.bytes[place * count + unit]);
      map.addEventListener("pointerenter", () => this.tell(layer, unit, count, looks));
      box.append(map);
    }
    return box;
  }

  // The weights of a unit that sees all pixels, bright if the unit is active.
  weighted(map, layer, unit) {
    const pixels = this.weights.shape[1];
    paint(map, 28, 28, (place) => this.weights.bytes[unit * pixels + place]);
    map.style.border = `3px solid rgba(11, 87, 208, ${layer.bytes[unit] / 255})`;
  }

  tell(layer, unit, count, looks) {
    const bytes = layer.bytes.filter((_, place) => place % count === unit);
    const largest = value(layer, Math.max(...bytes)).toFixed(2);
    const known = { layer: layer.name, unit: unit + 1, value: largest };
    this.note.textContent = looks
      ? `${filled(words().unit, known)}. ${filled(words().sees, known)}`
      : filled(words().unit, known);
  }

  bars(layer) {
    const box = document.createElement("div");
    box.className = "bars";
    layer.bytes.forEach((byte, digit) => {
      const share = Math.max(0, value(layer, byte));
      const label = document.createElement("span");
      label.textContent = this.labels[digit];
      const bar = document.createElement("meter");
      bar.value = share;
      bar.setAttribute("aria-label", this.labels[digit]);
      const number = document.createElement("span");
      number.textContent = `${(100 * share).toFixed(1)} %`;
      box.append(label, bar, number);
    });
    return box;
  }
}

function picture() {
  const small = document.createElement("canvas");
  small.width = small.height = SENT;
  const context = small.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(drawing, 0, 0, SENT, SENT);
  return new Promise((done) => small.toBlob(done, "image/png"));
}

async function look(blob) {
  if (busy) {
    waiting = true;
    return;
  }
  busy = true;
  try {
    const content = blob || (await picture());
    const found = await asked("page/seen", { method: "POST", body: content });
    if (!blank || blob) {
      message.textContent = found.several ? words().several : "";
      for (const net of nets) net.show({ ...found.models[net.name], several: found.several });
      const image = unpacked(found.image);
      paint(shown, 28, 28, (place) => image.bytes[place]);
    }
  } catch (error) {
    message.textContent = error instanceof TypeError ? words().lost : error.message;
  }
  busy = false;
  if (waiting && !blank) {
    waiting = false;
    look();
  }
}

function clear() {
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, SIDE, SIDE);
  blank = true;
  waiting = false;
  message.textContent = "";
  paint(shown, 28, 28, () => 0);
  for (const net of nets) net.show(null);
}

function line(from, to) {
  pen.strokeStyle = "#000";
  pen.lineWidth = 20;
  pen.lineCap = pen.lineJoin = "round";
  pen.beginPath();
  pen.moveTo(...from);
  pen.lineTo(...to);
  pen.stroke();
  blank = false;
  look();
}

const place = (event) => {
  const box = drawing.getBoundingClientRect();
  const scale = SIDE / box.width;
  return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
};

let last = null;
drawing.addEventListener("pointerdown", (event) => {
  drawing.setPointerCapture(event.pointerId);
  last = place(event);
  line(last, last);
});
drawing.addEventListener("pointermove", (event) => {
  if (!last) return;
  const now = place(event);
  line(last, now);
  last = now;
});
for (const name of ["pointerup", "pointercancel"]) {
  drawing.addEventListener(name, () => { last = null; });
}

const MOVES = { ArrowUp: [0, -10], ArrowDown: [0, 10], ArrowLeft: [-10, 0], ArrowRight: [10, 0] };
let cursor = [SIDE / 2, SIDE / 4];
let down = false;
drawing.addEventListener("keydown", (event) => {
  const move = MOVES[event.key];
  if (event.key === " ") {
    down = !down;
    if (down) line(cursor, cursor);
  } else if (move) {
    const next = cursor.map((at, axis) => Math.min(SIDE - 12, Math.max(12, at + move[axis])));
    if (down) line(cursor, next);
    cursor = next;
  } else {
    return;
  }
  event.preventDefault();
});

async function open(file) {
  if (file) {
    clear();
    await look(file);
  }
}

document.getElementById("clear").addEventListener("click", clear);
document.getElementById("file").addEventListener("change", (event) => open(event.target.files[0]));
document.getElementById("language").addEventListener("click", () => {
  language = language === "en" ? "zh" : "en";
  speak();
});
drawing.addEventListener("dragover", (event) => event.preventDefault());
drawing.addEventListener("drop", (event) => {
  event.preventDefault();
  open(event.dataTransfer.files[0]);
});

async function start() {
  const { models } = await asked("page/models");
  nets = await Promise.all(
    models.map(async (name) => new Net(name, await asked(`page/models/${name}`))),
  );
  learning = new Learning(await asked("page/xor"), words);
  clear();
  speak();
  if (!nets.length) message.textContent = words().none;
  document.body.dataset.ready = "yes";
}

addEventListener("hashchange", turn);
turn();
speak();
start().catch(() => { message.textContent = words().lost; });
