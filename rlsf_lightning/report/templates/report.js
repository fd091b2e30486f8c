// Fills the page from its JSON block. What a model wrote goes into text nodes alone: no markup is ever made of a string.
"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const data = JSON.parse(byId("data").textContent);

  function make(tag, className, text) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  }

  // --- curves -------------------------------------------------------------------------------------------------------

  const DASHES = ["solid", "dot", "dash", "longdash", "dashdot", "longdashdot"];
  const LIGHT = ["#0757ba", "#b3540a", "#1a7f37", "#8250df", "#bf3989", "#57606a", "#7d4e00", "#0f766e", "#a40e26"];
  const DARK = ["#79b8ff", "#ffa657", "#56d364", "#d2a8ff", "#ff9bce", "#9aa4ae", "#e3b341", "#5eead4", "#ff7b72"];
  const isDark = window.matchMedia("(prefers-color-scheme: dark)");
  // The library reads a few tags in names; here every name is plain text.
  const plain = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

  function traces(chart) {
    const colours = isDark.matches ? DARK : LIGHT;
    return chart.traces.map((trace, place) => ({
      x: trace.x, y: trace.y, name: plain(trace.name), type: "scatter", mode: trace.x.length > 1 ? "lines" : "markers",
      line: { color: colours[place % colours.length], width: 2, dash: DASHES[place % DASHES.length] },
      ...(chart.stacked ? { stackgroup: "all" } : {}),
    }));
  }

  function layout(chart) {
    const steps = new Set(chart.traces.flatMap((trace) => trace.x)).size;
    const style = getComputedStyle(document.documentElement);
    const of = (name) => style.getPropertyValue(name).trim();
    const axis = { gridcolor: of("--line"), zerolinecolor: of("--line"), linecolor: of("--line"), automargin: true, /* superscripts would need style attributes */ exponentformat: "e" };
    return {
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { color: of("--ink"), size: 12 },
      margin: { l: 48, r: 12, t: 8, b: 28 }, hovermode: "x unified", showlegend: true,
      hoverlabel: { bgcolor: of("--panel"), font: { color: of("--ink") }, namelength: 40 },
      legend: { orientation: "h", y: 1, yanchor: "bottom", font: { size: 11 } },
      xaxis: { ...axis, hoverformat: "d", tickprefix: "step ", showtickprefix: "first", ...(steps < 8 ? { dtick: 1 } : { nticks: 8 }) },
      yaxis: axis, dragmode: "zoom",
    };
  }

  function draw() {
    for (const place of document.querySelectorAll(".chart")) {
      const chart = data[place.dataset.chart][Number(place.dataset.index)];
      Plotly.react(place, traces(chart), layout(chart), { responsive: true, displayModeBar: false });
    }
  }

  // --- samples ------------------------------------------------------------------------------------------------------

  const MARKS = { pass: "✓ pass", fail: "✗ fail", abstain: "? abstained", none: "no verdict" };
  const NAMES = { reward: "reward", advantage: "advantage", logp: "log-probability", change: "change of log-probability" };
  const form = byId("filters");
  let chosen = data.samples.map((_, index) => index);
  let at = 0;

  const field = (name) => form.elements.namedItem(name).value;

  function matches(sample) {
    const wanted = field("text").toLowerCase();
    const from = field("from") === "" ? -Infinity : Number(field("from"));
    const to = field("to") === "" ? Infinity : Number(field("to"));
    if (field("verdict") && sample.verdict !== field("verdict")) return false;
    if (field("kind") && !sample.kinds.includes(field("kind"))) return false;
    if (sample.step < from || sample.step > to) return false;
    if (!wanted) return true;
    const text = [sample.pieces.map((piece) => piece[0]).join(""), sample.prompt, sample.reference || "", sample.id];
    return text.join("\n").toLowerCase().includes(wanted);
  }

  function filter() {
    chosen = data.samples.map((_, index) => index).filter((index) => matches(data.samples[index]));
    at = 0;
    show();
  }

  function step(by) {
    if (at + by < 0 || at + by >= chosen.length) return;
    at += by;
    show();
  }

  function show() {
    const article = byId("sample");
    article.replaceChildren();
    byId("previous").disabled = at === 0;
    byId("next").disabled = at + 1 >= chosen.length;
    byId("place").textContent = chosen.length ? `${at + 1} of ${chosen.length}` : "no sample matches";
    if (!chosen.length) return;
    const sample = data.samples[chosen[at]];
    article.append(
      heading(sample), make("h3", "", "Prompt"), make("pre", "prompt", sample.prompt),
      make("h3", "", "Completion"), completion(sample),
      ...(sample.cut ? [make("p", "note", `${sample.cut} more characters are not shown.`)] : []),
      ...findings(sample),
      ...(sample.reference === null ? [] : [make("h3", "", "Reference"), make("pre", "", sample.reference)]),
      figures(sample),
    );
  }

  function heading(sample) {
    const line = make("p");
    line.append(
      make("span", `verdict ${sample.verdict}`, MARKS[sample.verdict]),
      `${sample.score === null ? "" : `, score ${sample.score.toFixed(3)}`}, step ${sample.step}, `,
      sample.ended ? "ended by itself" : "cut off by the length limit", `, ${sample.id}`,
    );
    if (sample.reason) line.append(make("br"), `The tool abstained: ${sample.reason}`);
    return line;
  }

  // The class of every token: its sign, and its size in four grades of the largest in this completion.
  function grades(values) {
    const largest = Math.max(...(values || []).map((value) => Math.abs(value || 0)), 1e-9);
    return (values || []).map((value) => {
      const grade = Math.ceil((4 * Math.abs(value || 0)) / largest - 1e-9);
      return grade ? `${value > 0 ? "pos" : "neg"}${grade}` : "";
    });
  }

  function told(sample, token) {
    const parts = [`token ${token + 1}`];
    for (const [name, values] of Object.entries(sample.values)) {
      if (values[token] !== null) parts.push(`${NAMES[name]} ${values[token]}`);
    }
    if (token === sample.dead) parts.push("the first dead token");
    return parts.join(", ");
  }

  function pieceOf(sample, piece, grade, isLastOf) {
    const [text, token, marks] = piece;
    const element = make("span", `token ${token < 0 ? "" : grade[token] || ""}${token === sample.dead ? " dead" : ""}`);
    if (token >= 0) element.title = told(sample, token);
    if (marks.length) element.classList.add("found");
    element.append(text === "" ? make("span", "end", "end") : text.replace("\n", ""));
    if (text.endsWith("\n")) element.append(make("span", "faint", "↵"));
    for (const mark of marks) {
      if (isLastOf(mark)) element.append(make("sup", "", String(mark + 1)));
    }
    return element;
  }

  function completion(sample) {
    const values = sample.values[field("value")];
    const grade = grades(values);
    const place = make("div", "code");
    const lines = [[]];
    let previous = -2;
    sample.pieces.forEach((piece, index) => {
      const next = sample.pieces[index + 1];
      const part = pieceOf(sample, piece, grade, (mark) => !(next && next[2].includes(mark)));
      if (piece[1] === sample.dead && previous !== piece[1]) part.prepend(make("b", "fail", "†"));
      previous = piece[1];
      lines[lines.length - 1].push([part, piece[2]]);
      if (piece[0].endsWith("\n")) lines.push([]);
    });
    if (lines.length > 1 && !lines[lines.length - 1].length) lines.pop();
    for (const [number, parts] of lines.entries()) {
      const row = make("div", lines.length > 1 ? "row" : "");
      if (lines.length > 1) row.append(gutter(number + 1, parts));
      const code = make("div");
      code.append(...parts.map(([part]) => part));
      row.append(code);
      place.append(row);
    }
    if (values) return place;
    const whole = make("div");
    whole.append(place, make("p", "note", `The ${NAMES[field("value")]} of this completion was not logged.`));
    return whole;
  }

  function gutter(number, parts) {
    const marks = [...new Set(parts.flatMap(([, found]) => found))];
    const element = make("div", "gutter");
    if (marks.length) element.append(make("b", "", "✗ "));
    element.append(String(number));
    return element;
  }

  function findings(sample) {
    if (!sample.findings.length) return [];
    const list = make("ol");
    for (const [kind, message] of sample.findings) {
      const item = make("li");
      item.append(make("b", "", kind), `: ${message}`);
      list.append(item);
    }
    return [make("h3", "", "Findings"), list];
  }

  function figures(sample) {
    const details = make("details");
    details.append(make("summary", "", "The tokens as a table"));
    details.addEventListener("toggle", () => {
      if (details.open && details.childElementCount === 1) details.append(tokenTable(sample));
    });
    return details;
  }

  function tokenTable(sample) {
    const names = Object.keys(sample.values);
    const place = make("div", "scroll");
    const table = make("table");
    const head = make("tr");
    head.append(...["", "token", ...names.map((name) => NAMES[name])].map((name) => make("th", "", name)));
    table.append(head);
    const texts = [];
    for (const [text, token] of sample.pieces) {
      if (token >= 0) texts[token] = (texts[token] || "") + text;
    }
    texts.forEach((text, token) => {
      const row = make("tr");
      const shown = text === "" ? "(no text)" : text.replace(/\n/g, "↵");
      row.append(make("td", "", `${token + 1}${token === sample.dead ? " †" : ""}`), make("td", "", shown));
      row.append(...names.map((name) => make("td", "", String(sample.values[name][token] ?? ""))));
      table.append(row);
    });
    place.append(table);
    return place;
  }

  function listen() {
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", (event) => (event.target.name === "value" ? show() : filter()));
    byId("previous").addEventListener("click", () => step(-1));
    byId("next").addEventListener("click", () => step(1));
    for (const button of document.querySelectorAll(".show-kind")) {
      button.addEventListener("click", () => {
        form.reset();
        form.elements.namedItem("kind").value = button.dataset.kind;
        filter();
        byId("samples").scrollIntoView();
        byId("sample").focus();
      });
    }
    document.addEventListener("keydown", (event) => {
      const writes = event.target.closest("select, input:not([type=radio])");
      // Arrows choose among radio buttons.
      const chooses = event.key.startsWith("Arrow") && event.target.closest("input");
      if (event.ctrlKey || event.altKey || event.metaKey || writes || chooses) return;
      const by = { n: 1, ArrowRight: 1, p: -1, ArrowLeft: -1 }[event.key];
      if (by) {
        event.preventDefault();
        step(by);
      }
    });
  }

  draw();
  isDark.addEventListener("change", draw);
  if (form) {
    listen();
    at = Math.max(0, chosen.length - 1);
    show();
  }
})();
