// Labels on their way to the server, and the text in the box, both kept in the browser until the server has them.
import { post, Refusal } from "./server.js";

const OUTBOX = "earwitness.outbox";
const TYPED = "earwitness.typed";
const spare = new Map(); // where the browser keeps nothing

export function read(key, store = localStorage) {
  try {
    return JSON.parse(store.getItem(key));
  } catch {
    return spare.get(key) ?? null;
  }
}

export function write(key, value, store = localStorage) {
  spare.set(key, value);
  try {
    if (value === null) store.removeItem(key);
    else store.setItem(key, JSON.stringify(value));
  } catch { /* a private window, or no room: what is in memory has to do */ }
}

export function waiting() {
  return read(OUTBOX) ?? [];
}

export function put(label) {
  write(OUTBOX, [...waiting(), label]);
}

function drop(label) {
  write(OUTBOX, waiting().filter((one) => one.client_id !== label.client_id));
}

// Send what waits, in order; a label keeps its id, so one that is sent twice counts once.
export async function send(refused) {
  let state = null;
  for (const label of waiting()) {
    try {
      state = await post("api/labels", label);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      refused(label, error.message);
    }
    drop(label);
  }
  return state;
}

export function keepTyped(unit, text, seconds) {
  write(TYPED, { ...read(TYPED), [unit]: { text, seconds, at: Date.now() } });
}

export function typed(unit) {
  return read(TYPED)?.[unit] ?? null;
}

export function forgetTyped(unit) {
  const kept = { ...read(TYPED) };
  delete kept[unit];
  write(TYPED, kept);
}
