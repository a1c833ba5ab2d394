// One player for the page. A clip is a span of a linked file, or sound inside the page.
const player = {
  audio: null,
  offset: 0,
  url: null,
  follow: () => {},

  // Shows the player of a clip, or says why there is none.
  show(clips, i, text, place) {
    this.stop();
    const silent = clips.index.silent[i];
    if (silent >= 0) {
      place.replaceChildren(el("p", { class: "silent" }, `No sound: ${clips.index.reasons[silent]}`));
      return;
    }
    this.offset = text.link ? clips.index.start[i] : 0;
    this.url = text.link ? null : URL.createObjectURL(new Blob([bytesOf(`sound-${clips.number}-${i}`)], { type: "audio/webm" }));
    const note = el("p", { class: "silent", hidden: true, role: "status" });
    this.audio = el("audio", { controls: true, preload: "metadata", src: text.link ?? this.url, "aria-label": "Sound of the clip" });
    this.audio.addEventListener("error", () => {
      note.hidden = false;
      note.textContent = text.link
        ? "No sound: the linked file cannot be opened from here. Was the page moved away from its audio?"
        : "No sound: this browser cannot play Opus in WebM.";
    });
    const tick = () => {
      if (!this.audio) return;
      this.follow(this.now());
      if (!this.audio.paused) requestAnimationFrame(tick);
    };
    this.audio.addEventListener("play", tick);
    this.audio.addEventListener("seeked", tick);
    place.replaceChildren(this.audio, note);
  },

  now() {
    return this.audio ? this.audio.currentTime - this.offset : 0;
  },

  play(seconds) {
    const audio = this.audio;
    if (!audio || seconds === null) return;
    const go = () => {
      audio.currentTime = Math.max(0, seconds) + this.offset;
      audio.play().catch(() => {});
    };
    if (audio.readyState >= 1) go();
    else audio.addEventListener("loadedmetadata", go, { once: true });
  },

  stop() {
    if (this.audio) this.audio.pause();
    if (this.url) URL.revokeObjectURL(this.url);
    this.audio = this.url = null;
    this.follow = () => {};
  },
};
