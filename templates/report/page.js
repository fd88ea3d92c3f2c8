// The lists of the page: all rows, with sorting, filters and paging. Without this script, the page shows the first rows only.
// Texts reach the page as text nodes and attributes only, never as markup.
"use strict";
(() => {
  const PAGE = 100;
  const PRINTED = 500;
  // A longer list scrolls in its own box, below its heading.
  const SHORT = 40;
  const PATIENCE = 120;
  // Every amount in a report has eight decimals.
  const AMOUNT = /^-?\d+\.\d{8}$/;
  // Looks whose texts may come from outside and have any length.
  const HELD = ["id", "code", "text", "long", "amount"];
  const CHOICES = ["check", "cause", "severity", "bucket", "age_bucket", "state", "currency"];

  const element = (id) => document.getElementById(id);
  const texts = JSON.parse(element("texts").textContent);
  const say = (id, values = {}) => texts[id].replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));
  const grouped = (count) => String(count).replace(/\B(?=(\d{3})+$)/g, ",");

  function make(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  }

  function announce(text) {
    element("said").textContent = text;
  }

  // Sorting. Amounts are compared as text, digit by digit: a JavaScript number can't hold them exactly.
  const compareTexts = (one, other) => (one < other ? -1 : one > other ? 1 : 0);

  function compareAmounts(one, other) {
    const negative = one[0] === "-";
    if (negative !== (other[0] === "-")) return negative ? -1 : 1;
    return (negative ? -1 : 1) * (one.length - other.length || compareTexts(one, other));
  }

  // Texts (of checks that compare texts) come after all amounts.
  function compareFigures(one, other) {
    const [first, second] = [AMOUNT.test(one), AMOUNT.test(other)];
    if (first && second) return compareAmounts(one, other);
    return first === second ? compareTexts(one, other) : first ? -1 : 1;
  }

  // Without the Z, a time without decimals sorts before the same second with decimals.
  const compareTimes = (one, other) => compareTexts(one.slice(0, -1), other.slice(0, -1));

  const COMPARE = { amount: compareFigures, time: compareTimes, integer: (one, other) => one - other };

  // The rank of every row in the order of a column; -1 for an empty cell, which always comes last.
  function ranksOf(column, rows) {
    const ranks = new Int32Array(rows).fill(-1);
    const compare = COMPARE[column.look] || compareTexts;
    const values = column.words || column.values;
    const order = [];
    for (let at = 0; at < values.length; at++) if (values[at] !== "") order.push(at);
    order.sort((one, other) => compare(values[one], values[other]));
    const places = column.words ? new Int32Array(values.length).fill(-1) : ranks;
    for (let at = 0, place = -1; at < order.length; at++) {
      if (at === 0 || compare(values[order[at - 1]], values[order[at]]) !== 0) place = at;
      places[order[at]] = place;
    }
    if (column.words) for (let row = 0; row < rows; row++) ranks[row] = places[column.values[row]];
    return ranks;
  }

  // The text of a cell for people; the filter also searches the machine word behind it.
  function shownAt(column, row) {
    if (column.words) return (column.shown || column.words)[column.values[row]];
    const value = column.values[row];
    return column.look === "time" ? value.replace("T", " ").replace("Z", "") : String(value);
  }

  function searchable(column) {
    if (!column.search) {
      const lower = (text) => String(text).toLowerCase();
      if (column.words) column.search = column.words.map((word, at) => lower(word) + (column.shown ? "\n" + lower(column.shown[at]) : ""));
      else if (column.look === "time") column.search = column.values.map((time) => lower(time) + "\n" + lower(time.replace("T", " ")));
      else column.search = column.values.map(lower);
    }
    return column.search;
  }

  const wordAt = (column, row) => column.words[column.values[row]];

  // Copying. A page opened from disk may have no access to the clipboard; then it copies a selection.
  function copyBySelection(text) {
    const area = make("textarea", { "aria-hidden": "true", tabindex: "-1", class: "unseen" });
    area.value = text;
    const focused = document.activeElement;
    document.body.append(area);
    area.select();
    let copied = false;
    try { copied = document.execCommand("copy"); } catch { copied = false; }
    area.remove();
    if (focused) focused.focus();
    return copied;
  }

  // A clipboard that asks for permission may never answer. Copying a selection needs none, but only soon after the click.
  const patienceEnds = () => new Promise((_, reject) => setTimeout(reject, 1000));

  async function copy(text, button) {
    let copied = true;
    try { await Promise.race([navigator.clipboard.writeText(text), patienceEnds()]); } catch { copied = copyBySelection(text); }
    announce(say(copied ? "report-copied" : "report-not-copied", { id: text }));
    if (!copied) return;
    button.classList.add("done");
    setTimeout(() => button.classList.remove("done"), 1500);
  }

  const SHEETS = "M5.5 5.5V3a1 1 0 0 1 1-1H12a1 1 0 0 1 1 1v6.5a1 1 0 0 1-1 1h-2M3 5.5h6.5a1 1 0 0 1 1 1V13a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V5.5z";
  const TICK = "M3 8.5 6.5 12 13 4.5";

  function icon() {
    const space = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(space, "svg");
    for (const [name, value] of [["width", "14"], ["height", "14"], ["viewBox", "0 0 16 16"], ["aria-hidden", "true"]]) svg.setAttribute(name, value);
    for (const [name, shape] of [["sheets", SHEETS], ["tick", TICK]]) {
      const path = document.createElementNS(space, "path");
      path.setAttribute("class", name);
      path.setAttribute("d", shape);
      svg.append(path);
    }
    return svg;
  }

  const lists = new Map();

  class List {
    constructor(holder, data) {
      Object.assign(this, { holder, rows: data.rows, columns: data.columns });
      this.table = holder.querySelector("table");
      this.title = this.table.caption.textContent;
      this.scroller = holder.querySelector(".scroll");
      this.body = this.table.tBodies[0];
      this.ranks = new Map();
      this.sorted = null;
      this.page = 0;
      this.choices = CHOICES.map((name) => this.columns.find((column) => column.name === name))
        .filter((column) => column && column.words && column.words.length > 1)
        .map((column) => ({ column, chosen: "", select: null }));
      holder.querySelectorAll("[data-static]").forEach((note) => note.remove());
      this.makeTools();
      this.makeSorting();
      this.makePager();
      this.filter();
    }

    makeTools() {
      this.search = make("input", { type: "search", placeholder: say("report-filter-hint"), autocomplete: "off", spellcheck: "false" });
      const tools = make("div", { class: "tools", role: "search", "aria-label": say("report-filter", { table: this.title }) });
      tools.append(make("label", { class: "search" }, say("report-search"), this.search));
      for (const choice of this.choices) {
        choice.select = make("select", { "data-choice": choice.column.name });
        choice.options = new Map();
        const all = make("option", { value: "" });
        choice.options.set("", all);
        choice.select.append(all);
        const order = choice.column.words.map((word, at) => ({ word, at })).filter(({ word }) => word !== "");
        order.sort((one, other) => compareTexts(one.word, other.word));
        for (const { word, at } of order) {
          const option = make("option", { value: word });
          option.dataset.shown = (choice.column.shown || choice.column.words)[at];
          choice.options.set(word, option);
          choice.select.append(option);
        }
        all.dataset.shown = say("report-filter-all");
        choice.select.addEventListener("change", () => {
          choice.chosen = choice.select.value;
          this.filter();
        });
        tools.append(make("label", {}, choice.column.label, choice.select));
      }
      const clear = make("button", { type: "button", class: "quiet" }, say("report-filter-clear"));
      clear.addEventListener("click", () => this.choose({}));
      this.found = make("p", { class: "found", role: "status" });
      tools.append(clear, this.found);
      let waiting = 0;
      this.search.addEventListener("input", () => {
        clearTimeout(waiting);
        waiting = setTimeout(() => this.filter(), PATIENCE);
      });
      this.holder.prepend(tools);
    }

    makeSorting() {
      this.heads = [...this.table.tHead.rows[0].cells];
      this.heads.forEach((head, at) => {
        const button = make("button", { type: "button", class: "sort" }, head.textContent);
        head.replaceChildren(button);
        button.addEventListener("click", () => this.sort(at));
      });
    }

    makePager() {
      const step = (id, to) => {
        const button = make("button", { type: "button", class: "quiet" }, say(id));
        button.addEventListener("click", () => {
          if (button.getAttribute("aria-disabled") !== "true") this.turn(to());
        });
        return button;
      };
      this.steps = {
        first: step("report-first", () => 0),
        previous: step("report-previous", () => this.page - 1),
        next: step("report-next", () => this.page + 1),
        last: step("report-last", () => this.pages() - 1),
      };
      this.where = make("p", { role: "status" });
      this.pager = make("div", { class: "pager", role: "group", "aria-label": say("report-pages", { table: this.title }) });
      this.pager.append(this.steps.first, this.steps.previous, this.where, this.steps.next, this.steps.last);
      this.scroller.after(this.pager);
    }

    pages() {
      return Math.max(1, Math.ceil(this.order.length / PAGE));
    }

    // Sets the choices by column, and clears all other filters.
    choose(words) {
      this.search.value = "";
      for (const choice of this.choices) {
        choice.chosen = words[choice.column.name] || "";
        choice.select.value = choice.chosen;
      }
      this.filter();
    }

    // Marks the rows that have every search term in some column.
    matching() {
      const terms = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
      const matches = new Uint8Array(this.rows).fill(1);
      for (const term of terms) {
        const hits = new Uint8Array(this.rows);
        for (const column of this.columns) {
          const search = searchable(column);
          if (column.words) {
            const has = search.map((text) => text.includes(term));
            if (has.includes(true)) for (let row = 0; row < this.rows; row++) if (has[column.values[row]]) hits[row] = 1;
          } else {
            for (let row = 0; row < this.rows; row++) if (!hits[row] && search[row].includes(term)) hits[row] = 1;
          }
        }
        for (let row = 0; row < this.rows; row++) matches[row] &= hits[row];
      }
      return matches;
    }

    filter() {
      const matches = this.matching();
      // The options of each choice count the rows that pass all other filters.
      const wanted = this.choices.map(({ column, chosen }) => (chosen === "" ? -1 : column.words.indexOf(chosen)));
      const counts = this.choices.map(({ column }) => new Int32Array(column.words.length));
      const kept = [];
      for (let row = 0; row < this.rows; row++) {
        if (!matches[row]) continue;
        let misses = 0, missed = -1;
        for (let at = 0; at < wanted.length; at++) {
          if (wanted[at] !== -1 && this.choices[at].column.values[row] !== wanted[at]) { misses++; missed = at; }
        }
        if (misses === 0) {
          kept.push(row);
          for (let at = 0; at < counts.length; at++) counts[at][this.choices[at].column.values[row]]++;
        } else if (misses === 1) {
          counts[missed][this.choices[missed].column.values[row]]++;
        }
      }
      this.choices.forEach(({ column, options }, at) => {
        const all = counts[at].reduce((sum, count) => sum + count, 0);
        for (const [word, option] of options) {
          const count = word === "" ? all : counts[at][column.words.indexOf(word)];
          option.textContent = `${option.dataset.shown} (${grouped(count)})`;
        }
      });
      this.order = kept;
      this.holder.toggleAttribute("data-long", kept.length > SHORT);
      this.found.textContent = say("report-found", { shown: grouped(kept.length), all: grouped(this.rows) });
      this.arrange();
    }

    sort(at) {
      const direction = this.sorted && this.sorted.at === at && this.sorted.direction === "ascending" ? "descending" : "ascending";
      this.sorted = { at, direction };
      this.heads.forEach((head, other) => (other === at ? head.setAttribute("aria-sort", direction) : head.removeAttribute("aria-sort")));
      this.arrange();
    }

    arrange() {
      if (this.sorted) {
        const { at, direction } = this.sorted;
        if (!this.ranks.has(at)) this.ranks.set(at, ranksOf(this.columns[at], this.rows));
        const ranks = this.ranks.get(at);
        const sign = direction === "ascending" ? 1 : -1;
        this.order.sort((one, other) => {
          const [first, second] = [ranks[one], ranks[other]];
          if (first === second) return one - other;
          if (first === -1 || second === -1) return first === -1 ? 1 : -1;
          return sign * (first - second);
        });
      }
      this.turn(0);
    }

    turn(page) {
      this.page = Math.min(Math.max(page, 0), this.pages() - 1);
      this.show(this.page * PAGE, PAGE);
      this.scroller.scrollTop = 0;
      this.where.textContent = say("report-page", { page: grouped(this.page + 1), pages: grouped(this.pages()) });
      const [isFirst, isLast] = [this.page === 0, this.page === this.pages() - 1];
      for (const [name, isOff] of [["first", isFirst], ["previous", isFirst], ["next", isLast], ["last", isLast]]) {
        this.steps[name].setAttribute("aria-disabled", String(isOff));
      }
      this.pager.hidden = this.pages() === 1;
    }

    show(from, count) {
      const rows = this.order.slice(from, from + count).map((row) => this.row(row));
      if (rows.length === 0) rows.push(make("tr", {}, make("td", { colspan: String(this.columns.length) }, say("report-nothing-found"))));
      this.body.replaceChildren(...rows);
    }

    row(row) {
      const made = document.createElement("tr");
      this.columns.forEach((column, at) => {
        const text = shownAt(column, row);
        const cell = document.createElement(at === 0 ? "th" : "td");
        if (at === 0) cell.scope = "row";
        cell.className = column.extra ? `${column.look} extra` : column.look;
        if (column.look === "severity" && text !== "") cell.append(make("span", { class: `mark ${wordAt(column, row)}` }, text));
        else if (HELD.includes(column.look) && text !== "") cell.append(make("span", { class: "held" }, text));
        else cell.append(text);
        if (column.look === "id" && text !== "") {
          const button = make("button", { type: "button", class: "copy", "aria-label": say("report-copy", { id: text }) }, icon());
          button.addEventListener("click", () => copy(text, button));
          cell.append(button);
        }
        made.append(cell);
      });
      return made;
    }

    // In print: more rows than on a screen, and a note with how many of all rows they are.
    print() {
      const shown = Math.min(this.order.length, PRINTED);
      this.show(0, PRINTED);
      if (shown === this.rows) return;
      const counts = { from: grouped(Math.min(1, shown)), to: grouped(shown), all: grouped(this.rows) };
      this.printed = make("p", { class: "note" }, say("report-printed", counts));
      this.holder.append(this.printed);
    }

    printEnded() {
      if (this.printed) this.printed.remove();
      this.show(this.page * PAGE, PAGE);
    }
  }

  // Colours: the system's, or the reader's choice, remembered if the browser allows it.
  function colours() {
    const SETS = ["auto", "light", "dark"];
    const button = element("theme");
    const wear = (set) => {
      if (set === "auto") delete document.documentElement.dataset.theme;
      else document.documentElement.dataset.theme = set;
      button.dataset.set = set;
      button.textContent = say(`report-theme-${set}`);
      button.setAttribute("aria-label", `${button.dataset.label}: ${button.textContent}`);
    };
    let set = "auto";
    try { set = localStorage.getItem("tieout-theme") || set; } catch { /* the choice is not remembered */ }
    wear(SETS.includes(set) ? set : "auto");
    button.addEventListener("click", () => {
      wear(SETS[(SETS.indexOf(button.dataset.set) + 1) % SETS.length]);
      try { localStorage.setItem("tieout-theme", button.dataset.set); } catch { /* the choice is not remembered */ }
    });
    button.hidden = false;
  }

  // Links from a check or a cause to its rows.
  function links() {
    document.querySelectorAll("a[data-check]").forEach((link) => {
      link.addEventListener("click", () => {
        const list = lists.get("discrepancies");
        if (list) list.choose({ check: link.dataset.check, cause: link.dataset.cause });
      });
    });
  }

  colours();
  links();
  addEventListener("beforeprint", () => lists.forEach((list) => list.print()));
  addEventListener("afterprint", () => lists.forEach((list) => list.printEnded()));
  // One list at a time, so that the page stays responsive in between.
  const holders = [...document.querySelectorAll(".list[data-table]")];
  function bringNextToLife() {
    const holder = holders.shift();
    if (!holder) {
      document.documentElement.dataset.ready = "";
      return;
    }
    const block = element(`data-${holder.dataset.table}`);
    const data = JSON.parse(block.textContent);
    block.remove();
    lists.set(holder.dataset.table, new List(holder, data));
    setTimeout(bringNextToLife, 0);
  }
  bringNextToLife();
})();
