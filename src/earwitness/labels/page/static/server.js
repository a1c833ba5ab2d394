// Requests to the server. A refusal has a sentence for the person; anything else means that the server is away.
export class Refusal extends Error {}

export class Away extends Error {}

const PATIENCE_MS = 20_000;

async function ask(path, options) {
  let answer;
  try {
    answer = await fetch(path, { ...options, signal: AbortSignal.timeout(PATIENCE_MS) });
  } catch {
    throw new Away("The server does not answer.");
  }
  if (answer.ok) {
    try {
      return await answer.json();
    } catch {
      throw new Away("The answer of the server broke off.");
    }
  }
  const text = await answer.text().catch(() => "");
  let sentence = text.trim();
  try {
    sentence = JSON.parse(text).error;
  } catch { /* it is a plain sentence */ }
  // 400, 409 and 422 are about what was sent; a full disk, a lost token or a bug may pass.
  if ([400, 409, 422].includes(answer.status)) throw new Refusal(sentence);
  throw new Away(sentence || `The server answers with status ${answer.status}.`);
}

export function get(path) {
  return ask(path, {});
}

export function post(path, body) {
  return ask(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
}

export function randomId() {
  // Not randomUUID: browsers lack it on plain addresses other than this machine's own.
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
