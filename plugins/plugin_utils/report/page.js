// SPDX-FileCopyrightText: sms.helpdesk contributors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The table of hosts. Only what is looked at is in the document; whatever a client said becomes text, never markup.
// The order of the fields is that of _report_rows.py.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const text = (number) => data.texts[number];
  const by = (id) => document.getElementById(id);
  const CHUNK = 100;
  const PRINTED = 2000;
  const ranks = new Map(Object.keys(data.states).map((state, rank) => [state, rank]));
  const compare = new Intl.Collator(undefined, {numeric: true, sensitivity: "base"}).compare;
  const STATUS = {f: "free", a: "agent", c: "conflict", r: "reserved", u: "unknown"};
  const hosts = data.rows.map((row, index) => {
    const holders = [...new Set(row[11].map((each) => text(each[5])))];
    const state = text(row[2]);
    const reason = text(row[3]) === state ? "" : text(row[3]);
    const why = holders.length ? holders.join(", ") : reason || (row[8].length ? row[8].map(text).join(", ") : "");
    return {index, row, host: row[0], kind: text(row[1]), state, why, os: text(row[6]), build: text(row[7]), time: text(row[5])};
  });
  const find = {words: [], state: "", kind: ""};
  const order = {key: "state", down: false};
  let found = [];
  let drawn = 0;

  const make = (tag, name, content) => {
    const element = document.createElement(tag);
    if (name) element.className = name;
    if (content !== undefined) element.textContent = content;
    return element;
  };
  const isolated = (tag, name, content) => {
    const element = make(tag, name);
    element.append(make("bdi", "", content));
    return element;
  };
  const badge = (state) => {
    const [title, sign] = data.states[state] || [state, "?"];
    const element = make("span", `state ${ranks.has(state) ? state : ""}`);
    const mark = make("span", "sign", sign);
    mark.setAttribute("aria-hidden", "true");
    element.append(mark, title);
    return element;
  };

  // What a search looks through is put together when the first search needs it.
  const searched = (each) => {
    if (each.searched === undefined) {
      const row = each.row;
      const said = [each.host, data.kinds[each.kind], data.states[each.state][0], each.why, each.os, each.build, text(row[3]), text(row[4])];
      for (const conflict of row[11]) {
        said.push(`${text(conflict[1])} ${text(conflict[0])}`, ...[4, 5, 7, 8].map((field) => text(conflict[field])));
      }
      for (const warning of row[12]) said.push(text(warning));
      for (const file of row[13]) said.push(text(file[0]));
      each.searched = said.join("\n").toLowerCase();
    }
    return each.searched;
  };

  const table = (titles, lines) => {
    const element = make("table");
    const head = element.createTHead().insertRow();
    for (const title of titles) {
      const cell = make("th", "", title);
      cell.scope = "col";
      head.append(cell);
    }
    const body = element.createTBody();
    for (const line of lines) {
      const row = body.insertRow();
      for (const cell of line) row.append(isolated("td", "", cell));
    }
    return element;
  };

  const evidence = (each) => {
    const row = each.row;
    const cell = make("td", "evidence");
    cell.colSpan = 6;
    const message = text(row[4]);
    if (message) cell.append(isolated("p", "", message[0].toUpperCase() + message.slice(1)));
    if (row[11].length) {
      cell.append(make("h3", "", "Conflicts"));
      cell.append(table(
        ["Port", "Purpose", "Kind", "Endpoint", "Program", "PID", "Path", "Services", "In the dynamic range"],
        row[11].map((c) => [
          `${text(c[1]).toUpperCase()} ${text(c[0])}`, text(c[2]), text(c[3]), text(c[4]), text(c[5]), text(c[6]), text(c[7]), text(c[8]),
          c[9] ? "yes" : "no",
        ]),
      ));
      for (const step of new Set(row[11].map((c) => text(c[10])))) if (step) cell.append(isolated("p", "", `Next: ${step}`));
    }
    if (row[9] >= 0) {
      cell.append(make("h3", "", "Ports"));
      data.sets[row[9]].forEach(([port, protocol, purpose], index) => {
        const letter = row[10][index];
        const dot = make("span", `dot ${letter}`, `${protocol.toUpperCase()} ${port} ${STATUS[letter]}`);
        dot.title = purpose;
        cell.append(dot);
      });
    }
    if (row[14].length) {
      cell.append(make("h3", "", "The agent's sockets"));
      cell.append(table(["Port", "Endpoint", "Program"], row[14].map((line) => line.map(text))));
    }
    if (row[13].length) {
      cell.append(make("h3", "", "Files"));
      cell.append(table(["File", "Platform", "State", "Message"], row[13].map((line) => line.map(text))));
    }
    if (row[12].length) {
      cell.append(make("h3", "", "Warnings"));
      for (const warning of row[12]) cell.append(isolated("p", "", text(warning)));
    }
    cell.append(make("h3", "", "Facts"));
    const list = make("dl");
    const facts = [["name", each.host], ["kind", data.kinds[each.kind]], ["looked at", each.time], ["Windows", each.os], ["agent", each.build],
      ["waits for", row[8].map(text).join(", ")], ["reason", text(row[3])], ...row[15].map((line) => line.map(text))];
    for (const [name, value] of facts) if (value) list.append(make("dt", "", name), isolated("dd", "", value));
    cell.append(list);
    return cell;
  };

  const toggle = (line) => {
    const button = line.querySelector(".open");
    const open = button.getAttribute("aria-expanded") === "true";
    button.setAttribute("aria-expanded", String(!open));
    if (open) {
      line.nextElementSibling.remove();
      button.removeAttribute("aria-controls");
      return;
    }
    const more = make("tr");
    more.id = `evidence-${line.dataset.index}`;
    more.append(evidence(hosts[line.dataset.index]));
    line.after(more);
    button.setAttribute("aria-controls", more.id);
  };

  const line = (each) => {
    const element = make("tr", "row");
    element.dataset.index = each.index;
    const head = make("th");
    head.scope = "row";
    const button = isolated("button", "open", each.host);
    button.type = "button";
    button.setAttribute("aria-expanded", "false");
    head.append(button);
    const state = make("td");
    state.append(badge(each.state));
    const why = make("td");
    why.append(make("bdi", "", each.why));
    if (each.kind !== "client") why.append(each.why ? " " : "", make("small", "", data.kinds[each.kind]));
    element.append(head, state, why, isolated("td", "os", each.os), isolated("td", "", each.build), make("td", "when", each.time.slice(0, 16).replace("T", " ")));
    return element;
  };

  const draw = (upTo) => {
    const fragment = document.createDocumentFragment();
    for (const end = Math.min(upTo, found.length); drawn < end; drawn += 1) fragment.append(line(found[drawn]));
    by("body").append(fragment);
    by("further").hidden = drawn >= found.length;
  };

  const tell = () => {
    const number = (count) => count.toLocaleString("en");
    by("count").textContent = found.length === hosts.length ? `${number(hosts.length)} hosts` : `${number(found.length)} of ${number(hosts.length)} hosts`;
    for (const chip of document.querySelectorAll(".chip")) chip.setAttribute("aria-pressed", String(chip.dataset.state === find.state));
    for (const head of document.querySelectorAll("#table thead [data-sort]")) {
      const mine = head.dataset.sort === order.key;
      head.setAttribute("aria-sort", mine ? (order.down ? "descending" : "ascending") : "none");
    }
  };

  const refresh = () => {
    found = hosts.filter((each) => (!find.state || each.state === find.state) && (!find.kind || each.kind === find.kind)
      && find.words.every((word) => searched(each).includes(word)));
    const key = order.key;
    const way = order.down ? -1 : 1;
    const first = key === "state" ? (a, b) => ranks.get(a.state) - ranks.get(b.state) : (a, b) => (a[key] === b[key] ? 0 : compare(a[key], b[key]));
    // What says nothing goes last, whichever way.
    found.sort((a, b) => (key !== "state" && (a[key] === "") - (b[key] === "")) || way * first(a, b) || compare(a.host, b.host));
    by("body").replaceChildren();
    drawn = 0;
    draw(CHUNK);
    tell();
  };

  const search = (value) => {
    find.words = value.toLowerCase().split(/\s+/).filter(Boolean);
    refresh();
  };
  const present = (field) => [...new Set(hosts.map((each) => each[field]))];
  for (const state of present("state").sort((a, b) => ranks.get(a) - ranks.get(b))) by("state").append(new Option(data.states[state][0], state));
  for (const kind of Object.keys(data.kinds).filter((each) => present("kind").includes(each))) by("kind").append(new Option(data.kinds[kind], kind));

  let waiting = 0;
  by("search").addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => search(by("search").value), 80);
  });
  by("state").addEventListener("change", () => { find.state = by("state").value; refresh(); });
  by("kind").addEventListener("change", () => { find.kind = by("kind").value; refresh(); });
  by("reset").addEventListener("click", () => {
    for (const id of ["search", "state", "kind"]) by(id).value = "";
    Object.assign(find, {words: [], state: "", kind: ""});
    Object.assign(order, {key: "state", down: false});
    refresh();
  });
  document.querySelector("#table thead").addEventListener("click", (event) => {
    const head = event.target.closest("[data-sort]");
    if (!head) return;
    order.down = head.dataset.sort === order.key && !order.down;
    order.key = head.dataset.sort;
    refresh();
  });
  document.addEventListener("click", (event) => {
    const chip = event.target.closest(".chip");
    const link = event.target.closest(".link");
    if (chip) {
      find.state = find.state === chip.dataset.state ? "" : chip.dataset.state;
      find.kind = find.state ? "client" : "";
      by("state").value = find.state;
      by("kind").value = find.kind;
      refresh();
    } else if (link) {
      by("search").value = link.dataset.search;
      search(link.dataset.search);
    } else return;
    by("hosts").scrollIntoView({block: "start"});
  });
  by("body").addEventListener("click", (event) => {
    const row = event.target.closest("tr.row");
    if (row && !String(getSelection())) toggle(row);
  });
  by("body").addEventListener("keydown", (event) => {
    const step = {ArrowDown: 1, ArrowUp: -1}[event.key];
    if (!step || !event.target.matches(".open")) return;
    event.preventDefault();
    let buttons = [...by("body").querySelectorAll(".open")];
    const at = buttons.indexOf(event.target) + step;
    if (at >= buttons.length) {
      draw(drawn + CHUNK);
      buttons = [...by("body").querySelectorAll(".open")];
    }
    if (buttons[at]) buttons[at].focus();
  });
  by("further").addEventListener("click", () => draw(drawn + CHUNK));
  new IntersectionObserver((seen) => {
    if (seen.some((each) => each.isIntersecting)) draw(drawn + CHUNK);
  }, {rootMargin: "400px"}).observe(by("further"));
  addEventListener("beforeprint", () => {
    draw(PRINTED);
    if (drawn < found.length) by("count").textContent += `; the first ${drawn.toLocaleString("en")} are printed`;
  });
  addEventListener("afterprint", tell);
  // The page is seen before the table is made.
  requestAnimationFrame(() => setTimeout(refresh));
})();
