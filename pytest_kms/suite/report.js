"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const LANES = 20, MARKS = 200, ROWS = 50, KEYS = 12;
  const FIELDS = ["q", "key", "operation", "test", "outcome"];
  const OUTCOMES = { ok: "answered", retried: "answered after retries", error: "error", throttled: "throttled", denied: "denied" };
  const $ = id => document.getElementById(id);
  const count = number => number.toLocaleString("en");
  const many = (number, what) => `${count(number)} ${what}${number === 1 ? "" : "s"}`;

  // Text only ever becomes text: nothing of the data is read as HTML.
  const el = (tag, given = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(given)) {
      if (name === "class") made.className = value;
      else if (name in made) made[name] = value;
      else made.setAttribute(name, value);
    }
    made.append(...children.filter(child => child !== null && child !== ""));
    return made;
  };
  const dollars = amount => !amount || amount >= 1 ? `$${amount.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`
    : `$${amount.toFixed(amount >= 0.0003 ? 4 : 6)}`;
  const percent = share => `${share >= 0.1 ? Math.round(share * 100) : Number((share * 100).toPrecision(2))} %`;
  const seconds = value => {
    const [unit, size] = [["days", 86400], ["h", 3600], ["min", 60]].find(([, size]) => value >= 2 * size) || ["s", 1];
    return `${Number((value / size).toFixed(value < 10 ? 2 : 1)).toLocaleString("en")} ${unit}`;
  };
  const context = of => Object.keys(of).sort().map(name => `${name}: ${of[name]}`).join(", ");
  const shortly = call => call.principal.replace(/^arn:[^:]*:(iam|sts)::[0-9]*:/, "") + (call.via ? ` via ${call.via}` : "");
  const severalHomes = new Set(data.keys.map(key => key.region + key.account)).size > 1;
  const testName = id => id || "(between tests)";

  const calls = data.calls.map((row, number) => {
    const [test, operation, uses, region, account, principal, via, error, message, why, attempts, throttled, at, cost, dry] = row;
    const call = {
      number, operation, region, account, via, error, attempts, throttled, at, cost, dry,
      test: data.tests[test][0], lane: test, principal: data.texts[principal], message: data.texts[message], why: data.texts[why],
      uses: uses.map(([key, id, given]) => ({ key: data.keys[key], id, context: given })),
    };
    call.outcome = !error ? (attempts > 1 ? "retried" : "ok")
      : error === "AccessDeniedException" ? "denied" : error === "ThrottlingException" ? "throttled" : "error";
    call.words = [
      call.test, operation, region, account, call.principal, via, error, call.message, call.why,
      ...call.uses.flatMap(use => [use.key.label, use.key.spec, use.id, context(use.context)]),
    ].join("\n").toLowerCase();
    return call;
  });

  const state = { q: "", key: "", operation: "", test: "", outcome: "", call: null, pages: {}, marks: new Map() };
  let shown = [];

  // What is shown

  const filter = () => {
    const words = state.q.toLowerCase().split(/\s+/).filter(Boolean);
    shown = calls.filter(call =>
      (!state.operation || call.operation === state.operation)
      && (!state.test || testName(call.test) === state.test)
      && (!state.outcome || call.outcome === state.outcome)
      && (!state.key || call.uses.some(use => use.key.label === state.key))
      && words.every(word => call.words.includes(word)));
  };

  const groups = (of, name) => {
    const made = new Map();
    for (const call of of) {
      const key = name(call);
      if (!made.has(key)) made.set(key, []);
      made.get(key).push(call);
    }
    return made;
  };
  const tally = values => {
    const made = new Map();
    for (const value of values) made.set(value, (made.get(value) || 0) + 1);
    return [...made].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  };
  const tallied = (values, most = 6) => {
    const all = tally(values), told = all.slice(0, most).map(([name, number]) => `${name} ${count(number)}`);
    return told.join(", ") + (all.length > most ? ` and ${all.length - most} more` : "");
  };

  const pages = (name, all, size, draw) => {
    const last = Math.max(0, Math.ceil(all.length / size) - 1);
    const page = Math.min(state.pages[name] || 0, last), nav = $(`${name}-pages`);
    const turn = (to, text, label) => el("button", {
      type: "button", disabled: to < 0 || to > last, "aria-label": label, onclick: () => { state.pages[name] = to; draw(); },
    }, text);
    nav.replaceChildren(...(last ? [
      turn(page - 1, "‹", "Back"), `${count(page * size + 1)} to ${count(Math.min(all.length, (page + 1) * size))} of ${count(all.length)}`, turn(page + 1, "›", "On"),
    ] : []));
    return all.slice(page * size, (page + 1) * size);
  };
  const table = (id, heads, rows, foot) => {
    const cell = (tag, value, number) => el(tag, { class: number ? "num" : "" }, ...[].concat(value));
    const row = (tag, values) => el("tr", {}, ...values.map((value, place) => cell(tag, value, heads[place].startsWith("#"))));
    const names = heads.map(head => head.replace("#", ""));
    $(id).replaceChildren(
      el("thead", {}, row("th", names)), el("tbody", {}, ...rows.map(values => row("td", values))),
      ...(foot ? [el("tfoot", {}, row("td", foot))] : []));
  };
  const choose = (name, value, text, kind = "link") =>
    el("button", { type: "button", class: kind, title: `Show only: ${text}`, onclick: () => set({ [name]: value }) }, text);
  const nothing = text => el("p", { class: "nothing" }, text);

  // The sections

  const drawHeader = () => {
    const errors = calls.filter(call => call.outcome === "error").length;
    const denied = calls.filter(call => call.outcome === "denied").length;
    const throttled = calls.reduce((sum, call) => sum + call.throttled, 0);
    const tests = data.tests.filter(([id]) => id).length;
    $("about").textContent = `${many(data.ran, "test")} ran, ${count(tests)} of them called KMS · written ${data.made} by pytest-kms ${data.version}`;
    $("lost").hidden = !data.lost;
    $("lost").textContent = `${many(data.lost, "worker")} crashed: what they called is missing here.`;
    const tiles = [
      ["calls", count(calls.length)], ["keys used", count(data.keys.reduce((sum, key) => sum + key.count, 0))],
      ["errors", count(errors), errors && "error"], ["denied", count(denied), denied && "denied"],
      ["throttled attempts", count(throttled), throttled && "throttled"],
      ["these calls at AWS", dollars(data.cost)], ["keys a month", dollars(data.monthly)],
    ];
    $("totals").replaceChildren(...tiles.map(([name, value, kind]) => el("div", { class: kind || "" }, el("dt", {}, name), el("dd", {}, value))));
  };

  const drawTimeline = () => {
    const lanes = pages("timeline", [...groups(shown, call => call.lane)], LANES, drawTimeline);
    $("timeline").replaceChildren(...(lanes.length ? lanes.map(([lane, of], place) => drawLane(lane, of, place)) : [nothing(calls.length ? "No call fits the filter." : "Nothing called KMS.")]));
    $("timeline").querySelector(".tick")?.setAttribute("tabindex", "0");
  };
  const drawLane = (lane, of, place) => {
    const [id, outcome] = data.tests[lane], name = testName(id), cut = name.lastIndexOf("::");
    const most = state.marks.get(lane) || MARKS, track = el("div", { class: "track" });
    let before = null;
    for (const call of of.slice(0, most)) {
      if (before && call.at - before.at >= 0.005) track.append(el("span", { class: "gap", title: "time of the fake that passed" }, seconds(call.at - before.at)));
      track.append(mark(call));
      before = call;
    }
    if (of.length > most) {
      track.append(el("button", { type: "button", class: "more", onclick: () => { state.marks.set(lane, most + MARKS); drawTimeline(); } }, `${count(of.length - most)} more`));
    }
    return el("div", { class: "lane" },
      el("button", { type: "button", class: "name", title: `Show only: ${name}`, onclick: () => set({ test: name }) },
        el("b", {}, el("i", { class: `dot ${outcome}` }), cut < 0 ? name : name.slice(cut + 2)),
        el("small", {}, [cut < 0 ? "" : name.slice(0, cut), outcome, many(of.length, "call")].filter(Boolean).join(" · "))),
      track);
  };
  const mark = call => el("button", {
    type: "button", class: `tick ${call.outcome}${call.number === state.call ? " current" : ""}`, tabIndex: -1, "data-call": call.number,
    "aria-label": `${call.operation} ${call.uses.map(use => use.key.label).join(" ")}: ${call.error || OUTCOMES[call.outcome]}`,
  });

  const drawCall = call => {
    if (!call) {
      $("call").replaceChildren(nothing("Point at a mark, or move to it with the Tab and arrow keys, to read the call."));
      return;
    }
    const facts = [["test", testName(call.test)]];
    for (const use of call.uses) {
      facts.push(["key", use.key.label], ["", `${use.id}`], ["", `${use.key.manager} ${use.key.spec}`]);
      if (Object.keys(use.context).length) facts.push(["context", context(use.context)]);
    }
    facts.push(["by", call.principal], ["via", call.via], ["in", `${call.region} ${call.account}`], ["time", `${seconds(call.at)} after the start of its fake`]);
    if (call.attempts > 1) facts.push(["attempts", `${call.attempts}${call.throttled ? `, ${call.throttled} throttled` : ""}`]);
    facts.push(["dry run", call.dry ? "yes" : ""], ["error", call.error], ["message", call.message], ["why", call.why], ["cost", dollars(call.cost)]);
    $("call").replaceChildren(
      el("h3", {}, el("i", { class: `tick ${call.outcome}` }), `${call.number + 1}. ${call.operation}`),
      el("dl", {}, ...facts.filter(([, value]) => value).flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)])));
  };
  const point = (number, { keep = false } = {}) => {
    for (const old of document.querySelectorAll(".tick.current")) old.classList.remove("current");
    document.querySelector(`.tick[data-call="${number}"]`)?.classList.add("current");
    drawCall(calls[number]);
    if (keep) { state.call = number; remember(); }
  };

  const drawKeys = () => {
    const made = new Map();
    for (const call of shown) {
      for (const key of new Set(call.uses.map(use => use.key))) {
        if (!made.has(key)) made.set(key, []);
        made.get(key).push(call);
      }
    }
    const all = [...made].sort((a, b) => b[1].length - a[1].length);
    table("keys", ["key", "spec, manager", "#calls", "operations", "who", "#tests"], pages("keys", all, KEYS, drawKeys).map(([key, of]) => [
      choose("key", key.label, key.label, "link strong"), [key.spec, el("small", {}, severalHomes ? `${key.manager} · ${key.region} · ${key.account}` : key.manager)], count(of.length),
      tallied(of.map(call => call.operation)), tallied(of.map(shortly), 4),
      count(new Set(of.map(call => call.lane)).size),
    ]));
  };

  const drawDenials = () => {
    const name = call => JSON.stringify([call.operation, call.uses.map(use => use.key.label), call.principal, call.why || call.message]);
    const all = [...groups(shown.filter(call => call.outcome === "denied"), name).values()].sort((a, b) => b.length - a.length);
    const drawn = pages("denials", all, LANES, drawDenials).map(of => {
      const call = of[0];
      return el("div", { class: "denial" },
        el("p", {}, el("b", {}, [call.operation, ...call.uses.map(use => use.key.label)].join(" ")), ` by ${call.principal}${of.length > 1 ? `, ${count(of.length)} times` : ""}`),
        el("p", { class: "why" }, call.why || call.message),
        el("small", {}, tallied(of.map(one => testName(one.test)), 3)));
    });
    $("denials").replaceChildren(...(drawn.length ? drawn : [nothing("Nothing was denied.")]));
  };

  const drawPeaks = () => {
    const home = new Set(data.peaks.map(peak => peak.region + peak.account)).size > 1;
    const drawn = data.peaks.map(peak => {
      const bar = el("meter-bar", { role: "img", "aria-label": percent(peak.share), class: peak.share > 1 ? "full" : peak.share >= 0.5 ? "half" : "" }, el("i"));
      bar.firstChild.style.width = `${Math.min(100, peak.share * 100)}%`;
      return el("div", { class: "peak" },
        el("p", {}, el("b", {}, peak.quota), el("span", {}, `${count(peak.used)} of ${count(peak.limit)} · ${percent(peak.share)}`)), bar,
        el("small", {}, [peak.operations, home ? `${peak.region} ${peak.account}` : "", peak.test].filter(Boolean).join(" · ")));
    });
    $("peaks").replaceChildren(...(drawn.length ? drawn : [nothing("No call counted in a quota.")]));
  };

  const drawCosts = () => {
    $("costs-about").textContent = `By ${data.source}, without the free tier. ${many(data.kept, "customer managed key")}, ${dollars(data.monthly)} a month.`;
    const rows = [...groups(shown, call => call.operation)].map(([operation, of]) => [operation, of, of.reduce((sum, call) => sum + call.cost, 0)]).sort((a, b) => b[2] - a[2]);
    table("costs", ["operation", "#calls", "#of 10,000 such", "#cost"], rows.map(([operation, of, cost]) => [
      choose("operation", operation, operation), count(of.length), dollars(cost / of.length * 10000), dollars(cost),
    ]), ["", count(shown.length), "", dollars(shown.reduce((sum, call) => sum + call.cost, 0))]);
  };

  const drawCalls = () => {
    table("calls", ["#no.", "operation", "key", "encryption context", "who", "outcome", "test"], pages("calls", shown, ROWS, drawCalls).map(call => [
      count(call.number + 1), call.operation, call.uses.map(use => use.key.label).join(" "), call.uses.map(use => context(use.context)).filter(Boolean).join(" | "),
      shortly(call), [call.error || OUTCOMES[call.outcome], call.attempts > 1 ? el("small", {}, `${call.attempts} attempts`) : ""], testName(call.test),
    ]));
  };

  const draw = () => {
    filter();
    for (const name of FIELDS) $(name).value = state[name];
    $("shown").textContent = `${count(shown.length)} of ${many(calls.length, "call")}`;
    drawTimeline();
    drawCall(calls[state.call]);
    drawKeys();
    drawDenials();
    drawCosts();
    drawCalls();
  };

  // The filter lives in the address, so that what is seen can be linked

  const remember = () => {
    const told = new URLSearchParams(FIELDS.filter(name => state[name]).map(name => [name, state[name]]));
    if (state.call !== null) told.set("call", state.call + 1);
    history.replaceState(null, "", `#${told}`);
  };
  const recall = () => {
    const told = new URLSearchParams(location.hash.slice(1));
    for (const name of FIELDS) state[name] = told.get(name) || "";
    const number = Number(told.get("call")) - 1;
    state.call = calls[number] ? number : null;
    state.pages = {};
    draw();
  };
  const set = changes => {
    Object.assign(state, changes, { pages: {}, call: null });
    remember();
    draw();
  };

  const options = (name, all, values) => $(name).replaceChildren(
    el("option", { value: "" }, all), ...values.map(([value, text]) => el("option", { value }, text || value)));
  options("key", "all keys", data.keys.map(key => [key.label]));
  options("operation", "all operations", [...new Set(calls.map(call => call.operation))].sort().map(name => [name]));
  options("test", "all tests", data.tests.map(([id]) => [testName(id)]));
  options("outcome", "all outcomes", Object.entries(OUTCOMES));

  const readFilter = () => {
    if (FIELDS.some(name => $(name).value !== state[name])) set(Object.fromEntries(FIELDS.map(name => [name, $(name).value])));
  };
  for (const kind of ["input", "change"]) $("filter").addEventListener(kind, readFilter);
  $("filter").addEventListener("submit", event => event.preventDefault());
  $("filter").addEventListener("reset", event => { event.preventDefault(); set(Object.fromEntries(FIELDS.map(name => [name, ""]))); });
  addEventListener("hashchange", recall);

  const numberOf = event => event.target.dataset?.call;
  for (const kind of ["mouseover", "focusin", "click"]) {
    $("timeline").addEventListener(kind, event => {
      if (numberOf(event) !== undefined) point(Number(numberOf(event)), { keep: kind === "click" });
    });
  }
  const beside = {
    ArrowRight: tick => tick.parentNode.querySelectorAll(".tick")[[...tick.parentNode.querySelectorAll(".tick")].indexOf(tick) + 1],
    ArrowLeft: tick => tick.parentNode.querySelectorAll(".tick")[[...tick.parentNode.querySelectorAll(".tick")].indexOf(tick) - 1],
    ArrowDown: tick => tick.closest(".lane").nextElementSibling?.querySelector(".tick"),
    ArrowUp: tick => tick.closest(".lane").previousElementSibling?.querySelector(".tick"),
  };
  $("timeline").addEventListener("keydown", event => {
    if (numberOf(event) === undefined || !beside[event.key]) return;
    event.preventDefault();
    const next = beside[event.key](event.target);
    if (next) {
      event.target.tabIndex = -1;
      next.tabIndex = 0;
      next.focus();
    }
  });

  drawHeader();
  drawPeaks();
  recall();
})();
