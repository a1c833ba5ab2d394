// Data in the page: read once, texts only when they are seen. The layout is that of report/clipdata.py.
const byId = (id) => document.getElementById(id);
const facts = JSON.parse(byId("facts").textContent);

// Everything that came from a record enters the page as a text node or an attribute's value, never as markup.
function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

function bytesOf(id) {
  const text = byId(id).textContent;
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let n = 0; n < binary.length; n++) bytes[n] = binary.charCodeAt(n);
  return bytes;
}

function unpacked(id) {
  const stream = new Blob([bytesOf(id)]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).json();
}

class Clips {
  constructor(number) {
    this.number = number;
    this.about = facts.datasets[number];
    this.labels = this.about.labels;
    this.loaded = [];
    this.asked = [];
    this.haystacks = [];
  }

  async open() {
    if (!this.index) this.index = await unpacked(`index-${this.number}`);
    return this;
  }

  get n() {
    return this.index.ids.length;
  }

  piece(k) {
    this.asked[k] ??= unpacked(`texts-${this.number}-${k}`).then((rows) => (this.loaded[k] = rows));
    return this.asked[k];
  }

  async text(i) {
    return (await this.piece(Math.floor(i / facts.chunk)))[i % facts.chunk];
  }

  // The text if it has been read already; else null, and it is read.
  here(i) {
    const rows = this.loaded[Math.floor(i / facts.chunk)];
    return rows ? rows[i % facts.chunk] : null;
  }

  // Everything of a clip that can be searched, in lower case; its piece must have been read.
  haystack(i) {
    if (this.haystacks[i] === undefined) {
      const text = this.here(i);
      const heard = text.heard.flatMap((one) => (one ? [one.text, one.words ?? ""] : []));
      const all = [this.index.ids[i], text.ref ?? "", text.said ?? "", ...Object.values(text.tags), ...heard];
      this.haystacks[i] = all.join("\n").toLowerCase();
    }
    return this.haystacks[i];
  }

  flags(i, model) {
    const bits = this.index.flags[model][i];
    return this.index.kinds.filter((_, bit) => bits & (1 << bit));
  }

  rate(i, model) {
    const errors = this.index.errors[model][i];
    return errors === null || !this.index.length[i] ? null : errors / this.index.length[i];
  }
}

const split = (text) => (text ? text.split(" ") : []);
const saidWords = (text, heard) => split((heard && heard.said) ?? text.said ?? text.ref ?? "");
const heardWords = (heard) => split(heard.words ?? heard.text);

// A transcript as steps: what happened, the word said, the word heard, and their numbers.
function steps(text, heard) {
  const got = heardWords(heard);
  if (heard.ops === undefined) return got.map((word, n) => ({ kind: "=", heard: word, at: n }));
  const said = saidWords(text, heard);
  const found = [];
  let s = 0, h = 0;
  for (const [, size, kind] of heard.ops.matchAll(/(\d+)([=rdi])/g)) {
    for (let n = 0; n < +size; n++) {
      found.push({
        kind,
        said: kind === "i" ? null : said[s],
        heard: kind === "d" ? null : got[h],
        at: h,
        of: s,
      });
      s += kind !== "i";
      h += kind !== "d";
    }
  }
  return found;
}

// Seconds at which a heard word begins: on the straight line between the two anchors around it.
function timeOf(heard, word) {
  const at = heard.at;
  if (!at || !at.length) return null;
  let low = 0, high = at.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (at[middle][0] <= word) low = middle;
    else high = middle - 1;
  }
  const [word0, time0] = at[low];
  if (low === at.length - 1) return time0;
  const [word1, time1] = at[low + 1];
  return time0 + ((time1 - time0) * (word - word0)) / Math.max(1, word1 - word0);
}

// Seconds at which the words of the reference are said, by the model that heard them best; none where no model has times.
function saidTimes(text) {
  const wrong = (heard) => heard.edits[1] + heard.edits[2] + heard.edits[3];
  const timed = text.heard.filter((one) => one && one.at && one.ops !== undefined && one.said === undefined);
  const guide = timed.sort((a, b) => wrong(a) - wrong(b))[0];
  if (!guide) return [];
  return steps(text, guide).filter((step) => step.kind !== "i").map((step) => timeOf(guide, step.at));
}

const percent = (ratio) => (ratio === null || ratio === undefined ? "–" : `${(100 * ratio).toFixed(1)} %`);
const clock = (s) => {
  const whole = Math.floor(s);
  const rest = `${String(Math.floor((whole % 3600) / 60)).padStart(2, "0")}:${String(whole % 60).padStart(2, "0")}`;
  return whole >= 3600 ? `${Math.floor(whole / 3600)}:${rest}` : rest;
};
const kindOf = (kind) => facts.kinds[kind] ?? { short: kind.replaceAll("_", " "), group: "other", meaning: kind };
