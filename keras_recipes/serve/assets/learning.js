// The part of the page that shows XOR being learned.
import { XorNet } from "./xor.js";

const FROM = -0.5, TO = 1.5;
const SURFACE = 60, UNIT = 24;
const AT_ONCE = 10;
const ARTICLE = 100;
const element = (id) => document.getElementById(id);

export class Learning {
  constructor(recipe, words) {
    this.recipe = recipe;
    this.words = words;
    this.until = 0;
    for (const name of recipe.activations) element("activation").add(new Option(name, name));
    for (let n = 1; n <= recipe.hidden_units; n++) element("units").add(new Option(n, n));
    for (const rate of [0.03, 0.1, 0.3, 1]) element("rate").add(new Option(rate, rate));
    element("activation").value = recipe.activation;
    element("units").value = recipe.hidden_units;
    element("rate").value = recipe.learning_rate;
    for (const name of ["activation", "units", "rate"]) {
      element(name).addEventListener("change", () => this.start());
    }
    element("again").addEventListener("click", () => this.start());
    element("article").addEventListener("click", () => this.train(this.net.epochs + ARTICLE));
    element("right").addEventListener("click", () => this.train(Infinity));
    element("pause").addEventListener("click", () => this.train(0));
    this.start();
  }

  start() {
    this.until = 0;
    this.net = new XorNet({
      units: Number(element("units").value),
      activation: element("activation").value,
      rate: Number(element("rate").value),
      table: this.recipe.table,
    });
    this.losses = [this.net.loss()];
    this.maps = this.net.hidden.map(() => document.createElement("canvas"));
    element("hidden").replaceChildren(...this.maps);
    this.draw();
  }

  train(until) {
    const idle = this.until <= this.net.epochs;
    this.until = until;
    if (idle && until > this.net.epochs) this.next();
  }

  next() {
    for (let n = 0; n < AT_ONCE && this.net.epochs < this.until && !this.isRight(); n++) {
      this.net.epoch();
      this.losses.push(this.net.loss());
    }
    const last = this.until === Infinity ? this.recipe.epochs : this.until;
    if (this.isRight() || this.net.epochs >= last) this.until = 0;
    this.draw();
    if (this.until) requestAnimationFrame(() => this.next());
  }

  isRight() {
    return this.net.largestError() <= this.recipe.goal;
  }

  draw() {
    const { net } = this;
    plane(element("surface"), SURFACE, (x) => net.answer(x));
    points(element("surface"), net);
    const range = element("activation").value === "tanh" ? (y) => (y + 1) / 2 : (y) => Math.min(1, y);
    this.maps.forEach((map, n) => plane(map, UNIT, (x) => range(net.units(x)[n])));
    curve(element("loss"), this.losses);
    const answers = net.points.map(({ x }) => `${x.join(", ")}: ${net.answer(x).toFixed(3)}`);
    element("answers").textContent = answers.join("   ");
    element("epochs").textContent = this.words().epochs(net.epochs, net.loss().toFixed(4));
    element("state").textContent = this.state();
  }

  state() {
    if (this.isRight()) return this.words().right_now(this.recipe.goal);
    if (this.until) return this.words().learning;
    if (this.net.epochs >= this.recipe.epochs) return this.words().stuck;
    return this.net.epochs ? this.words().not_yet(this.recipe.goal) : "";
  }
}

// Orange for 1, blue for 0, as in the recipe's pictures.
function color(share) {
  const low = [11, 87, 208], high = [232, 113, 10];
  return low.map((from, n) => Math.round(from + share * (high[n] - from)));
}

function plane(canvas, side, value) {
  canvas.width = canvas.height = side;
  const context = canvas.getContext("2d");
  const image = context.createImageData(side, side);
  for (let place = 0; place < side * side; place++) {
    const x = FROM + (TO - FROM) * ((place % side) + 0.5) / side;
    const y = TO - (TO - FROM) * (Math.floor(place / side) + 0.5) / side;
    image.data.set([...color(value([x, y])), 255], 4 * place);
  }
  context.putImageData(image, 0, 0);
}

function points(canvas, net) {
  const context = canvas.getContext("2d");
  const at = (value) => SURFACE * (value - FROM) / (TO - FROM);
  for (const { x, target } of net.points) {
    context.beginPath();
    context.arc(at(x[0]), SURFACE - at(x[1]), 2.5, 0, 2 * Math.PI);
    context.fillStyle = target ? "#fff" : "#000";
    context.fill();
  }
}

function curve(canvas, losses) {
  const context = canvas.getContext("2d");
  const { width, height } = canvas;
  context.clearRect(0, 0, width, height);
  context.strokeStyle = getComputedStyle(canvas).color;
  context.lineWidth = 2;
  context.beginPath();
  const top = Math.max(...losses.slice(0, 50), 0.7);
  const step = Math.max(1, Math.floor(losses.length / width));
  for (let n = 0; n < losses.length; n += step) {
    const x = losses.length > 1 ? (n / (losses.length - 1)) * width : 0;
    context.lineTo(x, height - (Math.min(losses[n], top) / top) * (height - 4) - 2);
  }
  context.stroke();
}
