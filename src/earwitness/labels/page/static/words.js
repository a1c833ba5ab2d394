// What can be said of a text before it is sent, and where two texts differ.

// The same check as the server's: every brace has its partner.
export function bracesMatch(text) {
  let depth = 0;
  for (const sign of text) {
    depth += sign === "{" ? 1 : sign === "}" ? -1 : 0;
    if (depth < 0) return false;
  }
  return depth === 0;
}

// The words of a text, each with whether the other text has it too, by a longest common subsequence.
export function marked(text, other) {
  const a = text.split(/\s+/).filter(Boolean);
  const b = other.split(/\s+/).filter(Boolean);
  if (a.length * b.length > 250_000) return a.map((word) => [word, true]);
  const best = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      best[i][j] = a[i] === b[j] ? best[i + 1][j + 1] + 1 : Math.max(best[i + 1][j], best[i][j + 1]);
    }
  }
  const words = [];
  for (let i = 0, j = 0; i < a.length; ) {
    if (j < b.length && a[i] === b[j]) {
      words.push([a[i++], true]);
      j++;
    } else if (j < b.length && best[i][j + 1] >= best[i + 1][j]) j++;
    else words.push([a[i++], false]);
  }
  return words;
}

export function clock(seconds) {
  const tenths = Math.round(10 * Math.max(0, seconds));
  const minutes = Math.floor(tenths / 600);
  return `${minutes}:${((tenths - 600 * minutes) / 10).toFixed(1).padStart(4, "0")}`;
}
