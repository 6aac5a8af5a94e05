// Sends the drawing to the server after each movement, and draws what every layer computes.
import { Anomalies } from "./anomalies.js";
import { Learning } from "./learning.js";
import { Net, paint, unpacked } from "./net.js";
import { TokenNeeded, asked, keep, reason } from "./server.js";
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
let anomalies = null;
let busy = false;
let waiting = false;
let blank = true;

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
  if (anomalies) anomalies.draw();
}

const PARTS = ["digits", "xor", "anomalies"];

// The address says which part is shown; without one, the first that this server has models for.
function turn() {
  const asked = location.hash.slice(1);
  const first = anomalies && !nets.length && anomalies.offer.models.length ? "anomalies" : "digits";
  const part = PARTS.includes(asked) ? asked : first;
  for (const main of document.querySelectorAll(".part")) main.hidden = main.id !== part;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === `#${part}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  scrollTo(0, 0);
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
      const image = unpacked(found.image);
      paint(shown, 28, 28, (place) => image.bytes[place]);
      for (const net of nets) {
        net.show({ ...found.models[net.name], several: found.several }, image.bytes);
      }
    }
  } catch (error) {
    message.textContent = reason(error, words());
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
  for (const net of nets) net.show(null, null);
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

// Marks what a unit saw on the picture that the nets are shown.
function mark(box) {
  const frame = document.getElementById("field");
  frame.hidden = !box || blank;
  if (!box) return;
  const part = (pixels) => `${(100 * pixels) / 28}%`;
  Object.assign(frame.style, {
    top: part(box.top), left: part(box.left), width: part(box.width), height: part(box.height),
  });
}

async function start() {
  const { models } = await asked("page/models");
  nets = await Promise.all(
    models.map(async (name) => new Net(name, await asked(`page/models/${name}`), words, mark)),
  );
  learning = new Learning(await asked("page/xor"), words);
  anomalies = new Anomalies(await asked("page/jobs"), words);
  document.getElementById("token").hidden = true;
  clear();
  turn();
  speak();
  if (!nets.length) message.textContent = words().none;
  document.body.dataset.ready = "yes";
}

// A server with a token shows the field for it instead of the parts.
async function begin() {
  const refused = document.getElementById("token-message");
  refused.textContent = "";
  try {
    await start();
  } catch (error) {
    const token = document.getElementById("token");
    if (!(error instanceof TokenNeeded)) {
      message.textContent = reason(error, words());
    } else {
      if (!token.hidden) refused.textContent = words().wrong_token;
      token.hidden = false;
      for (const part of document.querySelectorAll(".part")) part.hidden = true;
      document.getElementById("token-field").focus();
    }
  }
}

document.getElementById("token").addEventListener("submit", (event) => {
  event.preventDefault();
  keep(document.getElementById("token-field").value.trim());
  begin();
});

addEventListener("hashchange", () => {
  if (anomalies) turn();
});
turn();
speak();
begin();
