// A reply as paragraphs and code blocks, from its fences alone. What it says stays text, whatever it looks like.

const FENCE = /^ {0,3}(`{3,}|~{3,})(.*)$/;

const replyParts = (text) => {
  const parts = [];
  let lines = [];
  let fence = null;
  const end = (kind, info = "") => {
    const joined = lines.join("\n");
    if (kind === "code" || joined.trim()) parts.push({ kind, info, text: joined });
    lines = [];
  };
  for (const line of text.split("\n")) {
    const found = FENCE.exec(line);
    if (fence === null && found) {
      end("text");
      fence = { mark: found[1], info: found[2].trim() };
    } else if (fence !== null && found && found[1].startsWith(fence.mark) && !found[2].trim()) {
      end("code", fence.info);
      fence = null;
    } else {
      lines.push(line);
    }
  }
  end(fence === null ? "text" : "code", fence === null ? "" : `${fence.info} (never closed)`);
  return parts;
};

const renderedReply = (text) => make("div", { class: "reply" }, replyParts(text).map(({ kind, info, text: part }) =>
  kind === "code"
    ? make("figure", { class: "code" }, info ? make("figcaption", {}, info) : null, make("pre", { tabindex: "0" }, make("code", {}, part)))
    : part.split(/\n{2,}/).filter((paragraph) => paragraph.trim()).map((paragraph) => make("p", {}, paragraph.replace(/^\n+|\n+$/g, "")))));
