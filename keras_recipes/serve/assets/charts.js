// The charts of the part on anomalies, on canvases that are as sharp as the screen.

const style = (canvas, name) => getComputedStyle(canvas).getPropertyValue(name).trim();

function prepared(canvas) {
  const { width, height } = canvas.getBoundingClientRect();
  const scale = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const context = canvas.getContext("2d");
  context.scale(scale, scale);
  context.font = "12px system-ui, sans-serif";
  return { context, width, height };
}

export const FROM = { left: 60, right: 8, top: 8, bottom: 20 };

// Numbers at which lines are drawn: about four, round.
export function ticks(low, high) {
  const raw = (high - low) / 4 || 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= raw);
  const found = [];
  for (let at = Math.ceil(low / step) * step; at <= high + step / 1e6; at += step) found.push(at);
  return found;
}

export const short = (number) => {
  const size = Math.abs(number);
  if (size >= 1e6 || (size && size < 1e-3)) return number.toExponential(1);
  return String(Number(number.toPrecision(4)));
};

// A series: the band of what was expected, the values, the incidents, and where each begins.
export function series(canvas, column, rows, from, to) {
  const { context, width, height } = prepared(canvas);
  const plot = { width: width - FROM.left - FROM.right, height: height - FROM.top - FROM.bottom };
  const part = (list) => list.slice(from, to).filter((x) => x !== null && Number.isFinite(x));
  const values = part(column.value);
  const known = [...values, ...part(column.low), ...part(column.high)].sort((a, b) => a - b);
  if (!known.length) return;
  // Bands of the first records can be very wide: a hundredth of them may leave the picture.
  const cut = Math.floor(known.length / 200);
  let low = Math.min(known[cut], values.reduce((a, b) => Math.min(a, b), Infinity));
  let high = Math.max(known[known.length - 1 - cut], values.reduce((a, b) => Math.max(a, b), -Infinity));
  const room = (high - low) * 0.04 || 1;
  [low, high] = [low - room, high + room];
  const x = (n) => FROM.left + ((n - from) / Math.max(1, to - from - 1)) * plot.width;
  const y = (v) => FROM.top + (1 - (Math.min(high, Math.max(low, v)) - low) / (high - low)) * plot.height;

  axis(context, canvas, ticks(low, high).map((v) => [y(v), short(v)]), width);
  context.fillStyle = style(canvas, "--alarm-ground");
  for (let n = from; n < to; n++) {
    if (!rows[n].incident) continue;
    let end = n;
    while (end + 1 < to && rows[end + 1].incident === rows[n].incident) end += 1;
    context.fillRect(x(n) - 1.5, FROM.top, Math.max(3, x(end) - x(n) + 3), plot.height);
    n = end;
  }
  const buckets = inBuckets(column, from, to, Math.max(50, Math.floor(plot.width)));
  context.fillStyle = style(canvas, "--band");
  context.beginPath();
  for (const b of buckets) if (b.high !== null) context.lineTo(x(b.at), y(b.high));
  for (const b of [...buckets].reverse()) if (b.low !== null) context.lineTo(x(b.at), y(b.low));
  context.fill();
  context.strokeStyle = style(canvas, "--ink");
  context.lineWidth = 1.3;
  context.beginPath();
  let pen = false;
  for (const b of buckets) {
    if (b.least === null) { pen = false; continue; }
    if (pen) context.lineTo(x(b.at), y(b.first));
    else context.moveTo(x(b.at), y(b.first));
    context.lineTo(x(b.at), y(b.least));
    context.lineTo(x(b.at), y(b.most));
    pen = true;
  }
  context.stroke();
  context.fillStyle = style(canvas, "--alarm");
  for (let n = from; n < to; n++) {
    if (!rows[n].anomaly) continue;
    context.beginPath();
    context.moveTo(x(n), FROM.top + 9);
    context.lineTo(x(n) - 5, FROM.top);
    context.lineTo(x(n) + 5, FROM.top);
    context.fill();
  }
  ends(context, canvas, rows[from].timestamp, rows[to - 1].timestamp, width, height);
}

// One bucket for each pixel: what is drawn of many records is their least and largest value.
function inBuckets({ value, low, high }, from, to, most) {
  const size = Math.max(1, (to - from) / most);
  const found = [];
  for (let begin = from; begin < to; begin += size) {
    const [first, last] = [Math.floor(begin), Math.min(to, Math.max(Math.floor(begin) + 1, Math.floor(begin + size)))];
    const some = value.slice(first, last).filter((v) => v !== null);
    const lows = low.slice(first, last).filter((v) => v !== null);
    const highs = high.slice(first, last).filter((v) => v !== null);
    found.push({
      at: first,
      first: some.length ? some[0] : null,
      least: some.length ? Math.min(...some) : null,
      most: some.length ? Math.max(...some) : null,
      low: lows.length ? Math.min(...lows) : null,
      high: highs.length ? Math.max(...highs) : null,
    });
  }
  return found;
}

export const TOP = 9;

// Sessions over the lines of a log: the higher, the rarer a normal session is as strange.
export function sessions(canvas, points, rate, lines, chosen, rarity) {
  const { context, width, height } = prepared(canvas);
  const plot = { width: width - FROM.left - FROM.right, height: height - FROM.top - FROM.bottom };
  const top = Math.min(TOP, Math.max(3, ...points.map((p) => p.y)) + 0.5);
  const x = (line) => FROM.left + ((line - lines.first) / Math.max(1, lines.last - lines.first)) * plot.width;
  const y = (v) => FROM.top + (1 - Math.min(v, top) / top) * plot.height;
  const marks = [];
  for (let power = 0; power <= top; power += top > 6 ? 2 : 1) marks.push([y(power), rarity(power)]);
  axis(context, canvas, marks, width);
  const threshold = -Math.log10(rate);
  context.fillStyle = style(canvas, "--alarm-ground");
  context.fillRect(FROM.left, FROM.top, plot.width, Math.max(0, y(threshold) - FROM.top));
  context.fillStyle = style(canvas, "--quiet");
  for (const p of points) if (p.y <= threshold) dot(context, x(p.line), y(p.y), 2);
  context.fillStyle = style(canvas, "--alarm");
  for (const p of points) if (p.y > threshold) dot(context, x(p.line), y(p.y), 4);
  context.strokeStyle = style(canvas, "--alarm");
  context.lineWidth = 1.5;
  context.setLineDash([6, 4]);
  context.beginPath();
  context.moveTo(FROM.left, y(threshold));
  context.lineTo(width - FROM.right, y(threshold));
  context.stroke();
  context.setLineDash([]);
  if (chosen) {
    context.strokeStyle = style(canvas, "--ink");
    context.lineWidth = 2;
    context.beginPath();
    context.arc(x(chosen.line), y(chosen.y), 7, 0, 2 * Math.PI);
    context.stroke();
  }
  ends(context, canvas, lines.begin, lines.end, width, height);
  return { x, y };
}

function dot(context, x, y, size) {
  context.beginPath();
  context.arc(x, y, size, 0, 2 * Math.PI);
  context.fill();
}

function axis(context, canvas, marks, width) {
  context.strokeStyle = style(canvas, "--line");
  context.fillStyle = style(canvas, "--faint");
  context.lineWidth = 1;
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const [y, text] of marks) {
    context.beginPath();
    context.moveTo(FROM.left, Math.round(y) + 0.5);
    context.lineTo(width - FROM.right, Math.round(y) + 0.5);
    context.stroke();
    context.fillText(text, FROM.left - 6, Math.max(10, y));
  }
}

function ends(context, canvas, begin, end, width, height) {
  context.fillStyle = style(canvas, "--faint");
  context.textBaseline = "alphabetic";
  context.textAlign = "left";
  const most = (width - FROM.left - FROM.right) / 2 - 6;
  context.fillText(begin, FROM.left, height - 5, most);
  context.textAlign = "right";
  context.fillText(end, width - FROM.right, height - 5, most);
}
