// A long recording from left to right: errors of every model, what it hallucinated, what it left out, where nobody speaks.
const LONG_S = 60;
const BINS = 240;
const timeline = {
  // Files of at least a minute, the longest first: each a list of clips in order of time.
  files(clips) {
    const { index } = clips;
    const found = new Map();
    for (let i = 0; i < clips.n; i++) {
      const file = found.get(index.file[i]) ?? { clips: [], from: Infinity, to: 0 };
      file.clips.push(i);
      file.from = Math.min(file.from, index.start[i]);
      file.to = Math.max(file.to, index.start[i] + index.duration[i]);
      found.set(index.file[i], file);
    }
    return [...found.values()].filter((file) => file.to - file.from >= LONG_S).sort((a, b) => b.to - b.from - (a.to - a.from));
  },

  async show(clips) {
    this.clips = clips;
    this.long = this.files(clips).slice(0, 200);
    byId("timeline").hidden = byId("to-timeline").hidden = !this.long.length;
    if (!this.long.length) return;
    const options = this.long.map((file, n) => {
      const name = clips.index.ids[file.clips[0]];
      return el("option", { value: n }, `${name}${file.clips.length > 1 ? ` and ${file.clips.length - 1} more` : ""}, ${clock(file.to - file.from)}`);
    });
    byId("t-file").replaceChildren(...options);
    await this.draw();
  },

  async draw() {
    const { clips } = this;
    const file = this.long[+byId("t-file").value || 0];
    const texts = await Promise.all(file.clips.map((i) => clips.text(i)));
    const events = clips.labels.map((_, m) => this.events(file, texts, m));
    const most = Math.max(1, ...events.flatMap((one) => one.bins.map((bin) => bin.r + bin.d + bin.i)));
    const lanes = clips.labels.map((label, m) => this.lane(file, label, m, events[m], most));
    byId("lanes").replaceChildren(this.axis(file), this.speech(file, texts), ...lanes);
    const lists = clips.labels.map((label, m) => this.listed(file, label, events[m]));
    byId("t-findings").replaceChildren(...lists.filter(Boolean));
  },

  // Errors by bin of time, and findings with places in the file's time.
  events(file, texts, m) {
    const bins = Array.from({ length: BINS }, () => ({ r: 0, d: 0, i: 0 }));
    const findings = [];
    const wide = (file.to - file.from) / BINS;
    texts.forEach((text, n) => {
      const heard = text.heard[m];
      if (!heard) return;
      const shift = this.clips.index.start[file.clips[n]] - file.from;
      if (heard.ops !== undefined) {
        for (const step of steps(text, heard)) {
          if (step.kind === "=") continue;
          const at = (timeOf(heard, step.at) ?? 0) + shift;
          bins[Math.min(BINS - 1, Math.max(0, Math.floor(at / wide)))][step.kind]++;
        }
      }
      for (const [kind, from, to, what] of heard.findings ?? []) {
        const end = this.clips.index.duration[file.clips[n]];
        findings.push({ kind, from: (from ?? 0) + shift, to: (to ?? end) + shift, what, placed: from !== null });
      }
    });
    return { bins, findings };
  },

  share: (file, s) => `${((100 * s) / (file.to - file.from)).toFixed(3)}%`,

  axis(file) {
    const whole = file.to - file.from;
    const step = [10, 30, 60, 120, 300, 600, 1800, 3600].find((s) => whole / s <= 8) ?? 7200;
    const ticks = [];
    for (let s = 0; s < whole; s += step) ticks.push(el("span", { style: `left:${this.share(file, s)}` }, clock(s)));
    return el("div", { class: "lane axis", "aria-hidden": "true" }, el("span", { class: "lane-name" }), el("div", { class: "lane-body" }, ...ticks));
  },

  speech(file, texts) {
    if (texts.every((text) => text.speech === null)) return "";
    const spans = texts.flatMap((text, n) => {
      const shift = this.clips.index.start[file.clips[n]] - file.from;
      return (text.speech ?? []).map(([from, to]) => el("span", { class: "spoken", style: `left:${this.share(file, from + shift)};width:${this.share(file, to - from)}` }));
    });
    return el("div", { class: "lane slim" }, el("span", { class: "lane-name" }, "somebody speaks"), el("div", { class: "lane-body" }, ...spans));
  },

  lane(file, label, m, events, most) {
    const bars = events.bins.flatMap((bin, n) => {
      const all = bin.r + bin.d + bin.i;
      if (!all) return [];
      const parts = ["r", "d", "i"].filter((kind) => bin[kind]).map((kind) => el("i", { class: `k-${kind}`, style: `flex:${bin[kind]}` }));
      const style = `left:${(100 * n) / BINS}%;width:${100 / BINS}%;height:${Math.max(6, (100 * all) / most)}%`;
      return [el("span", { class: "bin", style, title: `${bin.r} wrong, ${bin.d} missing, ${bin.i} added` }, ...parts)];
    });
    const bands = events.findings.map((one) => {
      const style = `left:${this.share(file, one.from)};width:max(3px, ${this.share(file, one.to - one.from)})`;
      return el("span", { class: `band ${kindOf(one.kind).group}`, style, title: `${kindOf(one.kind).short}: ${one.what}` });
    });
    const body = el(
      "div",
      {
        class: "lane-body", tabindex: "0", role: "slider", "aria-label": `Place in the recording, ${label}`, "aria-valuemin": 0,
        "aria-valuemax": Math.floor(file.to - file.from), "aria-valuenow": 0, "aria-valuetext": clock(0),
        onclick: (event) => {
          const box = event.currentTarget.getBoundingClientRect();
          this.go(file, ((event.clientX - box.left) / box.width) * (file.to - file.from), true);
        },
        onkeydown: (event) => this.pressed(event, file),
      },
      el("div", { class: "bins" }, ...bars), el("div", { class: "bands" }, ...bands), el("span", { class: "cursor", hidden: true }),
    );
    return el("div", { class: "lane" }, el("span", { class: "lane-name" }, el("span", { class: "number" }, `${m + 1}`), el("bdi", {}, label)), body);
  },

  pressed(event, file) {
    const step = { ArrowLeft: -5, ArrowRight: 5, PageDown: 30, PageUp: -30 }[event.key];
    const here = +event.currentTarget.getAttribute("aria-valuenow");
    if (event.key === "Enter") this.go(file, here, true);
    else if (step) this.go(file, Math.min(file.to - file.from, Math.max(0, here + step)), false);
    else return;
    event.preventDefault();
  },

  // Puts the cursor at a second of the file; to hear it, opens the clip there.
  async go(file, seconds, listen) {
    for (const body of document.querySelectorAll("#lanes [role=slider]")) {
      body.setAttribute("aria-valuenow", Math.floor(seconds));
      body.setAttribute("aria-valuetext", clock(seconds));
      const cursor = body.querySelector(".cursor");
      cursor.hidden = false;
      cursor.style.left = this.share(file, seconds);
    }
    if (!listen) return;
    const { index } = this.clips;
    const at = seconds + file.from;
    const i = file.clips.find((clip) => index.start[clip] <= at && at <= index.start[clip] + index.duration[clip]) ?? file.clips[0];
    await list.reveal(i);
    player.play(at - index.start[i]);
  },

  listed(file, label, events) {
    if (!events.findings.length) return null;
    const rows = events.findings.map((one) =>
      el("li", { class: kindOf(one.kind).group }, el("button", { type: "button", onclick: () => this.go(file, one.from, true) }, `${clock(one.from)}–${clock(one.to)}`), " ", el("b", {}, kindOf(one.kind).short), " ", el("bdi", {}, one.what)),
    );
    return el("section", {}, el("h4", {}, el("bdi", {}, label)), el("ul", { class: "findings" }, ...rows));
  },
};
