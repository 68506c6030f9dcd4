// The panel around an explorer's picture: a question, controls, a verdict, the picture.
//
// One module, two sources of views:
//   with a kernel     anywidget calls render({ model, el }); Python answers each move with a view
//   without a kernel  open_static(element, spec, table); the table was computed beforehand
// A view is all that is shown: explorer.py says what is in it. Nothing is computed here except
// what became of a prediction, which neither Python nor anybody else is told.

const SPEEDS = [1, 2, 0.5];
const PAUSE = 600; // milliseconds without a key, after which a typed text is answered
const WAITING = -1; // in place of a timer
const FIRST = 0x100; // code of the first element of a table's pictures, as table.py has it
const SLOW = 1500; // after which a reader is told that something is being waited for

// ---------------------------------------------------------------- small pieces of the page

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children);
  // A notebook takes arrow keys and letters for itself, unless the element says no to it.
  if (["button", "input"].includes(tag)) made.setAttribute("data-lm-suppress-shortcuts", "true");
  return made;
}

function button(text, click, attributes = {}) {
  return element("button", { type: "button", onclick: click, ...attributes }, text);
}

// Buttons of which one is pressed. `press(value)` is called; `set(value)` shows what is pressed.
function buttons(label, options, press) {
  const made = options.map(({ text, value }) => button(text, () => press(value)));
  const group = element("span", { class: "s2s-buttons", role: "group", "aria-label": label }, ...made);
  const set = (value) =>
    made.forEach((one, i) => one.setAttribute("aria-pressed", String(options[i].value === value)));
  return { element: group, set };
}

// ---------------------------------------------------------------- controls
// Each maker gets what it is and `move(value)`, and returns { element, update(data) }.

const MAKERS = {
  choice(data, move) {
    const { element: group, set } = buttons(data.label, data.options, move);
    const row = element("div", { class: "s2s-control" }, element("span", {}, data.label), group);
    return { element: row, update: (now) => set(now.value) };
  },

  number(data, move) {
    let now = data;
    const limits = element("span", { class: "s2s-small" });
    const refusal = element("span", { class: "s2s-refusal", role: "alert" });
    const input = element("input", { type: "number", step: 1, "aria-label": data.label });
    const take = () => {
      if (input.value === String(now.value)) return;
      const value = Number(input.value);
      const fits = input.value !== "" && Number.isInteger(value) && value >= now.low && value <= now.high;
      refusal.textContent = fits
        ? ""
        : `${input.value || "Nothing"} is not in ${now.low} to ${now.high}: it stays ${now.value}.`;
      if (fits) move(value);
      else input.value = now.value;
    };
    input.addEventListener("change", take);
    input.addEventListener("keydown", (event) => event.key === "Enter" && take()); // no change in a notebook
    const label = element("label", { class: "s2s-control" }, element("span", {}, data.label), input, limits, refusal);
    const update = (next) => {
      now = next;
      input.min = next.low;
      input.max = next.high;
      input.value = next.value;
      limits.textContent = `${next.low} to ${next.high}`;
    };
    return { element: label, update };
  },

  slider(data, move) {
    const out = element("output");
    const input = element("input", { type: "range", step: 1, "aria-label": data.label });
    input.addEventListener("input", () => {
      out.textContent = input.value; // at once; the picture follows
      move(Number(input.value));
    });
    const label = element("label", { class: "s2s-control" }, element("span", {}, data.label), input, out);
    const update = (next) => {
      input.max = next.high; // the limits first: a value outside of them would be cut
      input.min = next.low;
      input.value = next.value;
      out.textContent = next.value;
    };
    return { element: label, update };
  },

  text(data, move, { stale, live }) {
    let timer = 0;
    let asked = data.value;
    const input = element("input", { type: "text", "aria-label": data.label, spellcheck: "false" });
    input.value = data.value;
    const ask = () => {
      clearTimeout(timer);
      if (input.value === asked) return stale(false);
      asked = input.value;
      move(asked);
    };
    input.addEventListener("input", () => {
      stale(input.value !== asked);
      clearTimeout(timer);
      timer = setTimeout(ask, PAUSE);
    });
    input.addEventListener("change", ask);
    input.addEventListener("keydown", (event) => event.key === "Enter" && ask());
    const examples = data.options.map(({ text, value }) =>
      button(text, () => {
        input.value = value;
        ask();
      }),
    );
    const group = element("span", { class: "s2s-buttons", role: "group", "aria-label": "examples" }, ...examples);
    const field = [element("span", {}, data.label), input, button(data.button, ask)];
    const hint = element("span", { class: "s2s-small" }, live ? data.hint : "Without a kernel these can be tried:");
    // a page without a kernel has answers to the examples alone
    const row = element("div", { class: "s2s-control s2s-text" }, ...(live ? field : []), hint, group);
    const update = (next) => {
      stale(live && input.value !== asked);
      if (!live) examples.forEach((one, i) => one.setAttribute("aria-pressed", String(data.options[i].value === next.value)));
    };
    return { element: row, update };
  },

  player(data, move, { wait }) {
    let now = data;
    let speed = SPEEDS[0];
    let timer = null; // of the next step, or WAITING until the last one is seen
    const playing = () => timer !== null;
    const stop = () => {
      clearTimeout(timer);
      timer = null;
      name();
    };
    const later = (pause) => {
      timer = WAITING;
      name();
      wait(() => {
        if (timer === WAITING) timer = setTimeout(step, pause / speed);
      });
    };
    const step = () => {
      const next = now.value + 1;
      move(next);
      if (next >= now.high) stop();
      else later(now.plays);
    };
    const play = () => {
      if (now.value >= now.high) move(now.low);
      later(now.plays);
    };
    const go = (value) => {
      stop();
      if (value >= now.low && value <= now.high) move(value);
    };
    const toggle = button("▶", () => (playing() ? stop() : play()));
    const name = () => {
      toggle.textContent = playing() ? "||" : "▶";
      toggle.setAttribute("aria-label", playing() ? "pause" : "play");
      toggle.title = playing() ? "pause" : "play";
    };
    const back = button("◀", () => go(now.value - 1), { "aria-label": "one step back", title: "one step back" });
    const on = button("▶|", () => go(now.value + 1), { "aria-label": "one step on", title: "one step on" });
    const faster = button("1×", () => {
      speed = SPEEDS[(SPEEDS.indexOf(speed) + 1) % SPEEDS.length];
      faster.textContent = `${speed}×`;
      faster.setAttribute("aria-label", `speed: ${speed} times`);
    }, { "aria-label": "speed: 1 times", title: "speed" });
    const out = element("output");
    const input = element("input", { type: "range", step: 1, "aria-label": data.label });
    input.addEventListener("input", () => {
      out.textContent = `${data.label} ${input.value} of ${now.high}`;
      go(Number(input.value));
    });
    const made = [back, toggle, on, faster, input];
    const row = element("div", { class: "s2s-player", role: "group", "aria-label": `play: ${data.label}` }, ...made, out);
    const update = (next, free) => {
      now = next;
      input.max = next.high;
      input.min = next.low;
      input.value = next.value;
      out.textContent = `${data.label} ${next.value} of ${next.high}`;
      made.forEach((one) => (one.disabled = !free));
      if (!free) stop();
      name();
    };
    // Begin to play, or show the end to those who want less motion. Whether a view is on its way.
    const reveal = () => {
      const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
      const first = calm ? now.high : now.low;
      const moves = first !== now.value;
      if (moves) move(first);
      if (calm) stop();
      else later(now.plays);
      return moves;
    };
    return { element: row, update, reveal, stop };
  },
};

// ---------------------------------------------------------------- the panel

// `source(done)` returns { first, live, move(key, value) }; it calls done(view) for each new view.
function panel(el, spec, source) {
  let view = null;
  let skipping = false;
  let waiting = []; // what is to be done when the next view is there
  let slow = 0;
  const predictions = new Map(); // what a question is about -> the prediction
  const controls = new Map(); // key -> { element, update, made: how it was when it was made }

  const legend = element("legend");
  const answers = element("div", { class: "s2s-answers" });
  const verdict = element("p", { class: "s2s-verdict", "aria-live": "polite" });
  const question = element("fieldset", { class: "s2s-question" }, legend, answers, verdict);
  const rows = element("div", { class: "s2s-rows" });
  const note = element("p", { class: "s2s-note", role: "status" });
  const picture = element("div", { class: "s2s-picture" });
  const below = element("div");
  const said = element("div", { class: "s2s-said", "aria-live": "polite" });
  const side = element("div", { class: "s2s-side" }, question, rows);
  const stage = element("div", { class: "s2s-stage" }, note, picture, below);
  const root = element("section", { class: "s2s-panel", "aria-label": spec.title }, side, stage, said);
  el.replaceChildren(root);

  const about = () => view.question?.about;
  const isOpen = () => !view.question || skipping || predictions.has(about());
  const stale = (is) => {
    root.classList.toggle("s2s-stale", is);
    note.textContent = is ? "This answers the text before. The new answer comes in a moment." : "";
  };
  const move = (key) => (value) => {
    clearTimeout(slow);
    slow = setTimeout(() => (note.textContent = "Waiting for the kernel …"), SLOW);
    from.move(key, value);
  };
  const wait = (then) => {
    waiting.push(then);
    if (from.settled()) flush();
  };
  const flush = () => waiting.splice(0).forEach((then) => then());

  function show(next) {
    clearTimeout(slow);
    view = next;
    stale(false);
    draw();
    flush();
  }

  function draw() {
    const focused = document.activeElement;
    drawQuestion();
    drawControls();
    drawPicture();
    if (focused !== document.activeElement && root.contains(focused)) focused.focus();
  }

  // --- the question and what became of the prediction

  let pressed = null; // the buttons of this question
  let asked = "";
  function drawQuestion() {
    question.hidden = !view.question;
    if (!view.question) return;
    const { asks, answers: options } = view.question;
    if (asked !== JSON.stringify(view.question)) {
      asked = JSON.stringify(view.question);
      legend.textContent = asks;
      pressed = buttons("your prediction", options, predict);
      const skip = button("", () => {
        skipping = !skipping;
        if (!skipping) predictions.clear();
        open(skipping);
      }, { class: "s2s-skip" });
      pressed.skip = skip;
      answers.replaceChildren(pressed.element, skip);
    }
    pressed.skip.textContent = skipping ? "ask me again" : "just show me";
    const prediction = predictions.get(about()) ?? null;
    pressed.set(prediction);
    const right = prediction === view.answer;
    const mark = element("span", { class: "s2s-mark" }, right ? "✓" : "✗");
    const words = (value) => options.find((option) => option.value === value)?.text;
    const found = right ? " Right. " : ` No, not “${words(prediction)}”. `;
    const parts = !isOpen() ? ["Predict, and the picture opens."] : prediction === null ? [view.why] : [mark, found, view.why];
    const text = parts.map((part) => part.textContent ?? part).join("");
    if (verdict.textContent === text) return; // not to be read out twice
    verdict.className = `s2s-verdict ${prediction === null ? "" : right ? "s2s-right" : "s2s-wrong"}`;
    verdict.replaceChildren(...parts);
  }

  function predict(value) {
    const first = !isOpen();
    predictions.set(about(), value);
    open(first);
  }

  // A picture that plays opens at its first step: the last one would give the end away.
  function open(play) {
    if (play && player()?.reveal()) drawQuestion(); // the rest is drawn when that step is there
    else draw();
  }

  // --- controls: an element stays as long as its control does, so that focus and drags go on

  function drawControls() {
    const now = view.rows.flat();
    for (const [key, control] of controls) {
      if (now.some((data) => data.key === key)) continue;
      control.stop?.();
      controls.delete(key);
    }
    for (const data of now) {
      const made = JSON.stringify([data.kind, data.label, data.options, data.hint]);
      let control = controls.get(data.key);
      if (control?.made !== made) {
        control = { ...MAKERS[data.kind](data, move(data.key), { stale, wait, live: from.live }), made };
        controls.set(data.key, control);
      }
      const locked = spec.lock.includes(data.name);
      control.update(data, !locked && isOpen());
      control.element.classList.toggle("s2s-locked", locked);
      if (locked) control.element.querySelectorAll("button, input").forEach((one) => (one.disabled = true));
    }
    const inRows = (data) => data.kind !== "player";
    fill(rows, view.rows.filter((row) => row.some(inRows)).map((row) => [...row.filter(inRows)]));
    fill(below, view.rows.map((row) => row.filter((data) => data.kind === "player")).filter((row) => row.length));
  }

  function fill(box, wanted) {
    const keys = JSON.stringify(wanted.map((row) => row.map((data) => data.key)));
    const same = box.dataset.keys === keys && wanted.flat().every(({ key }) => box.contains(controls.get(key).element));
    if (same) return;
    box.dataset.keys = keys;
    box.replaceChildren(
      ...wanted.map((row) => element("div", { class: "s2s-row" }, ...row.map(({ key }) => controls.get(key).element))),
    );
  }

  function player() {
    const found = view.rows.flat().find((data) => data.kind === "player" && !spec.lock.includes(data.name));
    return found && controls.get(found.key);
  }

  // --- the picture

  let speaking = 0;
  let shown = "";
  function drawPicture() {
    const svg = isOpen() ? view.open : view.veiled;
    if (svg === shown) return;
    shown = svg;
    picture.innerHTML = svg; // drawn by draw(), which escapes what a reader typed
    // the height is kept, so that nothing below moves
    picture.style.minHeight = `${Math.max(parseFloat(picture.style.minHeight) || 0, picture.scrollHeight)}px`;
    reach();
    clearTimeout(speaking);
    if (isOpen()) speaking = setTimeout(() => (said.textContent = picture.querySelector("desc")?.textContent ?? ""), PAUSE);
  }

  // A picture that is wider than the page is scrolled within its frame, by keyboard too.
  function reach() {
    const wide = picture.scrollWidth > picture.clientWidth + 1;
    root.classList.toggle("s2s-wide", wide);
    if (wide) picture.tabIndex = 0;
    else picture.removeAttribute("tabindex");
  }
  const resized = new ResizeObserver(reach);
  resized.observe(picture);

  const from = source(show);
  show(from.first);
  return () => {
    resized.disconnect();
    clearTimeout(slow);
    clearTimeout(speaking);
    controls.forEach((control) => control.stop?.());
  };
}

// ---------------------------------------------------------------- two sources

function kernel(model) {
  return (done) => {
    let ticket = model.get("view").ticket;
    const answer = () => {
      const view = model.get("view");
      if (view.ticket >= ticket) done(view); // an older one has been overtaken
    };
    model.on("change:view", answer);
    return {
      live: true,
      first: model.get("view"),
      settled: () => model.get("view").ticket >= ticket,
      move(control, value) {
        ticket += 1;
        model.send({ control, value, ticket });
      },
      end: () => model.off("change:view", answer),
    };
  };
}

function stored(spec, table) {
  return (done) => {
    const piece = (character) => table.pieces[character.codePointAt(0) - FIRST];
    const drawn = (index) => table.pictures[index] && [...table.pictures[index]].map(piece).join("");
    const look = (index) => {
      const view = table.views[index];
      return { ...view, open: drawn(view.open), veiled: drawn(view.veiled) };
    };
    let view = look(table.starts[spec.state]);
    return {
      live: false,
      first: view,
      settled: () => true,
      move(key, value) {
        const data = view.rows.flat().find((one) => one.key === key);
        const at = data.options ? data.options.findIndex((option) => option.value === value) : value - data.low;
        view = look(data.to[at]);
        done(view);
      },
    };
  };
}

// Show an explorer in a page without a kernel.
//   element  what the panel is put into
//   spec     { title, state, lock: [names] }, as Explorer.spec() gives it
//   table    as table() of table.py gives it
export function open_static(element, spec, table) {
  return panel(element, spec, stored(spec, table));
}

export default {
  render({ model, el }) {
    const source = kernel(model);
    let from;
    const stop = panel(el, model.get("spec"), (done) => (from = source(done)));
    return () => {
      stop();
      from.end();
    };
  },
};
