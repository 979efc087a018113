"use strict";
// Texts are set as texts everywhere: a passage is not to be trusted.

const VERDICTS = {
  supported: "supported",
  contradicted: "contradicted",
  not_enough_info: "not in the passages",
  not_checkable: "nothing to check",
  error: "could not be checked",
};
const byId = (id) => document.getElementById(id);

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function passages() {
  return byId("passages").value.split(/\n\s*\n/).map((text) => text.trim()).filter(Boolean);
}

function message(status, answer) {
  const said = answer && (answer.message || answer.detail || (answer.error && (answer.error.message || answer.error)));
  if (status === 401) byId("access").open = true;
  return said || `the server answered with status ${status}`;
}

async function ask(path, body) {
  const headers = {};
  const key = byId("key").value.trim();
  if (key) headers.authorization = `Bearer ${key}`;
  if (body) headers["content-type"] = "application/json";
  let response;
  try {
    response = await fetch(path, { method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body) });
  } catch {
    throw new Error("the server does not answer");
  }
  const answer = await response.json().catch(() => null);
  if (!response.ok || answer === null) throw new Error(message(response.status, answer));
  return answer;
}

function bar(share) {
  const outer = element("span", undefined, "bar");
  const inner = element("i");
  inner.style.width = `${100 * Math.min(1, Math.max(0, share))}%`;
  outer.append(inner);
  return outer;
}

function place(number, text, ...figures) {
  const item = element("li");
  const box = element("div");
  box.append(element("p", text));
  if (figures.length) {
    const line = element("div", undefined, "figures");
    line.append(...figures);
    box.append(line);
  }
  item.append(element("span", String(number)), box);
  return item;
}

function moved(places) {
  if (places > 0) return element("span", `▲ ${places}`, "up");
  return places < 0 ? element("span", `▼ ${-places}`, "down") : element("span", "=", "still");
}

async function rerank() {
  const documents = passages();
  const body = { query: byId("query").value, documents, return_documents: false };
  if (byId("reranker").value) body.model = byId("reranker").value;
  const { results } = await ask("v1/rerank", body);
  byId("before").replaceChildren(...documents.map((text, at) => place(at + 1, text)));
  byId("after").replaceChildren(...results.map(({ index, relevance_score: score }, at) =>
    place(at + 1, documents[index], moved(index - at), bar(score), element("span", score.toFixed(3)))));
}

function quote(evidence, kind) {
  const quoted = element("blockquote", undefined, kind);
  quoted.append(element("span", evidence.text), element("cite", `passage ${evidence.passage + 1}`));
  return quoted;
}

function describe(claim) {
  const item = element("li");
  const kind = claim.verdict === "error" ? "failed" : claim.verdict;
  const line = element("p");
  line.append(element("span", VERDICTS[claim.verdict] || claim.verdict, `badge ${kind}`), claim.text);
  item.append(line);
  if (claim.verdict !== "not_checkable") {
    const figures = element("div", undefined, "figures");
    figures.append(bar(claim.probability), element("span", `${(100 * claim.probability).toFixed(0)} % supported`));
    item.append(figures);
  }
  if (claim.reason) item.append(element("p", claim.reason, "reason"));
  if (claim.evidence.length) item.append(quote(claim.evidence[0], kind));
  if (claim.conflict && claim.contradicting.length) item.append(quote(claim.contradicting[0], "contradicted"));
  return item;
}

// Where claims and spans begin and end, the server counts whole characters.
function marked(answer, claims, spans) {
  const characters = Array.from(answer);
  const borders = new Set([0, characters.length]);
  for (const { start, end } of [...claims, ...spans]) borders.add(start).add(end);
  const sorted = [...borders].sort((one, other) => one - other);
  return sorted.slice(1).map((end, at) => {
    const inside = (each) => each.start < end && each.end > sorted[at];
    const piece = element("span", characters.slice(sorted[at], end).join(""));
    const claim = claims.find(inside);
    if (claim && claim.verdict !== "not_checkable") piece.className = claim.verdict === "error" ? "failed" : claim.verdict;
    if (spans.some(inside)) piece.classList.add("unsupported");
    return piece;
  });
}

async function verify() {
  const body = { answer: byId("answer").value, passages: passages(), question: byId("query").value };
  if (byId("verifier").value) body.model = byId("verifier").value;
  const found = await ask("verify", body);
  const share = `${(100 * found.supported_fraction).toFixed(0)} % of what can be checked is supported`;
  byId("verdict").textContent = `${found.passed ? "✓ Passed" : "✗ Not passed"}: ${share}`;
  byId("verdict").className = found.passed ? "up" : "down";
  byId("marked").replaceChildren(...marked(found.answer, found.claims, found.spans));
  byId("claims").replaceChildren(...found.claims.map(describe));
}

function onSubmit(form, result, work) {
  const button = form.querySelector("button");
  const error = byId(`${form.id}-error`);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    error.hidden = true;
    try {
      await work();
      result.hidden = false;
    } catch (exc) {
      error.textContent = exc.message;
      error.hidden = false;
      result.hidden = true;
    } finally {
      button.disabled = false;
    }
  });
}

async function listModels() {
  const { data } = await ask("v1/models");
  for (const kind of ["reranker", "verifier"]) {
    const names = data.filter((model) => model.kind === kind).map((model) => model.id);
    byId(kind).replaceChildren(...names.map((name) => element("option", name)));
    byId(kind).closest("section").hidden = names.length === 0;
  }
}

function count() {
  const n = passages().length;
  byId("count").textContent = n === 1 ? "1 passage." : `${n} passages.`;
}

onSubmit(byId("rerank"), byId("ranking"), rerank);
onSubmit(byId("verify"), byId("verification"), verify);
byId("passages").addEventListener("input", count);
byId("key").addEventListener("change", () => listModels().catch(() => {}));
byId("unlock").addEventListener("submit", (event) => event.preventDefault());
count();
listModels().catch(() => { byId("access").open = true; });
