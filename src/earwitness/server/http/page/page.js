"use strict";

const MEASURES = {
  wer: ["WER", share], rtf: ["RTF", number], latency_p50_s: ["p50 of a clip", seconds],
  latency_p95_s: ["p95 of a clip", seconds], first_text_s: ["first text", seconds],
  empty_share: ["empty texts", share], loop_share: ["texts that loop", share], failed_share: ["failed", share],
};
const MOST_COLUMNS = 2;
const LOOK_MS = 2000;
const by = (id) => document.getElementById(id);
const columns = [];
let models = [];
let recorder = null;
let working = 0;

function number(value) { return value.toPrecision(3); }
function workers(count) { return `${count} worker${count === 1 ? "" : "s"}`; }
function seconds(value) { return `${value.toPrecision(3)} s`; }
function share(value) { return `${(100 * value).toFixed(1)} %`; }

function clock(value) {
  const minutes = Math.floor(value / 60);
  return `${minutes}:${(value - 60 * minutes).toFixed(2).padStart(5, "0")}`;
}

function told(message) { by("message").textContent = message; }

function headers() {
  const key = by("key").value;
  return key ? { Authorization: `Bearer ${key}` } : {};
}

function element(name, text, kind) {
  const made = document.createElement(name);
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

async function look() {
  try {
    const answer = await fetch("state", { headers: headers() });
    by("asks-key").hidden = !(answer.status === 401 || by("key").value);
    if (answer.status === 401) {
      by("state").textContent = "The server asks for a key.";
    } else if (answer.ok) {
      show(await answer.json());
    }
  } catch {
    by("state").textContent = "The server does not answer.";
  }
  setTimeout(look, LOOK_MS);
}

function show(state) {
  models = state.models;
  const sum = (name) => models.reduce((total, model) => total + model[name], 0);
  by("state").textContent =
    `${state.ready ? "Ready" : "Not ready"}. ${workers(sum("workers_ready"))}, ` +
    `${sum("in_flight")} at work, ${sum("waiting")} waiting.`;
  while (columns.length < Math.min(MOST_COLUMNS, models.length)) addColumn(models[columns.length].id);
  columns.forEach(showColumn);
  by("asks-english").hidden = !models.some((model) => model.translates);
}

function addColumn(model) {
  const root = by("column").content.cloneNode(true).firstElementChild;
  const column = { root, select: root.querySelector("select"), wanted: model, sent: null };
  column.select.addEventListener("change", () => { column.wanted = column.select.value; showColumn(column); });
  columns.push(column);
  by("models").append(root);
}

function showColumn(column) {
  const ids = models.map((model) => model.id);
  if (!ids.includes(column.wanted)) column.wanted = ids[0];
  if ([...column.select.options].map((option) => option.value).join() !== ids.join()) {
    column.select.replaceChildren(...ids.map((id) => new Option(id, id)));
  }
  column.select.value = column.wanted;
  const model = models.find((one) => one.id === column.wanted);
  const about = [model.status && `${model.status}, grade ${model.grade}`, model.device,
    model.loaded ? `${model.workers_ready} of ${workers(model.workers)}` : "is loaded when it is asked",
    model.streaming && (model.streaming === "segments" ? "text as it is decoded" : "text at once")];
  column.root.querySelector(".about").textContent = about.filter(Boolean).join("; ");
  const rows = Object.entries(MEASURES)
    .filter(([name]) => name in model.promise || name in model.live)
    .map(([name, [label, unit]]) => {
      const row = element("tr", "", model.drift.includes(name) ? "drift" : "");
      const cell = (values) => element("td", name in values ? unit(values[name]) : "");
      row.append(element("td", label), cell(model.promise), cell(model.live));
      return row;
    });
  column.root.querySelector("tbody").replaceChildren(...rows);
  column.root.querySelector("table").hidden = rows.length === 0;
}

function send(blob, name) {
  told("");
  const player = by("player");
  if (player.src) URL.revokeObjectURL(player.src);
  player.src = URL.createObjectURL(blob);
  player.hidden = false;
  columns.forEach((column) => transcribe(column, blob, name));
}

async function transcribe(column, blob, name) {
  if (column.sent) column.sent.abort();
  const sent = column.sent = new AbortController();
  const list = column.root.querySelector(".text");
  const took = column.root.querySelector(".took");
  list.replaceChildren();
  took.textContent = "Listening …";
  const form = new FormData();
  form.append("model", column.wanted);
  form.append("response_format", "verbose_json");
  form.append("stream", "true");
  if (by("language").value) form.append("language", by("language").value);
  form.append("file", blob, name);
  const started = performance.now();
  document.body.dataset.working = String(++working);
  try {
    const answer = await fetch(`v1/audio/${by("english").checked ? "translations" : "transcriptions"}`,
      { method: "POST", body: form, headers: headers(), signal: sent.signal });
    if (!answer.ok) throw new Error((await answer.json()).error.message);
    let whole = null;
    for await (const event of events(answer.body)) {
      if (event.error) throw new Error(event.error.message);
      if (event.type === "transcript.text.delta") list.append(line(event));
      if (event.type === "transcript.text.done") whole = event;
    }
    if (!whole) throw new Error("The answer broke off.");
    if (whole.segments?.length) list.replaceChildren(...whole.segments.map(line));
    const wall = (performance.now() - started) / 1000;
    took.textContent = whole.text === "" ? "No words were heard. " : "";
    took.textContent += `${seconds(wall)} for ${seconds(whole.duration)} of audio.`;
  } catch (error) {
    if (error.name !== "AbortError") took.textContent = error.message;
  } finally {
    document.body.dataset.working = String(--working);
  }
}

async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let kept = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const parts = (kept + value).split("\n\n");
    kept = parts.pop();
    for (const part of parts) yield JSON.parse(part.replace(/^data: /, ""));
  }
}

function line(segment) {
  const row = document.createElement("li");
  const time = element("button", `${clock(segment.start)} – ${clock(segment.end)}`);
  time.type = "button";
  time.addEventListener("click", () => { by("player").currentTime = segment.start; by("player").play(); });
  row.append(time, element("span", (segment.text ?? segment.delta).trim()));
  return row;
}

async function record() {
  if (recorder) {
    recorder.stop();
    return;
  }
  let sound;
  try {
    sound = await navigator.mediaDevices.getUserMedia({ audio: true });
  } catch (error) {
    told(`There is no microphone to be had: ${error.message}`);
    return;
  }
  const parts = [];
  recorder = new MediaRecorder(sound);
  recorder.addEventListener("dataavailable", (event) => parts.push(event.data));
  recorder.addEventListener("stop", () => {
    sound.getTracks().forEach((track) => track.stop());
    by("record").textContent = "Speak";
    by("record").classList.remove("on");
    send(new Blob(parts, { type: recorder.mimeType }), "speech.webm");
    recorder = null;
  });
  recorder.start();
  by("record").textContent = "Stop";
  by("record").classList.add("on");
}

const drop = by("drop");
drop.addEventListener("submit", (event) => event.preventDefault());
drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
drop.addEventListener("dragleave", () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  const file = event.dataTransfer.files[0];
  if (file) send(file, file.name);
});
by("file").addEventListener("change", (event) => {
  const file = event.target.files[0];
  if (file) send(file, file.name);
  event.target.value = "";
});
by("record").addEventListener("click", record);
look();
