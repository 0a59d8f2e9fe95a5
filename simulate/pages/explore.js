// The page of `simulate explore`: reads the controls, keeps their changes in the address, and shows what the server
// answers: a prior simulation while something moves, the posterior when it is let go. It computes nothing itself.
(() => {
  "use strict";
  const $ = (id) => document.getElementById(id);
  const main = $("main");
  const base = `/${encodeURIComponent(main.dataset.name)}/`;
  const controls = [...document.querySelectorAll(".control")];
  const numbers = controls.filter((one) => one.dataset.kind === "number");
  const facts = controls.filter((one) => one.dataset.kind === "fact");
  const claims = controls.filter((one) => one.dataset.kind === "claim");
  const sources = controls.filter((one) => one.dataset.kind === "source");
  const standing = document.querySelector(".standing");
  let ends = null; // of the axis, so that it stays where it is

  // -------------------------------------------------------------------------------------------
  // Numbers and sliders

  const SUFFIXES = { k: 1e3, K: 1e3, M: 1e6, B: 1e9, bn: 1e9, T: 1e12, "%": 0.01 };

  const parsed = (text) => {
    const match = /^([-+]?[\d_,]*\.?\d*(?:[eE][-+]?\d+)?)(bn|[kKMBT%])?$/.exec(text.trim());
    return match && /\d/.test(match[1]) ? Number(match[1].replace(/[_,]/g, "")) * (SUFFIXES[match[2]] ?? 1) : NaN;
  };

  const typed = (value) => {
    for (const [scale, word] of [[1e12, "T"], [1e9, "bn"], [1e6, "M"]])
      if (Math.abs(value) >= scale) return `${Number((value / scale).toPrecision(3))}${word}`;
    const rounded = Number(value.toPrecision(3));
    return Math.abs(rounded) < 1e-6 ? String(rounded) : rounded.toFixed(10).replace(/\.?0+$/, "");
  };

  const linked = (slider, value) =>
    slider.dataset.scale === "log" ? Math.log(Math.max(value - slider.dataset.lower, 1e-300)) : value;

  const share = (slider, value) => {
    const [low, high] = [slider.dataset.start, slider.dataset.stop].map((end) => linked(slider, Number(end)));
    return Math.min(1, Math.max(0, (linked(slider, value) - low) / (high - low)));
  };

  const valueAt = (slider, part) => {
    const [low, high] = [slider.dataset.start, slider.dataset.stop].map((end) => linked(slider, Number(end)));
    const place = low + part * (high - low);
    return slider.dataset.scale === "log" ? Number(slider.dataset.lower) + Math.exp(place) : place;
  };

  const fieldsOf = (one) => [...one.querySelectorAll(".fields input")];
  const rangesOf = (one) => [...one.querySelectorAll(".slider input")];

  const lay = (bar, slider, low, high) => {
    if (![low, high].every(Number.isFinite)) {
      delete bar.dataset.on;
      return;
    }
    const [left, right] = [share(slider, low), share(slider, high)];
    bar.style.left = `${100 * left}%`;
    bar.style.width = `${Math.max(100 * (right - left), 0.6)}%`;
    bar.dataset.on = "";
  };

  const values = (one) => {
    const found = fieldsOf(one).map((field) => field.value.trim());
    return found.length === 1 ? found[0].split(/\s+to\s+/) : found;
  };

  // Sliders follow the fields: the fields are what counts.
  const follow = (one) => {
    const slider = one.querySelector(".slider");
    const found = values(one).map(parsed);
    rangesOf(one).forEach((range, place) => {
      const value = found[Math.min(place, found.length - 1)];
      if (!Number.isFinite(value)) return;
      range.value = Math.round(1000 * share(slider, value));
      range.setAttribute("aria-valuetext", `${typed(value)} ${one.dataset.unit ?? ""}`.trim());
    });
    lay(slider.querySelector(".file"), slider, one.dataset.kind === "fact" ? 0 : found[0], found[found.length - 1]);
  };

  const slid = (one, range) => {
    const slider = one.querySelector(".slider");
    const ranges = rangesOf(one);
    const place = ranges.indexOf(range);
    if (ranges.length === 2) {
      const other = Number(ranges[1 - place].value);
      const here = place === 0 ? Math.min(Number(range.value), other - 5) : Math.max(Number(range.value), other + 5);
      range.value = here;
    }
    const value = valueAt(slider, Number(range.value) / 1000);
    fieldsOf(one)[place].value = typed(value);
    range.setAttribute("aria-valuetext", `${typed(value)} ${one.dataset.unit ?? ""}`.trim());
    const found = values(one).map(parsed);
    lay(slider.querySelector(".file"), slider, one.dataset.kind === "fact" ? 0 : found[0], found[found.length - 1]);
  };

  // -------------------------------------------------------------------------------------------
  // What is changed

  const stateOf = (fact) => fact.querySelector("input[type=radio]:checked").value;

  const given = (one) => {
    if (one.dataset.kind === "number") {
      const found = values(one);
      return fieldsOf(one).length === 2 || found.length === 2 ? found.join(" to ") : found[0];
    }
    if (one.dataset.kind === "fact") return stateOf(one) === "doubt" ? values(one)[0] : stateOf(one);
    return one.querySelector("input").checked ? "on" : "off";
  };

  const isChanged = (one) => one.dataset.kind !== "source" && given(one) !== one.dataset.file;

  const query = () => {
    const found = new URLSearchParams();
    for (const one of [...facts, ...numbers].filter(isChanged)) found.append("set", `${one.dataset.path}=${given(one)}`);
    for (const one of claims.filter(isChanged)) found.append(given(one), one.dataset.name);
    if ([...found].length) found.append("of", main.dataset.of);
    return found.toString();
  };

  const mark = () => {
    const changed = controls.filter((one) => {
      const is = isChanged(one);
      one.classList.toggle("changed", is);
      const undo = one.querySelector(".reset");
      if (undo) undo.hidden = !is;
      const becomes = one.querySelector(".becomes");
      if (becomes) becomes.hidden = !is;
      return is;
    });
    for (const one of facts) one.querySelector(".doubt").hidden = stateOf(one) !== "doubt";
    const used = new Map(claims.map((one) => [one.dataset.name, one.querySelector("input")]));
    for (const one of sources) {
      const boxes = JSON.parse(one.dataset.claims).map((name) => used.get(name));
      const box = one.querySelector("input");
      box.checked = boxes.every((found) => found.checked);
      box.indeterminate = !box.checked && boxes.some((found) => found.checked);
    }
    $("count").textContent = changed.length ? `${changed.length} change${changed.length > 1 ? "s" : ""}` : "as in the file";
    $("reset").disabled = !changed.length;
    const found = query();
    $("file").href = `file.toml${found ? `?${found}` : ""}`;
    history.replaceState(null, "", found ? `?${found}` : location.pathname);
  };

  const undo = (one) => {
    const file = one.dataset.file;
    if (one.dataset.kind === "claim") one.querySelector("input").checked = file === "on";
    else {
      const parts = fieldsOf(one).length === 2 ? file.split(" to ") : [file];
      fieldsOf(one).forEach((field, place) => (field.value = parts[place]));
      if (one.dataset.kind === "fact") one.querySelector("input[value=doubt]").checked = true;
      follow(one);
    }
  };

  // -------------------------------------------------------------------------------------------
  // Asking

  const ask = async (what, signal) => {
    const body = JSON.stringify({ query: query(), of: main.dataset.of, ends });
    const sent = await fetch(base + what, { method: "POST", headers: { "Content-Type": "application/json" }, body, signal });
    if (sent.status >= 500) throw new Error("a fault of simulate explore itself; its terminal says which");
    return { status: sent.status, content: await sent.json() };
  };

  const say = (state, text) => {
    standing.dataset.state = state;
    standing.textContent = text;
  };

  const fault = (one, text) => {
    const place = one.querySelector(".fault");
    place.textContent = text;
    place.hidden = !text;
    one.classList.toggle("wrong", Boolean(text));
    place.id ||= `fault-${controls.indexOf(one)}`;
    for (const field of one.querySelectorAll(".fields input, input[type=checkbox], input[type=radio]")) {
      field.toggleAttribute("aria-invalid", false);
      if (text) field.setAttribute("aria-invalid", "true");
      if (text) field.setAttribute("aria-describedby", place.id);
      else field.removeAttribute("aria-describedby");
    }
  };

  // What is at fault stands at its control, and above all with a link to it: the control may be far away.
  const named = (one, text) => {
    one.id ||= `control-${controls.indexOf(one)}`;
    const link = Object.assign(document.createElement("a"), {
      href: `#${one.id}`,
      textContent: one.querySelector("legend, .claim-label").textContent,
    });
    link.addEventListener("click", (event) => {
      event.preventDefault();
      one.scrollIntoView({ block: "center" });
      (fieldsOf(one)[0] ?? one.querySelector("input")).focus({ preventScroll: true });
    });
    return alarm(link, `: ${text}`);
  };

  const alarm = (...parts) => {
    const made = Object.assign(document.createElement("p"), { className: "alarm" });
    made.append(...parts);
    return made;
  };

  const complain = (faults) => {
    const rest = [];
    const texts = new Map();
    for (const { path, text } of faults) {
      const fits = controls.filter((one) => one.dataset.path && (path === one.dataset.path || path.startsWith(`${one.dataset.path}.`)));
      const one = fits.sort((a, b) => b.dataset.path.length - a.dataset.path.length)[0];
      if (one) texts.set(one, [...(texts.get(one) ?? []), text]);
      else rest.push(path ? `${path}: ${text}` : text);
    }
    for (const one of controls.filter((each) => each.dataset.kind !== "source")) fault(one, (texts.get(one) ?? []).join(" "));
    for (const one of texts.keys()) one.closest("details.group").open = true;
    const there = [...texts].map(([one, found]) => named(one, found.join(" ")));
    $("failure").replaceChildren(...there, ...rest.map((text) => alarm(text)));
    $("ladder").classList.toggle("stale", faults.length > 0);
    $("elsewhere").hidden = faults.length > 0;
    if (!faults.length) return;
    $("file").removeAttribute("href");
    $("verdict").textContent = ends
      ? "What is shown is from before the last change."
      : "Nothing can be shown before this is mended; Undo all goes back to the file as it is.";
    say("poor", rest.length ? "no answer to this" : "not understood");
  };

  const show = (found) => {
    complain([]);
    ends = found.ends;
    const open = document.querySelector("#ladder details")?.open;
    const focused = document.activeElement?.closest?.("#ladder .tip");
    const place = focused ? [...document.querySelectorAll("#ladder .tip")].indexOf(focused) : -1;
    $("ladder").innerHTML = found.ladder;
    $("ladder").dataset.group = main.dataset.shown = found.group;
    $("verdict").textContent = found.verdict;
    $("verdict").className = found.converged ? "note" : "alarm";
    if (open) document.querySelector("#ladder details").open = true;
    if (place >= 0) document.querySelectorAll("#ladder .tip")[place]?.focus();
    document.querySelector(".headline-label").textContent = `${found.headline.label}:`;
    document.querySelector(".headline-median").textContent = found.headline.median;
    document.querySelector(".headline-interval").textContent = `(${found.headline.interval})`;
    $("command").textContent = found.command;
    $("digest").textContent = `; the run’s folder ends in ${found.digest}.`;
    for (const one of claims) one.querySelector(".moot").textContent = found.mute.includes(one.dataset.name) ? "; no weight here: its subject is fixed, or not there" : "";
    if (found.group === "prior") return;
    for (const one of numbers) {
      const there = found.intervals[one.dataset.path];
      const slider = one.querySelector(".slider");
      lay(slider.querySelector(".after"), slider, there?.low, there?.high);
      one.querySelector(".said").textContent = there ? `After the evidence: ${there.words}` : "";
    }
    for (const one of facts) {
      const there = found.facts[one.dataset.path];
      one.querySelector(".said").textContent = there === undefined ? "" : `After the evidence: ${there}`;
    }
    say(found.converged ? "posterior" : "poor", found.converged ? found.standing : "NOT CONVERGED: do not cite");
  };

  let asked = 0; // counts what was asked, so that an answer to what is no longer asked is not shown
  let simulating = false;
  let again = false;
  let refit = null;

  const failed = (error) =>
    say("poor", error instanceof TypeError ? "no answer: is simulate explore still running?" : error.message);

  const simulate = async () => {
    asked += 1;
    refit?.abort();
    if (simulating) {
      again = true;
      return;
    }
    simulating = true;
    do {
      again = false;
      const mine = asked;
      try {
        const { status, content } = await ask("prior");
        // What is half typed is not complained of before it is left.
        if (status === 200 && !content.faults && mine <= asked && !settled) {
          show(content);
          say("prior", "prior simulation");
        }
      } catch (error) {
        failed(error);
      }
    } while (again);
    simulating = false;
  };

  let settled = false; // whether what is shown is to be the posterior

  // Every step of an arrow key is a change of its own: the last of them is waited for.
  const PAUSE = 200; // milliseconds
  let keyed = false;
  let pausing = 0;

  const settle = async () => {
    clearTimeout(pausing);
    settled = true;
    again = false; // what is let go is simulated no more
    mark();
    asked += 1;
    refit?.abort();
    refit = new AbortController();
    const { signal } = refit;
    if (standing.dataset.state !== "poor") say("waiting", main.dataset.shown === "prior" ? "prior simulation; refitting…" : "refitting…");
    try {
      const { content } = await ask("posterior", signal);
      if (signal.aborted) return;
      if (content.faults) complain(content.faults);
      else show(content);
    } catch (error) {
      if (!signal.aborted) failed(error);
    }
  };

  const moved = () => {
    clearTimeout(pausing);
    settled = false;
    mark();
    simulate();
  };

  // -------------------------------------------------------------------------------------------
  // Events

  for (const one of [...numbers, ...facts]) {
    follow(one);
    const slider = one.querySelector(".slider");
    const own = one.dataset.file.split(" to ").map(parsed);
    lay(slider.querySelector(".was"), slider, one.dataset.kind === "fact" ? 0 : own[0], own[own.length - 1]);
    for (const range of rangesOf(one)) {
      range.addEventListener("input", () => {
        slid(one, range);
        moved();
      });
      range.addEventListener("keydown", () => (keyed = true));
      range.addEventListener("pointerdown", () => (keyed = false));
      range.addEventListener("change", () => {
        clearTimeout(pausing);
        if (keyed) pausing = setTimeout(settle, PAUSE);
        else settle();
      });
    }
    for (const field of fieldsOf(one)) {
      field.addEventListener("input", () => {
        follow(one);
        if (values(one).map(parsed).every(Number.isFinite)) moved();
        else mark();
      });
      field.addEventListener("change", settle);
    }
    for (const radio of one.querySelectorAll("input[type=radio]")) radio.addEventListener("change", settle);
  }
  for (const one of claims) one.querySelector("input").addEventListener("change", settle);
  for (const one of sources)
    one.querySelector("input").addEventListener("change", (event) => {
      const names = new Set(JSON.parse(one.dataset.claims));
      for (const claim of claims.filter((each) => names.has(each.dataset.name))) claim.querySelector("input").checked = event.target.checked;
      settle();
    });
  for (const one of controls)
    one.querySelector(".reset")?.addEventListener("click", () => {
      undo(one);
      settle();
      (fieldsOf(one)[0] ?? one.querySelector("input"))?.focus();
    });
  $("reset").addEventListener("click", () => {
    for (const one of controls.filter(isChanged)) undo(one);
    settle();
  });
  $("copy").addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(location.href);
      $("copy").textContent = "Copied";
    } catch {
      $("copy").textContent = "The address bar has it";
    }
    setTimeout(() => ($("copy").textContent = "Copy link"), 2000);
  });
  $("files")?.addEventListener("change", (event) => location.assign(`/${encodeURIComponent(event.target.value)}/`));

  const groups = [...document.querySelectorAll("details.group")];
  const opened = new Map(groups.map((group) => [group, group.open]));
  $("search").addEventListener("input", (event) => {
    const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const group of groups) {
      let any = false;
      for (const one of group.querySelectorAll(".control")) {
        const text = `${one.textContent} ${one.dataset.path ?? ""}`.toLowerCase();
        one.hidden = !words.every((word) => text.includes(word));
        any ||= !one.hidden;
        count += one.hidden ? 0 : 1;
      }
      group.hidden = !any;
      group.open = words.length ? any : opened.get(group);
    }
    $("found").textContent = words.length ? `${count} found` : "";
  });
  for (const group of groups)
    group.addEventListener("toggle", () => {
      if (!$("search").value.trim()) opened.set(group, group.open);
    });

  settle();
})();
