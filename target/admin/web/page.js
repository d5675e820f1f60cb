
"use strict";
// Everything that the array tells is put into the page as text (textContent), never as HTML:
// names of initiators, targets and files are what others chose.
const id = name => document.getElementById(name);
const eventsKept = 500, pollMilliseconds = 1000;

// ---- words
const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
function bytes(n) {
  if (n === null || n === undefined) return "";
  let unit = 0;
  while (n >= 1024 && unit < units.length - 1) { n /= 1024; ++unit; }
  return `${unit === 0 || Number.isInteger(n) || n >= 100 ? Math.round(n) : n.toFixed(1)} ${units[unit]}`;
}
const rate = n => n === null || n === undefined ? "" : bytes(n) + "/s";
function time(seconds) {
  if (seconds === null || seconds === undefined) return "";
  const s = Math.round(seconds), two = n => String(n).padStart(2, "0");
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${two(s % 60)} s`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${two(Math.floor(s / 60) % 60)} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor(s / 3600) % 24} h`;
}
const unitName = of => of.lun === null || of.lun === undefined ? "a removed LUN" : `LUN ${of.lun}`;
const countOf = n => n.toLocaleString("en-US");

// ---- tables
function element(name, attributes = {}, text) {
  const out = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) out.setAttribute(key, value);
  if (text !== undefined) out.textContent = text;
  return out;
}
function setText(node, text) { if (node.textContent !== text) node.textContent = text; }
// A bar with what it says above it.
function bar(cell, text, value, kind) {
  if (!cell.lastElementChild) cell.append(element("div"));
  const box = cell.lastElementChild;
  if (!box.firstChild) box.append(element("span"), element("progress", { max: 1 }));
  const [span, progress] = box.children;
  setText(span, text);
  progress.hidden = value === null;
  progress.className = kind || "";
  progress.setAttribute("aria-label", text);
  if (value !== null) progress.value = value;
}
// A table that follows its rows: one <tr> for each key, moved and rewritten only where it changed.
class Table {
  constructor(where, rowsShown, caption, empty, key, columns) {
    Object.assign(this, { where: id(where), rowsShown, empty, key, columns, all: false, lines: new Map() });
    this.table = element("table", { role: "table" });
    this.table.append(element("caption", { class: "hidden" }, caption));
    const head = element("tr", { role: "row" });
    for (const column of columns) head.append(element("th", { scope: "col", role: "columnheader", class: column.class || "" }, column.title));
    const thead = element("thead", { role: "rowgroup" });
    thead.append(head);
    this.body = element("tbody", { role: "rowgroup" });
    this.table.append(thead, this.body);
    this.note = element("p", { class: "empty" }, empty);
    this.more = element("button", { type: "button" });
    this.more.addEventListener("click", () => { this.all = true; this.show(this.rows); });
    this.where.append(this.table, this.note, this.more);
    this.show([]);
  }
  line(row) {
    const tr = element("tr", { role: "row" });
    for (const column of this.columns) tr.append(element("td", { role: "cell", class: column.class || "", "data-label": column.title }));
    this.write(tr, row);
    return tr;
  }
  write(tr, row) {
    tr.classList.toggle("past", Boolean(row.past));
    this.columns.forEach((column, i) => {
      const cell = tr.children[i];
      if (column.draw) return column.draw(cell, row);
      const text = column.text(row);
      setText(cell, text);
      cell.classList.toggle("blank", text === "");
    });
  }
  show(rows) {
    this.rows = rows;
    const shown = this.all ? rows : rows.slice(0, this.rowsShown), before = this.lines;
    this.lines = new Map();
    shown.forEach((row, i) => {
      const key = this.key(row);
      let tr = before.get(key);
      if (tr) this.write(tr, row); else tr = this.line(row);
      before.delete(key);
      this.lines.set(key, tr);
      if (this.body.children[i] !== tr) this.body.insertBefore(tr, this.body.children[i] || null);
    });
    for (const gone of before.values()) gone.remove();
    this.table.hidden = rows.length === 0;
    this.note.hidden = rows.length !== 0;
    this.more.hidden = shown.length === rows.length;
    setText(this.more, `Show all ${countOf(rows.length)}`);
  }
}
const place = row => `${row.target || ""}`;
const copies = new Table("t-copies", 20, "Copies that run, then those that ended last", "No copy runs, and none has ended lately.", o => o.number, [
  { title: "Copy", class: "short", text: o => String(o.number) },
  { title: "Command", class: "short", text: o => o.command },
  { title: "From", text: o => o.uses.map(unitName).join(", ") },
  { title: "To", class: "short", text: unitName },
  { title: "Progress", draw: (cell, o) => bar(cell, o.past ? o.state : o.percent === null ? "running" : `${Math.floor(o.percent)} %`,
                                             o.past || o.percent === null ? null : o.percent / 100) },
  { title: "Done", class: "short", text: o => o.bytes_asked === null ? bytes(o.bytes_done) : `${bytes(o.bytes_done)} of ${bytes(o.bytes_asked)}` },
  { title: "Rate", class: "number", text: o => rate(o.bytes_per_second) },
  { title: "Left", class: "number", text: o => o.past || !o.bytes_per_second || o.bytes_asked === null ? "" : time((o.bytes_asked - o.bytes_done) / o.bytes_per_second) },
  { title: "Initiator", text: o => o.initiator || "" },
]);
const tokens = new Table("t-tokens", 10, "Live ROD tokens, those that end first at the top", "No token is alive.", t => t.hash + t.identifier, [
  { title: "Token", class: "short mono", text: t => t.hash },
  { title: "Time left", draw: (cell, t) => {
    const left = t.inactivity_left_seconds, whole = t.inactivity_timeout_seconds;
    const part = left === null || !whole ? null : Math.min(1, left / whole);
    bar(cell, left === null ? (t.uses_running ? "in use" : "no limit") : time(left), part, part !== null && part < 0.2 ? "timer late" : "timer");
  } },
  { title: "Of", text: unitName },
  { title: "Target", text: place },
  { title: "Stands for", class: "number", text: t => bytes(t.bytes) },
  { title: "Old data kept", class: "number", text: t => t.side_bytes ? bytes(t.side_bytes) : "" },
  { title: "Uses", class: "number", text: t => countOf(t.uses) },
  { title: "Made by", text: t => t.initiator || "" },
]);
const luns = new Table("t-luns", 50, "Logical units", "There is no such LUN.", l => `${l.target} ${l.lun}`, [
  { title: "LUN", class: "number", text: l => String(l.lun) },
  { title: "Target", text: place },
  { title: "Size", class: "number", text: l => bytes(l.size_bytes) },
  { title: "Read", class: "number", text: l => rate(l.readRate) },
  { title: "Written", class: "number", text: l => rate(l.writtenRate) },
  { title: "Points in time", class: "number", text: l => l.snapshots_live ? countOf(l.snapshots_live) : "" },
  { title: "Old data kept", class: "number", text: l => l.side_bytes_in_use ? bytes(l.side_bytes_in_use) : "" },
  { title: "Backing", text: l => l.backing + (l.readOnly ? " (read-only)" : "") },
]);
const sessions = new Table("t-sessions", 20, "iSCSI sessions", "No initiator is logged in.", s => `${s.tsih} ${s.isid}`, [
  { title: "Initiator", text: s => s.initiator },
  { title: "Target", text: s => s.target || "(discovery)" },
  { title: "From", class: "short", text: s => s.peer },
  { title: "Session", class: "number", text: s => String(s.tsih) },
  { title: "For", class: "number", text: s => time(s.age_seconds) },
]);
const events = new Table("t-events", 25, "Events, the newest at the top", "Nothing has happened yet.", e => e.number, [
  { title: "Time", class: "short", text: e => { const at = new Date(e.time); return isNaN(at) ? e.time : at.toLocaleTimeString("en-GB"); } },
  { title: "Level", draw: (cell, e) => { setText(cell, e.level); cell.className = "short " + (["warning", "error"].includes(e.level) ? e.level : ""); } },
  { title: "Event", class: "short", text: e => e.event || "" },
  { title: "What", text: e => e.message },
]);

// ---- the plot
const series = [
  { name: "offloaded", label: "offloaded copies", field: "bytes_offloaded" },
  { name: "read", label: "read by hosts", field: "bytes_read" },
  { name: "written", label: "written by hosts", field: "bytes_written" },
];
const svgName = "http://www.w3.org/2000/svg";
function shape(name, attributes, text) {
  const out = document.createElementNS(svgName, name);
  for (const [key, value] of Object.entries(attributes)) out.setAttribute(key, value);
  if (text !== undefined) out.textContent = text;
  return out;
}
for (const each of series) {
  const row = element("tr"), head = element("th", { scope: "row" });
  const sign = shape("svg", { viewBox: "0 0 24 10", "aria-hidden": "true" });
  sign.append(shape("line", { x1: 0, x2: 24, y1: 5, y2: 5, class: "series " + each.name }));
  head.append(sign, each.label);
  row.append(head, element("td"), element("td"), element("td"));
  id("figures").tBodies[0].append(row);
  each.cells = [...row.cells].slice(1);
}
const history = { samples: [], last: 0, points: [], cursor: null, window: 120 };
function takeSamples(page) {
  if (page.last < history.last) history.samples = [];  // the daemon was started anew
  history.samples.push(...page.samples);
  history.samples.splice(0, Math.max(0, history.samples.length - 600));
  history.last = page.last;
}
// Rates between neighbours; what fell, as when a LUN went, is no rate.
function ratesOf(samples) {
  const out = [];
  for (let i = 1; i < samples.length; ++i) {
    const a = samples[i - 1], b = samples[i], seconds = b.running_for_seconds - a.running_for_seconds;
    if (seconds <= 0) continue;
    const point = { at: b.running_for_seconds, commands: Math.max(0, b.commands - a.commands) / seconds };
    for (const each of series) point[each.name] = Math.max(0, b[each.field] - a[each.field]) / seconds;
    out.push(point);
  }
  return out;
}
// The next round number of bytes: 1, 2, 4 ... 512 of a unit.
function roundUp(n) { return Math.max(1024, 2 ** Math.ceil(Math.log2(Math.max(1, n)))); }
const margin = { left: 68, right: 12, top: 10, bottom: 22 };
function draw() {
  const all = ratesOf(history.samples), end = all.length ? all[all.length - 1].at : 0;
  const points = history.points = all.filter(p => p.at > end - history.window);
  for (const each of series) {
    const values = points.map(p => p[each.name]);
    const mean = values.reduce((sum, v) => sum + v, 0) / Math.max(1, values.length);
    const figures = [values.length ? values[values.length - 1] : 0, mean, Math.max(0, ...values)];
    each.cells.forEach((cell, i) => setText(cell, rate(figures[i])));
  }
  setText(id("n-commands"), points.length ? countOf(Math.round(points[points.length - 1].commands)) : "-");
  const svg = id("plot"), width = svg.clientWidth, height = svg.clientHeight;
  if (width === 0) return;
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const top = roundUp(Math.max(0, ...points.flatMap(p => series.map(each => p[each.name]))));
  const x = at => margin.left + (width - margin.left - margin.right) * (1 - (end - at) / history.window);
  const y = value => height - margin.bottom - (height - margin.top - margin.bottom) * value / top;
  const parts = [];
  for (let i = 0; i <= 4; ++i) {
    const at = y(top * i / 4);
    parts.push(shape("line", { x1: margin.left, x2: width - margin.right, y1: at, y2: at, class: "grid" }),
               shape("text", { x: margin.left - 8, y: at + 4, "text-anchor": "end" }, rate(top * i / 4)));
  }
  for (let i = 0; i <= 4; ++i) {
    const ago = history.window * (4 - i) / 4;
    const words = ago === 0 ? "now" : ago % 60 === 0 ? `-${ago / 60} min` : `-${ago} s`;
    parts.push(shape("text", { x: x(end - ago), y: height - 5, "text-anchor": i === 4 ? "end" : i === 0 ? "start" : "middle" }, words));
  }
  for (const each of series.slice().reverse()) {
    if (points.length < 2) break;
    const line = points.map(p => `${x(p.at).toFixed(1)} ${y(p[each.name]).toFixed(1)}`).join("L");
    if (each.name === "offloaded") parts.push(shape("path", { class: "area", d: `M${x(points[0].at).toFixed(1)} ${y(0)}L${line}L${x(end).toFixed(1)} ${y(0)}Z` }));
    parts.push(shape("path", { class: "series " + each.name, d: "M" + line }));
  }
  const chosen = history.cursor === null ? null : points.reduce((best, p) => !best || Math.abs(p.at - history.cursor) < Math.abs(best.at - history.cursor) ? p : best, null);
  if (chosen) parts.push(shape("line", { class: "cursor", x1: x(chosen.at), x2: x(chosen.at), y1: margin.top, y2: height - margin.bottom }));
  svg.replaceChildren(...parts);
  setText(id("readout"), chosen ? `${time(end - chosen.at)} ago: ` + series.map(each => `${rate(chosen[each.name])} ${each.label}`).join(", ") : "");
}
const plot = id("plot");
plot.addEventListener("pointermove", event => {
  const part = (event.offsetX - margin.left) / Math.max(1, plot.clientWidth - margin.left - margin.right);
  const last = history.points[history.points.length - 1];
  if (last) { history.cursor = last.at - history.window * (1 - part); draw(); }
});
for (const name of ["pointerleave", "blur"]) plot.addEventListener(name, () => { history.cursor = null; draw(); });
plot.addEventListener("keydown", event => {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key], points = history.points;
  if (!step || points.length === 0) return;
  event.preventDefault();
  const now = history.cursor === null ? points.length - 1 : points.findIndex(p => p.at >= history.cursor);
  history.cursor = points[Math.min(points.length - 1, Math.max(0, (now < 0 ? points.length - 1 : now) + step))].at;
  draw();
});
id("window").addEventListener("change", event => { history.window = Number(event.target.value); draw(); });
new ResizeObserver(draw).observe(plot);

// ---- asking
async function get(path) {
  const answer = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(10000) });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}
const known = { stats: new Map(), statsAt: 0, backing: new Map(), units: [], event: null, events: [], warnings: 0 };
async function askHistory() { takeSamples(await get(`/v1/history?after=${history.last}`)); draw(); }
async function askCopies() {
  const running = await get("/v1/copy-operations?running=1&limit=200");
  const recent = await get("/v1/copy-operations?limit=12");
  const runs = new Set(running.copy_operations.map(o => o.number));
  const past = recent.copy_operations.filter(o => !runs.has(o.number)).reverse().slice(0, 6);
  for (const each of past) each.past = each.state !== "running";  // it may have begun between the two answers
  setText(id("n-copies"), countOf(running.total));
  copies.show([...running.copy_operations, ...past]);
}
async function askTokens() {
  const page = await get("/v1/tokens?sort=left&limit=500");
  setText(id("n-tokens"), countOf(page.total));
  tokens.show(page.tokens);
}
async function askEvents() {
  if (known.event === null) known.event = Math.max(0, (await get(`/v1/events?after=${2 ** 53}`)).last - 100);
  const page = await get(`/v1/events?after=${known.event}`);
  if (page.last < known.event) Object.assign(known, { events: [], warnings: 0 });
  for (const each of page.events) {
    known.events.unshift(each);
    if (each.level === "warning" || each.level === "error") ++known.warnings;
  }
  known.event = page.events.length ? page.events[page.events.length - 1].number : Math.min(known.event, page.last);
  known.events.length = Math.min(known.events.length, eventsKept);
  setText(id("n-warnings"), countOf(known.warnings));
  events.show(known.events);
}
async function askUnits() {
  const page = await get("/v1/stats"), now = performance.now(), seconds = (now - known.statsAt) / 1000;
  const before = known.stats;
  known.stats = new Map();
  for (const unit of page.luns) {
    const key = `${unit.target} ${unit.lun}`, old = before.get(key), words = known.backing.get(key);
    if (old && seconds > 0) {
      unit.readRate = Math.max(0, unit.bytes_read - old.bytes_read) / seconds;
      unit.writtenRate = Math.max(0, unit.bytes_written - old.bytes_written) / seconds;
    }
    Object.assign(unit, { backing: words ? words.backing : "", readOnly: Boolean(words && words.read_only) });
    known.stats.set(key, unit);
  }
  known.statsAt = now;
  known.units = page.luns;
  setText(id("n-luns"), countOf(page.luns.length));
  showUnits();
}
function showUnits() {
  const wanted = id("find").value.toLowerCase();
  luns.show(known.units.filter(l => `${l.target} lun ${l.lun} ${l.backing}`.toLowerCase().includes(wanted)));
}
id("find").addEventListener("input", showUnits);
async function askBackings() {
  known.backing = new Map((await get("/v1/luns")).luns.map(l => [`${l.target} ${l.lun}`, l]));
}
async function askSessions() {
  const page = await get("/v1/sessions");
  setText(id("n-sessions"), countOf(page.sessions.length));
  sessions.show(page.sessions);
}
let turn = 0, answered = null;
function tell(state, text) { id("status").dataset.state = state; setText(id("status"), text); }
async function poll() {
  try {
    if (turn % 10 === 0) await askBackings();
    const asked = [askHistory(), askCopies(), askTokens(), askEvents()];
    if (turn % 2 === 0) asked.push(askUnits(), askSessions());
    await Promise.all(asked);
    ++turn;
    answered = Date.now();
    const last = history.samples[history.samples.length - 1];
    tell("good", last ? `running for ${time(last.running_for_seconds)}` : "running");
  } catch (error) {
    tell("bad", answered === null ? "the daemon does not answer" : `no answer for ${time((Date.now() - answered) / 1000)}`);
    console.debug(String(error));
  }
  setTimeout(poll, document.hidden ? 5 * pollMilliseconds : pollMilliseconds);
}
setText(id("where"), location.host);
poll();
