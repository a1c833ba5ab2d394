// The list of clips: as many rows as fit the screen are in the page, however many clips there are.
const ROW = 62;
const list = {
  clips: null,
  order: [],
  chosen: -1,
  round: 0,

  async show(clips) {
    this.clips = clips;
    this.chosen = -1;
    this.fillFilters();
    await this.refresh();
  },

  fillFilters() {
    const { labels, index } = this.clips;
    const option = (value, text) => el("option", { value }, text);
    byId("f-model").replaceChildren(option("", "any model"), ...labels.map((label, n) => option(n, label)));
    const seen = index.kinds.filter((_, bit) => index.flags.some((column) => column.some((bits) => bits & (1 << bit))));
    byId("f-show").replaceChildren(
      option("", "all clips"),
      option("errors", "with errors"),
      option("perfect", "without errors"),
      option("differ", "where models differ"),
      ...seen.map((kind) => option(`kind:${kind}`, kindOf(kind).short)),
    );
    const groups = index.tags.map((tag, t) =>
      el("optgroup", { label: tag.name }, ...tag.values.map((value, v) => option(`${t}:${v}`, value))),
    );
    byId("f-tag").replaceChildren(option("", "any tag"), ...groups);
    byId("f-tag").closest("label").hidden = !groups.length;
    const names = labels.map((label, n) => el("li", {}, el("b", {}, `${n + 1}`), " ", el("bdi", {}, label)));
    byId("key").replaceChildren(...names);
  },

  // Filters and sorts. Only the last one asked for is shown: reading texts for a search takes a moment.
  async refresh() {
    const round = ++this.round;
    const { clips } = this;
    const query = byId("f-search").value.trim().toLowerCase();
    const keep = this.filter();
    let found = [];
    if (query) {
      const pieces = Math.ceil(clips.n / facts.chunk);
      for (let k = 0; k < pieces; k++) {
        await clips.piece(k);
        if (round !== this.round) return;
        if (k % 20 === 19) byId("n-clips").textContent = `searching … ${Math.round((100 * k) / pieces)} %`;
        const end = Math.min(clips.n, (k + 1) * facts.chunk);
        for (let i = k * facts.chunk; i < end; i++) if (keep(i) && clips.haystack(i).includes(query)) found.push(i);
      }
    } else {
      for (let i = 0; i < clips.n; i++) if (keep(i)) found.push(i);
    }
    this.order = this.sorted(found);
    byId("n-clips").textContent = `${found.length.toLocaleString("en")} of ${clips.n.toLocaleString("en")} clips`;
    byId("rows").style.height = `${found.length * ROW}px`;
    byId("list").scrollTop = 0;
    this.paint();
    if (found.length && !found.includes(this.chosen)) this.choose(0, false);
    if (!found.length) detail.nothing();
  },

  models() {
    const chosen = byId("f-model").value;
    return chosen === "" ? this.clips.labels.map((_, n) => n) : [+chosen];
  },

  filter() {
    const { index } = this.clips;
    const models = this.models();
    const show = byId("f-show").value;
    const [tag, value] = byId("f-tag").value.split(":").map(Number);
    const bit = show.startsWith("kind:") ? 1 << index.kinds.indexOf(show.slice(5)) : 0;
    const tests = {
      "": () => true,
      errors: (i) => models.some((m) => index.errors[m][i] > 0),
      perfect: (i) => models.every((m) => index.errors[m][i] === 0),
      differ: (i) => new Set(index.errors.map((column) => column[i])).size > 1,
    };
    const test = bit ? (i) => models.some((m) => index.flags[m][i] & bit) : tests[show];
    return byId("f-tag").value ? (i) => index.tags[tag].at[i] === value && test(i) : test;
  },

  sorted(found) {
    const { index } = this.clips;
    const models = this.models();
    const most = (column) => (i) => Math.max(...models.map((m) => column[m][i] ?? -1));
    const keys = {
      errors: most(index.errors),
      rate: (i) => Math.max(...models.map((m) => this.clips.rate(i, m) ?? (index.errors[m][i] ? 1e6 : -1))),
      spread: (i) => {
        const errors = index.errors.map((column) => column[i]).filter((count) => count !== null);
        return Math.max(...errors) - Math.min(...errors);
      },
      duration: (i) => index.duration[i],
      slow: most(index.wall),
    };
    const key = keys[byId("f-sort").value];
    if (!key) return found;
    const values = new Map(found.map((i) => [i, key(i)]));
    return found.sort((a, b) => values.get(b) - values.get(a) || a - b);
  },

  paint() {
    const box = byId("list");
    const first = Math.max(0, Math.floor(box.scrollTop / ROW) - 4);
    const last = Math.min(this.order.length, Math.ceil((box.scrollTop + box.clientHeight) / ROW) + 4);
    const rows = [];
    for (let place = first; place < last; place++) rows.push(this.row(place));
    byId("rows").replaceChildren(...rows);
    const shown = this.chosen >= 0 && byId(`clip-${this.chosen}`);
    if (shown) box.setAttribute("aria-activedescendant", shown.id);
    else box.removeAttribute("aria-activedescendant");
  },

  row(place) {
    const { clips } = this;
    const i = this.order[place];
    const text = clips.here(i);
    if (!text) clips.text(i).then(() => this.later());
    const words = text ? text.ref || text.heard.find((one) => one && one.text)?.text || "" : "…";
    const cells = clips.labels.slice(0, 12).map((label, m) => {
      const errors = clips.index.errors[m][i];
      const rate = clips.rate(i, m);
      const shade = errors === null ? "none" : errors === 0 ? 0 : rate === null ? 4 : Math.min(4, 1 + Math.floor(rate * 8));
      const flagged = clips.index.flags[m][i] ? " flagged" : "";
      return el("span", { class: `cell e${shade}${flagged}`, title: `${label}: ${errors ?? "no"} errors` }, `${errors ?? "–"}`);
    });
    return el(
      "div",
      {
        class: "row", role: "option", id: `clip-${i}`, style: `top:${place * ROW}px`,
        "aria-selected": String(i === this.chosen), "aria-posinset": place + 1, "aria-setsize": this.order.length,
        onclick: () => this.choose(place, true),
      },
      el("span", { class: "row-top" }, el("bdi", { class: "row-id" }, clips.index.ids[i]), el("span", { class: "row-s" }, `${clips.index.duration[i]} s`)),
      el("span", { class: "row-text", dir: "auto" }, words.slice(0, 160) || "(nothing said)"),
      el("span", { class: "row-cells" }, ...cells),
    );
  },

  // Many texts arrive at once: paint when they have.
  later() {
    this.soon ??= requestAnimationFrame(() => {
      this.soon = undefined;
      this.paint();
    });
  },

  choose(place, byHand) {
    this.chosen = this.order[place];
    const box = byId("list");
    const top = place * ROW;
    if (top < box.scrollTop) box.scrollTop = top;
    if (top + ROW > box.scrollTop + box.clientHeight) box.scrollTop = top + ROW - box.clientHeight;
    this.paint();
    return detail.show(this.clips, this.chosen, byHand);
  },

  key(event) {
    const here = this.order.indexOf(this.chosen);
    const page = Math.max(1, Math.floor(byId("list").clientHeight / ROW) - 1);
    const to = { ArrowDown: here + 1, ArrowUp: here - 1, PageDown: here + page, PageUp: here - page, Home: 0, End: this.order.length - 1 }[event.key];
    if (event.key === "Enter") byId("detail").focus();
    else if (to !== undefined && this.order.length) this.choose(Math.min(this.order.length - 1, Math.max(0, to)), false);
    else return;
    event.preventDefault();
  },

  start() {
    let waiting;
    byId("f-search").addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => this.refresh(), 150);
    });
    for (const id of ["f-model", "f-show", "f-tag", "f-sort"]) byId(id).addEventListener("change", () => this.refresh());
    byId("f-view").addEventListener("change", () => this.chosen >= 0 && detail.show(this.clips, this.chosen, false));
    byId("list").addEventListener("scroll", () => this.later());
    byId("list").addEventListener("keydown", (event) => this.key(event));
    addEventListener("resize", () => this.clips && this.later());
  },
};
