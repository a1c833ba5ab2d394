// The sound: play, seek, speed, and the outline on a canvas.
import { read, write } from "./outbox.js";
import { clock } from "./words.js";

const RATES = [0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.15, 1.3, 1.5, 1.75, 2];
const RATE = "earwitness.rate";
const by = (id) => document.getElementById(id);
const audio = by("audio");
const canvas = by("wave");
let peaks = [];
let length = 0;
let rate = RATES.includes(read(RATE)) ? read(RATE) : 1;

export function load(address, outline) {
  peaks = outline.peaks;
  length = outline.duration_s;
  audio.src = address;
  audio.playbackRate = audio.defaultPlaybackRate = rate;
  canvas.setAttribute("aria-valuemax", length.toFixed(1));
  show();
}

export function unload() {
  audio.pause();
  audio.removeAttribute("src");
  audio.load();
  peaks = [];
  length = 0;
  show();
}

export async function play() {
  try {
    await audio.play();
  } catch { /* browsers play nothing before the first key or click */ }
}

export function toggle() {
  if (!audio.hasAttribute("src")) return;
  if (!audio.paused) {
    audio.pause();
    return;
  }
  if (audio.ended || audio.currentTime >= length - 0.05) audio.currentTime = 0;
  play();
}

export function move(seconds) {
  seek(audio.currentTime + seconds);
}

export function seek(seconds) {
  if (!audio.hasAttribute("src")) return;
  audio.currentTime = Math.min(Math.max(0, seconds), Math.max(0, length - 0.01));
  show();
}

export function speed(steps) {
  rate = RATES[Math.min(Math.max(0, RATES.indexOf(rate) + steps), RATES.length - 1)];
  audio.playbackRate = audio.defaultPlaybackRate = rate;
  write(RATE, rate);
  show();
}

function show() {
  const now = Math.min(audio.currentTime || 0, length);
  by("rate").textContent = `${rate}×`;
  by("clock").textContent = `${clock(now)} / ${clock(length)}`;
  by("play-word").textContent = audio.paused ? "Play" : "Pause";
  canvas.setAttribute("aria-valuenow", now.toFixed(1));
  canvas.setAttribute("aria-valuetext", `${now.toFixed(1)} of ${length.toFixed(1)} seconds`);
  draw(length ? now / length : 0);
}

function draw(share) {
  const scale = window.devicePixelRatio || 1;
  const { clientWidth: width, clientHeight: height } = canvas;
  if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
  }
  const pen = canvas.getContext("2d");
  const style = getComputedStyle(canvas);
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, width, height);
  const bars = Math.floor(width / 4);
  for (let bar = 0; bar < bars && peaks.length; bar++) {
    const from = Math.floor((bar * peaks.length) / bars);
    const part = peaks.slice(from, Math.max(from + 1, Math.floor(((bar + 1) * peaks.length) / bars)));
    const tall = Math.max(2, (Math.max(...part) / 100) * (height - 8));
    pen.fillStyle = (bar + 0.5) / bars <= share ? style.color : style.borderTopColor;
    pen.fillRect(bar * 4, (height - tall) / 2, 2.5, tall);
  }
  pen.fillStyle = style.caretColor;
  pen.fillRect(Math.min(share * width, width - 2), 0, 2, height);
}

function frame() {
  show();
  if (!audio.paused) requestAnimationFrame(frame);
}

function seekTo(event) {
  seek(((event.clientX - canvas.getBoundingClientRect().left) / canvas.clientWidth) * length);
}

for (const name of ["play", "pause", "ended", "seeked", "loadedmetadata"]) audio.addEventListener(name, frame);
canvas.addEventListener("pointerdown", (event) => {
  canvas.setPointerCapture(event.pointerId);
  seekTo(event);
});
canvas.addEventListener("pointermove", (event) => event.buttons && seekTo(event));
canvas.addEventListener("keydown", (event) => {
  const steps = { ArrowLeft: -2, ArrowRight: 2, Home: -Infinity, End: Infinity };
  if (!(event.key in steps)) return;
  event.preventDefault();
  event.stopPropagation();
  seek(Math.min(Math.max(0, audio.currentTime + steps[event.key]), length));
});
new ResizeObserver(show).observe(canvas);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
