const LONG_WORDS = 60;
// One clip: what was said, what every model heard, word by word, and its sound from any word on.
const detail = {
  async show(clips, i, byHand) {
    this.now = i;
    const text = await clips.text(i);
    if (this.now !== i || list.clips !== clips) return;
    const box = byId("detail");
    const tags = Object.entries(text.tags).map(([name, value]) => el("li", {}, `${name}: `, el("bdi", {}, value)));
    const sound = el("div", { class: "sound" });
    const view = byId("f-view").value;
    const long = text.ref !== null && saidWords(text).length > LONG_WORDS;
    const inLines = text.ref && (view === "lines" || (view === "auto" && long && clips.labels.length > 1));
    const cards = clips.labels.map((label, m) => this.card(clips, i, m, label, text, !inLines)).filter(Boolean);
    const lines = inLines ? lineByLine(clips, text) : null;
    const inside = [
      el("h3", {}, el("bdi", {}, clips.index.ids[i])),
      el("ul", { class: "chips" }, el("li", {}, `${clips.index.duration[i]} s`), ...tags),
      sound,
      inLines ? null : this.reference(text),
      el("div", { class: inLines ? "cards short" : "cards" }, ...cards.map((card) => card.box)),
      lines && lines.box,
    ];
    box.replaceChildren(...inside.filter(Boolean));
    player.show(clips, i, text, sound);
    const tracks = [...cards.flatMap((card) => card.tracks), ...(lines ? lines.tracks : [])];
    player.follow = (seconds) => tracks.forEach((track) => track(seconds));
    if (byHand && matchMedia("(max-width: 900px)").matches) box.scrollIntoView({ block: "start" });
  },

  nothing() {
    this.now = null;
    player.stop();
    byId("detail").replaceChildren(el("p", { class: "quiet" }, "No clip fits these filters."));
  },

  reference(text) {
    const head = el("h4", {}, "Reference");
    if (text.ref === null) return el("section", { class: "reference" }, head, el("p", { class: "quiet" }, "Nobody wrote down what is said here, so there are no errors to show."));
    if (!saidWords(text).length) return el("section", { class: "reference" }, head, el("p", { class: "quiet" }, "Nobody speaks: every word heard is an invention."));
    const times = saidTimes(text);
    const words = saidWords(text).map((word, n) => el("span", { class: "w", "data-s": times[n] ?? null }, word));
    return el("section", { class: "reference" }, head, this.text("Reference", words, text.unspaced));
  },

  card(clips, i, m, label, text, whole) {
    const heard = text.heard[m];
    if (!heard) return null;
    const wall = clips.index.wall[m][i];
    const about = [];
    if (heard.edits) {
      const [, wrong, missing, added] = heard.edits;
      const rate = clips.rate(i, m);
      about.push(rate === null ? `${added} words hallucinated` : `WER ${percent(rate)}`);
      if (wrong) about.push(`${wrong} wrong`);
      if (missing) about.push(`${missing} missing`);
      if (added && rate !== null) about.push(`${added} added`);
    }
    if (wall !== null) about.push(`${+wall.toPrecision(3)} s of work`);
    const found = (heard.findings ?? []).map(([kind, from, to, what]) => this.finding(kind, from, to, what));
    const words = whole ? steps(text, heard).map((step) => this.word(step, heard)) : [];
    const tracks = words.length && heard.at ? [this.track(words)] : [];
    const body = heard.failure
      ? el("p", { class: "failure" }, `No transcript. ${heard.failure}`)
      : !whole ? null : words.length ? this.text(label, words, text.unspaced) : el("p", { class: "quiet" }, "No words.");
    const how = { words: "times of words", segments: "times of segments, spread evenly over their words", spread: "no times given: words spread evenly over the clip" };
    const box = el(
      "section",
      { class: "card", "data-model": m },
      el("h4", {}, el("span", { class: "number" }, `${m + 1}`), el("bdi", {}, label)),
      el("p", { class: "about" }, about.join(" · ")),
      found.length ? el("ul", { class: "findings" }, ...found) : null,
      body,
      heard.failure ? null : el("details", { class: "raw" }, el("summary", {}, "As the model wrote it"), el("p", { dir: "auto" }, heard.text || "(empty)"), el("p", { class: "quiet" }, heard.by ? `Clicked words: ${how[heard.by]}.` : "")),
    );
    return { box, tracks };
  },

  finding(kind, from, to, what) {
    const known = kindOf(kind);
    const name = el("b", {}, known.short);
    const inside = from === null ? [name, ` ${what}`] : [el("button", { type: "button", onclick: () => player.play(from) }, `${clock(from)}–${clock(to ?? from)}`), " ", name, ` ${what}`];
    return el("li", { class: known.group, dir: "auto" }, ...inside);
  },

  // Marks differ in more than colour: a wrong word has the right one after it, a missing one is struck, an added one has a plus.
  word(step, heard) {
    const at = timeOf(heard, step.at);
    const place = { "data-s": at === null ? null : at.toFixed(2) };
    if (step.kind === "=") return el("span", { class: "w", ...place }, step.heard);
    if (step.kind === "d") return el("span", { class: "w del", ...place }, el("del", {}, step.said));
    if (step.kind === "i") return el("span", { class: "w ins", ...place }, el("ins", {}, step.heard));
    return el("span", { class: "w sub", ...place }, el("ins", {}, step.heard), el("del", {}, step.said));
  },

  text(label, words, unspaced) {
    const inside = words.flatMap((word, n) => (n && !unspaced ? [" ", word] : [word]));
    return el("p", { class: "words", dir: "auto", tabindex: "0", role: "group", "aria-label": `Words of ${label}: arrow keys move, Enter plays`, onclick: this.clicked, onkeydown: this.pressed }, ...inside);
  },

  clicked(event) {
    const word = event.target.closest(".w");
    if (!word) return;
    detail.mark(this, word);
    if (word.dataset.s !== undefined) player.play(+word.dataset.s);
  },

  pressed(event) {
    const words = [...this.querySelectorAll(".w")];
    const here = words.findIndex((word) => word.classList.contains("here"));
    const forward = getComputedStyle(this).direction === "rtl" ? "ArrowLeft" : "ArrowRight";
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      const to = Math.min(words.length - 1, Math.max(0, here + (event.key === forward ? 1 : -1)));
      detail.mark(this, words[to]);
    } else if (event.key === "Enter" && here >= 0) {
      if (words[here].dataset.s !== undefined) player.play(+words[here].dataset.s);
    } else return;
    event.preventDefault();
  },

  mark(box, word) {
    box.querySelectorAll(".here").forEach((other) => other.classList.remove("here"));
    word.classList.add("here");
    word.scrollIntoView({ block: "nearest" });
  },

  // Lights up the word that is being heard.
  track(words) {
    const times = words.map((word) => +word.dataset.s);
    let lit = null;
    return (seconds) => {
      let low = 0, high = times.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (times[middle] <= seconds + 0.02) low = middle + 1;
        else high = middle;
      }
      const next = words[low - 1] ?? null;
      if (next === lit) return;
      lit?.classList.remove("now");
      next?.classList.add("now");
      lit = next;
    };
  },
};
