// A clip line by line: what was said, and under it what each model made of it; models that heard the same share a line.
const LINE_WORDS = 14;
const LINE_LETTERS = 32;

function lineByLine(clips, text) {
  const said = saidWords(text);
  const size = text.unspaced ? LINE_LETTERS : LINE_WORDS;
  const count = Math.max(1, Math.ceil(said.length / size));
  const heard = text.heard.map((one) => (one && !one.failure && one.said === undefined ? inLines(text, one, size, count) : null));
  const times = saidTimes(text);
  const tracks = [];
  const track = (words) => words.some((word) => word.dataset.s !== undefined) && tracks.push(detail.track(words));
  const lines = Array.from({ length: count }, (_, k) => {
    const words = said.slice(k * size, (k + 1) * size).map((word, n) => el("span", { class: "w", "data-s": times[k * size + n]?.toFixed(2) }, word));
    track(words);
    const right = [];
    const wrong = new Map();
    heard.forEach((rows, m) => {
      if (!rows) return;
      if (rows[k].every((step) => step.kind === "=")) right.push(m);
      else {
        const same = JSON.stringify(rows[k].map((step) => [step.kind, step.heard]));
        wrong.set(same, [...(wrong.get(same) ?? []), m]);
      }
    });
    const marked = (m) => detail.text(clips.labels[m], heard[m][k].map((step) => detail.word(step, text.heard[m])), text.unspaced);
    const start = times[k * size];
    const when = start === undefined || start === null ? null : el("button", { type: "button", class: "when", onclick: () => player.play(start) }, clock(start));
    return el(
      "li",
      {},
      el("div", { class: "line-said" }, when, detail.text("the reference", words, text.unspaced)),
      ...[...wrong.values()].map((models) => el("div", { class: "line-heard" }, el("span", { class: "numbers" }, ...numbers(clips, models)), marked(models[0]))),
      right.length ? el("p", { class: "line-right" }, ...numbers(clips, right), "as said") : null,
    );
  });
  return { box: el("ol", { class: "lines" }, ...lines), tracks };
}

const numbers = (clips, models) => models.flatMap((m) => [el("span", { class: "number", title: clips.labels[m] }, `${m + 1}`), " "]);

// The steps of one model by line of the reference; words added at the end belong to the last line.
function inLines(text, heard, size, count) {
  const rows = Array.from({ length: count }, () => []);
  for (const step of steps(text, heard)) rows[Math.min(count - 1, Math.floor(step.of / size))].push(step);
  return rows;
}
