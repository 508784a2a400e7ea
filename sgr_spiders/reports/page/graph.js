// The graph: one canvas with the picture, and one above it with what is selected or pointed at.
// While it moves, a larger bitmap of the picture is moved; it is drawn again when it comes to rest.

(() => {
  const source = document.getElementById("graphs");
  const canvas = document.getElementById("graph");
  const graphs = JSON.parse(source.textContent);
  if (!canvas || !graphs.length) return;

  const byId = (id) => document.getElementById(id);
  document.querySelectorAll(".controls, .board").forEach((part) => { part.hidden = false; });
  const over = byId("over");
  const picture = document.createElement("canvas");
  const ink = canvas.getContext("2d");
  const top = over.getContext("2d");
  const pen = picture.getContext("2d", { alpha: false });
  const COLOURS = 8;
  const MARGIN = 0.25;
  const SITE = "https://soundcloud.com/";
  const count = new Intl.NumberFormat("en");

  let graph;
  let width = 0, height = 0, ratio = 1;
  let view = { x: 0, y: 0, scale: 1 };
  let drawn = null;
  let least = 0;
  let selected = -1;
  let pointed = -1;
  let focus = -1;
  let colours = {};
  let frame = 0, rest = 0;

  // Data

  function decode(text) {
    const bytes = atob(text);
    const values = [];
    let value = 0, shift = 0;
    for (let at = 0; at < bytes.length; at += 1) {
      const byte = bytes.charCodeAt(at);
      value += (byte & 127) * 2 ** shift;
      shift += 7;
      if (byte < 128) { values.push(value); value = 0; shift = 0; }
    }
    return values;
  }

  function prepare(data) {
    const nodes = data.ids.length;
    const values = decode(data.edges);
    const edges = (values.length - nodes) / 2;
    const a = new Uint16Array(edges), b = new Uint16Array(edges), score = new Uint8Array(edges);
    const degree = new Uint32Array(nodes);
    for (let node = 0, at = 0, edge = 0; node < nodes; node += 1) {
      let other = node;
      for (let left = values[at++]; left > 0; left -= 1, edge += 1) {
        other += values[at++];
        a[edge] = node;
        b[edge] = other;
        score[edge] = values[at++];
        degree[node] += 1;
        degree[other] += 1;
      }
    }
    const most = Math.max(1, ...degree);
    const radius = Float32Array.from(degree, (links) => 1.75 + 4.5 * Math.sqrt(links / most));
    const isSeed = new Uint8Array(nodes);
    data.seeds.forEach((seed) => { isSeed[seed] = 1; radius[seed] = Math.max(radius[seed], 7); });
    const order = Array.from({ length: nodes }, (_, node) => node)
      .sort((one, other) => isSeed[other] - isSeed[one] || degree[other] - degree[one] || one - other);
    // In turn from each community of some size, so that all parts of the picture have names.
    const sizes = new Map(), turn = new Map();
    data.community.forEach((one) => sizes.set(one, (sizes.get(one) || 0) + 1));
    const rank = new Float64Array(nodes);
    order.forEach((node, place) => {
      const home = data.community[node];
      const mine = (turn.get(home) || 0) + 1;
      turn.set(home, mine);
      rank[node] = isSeed[node] ? 0 : sizes.get(home) < nodes / 80 ? place + 1 : mine;
    });
    const labelled = [...order].sort((one, other) => rank[one] - rank[other] || degree[other] - degree[one]);
    const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
    const keys = data.names.map((name, node) => plain(`${name} ${artistOf(data, node)} ${data.ids[node]}`));
    return { ...data, nodes, edges, a, b, score, degree, radius, isSeed, order, labelled, keys, plain, links: null, shown: null };
  }

  function artistOf(data, node) {
    return data.artists ? data.artists[data.artist[node]][0] || "" : "";
  }

  // The last part of an address is usually the title in plain letters.
  function pathOf(node) {
    const path = graph.paths[node];
    if (path !== 1) return path;
    const words = graph.names[node].normalize("NFKD").replace(/[\u0300-\u036f]/g, "").toLowerCase().match(/[a-z0-9]+/g) || [];
    return `${graph.artists[graph.artist[node]][1]}/${words.join("-")}`;
  }

  function linksOf(node) {
    if (!graph.links) {
      graph.links = Array.from({ length: graph.nodes }, () => []);
      for (let edge = 0; edge < graph.edges; edge += 1) {
        graph.links[graph.a[edge]].push([graph.b[edge], graph.score[edge]]);
        graph.links[graph.b[edge]].push([graph.a[edge], graph.score[edge]]);
      }
      graph.links.forEach((links) => links.sort((one, other) => other[1] - one[1] || one[0] - other[0]));
    }
    return graph.links[node].filter((link) => link[1] >= least);
  }

  // Colours

  function readColours() {
    const style = getComputedStyle(document.documentElement);
    const named = (name) => style.getPropertyValue(`--${name}`).trim();
    colours = {
      paper: named("paper"), ink: named("ink"), soft: named("soft"), other: named("other"),
      groups: Array.from({ length: COLOURS }, (_, place) => named(`c${place}`)),
    };
  }

  function grouping() {
    const by = byId("colour").value;
    const values = by === "community" ? graph.community : by === "genre" ? graph.genre : graph.layer;
    const sizes = new Map();
    values.forEach((value) => { if (value >= 0) sizes.set(value, (sizes.get(value) || 0) + 1); });
    const ordered = [...sizes.keys()].sort((one, other) => sizes.get(other) - sizes.get(one) || one - other);
    const isShown = ordered.length <= COLOURS ? COLOURS : COLOURS - 1;
    const places = new Map(ordered.slice(0, isShown).map((value, place) => [value, place]));
    const group = Int8Array.from(values, (value) => (places.has(value) ? places.get(value) : -1));
    const names = ordered.slice(0, isShown).map((value) => nameOf(by, value));
    const counts = ordered.slice(0, isShown).map((value) => sizes.get(value));
    const rest = graph.nodes - counts.reduce((sum, size) => sum + size, 0);
    return { by, group, names, counts, rest, others: ordered.length - isShown };
  }

  function nameOf(by, value) {
    if (by === "genre") return graph.genres[value];
    if (by === "layer") return graph.layers[value].replace("_", " ");
    const members = graph.order.filter((node) => graph.community[node] === value);
    const times = new Map();
    members.forEach((node) => {
      if (graph.genre[node] >= 0) times.set(graph.genre[node], (times.get(graph.genre[node]) || 0) + 1);
    });
    const [genre] = [...times].sort((one, other) => other[1] - one[1] || one[0] - other[0])[0] || [-1];
    const around = graph.names[members[0]];
    return genre < 0 ? `around ${around}` : `${graph.genres[genre]}, around ${around}`;
  }

  const colourOf = (group) => (group < 0 ? colours.other : colours.groups[group]);

  // Filter

  function filter() {
    const shown = new Uint8Array(graph.nodes);
    let edges = 0;
    for (let edge = 0; edge < graph.edges; edge += 1) {
      if (graph.score[edge] >= least) {
        edges += 1;
        shown[graph.a[edge]] = 1;
        shown[graph.b[edge]] = 1;
      }
    }
    graph.shown = shown;
    const nodes = shown.reduce((sum, one) => sum + one, 0);
    byId("shown").textContent =
      `Shown: ${count.format(nodes)} of ${count.format(graph.nodes)} ${graph.what}, ` +
      `${count.format(edges)} of ${count.format(graph.edges)} links.`;
  }

  // Geometry

  const px = (node) => (graph.x[node] - view.x) * view.scale + width / 2;
  const py = (node) => (graph.y[node] - view.y) * view.scale + height / 2;
  const zoomed = () => Math.min(2.2, Math.max(0.75, Math.sqrt(view.scale / graph.whole)));

  function fit() {
    const inner = (values) => {
      const sorted = Float64Array.from(values).sort();
      const cut = Math.floor(sorted.length * 0.005);
      return [sorted[cut], sorted[sorted.length - 1 - cut]];
    };
    const [left, right] = inner(graph.x), [upper, lower] = inner(graph.y);
    const across = Math.max(right - left, 1), down = Math.max(lower - upper, 1);
    const scale = Math.min((width - 90) / across, (height - 60) / down, width / 2000);
    graph.whole = scale;
    view = { x: (left + right) / 2, y: (upper + lower) / 2, scale };
  }

  // Drawing

  function paint() {
    const marginX = Math.round(width * MARGIN), marginY = Math.round(height * MARGIN);
    const w = width + 2 * marginX, h = height + 2 * marginY;
    picture.width = w * ratio;
    picture.height = h * ratio;
    pen.setTransform(ratio, 0, 0, ratio, marginX * ratio, marginY * ratio);
    pen.fillStyle = colours.paper;
    pen.fillRect(-marginX, -marginY, w, h);
    const bounds = [-marginX, -marginY, width + marginX, height + marginY];
    paintEdges(bounds);
    paintNodes(bounds);
    paintLabels(bounds);
    drawn = { ...view, marginX, marginY, w, h };
  }

  // Links inside a group have its colour, so that groups stay apart where links are dense.
  function paintEdges([left, upper, right, lower]) {
    const { a, b, score, edges, grouped } = graph;
    const group = grouped.group;
    const x = Float32Array.from(graph.x, (_, node) => px(node));
    const y = Float32Array.from(graph.y, (_, node) => py(node));
    const paths = new Map();
    for (let edge = 0; edge < edges; edge += 1) {
      if (score[edge] < least) continue;
      const one = a[edge], other = b[edge];
      if (focus !== -1 && group[one] !== focus && group[other] !== focus) continue;
      const x1 = x[one], y1 = y[one], x2 = x[other], y2 = y[other];
      if ((x1 < left && x2 < left) || (x1 > right && x2 > right)) continue;
      if ((y1 < upper && y2 < upper) || (y1 > lower && y2 > lower)) continue;
      const kind = group[one] === group[other] && group[one] >= 0 ? group[one] : -1;
      const key = kind * 4 + (score[edge] >= 50 ? 2 : score[edge] >= 20 ? 1 : 0);
      if (!paths.has(key)) paths.set(key, []);
      paths.get(key).push(x1, y1, x2, y2);
    }
    // Many lines over each other would be a blot: the more there are, the fainter each of them is.
    const size = new Map();
    for (const [key, lines] of paths) {
      const kind = Math.floor(key / 4);
      size.set(kind, (size.get(kind) || 0) + lines.length / 4);
    }
    const closer = Math.max(1, view.scale / graph.whole);
    pen.lineWidth = 1;
    for (const key of [...paths.keys()].sort((one, other) => one - other)) {
      const kind = Math.floor(key / 4), strength = key - 4 * kind;
      const faint = kind < 0 ? Math.min(0.22, 1500 / size.get(kind)) : Math.min(0.45, 800 / size.get(kind));
      pen.globalAlpha = Math.min(0.5, Math.max(0.012, faint * closer)) * (0.7 + 0.3 * strength);
      pen.strokeStyle = kind < 0 ? colours.soft : colourOf(kind);
      const lines = paths.get(key);
      for (let at = 0; at < lines.length; at += 1200) {
        pen.beginPath();
        for (let next = at; next < Math.min(at + 1200, lines.length); next += 4) {
          pen.moveTo(lines[next], lines[next + 1]);
          pen.lineTo(lines[next + 2], lines[next + 3]);
        }
        pen.stroke();
      }
    }
    pen.globalAlpha = 1;
  }

  function isInside(x, y, [left, upper, right, lower], margin) {
    return x > left - margin && x < right + margin && y > upper - margin && y < lower + margin;
  }

  function paintNodes(bounds) {
    const { radius, grouped, shown, isSeed } = graph;
    const size = zoomed();
    const faint = focus !== -1;
    for (let group = -1; group < COLOURS; group += 1) {
      pen.globalAlpha = faint && group !== focus ? 0.15 : 0.9;
      pen.fillStyle = colourOf(group);
      pen.beginPath();
      for (let node = 0; node < graph.nodes; node += 1) {
        if (grouped.group[node] !== group || !shown[node]) continue;
        const x = px(node), y = py(node), r = radius[node] * size;
        if (!isInside(x, y, bounds, r)) continue;
        pen.moveTo(x + r, y);
        pen.arc(x, y, r, 0, 7);
      }
      pen.fill();
      if (graph.nodes < 1500 || size > 1.2) {
        pen.lineWidth = 0.75;
        pen.strokeStyle = colours.paper;
        pen.stroke();
      }
    }
    pen.globalAlpha = 1;
    for (let node = 0; node < graph.nodes; node += 1) if (isSeed[node] && shown[node]) ring(pen, node);
  }

  function ring(context, node) {
    const x = px(node), y = py(node), r = graph.radius[node] * zoomed();
    context.lineWidth = 2;
    context.strokeStyle = colours.paper;
    context.beginPath();
    context.arc(x, y, r + 1.5, 0, 7);
    context.stroke();
    context.strokeStyle = colours.ink;
    context.beginPath();
    context.arc(x, y, r + 3, 0, 7);
    context.stroke();
  }

  const short = (name) => (name.length > 34 ? `${name.slice(0, 33)}…` : name);

  // Labels that fit beside those before them: the most linked nodes first.
  function label(context, nodes, bounds, most, taken) {
    const size = zoomed();
    let placed = 0;
    for (const node of nodes) {
      if (placed >= most) break;
      const x = px(node), y = py(node);
      if (!isInside(x, y, bounds, 0)) continue;
      const isSeed = graph.isSeed[node] || node === selected || node === pointed;
      context.font = `${isSeed ? 600 : 400} 12px system-ui, "DejaVu Sans", sans-serif`;
      const text = short(graph.names[node]);
      const r = graph.radius[node] * size + (isSeed ? 5 : 2);
      const length = context.measureText(text).width;
      const spot = [[x + r + 2, y + 4], [x - r - 2 - length, y + 4], [x - length / 2, y - r - 4], [x - length / 2, y + r + 13]]
        .find(([at, base]) => isWhole(x, at, length) && !taken.some((box) => overlaps(box, at, base, length)));
      if (!spot) continue;
      taken.push([spot[0] - 3, spot[1] - 13, spot[0] + length + 3, spot[1] + 4]);
      context.lineWidth = 3;
      context.lineJoin = "round";
      context.strokeStyle = colours.paper;
      context.strokeText(text, ...spot);
      context.fillStyle = colours.ink;
      context.fillText(text, ...spot);
      placed += 1;
    }
  }

  // The edge of the picture cuts no label of a node inside it.
  const isWhole = (x, at, length) => x < 0 || x > width || (at >= 2 && at + length <= width - 2);

  const overlaps = ([left, upper, right, lower], at, base, length) =>
    at < right && at + length > left && base - 11 < lower && base + 3 > upper;

  function paintLabels(bounds) {
    const nodes = graph.labelled.filter(
      (node) => graph.shown[node] && (focus === -1 || graph.grouped.group[node] === focus)
        && isInside(px(node), py(node), bounds, 0));
    const area = (bounds[2] - bounds[0]) * (bounds[3] - bounds[1]);
    // More would hide the picture; others appear as one zooms.
    label(pen, nodes.slice(0, 600), bounds, Math.round(area / 34000 * Math.min(2, zoomed())), []);
  }

  // Moves the bitmap to where the view is.
  function show() {
    ink.setTransform(ratio, 0, 0, ratio, 0, 0);
    ink.fillStyle = colours.paper;
    ink.fillRect(0, 0, width, height);
    if (!drawn || !drawn.w) return;
    const factor = view.scale / drawn.scale;
    const left = (drawn.x - view.x) * view.scale + width / 2 - (width / 2 + drawn.marginX) * factor;
    const upper = (drawn.y - view.y) * view.scale + height / 2 - (height / 2 + drawn.marginY) * factor;
    ink.globalAlpha = selected < 0 ? 1 : 0.25;
    ink.drawImage(picture, left, upper, drawn.w * factor, drawn.h * factor);
    ink.globalAlpha = 1;
    showOver();
  }

  function showOver() {
    top.setTransform(ratio, 0, 0, ratio, 0, 0);
    top.clearRect(0, 0, width, height);
    const bounds = [0, 0, width, height];
    const taken = [];
    if (selected >= 0) {
      const links = linksOf(selected);
      const size = zoomed();
      top.strokeStyle = colours.soft;
      for (const [other, score] of links) {
        top.globalAlpha = 0.25 + 0.6 * score / 100;
        top.lineWidth = 1 + score / 70;
        top.beginPath();
        top.moveTo(px(selected), py(selected));
        top.lineTo(px(other), py(other));
        top.stroke();
      }
      top.globalAlpha = 1;
      for (const node of [...links.map(([other]) => other), selected]) {
        top.fillStyle = colourOf(graph.grouped.group[node]);
        top.beginPath();
        top.arc(px(node), py(node), graph.radius[node] * size + 0.5, 0, 7);
        top.fill();
      }
      ring(top, selected);
      label(top, [selected, ...links.map(([other]) => other)], bounds, 26, taken);
    }
    if (pointed >= 0 && pointed !== selected) {
      ring(top, pointed);
      label(top, [pointed], bounds, 1, []);
    }
  }

  function draw(soon) {
    if (!frame) frame = requestAnimationFrame(() => { frame = 0; show(); });
    clearTimeout(rest);
    rest = setTimeout(redraw, soon ? 0 : 120);
  }

  // Moving

  function zoom(factor, x = width / 2, y = height / 2) {
    const scale = Math.min(graph.whole * 60, Math.max(graph.whole / 2, view.scale * factor));
    const kept = 1 / view.scale - 1 / scale;
    view = { x: view.x + (x - width / 2) * kept, y: view.y + (y - height / 2) * kept, scale };
    draw();
  }

  function move(dx, dy) {
    view = { ...view, x: view.x - dx / view.scale, y: view.y - dy / view.scale };
    draw();
  }

  function nodeAt(x, y) {
    let best = -1, nearest = 14 ** 2;
    const size = zoomed();
    for (let node = 0; node < graph.nodes; node += 1) {
      if (!graph.shown[node]) continue;
      const r = graph.radius[node] * size;
      const away = Math.max(0, Math.hypot(px(node) - x, py(node) - y) - r) ** 2;
      if (away < nearest) { nearest = away; best = node; }
    }
    return nearest <= 36 ? best : -1;
  }

  // Selecting

  function element(name, text, attributes = {}) {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
    return made;
  }

  function linked(text, path) {
    const named = element("bdi", text);
    if (path === null || path === undefined) return named;
    const anchor = element("a", undefined, { href: SITE + path, target: "_blank", rel: "noopener noreferrer" });
    anchor.append(named);
    return anchor;
  }

  function select(node, isCentred) {
    selected = node;
    const panel = byId("selection");
    panel.replaceChildren();
    if (node < 0) {
      panel.append(element("p", `Select one of the ${graph.what}: click it, or search for it.`, { class: "hint" }));
      show();
      return;
    }
    const box = element("div", undefined, { class: "panel" });
    const head = element("h3");
    head.append(linked(graph.names[node], pathOf(node)));
    const about = element("p");
    if (graph.artists) {
      const [artist, path] = graph.artists[graph.artist[node]];
      if (artist) about.append(linked(artist, path), " · ");
    }
    const sizes = graph.artists ? "plays" : "followers";
    const facts = [
      graph.genre[node] >= 0 ? graph.genres[graph.genre[node]] : null,
      graph.sizes[node] === null ? null : `${count.format(graph.sizes[node])} ${sizes}`,
      graph.layer[node] >= 0 ? `found by ${graph.layers[graph.layer[node]].replace("_", " ")}` : null,
      `ID ${graph.ids[node]}`,
    ].filter((fact) => fact !== null);
    about.append(facts.join(" · "));
    const links = linksOf(node);
    const all = links.length === 1 ? "1 link" : `${count.format(links.length)} links`;
    const list = element("ol", undefined, { "aria-label": "Strongest links" });
    for (const [other, score] of links.slice(0, 12)) {
      const row = element("li");
      const go = element("button", undefined, { type: "button" });
      go.append(element("bdi", graph.names[other]));
      const artist = artistOf(graph, other);
      if (artist) go.append(" ", element("small", artist));
      go.addEventListener("click", () => select(other, true));
      row.append(go, element("span", (score / 100).toFixed(2)));
      list.append(row);
    }
    const clear = element("button", "Clear", { type: "button" });
    clear.addEventListener("click", () => { select(-1); canvas.focus(); });
    box.append(head, about, element("strong", links.length > 12 ? `${all}, the strongest 12` : all), list, clear);
    panel.append(box);
    if (isCentred) {
      view = { ...view, x: graph.x[node], y: graph.y[node], scale: Math.max(view.scale, graph.whole * 2) };
      draw(true);
    }
    show();
  }

  function step(by) {
    if (selected < 0) { select(graph.seeds.length ? graph.seeds[0] : graph.order[0], true); return; }
    step.from = step.from && step.trail === selected ? step.from : { node: selected, at: -1 };
    const links = linksOf(step.from.node);
    if (!links.length) return;
    step.from.at = (step.from.at + by + links.length) % links.length;
    select(links[step.from.at][0], true);
    step.trail = selected;
  }

  // Legend

  function legend() {
    const { grouped } = graph;
    const box = byId("legend");
    box.replaceChildren(element("h3", `Coloured by ${grouped.by}`));
    const entry = (group, name, size) => {
      const button = element("button", undefined, { type: "button", "aria-pressed": String(focus === group) });
      const holder = document.importNode(swatch.content, true).firstChild;
      holder.firstChild.setAttribute("class", `swatch-${group < 0 ? "other" : group}`);
      const text = element("span");
      text.append(element("bdi", name));
      button.append(holder, text, element("data", count.format(size)));
      button.addEventListener("click", () => {
        focus = focus === group ? -1 : group;
        box.querySelectorAll("button").forEach((one, place) => {
          one.setAttribute("aria-pressed", String(focus !== -1 && place === focus));
        });
        draw(true);
      });
      box.append(button);
    };
    grouped.names.forEach((name, group) => entry(group, name, grouped.counts[group]));
    if (grouped.rest) {
      const many = grouped.others > 0 ? `${count.format(grouped.others)} others` : "unknown";
      const row = element("p", `${many}: ${count.format(grouped.rest)}`, { class: "hint" });
      box.append(row);
    }
  }

  const swatch = document.createElement("template");
  swatch.innerHTML = '<svg class="swatch" viewBox="0 0 12 12" aria-hidden="true"><circle cx="6" cy="6" r="6"></circle></svg>';

  // Search

  const search = byId("search"), matches = byId("matches");
  let found = [], chosen = -1;

  function look() {
    const words = graph.plain(search.value.trim()).split(/\s+/).filter(Boolean);
    found = words.length ? graph.order.filter((node) => words.every((word) => graph.keys[node].includes(word))) : [];
    const total = found.length;
    found = found.slice(0, 10);
    chosen = found.length ? 0 : -1;
    matches.replaceChildren(...found.map((node, place) => {
      const row = element("li", undefined, { role: "option", id: `match-${place}` });
      row.append(element("bdi", graph.names[node]));
      const artist = artistOf(graph, node);
      if (artist) row.append(" ", element("small", artist));
      row.addEventListener("pointerdown", (event) => { event.preventDefault(); choose(place); });
      return row;
    }));
    if (words.length && !total) matches.append(element("li", "No match", { "aria-disabled": "true" }));
    matches.hidden = !words.length;
    mark();
  }

  function mark() {
    search.setAttribute("aria-expanded", String(!matches.hidden));
    [...matches.children].forEach((row, place) => row.setAttribute("aria-selected", String(place === chosen)));
    if (chosen >= 0 && !matches.hidden) search.setAttribute("aria-activedescendant", `match-${chosen}`);
    else search.removeAttribute("aria-activedescendant");
  }

  function choose(place) {
    matches.hidden = true;
    mark();
    if (place >= 0 && found[place] !== undefined) select(found[place], true);
  }

  search.addEventListener("input", look);
  search.addEventListener("blur", () => { matches.hidden = true; mark(); });
  search.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (!found.length) return;
      matches.hidden = false;
      chosen = (chosen + (event.key === "ArrowDown" ? 1 : -1) + found.length) % found.length;
      mark();
    } else if (event.key === "Enter") choose(chosen);
    else if (event.key === "Escape") { matches.hidden = true; mark(); } else return;
    event.preventDefault();
  });

  // Events

  const pointers = new Map();
  let began = null;

  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, [event.offsetX, event.offsetY]);
    began = [event.offsetX, event.offsetY];
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    const now = [event.offsetX, event.offsetY];
    if (!before) {
      const at = nodeAt(...now);
      canvas.classList.toggle("pointing", at >= 0);
      if (at !== pointed) { pointed = at; showOver(); }
      return;
    }
    if (pointers.size === 2) {
      const [other] = [...pointers].filter(([id]) => id !== event.pointerId).map(([, place]) => place);
      const stretch = Math.hypot(now[0] - other[0], now[1] - other[1]) / Math.hypot(before[0] - other[0], before[1] - other[1]);
      zoom(stretch || 1, (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
      move((now[0] - before[0]) / 2, (now[1] - before[1]) / 2);
    } else {
      canvas.classList.add("moving");
      move(now[0] - before[0], now[1] - before[1]);
    }
    pointers.set(event.pointerId, now);
  });
  const release = (event) => {
    const isClick = event.type === "pointerup" && began && pointers.size === 1
      && Math.hypot(event.offsetX - began[0], event.offsetY - began[1]) < 4;
    pointers.delete(event.pointerId);
    canvas.classList.remove("moving");
    if (isClick) select(nodeAt(event.offsetX, event.offsetY));
  };
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", release);
  canvas.addEventListener("pointerleave", () => { if (pointed >= 0) { pointed = -1; showOver(); } });
  canvas.addEventListener("dblclick", (event) => zoom(2, event.offsetX, event.offsetY));

  // The wheel zooms, unless it is scrolling the page past the graph.
  let scrolled = 0;
  addEventListener("scroll", () => { scrolled = performance.now(); }, { passive: true });
  canvas.addEventListener("wheel", (event) => {
    const isPassing = !event.ctrlKey && performance.now() - scrolled < 250;
    const isWhole = event.deltaY > 0 && view.scale <= graph.whole && !event.ctrlKey;
    if (isPassing || isWhole) return;
    event.preventDefault();
    zoom(Math.exp(-event.deltaY / (event.deltaMode ? 12 : 350)), event.offsetX, event.offsetY);
  }, { passive: false });

  const KEYS = {
    ArrowLeft: () => move(60, 0), ArrowRight: () => move(-60, 0), ArrowUp: () => move(0, 60), ArrowDown: () => move(0, -60),
    "+": () => zoom(1.4), "=": () => zoom(1.4), "-": () => zoom(1 / 1.4), 0: () => { fit(); draw(true); },
    n: () => step(1), p: () => step(-1), Enter: () => select(nodeAt(width / 2, height / 2)), Escape: () => select(-1),
  };
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !KEYS[event.key]) return;
    event.preventDefault();
    KEYS[event.key]();
  });
  byId("closer").addEventListener("click", () => zoom(1.5));
  byId("further").addEventListener("click", () => zoom(1 / 1.5));
  byId("fit").addEventListener("click", () => { fit(); draw(true); });

  function recolour() {
    focus = -1;
    graph.grouped = grouping();
    legend();
    draw(true);
  }
  byId("colour").addEventListener("change", recolour);
  byId("least").addEventListener("input", (event) => {
    least = Number(event.target.value);
    byId("least-shown").textContent = (least / 100).toFixed(2);
    filter();
    if (selected >= 0) select(selected);
    draw();
  });

  const prepared = [];
  function choosePicture(place) {
    prepared[place] = prepared[place] || prepare(graphs[place]);
    graph = prepared[place];
    for (const parts of [".graph-about", ".graph-list"]) {
      document.querySelectorAll(parts).forEach((part, at) => { part.hidden = at !== place; });
    }
    for (const option of byId("colour").options) {
      option.disabled = (option.value === "genre" && !graph.genres.length) || (option.value === "layer" && !graph.layers.length);
      if (option.disabled && option.selected) byId("colour").value = "community";
    }
    least = 0;
    byId("least").value = "0";
    byId("least-shown").textContent = "0";
    search.value = "";
    matches.hidden = true;
    pointed = -1;
    filter();
    fit();
    recolour();
    select(-1);
  }
  const kind = byId("kind");
  if (kind) kind.addEventListener("change", () => choosePicture(Number(kind.value)));

  // A page that is loaded in the background has no size at first.
  function measure() {
    const box = canvas.getBoundingClientRect();
    const before = [width, height, ratio];
    width = Math.round(box.width);
    height = Math.round(box.height);
    ratio = Math.min(2, devicePixelRatio || 1);
    if (before[0] === width && before[1] === height && before[2] === ratio) return;
    for (const one of [canvas, over]) { one.width = width * ratio; one.height = height * ratio; }
    fit();
    redraw();
  }

  function redraw() {
    clearTimeout(rest);
    if (!width || !height) return;
    readColours();
    paint();
    show();
  }

  choosePicture(0);
  measure();
  new ResizeObserver(measure).observe(canvas);
  addEventListener("themechange", redraw);
  matchMedia("print").addEventListener("change", redraw);
})();
