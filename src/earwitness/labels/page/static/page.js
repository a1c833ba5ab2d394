// The labelling page: one clip at a time, by keyboard.
import * as outbox from "./outbox.js";
import * as player from "./player.js";
import { get, post, randomId, Refusal } from "./server.js";
import { bracesMatch, clock, marked } from "./words.js";

const by = (id) => document.getElementById(id);
const settings = JSON.parse(by("settings").textContent);
const AUTHOR = "earwitness.author";
const TAB = "earwitness.tab";
const RETRY_MS = 1000;
const PRESENCE_MS = 10_000;
const IDLE_MS = 60_000;
const NO_TEXT = ["unintelligible", "not speech", "wrong audio"];
const EMPTY = "The text is empty. Write what is said, or leave the box with Esc and press 1 to 4.";

const SPAN = /@\d+\.\d\d-\d+\.\d\d$/; // the end of a span's id
let clip = null; // the clip that is shown
let verdict = null; // of the opinion that was chosen, when it has no text
let queue = null; // clips to settle, while that goes on
let beyond = false;
let busy = false;
let seconds = 0; // of work on this clip
let active = Date.now(); // when the person last did something
const tab = outbox.read(TAB, sessionStorage) ?? randomId();
outbox.write(TAB, tab, sessionStorage);

function author() {
  return by("author").value.trim();
}

function tell(text) {
  by("status").textContent = text;
}

function problem(text) {
  by("problem").textContent = text;
}

function away(text) {
  by("away").textContent = text;
  by("away").hidden = !text;
}

// Do something with the server until it succeeds; the person sees why it takes longer.
async function insist(act) {
  for (;;) {
    try {
      const result = await act();
      away("");
      return result;
    } catch (error) {
      if (error instanceof Refusal) {
        away("");
        throw error;
      }
      const kept = outbox.waiting().length ? " Your label is kept in this browser and will be sent." : "";
      away(`${error.message}${kept} Trying again …`);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

async function exclusively(act) {
  if (busy) return;
  busy = true;
  by("text").readOnly = true; // what is typed between two clips would belong to neither
  for (const button of document.querySelectorAll("main button, #done button, #settle")) button.disabled = true;
  try {
    await act();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    problem(error.message);
  } finally {
    busy = false;
    by("text").readOnly = false;
    for (const button of document.querySelectorAll("main button, #done button, #settle")) button.disabled = false;
    document.documentElement.dataset.turn = String(Number(document.documentElement.dataset.turn ?? 0) + 1);
  }
}

// Send what waits, then show the next clip.
async function proceed() {
  let refused = null;
  const state = await insist(() => outbox.send((label, why) => { refused = { label, why }; }));
  if (state) showState(state);
  if (refused) {
    await returnTo(refused);
    return;
  }
  await (queue ? settleNext() : nextClip());
  refreshEstimate();
}

// A label that the server does not take goes back into the box, with the reason.
async function returnTo({ label, why }) {
  outbox.keepTyped(label.unit, label.text ?? "", label.seconds);
  await nextClip(label.unit);
  problem(why);
}

async function nextClip(unit = clip?.unit ?? null) {
  const wanted = { author: author(), tab, unit, beyond };
  const found = await insist(() => post("api/next", wanted));
  if (!found) {
    await showEnd();
    return;
  }
  await show(found);
  refreshState();
}

async function show(found) {
  clip = found;
  verdict = null;
  const typed = outbox.typed(clip.unit);
  seconds = typed?.seconds ?? 0;
  active = Date.now();
  by("clip").hidden = false;
  by("done").hidden = true;
  by("title").textContent = `${SPAN.test(clip.clip_id) ? "Span" : "Clip"} ${clip.number}`;
  by("name").open = false;
  by("clip-id").textContent = clip.clip_id;
  const kinds = [clip.opinions.length ? "to settle" : clip.second_opinion ? "second opinion" : "", clip.language,
    clock(clip.duration_s)];
  by("kind").textContent = kinds.filter(Boolean).join(" · ");
  by("text").value = typed?.text ?? clip.text ?? clip.draft ?? "";
  by("text").lang = clip.language ?? "";
  problem("");
  showOpinions();
  if (clip.opinions.length) by("clip").focus();
  else focusText();
  loadSound(found);
}

async function loadSound(found) {
  by("no-sound").hidden = true;
  by("sound").hidden = false;
  player.unload();
  try {
    const outline = await insist(() => get(`api/units/${found.unit}`));
    if (clip !== found) return;
    player.load(`audio/${found.unit}.wav`, outline);
    player.play();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    by("no-sound").textContent = `${error.message} If the clip cannot be labelled, say “wrong audio”.`;
    by("no-sound").hidden = false;
    by("sound").hidden = true;
  }
}

function focusText() {
  const text = by("text");
  text.focus();
  text.setSelectionRange(text.value.length, text.value.length);
}

async function showEnd() {
  clip = null;
  player.unload();
  by("clip").hidden = true;
  by("done").hidden = false;
  const state = await refreshState();
  const open = state ? state.n_labels - state.n_done : 0;
  by("done-title").textContent = open ? "Nothing is left for you right now" : "The plan is done";
  by("done-text").textContent = beyond ? "Every clip has a label."
    : open ? `Others are at work on the last ${open} of ${state.n_labels} ${state.units}.`
      : `${state?.n_done ?? "All"} ${state?.units ?? "clips"} have labels. More labels make the estimate narrower. Ctrl-C in the terminal ends the page.`;
  by("beyond").hidden = beyond;
  by("done").focus();
}

function save(said) {
  if (!clip || busy) return;
  const text = by("text").value.trim();
  const mine = said ?? verdict ?? "text";
  if (mine === "text" && !text) return problem(EMPTY);
  if (!NO_TEXT.includes(mine) && !bracesMatch(text)) {
    return problem("The braces of {a / b} do not match: one is missing or too many. Correct the text.");
  }
  if (!author()) return problem("Write your name first: each label says who made it.");
  work();
  outbox.put({
    client_id: randomId(), unit: clip.unit, author: author(), tab, verdict: mine,
    text: NO_TEXT.includes(mine) || !text ? null : text, seconds, draft: clip.draft, draft_source: clip.draft_source,
    second_opinion: clip.second_opinion, adjudication: clip.opinions.length > 0,
  });
  outbox.forgetTyped(clip.unit);
  clip = null;
  player.unload();
  problem("");
  tell("Saving …");
  return exclusively(async () => {
    await proceed();
    tell(`Saved: ${mine === "text" ? "text" : mine}.`);
  });
}

function undo() {
  if (busy) return;
  return exclusively(async () => {
    const request = { client_id: randomId(), author: author(), tab };
    const found = await insist(() => post("api/undo", request));
    outbox.forgetTyped(found.unit);
    if (queue && clip) queue.unshift(clip);
    await show(found);
    await refreshState();
    refreshEstimate();
    tell("The last label is taken back. Here is its clip again.");
  });
}

// Clips on which two people differ.
function showOpinions() {
  const shown = clip?.opinions ?? [];
  by("opinions").hidden = !shown.length;
  by("asks").textContent = shown.length ? "What is said? Choose above, or write it" : "What is said?";
  by("choices").replaceChildren(...shown.map((one, place) => {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-pressed", "false");
    const letter = String.fromCharCode(65 + place);
    const name = document.createElement("small");
    name.append(`Label ${letter} `, key(letter));
    button.append(name);
    if (one.text) {
      const other = shown[place ? 0 : 1]?.text ?? "";
      for (const [word, both] of marked(one.text, other)) {
        const part = document.createElement(both ? "span" : "mark");
        part.textContent = word;
        button.append(part, " ");
      }
    } else {
      button.append(one.verdict);
    }
    button.addEventListener("click", () => choose(place));
    return button;
  }));
}

function key(name) {
  const shown = document.createElement("kbd");
  shown.textContent = name;
  return shown;
}

function choose(place) {
  const one = clip?.opinions[place];
  if (!one) return;
  by("text").value = one.text;
  verdict = one.verdict === "text" ? null : one.verdict;
  [...by("choices").children].forEach((button, n) => button.setAttribute("aria-pressed", String(n === place)));
  tell(`Label ${String.fromCharCode(65 + place)} is chosen: ${one.text || one.verdict}. Ctrl Enter saves it.`);
}

async function settleNext() {
  const found = queue.shift();
  if (found) {
    await show(found);
    return;
  }
  queue = null;
  tell("No differences are left.");
  await nextClip();
}

function settle() {
  return exclusively(async () => {
    queue = await insist(() => get("api/disagreements"));
    if (clip) outbox.keepTyped(clip.unit, by("text").value, seconds);
    await settleNext();
  });
}

// How far it is.
function showState(state) {
  by("count").textContent = `${state.n_done} of ${state.n_labels}`;
  by("units").textContent = state.units;
  by("progress").max = Math.max(1, state.n_labels);
  by("progress").value = state.n_done;
  by("progress").textContent = by("count").textContent;
  by("left").textContent = state.left;
  by("others").textContent = state.n_others ? `${state.n_others} with others now` : "";
  by("box").textContent = state.box;
  by("settle").hidden = !state.n_different || queue !== null;
  by("settle").textContent = `Settle ${state.n_different} ${state.n_different === 1 ? "difference" : "differences"}`;
  document.title = `${state.n_done} of ${state.n_labels} – Earwitness`;
}

async function refreshState() {
  try {
    const state = await post("api/state", { author: author(), tab, unit: clip?.unit ?? null });
    showState(state);
    if (!busy) away("");
    return state;
  } catch (error) {
    if (!busy) away(`${error.message} What you type is kept in this browser. Trying again …`);
    return null;
  }
}

async function refreshEstimate() {
  try {
    const lines = await get("api/estimate");
    by("result").hidden = !lines.length;
    by("estimate").replaceChildren(...lines.map((line) => {
      const item = document.createElement("li");
      item.textContent = line;
      return item;
    }));
  } catch { /* it comes with the next label */ }
}

// Seconds of work: while the page is seen and somebody does something.
let last = Date.now();
function work() {
  const now = Date.now();
  const works = document.visibilityState === "visible" && now - active < IDLE_MS;
  if (works) seconds += Math.min(now - last, 2000) / 1000;
  last = now;
}
setInterval(work, 500);
for (const name of ["keydown", "pointerdown", "input"]) addEventListener(name, () => { active = Date.now(); }, true);
by("audio").addEventListener("timeupdate", () => { active = Date.now(); });

// Keys. In the box only those that type nothing; elsewhere single letters, while the clip has the focus.
const ANYWHERE = { Enter: (event) => (event.ctrlKey || event.metaKey) && (() => save()) };
const IN_BOX = {
  Tab: (event) => (event.shiftKey ? () => player.move(-2) : player.toggle),
  Escape: () => () => by("clip").focus(),
  ArrowUp: (event) => event.altKey && (() => player.speed(1)),
  ArrowDown: (event) => event.altKey && (() => player.speed(-1)),
};
const OUTSIDE = {
  " ": player.toggle, k: player.toggle, j: () => player.move(-2), l: () => player.move(2), ArrowLeft: () => player.move(-2),
  ArrowRight: () => player.move(2), "-": () => player.speed(-1), "+": () => player.speed(1), "=": () => player.speed(1),
  1: () => save("unintelligible"), 2: () => save("not speech"), 3: () => save("wrong audio"),
  4: () => save("several speakers"), u: undo, a: () => choose(0), b: () => choose(1), c: () => choose(2), Enter: focusText,
  "?": () => { by("help").open = !by("help").open; },
};

function action(event) {
  if (event.isComposing || event.keyCode === 229) return null; // a key of an input method
  const focus = document.activeElement;
  const common = ANYWHERE[event.key]?.(event);
  if (common) return common;
  if (focus === by("text")) return IN_BOX[event.key]?.(event) || null;
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  const free = focus === document.body || by("clip").contains(focus);
  // A button that has the focus keeps its own keys.
  if (!free || (focus.matches("button") && [" ", "Enter"].includes(event.key))) return null;
  return OUTSIDE[event.key.length === 1 ? event.key.toLowerCase() : event.key] ?? null;
}

addEventListener("keydown", (event) => {
  const act = action(event);
  if (!act) return;
  event.preventDefault();
  act();
});

by("text").addEventListener("input", () => {
  problem("");
  verdict = null;
  if (clip) outbox.keepTyped(clip.unit, by("text").value, seconds);
});
by("play").addEventListener("click", player.toggle);
by("back").addEventListener("click", () => player.move(-2));
by("slower").addEventListener("click", () => player.speed(-1));
by("faster").addEventListener("click", () => player.speed(1));
by("save").addEventListener("click", () => save());
by("undo").addEventListener("click", undo);
by("settle").addEventListener("click", settle);
by("verdicts").addEventListener("click", (event) => {
  const button = event.target.closest("[data-verdict]");
  if (button) save(button.dataset.verdict);
});
by("again").addEventListener("click", () => exclusively(proceed));
by("beyond").addEventListener("click", () => {
  beyond = true;
  exclusively(proceed);
});
by("author").addEventListener("change", () => {
  outbox.write(AUTHOR, author() || null);
  if (author()) exclusively(proceed);
});
by("author").addEventListener("keydown", (event) => {
  if (event.key === "Enter" || event.key === "Escape") by("clip").focus();
});
setInterval(() => refreshState().then(refreshEstimate), PRESENCE_MS);

// The token is in the cookie by now, and need not stay in the address.
history.replaceState(null, "", location.pathname);
by("dataset").textContent = settings.dataset;
by("author").value = outbox.read(AUTHOR) ?? settings.author;
if (/Mac|iPhone|iPad/.test(navigator.platform)) by("save-key").textContent = "⌘ Enter";
exclusively(proceed);
