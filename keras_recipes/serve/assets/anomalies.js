// The part of the page that finds anomalies in a log or a series of numbers.
import { series, sessions, TOP } from "./charts.js";
import { asked, reason, send } from "./server.js";

const element = (id) => document.getElementById(id);
const POLL = 400;
const MOST_LISTED = 200;
const AROUND = 4;
const busyStates = ["fitting", "judging"];

const made = (kind, text, name) => {
  const found = document.createElement(kind);
  if (text !== undefined) found.textContent = text;
  if (name) found.className = name;
  return found;
};

export class Anomalies {
  constructor(offer, words) {
    this.offer = offer;
    this.words = words;
    this.file = null;
    this.job = null;
    this.state = null;
    this.error = "";
    this.result = null;
    this.chosen = null;
    this.range = null;
    this.asked = { share: offer.share };
    element("share").value = Math.round(100 * offer.share);
    element("job-epochs").value = offer.epochs;
    this.listen();
    this.draw();
  }

  listen() {
    const zone = element("drop");
    zone.addEventListener("dragover", (event) => {
      event.preventDefault();
      zone.classList.add("over");
    });
    zone.addEventListener("dragleave", () => zone.classList.remove("over"));
    zone.addEventListener("drop", (event) => {
      event.preventDefault();
      zone.classList.remove("over");
      this.take(event.dataTransfer.files[0]);
    });
    element("data").addEventListener("change", (event) => this.take(event.target.files[0]));
    element("use-paste").addEventListener("click", () => {
      const text = element("paste").value;
      if (text.trim()) this.take(new File([text], looksLikeTable(text) ? "pasted.csv" : "pasted.log"));
    });
    for (const name of ["shop.log", "requests.csv"]) {
      element(`example-${name}`).addEventListener("click", () => this.takeExample(name));
    }
    element("share").addEventListener("input", () => this.draw());
    element("by").addEventListener("change", () => this.draw());
    element("start").addEventListener("click", () => this.start());
    element("stop").addEventListener("click", () => this.stop());
    element("threshold").addEventListener("input", () => this.slide());
    element("threshold").addEventListener("change", () => this.judge());
    element("all").addEventListener("click", () => this.choose(null));
    element("csv").addEventListener("click", () => this.download("rows.csv"));
    element("jsonl").addEventListener("click", () => this.download("rows.jsonl"));
    element("logs-chart").addEventListener("click", (event) => this.pick(event));
    addEventListener("resize", () => this.drawCharts());
    addEventListener("hashchange", () => requestAnimationFrame(() => this.drawCharts()));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.drawCharts());
  }

  take(file) {
    if (!file) return;
    this.file = file;
    this.error = "";
    element("data").value = "";
    this.draw();
    element("start").focus();
  }

  async takeExample(name) {
    await this.attempt(async () => {
      const answer = await send(`page/examples/${name}`);
      this.take(new File([await answer.blob()], name));
    });
  }

  // Runs work that asks the server; what is wrong is a message.
  async attempt(work) {
    this.error = "";
    try {
      await work();
    } catch (error) {
      this.error = reason(error, this.words());
    }
    this.draw();
  }

  query() {
    const model = element("by").value;
    if (model) return new URLSearchParams({ model });
    const found = new URLSearchParams({ share: element("share").value / 100 });
    const given = {
      kind: element("kind").value, session: element("session").value,
      columns: element("columns").value,
    };
    const epochs = element("job-epochs").value;
    if (Number(epochs) !== this.offer.epochs) given.epochs = epochs;
    for (const [name, text] of Object.entries(given)) {
      if (text && text !== "auto") found.set(name, text);
    }
    return found;
  }

  async start() {
    if (!this.file) {
      this.error = this.words().no_file;
      this.draw();
      return;
    }
    await this.attempt(async () => {
      const form = new FormData();
      form.append("file", this.file);
      const old = this.job;
      const { job } = await asked(`page/jobs?${this.query()}`, { method: "POST", body: form });
      if (old) send(`page/jobs/${old}`, { method: "DELETE" }).catch(() => {});
      Object.assign(this, { job, result: null, chosen: null, range: null, judged: this.file });
      this.options = this.query();
      this.state = { state: "fitting", said: [] };
      await this.follow();
    });
  }

  async stop() {
    await this.attempt(async () => {
      const { job } = this;
      Object.assign(this, { job: null, state: null });
      if (job) await send(`page/jobs/${job}`, { method: "DELETE" });
    });
  }

  // Waits for the job, and shows how far it is.
  async follow() {
    const { job } = this;
    for (;;) {
      this.state = await asked(`page/jobs/${job}`);
      if (this.job !== job) return;
      this.draw();
      if (!busyStates.includes(this.state.state)) break;
      await new Promise((done) => setTimeout(done, POLL));
      if (this.job !== job) return;
    }
    if (this.state.state === "done") await this.read();
  }

  async read() {
    const text = await (await send(`page/jobs/${this.job}/rows.jsonl`)).text();
    const rows = text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
    const { kind, facts } = this.state;
    this.result = { kind, facts, rows };
    if (kind === "metrics") {
      this.result.chart = await asked(`page/jobs/${this.job}/chart.json`);
      this.result.incidents = incidents(rows);
      this.value = facts.threshold;
      slider(0.2, 3, 0.05, this.value);
    } else {
      this.result.points = rows.map((row) => point(row, facts.rate)).filter(Boolean);
      this.result.text = (await this.judged.text()).trimEnd().split(/\r?\n/);
      this.value = facts.rate;
      slider(0.3, 6, 0.01, -Math.log10(facts.rate));
    }
    this.chosen = null;
    this.draw();
  }

  // How many false alarms a table's threshold promises, if its normal records can show that.
  promise({ promised, days, metrics }) {
    const words = this.words();
    if (!promised) return words.measured(metrics);
    const far = ([threshold]) => Math.abs(threshold - this.value);
    const [, perDay] = promised.reduce((a, b) => (far(a) <= far(b) ? a : b));
    return words.promised_series(perDay, days);
  }

  threshold() {
    const at = Number(element("threshold").value);
    return this.result.kind === "metrics" ? at : 10 ** -at;
  }

  // While the slider moves, a log's anomalies are known from the scores.
  slide() {
    this.value = this.threshold();
    this.drawThreshold();
    if (this.result.kind !== "metrics") this.drawCharts();
  }

  async judge() {
    if (!this.result || busyStates.includes(this.state.state)) return;
    const name = this.result.kind === "metrics" ? "threshold" : "false_alarm_rate";
    const query = new URLSearchParams({ [name]: this.threshold().toPrecision(3) });
    await this.attempt(async () => {
      await asked(`page/jobs/${this.job}/rows?${query}`, { method: "POST" });
      this.state.state = "judging";
      await this.follow();
    });
  }

  async download(name) {
    await this.attempt(async () => {
      const link = made("a");
      link.href = URL.createObjectURL(await (await send(`page/jobs/${this.job}/${name}`)).blob());
      link.download = `${this.judged.name}.${name}`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    });
  }

  choose(one) {
    this.chosen = one;
    this.range = null;
    if (one && this.result.kind === "metrics") {
      const room = Math.max(20, 2 * (one.last - one.first));
      this.range = [Math.max(0, one.first - room), Math.min(this.result.rows.length, one.last + room + 1)];
    }
    this.drawResult();
  }

  // The session that is nearest to where the chart was clicked.
  pick(event) {
    if (!this.scale) return;
    const box = event.target.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const far = (p) => Math.hypot(this.scale.x(p.line) - x, this.scale.y(p.y) - y);
    const nearest = this.result.points.reduce((a, b) => (far(a) <= far(b) ? a : b));
    if (far(nearest) < 25) this.choose(nearest);
  }

  draw() {
    const words = this.words();
    const trains = this.offer.trains;
    const by = element("by");
    const before = by.value;
    by.replaceChildren(
      ...(trains ? [new Option(words.by_first, "")] : []),
      ...this.offer.models.map((name) => new Option(name, name)),
    );
    if ([...by.options].some((option) => option.value === before)) by.value = before;
    element("by-row").hidden = !this.offer.models.length;
    const fits = trains && !by.value;
    element("fit-settings").hidden = !fits;
    element("cannot").hidden = trains;
    element("cannot").textContent = this.offer.models.length ? words.cannot : words.cannot_none;
    element("usable").hidden = !trains && !this.offer.models.length;
    element("share-told").textContent = `${element("share").value} %`;
    element("chosen-file").textContent = this.file ? words.chosen(this.file.name) : words.no_file_yet;
    const busy = Boolean(this.state) && busyStates.includes(this.state.state);
    element("start").disabled = busy;
    element("start").textContent = fits ? words.fit : words.judge;
    element("stop").hidden = !busy;
    this.drawState(busy);
    this.drawResult();
  }

  drawState(busy) {
    const words = this.words();
    const state = this.state || {};
    const bar = element("progress");
    bar.hidden = !busy;
    if (state.epoch && state.state === "fitting") bar.value = state.epoch / state.epochs;
    else bar.removeAttribute("value");
    element("job-error").textContent = this.error || state.error || "";
    let text = "";
    if (busy) text = state.state === "judging" ? words.judging : words.fitting(state);
    if (state.state === "done") text = words.done(state);
    element("job-state").textContent = text;
    element("said").replaceChildren(...(state.said || []).map((line) => made("li", line)));
    element("said-title").hidden = !(state.said || []).length;
  }

  drawResult() {
    element("result").hidden = !this.result;
    element("nothing").hidden = Boolean(this.result) || element("usable").hidden;
    if (!this.result) return;
    const numbers = this.result.kind === "metrics";
    element("logs-box").hidden = numbers;
    element("series-box").hidden = !numbers;
    element("all").hidden = !this.range;
    this.drawThreshold();
    this.drawCharts();
    this.drawList(numbers);
    this.drawDetail(numbers);
    element("commands").textContent = this.commands();
  }

  drawThreshold() {
    const words = this.words();
    const { kind, facts, points } = this.result;
    if (kind === "metrics") {
      element("threshold-told").textContent = words.threshold_series(this.value, this.result.incidents.length);
      element("promise").textContent = this.promise(facts);
    } else {
      const count = points.filter((p) => p.y > -Math.log10(this.value)).length;
      element("threshold-told").textContent = words.threshold_logs(this.value, count, points.length);
      element("promise").textContent = words.promised(this.value, facts);
    }
    element("threshold").setAttribute("aria-valuetext", element("threshold-told").textContent);
  }

  drawCharts() {
    if (!this.result || element("anomalies").hidden) return;
    const { kind, rows, chart, points, text } = this.result;
    if (kind !== "metrics") {
      const first = this.state.first ? this.state.first + 1 : 1;
      const lines = {
        first, last: text.length,
        begin: this.words().line(first), end: this.words().line(text.length),
      };
      const canvas = element("logs-chart");
      canvas.setAttribute("aria-label", element("threshold-told").textContent);
      this.scale = points.length
        ? sessions(canvas, points, this.value, lines, this.chosen, this.words().rarity) : null;
      return;
    }
    const [from, to] = this.range || [0, rows.length];
    const box = element("series-charts");
    box.replaceChildren();
    for (const column of chart.columns) {
      const canvas = made("canvas", undefined, "chart");
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", this.words().chart_of(column.name, this.result.incidents.length));
      box.append(made("h3", column.name), canvas);
      series(canvas, column, rows, from, to);
    }
    element("more-columns").textContent = chart.watched > chart.columns.length
      ? this.words().more_columns(chart.columns.length, chart.watched) : "";
  }

  drawList(numbers) {
    const words = this.words();
    const found = numbers ? this.result.incidents
      : this.result.points.filter((p) => p.row.anomaly);
    const list = element("found");
    list.replaceChildren(...found.slice(0, MOST_LISTED).map((one) => {
      const button = made("button");
      button.type = "button";
      const title = numbers ? words.incident(one) : `${one.row.session}`;
      const why = numbers ? one.columns.replaceAll(";", ", ") : one.row.explanation;
      button.append(made("strong", title), made("span", why));
      button.setAttribute("aria-pressed", String(this.chosen === one));
      button.addEventListener("click", () => this.choose(this.chosen === one ? null : one));
      const item = made("li");
      item.append(button);
      return item;
    }));
    element("found-title").textContent = numbers ? words.incidents(found.length) : words.strange(found.length);
    element("more-found").textContent = found.length > MOST_LISTED ? words.more_found(MOST_LISTED) : "";
  }

  // A session: the line that decided, with those around it. An incident: the record that raised the alarm.
  drawDetail(numbers) {
    const detail = element("detail");
    detail.replaceChildren();
    detail.hidden = !this.chosen;
    if (!this.chosen) return;
    if (numbers) {
      const begin = this.result.rows[this.chosen.first];
      const plain = (value) => (typeof value === "number" ? Number(value.toPrecision(6)) : value);
      const facts = Object.entries(begin).map(([name, value]) => `${name}: ${plain(value)}`);
      detail.append(made("h3", this.words().begin), made("pre", facts.join("\n")));
      return;
    }
    const { row, line } = this.chosen;
    const text = made("p", row.explanation || this.words().usual(row));
    const lines = made("pre");
    for (let n = Math.max(1, line - AROUND); n <= Math.min(this.result.text.length, line + AROUND); n++) {
      const shown = `${String(n).padStart(6)}  ${this.result.text[n - 1]}\n`;
      const mine = shown.includes(row.session);
      lines.append(n === line ? made("mark", shown) : mine ? made("b", shown) : shown);
    }
    lines.tabIndex = 0;
    detail.append(made("h3", row.session), text, lines);
  }

  // The same on the command line.
  commands() {
    const name = quoted(this.judged.name);
    const model = this.options.get("model");
    const set = (key, value) => `--set ${quoted(`${key}=${value}`)}`;
    const threshold = this.result.kind === "metrics" ? "threshold" : "false_alarm_rate";
    const end = [set(threshold, this.value.toPrecision(3)), "--format jsonl"].join(" ");
    if (model) return `recipes predict ${model} ${name} ${end}`;
    const given = [...this.options].filter(([key]) => key !== "share").map(([k, v]) => set(k, v));
    const { first } = this.state;
    return [
      ["recipes fit lstm-anomaly --data", name, set("first", first), ...given].join(" "),
      `recipes predict lstm-anomaly ${name} ${set("after", first)} ${end}`,
    ].join("\n");
  }
}

const quoted = (text) => (/^[\w.,=:/+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

// Several lines with the same number of commas, semicolons or tabs.
function looksLikeTable(text) {
  const lines = text.trim().split(/\r?\n/).slice(0, 20);
  return [",", ";", "\t"].some((mark) => {
    const counts = lines.map((line) => line.split(mark).length);
    return counts[0] > 1 && counts.every((count) => count === counts[0]);
  });
}

function slider(low, high, step, value) {
  Object.assign(element("threshold"), { min: low, max: high, step });
  element("threshold").value = value;
}

// A session with its rarity: minus the logarithm of the share of normal sessions as strange.
function point(row, rate) {
  const line = Number(String(row.line).split(":").pop());
  if (!line) return null;
  const p = (rate * (1 - row.score)) / Math.max(row.score, 1e-300);
  return { row, line, y: Math.min(TOP, Math.max(0, -Math.log10(Math.max(p, 1e-300)))) };
}

function incidents(rows) {
  const found = [];
  rows.forEach((row, n) => {
    if (!row.incident) return;
    const last = found[found.length - 1];
    if (last && last.number === row.incident) {
      last.last = n;
      last.end = row.timestamp;
      if (row.score > rows[last.peak].score) Object.assign(last, { peak: n, columns: row.columns || "" });
    } else {
      found.push({
        number: row.incident, first: n, last: n, begin: row.timestamp, end: row.timestamp, peak: n,
        columns: row.columns || "",
      });
    }
  });
  return found.map((one) => ({ ...one, score: rows[one.peak].score }));
}
