// Tables that sort, the theme, the choice of a dataset, and the start of everything.
function sortable(table) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, place) => {
    const button = head.querySelector("button");
    button?.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const key = (row) => {
        const text = row.cells[place].dataset.key;
        return text === "" ? null : head.dataset.text !== undefined ? text : Number(text);
      };
      const compared = (a, b) => {
        const [x, y] = [key(a), key(b)];
        if (x === null || y === null) return (x === null) - (y === null);
        const order = typeof x === "string" ? x.localeCompare(y, undefined, { numeric: true }) : x - y;
        return down ? -order : order;
      };
      table.tBodies[0].append(...[...table.tBodies[0].rows].sort(compared));
    });
  });
}

function theme() {
  const button = byId("theme");
  const names = ["auto", "light", "dark"];
  let now = 0;
  const set = (n) => {
    now = n;
    document.documentElement.dataset.theme = names[n];
    button.textContent = `Theme: ${names[n]}`;
  };
  button.addEventListener("click", () => set((now + 1) % names.length));
  set(0);
}

const opened = facts.datasets.map((_, number) => new Clips(number));

async function choose(number) {
  const clips = await opened[number].open();
  for (const id of ["dataset", "t-dataset"]) byId(id).value = number;
  await Promise.all([list.show(clips), timeline.show(clips)]);
  document.documentElement.dataset.ready = String(number);
}

// From elsewhere in the page to a clip in the list, past the filters if they hide it.
list.reveal = async function (i) {
  if (!this.order.includes(i)) {
    byId("f-search").value = "";
    for (const id of ["f-model", "f-show", "f-tag"]) byId(id).value = "";
    await this.refresh();
  }
  await this.choose(this.order.indexOf(i), false);
  byId("clips").scrollIntoView({ block: "start" });
};

// A count in the table of completeness shows its clips.
async function jump(link) {
  const { dataset, model, kind } = link.dataset;
  if (list.clips !== opened[+dataset]) await choose(+dataset);
  byId("f-model").value = model;
  byId("f-show").value = `kind:${kind}`;
  await list.refresh();
  byId("clips").scrollIntoView({ block: "start" });
  byId("list").focus({ preventScroll: true });
}

document.querySelectorAll("table.sortable").forEach(sortable);
theme();
list.start();
document.querySelectorAll("button.jump").forEach((link) => link.addEventListener("click", () => jump(link)));
for (const id of ["dataset", "t-dataset"]) byId(id).addEventListener("change", () => choose(+byId(id).value));
byId("t-file").addEventListener("change", () => timeline.draw());
addEventListener("beforeprint", () => document.querySelectorAll("details:not(.raw)").forEach((box) => (box.open = true)));
addEventListener("keydown", (event) => {
  if (event.key === "/" && !/INPUT|SELECT|TEXTAREA/.test(document.activeElement.tagName)) {
    event.preventDefault();
    byId("f-search").focus();
  }
});
choose(0);
